/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eonay-agent: waits in the user's session until a consent asks for a confirmation or a PIN, and opens a window for it.
 * Nothing of a toolkit is loaded while there is no question. It registers with the daemon, and again when the daemon
 * comes back.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include <glib.h>

#include "confine.h"
#include "language.h"
#include "prompter.h"
#include "relay.h"
#include "translate.h"
#include "util.h"

#define CALL_TIMEOUT (30u * USEC_PER_SEC)

static gchar *bus_address;
static gchar *window_program;
static gboolean shuffle_keypad;
static gboolean print_version;
static gint ready_fd = -1;

static const GOptionEntry options[] = {
    {"bus", 0, 0, G_OPTION_ARG_STRING, &bus_address, N_("Use this bus instead of the system bus"), N_("ADDRESS")},
    {"window", 0, 0, G_OPTION_ARG_FILENAME, &window_program, N_("Open this program as the window"), N_("PROGRAM")},
    {"shuffle-keypad", 0, 0, G_OPTION_ARG_NONE, &shuffle_keypad,
     N_("Put the digits of the keypad on the screen in a new order each time"), NULL},
    {"ready-fd", 0, 0, G_OPTION_ARG_INT, &ready_fd, N_("Write a line to this open descriptor once registered"),
     N_("NUMBER")},
    {"version", 0, 0, G_OPTION_ARG_NONE, &print_version, N_("Print the version and exit"), NULL},
    {NULL},
};

typedef struct Agent {
    sd_event *event;
    sd_bus *bus;
    Relay *relay;
} Agent;

static void agent_clear(Agent *a) {
    relay_free(a->relay);
    sd_bus_flush_close_unref(a->bus);
    sd_event_unref(a->event);
}

/* ---- being registered ---- */

static void tell_ready(void) {
    sd_notify(0, "READY=1");
    if (ready_fd < 0)
        return;
    ssize_t n = write(ready_fd, "ready\n", 6);
    (void)n; /* whoever wanted to know is gone */
    ready_fd = safe_close(ready_fd);
}

static int on_registered(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    (void)error;
    Agent *a = userdata;
    const sd_bus_error *e = sd_bus_message_get_error(reply);
    if (e) /* the next owner of the name is asked again */
        fprintf(stderr, SD_NOTICE "eonay-agent: not registered: %s\n", e->message);
    else
        relay_set_daemon(a->relay, sd_bus_message_get_sender(reply));
    if (!e)
        tell_ready();
    return 0;
}

static int agent_register(Agent *a) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    int r;
    if ((r = sd_bus_message_new_method_call(a->bus, &m, EONAY_BUS_NAME, EONAY_PATH, EONAY_INTERFACE_MANAGER,
                                            "RegisterAgent")) < 0 ||
        (r = sd_bus_message_append(m, "oa{sv}", AGENT_PATH, 0)) < 0)
        return r;
    return sd_bus_call_async(a->bus, NULL, m, on_registered, a, CALL_TIMEOUT);
}

static int on_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    (void)error;
    Agent *a = userdata;
    const char *name, *old, *new;
    if (sd_bus_message_read(m, "sss", &name, &old, &new) < 0)
        return 0;
    relay_set_daemon(a->relay, NULL);
    if (*new)
        agent_register(a);
    return 0;
}

static int follow_daemon(Agent *a) {
    return sd_bus_add_match(a->bus, NULL,
                            "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',"
                            "member='NameOwnerChanged',arg0='" EONAY_BUS_NAME "'",
                            on_owner_changed, a);
}

/* ---- the whole ---- */

static int connect_bus(Agent *a) {
    int r;
    if ((r = sd_bus_new(&a->bus)) < 0 || (r = sd_bus_set_bus_client(a->bus, true)) < 0)
        return r;
    const char *address = bus_address ? bus_address : g_getenv("DBUS_SYSTEM_BUS_ADDRESS");
    r = sd_bus_set_address(a->bus, address ? address : "unix:path=/run/dbus/system_bus_socket");
    if (r < 0 || (r = sd_bus_start(a->bus)) < 0 || (r = sd_bus_attach_event(a->bus, a->event, 0)) < 0)
        return r;
    return sd_bus_set_exit_on_disconnect(a->bus, true);
}

static int catch_signals(Agent *a) {
    sigset_t caught;
    sigemptyset(&caught);
    sigaddset(&caught, SIGTERM);
    sigaddset(&caught, SIGINT);
    sigaddset(&caught, SIGCHLD);
    sigprocmask(SIG_BLOCK, &caught, NULL);
    int r = sd_event_add_signal(a->event, NULL, SIGTERM, NULL, NULL);
    return r < 0 ? r : sd_event_add_signal(a->event, NULL, SIGINT, NULL, NULL);
}

static int agent_run(Agent *a, char *const argv[]) {
    int r;
    if ((r = sd_event_default(&a->event)) < 0 || (r = catch_signals(a)) < 0 || (r = connect_bus(a)) < 0 ||
        (r = relay_new(a->event, a->bus, argv, &a->relay)) < 0 || (r = follow_daemon(a)) < 0 ||
        (r = agent_register(a)) < 0)
        return r;
    return sd_event_loop(a->event);
}

static int read_options(int *argc, char ***argv) {
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;
    g_option_context_set_summary(context, _("Shows what is to be signed and asks for the PIN, in a window."));
    g_option_context_add_main_entries(context, options, EONAY_GETTEXT_DOMAIN);
    if (!g_option_context_parse(context, argc, argv, &error) || *argc > 1) {
        fprintf(stderr, "eonay-agent: %s\n", error ? error->message : _("There are too many arguments."));
        return -EINVAL;
    }
    return 0;
}

int main(int argc, char **argv) {
    _cleanup_(agent_clear) Agent agent = {0};
    language_set();
    if (read_options(&argc, &argv) < 0)
        return 2;
    if (print_version) {
        puts("eonay-agent " EONAY_VERSION);
        return EXIT_SUCCESS;
    }
    int r = confine();
    if (r == 0) {
        char *window[] = {window_program ? window_program : (char *)EONAY_AGENT_WINDOW, (char *)"--channel=3",
                          shuffle_keypad ? (char *)"--shuffle-keypad" : NULL, NULL};
        r = agent_run(&agent, window);
    }
    if (r < 0)
        fprintf(stderr, SD_ERR "eonay-agent: %s\n", g_strerror(-r));
    return r < 0 ? EXIT_FAILURE : r;
}
