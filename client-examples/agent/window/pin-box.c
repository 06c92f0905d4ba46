/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PIN is in one place, the pin buffer. The field shows bullets; what is typed into it by the keyboard or the keypad
 * goes to the buffer one character at a time.
 */
#include "eonay/plugin.h"
#include "error.h"
#include "keypad.h"
#include "parts.h"
#include "pin-buffer.h"
#include "translate.h"

struct PinBox {
    GtkWidget *box, *form, *field, *length, *keypad, *shuffle, *tries, *final, *elsewhere;
    EonayPinBuffer *buffer;
    PinEntry entry;
    gboolean usable; /* there is a token, and its PIN is not locked */
    guint min, max;
    PageAction changed;
    gpointer userdata;
};

static void on_changed(PinBox *b) {
    b->changed(b->userdata);
}

static void on_shuffle(GtkCheckButton *button, gpointer data) {
    const PinBox *b = data;
    keypad_arrange(b->keypad, gtk_check_button_get_active(button));
}

/* A PIN is not copied to a place from which others paste it. */
static void forbid_copies(GtkWidget *text) {
    gtk_widget_action_set_enabled(text, "clipboard.cut", FALSE);
    gtk_widget_action_set_enabled(text, "clipboard.copy", FALSE);
}

static GtkWidget *field_new(PinBox *b) {
    GtkWidget *field = gtk_password_entry_new();
    GtkEditable *text = gtk_editable_get_delegate(GTK_EDITABLE(field));
    gtk_text_set_buffer(GTK_TEXT(text), GTK_ENTRY_BUFFER(b->buffer));
    gtk_text_set_activates_default(GTK_TEXT(text), TRUE);
    gtk_text_set_input_purpose(GTK_TEXT(text), GTK_INPUT_PURPOSE_PIN);
    gtk_text_set_input_hints(GTK_TEXT(text),
                             GTK_INPUT_HINT_PRIVATE | GTK_INPUT_HINT_NO_SPELLCHECK | GTK_INPUT_HINT_NO_EMOJI);
    gtk_editable_set_enable_undo(GTK_EDITABLE(field), FALSE);
    forbid_copies(GTK_WIDGET(text));
    g_signal_connect_swapped(b->buffer, "notify::length", G_CALLBACK(on_changed), b);
    return field;
}

static GtkWidget *check_new(const char *mnemonic) {
    GtkWidget *check = gtk_check_button_new();
    gtk_check_button_set_child(GTK_CHECK_BUTTON(check), page_mnemonic(mnemonic, check));
    return check;
}

static GtkWidget *form_new(PinBox *b, gboolean shuffle) {
    GtkWidget *form = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
    GtkWidget *label = page_label(_("_PIN code"), "heading");
    gtk_label_set_use_underline(GTK_LABEL(label), TRUE);
    b->field = field_new(b);
    b->length = page_label("", "dim-label");
    gtk_label_set_mnemonic_widget(GTK_LABEL(label), b->field);
    gtk_accessible_update_relation(GTK_ACCESSIBLE(b->field), GTK_ACCESSIBLE_RELATION_LABELLED_BY, label, NULL,
                                   GTK_ACCESSIBLE_RELATION_DESCRIBED_BY, b->length, b->tries, NULL, -1);
    b->keypad = keypad_new(GTK_ENTRY_BUFFER(b->buffer));
    keypad_arrange(b->keypad, shuffle);
    b->shuffle = check_new(_("_Shuffle the keys"));
    gtk_check_button_set_active(GTK_CHECK_BUTTON(b->shuffle), shuffle);
    g_signal_connect(b->shuffle, "toggled", G_CALLBACK(on_shuffle), b);
    GtkWidget *parts[] = {label, b->field, b->length, b->keypad, b->shuffle};
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
        gtk_box_append(GTK_BOX(form), parts[i]);
    return form;
}

static void pin_box_free(gpointer data) {
    PinBox *b = data;
    g_object_unref(b->buffer);
    g_free(b);
}

