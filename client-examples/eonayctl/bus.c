/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One asynchronous call at a time, waited for in the event loop. The default of 25 s of D-Bus libraries is shorter than
 * a card or a person, so each call carries a time of its own.
 */
#include "bus.h"

#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "json.h"

typedef struct Waiting {
    bool done;
    sd_bus_message *reply;
} Waiting;

static int connect_bus(const char *address, sd_bus **ret) {
    _cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
    int r;

    if (!address)
        return sd_bus_open_system(ret);
    if ((r = sd_bus_new(&bus)) < 0 || (r = sd_bus_set_address(bus, address)) < 0 ||
        (r = sd_bus_set_bus_client(bus, true)) < 0 || (r = sd_bus_start(bus)) < 0)
        return r;
    *ret = TAKE_PTR(bus);
    return 0;
}

int bus_connect(Ctl *ctl) {
    int r = connect_bus(ctl->address, &ctl->bus);
    if (r >= 0)
        r = sd_bus_set_allow_interactive_authorization(ctl->bus, !ctl->no_ask_password);
    if (r >= 0)
        r = sd_bus_attach_event(ctl->bus, ctl->event, SD_EVENT_PRIORITY_NORMAL);
    return MIN(r, 0);
}

int bus_open(Ctl *ctl) {
    int r = bus_connect(ctl);
    return r < 0 ? failure_report_errno(ctl, r) : CTL_OK;
}

void bus_close(Ctl *ctl) {
    if (ctl->bus)
        sd_bus_flush(ctl->bus);
    ctl->bus = sd_bus_close_unref(ctl->bus);
    g_clear_pointer(&ctl->daemon, g_free);
}

sd_bus_message *bus_method(Ctl *ctl, const char *path, const char *interface, const char *member) {
    sd_bus_message *m = NULL;
    int r = sd_bus_message_new_method_call(ctl->bus, &m, EONAY_BUS_NAME, path ? path : EONAY_PATH,
                                           interface ? interface : EONAY_INTERFACE_MANAGER, member);
    if (r == -ENOMEM)
        abort();
    return r < 0 ? NULL : m; /* NULL when the connection is gone: bus_call() says so */
}

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    (void)error;
    Waiting *w = userdata;
    w->done = true;
    w->reply = sd_bus_message_ref(reply);
    return 0;
}

int bus_turn(Ctl *ctl, uint64_t usec) {
    int r = sd_event_run(ctl->event, usec);
    if (r < 0)
        return r;
    if (ctl->interrupted)
        return -EINTR;
    return ctl->gone || sd_bus_is_open(ctl->bus) <= 0 ? -ENOTCONN : 0;
}

static void remember_daemon(Ctl *ctl, sd_bus_message *reply) {
    const char *sender = sd_bus_message_get_sender(reply);
    if (!sender || sender[0] != ':' || g_strcmp0(ctl->daemon, sender) == 0)
        return;
    g_free(ctl->daemon);
    ctl->daemon = g_strdup(sender);
}

int bus_call(Ctl *ctl, sd_bus_message *m, sd_bus_message **ret_reply, sd_bus_error *error) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = m;
    _cleanup_(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL;
    Waiting w = {0};
    int r = message ? sd_bus_call_async(ctl->bus, &slot, message, on_reply, &w, (uint64_t)ctl->timeout * USEC_PER_SEC)
                    : -ENOTCONN;
    while (r >= 0 && !w.done)
        r = bus_turn(ctl, UINT64_MAX);
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = w.reply;
    if (!w.done)
        return r == -EINTR ? r : sd_bus_error_set_errno(error, r);
    if (sd_bus_message_is_method_error(reply, NULL))
        return sd_bus_error_copy(error, sd_bus_message_get_error(reply));
    remember_daemon(ctl, reply);
    if (ret_reply)
        *ret_reply = TAKE_PTR(reply);
    return 0;
}

int bus_call_or_report(Ctl *ctl, sd_bus_message *m, sd_bus_message **ret_reply) {
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    int r = bus_call(ctl, m, ret_reply, &error);
    return r < 0 ? failure_report(ctl, r, &error) : CTL_OK;
}

static int on_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    (void)error;
    Ctl *ctl = userdata;
    const char *name, *old, *new;
    if (sd_bus_message_read(m, "sss", &name, &old, &new) >= 0 && ctl->daemon && strcmp(old, ctl->daemon) == 0)
        ctl->gone = true;
    return 0;
}

int bus_watch_daemon(Ctl *ctl) {
    return sd_bus_add_match(ctl->bus, NULL,
                            "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',"
                            "member='NameOwnerChanged',arg0='" EONAY_BUS_NAME "'",
                            on_owner_changed, ctl);
}

int bus_append_string(sd_bus_message *m, const char *key, const char *value) {
    return value ? sd_bus_message_append(m, "{sv}", key, "s", value) : 0;
}

int bus_append_bool(sd_bus_message *m, const char *key, bool value) {
    return sd_bus_message_append(m, "{sv}", key, "b", (int)value);
}

int bus_append_fd(sd_bus_message *m, const char *key, int fd) {
    return fd < 0 ? 0 : sd_bus_message_append(m, "{sv}", key, "h", fd);
}

int bus_properties(Ctl *ctl, const char *path, const char *interface, json_t **ret) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus_message *m = bus_method(ctl, path, "org.freedesktop.DBus.Properties", "GetAll");
    if (m)
        sd_bus_message_append(m, "s", interface);
    int r = bus_call(ctl, m, &reply, &error);
    return r < 0 ? r : json_read(reply, ret);
}

int bus_objects(Ctl *ctl, json_t **ret) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    int r = bus_call_or_report(
        ctl, bus_method(ctl, EONAY_PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects"), &reply);
    if (r != CTL_OK)
        return r;
    r = json_read(reply, ret);
    return r < 0 ? failure_report_errno(ctl, r) : CTL_OK;
}
