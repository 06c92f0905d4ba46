/* SPDX-License-Identifier: Apache-2.0 */
/* The operations of docs/portal-api.yaml, a row each. */
#include "api.h"

const Route api_routes[] = {
    {"GET", "/v1/health", api_health, 0, NULL},
    {"GET", "/v1/capabilities", api_capabilities, 0, NULL},
    {0},
};
