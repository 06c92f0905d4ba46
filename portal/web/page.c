/* SPDX-License-Identifier: Apache-2.0 */
#include "page.h"

#include <string.h>

#include "assets.h"

/* No inline script or style anywhere, so the policy can be this strict. */
#define CSP                                                                                                            \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "                    \
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

static void language_links(const Visit *v, GString *p) {
    bool turkish = v->language == LANGUAGE_TR;

    html_print(p, "<p><a href=\"?dil=%s\" lang=\"%s\" hreflang=\"%s\">%s</a></p>", turkish ? "en" : "tr",
               turkish ? "en" : "tr", turkish ? "en" : "tr", turkish ? "English" : "Türkçe");
}

static void head(const Visit *v, GString *p) {
    html_print(p,
               "<a class=\"skip\" href=\"#icerik\">%s</a>"
               "<header class=\"head\"><div class=\"wide row\">"
               "<a class=\"brand\" href=\"%s\"><strong>%s</strong><span>%s</span></a><div class=\"tools\">",
               _("Skip to the content"), visit_logged_in(v) ? "/islemler" : "/", v->request->portal->config->name,
               _("Online Services"));
    language_links(v, p);
    if (visit_logged_in(v)) {
        html_print(p, "<p>%s</p><form method=\"post\" action=\"/cikis\">", v->session.name);
        page_csrf(v, p);
        html_print(p, "<button>%s</button></form>", _("Log out"));
    }
    html_print(p, "</div></div></header>");
}

static void trail_nav(const Visit *v, GString *p, const char *title, const Crumb *trail) {
    html_print(p, "<nav class=\"trail\" aria-label=\"%s\"><ol>", _("Where you are"));
    for (; trail->path; trail++)
        html_print(p, "<li><a href=\"%s\">%s</a></li>", trail->path, trail->label);
    html_print(p, "<li aria-current=\"page\">%s</li></ol></nav>", title);
}

GString *page_begin(const Visit *v, const char *title, const Crumb *trail) {
    GString *p = g_string_sized_new(8192);

    html_print(
        p,
        "<!DOCTYPE html><html lang=\"%s\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
        "<title>%s – %s</title><link rel=\"icon\" href=\"/statik/eonay.svg\">"
        "<link rel=\"stylesheet\" href=\"/statik/eonay.css?%s\"><script src=\"/statik/eonay.js?%s\" defer></script>"
        "</head><body>",
        language_code(v->language), title, v->request->portal->config->name, assets_version(), assets_version());
    head(v, p);
    html_print(p, "<main id=\"icerik\" class=\"wide\" tabindex=\"-1\">");
    if (trail)
        trail_nav(v, p, title, trail);
    html_print(p, "<h1>%s</h1>", title);
    return p;
}

Reply *page_end(const Visit *v, GString *p, unsigned status) {
    const char *support = v->web->support_url ? v->web->support_url : "/bilgi/destek";
    Reply *reply = NULL;

    html_print(p,
               "</main><footer class=\"foot\"><div class=\"wide row\"><span>© %s</span>"
               "<span><a href=\"/bilgi/kosullar\">%s</a> · <a href=\"%s\">%s</a></span></div></footer></body></html>",
               v->request->portal->config->name, _("Legal notice"), support, _("Help and contact"));
    reply = reply_new(status, "text/html; charset=utf-8", p->str, p->len);
    reply_header(reply, "Content-Security-Policy", CSP);
    /* With no-referrer, the default, browsers send "Origin: null" with forms, which tells nothing. */
    reply_header(reply, "Referrer-Policy", "same-origin");
    reply_header(reply, "Content-Language", language_code(v->language));
    reply_header(reply, "Vary", "Cookie, Accept-Language");
    reply_header(reply, "Cross-Origin-Opener-Policy", "same-origin");
    reply_header(reply, "Permissions-Policy", "camera=(), microphone=(), geolocation=(), clipboard-write=(self)");
    g_string_free(p, TRUE);
    return reply;
}

void page_csrf(const Visit *v, GString *p) {
    char csrf[SESSION_TOKEN_SIZE];

    session_csrf(v->token, csrf);
    html_print(p, "<input type=\"hidden\" name=\"csrf\" value=\"%s\">", csrf);
}

void page_notice(GString *p, NoticeKind kind, const char *text) {
    static const char *const classes[] = {"plain", "good", "warn", "bad"};

    html_print(p, "<div class=\"notice %s\" role=\"%s\"><p>%s</p></div>", classes[kind],
               kind == NOTICE_BAD ? "alert" : "status", text);
}

Reply *page_message(const Visit *v, unsigned status, NoticeKind kind, const char *title, const char *text,
                    const char *back, const char *back_label) {
    GString *p = page_begin(v, title, NULL);

    page_notice(p, kind, text);
    html_print(p, "<p><a class=\"button\" href=\"%s\">%s</a></p>", back, back_label);
    return page_end(v, p, status);
}

Reply *page_error(const Visit *v, EonayError error) {
    g_autofree char *text = g_strdup_printf("%s %s", _(error_text(error)), _(error_hint(error)));
    unsigned status = error == EONAY_ERROR_RATE_LIMITED     ? 429
                      : error == EONAY_ERROR_STORAGE_FAILED ? 503
                      : error == EONAY_ERROR_NOT_FOUND      ? 404
                                                            : 409;
    const char *back = visit_logged_in(v) ? "/islemler" : "/";
    Reply *reply = page_message(v, status, NOTICE_BAD, _("This did not work"), text, back, _("Back"));

    if (status == 429 || status == 503)
        reply_header(reply, "Retry-After", status == 429 ? "60" : "5");
    return reply;
}

Reply *page_not_found(const Visit *v) {
    return page_message(v, 404, NOTICE_BAD, _("There is no such page"),
                        _("The page was not found, or it is not yours to see."), visit_logged_in(v) ? "/islemler" : "/",
                        _("Back"));
}
