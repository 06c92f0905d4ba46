/* SPDX-License-Identifier: Apache-2.0 */
/* The routes of the web pages, and what they open at the start. */
#include "portal.h"

const Route web_routes[] = {{0}};

int web_open(Portal *p) {
    (void)p;
    return 0;
}

void web_close(Portal *p) {
    (void)p;
}
