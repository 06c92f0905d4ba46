/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program on the user's computer asked for a code (RFC 8628); here its user says that it was he. The danger is that
 * somebody else's user code is slipped to him: so the page shows which program claims to ask, for what and since when,
 * says when to refuse, and makes refusing as easy as accepting.
 */
#include <string.h>

#include "../device.h"
#include "../texts.h"
#include "flow.h"
#include "moment-text.h"
#include "page.h"
#include "pages.h"

#define RATE_USER_CODE "user-code"
#define PATH           "/device"

static Reply *show_entry(Visit *v, const char *complaint, unsigned status) {
    const char *given = request_query(v->request, "user_code");
    GString *p = page_begin(v, _("Connect a program"), TRAIL(TRAIL_ROOT));

    if (!given)
        given = request_cookie(v->request, COOKIE_DEVICE);
    if (complaint)
        page_notice(p, NOTICE_BAD, complaint);
    html_print(
        p, "<div class=\"panel narrow\"><p>%s</p><form method=\"post\" action=\"" PATH "\">",
        _("A program on your computer shows a code of eight letters. Compare it with the one below, or type it in."));
    page_csrf(v, p);
    html_print(
        p,
        "<div class=\"field\"><label for=\"kullanici-kodu\">%s</label><input type=\"text\" id=\"kullanici-kodu\" "
        "name=\"user_code\" value=\"%s\" required maxlength=\"16\" autocomplete=\"off\" autocapitalize=\"characters\" "
        "spellcheck=\"false\" aria-describedby=\"kod-not\"><span class=\"hint\" id=\"kod-not\">%s</span></div>"
        "<div class=\"actions\"><button>%s</button></div></form></div>",
        _("Code shown by the program"), given ? given : "", _("For example BCDF-GHJK"), _("Continue"));
    return page_end(v, p, status);
}

static Reply *show_device(Visit *v) {
    return show_entry(v, NULL, 200);
}

