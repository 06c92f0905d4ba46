/* SPDX-License-Identifier: Apache-2.0 */
/* The routes of the web pages, and what they open at the start. */
#include "portal.h"

#include <curl/curl.h>

#include "log.h"
#include "web/assets.h"
#include "web/pages.h"
#include "web/web.h"

#define FORM "application/x-www-form-urlencoded"

const Route web_routes[] = {
    {"GET", "/", page_start, 0, NULL},
    {"GET", "/statik/*", page_asset, 0, NULL},
    {"GET", "/bilgi/*", page_about, 0, NULL},
    {"GET", "/giris", page_login_choice, 0, NULL},
    {"GET", "/giris/*", page_login_leave, 0, NULL},
    {"GET", "/giris/donus/*", page_login_return, 0, NULL},
    {"POST", "/cikis", page_logout, REQUEST_BODY_MAX, FORM},
    {"GET", "/islemler", page_services, 0, NULL},
    {"GET", "/nes", page_nes, 0, NULL},
    {0},
};

int web_open(Portal *p) {
    char *error = NULL;
    Web *web = NULL;

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
        log_error("libcurl cannot be used");
        return EONAY_ERROR_MODULE_INVALID;
    }
    web = web_load(p->config, &error);
    if (!web) {
        log_error("configuration: %s", error);
        g_free(error);
        return EONAY_ERROR_FILE_INVALID;
    }
    p->web = web;
    return 0;
}

void web_close(Portal *p) {
    p->web = web_free(p->web);
    curl_global_cleanup();
}
