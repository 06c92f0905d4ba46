/* SPDX-License-Identifier: Apache-2.0 */
/* What the daemon names with a word, in the user's words. A word that is not known is returned as it is. */
#ifndef EONAYCTL_STATE_H
#define EONAYCTL_STATE_H

/* Of a consent (Consent.StateChanged). */
const char *state_of_consent(const char *state);
/* Of a token's PIN (Token.PinState). */
const char *state_of_pin(const char *state);
/* Of a token or an authority: ready, not-used-yet, or the short name of the error that keeps it from being used. */
const char *state_of_object(const char *state);

#endif
