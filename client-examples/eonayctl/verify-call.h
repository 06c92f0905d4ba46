/* SPDX-License-Identifier: Apache-2.0 */
/* What the verification of one signature and of a container share; the options are those of the verb. */
#ifndef EONAYCTL_VERIFY_CALL_H
#define EONAYCTL_VERIFY_CALL_H

#include <jansson.h>

#include "ctl.h"

typedef struct VerifyInput {
    int signature, content, anchors, lists;
    uint64_t at; /* microseconds; 0: now */
} VerifyInput;

/* Returns a CtlExit after saying why. */
int verify_call(Ctl *ctl, const VerifyInput *input, json_t **ret);
void verify_show(const json_t *report);
void verify_show_line(const char *label, const char *value);
/* The exit code that stands for it. */
int verify_outcome(const json_t *report);

/* An ASiC-E: its manifest, its time stamp, each signature. input: without signature and content.
 * Shows the report and returns the CtlExit. */
int verify_container(Ctl *ctl, GBytes *container, const VerifyInput *input);

#endif
