/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of this instance's section, checked and completed. README.md describes them. */
#ifndef CA_REST_SETTINGS_H
#define CA_REST_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "credential.h"
#include "eonay/plugin.h"

typedef struct Settings {
    char *url;                      /* https://host[:port][/path], without a '/' at the end */
    const char *client_id;          /* the program's name in the browser */
    const char *ca_file;            /* PEM; NULL: the system's authorities */
    const char *pinned_key;         /* sha256//…[;sha256//…]; NULL: none */
    const char *client_certificate; /* PEM; NULL: none */
    const char *proxy, *no_proxy;   /* proxy "": none */
    uint32_t timeout_ms;            /* one call, its repeats included */
    uint32_t connect_timeout_ms;    /* one connection */
    Credential api_key;             /* bearer token */
    Credential client_key;          /* PEM, belongs to client_certificate */
    Credential proxy_login;         /* user:password */
} Settings;

/* Errors: PLUGIN_FAILED for a bad value, FILE_INVALID for a credential or file that is none. */
int settings_read(const EonayHost *host, Settings *ret);
void settings_clear(Settings *s);

#endif
