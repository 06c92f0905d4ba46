/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTPS requests to the one authority. Any number of threads may each have one under way; a thread of our own drives
 * them all (curl_multi), so they share connections, and with HTTP/2 one connection carries all of them.
 */
#ifndef CA_REST_TRANSFER_H
#define CA_REST_TRANSFER_H

#include <stddef.h>
#include <stdint.h>

#include "eonay/plugin.h"
#include "settings.h"

#define ANSWER_SIZE_MAX  (4u << 20) /* 16 texts of 64 KiB in base64, and room */
#define RETRY_AFTER_MAX  3600u      /* seconds */
#define TRANSFER_HEADERS 4

typedef struct Request {
    const char *method; /* "GET", "POST", "DELETE" */
    const char *path;   /* "/v1/…" */
    const char *content_type;
    const char *body; /* NULL: none */
    size_t body_size;
    const char *headers[TRANSFER_HEADERS]; /* whole lines; NULL ends */
} Request;

typedef struct Answer {
    long status;          /* of HTTP */
    uint32_t retry_after; /* seconds, 0: not said */
    char content_type[128];
    char *body; /* ends with NUL */
    size_t size;
} Answer;

typedef struct Transfers Transfers;

/* settings stay the caller's and must live as long. */
int transfers_new(const EonayHost *host, const Settings *settings, Transfers **ret);
/* No request may be under way. */
Transfers *transfers_free(Transfers *t);

/*
 * Makes the request and waits at most until `deadline` (of transfer_deadline()). 0: an answer came, whatever its
 * status. Errors: BACKEND_UNREACHABLE, BACKEND_UNTRUSTED, BACKEND_PROTOCOL, FILE_INVALID, PLUGIN_FAILED.
 */
int transfer_run(Transfers *t, const Request *request, uint64_t deadline, Answer *ret);
/* When a call that begins now has to be over: milliseconds of CLOCK_MONOTONIC. */
uint64_t transfer_deadline(const Transfers *t);
/* Erases the body. */
void answer_clear(Answer *a);

#endif
