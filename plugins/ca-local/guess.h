/* SPDX-License-Identifier: Apache-2.0 */
/* Counting codes that nobody was given, so that digits cannot be tried. */
#ifndef CA_LOCAL_GUESS_H
#define CA_LOCAL_GUESS_H

#include "ca.h"

/* Right codes are still accepted up to this many times GuessesPerMinute. README.md has the odds. */
#define GUESS_CEILING_FACTOR 20

/* 0 when a code may be looked up at all. Error: RATE_LIMITED, with the seconds to wait. */
int guess_allowed(Ca *ca, int64_t now);
/* Records a wrong guess and commits the transaction. Returns CODE_UNKNOWN, or RATE_LIMITED when it was one too many. */
int guess_record(Ca *ca, int64_t now, Store **transaction);

#endif
