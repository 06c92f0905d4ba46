/* SPDX-License-Identifier: Apache-2.0 */
/* What both programs of the agent give up before they do anything else. */
#ifndef EONAY_AGENT_CONFINE_H
#define EONAY_AGENT_CONFINE_H

/*
 * No network (sockets of the family AF_UNIX alone, no io_uring), no core dump, no tracing by programs of the same user,
 * no new privileges; holds for child processes too, apart from the tracing. Returns 0 or a negative errno.
 */
int confine(void);

#endif
