/* SPDX-License-Identifier: Apache-2.0 */
/* fault() knows no call, only the thread it is in: so the running call is noted per thread. */
#include "call.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "deadline.h"
#include "error.h"
#include "host-protocol.h"
#include "text.h"

static _Thread_local Call *running;

static void call_clear(Call *call) {
    *call = (Call){.tries_left = -1};
}

void call_begin(Call *call, uint32_t deadline) {
    call_clear(call);
    running = call;
    deadline_arm(deadline);
}

void call_end_void(Call *call) {
    deadline_disarm();
    running = NULL;
    call_clear(call);
}

int call_fail(Call *call, int code, const char *text) {
    g_autofree char *clean = text_clean(text, EONAY_STRING_MAX);
    call->code = code;
    g_strlcpy(call->text, clean, sizeof(call->text));
    return code;
}

int call_end(Call *call, int r) {
    deadline_disarm();
    running = NULL;
    if (r < 0)
        return r;
    if (r > 0 && r == call->code)
        return r;
    call_clear(call);
    if (r > 0 && !eonay_error_name(r)) {
        call->native_code = (uint64_t)r;
        return call_fail(call, EONAY_ERROR_PLUGIN_FAILED,
                         "the plugin returned a number that is no documented condition");
    }
    call->code = r;
    return r;
}

int call_fault(int code, int tries_left, uint64_t native_code, const char *text) {
    if (!eonay_error_name(code))
        code = EONAY_ERROR_PLUGIN_FAILED;
    if (!running)
        return code;
    call_fail(running, code, text);
    running->tries_left = tries_left < 0 ? -1 : tries_left;
    running->native_code = native_code;
    return code;
}

int call_append(sd_bus_message *reply, const Call *call) {
    return sd_bus_message_append(reply, HOST_OUTCOME, call->code, call->tries_left, call->native_code, call->text);
}
