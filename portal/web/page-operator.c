/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operator's view: approvals newest first, search, the evidence of one, its export, and the audit. Each look at a
 * person's data is audited itself. Identity numbers come in the bodies of forms only and are masked in lists.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "../approval.h"
#include "login-internal.h"
#include "moment-text.h"
#include "page.h"
#include "pages.h"

#define PAGE_ROWS   50
#define RECEIPT_MAX 31

static bool receipt_good(const char *s) {
    return *s && strlen(s) <= RECEIPT_MAX &&
           strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-") == strlen(s);
}

static void search_form(const Visit *v, GString *p) {
    html_print(p, "<form class=\"panel narrow\" method=\"post\" action=\"/yonetim\" role=\"search\">");
    page_csrf(v, p);
    html_print(p,
               "<div class=\"field\"><label for=\"ara\">%s</label><input type=\"search\" id=\"ara\" name=\"ara\" "
               "autocomplete=\"off\" required></div><div class=\"actions\"><button>%s</button>"
               "<a href=\"/yonetim/denetim\">%s</a></div></form>",
               _("T.C. identity number or receipt number"), _("Search"), _("Audit"));
}

typedef struct ApprovalsWork {
    const Visit *visit;
    const char *search; /* or: */
    int64_t before;
    GString *rows;
    size_t n;
    int64_t last_id;
} ApprovalsWork;

static int approvals_work(Store *store, void *data) {
    ApprovalsWork *w = data;
    _rows_ StoreRows *rows = NULL;
    int more = 0;
    int r = w->search ? store_query(store, STATEMENT_APPROVAL_SEARCH, &rows, "t", w->search)
                      : store_query(store, STATEMENT_APPROVAL_PAGE, &rows, "ii", w->before, (int64_t)PAGE_ROWS);

    g_string_truncate(w->rows, 0);
    w->n = 0;
    while (r == 0 && (more = store_rows_next(rows)) == 1) {
        char masked[TCKN_LENGTH + 1];
        char at[MOMENT_TEXT_SIZE];
        const char *receipt = store_rows_text(rows, 4);

        tckn_mask(store_rows_text(rows, 1), masked);
        html_print(w->rows,
                   "<tr><td>%s</td><td class=\"mono\">%s</td><td>%s</td><td>%s</td>"
                   "<td><a class=\"mono\" href=\"/yonetim/kanit/%s\">%s</a></td></tr>",
                   moment_text(store_rows_int(rows, 5), at), masked, store_rows_text(rows, 2), store_rows_text(rows, 3),
                   receipt, receipt);
        w->last_id = store_rows_int(rows, 0);
        w->n++;
    }
    return more < 0 ? EONAY_ERROR_STORAGE_FAILED : r;
}

static void approvals_table(const Visit *v, GString *p, const ApprovalsWork *w) {
    if (w->n == 0) {
        page_notice(p, NOTICE_PLAIN, _("No approval was found."));
        return;
    }
    html_print(p,
               "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"%s\"><table><thead><tr><th "
               "scope=\"col\">%s</th>"
               "<th scope=\"col\">%s</th><th scope=\"col\">%s</th><th scope=\"col\">%s</th><th scope=\"col\">%s</th>"
               "</tr></thead><tbody>",
               _("Approvals"), _("Approved on"), _("Person"), _("Purpose"), _("Version of the text"),
               _("Receipt number"));
    g_string_append_len(p, w->rows->str, (gssize)w->rows->len);
    html_print(p, "</tbody></table></div>");
}

static Reply *approvals_page(Visit *v, ApprovalsWork *work) {
    g_autoptr(GString) rows = g_string_new(NULL);
    GString *p = NULL;
    int r = 0;

    work->visit = v;
    work->rows = rows;
    if ((r = store_read(v->store, approvals_work, work)) != 0)
        return page_error(v, (EonayError)r);
    p = page_begin(v, _("Operator's view"), TRAIL(TRAIL_ROOT));
    search_form(v, p);
    html_print(p, "<h2>%s</h2>", work->search ? _("What was found") : _("Approvals"));
    approvals_table(v, p, work);
    if (work->n > 0)
        operator_list_form(v, p, work->search ? work->search : "");
    if (!work->search && work->n == PAGE_ROWS)
        html_print(p, "<p><a href=\"/yonetim?once=%lld\">%s</a></p>", (long long)work->last_id, _("Older ones"));
    return page_end(v, p, 200);
}

