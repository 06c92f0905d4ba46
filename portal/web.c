/* SPDX-License-Identifier: Apache-2.0 */
/* The routes of the web pages, and what they open at the start. */
#include "portal.h"

#include <curl/curl.h>

#include "log.h"
#include "publication.h"
#include "web/assets.h"
#include "web/page.h"
#include "web/pages.h"
#include "web/web.h"

#define FORM "application/x-www-form-urlencoded"

const Route web_routes[] = {
    {"GET", "/", page_start, 0, NULL},
    {"GET", "/statik/*", page_asset, 0, NULL},
    {"GET", PUBLICATION_PATH, publication_serve, 0, NULL},
    {"GET", "/bilgi/*", page_about, 0, NULL},
    {"GET", "/giris", page_login_choice, 0, NULL},
    {"GET", "/giris/*", page_login_leave, 0, NULL},
    {"GET", "/giris/donus/*", page_login_return, 0, NULL},
    {"POST", "/cikis", page_logout, REQUEST_BODY_MAX, FORM},
    {"GET", "/islemler", page_services, 0, NULL},
    {"GET", "/nes", page_nes, 0, NULL},
    {"GET", "/nes/e-onay", page_consent, 0, NULL},
    {"POST", "/nes/e-onay", page_consent_accept, REQUEST_BODY_MAX, FORM},
    {"GET", "/nes/e-onay/sonuc", page_result, 0, NULL},
    {"GET", "/nes/e-onay/gecmis", page_history, 0, NULL},
    {"GET", "/kod/*", page_code, 0, NULL},
    {"POST", "/kod/*", page_code_again, REQUEST_BODY_MAX, FORM},
    {"GET", "/durum/*", page_code_state, 0, NULL},
    {"GET", "/nes/basvuru", page_applications, 0, NULL},
    {"POST", "/nes/basvuru", page_application_submit, REQUEST_BODY_MAX, FORM},
    {"GET", "/nes/sertifikalar", page_certificates, 0, NULL},
    {"GET", "/nes/askiya-alma", page_suspend, 0, NULL},
    {"POST", "/nes/askiya-alma", page_suspend_do, REQUEST_BODY_MAX, FORM},
    {"GET", "/nes/askidan-indirme", page_unsuspend, 0, NULL},
    {"POST", "/nes/askidan-indirme", page_unsuspend_do, REQUEST_BODY_MAX, FORM},
    {"GET", "/nes/iptal", page_revoke, 0, NULL},
    {"POST", "/nes/iptal", page_revoke_do, REQUEST_BODY_MAX, FORM},
    {"GET", "/nes/guvenlik-sozcugu", page_word, 0, NULL},
    {"POST", "/nes/guvenlik-sozcugu", page_word_change, REQUEST_BODY_MAX, FORM},
    {"GET", "/nes/pin", page_pin, 0, NULL},
    {"POST", "/nes/pin", page_pin_begin, REQUEST_BODY_MAX, FORM},
    {"GET", "/device", page_device, 0, NULL},
    {"POST", "/device", page_device_look, REQUEST_BODY_MAX, FORM},
    {"POST", "/device/karar", page_device_decide, REQUEST_BODY_MAX, FORM},
    {"GET", "/yonetim", page_operator, 0, NULL},
    {"POST", "/yonetim", page_operator_search, REQUEST_BODY_MAX, FORM},
    {"POST", "/yonetim/liste", page_operator_list, REQUEST_BODY_MAX, FORM},
    {"GET", "/yonetim/kanit/*", page_operator_evidence, 0, NULL},
    {"GET", "/yonetim/indir/*", page_operator_export, 0, NULL},
    {"GET", "/yonetim/denetim", page_operator_audit, 0, NULL},
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

Reply *web_no_such_page(Portal *p, Language language) {
    Request request = {.portal = p, .language = language};
    Visit visit = {.request = &request, .web = p->web, .language = language};

    return page_not_found(&visit);
}
