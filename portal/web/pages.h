/* SPDX-License-Identifier: Apache-2.0 */
/* The handlers behind web.c's routes, by the file they are in. */
#ifndef EONAY_PORTAL_PAGES_H
#define EONAY_PORTAL_PAGES_H

#include "visit.h"

/* page-menu.c */
Reply *page_start(Request *request);
Reply *page_services(Request *request);
Reply *page_nes(Request *request);
/* page-about.c */
Reply *page_about(Request *request);
/* page-login.c */
Reply *page_login_choice(Request *request);
Reply *page_login_leave(Request *request);
Reply *page_login_return(Request *request);
Reply *page_logout(Request *request);
/* page-consent.c */
Reply *page_consent(Request *request);
Reply *page_consent_accept(Request *request);
Reply *page_result(Request *request);
Reply *page_history(Request *request);
/* page-code.c */
Reply *page_code(Request *request);
Reply *page_code_again(Request *request);
Reply *page_code_state(Request *request);
/* page-device.c */
Reply *page_device(Request *request);
Reply *page_device_look(Request *request);
Reply *page_device_decide(Request *request);
/* page-application.c */
Reply *page_applications(Request *request);
Reply *page_application_submit(Request *request);
/* page-certificate.c */
Reply *page_certificates(Request *request);
Reply *page_suspend(Request *request);
Reply *page_suspend_do(Request *request);
Reply *page_unsuspend(Request *request);
Reply *page_unsuspend_do(Request *request);
Reply *page_revoke(Request *request);
Reply *page_revoke_do(Request *request);
/* page-word.c */
Reply *page_word(Request *request);
Reply *page_word_change(Request *request);
/* page-pin.c */
Reply *page_pin(Request *request);
Reply *page_pin_begin(Request *request);
/* page-operator.c */
Reply *page_operator(Request *request);
Reply *page_operator_search(Request *request);
Reply *page_operator_evidence(Request *request);
Reply *page_operator_export(Request *request);
/* page-operator-list.c */
Reply *page_operator_list(Request *request);
void operator_list_form(const Visit *v, GString *p, const char *search);
/* page-operator.c */
Reply *page_operator_audit(Request *request);

#endif