static Reply *show_approvals(Visit *v) {
    const char *before = request_query(v->request, "once");
    gint64 id = G_MAXINT64;
    ApprovalsWork work = {0};

    if (before && !g_ascii_string_to_signed(before, 10, 1, G_MAXINT64, &id, NULL))
        return page_not_found(v);
    work.before = id;
    visit_audit(v, "operator-list", NULL);
    return approvals_page(v, &work);
}

Reply *page_operator(Request *request) {
    return visit_run(request, FOR_OPERATOR, show_approvals);
}

static Reply *search(Visit *v) {
    ApprovalsWork work = {.search = visit_field(v, "ara")};

    visit_audit(v, "operator-search", tckn_valid(work.search) ? "by identity number" : "by receipt");
    return approvals_page(v, &work);
}

Reply *page_operator_search(Request *request) {
    return visit_run(request, FOR_OPERATOR, search);
}

static const char *member(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "-";
}

static void fact(GString *p, const char *name, const char *value) {
    html_print(p, "<dt>%s</dt><dd class=\"mono\">%s</dd>", name, value);
}

static void when(GString *p, const char *name, const json_t *object, const char *key) {
    char at[MOMENT_TEXT_SIZE];

    fact(p, name, moment_text(json_integer_value(json_object_get(object, key)), at));
}

static void evidence_texts(const Visit *v, GString *p, const json_t *evidence) {
    const json_t *text = NULL;
    size_t i = 0;

    json_array_foreach(json_object_get(evidence, "texts"), i, text) {
        gsize size = 0;
        g_autofree guchar *bytes = g_base64_decode(member(text, "bytes"), &size);
        g_autofree char *plain = g_strndup((const char *)bytes, size);

        html_print(p, "<section class=\"panel\"><h2>%s %zu: %s</h2><pre lang=\"tr\">%s</pre></section>",
                   _("Signed text"), i + 1, member(text, "title"), plain);
    }
}

static void evidence_signatures(const Visit *v, GString *p, const json_t *evidence) {
    const json_t *signature = NULL;
    size_t i = 0;

    json_array_foreach(json_object_get(evidence, "signatures"), i, signature) {
        char *findings = json_dumps(json_object_get(signature, "findings"), JSON_INDENT(2));

        html_print(p, "<section class=\"panel\"><h2>%s %zu</h2><dl class=\"facts\">", _("Signature"), i + 1);
        when(p, _("Verified on"), signature, "verified_at");
        html_print(p, "</dl><pre>%s</pre></section>", findings);
        free(findings);
    }
}

static Reply *show_evidence(Visit *v) {
    _cleanup_json_ json_t *evidence = NULL;
    GString *p = NULL;
    int r = receipt_good(v->request->element) ? evidence_export(v->store, v->request->element, &evidence)
                                              : EONAY_ERROR_NOT_FOUND;

    if (r != 0)
        return r == EONAY_ERROR_NOT_FOUND ? page_not_found(v) : page_error(v, (EonayError)r);
    visit_audit(v, "evidence-viewed", v->request->element);
    p = page_begin(v, _("Evidence"), TRAIL(TRAIL_ROOT, {"/yonetim", _("Operator's view")}));
    html_print(p, "<div class=\"panel\"><dl class=\"facts\">");
    fact(p, _("Receipt number"), v->request->element);
    fact(p, _("Person"), member(evidence, "subject"));
    fact(p, _("Purpose"), member(evidence, "purpose"));
    fact(p, _("Version of the text"), member(evidence, "text_version"));
    fact(p, _("Version of the undertaking"), member(evidence, "undertaking_version"));
    fact(p, _("Reference"), member(evidence, "reference"));
    when(p, _("Text made on"), evidence, "text_created_at");
    when(p, _("Signature received on"), evidence, "submitted_at");
    html_print(p, "</dl><p><a class=\"button\" href=\"/yonetim/indir/%s\">%s</a></p></div>", v->request->element,
               _("Export"));
    evidence_texts(v, p, evidence);
    evidence_signatures(v, p, evidence);
    return page_end(v, p, 200);
}

