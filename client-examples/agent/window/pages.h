/* SPDX-License-Identifier: Apache-2.0 */
/* The pages that a view is made of. Each _new() gives a widget; the view owns it. */
#ifndef EONAY_AGENT_PAGES_H
#define EONAY_AGENT_PAGES_H

#include "view.h"

/* A signal of a page, on to the view's driver. */
typedef void (*PageAction)(gpointer view);

/* page-code.c: the verification code, figures 8 and 9. */
typedef struct CodePage CodePage;
CodePage *code_page_new(void (*next)(const char *code, const char *authority, gpointer view), PageAction cancel,
                        gpointer view);
GtkWidget *code_page_widget(const CodePage *p);
void code_page_offer(CodePage *p, GPtrArray *authorities);
/* Empties the field; NULL: nothing is wrong. */
void code_page_reset(CodePage *p, const char *problem);
GtkWidget *code_page_default(const CodePage *p);
void code_page_focus(const CodePage *p);

/* authority-box.c: which authority gave the code, where there are several. */
typedef struct AuthorityBox AuthorityBox;
AuthorityBox *authority_box_new(void);
GtkWidget *authority_box_widget(const AuthorityBox *b);
/* Authority*, the preselected one first; one chosen before stays chosen. */
void authority_box_show(AuthorityBox *b, GPtrArray *authorities);
/* Its name, or NULL where there is nothing to choose. */
const char *authority_box_choice(const AuthorityBox *b);

/* page-contract.c: texts, certificate and PIN, figure 10. */
typedef struct ContractPage ContractPage;
ContractPage *contract_page_new(void (*sign)(const Answer *answer, gpointer view), PageAction cancel, gpointer view,
                                gboolean shuffle);
GtkWidget *contract_page_widget(const ContractPage *p);
/* contract must live until the next call or contract_page_clear(). */
void contract_page_show(ContractPage *p, const Contract *contract);
void contract_page_clear(ContractPage *p);
GtkWidget *contract_page_default(const ContractPage *p);
void contract_page_focus(const ContractPage *p);

/* page-end.c: success (figure 11) and failure. */
typedef struct EndPage EndPage;
EndPage *end_page_new(PageAction again, PageAction close, gpointer view);
GtkWidget *end_page_widget(const EndPage *p);
void end_page_show(EndPage *p, gboolean success, const char *what, const char *hint, gboolean can_begin_again);
GtkWidget *end_page_default(const EndPage *p);

/* A label that wraps, aligned left, with an optional style class. */
GtkWidget *page_label(const char *text, const char *css_class);
/* A label whose underlined letter reaches widget, which has the label's text as its accessible name. */
GtkWidget *page_mnemonic(const char *mnemonic, GtkWidget *widget);
/* An empty drop-down list that label names; the button within, which has the keyboard, too. */
GtkWidget *page_drop_down(GtkWidget *label);
/* A button with a mnemonic that calls action(view). */
GtkWidget *page_button(const char *mnemonic, PageAction action, gpointer view);
/* A label that a screen reader speaks as soon as its text changes. */
GtkWidget *page_alert(void);
/* NULL or "" hides it. */
void page_alert_set(GtkWidget *alert, const char *text);

#endif
