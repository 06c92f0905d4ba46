/* SPDX-License-Identifier: Apache-2.0 */
/* Gives memory back after many consents: a moment after the last one has gone, what they left free in the heap. */
#ifndef EONAY_TIDY_H
#define EONAY_TIDY_H

#include "manager.h"

int tidy_new(sd_event *event, Manager *m, sd_event_source **ret);
/* A consent has gone. */
void tidy_later(Manager *m);

#endif
