/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every value is checked when the instance opens, so that a typing error in the configuration is met by the
 * administrator and not, five minutes later, by a citizen.
 */
#include "settings.h"

#include <curl/curl.h>
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#include "fault.h"
#include "scope.h"

#define URL_MAX         1024
#define CERTIFICATE_MAX (1u << 20)

static void scope_url(CURLU **u) {
    curl_url_cleanup(*u);
}

static int bad_value(const EonayHost *host, const char *key, const char *expected) {
    return fault(host, EONAY_ERROR_PLUGIN_FAILED, 0, "%s= must be %s", key, expected);
}

static bool url_has(CURLU *u, CURLUPart part) {
    char *value = NULL;
    bool has = curl_url_get(u, part, &value, 0) == CURLUE_OK && *value;

    curl_free(value);
    return has;
}

static int read_url(const EonayHost *host, Settings *s) {
    const char *value = host->config(host, "Url");
    _cleanup_(scope_url) CURLU *u = curl_url();

    if (!u)
        return -ENOMEM;
    if (!value)
        return fault(host, EONAY_ERROR_PLUGIN_FAILED, 0, "Url= is missing: it must be the authority's https address");
    if (strlen(value) > URL_MAX || strncmp(value, "https://", 8) != 0 ||
        curl_url_set(u, CURLUPART_URL, value, 0) != CURLUE_OK || url_has(u, CURLUPART_USER) ||
        url_has(u, CURLUPART_QUERY) || url_has(u, CURLUPART_FRAGMENT))
        return bad_value(host, "Url", "https://host[:port][/path], without a user, a query or a fragment");
    s->url = strdup(value);
    if (!s->url)
        return -ENOMEM;
    for (size_t n = strlen(s->url); n > 0 && s->url[n - 1] == '/'; n--)
        s->url[n - 1] = '\0';
    return 0;
}

static int read_number(const EonayHost *host, const char *key, uint32_t least, uint32_t most, uint32_t *value) {
    const char *s = host->config(host, key);
    uint64_t n = 0;

    if (!s)
        return 0;
    bool good = *s && strlen(s) <= 9 && s[strspn(s, "0123456789")] == '\0';
    for (; good && *s; s++)
        n = n * 10 + (uint64_t)(*s - '0');
    if (!good || n < least || n > most)
        return fault(host, EONAY_ERROR_PLUGIN_FAILED, 0, "%s= must be a number from %u to %u", key, least, most);
    *value = (uint32_t)n;
    return 0;
}

/* One or more "sha256//" with 44 characters of base64, as CURLOPT_PINNEDPUBLICKEY takes them. */
static int read_pin(const EonayHost *host, Settings *s) {
    static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *p = s->pinned_key = host->config(host, "PinnedPublicKey");

    while (p) {
        if (strncmp(p, "sha256//", 8) != 0 || strspn(p + 8, base64) != 43 || p[51] != '=' ||
            (p[52] != '\0' && p[52] != ';'))
            return bad_value(host, "PinnedPublicKey", "sha256//, the hash in base64, and more such after ';'");
        p = p[52] == ';' ? p + 53 : NULL;
    }
    return 0;
}

/* The file must hold a certificate that we can read: libcurl would tell only when the first citizen waits. */
static int check_certificate(const EonayHost *host, const char *key, const char **ret) {
    const char *path = host->config(host, key);
    _cleanup_close_ int fd = -1;

    *ret = path;
    if (!path)
        return 0;
    if ((fd = host->open_file(host, key)) < 0)
        return fault(host, EONAY_ERROR_FILE_INVALID, 0, "%s=: %s", key, strerror(-fd));
    FILE *file = fdopen(dup(fd), "r");
    X509 *certificate = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
    bool good = certificate;
    X509_free(certificate);
    if (file)
        fclose(file);
    return good ? 0 : fault(host, EONAY_ERROR_FILE_INVALID, 0, "%s=: no certificate in PEM in it", key);
}

static int no_passphrase(char *buffer, int size, int writing, void *userdata) {
    (void)buffer, (void)size, (void)writing, (void)userdata;
    return -1; /* without this OpenSSL would ask on a terminal */
}

static int check_key(const EonayHost *host, const Credential *key) {
    BIO *bio = key->bytes ? BIO_new_mem_buf(key->bytes, (int)key->size) : NULL;
    EVP_PKEY *parsed = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
    bool good = !key->bytes || parsed;

    EVP_PKEY_free(parsed);
    BIO_free(bio);
    return good ? 0 : fault(host, EONAY_ERROR_FILE_INVALID, 0, "ClientKeyCredential=: no private key in PEM in it");
}

static int read_tls(const EonayHost *host, Settings *s) {
    int r = 0;

    if ((r = check_certificate(host, "CaFile", &s->ca_file)) != 0 || (r = read_pin(host, s)) != 0 ||
        (r = check_certificate(host, "ClientCertificate", &s->client_certificate)) != 0 ||
        (r = credential_read(host, "ClientKeyCredential", &s->client_key)) != 0)
        return r;
    if (!s->client_certificate != !s->client_key.bytes)
        return fault(host, EONAY_ERROR_PLUGIN_FAILED, 0, "ClientCertificate= and ClientKeyCredential= go together");
    return check_key(host, &s->client_key);
}

static int read_proxy(const EonayHost *host, Settings *s) {
    _cleanup_(scope_url) CURLU *u = curl_url();
    const char *value = host->config(host, "Proxy");

    s->proxy = value ? value : "";
    s->no_proxy = host->config(host, "NoProxy");
    if (*s->proxy && ((strncmp(value, "http://", 7) != 0 && strncmp(value, "https://", 8) != 0) ||
                      curl_url_set(u, CURLUPART_URL, value, 0) != CURLUE_OK || url_has(u, CURLUPART_USER)))
        return bad_value(host, "Proxy", "http://host:port or https://host:port; a login comes from ProxyCredential=");
    return credential_read_line(host, "ProxyCredential", &s->proxy_login);
}

static int read_client_id(const EonayHost *host, Settings *s) {
    const char *value = host->config(host, "ClientId");

    s->client_id = value ? value : "eonayd";
    for (const char *p = s->client_id; *p; p++)
        if (*p < '!' || *p > '~')
            return bad_value(host, "ClientId", "1 to 64 visible ASCII characters");
    return *s->client_id && strlen(s->client_id) <= 64
               ? 0
               : bad_value(host, "ClientId", "1 to 64 visible ASCII characters");
}

int settings_read(const EonayHost *host, Settings *ret) {
    Settings s = {.timeout_ms = 20000, .connect_timeout_ms = 5000};
    int r = 0;

    if ((r = read_url(host, &s)) != 0 || (r = read_client_id(host, &s)) != 0 || (r = read_tls(host, &s)) != 0 ||
        (r = read_proxy(host, &s)) != 0 || (r = read_number(host, "TimeoutMs", 100, 600000, &s.timeout_ms)) != 0 ||
        (r = read_number(host, "ConnectTimeoutMs", 100, 600000, &s.connect_timeout_ms)) != 0 ||
        (r = credential_read_line(host, "ApiKeyCredential", &s.api_key)) != 0) {
        settings_clear(&s);
        return r;
    }
    *ret = s;
    return 0;
}

void settings_clear(Settings *s) {
    free(s->url);
    credential_clear(&s->api_key);
    credential_clear(&s->client_key);
    credential_clear(&s->proxy_login);
    *s = (Settings){0};
}
