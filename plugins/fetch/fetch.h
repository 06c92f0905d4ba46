/* SPDX-License-Identifier: Apache-2.0 */
/* Inside this plugin: the settings of the instance, one transfer, and what is around it. */
#ifndef EONAY_FETCH_H
#define EONAY_FETCH_H

#include <curl/curl.h>
#include <pthread.h>
#include <sys/socket.h>

#include "eonay/plugin.h"

#define HANDLES_MAX   16 /* as many as the host has threads */
#define REDIRECTS_MAX 3L

typedef struct Fetch {
    const EonayHost *host;
    const char *ca_file; /* NULL: the system's */
    const char *proxy;   /* "": none */
    bool internal;       /* certificates may point into the own network */
    pthread_mutex_t lock;
    CURL *idle[HANDLES_MAX]; /* with their open connections */
    size_t n_idle;
} Fetch;

/* plugin.c: records why, returns the code. */
int fetch_fault(const Fetch *f, EonayError code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* transfer.c */
int transfer_run(Fetch *f, const EonayFetchRequest *request, EonayFetched *ret);

/* address.c: whether an address is out in the world, or one that only this machine or its own network has. */
bool address_is_public(const struct sockaddr *address);

/*
 * identity.c: the header line "identity: HEX" that a Kamu SM time-stamp account wants: user number, salt, iterations,
 * vector, and the imprint under AES-256-CBC with a key from the password (PBKDF2). credential names a file in
 * $CREDENTIALS_DIRECTORY with one line "NUMBER:PASSWORD". free() it. Errors: FILE_INVALID, PLUGIN_FAILED.
 */
int identity_header(const Fetch *f, const char *credential, const uint8_t *imprint, size_t imprint_size, char **ret);

#endif