PinBox *pin_box_new(PageAction changed, gpointer userdata, gboolean shuffle) {
    PinBox *b = g_new0(PinBox, 1);
    b->changed = changed;
    b->userdata = userdata;
    b->buffer = pin_buffer_new();
    if (!b->buffer)
        g_error("no memory can be locked for the PIN");
    b->box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
    b->tries = page_alert();
    b->form = form_new(b, shuffle);
    b->final = check_new(_("I am s_ure: use the last try"));
    g_signal_connect_swapped(b->final, "toggled", G_CALLBACK(on_changed), b);
    b->elsewhere = page_label("", NULL);
    GtkWidget *parts[] = {b->form, b->elsewhere, b->tries, b->final};
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
        gtk_box_append(GTK_BOX(b->box), parts[i]);
    g_object_set_data_full(G_OBJECT(b->box), "part", b, pin_box_free);
    return b;
}

GtkWidget *pin_box_widget(const PinBox *b) {
    return b->box;
}

static char *tries_text(const Contract *c, gboolean final, gboolean locked) {
    if (locked)
        return g_strdup_printf("%s %s", eonay_error_text(EONAY_ERROR_PIN_LOCKED),
                               eonay_error_hint(EONAY_ERROR_PIN_LOCKED));
    if (final)
        return g_strdup(_("This is the LAST try: after one more wrong PIN the token locks itself."));
    if (c->tries_left >= 0)
        return g_strdup_printf(_("PIN tries left: %d"), c->tries_left);
    return NULL;
}

static void show_length(PinBox *b, const Contract *c, const Choice *choice) {
    b->min = choice ? choice->pin_min : c->min_length;
    b->max = choice ? choice->pin_max : c->max_length;
    g_autofree char *text = b->min > 1 ? g_strdup_printf(_("At least %u characters"), b->min) : NULL;
    gtk_label_set_text(GTK_LABEL(b->length), text ? text : "");
    gtk_widget_set_visible(b->length, text != NULL);
}

void pin_box_clear(PinBox *b) {
    pin_buffer_clear(b->buffer);
    gtk_check_button_set_active(GTK_CHECK_BUTTON(b->final), FALSE);
    keypad_arrange(b->keypad, gtk_check_button_get_active(GTK_CHECK_BUTTON(b->shuffle)));
}

void pin_box_show(PinBox *b, const Contract *c, const Choice *choice) {
    gboolean final = c->final_try || c->tries_left == 1 || (choice && choice->final_try);
    gboolean locked = choice && choice->locked;
    gboolean nothing = c->choices && c->choices->len == 0;
    if (nothing) /* the card is gone: what was typed was for it */
        pin_box_clear(b);
    b->entry = choice && choice->pinpad ? PIN_ENTRY_READER : c->pin_entry;
    show_length(b, c, choice);
    b->usable = !locked && !nothing;
    gboolean here = b->entry == PIN_ENTRY_AGENT;
    gtk_widget_set_visible(b->form, here && b->usable);
    gtk_widget_set_visible(b->elsewhere, !here && b->usable);
    gtk_label_set_text(GTK_LABEL(b->elsewhere), b->entry == PIN_ENTRY_READER
                                                    ? _("Press \"Sign\", then enter the PIN on the reader.")
                                                    : _("The program that asks brings the PIN itself."));
    g_autofree char *tries = tries_text(c, final, locked);
    page_alert_set(b->tries, tries);
    gtk_widget_set_visible(b->final, final && !locked && b->entry != PIN_ENTRY_CALLER);
}

void pin_box_focus(const PinBox *b) {
    gtk_widget_grab_focus(b->field);
}

gboolean pin_box_is_ready(const PinBox *b) {
    gsize size = pin_buffer_size(b->buffer);
    gboolean fits = b->entry != PIN_ENTRY_AGENT || (size >= MAX(b->min, 1) && (b->max == 0 || size <= b->max));
    gboolean sure = !gtk_widget_get_visible(b->final) || gtk_check_button_get_active(GTK_CHECK_BUTTON(b->final));
    return fits && sure && b->usable;
}

gboolean pin_box_final_try(const PinBox *b) {
    return gtk_widget_get_visible(b->final) && gtk_check_button_get_active(GTK_CHECK_BUTTON(b->final));
}

int pin_box_take(PinBox *b, int *ret_fd) {
    *ret_fd = -1;
    int r = b->entry == PIN_ENTRY_AGENT ? pin_buffer_to_pipe(b->buffer, ret_fd) : 0;
    gtk_check_button_set_active(GTK_CHECK_BUTTON(b->final), FALSE);
    return r;
}
