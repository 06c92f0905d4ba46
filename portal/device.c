/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   PENDING --accepted--> APPROVED --next poll--> DELIVERED (a code was issued; the poll again, while that one lives
 * and is
 *     |--denied--> DENIED                                    not redeemed, replaces it by another with the same end)
 *     `--time--> expired
 *
 * Device and user codes are on record as keyed hashes. A poll holds its row, so of two polls at once one waits.
 */
#include "device.h"

#include <openssl/crypto.h>
#include <string.h>

#include "clock.h"
#include "device-grant.h"
#include "guess.h"
#include "tckn.h"
#include "texts.h"

#define USER_CODE_ALPHABET "BCDFGHJKLMNPQRSTVWXZ" /* RFC 8628 section 6.1: no vowels, 20 letters */
#define USER_CODE_LETTERS  8

/* Even: 240 is 12 times 20, higher bytes are drawn again. */
static void draw_user_code(char ret[USER_CODE_SIZE]) {
    size_t n = 0;

    while (n < USER_CODE_SIZE - 1) {
        uint8_t byte = 0;
        if (n == 4)
            ret[n++] = '-';
        secret_random(&byte, 1);
        if (byte < 240)
            ret[n++] = USER_CODE_ALPHABET[byte % 20];
    }
    ret[n] = '\0';
}

/* As typed: case, hyphens and blanks do not matter. */
static bool user_code_plain(const char *typed, char ret[USER_CODE_LETTERS + 1]) {
    size_t n = 0;

    for (; *typed; typed++) {
        char c = g_ascii_toupper(*typed);
        if (c == '-' || c == ' ')
            continue;
        if (n == USER_CODE_LETTERS || !strchr(USER_CODE_ALPHABET, c))
            return false;
        ret[n++] = c;
    }
    ret[n] = '\0';
    return n == USER_CODE_LETTERS;
}

static void hash_user_code(Portal *p, const char *typed, uint8_t ret[SECRET_HASH_SIZE]) {
    char plain[USER_CODE_LETTERS + 1];

    if (!user_code_plain(typed, plain))
        plain[0] = '\0';
    secret_hash(&p->secret, "user-code", plain, ret);
}

typedef struct Start {
    Portal *portal;
    const DeviceRequest *request;
    const char *address;
    int64_t now;
    DeviceGrant *ret;
} Start;

static int add(Start *s, Store *store) {
    uint8_t device_hash[SECRET_HASH_SIZE], user_hash[SECRET_HASH_SIZE], old[SECRET_HASH_SIZE];
    const DeviceRequest *request = s->request;
    Portal *p = s->portal;
    int64_t changes = 0;

    if (request->superseded_code)
        secret_hash(&p->secret, "code", request->superseded_code, old);
    while (changes != 1) {
        secret_label(s->ret->device_code);
        draw_user_code(s->ret->user_code);
        secret_hash(&p->secret, "device", s->ret->device_code, device_hash);
        hash_user_code(p, s->ret->user_code, user_hash);
        int r = store_change(store, STATEMENT_DEVICE_ADD, &changes, "bbtttBiii", device_hash, sizeof device_hash,
                             user_hash, sizeof user_hash, request->client, request->purpose, request->subject,
                             request->superseded_code ? old : NULL, sizeof old, s->now,
                             s->now + DEVICE_LIFETIME_SECONDS * SECOND_USEC, (int64_t)DEVICE_INTERVAL_SECONDS);
        if (r != 0)
            return r;
    }
    return 0;
}

static int start(Store *store, void *data) {
    Start *s = data;
    _rows_ StoreRows *row = NULL;
    const Guesser asker = {.kind = "device", .address = s->address};
    int r = guess_allowed_up_to(s->portal, store, &asker, s->portal->config->devices_per_minute, s->now,
                                &s->ret->retry_after);

    if (r != 0 || (r = store_row(store, STATEMENT_DEVICE_COUNT_PENDING, &row, "i", s->now)) != 0)
        return r;
    if (row && store_rows_int(row, 0) >= DEVICE_PENDING_MAX) {
        s->ret->retry_after = 60;
        return EONAY_ERROR_RATE_LIMITED;
    }
    store_rows_endp(&row);
    if ((r = add(s, store)) != 0)
        return r;
    return guess_failed(s->portal, store, &asker, s->now);
}

int device_start(Portal *p, Store *store, const DeviceRequest *request, const char *address, int64_t now,
                 DeviceGrant *ret) {
    Start s = {p, request, address, now, ret};

    if (!purpose_known(request->purpose))
        return EONAY_ERROR_UNSUPPORTED;
    if (request->subject && !tckn_valid(request->subject))
        return EONAY_ERROR_SUBJECT_INVALID;
    if (request->superseded_code && !code_valid(request->superseded_code))
        return EONAY_ERROR_CODE_INVALID;
    return store_write(store, start, &s);
}

typedef struct Find {
    Portal *portal;
    const char *user_code;
    int64_t now;
    Device *ret;
} Find;

static int find(Store *store, void *data) {
    Find *f = data;
    uint8_t hash[SECRET_HASH_SIZE];
    _rows_ StoreRows *row = NULL;

    hash_user_code(f->portal, f->user_code, hash);
    int r = store_row(store, STATEMENT_DEVICE_BY_USER_CODE, &row, "b", hash, sizeof hash);
    if (r != 0)
        return r;
    if (!row || f->now >= store_rows_int(row, 6))
        return EONAY_ERROR_CODE_UNKNOWN;
    *f->ret = (Device){.id = store_rows_int(row, 0),
                       .state = (DeviceState)store_rows_int(row, 1),
                       .created_at = store_rows_int(row, 5),
                       .expires_at = store_rows_int(row, 6)};
    (void)g_strlcpy(f->ret->client, store_rows_text(row, 2), sizeof f->ret->client);
    (void)g_strlcpy(f->ret->purpose, store_rows_text(row, 3), sizeof f->ret->purpose);
    (void)g_strlcpy(f->ret->wanted_subject, store_rows_text(row, 4), sizeof f->ret->wanted_subject);
    return 0;
}

int device_find(Portal *p, Store *store, const char *user_code, int64_t now, Device *ret) {
    Find f = {p, user_code, now, ret};

    return store_read(store, find, &f);
}

typedef struct Decide {
    Portal *portal;
    const Device *device;
    bool accept;
    const CodeRequest *who;
    int64_t now;
} Decide;

static int decide(Store *store, void *data) {
    Decide *d = data;
    const char *undertaking =
        d->who->undertaking_version ? d->who->undertaking_version : d->portal->config->undertaking_version;
    int64_t changes = 0;
    int r = 0;

    if (d->accept && (r = code_check(d->portal, store, d->who)) != 0)
        return r;
    r = store_change(store, STATEMENT_DEVICE_DECIDE, &changes, "iitBtti", d->device->id,
                     (int64_t)(d->accept ? DEVICE_APPROVED : DEVICE_DENIED), d->who->subject, d->who->account,
                     (size_t)SECRET_HASH_SIZE, d->portal->texts->version, undertaking, d->now);
    if (r != 0 || changes == 1)
        return r;
    return d->now >= d->device->expires_at ? EONAY_ERROR_CODE_EXPIRED : EONAY_ERROR_CODE_USED;
}

int device_decide(Portal *p, Store *store, const Device *device, bool accept, const CodeRequest *who, int64_t now) {
    Decide d = {p, device, accept, who, now};

    if (accept && *device->wanted_subject && (!who->subject || strcmp(device->wanted_subject, who->subject) != 0))
        return EONAY_ERROR_IDENTITY_MISMATCH;
    return store_write(store, decide, &d);
}
