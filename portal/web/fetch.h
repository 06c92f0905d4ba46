/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request to an identity provider: HTTPS only, no redirects, bounded in time and size, certificates checked.
 * Blocks; may be called from several threads.
 */
#ifndef EONAY_PORTAL_FETCH_H
#define EONAY_PORTAL_FETCH_H

#include <glib.h>
#include <jansson.h>

#define FETCH_SECONDS_MAX 10
#define FETCH_BYTES_MAX   (256 * 1024)

typedef struct FetchRequest {
    const char *url;
    const char *ca_file;  /* NULL: the system's */
    const char *form;     /* NULL: GET, else the body of a POST */
    const char *user;     /* HTTP Basic, already form-encoded (RFC 6749 section 2.3.1); NULL: none */
    const char *password; /* with user */
    const char *bearer;   /* NULL: none */
} FetchRequest;

/* What went wrong, for the log only: it may name hosts, never a token or a person. */
typedef struct FetchFault {
    char text[200];
} FetchFault;

/* A JSON object or array, whatever the status (an OAuth error is a 400 with a body). NULL with a fault when there is
 * none. *ret_status may be NULL. */
json_t *fetch_json(const FetchRequest *request, long *ret_status, FetchFault *fault);

#endif
