/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The language of one request. gettext knows one language for a whole process and wants its locale installed; a portal
 * speaks to many people at once. So the catalogue of gettext's domain "eonay" is read here, and each text is asked for
 * with its language. English texts are the keys and need no catalogue.
 */
#ifndef PORTAL_LANGUAGE_H
#define PORTAL_LANGUAGE_H

#ifndef N_
#define N_(s) s
#endif

typedef enum Language {
    LANGUAGE_TR, /* also where nothing is said */
    LANGUAGE_EN,
} Language;

/* Reads tr.mo below the folder (EONAY_LOCALE_DIR where NULL). Once, before threads; without it all is English. */
void language_init(const char *folder);
/* header: Accept-Language, may be NULL. The first of the languages known, whatever their weights. */
Language language_accepted(const char *header);
const char *language_code(Language language); /* "tr", "en" */
const char *language_text(Language language, const char *english);

#endif
