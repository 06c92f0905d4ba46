/* SPDX-License-Identifier: Apache-2.0 */
/* What all pages look like: head with name, language and logout, trail, title, contents, foot. */
#ifndef EONAY_PORTAL_PAGE_H
#define EONAY_PORTAL_PAGE_H

#include "visit.h"

typedef struct Crumb {
    const char *path;
    const char *label;
} Crumb;

/* trail: where this page stands, from the root, without the page itself; ends with a NULL path; NULL: none. */
GString *page_begin(const Visit *v, const char *title, const Crumb *trail);
#define TRAIL(...) ((const Crumb[]){__VA_ARGS__, {NULL, NULL}})
#define TRAIL_ROOT                                                                                                     \
    { "/islemler", _("Online Services") }
#define TRAIL_NES                                                                                                      \
    TRAIL_ROOT, {                                                                                                      \
        "/nes", _("Qualified certificate services")                                                                    \
    }

/* Ends the page and takes it over. */
Reply *page_end(const Visit *v, GString *page, unsigned status);

/* The field every form needs. */
void page_csrf(const Visit *v, GString *page);
typedef enum NoticeKind { NOTICE_PLAIN, NOTICE_GOOD, NOTICE_WARN, NOTICE_BAD } NoticeKind;
void page_notice(GString *page, NoticeKind kind, const char *text);

/* A page that says one thing and where to go on. */
Reply *page_message(const Visit *v, unsigned status, NoticeKind kind, const char *title, const char *text,
                    const char *back, const char *back_label);
/* The page of a documented condition, in the words of the error table. */
Reply *page_error(const Visit *v, EonayError error);
/* There is no such page, or not for this visitor. */
Reply *page_not_found(const Visit *v);

#endif
