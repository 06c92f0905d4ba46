/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions to other services (polkit, logind, the service manager). The bus lets a service wait for 128 answers at
 * once and refuses what is more; so only some are open, and the others wait, one of each user in turn.
 */
#ifndef EONAY_ASKING_H
#define EONAY_ASKING_H

#include "manager.h"

typedef struct Question Question;

/* Sends m, now or when others were answered. timeout_usec: from the sending on. handler: as for sd_bus_call_async(),
 * after which the question is gone. */
int question_ask(Manager *m, uid_t uid, sd_bus_message *message, uint64_t timeout_usec,
                 sd_bus_message_handler_t handler, void *userdata, Question **ret);
/* The answer is not wanted any more. */
Question *question_drop(Question *q);

#endif
