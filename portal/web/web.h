/* SPDX-License-Identifier: Apache-2.0 */
/* What the pages know beside the portal itself: sections [Web] and [Login NAME] of the configuration. */
#ifndef EONAY_PORTAL_WEB_H
#define EONAY_PORTAL_WEB_H

#include "../portal.h"
#include "login.h"
#include "session.h"

#define WEB_PROVIDERS_MAX 8

typedef struct Web {
    SessionLimits limits;
    int renewal_months;    /* a renewal is produced so many months before the certificate's end */
    char *application_url; /* where the local program is explained or fetched */
    char *support_url;     /* NULL: the portal's own page */
    LoginProvider *providers[WEB_PROVIDERS_MAX];
    size_t n_providers;
    int logins_at_once; /* how many workers may wait for identity providers */
    int logins_running; /* changed atomically */
} Web;

/* The provider whose addresses carry this id, or NULL. */
const LoginProvider *web_provider(const Web *web, const char *id);

/* web-config.c: NULL with the reason in *ret_error (g_free). */
Web *web_load(const Config *config, char **ret_error);
Web *web_free(Web *web);

#endif
