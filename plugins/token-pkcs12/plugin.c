/* SPDX-License-Identifier: Apache-2.0 */
/* The plugin's face: the table of operations, and the life of its one context. See README.md. */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <string.h>

#include "p12.h"

int fault_text(const P12 *p, EonayError code, const char *text) {
    ERR_clear_error();
    p->host->fault(p->host, code, -1, 0, text);
    return code;
}

static void pkcs12_close(void *context) {
    P12 *p = context;

    if (!p)
        return;
    p12_forget(p);
    if (p->legacy)
        OSSL_PROVIDER_unload(p->legacy);
    if (p->standard)
        OSSL_PROVIDER_unload(p->standard);
    OSSL_LIB_CTX_free(p->library);
    free(p);
}

static int library_open(P12 *p) {
    p->library = OSSL_LIB_CTX_new();
    p->standard = p->library ? OSSL_PROVIDER_load(p->library, "default") : NULL;
    if (!p->standard)
        return fault_text(p, EONAY_ERROR_PLUGIN_FAILED, "OpenSSL's default provider cannot be loaded");
    p->legacy = OSSL_PROVIDER_load(p->library, "legacy");
    ERR_clear_error();
    return 0;
}

static int pkcs12_open(const EonayHost *host, void **ret_context) {
    /* libcrypto reads no openssl.cnf here: it could name an engine or provider to load next to the key. */
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);

    P12 *p = calloc(1, sizeof(*p));
    if (!p)
        return -ENOMEM;
    p->host = host;
    int r = library_open(p);
    if (r == 0)
        r = p12_read(p);
    if (r != 0) {
        pkcs12_close(p);
        return r;
    }
    *ret_context = p;
    return 0;
}

static int pkcs12_list(void *context, const EonaySecret *secret, const EonayTokenVisitor *visitor) {
    return listing_visit(context, secret, visitor);
}

static int pkcs12_inspect(void *context, const char *token, const EonayTokenVisitor *visitor) {
    const P12 *p = context;

    if (strcmp(token, p->key) != 0)
        return fault_text(p, EONAY_ERROR_TOKEN_REMOVED, "this is another file");
    return listing_visit_token(p, visitor);
}

static int pkcs12_login(void *context, const EonayLogin *login) {
    return p12_login(context, login);
}

static int pkcs12_sign(void *context, const EonaySignRequest *request, uint8_t **ret_signature, size_t *ret_size) {
    return p12_sign(context, request, ret_signature, ret_size);
}

static void pkcs12_logout(void *context) {
    P12 *p = context;
    p->logged_in = false;
}

static const EonayTokenOps operations = {
    .struct_size = sizeof(operations),
    .open = pkcs12_open,
    .close = pkcs12_close,
    .list = pkcs12_list,
    .inspect = pkcs12_inspect,
    .login = pkcs12_login,
    .sign = pkcs12_sign,
    .logout = pkcs12_logout,
};

const EonayPlugin eonay_plugin = {
    .abi_major = EONAY_PLUGIN_ABI_MAJOR,
    .abi_minor = EONAY_PLUGIN_ABI_MINOR,
    .struct_size = sizeof(eonay_plugin),
    .kind = EONAY_PLUGIN_TOKEN,
    .name = "token-pkcs12",
    .version = EONAY_VERSION,
    .token = &operations,
};
