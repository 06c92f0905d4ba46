/* SPDX-License-Identifier: Apache-2.0 */
/* The connection to the daemon. Calls run in the event loop, so that Ctrl-C and signals are noticed while one waits. */
#ifndef EONAYCTL_BUS_H
#define EONAYCTL_BUS_H

#include <jansson.h>

#include "ctl.h"

/* Connects to --bus, $DBUS_SYSTEM_BUS_ADDRESS or the system bus. Returns 0 or a negative errno. */
int bus_connect(Ctl *ctl);
/* The same; returns 0 or a CtlExit after saying why. */
int bus_open(Ctl *ctl);
void bus_close(Ctl *ctl);

/* A new method call to the daemon; interface NULL is the Manager on the root object. Ends the program without memory.
 */
sd_bus_message *bus_method(Ctl *ctl, const char *path, const char *interface, const char *member);
/*
 * Sends it and waits for at most --timeout. Returns 0, or a negative errno with *error set; -EINTR after a signal,
 * without *error. Consumes m.
 */
int bus_call(Ctl *ctl, sd_bus_message *m, sd_bus_message **ret_reply, sd_bus_error *error);
/* The same, and says what went wrong: returns 0 or a CtlExit. */
int bus_call_or_report(Ctl *ctl, sd_bus_message *m, sd_bus_message **ret_reply);

/* One turn of the event loop: 0, or a negative errno (-EINTR after a signal, -ENOTCONN when the bus or daemon went). */
int bus_turn(Ctl *ctl, uint64_t usec);
/* Notices when the daemon leaves the bus. */
int bus_watch_daemon(Ctl *ctl);

/* Entries for an a{sv} that the caller opened. */
int bus_append_string(sd_bus_message *m, const char *key, const char *value);
int bus_append_bool(sd_bus_message *m, const char *key, bool value);
int bus_append_fd(sd_bus_message *m, const char *key, int fd);

/* All properties of an interface as an object; returns negative errno without saying anything. */
int bus_properties(Ctl *ctl, const char *path, const char *interface, json_t **ret);
/* The object manager's answer: path -> interface -> property. Returns 0 or a CtlExit after saying why. */
int bus_objects(Ctl *ctl, json_t **ret);

#endif
