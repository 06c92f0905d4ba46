/* SPDX-License-Identifier: Apache-2.0 */
/* Texts that reach a person in the daemon's language. What goes to the log stays English, so that a search finds it. */
#ifndef EONAY_TRANSLATE_H
#define EONAY_TRANSLATE_H

#include <libintl.h>

#include "names.h"

#define _(s) dgettext(EONAY_GETTEXT_DOMAIN, s)
#ifndef N_
#define N_(s) s
#endif

#endif
