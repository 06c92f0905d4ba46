/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the signatures that the token made to the level that was asked for: stamped, provided with their material,
 * stamped again. Either all of them come out at that level, or none does.
 */
#ifndef EONAY_RAISE_H
#define EONAY_RAISE_H

#include "cades-level.h"
#include "fault.h"
#include "manager.h"

typedef struct Raise Raise;

/* messages: GBytes*, at the level; NULL with a fault. The Raise is gone when this is called. */
typedef void (*RaiseHandler)(const Fault *fault, GPtrArray *messages, void *userdata);

/* Why the level cannot be reached with what is configured; 0: it can, as far as can be told without asking anybody. */
int raise_possible(Manager *m, CadesLevel level);

/*
 * messages: GBytes*, signed, B-B or with their policy; certificate: the signer's. deadline: CLOCK_BOOTTIME
 * microseconds. The handler may be called before this returns. Positive: why it cannot begin.
 */
int raise_start(Manager *m, CadesLevel level, GPtrArray *messages, GBytes *certificate, uint64_t deadline,
                RaiseHandler handler, void *userdata, Raise **ret);
/*
 * The same for one signature that was finished before, of this or another daemon: up to B-T, B-LT or B-LTA; a B-LTA
 * gets one more archive time stamp. life: microseconds. Positive: UNSUPPORTED when there is no such way,
 * SIGNATURE_INVALID when the signature or a stamp on it is not sound.
 */
int raise_extend(Manager *m, CadesLevel level, GBytes *message, uint64_t life, RaiseHandler handler, void *userdata,
                 Raise **ret);
Raise *raise_cancel(Raise *r);

#endif
