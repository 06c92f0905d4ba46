/* SPDX-License-Identifier: Apache-2.0 */
/* Query strings and form bodies: every name and value percent-encoded. */
#ifndef EONAY_PORTAL_URL_H
#define EONAY_PORTAL_URL_H

#include <glib.h>

/* Appends name=value to an address without a fragment, with ? or & before it as needed. */
void url_append(GString *url, const char *name, const char *value);
/* Appends name=value to a form body. */
void form_append(GString *form, const char *name, const char *value);

#endif
