/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Figure 7: instructions, the code, its remaining time, and what becomes of it. The script asks for the
 * state, gets the answer when there is another one, and goes on by itself; without it there is a link to look again.
 * "Tekrar Kod Al" replaces the code.
 */
#include <string.h>

#include "../clock.h"
#include "../code-watch.h"
#include "flow.h"
#include "page.h"
#include "pages.h"

static const char *progress_name(CodeProgress progress) {
    static const char *const names[] = {
        [CODE_PROGRESS_WAITING] = "waiting",     [CODE_PROGRESS_OPENED] = "opened",
        [CODE_PROGRESS_DONE] = "done",           [CODE_PROGRESS_EXPIRED] = "expired",
        [CODE_PROGRESS_CANCELLED] = "cancelled", [CODE_PROGRESS_SUPERSEDED] = "superseded",
    };

    return (size_t)progress < G_N_ELEMENTS(names) ? names[progress] : "expired";
}

static void steps(const Visit *v, GString *p, const Flow *flow) {
    html_print(p, "<ol class=\"steps\">");
    html_print(p, "<li>%s <a href=\"%s\">%s</a></li>", _("You need the signature program on this computer."),
               v->web->application_url ? v->web->application_url : "/bilgi/uygulama", _("Click here to get it."));
    html_print(p, "<li>%s <a href=\"/bilgi/destek\">%s</a></li>",
               _("If you have trouble installing or starting the signature program:"), _("see this page."));
    html_print(p, "<li>%s</li>", _("Insert the card that holds your e-signature certificate into this computer."));
    html_print(p, "<li>%s</li>", _("Open the signature program."));
    html_print(p, "<li>%s</li>", _("Copy the verification code below and enter it in the signature program."));
    html_print(p, "<li>%s</li>", _(flow->act));
    html_print(
        p, "<li><strong>%s</strong></li></ol>",
        _("Use this verification code in the signature program only. It is not a PUK: never enter it as a PUK in a "
          "program for cards."));
}

static void again_form(const Visit *v, GString *p, const Flow *flow) {
    html_print(p, "<form method=\"post\" action=\"/kod/%s\">", flow->name);
    page_csrf(v, p);
    html_print(p, "<button class=\"plain\">%s</button></form>", _("Get a new code"));
}

static long long seconds_left(const Visit *v, const FlowCode *code) {
    int64_t left = code->status.expires_at - v->now;

    return left > 0 ? (left + SECOND_USEC - 1) / SECOND_USEC : 0;
}

static void live_box(const Visit *v, GString *p, const Flow *flow, const FlowCode *code) {
    long long left = seconds_left(v, code);
    bool opened = code->status.progress == CODE_PROGRESS_OPENED;
    g_autofree char *left_text = g_strdup_printf(_("Remaining time: %lld seconds"), left);

    html_print(p,
               "<section class=\"panel code\" aria-labelledby=\"kod-baslik\" data-seconds=\"%lld\" "
               "data-left-text=\"%s\" data-watch=\"/durum/%s\" data-state=\"%s\" data-next=\"/kod/%s\" "
               "data-copied-text=\"%s\" data-copy-failed-text=\"%s\" data-code=\"%s\">"
               "<h2 id=\"kod-baslik\">%s</h2>",
               left, _("Remaining time: {n} seconds"), flow->name, progress_name(code->status.progress), flow->name,
               _("The code was copied."), _("The code could not be copied; select it and copy it by hand."),
               opened ? "" : code->digits, _("Verification code"));
    if (opened)
        html_print(p, "<p class=\"left\">%s</p>", _(flow->opened));
    else if (*code->digits)
        html_print(p, "<output class=\"digits\" id=\"kod\">%s</output>", code->digits);
    else
        html_print(p, "<p>%s</p>", _("The code is shown only where it was asked for. Get a new one to go on here."));
    html_print(p,
               "<p class=\"left\" role=\"timer\" data-left>%s</p><progress max=\"%d\" value=\"%lld\" aria-label=\"%s\">"
               "</progress><p class=\"unseen\" role=\"status\" data-say></p><div class=\"actions\">",
               left_text, v->request->portal->config->code_lifetime, left, _("Remaining time"));
    if (!opened && *code->digits)
        html_print(p, "<button type=\"button\" data-copy hidden>%s</button>", _("Copy the code"));
    again_form(v, p, flow);
    html_print(p, "<a href=\"/kod/%s\">%s</a></div></section>", flow->name, _("Look again whether it is signed"));
}

