/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device authorisation grant (RFC 8628): a local program asks for a code, its user logs in and accepts in a
 * browser, the program's next poll gets the code, whose life begins then. The user code is typed or comes in the
 * address; the page must show which program asks (`client`) and since when, against somebody else's code being slipped
 * to the user.
 */
#ifndef PORTAL_DEVICE_H
#define PORTAL_DEVICE_H

#include "code.h"

#define DEVICE_LIFETIME_SECONDS 600
#define DEVICE_INTERVAL_SECONDS 5
#define DEVICE_PENDING_MAX      10000
#define DEVICE_CODE_SIZE        65 /* 64 hex digits */
#define USER_CODE_SIZE          10 /* "BCDF-GHJK" */
#define DEVICE_CLIENT_MAX       64

typedef enum DeviceState {
    DEVICE_PENDING = 0,
    DEVICE_APPROVED = 1,
    DEVICE_DENIED = 2,
    DEVICE_DELIVERED = 3,
} DeviceState;

typedef struct Device {
    int64_t id;
    DeviceState state;
    char client[DEVICE_CLIENT_MAX + 1]; /* the program's own claim: show it as such */
    char purpose[65];
    char wanted_subject[12]; /* "" or the only person whose login may accept */
    int64_t created_at;
    int64_t expires_at;
} Device;

/* What the user typed: case and separators do not matter. Unknown codes must be counted by guess_failed(). Errors:
 * CODE_UNKNOWN (also when it is over), STORAGE_FAILED. */
int device_find(Portal *p, Store *store, const char *user_code, int64_t now, Device *ret);

/* The user's decision. subject, account and undertaking_version as in CodeRequest; subject must be the login's. Errors:
 * IDENTITY_MISMATCH (another person was wanted), ALREADY_APPROVED, CODE_EXPIRED, CODE_USED (decided before). */
int device_decide(Portal *p, Store *store, const Device *device, bool accept, const CodeRequest *who, int64_t now);

#endif
