/* SPDX-License-Identifier: Apache-2.0 */
#include "connection.h"

#include <errno.h>
#include <string.h>

#include "fault.h"
#include "transfer.h"

static CURLcode setup_tls(CURL *e, const Settings *s) {
    CURLcode r = curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);

    if (r == CURLE_OK)
        r = curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
    if (r == CURLE_OK)
        r = curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
    if (r == CURLE_OK && s->ca_file) { /* these and no others */
        r = curl_easy_setopt(e, CURLOPT_CAINFO, s->ca_file);
        curl_easy_setopt(e, CURLOPT_CAPATH, (char *)NULL);
    }
    if (r == CURLE_OK && s->pinned_key)
        r = curl_easy_setopt(e, CURLOPT_PINNEDPUBLICKEY, s->pinned_key);
    return r;
}

static CURLcode setup_client(CURL *e, const Settings *s) {
    struct curl_blob key = {.data = s->client_key.bytes, .len = s->client_key.size, .flags = CURL_BLOB_NOCOPY};
    CURLcode r = CURLE_OK;

    if (s->client_certificate) {
        r = curl_easy_setopt(e, CURLOPT_SSLCERT, s->client_certificate);
        if (r == CURLE_OK)
            r = curl_easy_setopt(e, CURLOPT_SSLKEY_BLOB, &key);
    }
    if (r == CURLE_OK && s->api_key.bytes) {
        curl_easy_setopt(e, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
        r = curl_easy_setopt(e, CURLOPT_XOAUTH2_BEARER, s->api_key.bytes);
    }
    return r;
}

/* Without a setting there is no proxy, whatever the environment says. */
static CURLcode setup_proxy(CURL *e, const Settings *s) {
    CURLcode r = curl_easy_setopt(e, CURLOPT_PROXY, s->proxy);

    if (!*s->proxy)
        return r;
    if (r == CURLE_OK && s->no_proxy)
        r = curl_easy_setopt(e, CURLOPT_NOPROXY, s->no_proxy);
    if (r == CURLE_OK && s->proxy_login.bytes)
        r = curl_easy_setopt(e, CURLOPT_PROXYUSERPWD, s->proxy_login.bytes);
    if (r == CURLE_OK && s->ca_file)
        r = curl_easy_setopt(e, CURLOPT_PROXY_CAINFO, s->ca_file);
    curl_easy_setopt(e, CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    return r;
}

int connection_setup(CURL *e, const Settings *s) {
    CURLcode r = curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "https");

    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(e, CURLOPT_PIPEWAIT, 1L); /* rather a stream of a connection that is there than another one */
    curl_easy_setopt(e, CURLOPT_USERAGENT, "eonayd/" EONAY_VERSION);
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)s->connect_timeout_ms);
    curl_easy_setopt(e, CURLOPT_MAXFILESIZE, (long)ANSWER_SIZE_MAX);
    curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
    if (r == CURLE_OK)
        r = setup_tls(e, s);
    if (r == CURLE_OK)
        r = setup_client(e, s);
    if (r == CURLE_OK)
        r = setup_proxy(e, s);
    return r == CURLE_OK ? 0 : r == CURLE_OUT_OF_MEMORY ? -ENOMEM : -ENOTSUP;
}

static EonayError meaning(CURLcode result) {
    switch (result) {
    case CURLE_PEER_FAILED_VERIFICATION: /* chain, validity, host name */
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_CRL_BADFILE:
        return EONAY_ERROR_BACKEND_UNTRUSTED;
    case CURLE_FILESIZE_EXCEEDED:
    case CURLE_WRITE_ERROR:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return EONAY_ERROR_BACKEND_PROTOCOL;
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
        return EONAY_ERROR_FILE_INVALID;
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT:
    case CURLE_URL_MALFORMAT:
    case CURLE_BAD_FUNCTION_ARGUMENT:
    case CURLE_UNKNOWN_OPTION:
    case CURLE_NOT_BUILT_IN:
        return EONAY_ERROR_PLUGIN_FAILED;
    default: /* names, connections, time, cuts: tomorrow it may work */
        return EONAY_ERROR_BACKEND_UNREACHABLE;
    }
}

static const char *headline(CURLcode result) {
    switch (result) {
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
        return "TLS: the server's key is not the one in PinnedPublicKey=";
    case CURLE_PEER_FAILED_VERIFICATION:
        return "TLS: the server's certificate is not accepted";
    case CURLE_SSL_CONNECT_ERROR:
        return "TLS: no agreement with the server";
    case CURLE_SSL_CERTPROBLEM:
        return "TLS: ClientCertificate= or its key cannot be used";
    case CURLE_SSL_CACERT_BADFILE:
        return "TLS: CaFile= cannot be used";
    case CURLE_FILESIZE_EXCEEDED:
    case CURLE_WRITE_ERROR:
        return "the answer is too large";
    case CURLE_OPERATION_TIMEDOUT:
        return "no answer in time";
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
        return "the name cannot be resolved";
    default:
        return curl_easy_strerror(result);
    }
}

int connection_fault(const EonayHost *host, CURLcode result, const char *reason, size_t size) {
    if (result == CURLE_OK)
        return 0;
    /* a handshake that the network cut is no quarrel about trust */
    return fault(host, meaning(result), 0, "%s%s%s%s", headline(result), *reason ? ": " : "", reason,
                 size > 0 ? " (a part of the answer had come)" : "");
}
