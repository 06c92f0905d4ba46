/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The approvals that an operator sees, as a file: CSV (RFC 4180) or JSON, a page of EXPORT_ROWS at a time, newest
 * first, with the filter of the search. It has whole identity numbers, being what is handed on; each page is audited.
 * The filter comes in the body of a form, like the search's.
 */
#include <jansson.h>
#include <string.h>

#include "login-internal.h"
#include "page.h"
#include "pages.h"

#define EXPORT_ROWS 5000

typedef struct ListWork {
    const char *search;
    int64_t before;
    bool csv;
    GString *lines;
    json_t *rows;
    size_t n;
    int64_t last_id;
} ListWork;

void operator_list_form(const Visit *v, GString *p, const char *search) {
    html_print(p, "<form method=\"post\" action=\"/yonetim/liste\">");
    page_csrf(v, p);
    html_print(p,
               "<input type=\"hidden\" name=\"ara\" value=\"%s\"><div class=\"field\"><label for=\"once\">%s</label>"
               "<input type=\"text\" inputmode=\"numeric\" id=\"once\" name=\"once\" autocomplete=\"off\"></div><div "
               "class=\"actions\"><button name=\"bicim\" value=\"csv\">%s</button>"
               "<button class=\"plain\" name=\"bicim\" value=\"json\">%s</button></div></form>",
               search, _("Only those before this id (the last one of the list before; empty: from the newest on)"),
               _("Export the list (CSV)"), _("Export the list (JSON)"));
}

/* Names of purposes, versions and receipts have no comma, quotation mark or line end of their own; a version that an
 * operator made up might, and might begin like a formula. */
static void add_field(GString *line, const char *text) {
    const bool formula = *text && strchr("=+-@\t\r", *text);

    g_string_append(line, formula ? "\"'" : "\"");
    for (; *text; text++)
        g_string_append_printf(line, *text == '"' ? "\"%c" : "%c", *text);
    g_string_append_c(line, '"');
}

static void add_line(ListWork *w, StoreRows *rows) {
    g_autoptr(GDateTime) at = g_date_time_new_from_unix_utc(store_rows_int(rows, 5) / G_USEC_PER_SEC);
    g_autofree char *when = at ? g_date_time_format(at, "%Y-%m-%dT%H:%M:%SZ") : g_strdup("");

    g_string_append_printf(w->lines, "%lld,", (long long)store_rows_int(rows, 0));
    for (int column = 1; column <= 4; column++) {
        add_field(w->lines, store_rows_text(rows, column));
        g_string_append_c(w->lines, ',');
    }
    g_string_append_printf(w->lines, "%s\r\n", when);
}

static void add_object(ListWork *w, StoreRows *rows) {
    json_t *row = json_pack("{s:I, s:s, s:s, s:s, s:s, s:I}", "id", (json_int_t)store_rows_int(rows, 0), "subject",
                            store_rows_text(rows, 1), "purpose", store_rows_text(rows, 2), "text_version",
                            store_rows_text(rows, 3), "receipt_id", store_rows_text(rows, 4), "approved_at",
                            (json_int_t)store_rows_int(rows, 5));

    json_array_append_new(w->rows, row);
}

static int list_work(Store *store, void *data) {
    ListWork *w = data;
    _rows_ StoreRows *rows = NULL;
    int more = 0;
    int r = store_query(store, STATEMENT_APPROVAL_EXPORT, &rows, "tii", w->search, w->before, (int64_t)EXPORT_ROWS);

    g_string_assign(w->lines, "id,subject,purpose,text_version,receipt_id,approved_at\r\n");
    json_array_clear(w->rows);
    w->n = 0;
    while (r == 0 && (more = store_rows_next(rows)) == 1) {
        if (w->csv)
            add_line(w, rows);
        else
            add_object(w, rows);
        w->last_id = store_rows_int(rows, 0);
        w->n++;
    }
    return more < 0 ? EONAY_ERROR_STORAGE_FAILED : r;
}

static Reply *list_reply(const ListWork *w) {
    Reply *reply = NULL;

    if (w->csv) {
        reply = reply_text(200, "text/csv; charset=utf-8; header=present", w->lines->str);
    } else {
        json_t *object = json_pack("{s:O}", "approvals", w->rows);
        if (w->n == EXPORT_ROWS)
            json_object_set_new(object, "next", json_integer((json_int_t)w->last_id));
        reply = reply_json(200, object);
    }
    reply_header(reply, "Content-Disposition",
                 w->csv ? "attachment; filename=\"onaylar.csv\"" : "attachment; filename=\"onaylar.json\"");
    return reply;
}

static Reply *export_list(Visit *v) {
    g_autoptr(GString) lines = g_string_new(NULL);
    _cleanup_json_ json_t *rows = json_array();
    ListWork work = {.search = visit_field(v, "ara"), .lines = lines, .rows = rows};
    const char *once = visit_field(v, "once");
    gint64 before = G_MAXINT64;
    int r = 0;

    work.csv = strcmp(visit_field(v, "bicim"), "json") != 0;
    if (*once && !g_ascii_string_to_signed(once, 10, 1, G_MAXINT64, &before, NULL))
        return page_not_found(v);
    work.before = before;
    if ((r = store_read(v->store, list_work, &work)) != 0)
        return page_error(v, (EonayError)r);
    g_autofree char *detail =
        g_strdup_printf("%zu rows as %s%s", work.n, work.csv ? "CSV" : "JSON", *work.search ? " of a search" : "");
    visit_audit(v, "list-exported", detail);
    return list_reply(&work);
}

Reply *page_operator_list(Request *request) {
    return visit_run(request, FOR_OPERATOR, export_list);
}
