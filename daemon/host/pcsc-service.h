/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is the smart card service there, and when does it come? pcscd has a socket in a folder of /run. Whoever waits for it
 * sleeps in the kernel until somebody makes that folder or that socket.
 */
#ifndef EONAY_HOST_PCSC_SERVICE_H
#define EONAY_HOST_PCSC_SERVICE_H

#include <stdbool.h>

typedef struct PcscService {
    int run;     /* the /run that everybody sees; ours is another. O_PATH */
    int inotify; /* on it and on its pcscd folder */
} PcscService;

/* Takes `run` over. From here on libpcsclite finds pcscd by way of it. */
int pcsc_service_init(PcscService *s, int run);

/* From now on what happens to the socket is noticed: to be called before looking whether it is there. */
void pcsc_service_watch(PcscService *s);
/*
 * Sleeps until something happened to it, `wake` is readable, or so many milliseconds went by (-1: no limit). True when
 * it was the socket.
 */
bool pcsc_service_wait(PcscService *s, int wake, int milliseconds);

/* Somebody listens on the socket, or we are not allowed to see whether: asked after libpcsclite has failed. */
bool pcsc_service_is_there(const PcscService *s);

#endif
