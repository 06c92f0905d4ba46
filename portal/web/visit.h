/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request by a browser: who it is, in what language, and whether a form was really sent from a page of ours. A page
 * is a function from a visit to a reply; visit_run() stands before each of them, and nothing reaches a page that it did
 * not let through.
 */
#ifndef EONAY_PORTAL_VISIT_H
#define EONAY_PORTAL_VISIT_H

#include "html.h"
#include "web.h"

typedef enum VisitFor {
    FOR_ANYONE,
    FOR_CITIZEN,  /* logged in */
    FOR_OPERATOR, /* logged in, and an operator; others are told that there is no such page */
} VisitFor;

typedef struct Visit {
    Request *request;
    const Web *web;
    Store *store;
    Language language;
    bool language_chosen; /* by ?dil=, to be remembered */
    char token[SESSION_TOKEN_SIZE];
    Session session; /* account is "" when nobody is logged in */
    int64_t now;
} Visit;

/* NULL: the request waits (request_wake()). */
typedef Reply *(*Page)(Visit *visit);
/* Every web route's handler is this and no more. */
Reply *visit_run(Request *request, VisitFor whom, Page page);

/* Texts of a page: the visit is called v there. */
#define _(s) language_text(v->language, (s))

static inline bool visit_logged_in(const Visit *v) {
    return *v->session.account != '\0';
}
/* The trimmed field of a form, "" when it is missing. */
const char *visit_field(Visit *v, const char *name);
/* A line of the audit. what: "login", "certificate-revoked" … detail: English, nothing personal. */
void visit_audit(Visit *v, const char *what, const char *detail);
/* The login's key in the records of codes: secret_hash(…, "account", …). */
void visit_account_key(const Visit *v, uint8_t ret[SECRET_HASH_SIZE]);

/*
 * At most GuessesPerMinute= acts of a kind ("login", "code-page" …) within a minute from one address, and of one
 * account: counts this one. Errors: RATE_LIMITED, STORAGE_FAILED.
 */
int visit_rate(Visit *v, const char *kind);
/* The same without counting. */
int visit_rate_look(Visit *v, const char *kind);

#define COOKIE_SESSION  "__Host-oturum"
#define COOKIE_LOGIN    "__Host-giris"
#define COOKIE_LANGUAGE "__Host-dil"
#define COOKIE_DEVICE   "__Host-cihaz"
/* value NULL: forget it. seconds 0: until the browser is closed. */
void visit_cookie(Reply *reply, const char *name, const char *value, int seconds);

#endif
