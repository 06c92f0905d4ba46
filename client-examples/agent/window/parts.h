/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the contract page. Each is a widget with data of its own; _show() fills it anew. */
#ifndef EONAY_AGENT_PARTS_H
#define EONAY_AGENT_PARTS_H

#include "contract.h"
#include "pages.h"

/* text-pane.c: left. Every text in full, with its hash. */
GtkWidget *text_pane_new(void);
void text_pane_show(GtkWidget *pane, const Contract *c);
void text_pane_focus(GtkWidget *pane);

/* certificate-box.c: the given certificate, or the choice. changed is called when another one is chosen. */
typedef struct CertificateBox CertificateBox;
CertificateBox *certificate_box_new(PageAction changed, gpointer userdata);
GtkWidget *certificate_box_widget(const CertificateBox *b);
void certificate_box_show(CertificateBox *b, const Contract *c);
/* NULL when none is chosen yet, or the certificate is given. */
const Choice *certificate_box_choice(const CertificateBox *b);

/* pin-box.c: PIN field, keypad, tries left. changed is called when a PIN that could be one is there, or no more. */
typedef struct PinBox PinBox;
PinBox *pin_box_new(PageAction changed, gpointer userdata, gboolean shuffle);
GtkWidget *pin_box_widget(const PinBox *b);
/* choice: what certificate_box_choice() says. Keeps what was typed. */
void pin_box_show(PinBox *b, const Contract *c, const Choice *choice);
void pin_box_clear(PinBox *b);
void pin_box_focus(const PinBox *b);
/* Whether enough is there to sign: a PIN of possible length and, before the last try, the user's word. */
gboolean pin_box_is_ready(const PinBox *b);
gboolean pin_box_final_try(const PinBox *b);
/* The PIN in a pipe, -1 where it is entered elsewhere; the field is empty then. Returns 0 or a negative errno. */
int pin_box_take(PinBox *b, int *ret_fd);

/* clock-bar.c: created, signing (now), seconds left. expired is called once. */
typedef struct ClockBar ClockBar;
ClockBar *clock_bar_new(PageAction expired, gpointer userdata);
GtkWidget *clock_bar_widget(const ClockBar *b);
/* NULL stops the clock. */
void clock_bar_show(ClockBar *b, const Contract *c);

#endif
