/* SPDX-License-Identifier: Apache-2.0 */
/* One row a state; the names are those of the contract (Consent.StateChanged). */
#include "consent-state.h"

#include "ctl.h"

static const struct {
    const char *state;
    const char *text;
} states[] = {
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
};

const char *consent_state_text(const char *state) {
    for (size_t i = 0; i < G_N_ELEMENTS(states); i++)
        if (g_strcmp0(states[i].state, state) == 0)
            return _(states[i].text);
    return state ? state : "";
}
