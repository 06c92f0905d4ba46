/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Applying for a certificate (section 3.8). With an E-Onay on record nothing is filled in: who applies is the login,
 * and what he undertakes he has signed. Without one the way with the signed form is shown.
 */
#include <string.h>

#include "../approval.h"
#include "application.h"
#include "flow.h"
#include "hold.h"
#include "moment-text.h"
#include "page.h"
#include "pages.h"
#include "register.h"

#define RATE_APPLICATION "application"

static const char *state_text(const Visit *v, const Application *a) {
    static const char *const texts[] = {
        [APPLICATION_HELD] = N_("Held until the day of production"),
        [APPLICATION_SUBMITTED] = N_("Received"),
        [APPLICATION_IN_PRODUCTION] = N_("In production"),
        [APPLICATION_COURIERED] = N_("Handed to the courier"),
        [APPLICATION_DELIVERED] = N_("Delivered"),
        [APPLICATION_REJECTED] = N_("Rejected"),
    };

    return _(texts[a->state]);
}

typedef struct ApprovalWork {
    const char *account;
    Approval newest;
} ApprovalWork;

static int approval_work(Store *store, void *data) {
    ApprovalWork *w = data;

    return approval_newest(store, w->account, PURPOSE_NES_APPLICATION, &w->newest);
}

/* The certificate that would be renewed: of those in force the one that ends last. */
static int renewable(Visit *v, Application *a, int64_t *ret_not_after) {
    __attribute__((cleanup(register_list_freep))) RegisterList *list = NULL;
    int r = register_list(v->store, v->session.account, &list);

    a->is_renewal = false;
    for (size_t i = 0; r == 0 && i < list->n && !a->is_renewal; i++) {
        const RegisterEntry *entry = &list->at[i];

        if (entry->state != REGISTER_GOOD || entry->not_after <= v->now)
            continue;
        a->is_renewal = true;
        memcpy(a->fingerprint, entry->fingerprint, sizeof a->fingerprint);
        a->held_until = hold_until(entry->not_after, v->web->renewal_months);
        *ret_not_after = entry->not_after;
    }
    return r;
}

static void wet_form(const Visit *v, GString *p) {
    page_notice(p, NOTICE_WARN, _("You have no E-Onay on record, so this application needs a form signed by hand."));
    html_print(p, "<div class=\"panel narrow\"><h2>%s</h2><ol><li>%s</li><li>%s</li><li>%s</li></ol></div>",
               _("Applying with a signed form"), _("Fill in the application form and the undertaking, and print them."),
               _("Sign them by hand and send them to the authority by post."),
               _("When they have arrived your certificate is produced and sent to your address by courier."));
    html_print(
        p,
        "<div class=\"panel narrow\"><h2>%s</h2><p>%s</p><p><a class=\"button\" href=\"/nes/e-onay\">%s</a></p></div>",
        _("Do you have an e-signature?"),
        _("Then give your E-Onay once, with your electronic signature, and no form is needed any more."),
        _("Give E-Onay"));
}

static void offer(const Visit *v, GString *p, const Application *a, int64_t not_after) {
    char end[MOMENT_TEXT_SIZE];
    char held[MOMENT_TEXT_SIZE];

    html_print(
        p, "<div class=\"panel narrow\"><p>%s</p>",
        _("Your E-Onay is on record: no form and no signature by hand is needed. The certificate is sent to your "
          "registered address by courier."));
    if (a->is_renewal) {
        html_print(p, "<dl class=\"facts\"><dt>%s</dt><dd>%s</dd><dt>%s</dt><dd>%s</dd></dl>", _("Kind of application"),
                   _("Renewal"), _("Your certificate ends on"), moment_text(not_after, end));
        if (a->held_until > v->now)
            html_print(p, "<p>%s <strong>%s</strong></p>", _("Your application is kept and goes into production on"),
                       moment_text(a->held_until, held));
    } else {
        html_print(p, "<dl class=\"facts\"><dt>%s</dt><dd>%s</dd></dl>", _("Kind of application"),
                   _("New certificate"));
    }
    html_print(p, "<form method=\"post\" action=\"/nes/basvuru\">");
    page_csrf(v, p);
    html_print(p, "<div class=\"actions\"><button>%s</button><a href=\"/nes\">%s</a></div></form></div>", _("Apply"),
               _("Cancel"));
}

