/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request that has arrived whole, and the reply to it. Handlers run in a worker thread with that thread's Store;
 * they may wait for the records and nothing else: see request_wake(). What accessors return lives as long as the
 * request.
 */
#ifndef PORTAL_REQUEST_H
#define PORTAL_REQUEST_H

#include <glib.h>
#include <jansson.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

#include "eonay/plugin.h"
#include "language.h"
#include "store.h"

typedef struct Portal Portal;
typedef struct Request Request;
typedef struct Reply Reply;
typedef Reply *(*Handler)(Request *request);

#define REQUEST_HEADERS_MAX     16384u
#define REQUEST_BODY_MAX        4096u
#define REQUEST_SIGNATURES_MAX  (512u * 1024)
#define REQUEST_ARRIVAL_SECONDS 20

/* A row of api_routes (api.c) or web_routes (web.c); ends with a NULL method. "*" at the end of a path stands for one
 * more element, which request->element is then. Other methods of a known path get 405. */
typedef struct Route {
    const char *method; /* GET answers HEAD too */
    const char *path;
    Handler handler;
    size_t body_max;        /* 0: no body is taken */
    const char *media_type; /* of the body; another one gets 415; NULL: any */
} Route;
extern const Route api_routes[];
extern const Route web_routes[];

struct Request {
    Portal *portal;
    Store *store;
    const Route *route;
    const char *path;
    const char *element;
    const char *media_type; /* without parameters, lower case; "" when there is none */
    const uint8_t *body;
    size_t body_size;
    char address[64]; /* of the client, behind a trusted proxy too; "" on a unix socket without one */
    Language language;
    int64_t now;
    int64_t wait_until; /* a page that waits (code-watch.h): until when; 0: it has not begun to */
    unsigned asked;     /* how often it waited for a responder (responder.h) */
    /* private */
    void (*again)(Request *request);
    struct MHD_Connection *connection;
    GHashTable *form;
    char *host;
};

/*
 * A handler that has to wait for something outside of the records gives the request to somebody who will call this
 * once, from any thread, and returns NULL; it is then called again from its beginning, in any worker's thread. From the
 * moment it has given the request away it must not touch it.
 */
void request_wake(Request *request);

const char *request_header(const Request *r, const char *name);
const char *request_cookie(const Request *r, const char *name);
const char *request_query(const Request *r, const char *name);
/* A field of a body in application/x-www-form-urlencoded, decoded; NULL when missing, doubled or not UTF-8. */
const char *request_form(Request *r, const char *name);
/* The body as a JSON object, or NULL. The caller owns it. */
json_t *request_json(const Request *r);

/* Replies. Every one carries the headers of header_defaults in reply.c (no sniffing, no framing, no referrer …). */
Reply *reply_new(unsigned status, const char *media_type, const void *bytes, size_t size); /* copies */
Reply *reply_text(unsigned status, const char *media_type, const char *text);
/* Takes over the object. Cache-Control: no-store. */
Reply *reply_json(unsigned status, json_t *object);
Reply *reply_empty(unsigned status);
Reply *reply_redirect(const char *location); /* 303 */
void reply_header(Reply *reply, const char *name, const char *value);
Reply *reply_free(Reply *reply);

/* The problem+json of a documented condition (RFC 9457) with its status; for 429 and 503 with Retry-After. detail:
 * English, for developers, no personal data; NULL: none. */
Reply *problem_reply(const Request *r, EonayError error, const char *detail);
/* The same with another status (0: the error's own), and the seconds to wait (0: the error's own). */
Reply *problem_reply_full(Language language, EonayError error, unsigned status, unsigned retry_after,
                          const char *detail);
const char *error_name(EonayError error);
const char *error_text(EonayError error);
const char *error_hint(EonayError error);

/* For server.c. */
struct MHD_Response *reply_response(const Reply *reply);
unsigned reply_status(const Reply *reply);

#endif
