/* SPDX-License-Identifier: Apache-2.0 */
#include "keypad.h"

#include <string.h>
#include <sys/random.h>

#include "translate.h"

#define DIGITS 10

static const char *const usual_order = "1234567890";

typedef struct Keypad {
    GtkEntryBuffer *buffer;
    GtkWidget *digits[DIGITS]; /* in the order of their places */
} Keypad;

static void on_digit(GtkButton *button, gpointer data) {
    const Keypad *k = data;
    gtk_entry_buffer_insert_text(k->buffer, gtk_entry_buffer_get_length(k->buffer), gtk_button_get_label(button), 1);
}

static void on_clear(GtkButton *button, gpointer data) {
    (void)button;
    gtk_entry_buffer_delete_text(((Keypad *)data)->buffer, 0, -1);
}

static void on_back(GtkButton *button, gpointer data) {
    (void)button;
    GtkEntryBuffer *buffer = ((Keypad *)data)->buffer;
    guint n = gtk_entry_buffer_get_length(buffer);
    if (n > 0)
        gtk_entry_buffer_delete_text(buffer, n - 1, 1);
}

static GtkWidget *key_new(const char *label, GCallback pressed, Keypad *k) {
    GtkWidget *key = gtk_button_new_with_label(label);
    gtk_widget_add_css_class(key, "key");
    gtk_widget_set_hexpand(key, TRUE);
    g_signal_connect(key, "clicked", pressed, k);
    return key;
}

static GtkWidget *back_new(Keypad *k) {
    GtkWidget *key = gtk_button_new_from_icon_name("edit-clear-symbolic");
    gtk_widget_add_css_class(key, "key");
    gtk_accessible_update_property(GTK_ACCESSIBLE(key), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Delete the last digit"), -1);
    gtk_widget_set_tooltip_text(key, _("Delete the last digit"));
    g_signal_connect(key, "clicked", G_CALLBACK(on_back), k);
    return key;
}

/* Digits of the kernel: the order must not be guessed from one seen before. */
static void shuffle(char *order) {
    for (unsigned i = DIGITS - 1; i > 0; i--) {
        uint32_t random = 0;
        if (getrandom(&random, sizeof(random), 0) != sizeof(random))
            g_error("no random numbers");
        unsigned j = random % (i + 1);
        char kept = order[i];
        order[i] = order[j];
        order[j] = kept;
    }
}

void keypad_arrange(GtkWidget *keypad, gboolean shuffled) {
    Keypad *k = g_object_get_data(G_OBJECT(keypad), "keypad");
    char order[DIGITS + 1];
    memcpy(order, usual_order, sizeof(order));
    if (shuffled)
        shuffle(order);
    for (unsigned i = 0; i < DIGITS; i++) {
        const char label[] = {order[i], '\0'};
        gtk_button_set_label(GTK_BUTTON(k->digits[i]), label);
    }
}

GtkWidget *keypad_new(GtkEntryBuffer *buffer) {
    GtkWidget *grid = gtk_grid_new();
    Keypad *k = g_new0(Keypad, 1);
    k->buffer = buffer;
    g_object_set_data_full(G_OBJECT(grid), "keypad", k, g_free);
    gtk_grid_set_row_spacing(GTK_GRID(grid), 6);
    gtk_grid_set_column_spacing(GTK_GRID(grid), 6);
    gtk_grid_set_column_homogeneous(GTK_GRID(grid), TRUE);
    gtk_accessible_update_property(GTK_ACCESSIBLE(grid), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Keypad"), -1);
    for (int i = 0; i < DIGITS; i++) {
        k->digits[i] = key_new("0", G_CALLBACK(on_digit), k);
        gtk_grid_attach(GTK_GRID(grid), k->digits[i], i < 9 ? i % 3 : 1, i / 3, 1, 1);
    }
    gtk_grid_attach(GTK_GRID(grid), key_new(_("Clear"), G_CALLBACK(on_clear), k), 0, 3, 1, 1);
    gtk_grid_attach(GTK_GRID(grid), back_new(k), 2, 3, 1, 1);
    keypad_arrange(grid, FALSE);
    return grid;
}
