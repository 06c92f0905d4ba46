/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon-call.h"

#include "error.h"
#include "names.h"
#include "translate.h"

#define TIMEOUT_MS (300 * 1000) /* an authorisation question may be open as long as a code lives */

typedef struct Waiting {
    DaemonAnswer done;
    gpointer userdata;
    GDestroyNotify forget;
} Waiting;

static void on_done(GObject *bus, GAsyncResult *result, gpointer data) {
    g_autofree Waiting *w = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) answer =
        g_dbus_connection_call_with_unix_fd_list_finish(G_DBUS_CONNECTION(bus), NULL, result, &error);
    if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        w->done(answer, error, w->userdata);
    if (w->forget)
        w->forget(w->userdata);
}

void daemon_call(const DaemonCall *c, DaemonAnswer done, gpointer userdata) {
    Waiting *w = g_new(Waiting, 1);
    *w = (Waiting){done, userdata, c->forget};
    g_dbus_connection_call_with_unix_fd_list(c->bus, EONAY_BUS_NAME, c->path, c->interface, c->member, c->parameters,
                                             c->reply ? G_VARIANT_TYPE(c->reply) : NULL,
                                             G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, TIMEOUT_MS,
                                             c->descriptors, c->cancellable, on_done, w);
}

char *daemon_error_name(const GError *error) {
    char *name = g_dbus_error_get_remote_error(error);
    return name ? name : g_strdup("");
}

char *daemon_error_text(const GError *error) {
    g_autofree char *name = daemon_error_name(error);
    int code = eonay_error_from_name(name);
    if (code > 0)
        return g_strdup_printf("%s %s", eonay_error_text(code), eonay_error_hint(code));
    if (g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN) ||
        g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER))
        return g_strdup(_("The E-Onay service is not there. Install the package eonayd, or ask your administrator."));
    g_autoptr(GError) plain = g_error_copy(error);
    g_dbus_error_strip_remote_error(plain);
    return g_strdup(plain->message);
}
