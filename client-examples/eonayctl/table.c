/* SPDX-License-Identifier: Apache-2.0 */
/* All rows are kept until printing, since the widest cell decides. When the sum is too wide, the widest columns give
 * way. */
#include "table.h"

#include <glib.h>
#include <unistd.h>

#include "terminal.h"
#include "text.h"

#define GAP       2u
#define NARROWEST 8u /* a column is not cut below this */

struct Table {
    unsigned n_columns;
    GPtrArray *cells; /* header first, row by row */
};

Table *table_new(const char *const *header) {
    Table *t = g_new0(Table, 1);
    t->n_columns = g_strv_length((char **)header);
    t->cells = g_ptr_array_new_with_free_func(g_free);
    table_add(t, header);
    return t;
}

Table *table_free(Table *t) {
    if (!t)
        return NULL;
    g_ptr_array_unref(t->cells);
    g_free(t);
    return NULL;
}

void table_add(Table *t, const char *const *cells) {
    for (unsigned i = 0; i < t->n_columns; i++)
        g_ptr_array_add(t->cells, text_clean(cells[i] ? cells[i] : "-"));
}

size_t table_rows(const Table *t) {
    return t->cells->len / t->n_columns - 1;
}

static void measure(const Table *t, unsigned *widths) {
    for (unsigned i = 0; i < t->cells->len; i++) {
        unsigned width = text_width(t->cells->pdata[i]);
        widths[i % t->n_columns] = MAX(widths[i % t->n_columns], width);
    }
}

static void shrink(unsigned *widths, unsigned n, unsigned limit) {
    for (;;) {
        unsigned sum = GAP * (n - 1), widest = 0;
        for (unsigned i = 0; i < n; i++) {
            sum += widths[i];
            if (widths[i] > widths[widest])
                widest = i;
        }
        if (sum <= limit || widths[widest] <= NARROWEST)
            return;
        widths[widest]--;
    }
}

static void print_row(const Table *t, FILE *out, unsigned row, const unsigned *widths) {
    for (unsigned i = 0; i < t->n_columns; i++) {
        g_autofree char *cell = text_cut(t->cells->pdata[row * t->n_columns + i], widths[i]);
        fputs(cell, out);
        if (i + 1 < t->n_columns) /* no blanks at the line's end */
            fprintf(out, "%*s", (int)(widths[i] - text_width(cell) + GAP), "");
    }
}

void table_print(const Table *t, FILE *out, unsigned width, bool bold) {
    g_autofree unsigned *widths = g_new0(unsigned, t->n_columns);
    measure(t, widths);
    if (width > 0)
        shrink(widths, t->n_columns, width);
    for (unsigned row = 0; row <= table_rows(t); row++) {
        if (bold && row == 0)
            fputs("\033[1m", out);
        print_row(t, out, row, widths);
        fputs(bold && row == 0 ? "\033[0m\n" : "\n", out);
    }
}

void table_show(const Table *t) {
    table_print(t, stdout, terminal_width(STDOUT_FILENO), terminal_colour(STDOUT_FILENO));
}
