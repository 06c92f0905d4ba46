/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of the instance's configuration section, checked. README.md explains each. */
#ifndef CA_LOCAL_SETTINGS_H
#define CA_LOCAL_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "cades-level.h"
#include "eonay/plugin.h"

#define REQUESTER_NAME_MAX 127u /* bytes: EonayCapabilities.name */
#define TEXT_VERSION_MAX   64u

/* Strings belong to the host and live as long as the instance. */
typedef struct Settings {
    const char *database;
    const char *trust_anchors;
    const char *intermediates; /* may be NULL */
    const char *requester_name;
    const char *text_file;    /* NULL: the text of the seed document */
    const char *text_version; /* NULL: derived from the text */
    bool allow_repeats;
    CadesLevel level;       /* that signatures must have */
    uint32_t code_lifetime; /* seconds */
    uint32_t guesses_per_minute;
} Settings;

/* Error: PLUGIN_FAILED, with a text that names the key and its value. */
int settings_read(const EonayHost *host, Settings *ret);

#endif
