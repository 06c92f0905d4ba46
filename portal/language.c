/* SPDX-License-Identifier: Apache-2.0 */
/* The format of .mo files: GNU gettext manual, section "The Format of GNU MO Files". */
#include "language.h"

#include <glib.h>
#include <string.h>

#include "log.h"

#define MO_MAGIC 0x950412deu

typedef struct Catalogue {
    char *bytes;
    gsize size;
    guint32 n, originals, translations;
} Catalogue;

static Catalogue turkish;

static guint32 word(const Catalogue *c, gsize offset) {
    guint32 w = 0;

    if (offset + sizeof w <= c->size)
        memcpy(&w, c->bytes + offset, sizeof w);
    return w;
}

/* NULL when it does not lie within the file and end there. */
static const char *string_at(const Catalogue *c, guint32 table, guint32 i) {
    gsize length = word(c, table + (gsize)i * 8), offset = word(c, table + (gsize)i * 8 + 4);

    return offset + length < c->size && c->bytes[offset + length] == '\0' ? c->bytes + offset : NULL;
}

void language_init(const char *folder) {
    g_autofree char *path = g_build_filename(folder ? folder : EONAY_LOCALE_DIR, "tr", "LC_MESSAGES", "eonay.mo", NULL);
    Catalogue c = {0};

    if (!g_file_get_contents(path, &c.bytes, &c.size, NULL)) {
        log_warning("%s cannot be read: texts are in English", path);
        return;
    }
    if (word(&c, 0) != MO_MAGIC) {
        log_warning("%s is no catalogue: texts are in English", path);
        g_free(c.bytes);
        return;
    }
    c.n = word(&c, 8);
    c.originals = word(&c, 12);
    c.translations = word(&c, 16);
    turkish = c;
}

Language language_accepted(const char *header) {
    g_auto(GStrv) items = g_strsplit(header ? header : "", ",", 16);

    for (char **item = items; *item; item++) {
        const char *tag = g_strstrip(*item);
        if (g_ascii_strncasecmp(tag, "tr", 2) == 0 && !g_ascii_isalpha(tag[2]))
            return LANGUAGE_TR;
        if (g_ascii_strncasecmp(tag, "en", 2) == 0 && !g_ascii_isalpha(tag[2]))
            return LANGUAGE_EN;
    }
    return LANGUAGE_TR;
}

const char *language_code(Language language) {
    return language == LANGUAGE_EN ? "en" : "tr";
}

/* The originals are sorted. */
const char *language_text(Language language, const char *english) {
    guint32 low = 0, high = language == LANGUAGE_TR && *english ? turkish.n : 0;

    while (low < high) {
        guint32 middle = low + (high - low) / 2;
        const char *original = string_at(&turkish, turkish.originals, middle);
        int order = original ? strcmp(english, original) : -1;

        if (order == 0) {
            const char *text = string_at(&turkish, turkish.translations, middle);
            return text && *text ? text : english;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return english;
}