static const char *over_text(const Visit *v, CodeProgress progress) {
    switch (progress) {
    case CODE_PROGRESS_CANCELLED:
        return _("The signature program gave the operation up. Nothing was signed.");
    case CODE_PROGRESS_SUPERSEDED:
        return _("A newer code has taken the place of this one.");
    default:
        return _("The time of the code is over. Nothing was signed.");
    }
}

static Reply *show_code(Visit *v) {
    const Flow *flow = flow_find(v->request->element);
    FlowCode code = {0};
    GString *p = NULL;
    int r = flow ? flow_code(v, flow, &code) : EONAY_ERROR_NOT_FOUND;

    if (!flow)
        return page_not_found(v);
    if (r == EONAY_ERROR_NOT_FOUND)
        return reply_redirect(flow->back);
    if (r != 0)
        return page_error(v, (EonayError)r);
    if (code.status.progress == CODE_PROGRESS_DONE)
        return reply_redirect(flow->done);
    p = page_begin(v, _(flow->title), TRAIL(TRAIL_NES));
    if (code.status.progress == CODE_PROGRESS_WAITING || code.status.progress == CODE_PROGRESS_OPENED) {
        page_notice(p, NOTICE_WARN, _("Do not close this page while you are signing."));
        html_print(p, "<div class=\"panel\">");
        steps(v, p, flow);
        html_print(p, "</div>");
        live_box(v, p, flow, &code);
    } else {
        page_notice(p, NOTICE_BAD, over_text(v, code.status.progress));
        html_print(p, "<div class=\"actions\">");
        again_form(v, p, flow);
        html_print(p, "</div>");
    }
    explicit_bzero(code.digits, sizeof code.digits);
    return page_end(v, p, 200);
}

Reply *page_code(Request *request) {
    return visit_run(request, FOR_CITIZEN, show_code);
}

/* A new code needs what the first one needed: a text accepted before. */
static Reply *get_again(Visit *v) {
    const Flow *flow = flow_find(v->request->element);
    FlowCode code = {0};
    g_autofree char *path = NULL;
    int r = flow ? flow_code(v, flow, &code) : EONAY_ERROR_NOT_FOUND;

    explicit_bzero(code.digits, sizeof code.digits);
    if (!flow)
        return page_not_found(v);
    if (r == EONAY_ERROR_NOT_FOUND)
        return reply_redirect(flow->back);
    if (r == 0 && code.status.progress == CODE_PROGRESS_DONE)
        return reply_redirect(flow->done);
    if (r != 0 || (r = flow_begin(v, flow)) != 0)
        return page_error(v, (EonayError)r);
    path = g_strconcat("/kod/", flow->name, NULL);
    return reply_redirect(path);
}

Reply *page_code_again(Request *request) {
    return visit_run(request, FOR_CITIZEN, get_again);
}

/* Seconds of "Prefer: wait=N" (RFC 7240 section 4.3) for whoever says what he knows; 0: an answer now. */
static int64_t patience(const Visit *v, const char *state) {
    const char *known = request_query(v->request, "durum");
    const char *prefer = request_header(v->request, "Prefer");
    gint64 seconds = 0;

    if (g_strcmp0(known, state) != 0 || !prefer || strncmp(prefer, "wait=", strlen("wait=")) != 0 ||
        !g_ascii_string_to_signed(prefer + strlen("wait="), 10, 1, CODE_WATCH_SECONDS_MAX, &seconds, NULL))
        return 0;
    return seconds;
}

/* Whether the answer is given later: while nothing has changed and the time is not over. */
static bool waits(const Visit *v, const FlowCode *code) {
    Request *request = v->request;
    const int64_t seconds = patience(v, progress_name(code->status.progress));

    if (request->wait_until == 0)
        request->wait_until = v->now + seconds * SECOND_USEC;
    return seconds > 0 && v->now < request->wait_until &&
           code_watch_wait(request->portal->watch, request, code->id, code->status.progress, request->wait_until);
}

static Reply *tell_state(Visit *v) {
    const Flow *flow = flow_find(v->request->element);
    FlowCode code = {0};
    int r = flow ? flow_code(v, flow, &code) : EONAY_ERROR_NOT_FOUND;

    explicit_bzero(code.digits, sizeof code.digits);
    if (r != 0)
        return problem_reply(v->request, (EonayError)r, NULL);
    if (waits(v, &code))
        return NULL;
    return reply_json(200, json_pack("{s:s, s:I}", "state", progress_name(code.status.progress), "seconds",
                                     (json_int_t)seconds_left(v, &code)));
}

Reply *page_code_state(Request *request) {
    return visit_run(request, FOR_CITIZEN, tell_state);
}
