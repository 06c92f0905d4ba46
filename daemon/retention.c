/* SPDX-License-Identifier: Apache-2.0 */
/* In slices, one in each idle turn of the loop. The clock is the one that goes on while the machine sleeps. */
#include "retention.h"

#include "log.h"
#include "util.h"

#define DAY (24u * 3600u * USEC_PER_SEC)

struct Retention {
    Manager *manager;
    sd_event_source *slice, *daily;
    unsigned erased; /* in this round */
};

static int on_slice(sd_event_source *source, void *userdata) {
    Retention *r = userdata;
    uint64_t age = r->manager->config->retention_days * DAY, now = (uint64_t)g_get_real_time();
    unsigned n = 0;
    bool more = age < now && journal_erase_older(r->manager->journal, now - age, &n) == 0 && n > 0;
    r->erased += n;
    if (more)
        return 0;
    if (r->erased > 0)
        log_info("%u records older than %u days were erased", r->erased, (unsigned)r->manager->config->retention_days);
    r->erased = 0;
    return sd_event_source_set_enabled(source, SD_EVENT_OFF);
}

static int on_day(sd_event_source *source, uint64_t usec, void *userdata) {
    (void)usec;
    Retention *r = userdata;
    sd_event_source_set_time_relative(source, DAY);
    sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
    return sd_event_source_set_enabled(r->slice, SD_EVENT_ON);
}

int retention_new(Manager *m, Retention **ret) {
    if (m->config->retention_days == 0) {
        *ret = NULL;
        return 0;
    }
    Retention *r = g_new0(Retention, 1);
    r->manager = m;
    int x = sd_event_add_defer(m->event, &r->slice, on_slice, r);
    if (x >= 0)
        x = sd_event_source_set_priority(r->slice, SD_EVENT_PRIORITY_IDLE);
    if (x >= 0)
        x = sd_event_source_set_enabled(r->slice, SD_EVENT_ON);
    if (x >= 0)
        x = sd_event_add_time_relative(m->event, &r->daily, CLOCK_BOOTTIME, DAY, 60 * USEC_PER_SEC, on_day, r);
    if (x < 0) {
        retention_free(r);
        return x;
    }
    *ret = r;
    return 0;
}

Retention *retention_free(Retention *r) {
    if (!r)
        return NULL;
    sd_event_source_disable_unref(r->slice);
    sd_event_source_disable_unref(r->daily);
    g_free(r);
    return NULL;
}
