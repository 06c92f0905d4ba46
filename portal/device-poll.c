/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 8628 sections 3.4 and 3.5; states: device.c. */
#include <string.h>

#include "clock.h"
#include "device-grant.h"
#include "texts.h"

#define SLOW_DOWN_SECONDS 5
#define INTERVAL_MAX      300
/* A program's timer and the network are not exact: so much earlier than the interval is still in time. */
#define EARLY_USEC (SECOND_USEC / 2)

typedef struct Poll {
    Portal *portal;
    const char *device_code;
    const char *client;
    int64_t now;
    DevicePoll *ret;
    IssuedCode *ret_code;
    char *ret_purpose;
} Poll;

typedef struct Record {
    int64_t id;
    DeviceState state;
    char client[DEVICE_CLIENT_MAX + 1];
    char purpose[65];
    char subject[12];
    uint8_t account[SECRET_HASH_SIZE];
    bool has_account;
    char undertaking_version[65];
    uint8_t superseded[SECRET_HASH_SIZE];
    bool has_superseded;
    int64_t expires_at, interval, last_poll_at, code_id;
} Record;

static bool read_hash(StoreRows *row, int column, uint8_t ret[SECRET_HASH_SIZE]) {
    size_t size = 0;
    const void *bytes = store_rows_bytes(row, column, &size);

    if (size != SECRET_HASH_SIZE)
        return false;
    memcpy(ret, bytes, size);
    return true;
}

/* *ret_found is false when there is none of this code and client. */
static int hold(Poll *p, Store *store, Record *ret, bool *ret_found) {
    uint8_t hash[SECRET_HASH_SIZE];
    _rows_ StoreRows *row = NULL;

    secret_hash(&p->portal->secret, "device", p->device_code, hash);
    int r = store_row(store, STATEMENT_DEVICE_HOLD, &row, "b", hash, sizeof hash);
    *ret_found = r == 0 && row && strcmp(store_rows_text(row, 2), p->client) == 0;
    if (!*ret_found)
        return r;
    *ret = (Record){.id = store_rows_int(row, 0),
                    .state = (DeviceState)store_rows_int(row, 1),
                    .expires_at = store_rows_int(row, 9),
                    .interval = store_rows_int(row, 10),
                    .last_poll_at = store_rows_int(row, 11),
                    .code_id = store_rows_int(row, 12)};
    (void)g_strlcpy(ret->purpose, store_rows_text(row, 3), sizeof ret->purpose);
    (void)g_strlcpy(ret->subject, store_rows_text(row, 4), sizeof ret->subject);
    (void)g_strlcpy(ret->undertaking_version, store_rows_text(row, 7), sizeof ret->undertaking_version);
    ret->has_account = read_hash(row, 5, ret->account);
    ret->has_superseded = read_hash(row, 8, ret->superseded);
    return 0;
}

static int pending(Poll *p, Store *store, const Record *d) {
    bool early = d->last_poll_at != 0 && p->now < d->last_poll_at + d->interval * SECOND_USEC - EARLY_USEC;
    int64_t interval = early ? MIN(d->interval + SLOW_DOWN_SECONDS, INTERVAL_MAX) : d->interval;

    *p->ret = early ? DEVICE_POLL_SLOW_DOWN : DEVICE_POLL_PENDING;
    return store_change(store, STATEMENT_DEVICE_POLLED, NULL, "iii", d->id, p->now, interval);
}

static int supersede_named(Store *store, const Record *d) {
    Code old;
    int r = d->has_superseded ? code_find_hash(store, d->superseded, &old) : EONAY_ERROR_CODE_UNKNOWN;

    /* A program may kill the code of the person who is logged in, and nobody else's. */
    if (r == 0 && strcmp(old.subject, d->subject) == 0)
        r = code_supersede(store, old.id);
    return r == EONAY_ERROR_CODE_UNKNOWN ? 0 : r;
}

static int deliver(Poll *p, Store *store, const Record *d, int64_t expires_at) {
    const CodeRequest request = {.purpose = d->purpose,
                                 .subject = *d->subject ? d->subject : NULL,
                                 .account = d->has_account ? d->account : NULL,
                                 .undertaking_version = d->undertaking_version};
    int r = supersede_named(store, d);

    if (r == 0)
        r = code_issue_within(p->portal, store, &request, p->now, expires_at, p->ret_code);
    /* Approved meanwhile by another way: nothing is left to be signed. */
    if (r == EONAY_ERROR_ALREADY_APPROVED)
        return *p->ret = DEVICE_POLL_DENIED, 0;
    if (r != 0)
        return r;
    (void)g_strlcpy(p->ret_purpose, d->purpose, 65);
    *p->ret = DEVICE_POLL_CODE;
    return store_change(store, STATEMENT_DEVICE_DELIVERED, NULL, "ii", d->id, p->ret_code->id);
}

/* The answer may have been lost. */
static int deliver_again(Poll *p, Store *store, const Record *d) {
    _rows_ StoreRows *row = NULL;
    int r = store_row(store, STATEMENT_CODE_STATE, &row, "i", d->code_id);

    if (r != 0)
        return r;
    if (!row || store_rows_int(row, 0) != CODE_ISSUED || p->now >= store_rows_int(row, 1))
        return *p->ret = DEVICE_POLL_INVALID, 0;
    int64_t expires_at = store_rows_int(row, 1);
    store_rows_endp(&row);
    r = code_supersede(store, d->code_id);
    return r != 0 ? r : deliver(p, store, d, expires_at);
}

static int poll(Store *store, void *data) {
    Poll *p = data;
    Record d;
    bool found = false;
    int r = hold(p, store, &d, &found);

    *p->ret = DEVICE_POLL_INVALID;
    if (r != 0 || !found)
        return r;
    if (d.state == DEVICE_DELIVERED)
        return deliver_again(p, store, &d);
    if (d.state == DEVICE_DENIED)
        return *p->ret = DEVICE_POLL_DENIED, 0;
    if (p->now >= d.expires_at)
        return *p->ret = DEVICE_POLL_EXPIRED, 0;
    if (d.state == DEVICE_PENDING)
        return pending(p, store, &d);
    return deliver(p, store, &d, p->now + (int64_t)p->portal->config->code_lifetime * SECOND_USEC);
}

int device_poll(Portal *p, Store *store, const char *device_code, const char *client, int64_t now, DevicePoll *ret,
                IssuedCode *ret_code, char ret_purpose[65]) {
    Poll data = {p, device_code, client, now, ret, ret_code, ret_purpose};

    return store_write(store, poll, &data);
}
