/* SPDX-License-Identifier: Apache-2.0 */
/* One line of the script language, whether it comes from a file, standard input or the control socket. README.md lists
 * the commands. */
#ifndef VCARD_CONTROL_H
#define VCARD_CONTROL_H

#include "link.h"

enum { LINE_MAXIMUM = 512, REPLY_MAXIMUM = 512 };

/* Runs the line, which is cut up. `ret_reply` is "ok", "error …" or a report, without a newline. False for an error.
 * "exit" sets *ret_exit. */
bool control_line(Link *link, char *line, char ret_reply[static REPLY_MAXIMUM], bool *ret_exit);

#endif
