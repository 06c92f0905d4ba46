/* SPDX-License-Identifier: Apache-2.0 */
/* The person's certificates, and what he can do with them: suspend, reactivate, revoke. One page for all three. */
#include <string.h>

#include "../publication.h"
#include "certificate-profile.h"
#include "moment-text.h"
#include "page.h"
#include "pages.h"
#include "register.h"

#define RATE_CERTIFICATE "certificate"
#define HEX_SIZE         (2 * REGISTER_FINGERPRINT_SIZE + 1)

typedef struct Action {
    const char *path;
    const char *title;
    const char *text;
    const char *button;
    const char *none;
    const char *done;
    const char *audit;
    RegisterState from[2];
    size_t n_from;
    RegisterState to;
    const char *confirm; /* a box that has to be ticked; NULL: none */
} Action;

static const Action suspending = {
    "/nes/askiya-alma",
    N_("Suspend"),
    N_("A suspended certificate cannot be used to sign until you reactivate it. Suspend it at once when your card is "
       "lost."),
    N_("Suspend the certificate"),
    N_("You have no certificate that could be suspended."),
    N_("Your certificate is suspended."),
    "certificate-suspended",
    {REGISTER_GOOD},
    1,
    REGISTER_SUSPENDED,
    NULL,
};
static const Action reactivating = {
    "/nes/askidan-indirme",
    N_("Reactivate"),
    N_("Opens a suspended certificate for use again. Until the next revocation list some programs may still see it as "
       "suspended."),
    N_("Reactivate the certificate"),
    N_("You have no suspended certificate."),
    N_("Your certificate can be used again."),
    "certificate-reactivated",
    {REGISTER_SUSPENDED},
    1,
    REGISTER_GOOD,
    NULL,
};
static const Action revoking = {
    "/nes/iptal",
    N_("Revoke my certificate"),
    N_("A revoked certificate can never be used again. Signatures made before stay valid."),
    N_("Revoke the certificate"),
    N_("You have no certificate that could be revoked."),
    N_("Your certificate is revoked."),
    "certificate-revoked",
    {REGISTER_GOOD, REGISTER_SUSPENDED},
    2,
    REGISTER_REVOKED,
    N_("I know that this cannot be undone."),
};

static void state_tag(const Visit *v, GString *p, const RegisterEntry *entry) {
    if (entry->state == REGISTER_REVOKED)
        html_print(p, "<span class=\"tag bad\">%s</span>", _("Revoked"));
    else if (entry->not_after <= v->now)
        html_print(p, "<span class=\"tag plain\">%s</span>", _("Expired"));
    else if (entry->state == REGISTER_SUSPENDED)
        html_print(p, "<span class=\"tag warn\">%s</span>", _("Suspended"));
    else if (entry->not_before > v->now)
        html_print(p, "<span class=\"tag plain\">%s</span>", _("Not yet valid"));
    else
        html_print(p, "<span class=\"tag good\">%s</span>", _("In use"));
}

static void entry_row(const Visit *v, GString *p, const RegisterEntry *entry) {
    CertificateProfile *profile = NULL;
    char begin[MOMENT_TEXT_SIZE];
    char end[MOMENT_TEXT_SIZE];

    if (certificate_profile_new(entry->der, entry->der_size, &profile) != 0)
        return;
    html_print(p, "<tr><td class=\"mono\">%s</td><td>%s</td><td>%s</td><td>%s – %s</td><td>", entry->serial,
               profile->common_name, profile->issuer, moment_text(entry->not_before, begin),
               moment_text(entry->not_after, end));
    state_tag(v, p, entry);
    html_print(p, "</td></tr>");
    certificate_profile_free(profile);
}

static Reply *show_list(Visit *v) {
    __attribute__((cleanup(register_list_freep))) RegisterList *list = NULL;
    GString *p = NULL;
    int r = register_list(v->store, v->session.account, &list);

    if (r != 0)
        return page_error(v, (EonayError)r);
    p = page_begin(v, _("List of certificates"), TRAIL(TRAIL_NES));
    if (list->n == 0) {
        page_notice(p, NOTICE_PLAIN, _("This authority has issued no certificate to you."));
        return page_end(v, p, 200);
    }
    html_print(p,
               "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"%s\"><table><thead><tr><th "
               "scope=\"col\">%s</th>"
               "<th scope=\"col\">%s</th><th scope=\"col\">%s</th><th scope=\"col\">%s</th><th scope=\"col\">%s</th>"
               "</tr></thead><tbody>",
               _("List of certificates"), _("Serial number"), _("Name"), _("Issuer"), _("Valid"), _("State"));
    for (size_t i = 0; i < list->n; i++)
        entry_row(v, p, &list->at[i]);
    html_print(p, "</tbody></table></div>");
    return page_end(v, p, 200);
}

Reply *page_certificates(Request *request) {
    return visit_run(request, FOR_CITIZEN, show_list);
}

static bool acts_on(const Visit *v, const Action *action, const RegisterEntry *entry) {
    for (size_t i = 0; i < action->n_from; i++)
        if (entry->state == action->from[i] && entry->not_after > v->now)
            return true;
    return false;
}

static void choice(const Visit *v, GString *p, const RegisterEntry *entry, bool only) {
    char hex[HEX_SIZE];
    char end[MOMENT_TEXT_SIZE];

    secret_hex(entry->fingerprint, sizeof entry->fingerprint, hex);
    html_print(p,
               "<div class=\"check\"><input type=\"radio\" name=\"sertifika\" id=\"s%s\" value=\"%s\" required%s>"
               "<label for=\"s%s\"><span class=\"mono\">%s</span> – %s %s ",
               hex, hex, only ? " checked" : "", hex, entry->serial, _("valid until"),
               moment_text(entry->not_after, end));
    state_tag(v, p, entry);
    html_print(p, "</label></div>");
}

