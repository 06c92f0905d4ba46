/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages that wait for something to happen to a code, without holding a thread. What happens in this instance is told by
 * code_watch_bell() and wakes them at once; what another instance does is found by looking once a second.
 */
#ifndef PORTAL_CODE_WATCH_H
#define PORTAL_CODE_WATCH_H

#include "code.h"

#define CODE_WATCH_SECONDS_MAX 25
#define CODE_WATCH_MAX         1024 /* waiting pages of an instance */
#define CODE_WATCH_SAME_MAX    8    /* of one code */

typedef struct CodeWatch CodeWatch;

int code_watch_start(Portal *portal, CodeWatch **ret);
/* Wakes all; nothing waits afterwards. */
void code_watch_close(CodeWatch *w);
CodeWatch *code_watch_stop(CodeWatch *w); /* after code_watch_close() */

/* True: the request waits until the code's progress is another one, or until that moment; its handler, which returns
 * NULL now, is called again then. False: too many wait, or the portal ends. */
bool code_watch_wait(CodeWatch *w, Request *request, int64_t code_id, CodeProgress known, int64_t until);
/* Something happened to this code, and is on record. */
void code_watch_bell(CodeWatch *w, int64_t code_id);

#endif
