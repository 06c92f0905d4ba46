/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's way to end this process at once, also while a module hangs with every signal blocked: it may be another
 * user's process, which no signal of the daemon's reaches. A datagram on the leash is turned into SIGKILL by the
 * kernel. A leash that is merely closed says nothing: the process ends with its connection, and finishes first what its
 * module writes.
 */
#ifndef EONAY_HOST_LEASH_H
#define EONAY_HOST_LEASH_H

/* Takes the descriptor, a datagram socket, over for the rest of the process's life. Negative errno. */
int leash_hold(int fd);

#endif