static void progress(const Visit *v, GString *p, const Application *a) {
    static const ApplicationState usual[] = {APPLICATION_SUBMITTED, APPLICATION_IN_PRODUCTION, APPLICATION_COURIERED,
                                             APPLICATION_DELIVERED};

    if (a->state == APPLICATION_REJECTED)
        return;
    html_print(p, "<ol class=\"progress\">");
    for (size_t i = 0; i < G_N_ELEMENTS(usual); i++) {
        Application at = {.state = i == 0 && a->is_renewal && a->held_until > 0 ? APPLICATION_HELD : usual[i]};
        bool current = a->state == at.state;
        bool past = !current && a->state > at.state;

        html_print(p,
                   current ? "<li aria-current=\"step\">%s</li>"
                   : past  ? "<li class=\"past\">%s</li>"
                           : "<li>%s</li>",
                   state_text(v, &at));
    }
    html_print(p, "</ol>");
}

static void one(Visit *v, GString *p, const Application *a) {
    ApplicationStep steps[APPLICATION_STEPS_MAX];
    char at[MOMENT_TEXT_SIZE];
    size_t n = 0;

    html_print(p,
               "<section class=\"panel\" aria-label=\"%s\"><dl class=\"facts\"><dt>%s</dt><dd class=\"mono\">%s</dd>",
               a->id, _("Application number"), a->id);
    html_print(p, "<dt>%s</dt><dd>%s</dd><dt>%s</dt><dd>%s</dd>", _("Kind of application"),
               a->is_renewal ? _("Renewal") : _("New certificate"), _("State"), state_text(v, a));
    if (a->held_until > 0)
        html_print(p, "<dt>%s</dt><dd>%s</dd>", _("Goes into production on"), moment_text(a->held_until, at));
    html_print(p, "</dl>");
    progress(v, p, a);
    if (application_steps(v->store, a->id, steps, &n) == 0 && n > 0) {
        html_print(p, "<ul class=\"soft\">");
        for (size_t i = 0; i < n; i++) {
            Application then = {.state = steps[i].state};

            html_print(p, "<li>%s – %s</li>", moment_text(steps[i].at, at), state_text(v, &then));
        }
        html_print(p, "</ul>");
    }
    html_print(p, "</section>");
}

static bool under_way(const ApplicationList *list) {
    for (size_t i = 0; i < list->n; i++)
        if (list->at[i].state != APPLICATION_DELIVERED && list->at[i].state != APPLICATION_REJECTED)
            return true;
    return false;
}

static Reply *show_applications(Visit *v) {
    ApprovalWork work = {.account = v->session.account};
    g_autofree ApplicationList *list = g_new0(ApplicationList, 1);
    Application a = {0};
    int64_t not_after = 0;
    GString *p = NULL;
    int r = store_read(v->store, approval_work, &work);

    if (r != 0 || (r = application_list(v->store, v->session.account, list)) != 0 ||
        (r = renewable(v, &a, &not_after)) != 0)
        return page_error(v, (EonayError)r);
    p = page_begin(v, _("Application"), TRAIL(TRAIL_NES));
    if (under_way(list))
        page_notice(p, NOTICE_PLAIN, _("Your application is under way. You need not send a form."));
    else if (work.newest.approved)
        offer(v, p, &a, not_after);
    else
        wet_form(v, p);
    if (list->n > 0)
        html_print(p, "<h2>%s</h2>", _("My applications"));
    for (size_t i = 0; i < list->n; i++)
        one(v, p, &list->at[i]);
    return page_end(v, p, 200);
}

Reply *page_applications(Request *request) {
    return visit_run(request, FOR_CITIZEN, show_applications);
}

static Reply *submit(Visit *v) {
    ApprovalWork work = {.account = v->session.account};
    Application a = {0};
    int64_t not_after = 0;
    int r = visit_rate(v, RATE_APPLICATION);

    if (r != 0 || (r = store_read(v->store, approval_work, &work)) != 0)
        return page_error(v, (EonayError)r);
    if (!work.newest.approved)
        return reply_redirect("/nes/basvuru");
    g_strlcpy(a.account, v->session.account, sizeof a.account);
    g_strlcpy(a.receipt_id, work.newest.receipt_id, sizeof a.receipt_id);
    r = renewable(v, &a, &not_after);
    if (r == 0)
        r = application_submit(v->store, &a, v->now);
    if (r == 0)
        visit_audit(v, "application-submitted", a.id);
    /* Sent twice: the one that is under way is shown. */
    return r == 0 || r == EONAY_ERROR_BUSY ? reply_redirect("/nes/basvuru") : page_error(v, (EonayError)r);
}

Reply *page_application_submit(Request *request) {
    return visit_run(request, FOR_CITIZEN, submit);
}
