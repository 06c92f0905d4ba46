/* SPDX-License-Identifier: Apache-2.0 */
/* A documented condition with its particulars, as it travels from a plugin or a check to the caller. */
#ifndef EONAY_FAULT_H
#define EONAY_FAULT_H

#include <stdint.h>
#include <systemd/sd-bus.h>

typedef struct Fault {
    int code;       /* EonayError; 0: none */
    int tries_left; /* PIN tries, -1 unknown */
    uint64_t
        native_code; /* the library's own number; seconds to wait for RATE_LIMITED and BACKEND_UNREACHABLE; 0: none */
    const char *bus_name; /* a static D-Bus error name that goes over the code's own; NULL: none */
    char *text;           /* English detail for the log and the caller, may be NULL; never personal or secret */
} Fault;

#define FAULT_NONE   ((Fault){.tries_left = -1})
#define FAULT(code_) ((Fault){.code = (code_), .tries_left = -1})

void fault_clear(Fault *f);
Fault fault_copy(const Fault *f);
Fault fault_printf(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Fills a D-Bus error: name, then text, detail and hint in the daemon's language. Returns a negative errno for
 * handlers. */
/* The D-Bus error name; NULL when the code is none of ours. */
const char *fault_name(const Fault *f);
int fault_to_bus(const Fault *f, sd_bus_error *ret);
int fault_code_to_bus(int code, sd_bus_error *ret);

#endif
