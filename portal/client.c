/* SPDX-License-Identifier: Apache-2.0 */
#include "client.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "log.h"

typedef struct Client {
    char name[CLIENT_NAME_MAX + 1];
    uint8_t hash[32];
} Client;

struct Clients {
    Client all[CLIENTS_MAX];
    size_t n;
};

static bool read_hash(const char *hex, uint8_t ret[32]) {
    if (strlen(hex) != 64 || strspn(hex, "0123456789abcdef") != 64)
        return false;
    for (size_t i = 0; i < 32; i++)
        ret[i] = (uint8_t)(g_ascii_xdigit_value(hex[2 * i]) << 4 | g_ascii_xdigit_value(hex[2 * i + 1]));
    return true;
}

static bool read_line(Clients *c, const char *line) {
    char name[CLIENT_NAME_MAX + 1], hex[66], rest = 0;

    if (*line == '\0' || *line == '#')
        return true;
    if (sscanf(line, "%64s %65s %c", name, hex, &rest) != 2 || c->n >= CLIENTS_MAX ||
        !read_hash(hex, c->all[c->n].hash))
        return false;
    memcpy(c->all[c->n++].name, name, sizeof name);
    return true;
}

int clients_new(const char *path, Clients **ret) {
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    Clients *c = NULL;

    if (!path)
        return *ret = NULL, 0;
    if (!g_file_get_contents(path, &text, NULL, &error)) {
        log_error("Clients=: %s", error->message);
        return -EINVAL;
    }
    c = g_new0(Clients, 1);
    lines = g_strsplit(text, "\n", -1);
    for (size_t i = 0; lines[i]; i++)
        if (!read_line(c, g_strstrip(lines[i]))) {
            log_error("Clients=%s: line %zu must be NAME and the SHA-256 of its key in hex", path, i + 1);
            return clients_free(c), -EINVAL;
        }
    *ret = c;
    return 0;
}

Clients *clients_free(Clients *c) {
    g_free(c);
    return NULL;
}

static const char *find(const Clients *c, const char *key) {
    uint8_t hash[EVP_MAX_MD_SIZE];
    const char *name = NULL;

    if (!c || EVP_Digest(key, strlen(key), hash, NULL, EVP_sha256(), NULL) != 1)
        return NULL;
    for (size_t i = 0; i < c->n; i++)
        if (CRYPTO_memcmp(c->all[i].hash, hash, 32) == 0)
            name = c->all[i].name;
    return name;
}

int client_identify(const Request *r, bool needed, const char **ret_name) {
    const char *header = request_header(r, MHD_HTTP_HEADER_AUTHORIZATION);

    *ret_name = NULL;
    if (!header)
        return needed ? EONAY_ERROR_BACKEND_REJECTED : 0;
    if (g_ascii_strncasecmp(header, "Bearer ", 7) == 0)
        *ret_name = find(r->portal->clients, header + 7);
    return *ret_name ? 0 : EONAY_ERROR_BACKEND_REJECTED;
}

Reply *client_refusal(const Request *r) {
    Reply *reply =
        problem_reply_full(r->language, EONAY_ERROR_BACKEND_REJECTED, 401, 0, "a registered client's key is needed");

    reply_header(reply, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer realm=\"eonay-portal\"");
    return reply;
}
