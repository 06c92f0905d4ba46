/* SPDX-License-Identifier: Apache-2.0 */
/* Figure 6 (the text, the check box, "Devam"), section 3.8 (the result) and what was approved before. */
#include <string.h>

#include "../approval.h"
#include "../clock.h"
#include "../texts.h"
#include "flow.h"
#include "moment-text.h"
#include "page.h"
#include "pages.h"

#define FLOW_NAME "e-onay"
#define PATH_CODE "/kod/e-onay"

typedef struct ConsentWork {
    const Visit *visit;
    bool this_version;
    Approval newest;
} ConsentWork;

static int approval_work(Store *store, void *data) {
    ConsentWork *w = data;
    const Portal *portal = w->visit->request->portal;
    const char *account = w->visit->session.account;
    int r = approval_of_version(store, account, PURPOSE_NES_APPLICATION, portal->texts->version, &w->this_version);

    return r != 0 ? r : approval_newest(store, account, PURPOSE_NES_APPLICATION, &w->newest);
}

static void approval_facts(const Visit *v, GString *p, const Approval *a) {
    char at[MOMENT_TEXT_SIZE];

    html_print(p, "<dl class=\"facts\"><dt>%s</dt><dd>%s</dd>", _("Approved on"), moment_text(a->approved_at, at));
    html_print(p, "<dt>%s</dt><dd class=\"mono\">%s</dd><dt>%s</dt><dd>%s</dd></dl>", _("Receipt number"),
               a->receipt_id, _("Version of the text"), a->text_version);
}

static Reply *show_given(const Visit *v, const Approval *a) {
    GString *p = page_begin(v, _("E-Onay"), TRAIL(TRAIL_NES));

    page_notice(p, NOTICE_GOOD, _("Your E-Onay is on record. You need not give it again."));
    html_print(p, "<div class=\"panel\">");
    approval_facts(v, p, a);
    html_print(p,
               "</div><div class=\"actions\"><a class=\"button\" href=\"/nes/basvuru\">%s</a>"
               "<a href=\"/nes/e-onay/gecmis\">%s</a></div>",
               _("Apply for a certificate"), _("My approvals"));
    return page_end(v, p, 200);
}

static void consent_text(const Visit *v, GString *p) {
    const char *name = v->request->portal->config->name;
    g_autofree char *reserves = g_strdup_printf(
        _("%s reserves the right to change the application form and the undertaking. The person who applies accepts, "
          "declares and undertakes the application form and the undertaking as they are on the day on which he "
          "approves "
          "them electronically."),
        name);

    html_print(
        p, "<p>%s</p><p>%s</p>",
        _("With E-Onay you can get your e-signature faster: provided that your electronically signed approval has "
          "been received, you need not send a signed application form with the NES applications you make from then "
          "on."),
        reserves);
}

static Reply *show_form(const Visit *v, const char *complaint) {
    const Portal *portal = v->request->portal;
    GString *p = page_begin(v, _("E-Onay (1/2)"), TRAIL(TRAIL_NES));

    if (complaint)
        page_notice(p, NOTICE_BAD, complaint);
    html_print(p, "<div class=\"panel narrow\">");
    consent_text(v, p);
    html_print(p, "<form method=\"post\" action=\"/nes/e-onay\" data-agree>");
    page_csrf(v, p);
    html_print(
        p,
        "<input type=\"hidden\" name=\"metin\" value=\"%s\"><input type=\"hidden\" name=\"taahhut\" value=\"%s\">"
        "<div class=\"check\"><input type=\"checkbox\" id=\"kabul\" name=\"kabul\" value=\"evet\" required>"
        "<label for=\"kabul\">%s</label></div><div class=\"actions\"><button>%s</button>"
        "<a href=\"/nes\">%s</a></div></form></div>",
        portal->texts->version, portal->config->undertaking_version,
        _("I approve, so that I can apply with E-Onay when I apply for an e-signature from now on."), _("Continue"),
        _("Cancel"));
    html_print(p, "<p class=\"soft\">%s %s · %s %s</p>", _("Version of the text:"), portal->texts->version,
               _("Version of the undertaking:"), portal->config->undertaking_version);
    return page_end(v, p, complaint ? 422 : 200);
}

static Reply *show_consent(Visit *v) {
    ConsentWork work = {.visit = v};
    int r = store_read(v->store, approval_work, &work);

    if (r != 0)
        return page_error(v, (EonayError)r);
    return work.this_version ? show_given(v, &work.newest) : show_form(v, NULL);
}

Reply *page_consent(Request *request) {
    return visit_run(request, FOR_CITIZEN, show_consent);
}

