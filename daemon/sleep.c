/* SPDX-License-Identifier: Apache-2.0 */
/*
 * org.freedesktop.login1.Manager: Inhibit("sleep", …, "delay") gives a descriptor; PrepareForSleep(true) says that
 * sleep comes when the last such descriptor is closed, or after InhibitDelayMaxUSec; PrepareForSleep(false) says we are
 * awake. A logind that starts anew knows nothing of the descriptors of the one before.
 */
#include "sleep.h"

#include <fcntl.h>

#include "consent.h"
#include "log.h"
#include "module.h"
#include "reader.h"
#include "util.h"

#define LOGIND "org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager"
#define LOGIND_COMES                                                                                                   \
    "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',member='NameOwnerChanged',"          \
    "arg0='org.freedesktop.login1'"
#define SLEEP_GRACE (3u * USEC_PER_SEC) /* logind grants five seconds by default */

struct Sleep {
    Manager *manager;
    sd_bus_slot *match, *owner_match;
    sd_bus_slot *question;
    sd_event_source *grace;
    int inhibitor; /* -1: we hold none */
    bool preparing;
};

static int on_inhibited(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    (void)error;
    Sleep *s = userdata;
    int fd;
    s->question = sd_bus_slot_unref(s->question);
    if (sd_bus_message_is_method_error(reply, NULL) || sd_bus_message_read(reply, "h", &fd) < 0)
        return 0; /* no logind: sleep comes without us */
    safe_close(s->inhibitor);
    s->inhibitor = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    return 0;
}

static void inhibit(Sleep *s) {
    s->question = sd_bus_slot_unref(s->question);
    sd_bus_call_method_async(s->manager->bus, &s->question, LOGIND, "Inhibit", on_inhibited, s, "ssss", "sleep",
                             "eonayd", "Signatures are finished and cards closed before sleep", "delay");
}

/* Cards are closed; sleep may come. */
static void sleep_now(Sleep *s) {
    s->preparing = false;
    s->grace = sd_event_source_disable_unref(s->grace);
    consents_stop_signing(s->manager);
    modules_stop(s->manager);
    readers_stop(s->manager->readers);
    s->inhibitor = safe_close(s->inhibitor);
    log_info("cards are closed for sleep");
}

static int on_grace_over(sd_event_source *source, uint64_t usec, void *userdata) {
    (void)source;
    (void)usec;
    sleep_now(userdata);
    return 0;
}

void sleep_signing_ended(Sleep *s) {
    if (s && s->preparing && consents_committed(s->manager) == 0)
        sleep_now(s);
}

static void sleep_prepare(Sleep *s) {
    s->preparing = true;
    consents_cancel_uncommitted(s->manager);
    if (consents_committed(s->manager) == 0)
        sleep_now(s);
    else
        sd_event_add_time_relative(s->manager->event, &s->grace, CLOCK_MONOTONIC, SLEEP_GRACE, 0, on_grace_over, s);
}

static void sleep_over(Sleep *s) {
    log_info("awake: readers and cards are looked at again");
    inhibit(s);
    readers_start(s->manager->readers);
    for (guint i = 0; i < s->manager->modules->len; i++)
        module_list(s->manager->modules->pdata[i], -1, NULL, NULL);
}

static int on_prepare_for_sleep(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    (void)error;
    Sleep *s = userdata;
    int before;
    if (sd_bus_message_read(m, "b", &before) < 0)
        return 0;
    if (before)
        sleep_prepare(s);
    else
        sleep_over(s);
    return 0;
}

static int on_logind_owner(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    (void)error;
    const char *name, *before, *now;
    if (sd_bus_message_read(m, "sss", &name, &before, &now) >= 0 && *now)
        inhibit(userdata);
    return 0;
}

int sleep_new(Manager *m, Sleep **ret) {
    Sleep *s = g_new0(Sleep, 1);
    s->manager = m;
    s->inhibitor = -1;
    int r = sd_bus_match_signal_async(m->bus, &s->match, LOGIND, "PrepareForSleep", on_prepare_for_sleep, NULL, s);
    if (r >= 0)
        r = sd_bus_add_match_async(m->bus, &s->owner_match, LOGIND_COMES, on_logind_owner, NULL, s);
    if (r < 0) {
        sleep_free(s);
        return r;
    }
    inhibit(s);
    *ret = s;
    return 0;
}

Sleep *sleep_free(Sleep *s) {
    if (!s)
        return NULL;
    sd_bus_slot_unref(s->match);
    sd_bus_slot_unref(s->owner_match);
    sd_bus_slot_unref(s->question);
    sd_event_source_disable_unref(s->grace);
    safe_close(s->inhibitor);
    g_free(s);
    return NULL;
}
