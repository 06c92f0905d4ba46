/* SPDX-License-Identifier: Apache-2.0 */
#include "fault.h"

#include <errno.h>
#include <glib.h>
#include <stdarg.h>

#include "error.h"

void fault_clear(Fault *f) {
    g_free(f->text);
    *f = FAULT_NONE;
}

Fault fault_copy(const Fault *f) {
    Fault copy = *f;
    copy.text = g_strdup(f->text);
    return copy;
}

Fault fault_printf(int code, const char *format, ...) {
    va_list ap;
    va_start(ap, format);
    Fault f = FAULT(code);
    f.text = g_strdup_vprintf(format, ap);
    va_end(ap);
    return f;
}

const char *fault_name(const Fault *f) {
    return f->bus_name ? f->bus_name : eonay_error_name(f->code);
}

int fault_to_bus(const Fault *f, sd_bus_error *ret) {
    const char *name = fault_name(f);
    if (f->bus_name && f->text) {
        sd_bus_error_set(ret, name, f->text);
        return -EBADR;
    }
    if (!name)
        return sd_bus_error_set_errnof(ret, EIO, "unknown condition %d", f->code);
    g_autoptr(GString) message = g_string_new(eonay_error_text(f->code));
    if (f->text)
        g_string_append_printf(message, " (%s)", f->text);
    g_string_append_printf(message, " %s", eonay_error_hint(f->code));
    sd_bus_error_set(ret, name, message->str);
    return -EBADR; /* a handler's negative return; the name above is what the caller sees */
}

int fault_code_to_bus(int code, sd_bus_error *ret) {
    Fault f = FAULT(code);
    return fault_to_bus(&f, ret);
}
