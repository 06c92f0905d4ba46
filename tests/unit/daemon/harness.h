/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the daemon's parts share: a folder of their own, and a main() that runs one suite. */
#ifndef EONAY_TEST_DAEMON_HARNESS_H
#define EONAY_TEST_DAEMON_HARNESS_H

#include <check.h>
#include <glib.h>

/* A new folder below the temporary one; harness_remove() takes it away with all that is in it. */
char *harness_folder(void);
void harness_remove(char *folder);
/* folder/name with this content; returns the path. */
char *harness_file(const char *folder, const char *name, const char *content);

/* Runs the suite in processes of their own; the exit status for main(). */
int harness_run(Suite *suite);

#endif
