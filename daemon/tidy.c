/* SPDX-License-Identifier: Apache-2.0 */
#include "tidy.h"

#include <malloc.h>

#include "util.h"

#define QUIET_USEC (1u * USEC_PER_SEC)

static int on_quiet(sd_event_source *source, uint64_t usec, void *userdata) {
    (void)source;
    (void)usec;
    const Manager *m = userdata;
#ifdef __GLIBC__
    if (g_hash_table_size(m->consents) == 0)
        malloc_trim(0);
#endif
    return 0;
}

int tidy_new(sd_event *event, Manager *m, sd_event_source **ret) {
    int r = sd_event_add_time_relative(event, ret, CLOCK_MONOTONIC, QUIET_USEC, 0, on_quiet, m);
    return r < 0 ? r : sd_event_source_set_enabled(*ret, SD_EVENT_OFF);
}

void tidy_later(Manager *m) {
    int enabled = SD_EVENT_OFF;
    if (!m->tidy || g_hash_table_size(m->consents) > 0)
        return;
    if (sd_event_source_get_enabled(m->tidy, &enabled) < 0 || enabled != SD_EVENT_OFF)
        return; /* it is on its way, and will look */
    sd_event_source_set_time_relative(m->tidy, QUIET_USEC);
    sd_event_source_set_enabled(m->tidy, SD_EVENT_ONESHOT);
}
