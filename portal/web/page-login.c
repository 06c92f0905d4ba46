/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Figures 2 and 3: choosing how to prove who one is, leaving for the provider, coming back, and leaving for good. The
 * provider's own page is figure 3. The redirect target after login is always our own menu, never something a request
 * names.
 */
#include <string.h>

#include "../log.h"
#include "page.h"
#include "pages.h"

#define RATE_LOGIN "login" /* failed ones count */

static const char *provider_label(const Visit *v, const LoginProvider *p) {
    if (p->label)
        return p->label;
    return p->kind == LOGIN_EDEVLET ? _("Log in with e-Devlet") : _("Log in with OpenID Connect");
}

static Reply *show_choice(Visit *v) {
    GString *p = NULL;

    if (visit_logged_in(v))
        return reply_redirect("/islemler");
    p = page_begin(v, _("Central authentication"), TRAIL({"/", _("Start")}));
    for (size_t i = 0; i < v->web->n_providers; i++) {
        const LoginProvider *provider = v->web->providers[i];

        html_print(
            p,
            "<section class=\"panel narrow\"><h2>%s</h2><p>%s</p><p><a class=\"button\" href=\"/giris/%s\">%s</a>"
            "</p></section>",
            provider->kind == LOGIN_EDEVLET ? _("e-Devlet") : provider_label(v, provider),
            provider->kind == LOGIN_EDEVLET
                ? _("To prove who you are you go to e-Devlet Kapısı. Press the button below to go there.")
                : _("To prove who you are you go to the identity provider. Press the button below to go there."),
            provider->id, provider_label(v, provider));
    }
    if (v->web->n_providers == 0)
        page_notice(p, NOTICE_BAD, _("No way to log in is configured."));
    page_notice(
        p, NOTICE_PLAIN,
        _("Your password is asked for there and never here. We receive your T.C. identity number and your name."));
    return page_end(v, p, 200);
}

Reply *page_login_choice(Request *request) {
    return visit_run(request, FOR_ANYONE, show_choice);
}

static Reply *busy(Visit *v) {
    Reply *reply = page_message(v, 503, NOTICE_WARN, _("Please try again in a moment"),
                                _("Many people are logging in just now."), "/giris", _("Try again"));

    reply_header(reply, "Retry-After", "5");
    return reply;
}

/* Waiting for a provider takes a worker; some must remain for everybody else. */
static bool take_turn(Visit *v) {
    Web *web = v->request->portal->web;

    if (g_atomic_int_add(&web->logins_running, 1) < web->logins_at_once)
        return true;
    g_atomic_int_add(&web->logins_running, -1);
    return false;
}

static void end_turn(Visit *v) {
    g_atomic_int_add(&((Web *)v->request->portal->web)->logins_running, -1);
}

static Reply *leave(Visit *v) {
    const LoginProvider *provider = web_provider(v->web, v->request->element);
    char secret[LOGIN_SECRET_SIZE];
    g_autofree char *url = NULL;
    LoginFault fault = {0};
    Reply *reply = NULL;
    int r = 0;

    if (!provider)
        return page_not_found(v);
    if ((r = visit_rate_look(v, RATE_LOGIN)) != 0)
        return page_error(v, (EonayError)r);
    if (!take_turn(v))
        return busy(v);
    login_secret_make(secret);
    url = login_begin(provider, secret, language_code(v->language), &fault);
    end_turn(v);
    if (!url) {
        log_warning("login %s: %s", provider->id, fault.text);
        return page_message(v, 502, NOTICE_BAD, _("Login is not possible just now"),
                            _("The identity provider does not answer. Please try again later."), "/giris", _("Back"));
    }
    reply = reply_redirect(url);
    visit_cookie(reply, COOKIE_LOGIN, secret, LOGIN_SECONDS_MAX);
    explicit_bzero(secret, sizeof secret);
    return reply;
}

Reply *page_login_leave(Request *request) {
    return visit_run(request, FOR_ANYONE, leave);
}

static const char *failure_text(const Visit *v, LoginResult result) {
    switch (result) {
    case LOGIN_DENIED:
        return _("The login was given up or refused at the identity provider.");
    case LOGIN_UNREACHABLE:
        return _("The identity provider does not answer. Please try again later.");
    case LOGIN_NO_NUMBER:
        return _(
            "The identity provider did not tell a valid T.C. identity number, without which nothing can be done here.");
    default:
        return _("The answer of the identity provider does not belong to this browser's login, or it came too late.");
    }
}

static Reply *failed(Visit *v, const LoginProvider *provider, LoginResult result, const LoginFault *fault) {
    Reply *reply = page_message(v, result == LOGIN_UNREACHABLE ? 502 : 403, NOTICE_BAD, _("You are not logged in"),
                                failure_text(v, result), "/giris", _("Try again"));

    (void)visit_rate(v, RATE_LOGIN);
    log_info("login %s failed: %s", provider->id, fault->text);
    visit_audit(v, "login-failed", fault->text);
    visit_cookie(reply, COOKIE_LOGIN, NULL, 0);
    return reply;
}

static Reply *welcome(Visit *v, const LoginProvider *provider, const LoginIdentity *identity) {
    char token[SESSION_TOKEN_SIZE];
    Reply *reply = NULL;
    int r = 0;

    if (visit_logged_in(v))
        (void)session_end(v->store, v->token);
    r = session_open(v->store, identity, &v->web->limits, v->now, token, &v->session);
    if (r != 0)
        return page_error(v, (EonayError)r);
    visit_audit(v, "login", provider->id);
    reply = reply_redirect(request_cookie(v->request, COOKIE_DEVICE) ? "/device" : "/islemler");
    visit_cookie(reply, COOKIE_SESSION, token, 0);
    visit_cookie(reply, COOKIE_LOGIN, NULL, 0);
    explicit_bzero(token, sizeof token);
    return reply;
}

static Reply *come_back(Visit *v) {
    const LoginProvider *provider = web_provider(v->web, v->request->element);
    LoginAnswer answer = {.state = request_query(v->request, "state"),
                          .code = request_query(v->request, "code"),
                          .error = request_query(v->request, "error"),
                          .issuer = request_query(v->request, "iss")};
    LoginIdentity identity = {0};
    LoginFault fault = {0};
    LoginResult result = LOGIN_OK;
    int r = 0;

    if (!provider)
        return page_not_found(v);
    if ((r = visit_rate_look(v, RATE_LOGIN)) != 0)
        return page_error(v, (EonayError)r);
    if (!take_turn(v))
        return busy(v);
    result = login_finish(provider, request_cookie(v->request, COOKIE_LOGIN), &answer, &identity, &fault);
    end_turn(v);
    return result == LOGIN_OK ? welcome(v, provider, &identity) : failed(v, provider, result, &fault);
}

Reply *page_login_return(Request *request) {
    return visit_run(request, FOR_ANYONE, come_back);
}

static Reply *log_out(Visit *v) {
    Reply *reply = NULL;

    if (visit_logged_in(v)) {
        int r = session_end(v->store, v->token);

        if (r != 0)
            return page_error(v, (EonayError)r);
        visit_audit(v, "logout", NULL);
    }
    reply = reply_redirect("/");
    visit_cookie(reply, COOKIE_SESSION, NULL, 0);
    reply_header(reply, "Clear-Site-Data", "\"cache\", \"storage\"");
    return reply;
}

Reply *page_logout(Request *request) {
    return visit_run(request, FOR_ANYONE, log_out);
}
