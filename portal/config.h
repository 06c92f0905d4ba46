/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration file: a key file (as GLib's) with the section [Portal], which is read here, and sections of the web
 * pages, which they read from `file` themselves. eonay-portal.conf(5) is the reference.
 */
#ifndef PORTAL_CONFIG_H
#define PORTAL_CONFIG_H

#include <glib.h>
#include <stdbool.h>

typedef struct Config {
    GKeyFile *file;
    char *listen;      /* "127.0.0.1:8443", "[::1]:8443", "unix:/run/…" */
    char *certificate; /* PEM files; NULL with plain HTTP */
    char *private_key;
    bool plain_http; /* on loopback or a unix socket, for a proxy in front */
    bool trusted_proxy;
    char *public_url; /* as browsers see it, without a slash at the end */
    char *name;
    char *database;
    char *key_file;
    char *anchors; /* ';' separated files */
    char *intermediates;
    char *revocation_lists;
    char *text_file;
    char *text_version;
    char *undertaking_version;
    char *ocsp_responder; /* for certificates that name none; NULL: nobody */
    int ocsp_seconds;     /* for an answer; 0: responders are not asked */
    char *crl_issuer;     /* the certificate in whose name revocation lists are published; NULL: none are */
    char *crl_key;        /* NULL: they are made elsewhere */
    char *crl_file;
    int crl_hours; /* from one list to its end */
    char *clients; /* file of registered clients; NULL: none */
    bool require_client;
    bool allow_repeats;
    int code_lifetime; /* seconds */
    int guesses_per_minute;
    int total_guesses_per_minute;
    int devices_per_minute; /* of one address */
    int workers;
    int connections_max;
    int connections_per_address;
} Config;

/* NULL with the reason in *ret_error (g_free) when the file is missing, damaged or has a bad or unknown key. */
Config *config_load(const char *path, char **ret_error);
Config *config_free(Config *c);

#endif
