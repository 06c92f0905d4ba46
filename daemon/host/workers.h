/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads for the calls of a concurrent plugin. A job goes in on the thread that holds the connection, is run on one of
 * at most WORKERS_MAX others, and comes out where it went in: nobody else ever touches the connection. Threads are made
 * when they are needed and stay.
 */
#ifndef EONAY_HOST_WORKERS_H
#define EONAY_HOST_WORKERS_H

#include <stdbool.h>

#define WORKERS_MAX 16u

typedef struct Workers Workers;

/* run: what a thread does with a job. */
int workers_new(void (*run)(void *job), Workers **ret);
/* Negative errno when there is no thread at all to run it: the job stays the caller's. */
int workers_push(Workers *w, void *job);
/* A job that has been run, or NULL. */
void *workers_take(Workers *w);
/* Readable when there is something to take. */
int workers_fd(const Workers *w);
/* No job is with them. */
bool workers_idle(const Workers *w);

#endif
