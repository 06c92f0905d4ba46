/* SPDX-License-Identifier: Apache-2.0 */
/* The operations of docs/portal-api.yaml, a row each. */
#include "api.h"

#define JSON "application/json"
#define FORM "application/x-www-form-urlencoded"

const Route api_routes[] = {
    {"GET", "/v1/health", api_health, 0, NULL},
    {"GET", "/v1/capabilities", api_capabilities, 0, NULL},
    {"POST", "/v1/redemptions", api_redeem, REQUEST_BODY_MAX, JSON},
    {"GET", "/v1/transaction", api_status, 0, NULL},
    {"DELETE", "/v1/transaction", api_cancel, 0, NULL},
    {"POST", "/v1/transaction/signatures", api_submit, REQUEST_SIGNATURES_MAX, JSON},
    {"POST", "/v1/approvals/query", api_approval, REQUEST_BODY_MAX, JSON},
    {"POST", "/v1/device_authorization", api_device_authorization, REQUEST_BODY_MAX, FORM},
    {"POST", "/v1/token", api_token, REQUEST_BODY_MAX, FORM},
    {0},
};
