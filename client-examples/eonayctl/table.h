/* SPDX-License-Identifier: Apache-2.0 */
/* Columns for people: widths by display width, cut to the terminal, whole when written to a file or pipe. */
#ifndef EONAYCTL_TABLE_H
#define EONAYCTL_TABLE_H

#include <stdbool.h>
#include <stdio.h>

typedef struct Table Table;

/* header: translated column titles, ends with NULL. Ends the program without memory. */
Table *table_new(const char *const *header);
Table *table_free(Table *t);
/* One row of as many cells; copied and made harmless. NULL is shown as "-". */
void table_add(Table *t, const char *const *cells);
size_t table_rows(const Table *t);
/* width: columns of the terminal, 0 for no limit. bold: the header with escape sequences. */
void table_print(const Table *t, FILE *out, unsigned width, bool bold);
/* To standard output as it is: a terminal's width, boldness unless NO_COLOR. */
void table_show(const Table *t);

static inline void table_freep(Table **t) {
    table_free(*t);
}

#endif
