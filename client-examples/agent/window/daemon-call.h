/* SPDX-License-Identifier: Apache-2.0 */
/* Asynchronous calls to the daemon, and what their failures mean to a person. */
#ifndef EONAY_AGENT_DAEMON_CALL_H
#define EONAY_AGENT_DAEMON_CALL_H

#include <gio/gio.h>
#include <gio/gunixfdlist.h>

/* Exactly one of answer and error is set. Not called when the call was cancelled. */
typedef void (*DaemonAnswer)(GVariant *answer, const GError *error, gpointer userdata);

typedef struct DaemonCall {
    GDBusConnection *bus;
    GCancellable *cancellable;
    const char *path, *interface, *member;
    GVariant *parameters;     /* floating */
    GUnixFDList *descriptors; /* or NULL */
    const char *reply;        /* type string */
    GDestroyNotify forget;    /* of the user data, also after a call that was cancelled; or NULL */
} DaemonCall;

void daemon_call(const DaemonCall *call, DaemonAnswer done, gpointer userdata);

/* The D-Bus name of an error, "" when it has none. Release with g_free(). */
char *daemon_error_name(const GError *error);
/* What happened and the next step, in the user's language. Release with g_free(). */
char *daemon_error_text(const GError *error);

#endif
