/* SPDX-License-Identifier: Apache-2.0 */
/* The kind "reader" of host-protocol.h. */
#ifndef EONAY_HOST_SERVE_READER_H
#define EONAY_HOST_SERVE_READER_H

#include "confine.h"
#include "host.h"
#include "serve.h"

/* Confines the process and begins to watch. Negative errno: the host is ruined. */
int readers_open(Host *host, const Confinement *c);
/* Sends what there is to tell; to be called when pcsc_watch_fd() is readable. */
int readers_serve(Host *host);

#endif
