/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One call into the plugin: its deadline, and what came out of it. A Call belongs to the thread that makes it, and
 * nothing else is shared between two of them: an authority whose plugin is concurrent can be served by several threads
 * with no change here.
 */
#ifndef EONAY_HOST_CALL_H
#define EONAY_HOST_CALL_H

#include <stdint.h>
#include <systemd/sd-bus.h>

#include "names.h"

typedef struct Call {
    int code; /* 0 or an EonayError */
    int tries_left;
    uint64_t native_code;
    char text[EONAY_STRING_MAX + 1];
} Call;

/* Arms the deadline. Between begin and end only the plugin runs. */
void call_begin(Call *call, uint32_t deadline);
/*
 * Disarms it and takes what the plugin returned: 0; a condition, with the details of fault() if those were about the
 * same; PLUGIN_FAILED for a number that is no condition. A negative errno comes back unchanged: the plugin is of no use
 * any more.
 */
int call_end(Call *call, int r);
/* For operations that return nothing. */
void call_end_void(Call *call);

/* Makes the outcome a condition that the host itself has found. Returns `code`. */
int call_fail(Call *call, int code, const char *text);
/* EonayHost.fault() for the call that this thread is in. */
int call_fault(int code, int tries_left, uint64_t native_code, const char *text);

/* Appends HOST_OUTCOME. */
int call_append(sd_bus_message *reply, const Call *call);

#endif
