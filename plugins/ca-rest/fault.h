/* SPDX-License-Identifier: Apache-2.0 */
/* Telling the host why a call fails, with a formatted text: English, no code, no name, no identity number. */
#ifndef CA_REST_FAULT_H
#define CA_REST_FAULT_H

#include "eonay/plugin.h"

/* Returns code. seconds: how long to wait before the next try, 0 when nobody said. format may be NULL. */
__attribute__((format(printf, 4, 5))) int fault(const EonayHost *host, EonayError code, uint64_t seconds,
                                                const char *format, ...);

/* A copy of a string in the host's memory, for values returned. NULL stays NULL. */
char *host_strdup(const EonayHost *host, const char *s);

#endif
