/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing HTML so that nobody can forget to escape: the format is the template, always a literal of this program, and
 * whatever is put in by %s is escaped for element content and for attribute values in double quotes. There is no way
 * around it: a piece of markup is written by its own call, never passed as a value.
 */
#ifndef EONAY_PORTAL_HTML_H
#define EONAY_PORTAL_HTML_H

#include <glib.h>

/*
 * Appends. Conversions: %s (escaped; NULL is ""), %d, %u, %lld, %zu, %%. Any other ends the program, since only this
 * program's own literals come here.
 */
void html_print(GString *page, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Appends text escaped. Bytes that are no UTF-8, and control characters, become U+FFFD. */
void html_text(GString *page, const char *text);

#endif
