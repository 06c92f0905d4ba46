/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eonay-agent-window: the window of E-Onay. Started from the menu it asks for a verification code; started by
 * eonay-agent, with a channel, it shows what a program wants to have signed.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../confine.h"
#include "../language.h"
#include "../prompter.h"
#include "journey.h"
#include "prompt.h"
#include "translate.h"

static gchar *bus_address;
static gint channel = -1;
static gboolean shuffle_keypad;
static gboolean print_version;

static const GOptionEntry options[] = {
    {"bus", 0, 0, G_OPTION_ARG_STRING, &bus_address, N_("Use this bus instead of the system bus"), N_("ADDRESS")},
    {"shuffle-keypad", 0, 0, G_OPTION_ARG_NONE, &shuffle_keypad,
     N_("Put the digits of the keypad on the screen in a new order each time"), NULL},
    {"channel", 0, 0, G_OPTION_ARG_INT, &channel, N_("Answer the questions that come through this open socket"),
     N_("NUMBER")},
    {"version", 0, 0, G_OPTION_ARG_NONE, &print_version, N_("Print the version and exit"), NULL},
    {NULL},
};

typedef struct Window {
    Prompt *prompt;
    Journey *journey;
    int status;
} Window;

static void on_activate(GtkApplication *application, gpointer data) {
    Window *w = data;
    g_autoptr(GError) error = NULL;
    if (w->prompt || w->journey)
        return;
    if (channel < 0) {
        w->journey = journey_new(application, bus_address, shuffle_keypad);
        return;
    }
    w->prompt = prompt_new(application, channel, shuffle_keypad, &error);
    if (!w->prompt) {
        fprintf(stderr, "eonay-agent-window: %s\n", error->message);
        w->status = EXIT_FAILURE;
    }
}

/*
 * No input method of another process and no module of others sees the keys, and no library writes down keys, codes or
 * texts: that is what these variables are for in a program that has nothing to hide. Read when the libraries start.
 */
static void close_in(void) {
    static const char *const tell_tales[] = {"GTK_DEBUG", "GDK_DEBUG", "G_DBUS_DEBUG", "WAYLAND_DEBUG"};
    for (gsize i = 0; i < G_N_ELEMENTS(tell_tales); i++)
        g_unsetenv(tell_tales[i]);
    g_setenv("GTK_IM_MODULE", "gtk-im-context-simple", TRUE);
    g_unsetenv("GTK_PATH");
    g_unsetenv("GIO_EXTRA_MODULES");
    g_setenv("GIO_USE_VFS", "local", TRUE);
    g_setenv("GIO_USE_NETWORK_MONITOR", "base", TRUE);
}

static int read_options(int *argc, char ***argv) {
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;
    g_option_context_set_summary(context, _("Signs a consent: verification code, text, certificate and PIN."));
    g_option_context_add_main_entries(context, options, EONAY_GETTEXT_DOMAIN);
    if (!g_option_context_parse(context, argc, argv, &error) || *argc > 1) {
        fprintf(stderr, "eonay-agent-window: %s\n", error ? error->message : _("There are too many arguments."));
        return -1;
    }
    return 0;
}

static int run(void) {
    Window w = {0};
    if (!gtk_init_check()) {
        fprintf(stderr, "eonay-agent-window: %s\n", _("There is no display to open a window on."));
        return PROMPTER_NO_DISPLAY;
    }
    g_autoptr(GtkApplication) application = gtk_application_new("org.eonay.Agent", G_APPLICATION_NON_UNIQUE);
    g_signal_connect(application, "activate", G_CALLBACK(on_activate), &w);
    int status = g_application_run(G_APPLICATION(application), 0, NULL);
    prompt_free(w.prompt);
    journey_free(w.journey);
    return w.status ? w.status : status;
}

int main(int argc, char **argv) {
    language_set();
    if (read_options(&argc, &argv) < 0)
        return 2;
    if (print_version) {
        puts("eonay-agent-window " EONAY_VERSION);
        return EXIT_SUCCESS;
    }
    int r = confine();
    if (r < 0) {
        fprintf(stderr, "eonay-agent-window: %s\n", g_strerror(-r));
        return EXIT_FAILURE;
    }
    close_in();
    return run();
}
