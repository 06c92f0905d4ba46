/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One eonay-plugin-host as the daemon sees it: started when first called, called over its socket, started anew after it
 * died, left alone for a while when it keeps dying. host-protocol.h is the wire.
 */
#ifndef EONAY_HOST_H
#define EONAY_HOST_H

#include <glib.h>
#include <stdbool.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "config.h"
#include "fault.h"
#include "manifest.h"

typedef struct Host Host;
typedef struct HostCall HostCall;

/* What every host of the daemon shares; outlives them. */
typedef struct HostContext {
    sd_event *event;
    const Config *config;
    bool trust_own_uid;
} HostContext;

/*
 * purpose: for logs ("list", "sign", "ca"). files: configuration key → descriptor+1 as pointer (GINT_TO_POINTER), may
 * be NULL, borrowed like manifest and instance: all three outlive the host.
 */
Host *host_new(const HostContext *context, const Manifest *manifest, const InstanceConfig *instance, GHashTable *files,
               const char *purpose);
/* For a host that speaks on its own: its signals, and that it ended although nobody wanted it to. */
typedef void (*HostSignal)(sd_bus_message *m, void *userdata);
typedef void (*HostClosed)(void *userdata);
void host_watch(Host *h, HostSignal on_signal, HostClosed on_closed, void *userdata);
/* Ends the process; the next call starts another. Calls under way are answered with CANCELLED. */
void host_stop(Host *h);

/* Ends the process. Calls under way are answered with PLUGIN_FAILED first, unless host_call_forget() took them out. */
Host *host_free(Host *h);

/*
 * The answer: fault->code is 0 on success and reply stands behind the outcome; otherwise reply may be NULL. Called
 * exactly once, later than host_call() returns. The handler may free the host.
 */
typedef void (*HostHandler)(const Fault *fault, sd_bus_message *reply, void *userdata);

/*
 * Begins a message to the host, starting it if needed. Positive: PLUGIN_CRASHED while it is left alone after crashes,
 * or the fault of its last Open, in *ret_fault if not NULL.
 */
int host_begin(Host *h, const char *method, sd_bus_message **ret);
/* Sends it. deadline in microseconds: what the host itself grants the plugin. ret_call may be NULL. */
int host_call(Host *h, sd_bus_message *m, uint64_t deadline, HostHandler handler, void *userdata, HostCall **ret_call);
/* The handler will not be called any more; the host's answer is dropped. */
void host_call_forget(HostCall *call);

/* Ends the process now: something it does is no longer wanted. The next call starts another. */
void host_kill(Host *h);
/* The same if it is at something; NULL is fine. */
void host_kill_busy(Host *h);

/* Why the last Open failed, code 0 if it did not; valid until the next call. */
const Fault *host_open_fault(const Host *h);
/* Left alone after repeated crashes. */
bool host_quarantined(const Host *h);
/* How long it is not started because it died before, in microseconds. */
uint64_t host_pause(const Host *h);
/* Somebody has asked to try again: it is started at once, however often it has died. NULL is fine. */
void host_forgive(Host *h);
bool host_running(const Host *h);

#endif
