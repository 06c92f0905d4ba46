/* SPDX-License-Identifier: Apache-2.0 */
/* Faults are kept as JSON from the start: one shape for programs and people. */
#include "doctor.h"

#include <string.h>

#include "json.h"
#include "text.h"

static const struct {
    const char *name, *text, *advice, *command;
} rows[] = {
#define DOCTOR_ROW_(id, name, text, advice, command) {(name), (text), (advice), (command)},
    DOCTOR_TABLE(DOCTOR_ROW_)
#undef DOCTOR_ROW_
};

/* Names of cards and files are not ours: a shell must take them as one word. */
static char *shell_word(const char *argument) {
    for (const char *p = argument; *p; p++)
        if (!g_ascii_isalnum(*p) && !strchr("/._-:@+,", *p))
            return g_shell_quote(argument);
    return g_strdup(argument);
}

static char *fill_command(const char *command, const char *argument) {
    g_autofree char *clean = text_clean(argument);
    g_autofree char *word = shell_word(clean);
    g_auto(GStrv) parts = g_strsplit(command, "%s", -1);
    return g_strchomp(g_strjoinv(word, parts));
}

static DoctorFault fault_of(const json_t *found) {
    const char *name = json_get_string(found, "Fault", "");
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (strcmp(rows[i].name, name) == 0)
            return (DoctorFault)i;
    return DOCTOR_N_FAULTS;
}

bool doctor_has_found(const Doctor *d, DoctorFault fault) {
    json_t *one;
    size_t i;
    json_array_foreach(d->found, i, one) {
        if (fault_of(one) == fault)
            return true;
    }
    return false;
}

void doctor_found(Doctor *d, DoctorFault fault, const char *detail, const char *argument) {
    g_autofree char *clean = text_clean(detail ? detail : "");
    g_autofree char *command = fill_command(rows[fault].command, argument ? argument : "");
    size_t at = 0;
    while (at < json_array_size(d->found) && fault_of(json_array_get(d->found, at)) <= fault)
        at++;
    json_array_insert_new(d->found, at,
                          json_pack("{s:s, s:s, s:s, s:s, s:s}", "Fault", rows[fault].name, "Text", _(rows[fault].text),
                                    "Advice", _(rows[fault].advice), "Command", command, "Detail", clean));
}
