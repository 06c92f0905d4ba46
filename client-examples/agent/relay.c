/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nothing of a question is looked at here but the consent's path. Calls of anybody but the daemon are refused:
 * otherwise every program on the bus could ask for the PIN in the daemon's name.
 */
#include "relay.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "names.h"
#include "prompter.h"
#include "util.h"

#define WINDOWS_MAX 8u

struct Relay {
    sd_event *event;
    char *const *argv;
    char *daemon;
    sd_bus_slot *slot;
    GPtrArray *prompters;
};

static Prompter *find(const Relay *relay, const char *consent) {
    for (guint i = 0; i < relay->prompters->len; i++)
        if (strcmp(prompter_consent(relay->prompters->pdata[i]), consent) == 0)
            return relay->prompters->pdata[i];
    return NULL;
}

static void on_ended(Prompter *p, void *userdata) {
    Relay *relay = userdata;
    g_ptr_array_remove(relay->prompters, p);
}

static int find_or_start(Relay *relay, const char *consent, Prompter **ret) {
    Prompter *p = find(relay, consent);
    if (!p && relay->prompters->len >= WINDOWS_MAX)
        return -ENOBUFS;
    if (!p) {
        int r = prompter_start(relay->event, relay->argv, consent, on_ended, relay, &p);
        if (r < 0)
            return r;
        g_ptr_array_add(relay->prompters, p);
    }
    *ret = p;
    return 0;
}

static int read_consent(const Relay *relay, sd_bus_message *m, const char **ret, sd_bus_error *error) {
    if (!relay->daemon || g_strcmp0(sd_bus_message_get_sender(m), relay->daemon) != 0) {
        sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED, "Only the E-Onay service may call the agent.");
        return -EACCES;
    }
    return sd_bus_message_read(m, "o", ret);
}

static int method_ask(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    Relay *relay = userdata;
    const char *consent = NULL;
    Prompter *p;
    int r = read_consent(relay, m, &consent, error);
    if (r < 0)
        return r;
    if ((r = find_or_start(relay, consent, &p)) == -ENOBUFS)
        return sd_bus_error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED, "Too many windows are open.");
    if (r < 0)
        return sd_bus_error_setf(error, SD_BUS_ERROR_SERVICE_UNKNOWN, "The window cannot be started: %s",
                                 g_strerror(-r));
    r = prompter_ask(p, m);
    return r < 0 ? r : 1;
}

static int method_tell(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    Relay *relay = userdata;
    const char *consent = NULL;
    int r = read_consent(relay, m, &consent, error);
    if (r < 0)
        return r;
    Prompter *p = find(relay, consent);
    if (p && strcmp(sd_bus_message_get_member(m), "Cancel") == 0)
        prompter_refuse(p);
    if (p)
        prompter_tell(p, m);
    return sd_bus_reply_method_return(m, NULL);
}

static const sd_bus_vtable vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD_WITH_ARGS("ConfirmText", SD_BUS_ARGS("o", consent, "a(sssay)", texts, "a{sv}", details),
                            SD_BUS_RESULT("b", confirmed), method_ask, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("RequestPin", SD_BUS_ARGS("o", consent, "a{sv}", details), SD_BUS_RESULT("h", pin),
                            method_ask, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Cancel", SD_BUS_ARGS("o", consent, "a{sv}", details), SD_BUS_NO_RESULT, method_tell,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Finished", SD_BUS_ARGS("o", consent, "b", success, "s", error_name, "a{sv}", details),
                            SD_BUS_NO_RESULT, method_tell, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

void relay_set_daemon(Relay *relay, const char *name) {
    g_free(relay->daemon);
    relay->daemon = g_strdup(name);
    for (guint i = 0; !name && i < relay->prompters->len; i++)
        prompter_end(relay->prompters->pdata[i]);
}

static void destroy_prompter(gpointer p) {
    prompter_free(p);
}

int relay_new(sd_event *event, sd_bus *bus, char *const argv[], Relay **ret) {
    _cleanup_(relay_freep) Relay *relay = g_new0(Relay, 1);
    relay->event = sd_event_ref(event);
    relay->argv = argv;
    relay->prompters = g_ptr_array_new_with_free_func(destroy_prompter);
    int r = sd_bus_add_object_vtable(bus, &relay->slot, AGENT_PATH, EONAY_INTERFACE_AGENT, vtable, relay);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(relay);
    return 0;
}

Relay *relay_free(Relay *relay) {
    if (!relay)
        return NULL;
    sd_bus_slot_unref(relay->slot);
    g_ptr_array_unref(relay->prompters);
    sd_event_unref(relay->event);
    g_free(relay->daemon);
    g_free(relay);
    return NULL;
}
