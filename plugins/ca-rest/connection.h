/* SPDX-License-Identifier: Apache-2.0 */
/* How the authority is reached and known: TLS, proxy, keys; and what a failed connection means. */
#ifndef CA_REST_CONNECTION_H
#define CA_REST_CONNECTION_H

#include <curl/curl.h>

#include "eonay/plugin.h"
#include "settings.h"

/* Negative errno when libcurl cannot do what the settings ask for. */
int connection_setup(CURL *easy, const Settings *s);
/* 0 for CURLE_OK; else tells the host what it means and returns that. size: what had come of the body. */
int connection_fault(const EonayHost *host, CURLcode result, const char *reason, size_t size);

#endif
