/* SPDX-License-Identifier: Apache-2.0 */
/* Reading options and filling dictionaries, the same way everywhere. */
#ifndef EONAY_BUS_UTIL_H
#define EONAY_BUS_UTIL_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

/*
 * One key of an a{sv} argument. type and target:
 *   "s", "o"  const char **, borrowed from the message
 *   "b"       bool *
 *   "i" "u" "t"  int32_t *, uint32_t *, uint64_t *
 *   "h"       int *, borrowed
 *   "as"      char ***, the caller frees it with g_strfreev()
 */
typedef struct BusOption {
    const char *key;
    const char *type;
    void *target;
} BusOption;

/* Reads the a{sv} at the message's position. table ends with a NULL key. Sets InvalidArgs, naming the key, for one that
 * is unknown, of another type, or given twice. */
int bus_read_options(sd_bus_message *m, const BusOption *table, sd_bus_error *error);
/* For methods that take none. */
int bus_read_no_options(sd_bus_message *m, sd_bus_error *error);
/* The same for an answer of a host: unknown keys are skipped, a wrong type is -EBADMSG. */
int bus_read_dict(sd_bus_message *m, const BusOption *table);

/* For containers of messages: sd_bus_message_unref() returns a value. */
void bus_message_destroy(gpointer message);

int bus_invalid_args(sd_bus_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* One entry of an open a{sv} container. NULL strings are sent as empty ones. */
int bus_append_string(sd_bus_message *m, const char *key, const char *value);
int bus_append_path(sd_bus_message *m, const char *key, const char *value);
int bus_append_bool(sd_bus_message *m, const char *key, bool value);
int bus_append_i32(sd_bus_message *m, const char *key, int32_t value);
int bus_append_u32(sd_bus_message *m, const char *key, uint32_t value);
int bus_append_u64(sd_bus_message *m, const char *key, uint64_t value);
int bus_append_strv(sd_bus_message *m, const char *key, char *const *value);
int bus_append_bytes(sd_bus_message *m, const char *key, const void *bytes, size_t size);

/* Bulk data comes and goes as sealed memfds only: an ordinary file could block, or change while it is read.
 * Errors: DESCRIPTOR_INVALID, FILE_INVALID (larger than max), negative errno. */
int memfd_check(int fd, size_t max, size_t *ret_size);
int memfd_read(int fd, size_t max, GBytes **ret);
int memfd_write(const char *name, GBytes *bytes);

#endif