static Reply *accept_consent(Visit *v) {
    const Portal *portal = v->request->portal;
    int r = 0;

    if (strcmp(visit_field(v, "kabul"), "evet") != 0)
        return show_form(v, _("To continue, read the text and tick the box."));
    /* What was accepted is what was shown, whatever was configured in between. */
    if (strcmp(visit_field(v, "metin"), portal->texts->version) != 0 ||
        strcmp(visit_field(v, "taahhut"), portal->config->undertaking_version) != 0)
        return show_form(v, _("The text has changed in the meantime. Please read it again."));
    r = flow_begin(v, flow_find(FLOW_NAME));
    if (r == EONAY_ERROR_ALREADY_APPROVED)
        return reply_redirect("/nes/e-onay");
    return r != 0 ? page_error(v, (EonayError)r) : reply_redirect(PATH_CODE);
}

Reply *page_consent_accept(Request *request) {
    return visit_run(request, FOR_CITIZEN, accept_consent);
}

static Reply *show_result(Visit *v) {
    ConsentWork work = {.visit = v};
    GString *p = NULL;
    int r = store_read(v->store, approval_work, &work);

    if (r != 0)
        return page_error(v, (EonayError)r);
    if (!work.newest.approved)
        return reply_redirect("/nes/e-onay");
    p = page_begin(v, _("Result of E-Onay"), TRAIL(TRAIL_NES));
    page_notice(p, NOTICE_GOOD, _("Your operation was successful. Your E-Onay has been received."));
    html_print(p, "<div class=\"panel\">");
    approval_facts(v, p, &work.newest);
    html_print(
        p, "<p>%s</p><p>%s</p></div>",
        _("Having approved once with your electronic signature you can fill in the form with E-Onay in every NES "
          "application you make. It reaches our systems by itself; your certificate is then produced and sent to "
          "your address by courier."),
        _("With a renewal the certificate can be produced from two months before the present one ends; until then "
          "your application is kept in our system."));
    html_print(p,
               "<div class=\"actions\"><a class=\"button\" href=\"/nes/basvuru\">%s</a><a href=\"/nes\">%s</a></div>",
               _("Apply for a certificate"), _("Qualified certificate services"));
    return page_end(v, p, 200);
}

Reply *page_result(Request *request) {
    return visit_run(request, FOR_CITIZEN, show_result);
}

typedef struct HistoryWork {
    const Visit *visit;
    GString *rows;
    size_t n;
} HistoryWork;

static int history_work(Store *store, void *data) {
    HistoryWork *w = data;
    _rows_ StoreRows *rows = NULL;
    int r = store_query(store, STATEMENT_APPROVAL_LIST, &rows, "t", w->visit->session.account);

    g_string_truncate(w->rows, 0);
    w->n = 0;
    while (r == 0 && (r = store_rows_next(rows)) == 1) {
        char at[MOMENT_TEXT_SIZE];

        html_print(w->rows, "<tr><td>%s</td><td>%s</td><td>%s</td><td class=\"mono\">%s</td></tr>",
                   moment_text(store_rows_int(rows, 3), at), store_rows_text(rows, 1), store_rows_text(rows, 2),
                   store_rows_text(rows, 0));
        w->n++;
        r = 0;
    }
    return r < 0 ? EONAY_ERROR_STORAGE_FAILED : r;
}

static Reply *show_history(Visit *v) {
    g_autoptr(GString) rows = g_string_new(NULL);
    HistoryWork work = {.visit = v, .rows = rows};
    GString *p = NULL;
    int r = store_read(v->store, history_work, &work);

    if (r != 0)
        return page_error(v, (EonayError)r);
    p = page_begin(v, _("My approvals"), TRAIL(TRAIL_NES));
    if (work.n == 0) {
        page_notice(p, NOTICE_PLAIN, _("You have not given an approval yet."));
        html_print(p, "<p><a class=\"button\" href=\"/nes/e-onay\">%s</a></p>", _("Give E-Onay"));
    } else {
        html_print(p,
                   "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">%s</th><th scope=\"col\">%s</th>"
                   "<th scope=\"col\">%s</th><th scope=\"col\">%s</th></tr></thead><tbody>",
                   _("Approved on"), _("Purpose"), _("Version of the text"), _("Receipt number"));
        g_string_append_len(p, rows->str, (gssize)rows->len);
        html_print(p, "</tbody></table></div>");
    }
    return page_end(v, p, 200);
}

Reply *page_history(Request *request) {
    return visit_run(request, FOR_CITIZEN, show_history);
}
