/* SPDX-License-Identifier: Apache-2.0 */
/* Transfers by the fetch host, the one process with a network for what stands behind signatures. Many at once. */
#ifndef EONAY_FETCH_H
#define EONAY_FETCH_H

#include "fault.h"
#include "manager.h"

typedef struct Fetcher Fetcher;
typedef struct FetchCall FetchCall;

typedef struct FetchRequest {
    const char *url;
    const char *content_type; /* NULL: GET */
    const void *body;
    size_t body_size;
    uint32_t size_max;
    const char *identity; /* a credential's name, or NULL */
    const uint8_t *imprint;
    size_t imprint_size;
    bool configured; /* by the administrator: the address may lead into the own network */
} FetchRequest;

/* fault->code 0: the body of an answer with status 200. Called once, later than fetch_start() returns. */
typedef void (*FetchHandler)(const Fault *fault, const void *body, size_t size, void *userdata);

Fetcher *fetcher_new(Manager *m);
Fetcher *fetcher_free(Fetcher *f);
/* Positive: an EonayError, why it cannot begin. */
int fetch_start(Fetcher *f, const FetchRequest *request, FetchHandler handler, void *userdata, FetchCall **ret);
/* The handler will not be called any more; NULL is fine. Returns NULL. */
FetchCall *fetch_forget(FetchCall *call);

#endif
