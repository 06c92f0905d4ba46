/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The read end of a pipe with a PIN in it. The daemon never reads it: it waits until every writer has closed, which the
 * kernel tells without a byte being taken out, and hands the descriptor on to the host that signs.
 */
#ifndef EONAY_PINPIPE_H
#define EONAY_PINPIPE_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

typedef struct PinPipe PinPipe;

/* r: 0 when delivered, TIMED_OUT when the writer did not close in time. Called later than pinpipe_wait() returns. */
typedef void (*PinPipeHandler)(int r, void *userdata);

/* 0, or DESCRIPTOR_INVALID: not the read end of a pipe. */
int pinpipe_check(int fd);
/* Duplicates fd and waits. Positive: DESCRIPTOR_INVALID. */
int pinpipe_wait(sd_event *event, int fd, uint64_t timeout_usec, PinPipeHandler handler, void *userdata, PinPipe **ret);
/* The descriptor, owned by the pipe. */
int pinpipe_fd(const PinPipe *p);
/* Whether its content is still in it, told by the kernel without taking a byte out. */
bool pinpipe_is_full(const PinPipe *p);
/* Also ends the waiting. */
PinPipe *pinpipe_free(PinPipe *p);

#endif
