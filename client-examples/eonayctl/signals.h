/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SIGINT, SIGTERM and SIGHUP are taken by the event loop, so that a consent is cancelled and the echo put back. While
 * the program reads a file or pipe outside the loop they end it at once; the daemon then cancels what was open.
 */
#ifndef EONAYCTL_SIGNALS_H
#define EONAYCTL_SIGNALS_H

#include <signal.h>

/* Blocks them and SIGCHLD, for sd_event_add_signal() and sd_event_add_child(). */
void signals_block(void);

/* Lets them through until signals_restore(). */
sigset_t signals_release(void);
void signals_restore(sigset_t *before);

#define SIGNALS_END_US __attribute__((cleanup(signals_restore), unused)) sigset_t signals_before_ = signals_release()

#endif
