/* SPDX-License-Identifier: Apache-2.0 */
/* An error of the daemon in the user's words: text and hint by the error's name, and the exit code that stands for it.
 */
#ifndef EONAYCTL_FAILURE_H
#define EONAYCTL_FAILURE_H

#include "ctl.h"

/* The exit code of an EonayError, of a D-Bus error name, of a negative errno. */
CtlExit failure_exit(int code);
CtlExit failure_exit_by_name(const char *name);

/* What of the daemon's own message ("TEXT (detail) HINT", in its language) is not said by the table already; NULL when
 * nothing. Release with g_free(). */
char *failure_detail(int code, const char *message);

/* Says it on standard error (with --json as an object on standard output too) and returns the exit code. */
int failure_report(Ctl *ctl, int r, const sd_bus_error *error);
int failure_report_named(Ctl *ctl, const char *name, const char *message);
int failure_report_code(Ctl *ctl, int code, const char *detail);
int failure_report_errno(Ctl *ctl, int r);

#endif
