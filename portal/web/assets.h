/* SPDX-License-Identifier: Apache-2.0 */
/* The style sheet, the script and the icon, which are part of the program. */
#ifndef EONAY_PORTAL_ASSETS_H
#define EONAY_PORTAL_ASSETS_H

#include "../request.h"

/* Changes whenever one of them does; stands in their addresses, so that browsers may keep them. */
const char *assets_version(void);
/* GET /statik/NAME */
Reply *page_asset(Request *request);

#endif
