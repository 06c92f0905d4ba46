/* SPDX-License-Identifier: Apache-2.0 */
/* The bad things a module can do to the process that loads it. */
#ifndef SCRIPTED_FAULT_H
#define SCRIPTED_FAULT_H

#include "script.h"

/* Runs every fault for this call. CKR_OK when the call may go on; many faults never return. */
CK_RV faults_run(Script *script, const char *function, long slot);
/* One action by itself (the constructor's). */
CK_RV fault_perform(const FaultScript *fault);
/* Sleeps the whole time whatever signals arrive. */
void fault_delay(unsigned milliseconds);

#endif
