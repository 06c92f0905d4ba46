/* SPDX-License-Identifier: Apache-2.0 */
/* The program's side of the device authorisation grant: device.h is the user's. */
#ifndef PORTAL_DEVICE_GRANT_H
#define PORTAL_DEVICE_GRANT_H

#include "device.h"

typedef struct DeviceRequest {
    const char *client;
    const char *purpose;
    const char *subject;         /* NULL: whoever logs in */
    const char *superseded_code; /* NULL: none */
} DeviceRequest;

typedef struct DeviceGrant {
    char device_code[DEVICE_CODE_SIZE];
    char user_code[USER_CODE_SIZE];
    unsigned retry_after; /* with RATE_LIMITED */
} DeviceGrant;

/* Errors: UNSUPPORTED (purpose), SUBJECT_INVALID, CODE_INVALID, RATE_LIMITED, STORAGE_FAILED. */
int device_start(Portal *p, Store *store, const DeviceRequest *request, const char *address, int64_t now,
                 DeviceGrant *ret);

/* What RFC 8628 section 3.5 calls them. */
typedef enum DevicePoll {
    DEVICE_POLL_CODE, /* *ret_code is the code */
    DEVICE_POLL_PENDING,
    DEVICE_POLL_SLOW_DOWN,
    DEVICE_POLL_DENIED,
    DEVICE_POLL_EXPIRED,
    DEVICE_POLL_INVALID,
} DevicePoll;

/* 0 with *ret, or STORAGE_FAILED. purpose: of the code. */
int device_poll(Portal *p, Store *store, const char *device_code, const char *client, int64_t now, DevicePoll *ret,
                IssuedCode *ret_code, char ret_purpose[65]);

#endif
