/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The threads that handle requests, each with a Store of its own, and the bounded queue before them. The threads of the
 * server only move bytes: whoever sends slowly holds up nobody.
 */
#ifndef PORTAL_WORKER_H
#define PORTAL_WORKER_H

#include "portal.h"

#define WORKER_QUEUE_MAX 256

typedef struct Workers Workers;
/* Called in a worker's thread when the reply is there; takes it over. */
typedef void (*WorkerDone)(Request *request, Reply *reply, void *data);

int workers_new(Portal *portal, WorkerDone done, Workers **ret);
/* Lets what is queued finish; from then on nothing is taken. */
void workers_stop(Workers *w);
Workers *workers_free(Workers *w);
/* False when the queue is full. */
bool workers_push(Workers *w, Request *request, void *data);

#endif