static void action_form(const Visit *v, GString *p, const Action *action, const RegisterList *list, size_t n) {
    html_print(p, "<form method=\"post\" action=\"%s\">", action->path);
    page_csrf(v, p);
    html_print(p, "<fieldset><legend>%s</legend>", _("Certificate"));
    for (size_t i = 0; i < list->n; i++)
        if (acts_on(v, action, &list->at[i]))
            choice(v, p, &list->at[i], n == 1);
    html_print(p, "</fieldset>");
    if (action->confirm)
        html_print(p,
                   "<div class=\"check\"><input type=\"checkbox\" id=\"onay\" name=\"onay\" value=\"evet\" required>"
                   "<label for=\"onay\">%s</label></div>",
                   _(action->confirm));
    html_print(p, "<div class=\"actions\"><button class=\"%s\">%s</button><a href=\"/nes\">%s</a></div></form>",
               action->to == REGISTER_REVOKED ? "grave" : "", _(action->button), _("Cancel"));
}

static Reply *show_action(Visit *v, const Action *action, NoticeKind kind, const char *notice, unsigned status) {
    __attribute__((cleanup(register_list_freep))) RegisterList *list = NULL;
    GString *p = NULL;
    size_t n = 0;
    int r = register_list(v->store, v->session.account, &list);

    if (r != 0)
        return page_error(v, (EonayError)r);
    for (size_t i = 0; i < list->n; i++)
        n += acts_on(v, action, &list->at[i]);
    p = page_begin(v, _(action->title), TRAIL(TRAIL_NES));
    if (notice)
        page_notice(p, kind, notice);
    html_print(p, "<div class=\"panel narrow\"><p>%s</p>", _(action->text));
    if (n == 0)
        html_print(p, "<p>%s</p>", _(action->none));
    else
        action_form(v, p, action, list, n);
    html_print(p, "</div>");
    return page_end(v, p, status);
}

/* Sixty-four hex digits, as choice() writes them. */
static bool fingerprint_parse(const char *hex, uint8_t ret[REGISTER_FINGERPRINT_SIZE]) {
    if (strlen(hex) != HEX_SIZE - 1 || strspn(hex, "0123456789abcdef") != HEX_SIZE - 1)
        return false;
    for (size_t i = 0; i < REGISTER_FINGERPRINT_SIZE; i++)
        ret[i] = (uint8_t)(g_ascii_xdigit_value(hex[2 * i]) << 4 | g_ascii_xdigit_value(hex[2 * i + 1]));
    return true;
}

static Reply *carry_out(Visit *v, const Action *action) {
    uint8_t fingerprint[REGISTER_FINGERPRINT_SIZE];
    char detail[17];
    int r = EONAY_ERROR_NOT_FOUND;

    if (!fingerprint_parse(visit_field(v, "sertifika"), fingerprint))
        return show_action(v, action, NOTICE_BAD, _("Choose a certificate."), 422);
    if (action->confirm && strcmp(visit_field(v, "onay"), "evet") != 0)
        return show_action(v, action, NOTICE_BAD, _("Tick the box to confirm."), 422);
    if ((r = visit_rate(v, RATE_CERTIFICATE)) != 0)
        return page_error(v, (EonayError)r);
    r = EONAY_ERROR_NOT_FOUND;
    for (size_t i = 0; r == EONAY_ERROR_NOT_FOUND && i < action->n_from; i++)
        r = register_move(v->store, v->session.account, fingerprint, action->from[i], action->to, v->now);
    if (r != 0)
        return page_error(v, (EonayError)r);
    secret_hex(fingerprint, 8, detail);
    visit_audit(v, action->audit, detail);
    publication_tend(v->request->portal, v->store);
    return show_action(v, action, NOTICE_GOOD, _(action->done), 200);
}

static Reply *show_suspend(Visit *v) {
    return show_action(v, &suspending, NOTICE_PLAIN, NULL, 200);
}
static Reply *show_unsuspend(Visit *v) {
    return show_action(v, &reactivating, NOTICE_PLAIN, NULL, 200);
}
static Reply *show_revoke(Visit *v) {
    return show_action(v, &revoking, NOTICE_PLAIN, NULL, 200);
}
static Reply *do_suspend(Visit *v) {
    return carry_out(v, &suspending);
}
static Reply *do_unsuspend(Visit *v) {
    return carry_out(v, &reactivating);
}
static Reply *do_revoke(Visit *v) {
    return carry_out(v, &revoking);
}

Reply *page_suspend(Request *request) {
    return visit_run(request, FOR_CITIZEN, show_suspend);
}
Reply *page_suspend_do(Request *request) {
    return visit_run(request, FOR_CITIZEN, do_suspend);
}
Reply *page_unsuspend(Request *request) {
    return visit_run(request, FOR_CITIZEN, show_unsuspend);
}
Reply *page_unsuspend_do(Request *request) {
    return visit_run(request, FOR_CITIZEN, do_unsuspend);
}
Reply *page_revoke(Request *request) {
    return visit_run(request, FOR_CITIZEN, show_revoke);
}
Reply *page_revoke_do(Request *request) {
    return visit_run(request, FOR_CITIZEN, do_revoke);
}
