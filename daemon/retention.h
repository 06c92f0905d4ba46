/* SPDX-License-Identifier: Apache-2.0 */
/* Erases records that have been at their end for longer than [Journal] RetentionDays=, at the start and once a day. */
#ifndef EONAY_RETENTION_H
#define EONAY_RETENTION_H

#include "manager.h"

typedef struct Retention Retention;

/* *ret is NULL when records are kept for ever. */
int retention_new(Manager *m, Retention **ret);
Retention *retention_free(Retention *r);

#endif
