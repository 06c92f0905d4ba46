/* SPDX-License-Identifier: Apache-2.0 */
/* The way back to the daemon, and the end. */
#include "host.h"

#include <glib.h>
#include <string.h>

#include "log.h"
#include "messages.h"
#include "util.h"

int host_ruined(Host *host, int r) {
    log_event(LOG_ERR, MESSAGE_HOST_FAILED, NULL, "%s: %s; the host ends",
              host->services.instance ? host->services.instance : "host", strerror(-r));
    host->ruined = true;
    return r;
}

int host_reply_new(sd_bus_message *request, const Call *call, sd_bus_message **ret) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    int r = sd_bus_message_new_method_return(request, &reply);
    if (r >= 0)
        r = call_append(reply, call);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(reply);
    return 0;
}

int host_reply_send(Host *host, sd_bus_message *reply, int r) {
    if (r >= 0)
        r = sd_bus_send(host->bus, reply, NULL);
    return r < 0 ? host_ruined(host, r) : 1;
}

void session_end(Host *host) {
    Session *s = &host->session;
    Call call;
    if (s->active) {
        call_begin(&call, host->deadlines[DEADLINE_LOGIN]);
        host->plugin->token->logout(host->context);
        call_end_void(&call);
    }
    if (s->secret)
        secret_erase(s->secret);
    g_free(s->token);
    *s = (Session){.secret = s->secret};
}

void host_close(Host *host) {
    Call call;
    if (!host->plugin)
        return;
    if (host->workers && !workers_idle(host->workers))
        return; /* calls are still running in it, and the process is about to end */
    session_end(host);
    call_begin(&call, host->deadlines[DEADLINE_CLOSE]);
    if (host->plugin->kind == EONAY_PLUGIN_TOKEN)
        host->plugin->token->close(host->context);
    else if (host->plugin->kind == EONAY_PLUGIN_CA)
        host->plugin->ca->close(host->context);
    else
        host->plugin->fetch->close(host->context);
    call_end_void(&call);
    host->plugin = NULL;
}