Reply *page_operator_evidence(Request *request) {
    return visit_run(request, FOR_OPERATOR, show_evidence);
}

static Reply *export_evidence(Visit *v) {
    g_autofree char *disposition = NULL;
    json_t *evidence = NULL;
    Reply *reply = NULL;
    int r = receipt_good(v->request->element) ? evidence_export(v->store, v->request->element, &evidence)
                                              : EONAY_ERROR_NOT_FOUND;

    if (r != 0)
        return r == EONAY_ERROR_NOT_FOUND ? page_not_found(v) : page_error(v, (EonayError)r);
    visit_audit(v, "evidence-exported", v->request->element);
    disposition = g_strdup_printf("attachment; filename=\"%s.json\"", v->request->element);
    reply = reply_json(200, evidence);
    reply_header(reply, "Content-Disposition", disposition);
    return reply;
}

Reply *page_operator_export(Request *request) {
    return visit_run(request, FOR_OPERATOR, export_evidence);
}

static int audit_rows(Store *store, void *data) {
    ApprovalsWork *w = data;
    _rows_ StoreRows *rows = NULL;
    int more = 0;
    int r = store_query(store, STATEMENT_AUDIT_PAGE, &rows, "ii", w->before, (int64_t)(2 * PAGE_ROWS));

    g_string_truncate(w->rows, 0);
    w->n = 0;
    while (r == 0 && (more = store_rows_next(rows)) == 1) {
        char at[MOMENT_TEXT_SIZE];

        html_print(w->rows,
                   "<tr><td>%s</td><td>%s</td><td class=\"mono\">%s</td><td class=\"mono\">%s</td><td>%s</td></tr>",
                   moment_text(store_rows_int(rows, 1), at), store_rows_text(rows, 2), store_rows_text(rows, 3),
                   store_rows_text(rows, 4), store_rows_text(rows, 5));
        w->last_id = store_rows_int(rows, 0);
        w->n++;
    }
    return more < 0 ? EONAY_ERROR_STORAGE_FAILED : r;
}

static Reply *show_audit(Visit *v) {
    g_autoptr(GString) rows = g_string_new(NULL);
    const char *before = request_query(v->request, "once");
    gint64 id = G_MAXINT64;
    ApprovalsWork work = {.visit = v, .rows = rows};
    GString *p = NULL;
    int r = 0;

    if (before && !g_ascii_string_to_signed(before, 10, 1, G_MAXINT64, &id, NULL))
        return page_not_found(v);
    work.before = id;
    if ((r = store_read(v->store, audit_rows, &work)) != 0)
        return page_error(v, (EonayError)r);
    p = page_begin(v, _("Audit"), TRAIL(TRAIL_ROOT, {"/yonetim", _("Operator's view")}));
    html_print(p,
               "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"%s\"><table><thead><tr><th "
               "scope=\"col\">%s</th>"
               "<th scope=\"col\">%s</th><th scope=\"col\">%s</th><th scope=\"col\">%s</th><th scope=\"col\">%s</th>"
               "</tr></thead><tbody>",
               _("Audit"), _("When"), _("What"), _("Who (a keyed hash)"), _("Address"), _("Detail"));
    g_string_append_len(p, rows->str, (gssize)rows->len);
    html_print(p, "</tbody></table></div>");
    if (work.n == 2 * PAGE_ROWS)
        html_print(p, "<p><a href=\"/yonetim/denetim?once=%lld\">%s</a></p>", (long long)work.last_id, _("Older ones"));
    return page_end(v, p, 200);
}

Reply *page_operator_audit(Request *request) {
    return visit_run(request, FOR_OPERATOR, show_audit);
}
