/* SPDX-License-Identifier: Apache-2.0 */
/* Serving an authority: one call after the other, or many at once when its plugin is concurrent. */
#ifndef EONAY_HOST_SERVE_CA_H
#define EONAY_HOST_SERVE_CA_H

#include "host.h"

/* Before the first call: threads, if the plugin wants to be called from several. Negative errno. */
int ca_prepare(Host *host);
/* Answers one call that a thread has made. 0: there was none. */
int ca_answer(Host *host);

#endif
