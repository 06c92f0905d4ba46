/* SPDX-License-Identifier: Apache-2.0 */
/* Figure 1 (what can be done without a login, and the way to it), figure 4 (services) and figure 5 (certificates). */
#include "page.h"
#include "pages.h"

typedef struct Entry {
    const char *path;
    const char *title;
    const char *text;
} Entry;

static void menu(const Visit *v, GString *p, const Entry *entries, size_t n) {
    html_print(p, "<ul class=\"menu\">");
    for (size_t i = 0; i < n; i++)
        html_print(p, "<li><a href=\"%s\"><strong>%s</strong>%s</a></li>", entries[i].path, _(entries[i].title),
                   _(entries[i].text));
    html_print(p, "</ul>");
}

static Reply *show_start(Visit *v) {
    static const Entry open[] = {
        {"/bilgi/borc-sorgulama", N_("Debt inquiry and payment"), ""},
        {"/bilgi/kart-okuyucu", N_("Card reader application"), ""},
        {"/bilgi/mali-muhur", N_("Fiscal seal certificate application"), ""},
        {"/bilgi/zaman-damgasi", N_("Time stamp application"), ""},
        {"/bilgi/elektronik-muhur", N_("Electronic seal authority inquiry"), ""},
    };
    GString *p = NULL;

    if (visit_logged_in(v))
        return reply_redirect("/islemler");
    p = page_begin(v, _("Online Services"), NULL);
    html_print(p,
               "<section class=\"panel narrow\"><p>%s</p><p><a class=\"button\" href=\"/giris\">%s</a></p></section>"
               "<section class=\"panel narrow\" aria-labelledby=\"acik\"><h2 id=\"acik\">%s</h2><ul class=\"links\">",
               _("Please log in for online services."), _("Log in"), _("What can be done without logging in"));
    for (size_t i = 0; i < G_N_ELEMENTS(open); i++)
        html_print(p, "<li><a href=\"%s\">%s</a></li>", open[i].path, _(open[i].title));
    html_print(p, "</ul></section>");
    return page_end(v, p, 200);
}

Reply *page_start(Request *request) {
    return visit_run(request, FOR_ANYONE, show_start);
}

static Reply *show_services(Visit *v) {
    static const Entry entries[] = {
        {"/nes", N_("Qualified certificate (NES) services"),
         N_("Applications, E-Onay, and the services for your qualified electronic certificates")},
        {"/nes/e-onay/gecmis", N_("My approvals"), N_("The E-Onay approvals you have given, with their receipts")},
        {"/device", N_("Connect a program"), N_("Allow a program on your computer to receive a verification code")},
        {"/yonetim", N_("Operator's view"), N_("Approvals, evidence and the audit, for operators")},
    };
    GString *p = page_begin(v, _("Online Services"), NULL);

    menu(v, p, entries, G_N_ELEMENTS(entries) - !v->session.is_operator);
    return page_end(v, p, 200);
}

Reply *page_services(Request *request) {
    return visit_run(request, FOR_CITIZEN, show_services);
}

static Reply *show_nes(Visit *v) {
    static const Entry entries[] = {
        {"/nes/basvuru", N_("Application"), N_("Apply for a qualified certificate (e-signature)")},
        {"/nes/sertifikalar", N_("List of certificates"),
         N_("See the details of your qualified electronic certificates")},
        {"/nes/askidan-indirme", N_("Reactivate"), N_("Open a suspended certificate for use again")},
        {"/nes/pin", N_("Create PIN / unblock"), N_("Unblock your card and create a new PIN")},
        {"/nes/guvenlik-sozcugu", N_("Change the security word"), N_("Change your security word")},
        {"/nes/iptal", N_("Revoke my certificate"), N_("Revoke your certificate so that it can never be used again")},
        {"/nes/e-onay", N_("E-Onay"),
         N_("Make things easier for yourself by giving an approval signed electronically")},
        {"/nes/askiya-alma", N_("Suspend"), N_("Suspend a certificate that is in use")},
    };
    GString *p = page_begin(v, _("Qualified certificate services"), TRAIL(TRAIL_ROOT));

    menu(v, p, entries, G_N_ELEMENTS(entries));
    return page_end(v, p, 200);
}

Reply *page_nes(Request *request) {
    return visit_run(request, FOR_CITIZEN, show_nes);
}
