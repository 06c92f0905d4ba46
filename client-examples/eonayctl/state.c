/* SPDX-License-Identifier: Apache-2.0 */
/* Three small tables; an error's text comes from the table that all programs share. */
#include "state.h"

#include "ctl.h"
#include "error.h"

typedef struct StateRow {
    const char *state;
    const char *text;
} StateRow;

static const StateRow consent_states[] = {
    {"reviewing", N_("The text is being read")},
    {"authorising", N_("Waiting for permission")},
    {"confirming", N_("Waiting for the confirmation of the text")},
    {"awaiting-pin", N_("Waiting for the PIN")},
    {"signing", N_("The token is signing")},
    {"verifying", N_("The signature is being verified")},
    {"submitting", N_("The signature is being sent to the authority")},
    {"done", N_("Done")},
    {"failed", N_("Failed")},
    {"cancelled", N_("Cancelled")},
    {"expired", N_("Expired")},
    {"imported", N_("Imported")},
    {NULL},
};

static const StateRow pin_states[] = {
    {"ok", N_("fine")},       {"low", N_("a wrong PIN was entered")},   {"final-try", N_("one try is left")},
    {"locked", N_("locked")}, {"unknown", N_("not told by the token")}, {NULL},
};

static const StateRow object_states[] = {
    {"ready", N_("ready")},
    {"not-used-yet", N_("ready, not used yet")},
    {NULL},
};

static const char *find_text(const StateRow *row, const char *state) {
    for (; row->state; row++)
        if (g_strcmp0(row->state, state) == 0)
            return _(row->text);
    return state ? state : "";
}

const char *state_of_consent(const char *state) {
    return find_text(consent_states, state);
}

const char *state_of_pin(const char *state) {
    return find_text(pin_states, state);
}

const char *state_of_object(const char *state) {
    int code = eonay_error_from_name(state);
    return code > 0 ? eonay_error_text(code) : find_text(object_states, state);
}
