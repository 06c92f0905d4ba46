/* SPDX-License-Identifier: Apache-2.0 */
/* The handlers of the interface for programs. */
#ifndef PORTAL_API_H
#define PORTAL_API_H

#include "request.h"

Reply *api_health(Request *r);
Reply *api_capabilities(Request *r);
Reply *api_redeem(Request *r);
Reply *api_status(Request *r);
Reply *api_cancel(Request *r);
Reply *api_submit(Request *r);
Reply *api_approval(Request *r);
Reply *api_device_authorization(Request *r);
Reply *api_token(Request *r);

#endif
