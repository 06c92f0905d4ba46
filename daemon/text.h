/* SPDX-License-Identifier: Apache-2.0 */
/* A text to be shown and signed. What is shown is byte for byte what is signed, so what cannot be shown is refused. */
#ifndef EONAY_TEXT_H
#define EONAY_TEXT_H

#include <glib.h>
#include <stdbool.h>

typedef struct Text {
    char *title;
    char *media_type;
    char *sha256; /* hex */
    GBytes *bytes;
} Text;

Text *text_new(const char *title, const char *media_type, GBytes *bytes);
void text_free(Text *t);

/*
 * Valid UTF-8, and no character that is invisible or changes what others look like: controls other than tab and line
 * end, Unicode format characters (bidirectional overrides, zero width), line and paragraph separators, private use,
 * unassigned.
 */
bool text_is_safe(const void *bytes, size_t size);

#endif
