/* SPDX-License-Identifier: Apache-2.0 */
/* The plugin's face: the table of operations, and the life of its one context. See README.md. */
#include "eonay/plugin.h"

#include <openssl/crypto.h>

#include "fence.h"
#include "key.h"
#include "listing.h"
#include "module.h"
#include "session.h"

static void pkcs11_close(void *context) {
    Pkcs11 *c = context;

    if (!c)
        return;
    if (c->f)
        session_logout(c);
    key_close(c);
    fence_close(c);
    module_close(c);
    free(c);
}

static int pkcs11_open(const EonayHost *host, void **ret_context) {
    /* libcrypto reads no openssl.cnf here: it could name an engine or provider to load next to the PIN. */
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);

    Pkcs11 *c = calloc(1, sizeof(*c));
    if (!c)
        return -ENOMEM;
    c->host = host;
    int r = module_open(c);
    if (r == 0)
        r = fence_open(c);
    if (r != 0) {
        pkcs11_close(c);
        return r;
    }
    *ret_context = c;
    return 0;
}

static int pkcs11_list(void *context, const EonaySecret *secret, const EonayTokenVisitor *visitor) {
    (void)secret; /* certificates are public objects */
    return listing_visit(context, visitor);
}

static int pkcs11_inspect(void *context, const char *key, const EonayTokenVisitor *visitor) {
    Token token;

    int r = token_find(context, key, &token);
    return r != 0 ? r : token_visit(context, &token, NULL, visitor);
}

static int pkcs11_login(void *context, const EonayLogin *login) {
    return session_login(context, login);
}

static int pkcs11_sign(void *context, const EonaySignRequest *request, uint8_t **ret_signature, size_t *ret_size) {
    return session_sign(context, request, ret_signature, ret_size);
}

static void pkcs11_logout(void *context) {
    session_logout(context);
}

static int pkcs11_change_pin(void *context, const char *token, const EonaySecret *old_pin, const EonaySecret *new_pin) {
    return session_change_pin(context, token, old_pin, new_pin);
}

static int pkcs11_unblock_pin(void *context, const char *token, const EonaySecret *puk, const EonaySecret *new_pin) {
    return session_unblock_pin(context, token, puk, new_pin);
}

static const EonayTokenOps operations = {
    .struct_size = sizeof(operations),
    .open = pkcs11_open,
    .close = pkcs11_close,
    .list = pkcs11_list,
    .inspect = pkcs11_inspect,
    .login = pkcs11_login,
    .sign = pkcs11_sign,
    .logout = pkcs11_logout,
    .change_pin = pkcs11_change_pin,
    .unblock_pin = pkcs11_unblock_pin,
};

const EonayPlugin eonay_plugin = {
    .abi_major = EONAY_PLUGIN_ABI_MAJOR,
    .abi_minor = EONAY_PLUGIN_ABI_MINOR,
    .struct_size = sizeof(eonay_plugin),
    .kind = EONAY_PLUGIN_TOKEN,
    .name = "token-pkcs11",
    .version = EONAY_VERSION,
    .token = &operations,
};
