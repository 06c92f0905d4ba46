/* SPDX-License-Identifier: Apache-2.0 */
/* Who may see what, and which forms count. The order: language, login, right, origin, token, page. */
#include "visit.h"

#include <string.h>

#include "../audit.h"
#include "../guess.h"
#include "page.h"

#define LANGUAGE_SECONDS (365 * 24 * 3600)

void visit_cookie(Reply *reply, const char *name, const char *value, int seconds) {
    g_autofree char *age = !value        ? g_strdup("; Max-Age=0")
                           : seconds > 0 ? g_strdup_printf("; Max-Age=%d", seconds)
                                         : g_strdup("");
    g_autofree char *cookie =
        g_strdup_printf("%s=%s; Path=/; Secure; HttpOnly; SameSite=Lax%s", name, value ? value : "", age);

    reply_header(reply, "Set-Cookie", cookie);
}

const char *visit_field(Visit *v, const char *name) {
    const char *value = request_form(v->request, name);

    return value ? g_strstrip((char *)value) : "";
}

typedef struct AuditWork {
    Visit *visit;
    AuditEvent event;
} AuditWork;

static int audit_work(Store *store, void *data) {
    AuditWork *w = data;

    return audit_add(w->visit->request->portal, store, &w->event, w->visit->now);
}

void visit_audit(Visit *v, const char *what, const char *detail) {
    AuditWork work = {.visit = v,
                      .event = {.action = what,
                                .subject = visit_logged_in(v) ? v->session.account : NULL,
                                .address = v->request->address,
                                .detail = detail}};

    (void)store_write(v->store, audit_work, &work);
}

void visit_account_key(const Visit *v, uint8_t ret[SECRET_HASH_SIZE]) {
    secret_hash(&v->request->portal->secret, "account", v->session.account, ret);
}

typedef struct RateWork {
    Visit *visit;
    Guesser who;
    bool count;
    unsigned retry_after;
    int result;
} RateWork;

static int rate_work(Store *store, void *data) {
    RateWork *w = data;
    Portal *portal = w->visit->request->portal;
    int r = guess_allowed(portal, store, &w->who, w->visit->now, &w->retry_after);

    w->result = r == EONAY_ERROR_RATE_LIMITED ? r : 0;
    if (r != 0 || !w->count)
        return w->result ? 0 : r;
    return guess_failed(portal, store, &w->who, w->visit->now);
}

static int rate(Visit *v, const char *kind, bool count) {
    uint8_t account[SECRET_HASH_SIZE];
    RateWork work = {.visit = v, .who = {.kind = kind, .address = v->request->address}, .count = count};
    int r = 0;

    if (visit_logged_in(v)) {
        visit_account_key(v, account);
        work.who.account = account;
    }
    /* Looking holds the rows that count, so it is a write as well. */
    r = store_write(v->store, rate_work, &work);
    return r != 0 ? r : work.result;
}

int visit_rate(Visit *v, const char *kind) {
    return rate(v, kind, true);
}

int visit_rate_look(Visit *v, const char *kind) {
    return rate(v, kind, false);
}

static bool language_parse(const char *text, Language *ret) {
    if (g_strcmp0(text, "tr") != 0 && g_strcmp0(text, "en") != 0)
        return false;
    *ret = *text == 't' ? LANGUAGE_TR : LANGUAGE_EN;
    return true;
}

/* The choice on this page, else an earlier one, else what the browser prefers; Turkish where nothing is said. */
static void find_language(Visit *v) {
    v->language = v->request->language;
    v->language_chosen = language_parse(request_query(v->request, "dil"), &v->language);
    if (!v->language_chosen)
        (void)language_parse(request_cookie(v->request, COOKIE_LANGUAGE), &v->language);
}

static int find_session(Visit *v) {
    const char *token = request_cookie(v->request, COOKIE_SESSION);
    int r = token ? session_find(v->store, token, &v->web->limits, v->now, &v->session) : EONAY_ERROR_NOT_FOUND;

    if (r == 0)
        g_strlcpy(v->token, token, sizeof v->token);
    return r == EONAY_ERROR_NOT_FOUND ? 0 : r;
}

/* A form must come from a page of ours. Browsers say so themselves; a value they send must be right, and whoever is
 * logged in brings the session's token as well. */
static bool form_is_ours(Visit *v) {
    const char *site = request_header(v->request, "Sec-Fetch-Site");
    const char *origin = request_header(v->request, "Origin");

    if (site && strcmp(site, "same-origin") != 0)
        return false;
    if (origin && strcmp(origin, v->request->portal->config->public_url) != 0)
        return false;
    return !visit_logged_in(v) || session_csrf_valid(v->token, request_form(v->request, "csrf"));
}

static Reply *login_first(Visit *v) {
    const char *accept = request_header(v->request, "Accept");

    if (accept && strncmp(accept, "application/json", strlen("application/json")) == 0)
        return reply_json(401, json_pack("{s:s}", "state", "logged-out"));
    return reply_redirect("/giris");
}

static Reply *admitted(Visit *v, VisitFor whom, Page page) {
    if (whom != FOR_ANYONE && !visit_logged_in(v))
        return login_first(v);
    if (whom == FOR_OPERATOR && !v->session.is_operator)
        return page_not_found(v);
    if (strcmp(v->request->route->method, "POST") == 0 && !form_is_ours(v)) {
        visit_audit(v, "form-refused", NULL);
        return page_message(
            v, 403, NOTICE_BAD, _("This form was not accepted"),
            _("It did not come from a page of this session. Open the page again and send it from there."),
            visit_logged_in(v) ? "/islemler" : "/", _("Back"));
    }
    return page(v);
}

Reply *visit_run(Request *request, VisitFor whom, Page page) {
    Visit visit = {.request = request, .web = request->portal->web, .store = request->store, .now = request->now};
    Visit *v = &visit;
    Reply *reply = NULL;
    int r = 0;

    find_language(v);
    r = find_session(v);
    reply = r == 0 ? admitted(v, whom, page) : page_error(v, (EonayError)r);
    if (reply && v->language_chosen)
        visit_cookie(reply, COOKIE_LANGUAGE, language_code(v->language), LANGUAGE_SECONDS);
    explicit_bzero(v->token, sizeof v->token);
    return reply;
}
