/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The documented conditions (plugins/include/eonay/error-table.h) as D-Bus names and texts.
 * Texts are returned in the language of the process's LC_MESSAGES through gettext.
 */
#ifndef EONAY_ERROR_H
#define EONAY_ERROR_H

#include <stdint.h>

#include "eonay/plugin.h"

/* Full D-Bus name, "org.eonay.EOnay1.Error.CodeInvalid"; NULL for a code that is not in the table. Static. */
const char *eonay_error_name(int code);
/* Its last element, "CodeInvalid". Static. */
const char *eonay_error_short_name(int code);
/* What happened and what to do next, translated. Static. */
const char *eonay_error_text(int code);
const char *eonay_error_hint(int code);
/* The code of a full or short name, 0 when unknown. */
int eonay_error_from_name(const char *name);
/* The condition a PKCS#11 return value means; EONAY_ERROR_PLUGIN_FAILED for one that is in no row. */
int eonay_error_from_ckr(uint64_t ckr);

#endif
