/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The window: one page at a time. It knows nothing of a bus; whoever drives it (prompt.c for a question of the daemon,
 * journey.c for the way from the menu) shows pages and is told what the user does.
 */
#ifndef EONAY_AGENT_VIEW_H
#define EONAY_AGENT_VIEW_H

#include <gtk/gtk.h>

#include "contract.h"

typedef struct View View;

/* "İmzala" on the contract page. */
typedef struct Answer {
    const Choice *choice; /* NULL when the certificate was given */
    int pin_fd;           /* read end of a pipe, taken over by the handler; -1: the PIN is not entered here */
    gboolean allow_final_try;
} Answer;

typedef struct ViewHandlers {
    /* "İleri"; 15 digits; authority is NULL where there is nothing to choose */
    void (*code)(const char *code, const char *authority, void *userdata);
    void (*sign)(const Answer *answer, void *userdata);
    void (*again)(void *userdata); /* a failure page's way back to the code */
    void (*close)(void *userdata); /* "İptal", "Uygulamayı Kapat", or the window's own button; the view stays open */
} ViewHandlers;

View *view_new(GtkApplication *application, const ViewHandlers *handlers, void *userdata, gboolean shuffle_keypad);
View *view_free(View *v);

/* Pages. Texts are translated already; problem may be NULL. */
void view_show_code(View *v, const char *problem);
/* On the code page: Authority*, the preselected one first. */
void view_offer_authorities(View *v, GPtrArray *authorities);
void view_show_busy(View *v, const char *what);
void view_show_contract(View *v, const Contract *c);
/* Figure 11; receipt may be NULL. */
void view_show_success(View *v, const char *receipt);
void view_show_failure(View *v, const char *what, const char *hint, gboolean can_begin_again);

/* Text and next step of an error of the daemon, by its D-Bus name; message is what came with an unknown one. */
void view_show_error(View *v, const char *error_name, const char *message, gboolean can_begin_again);

#endif
