/* SPDX-License-Identifier: Apache-2.0 */
/*
 * D-Bus values as JSON, with the names of the contract: a{sv} is an object, ay is base64, times stay microseconds UTC,
 * a descriptor is null. Verbs read answers through it as well, so that one parser sees whatever the daemon sends.
 */
#ifndef EONAYCTL_JSON_H
#define EONAYCTL_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

/* The next complete value of the message. Returns 0 or a negative errno. */
int json_read(sd_bus_message *m, json_t **ret);

/* Prints to standard output with a line end, and releases it. */
void json_print(json_t *value);
/* The same as text; release with g_free(). */
char *json_text(const json_t *value);

/* Members of an object; the fallback when it is missing or of another type. Strings belong to the object. */
const char *json_get_string(const json_t *object, const char *key, const char *fallback);
int64_t json_get_integer(const json_t *object, const char *key, int64_t fallback);
bool json_get_bool(const json_t *object, const char *key, bool fallback);

static inline void json_freep(json_t **value) {
    json_decref(*value);
}
#define _cleanup_json_ _cleanup_(json_freep)

#endif
