/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PIN Oluşturma/Kilit Çözme: a code that allows the operation on a card, for whoever holds a certificate of this
 * authority. What the local program does with the code is its affair; the page of figure 7 shows it.
 */
#include <string.h>

#include "flow.h"
#include "page.h"
#include "pages.h"
#include "register.h"

static bool has_card(Visit *v, int *ret_error) {
    __attribute__((cleanup(register_list_freep))) RegisterList *list = NULL;
    bool found = false;

    *ret_error = register_list(v->store, v->session.account, &list);
    /* A PIN can be made from the certificate's first day on, and for a suspended one as well. */
    for (size_t i = 0; *ret_error == 0 && i < list->n; i++)
        found = found || (list->at[i].state != REGISTER_REVOKED && list->at[i].not_after > v->now &&
                          list->at[i].not_before <= v->now);
    return found;
}

static void choice(const Visit *v, GString *p, const char *name, const char *title, const char *text) {
    html_print(p, "<section class=\"panel narrow\"><h2>%s</h2><p>%s</p><form method=\"post\" action=\"/nes/pin\">",
               title, text);
    page_csrf(v, p);
    html_print(p, "<input type=\"hidden\" name=\"islem\" value=\"%s\"><button>%s</button></form></section>", name,
               _("Get a code"));
}

/* What became of the codes: a program that carried the operation out says so by a submission without signatures. */
static int show_done(Visit *v, GString *p) {
    static const char *const names[] = {"pin-olustur", "pin-coz"};

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        const Flow *flow = flow_find(names[i]);
        FlowCode code = {0};
        int r = flow_code(v, flow, &code);

        explicit_bzero(code.digits, sizeof code.digits);
        if (r != 0 && r != EONAY_ERROR_NOT_FOUND)
            return r;
        if (r != 0 || code.status.progress != CODE_PROGRESS_DONE)
            continue;
        g_autofree char *text = g_strdup_printf("%s: %s %s", _(flow->title), _("the program reported that it is done."),
                                                code.status.receipt_id);
        page_notice(p, NOTICE_GOOD, text);
    }
    return 0;
}

static Reply *show_pin(Visit *v) {
    int error = 0;
    bool card = has_card(v, &error);
    GString *p = NULL;

    if (error != 0)
        return page_error(v, (EonayError)error);
    p = page_begin(v, _("Create PIN / unblock"), TRAIL(TRAIL_NES));
    if (!card) {
        page_notice(p, NOTICE_PLAIN,
                    _("You hold no certificate of this authority that is valid now, so there is no PIN to create."));
        return page_end(v, p, 200);
    }
    page_notice(p, NOTICE_WARN,
                _("The code you get here is for the signature program. It is not a PUK: typed as a PUK it uses up the "
                  "card's tries."));
    if ((error = show_done(v, p)) != 0) {
        g_string_free(p, TRUE);
        return page_error(v, (EonayError)error);
    }
    choice(v, p, "pin-olustur", _("Create a PIN"), _("For a new card, or when you have forgotten the PIN."));
    choice(v, p, "pin-coz", _("Unblock the card"), _("When the card was blocked by wrong PINs."));
    return page_end(v, p, 200);
}

Reply *page_pin(Request *request) {
    return visit_run(request, FOR_CITIZEN, show_pin);
}

static Reply *begin_pin(Visit *v) {
    const Flow *flow = flow_find(visit_field(v, "islem"));
    g_autofree char *path = NULL;
    int error = 0;

    if (!flow || strcmp(flow->back, "/nes/pin") != 0 || !has_card(v, &error))
        return error != 0 ? page_error(v, (EonayError)error) : reply_redirect("/nes/pin");
    if ((error = flow_begin(v, flow)) != 0)
        return page_error(v, (EonayError)error);
    path = g_strconcat("/kod/", flow->name, NULL);
    return reply_redirect(path);
}

Reply *page_pin_begin(Request *request) {
    return visit_run(request, FOR_CITIZEN, begin_pin);
}
