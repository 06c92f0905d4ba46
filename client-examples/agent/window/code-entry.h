/* SPDX-License-Identifier: Apache-2.0 */
/* A verification code as people type and paste it. */
#ifndef EONAY_AGENT_CODE_ENTRY_H
#define EONAY_AGENT_CODE_ENTRY_H

#include <glib.h>

#define CODE_DIGITS 15u

/*
 * Drops Unicode white space and dashes. Returns the digits when nothing else remains, else NULL; ret_count is how many
 * there are. Release with g_free().
 */
char *code_entry_digits(const char *typed, guint *ret_count);

#endif