static Reply *device_entry(Visit *v) {
    const char *given = request_query(v->request, "user_code");
    Reply *reply = NULL;

    if (visit_logged_in(v)) {
        reply = show_device(v);
        visit_cookie(reply, COOKIE_DEVICE, NULL, 0);
        return reply;
    }
    /* Login comes first; the letters wait in a cookie, since login leads to places of our own only. */
    reply = reply_redirect("/giris");
    if (given && strlen(given) <= 16 &&
        strspn(given, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-") == strlen(given))
        visit_cookie(reply, COOKIE_DEVICE, given, DEVICE_LIFETIME_SECONDS);
    return reply;
}

Reply *page_device(Request *request) {
    return visit_run(request, FOR_ANYONE, device_entry);
}

/* Errors: CODE_UNKNOWN (counted), RATE_LIMITED, STORAGE_FAILED. */
static int find(Visit *v, Device *ret) {
    int r = visit_rate_look(v, RATE_USER_CODE);

    if (r == 0)
        r = device_find(v->request->portal, v->store, visit_field(v, "user_code"), v->now, ret);
    if (r == EONAY_ERROR_CODE_UNKNOWN)
        (void)visit_rate(v, RATE_USER_CODE);
    return r;
}

static const char *purpose_text(const Visit *v, const char *purpose) {
    if (strcmp(purpose, PURPOSE_NES_APPLICATION) == 0)
        return _("Signing your E-Onay");
    if (strcmp(purpose, PURPOSE_PIN_CREATE) == 0)
        return _("Creating a PIN");
    if (strcmp(purpose, PURPOSE_PIN_UNBLOCK) == 0)
        return _("Unblocking a card");
    return purpose;
}

static void decision_form(const Visit *v, GString *p, const char *user_code, const Device *device) {
    const Portal *portal = v->request->portal;

    html_print(p, "<form method=\"post\" action=\"" PATH "/karar\">");
    page_csrf(v, p);
    html_print(
        p,
        "<input type=\"hidden\" name=\"user_code\" value=\"%s\"><input type=\"hidden\" name=\"metin\" value=\"%s\">"
        "<input type=\"hidden\" name=\"taahhut\" value=\"%s\">",
        user_code, portal->texts->version, portal->config->undertaking_version);
    if (purpose_signs(device->purpose)) {
        html_print(
            p, "<p>%s</p>",
            _("With E-Onay you can get your e-signature faster: provided that your electronically signed approval "
              "has been received, you need not send a signed application form with the NES applications you make "
              "from then on."));
        html_print(p,
                   "<div class=\"check\"><input type=\"checkbox\" id=\"kabul\" name=\"kabul\" value=\"evet\">"
                   "<label for=\"kabul\">%s</label></div>",
                   _("I approve, so that I can apply with E-Onay when I apply for an e-signature from now on."));
    }
    html_print(p,
               "<div class=\"actions\"><button name=\"karar\" value=\"kabul\">%s</button>"
               "<button class=\"plain\" name=\"karar\" value=\"ret\">%s</button></div></form>",
               _("It was me: give it the code"), _("It was not me: refuse"));
}

static Reply *show_question(Visit *v, const Device *device, const char *complaint) {
    char at[MOMENT_TEXT_SIZE];
    const char *user_code = visit_field(v, "user_code");
    GString *p = page_begin(v, _("Connect a program"), TRAIL(TRAIL_ROOT));

    if (complaint)
        page_notice(p, NOTICE_BAD, complaint);
    page_notice(
        p, NOTICE_WARN,
        _("Go on only if you have started this yourself, just now, on the computer before you. If somebody sent "
          "you the code or a link, refuse: he would get the code in your name."));
    html_print(p, "<div class=\"panel narrow\"><dl class=\"facts\"><dt>%s</dt><dd class=\"mono\">%s</dd>",
               _("Code shown by the program"), user_code);
    html_print(p, "<dt>%s</dt><dd>%s</dd><dt>%s</dt><dd>%s</dd><dt>%s</dt><dd>%s</dd><dt>%s</dt><dd>%s</dd></dl>",
               _("The program calls itself"), device->client, _("For"), purpose_text(v, device->purpose), _("Asked at"),
               moment_text(device->created_at, at), _("In the name of"), v->session.name);
    decision_form(v, p, user_code, device);
    html_print(p, "</div>");
    return page_end(v, p, complaint ? 422 : 200);
}

static Reply *not_found(Visit *v, int error) {
    return error == EONAY_ERROR_CODE_UNKNOWN
               ? show_entry(v, _("No program has shown this code, or its time is over."), 404)
               : page_error(v, (EonayError)error);
}

static Reply *look(Visit *v) {
    Device device = {0};
    int r = find(v, &device);

    if (r == 0 && device.state != DEVICE_PENDING)
        r = EONAY_ERROR_CODE_USED;
    return r == 0 ? show_question(v, &device, NULL) : not_found(v, r);
}

Reply *page_device_look(Request *request) {
    return visit_run(request, FOR_CITIZEN, look);
}

static Reply *decided(Visit *v, bool accept) {
    visit_audit(v, accept ? "device-accepted" : "device-refused", NULL);
    if (accept)
        return page_message(v, 200, NOTICE_GOOD, _("Go back to the program"),
                            _("The program receives the verification code now. Its time begins when it arrives there."),
                            "/islemler", _("Online Services"));
    return page_message(v, 200, NOTICE_PLAIN, _("Refused"), _("The program gets no code."), "/islemler",
                        _("Online Services"));
}

static Reply *decide(Visit *v) {
    const Portal *portal = v->request->portal;
    uint8_t account[SECRET_HASH_SIZE];
    bool accept = strcmp(visit_field(v, "karar"), "kabul") == 0;
    CodeRequest who = {.subject = v->session.account, .account = account};
    Device device = {0};
    int r = find(v, &device);

    if (r != 0)
        return not_found(v, r);
    if (!accept && strcmp(visit_field(v, "karar"), "ret") != 0)
        return show_question(v, &device, _("Choose one of the two."));
    if (accept && purpose_signs(device.purpose)) {
        if (strcmp(visit_field(v, "kabul"), "evet") != 0)
            return show_question(v, &device, _("To continue, read the text and tick the box."));
        if (strcmp(visit_field(v, "metin"), portal->texts->version) != 0 ||
            strcmp(visit_field(v, "taahhut"), portal->config->undertaking_version) != 0)
            return show_question(v, &device, _("The text has changed in the meantime. Please read it again."));
    }
    who.purpose = device.purpose;
    visit_account_key(v, account);
    if (accept && purpose_signs(device.purpose) && (r = flow_accept(v, device.purpose)) != 0)
        return page_error(v, (EonayError)r);
    r = device_decide(v->request->portal, v->store, &device, accept, &who, v->now);
    return r == 0 ? decided(v, accept) : page_error(v, (EonayError)r);
}

Reply *page_device_decide(Request *request) {
    return visit_run(request, FOR_CITIZEN, decide);
}
