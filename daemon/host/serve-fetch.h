/* SPDX-License-Identifier: Apache-2.0 */
/* Serving transfers, many at once: each runs in a thread of workers.c. */
#ifndef EONAY_HOST_SERVE_FETCH_H
#define EONAY_HOST_SERVE_FETCH_H

#include "host.h"

/* Before the first call. Negative errno. */
int fetch_prepare(Host *host);
/* Answers one transfer that is over. 0: there was none. */
int fetch_answer(Host *host);

#endif
