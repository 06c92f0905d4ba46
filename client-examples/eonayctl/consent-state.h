/* SPDX-License-Identifier: Apache-2.0 */
/* The states of a consent in the user's words. */
#ifndef EONAYCTL_CONSENT_STATE_H
#define EONAYCTL_CONSENT_STATE_H

/* Translated; an unknown state as it is. */
const char *consent_state_text(const char *state);

#endif
