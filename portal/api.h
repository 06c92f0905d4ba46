/* SPDX-License-Identifier: Apache-2.0 */
/* The handlers of the interface for programs. */
#ifndef PORTAL_API_H
#define PORTAL_API_H

#include "request.h"

Reply *api_health(Request *r);
Reply *api_capabilities(Request *r);

#endif
