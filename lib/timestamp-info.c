/* SPDX-License-Identifier: Apache-2.0 */
#include "timestamp-info.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define USEC 1000000LL

static bool two_digits(const uint8_t *p, int *ret) {
    if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
        return false;
    *ret = (p[0] - '0') * 10 + (p[1] - '0');
    return true;
}

/* YYYYMMDDhhmmss[.f…]Z; a fraction does not end in 0. The seconds are kept. */
bool generalized_time_read(DerBytes text, int64_t *ret) {
    struct tm tm = {0};
    int century, year;
    const uint8_t *p = text.p;
    if (text.n < 15 || p[text.n - 1] != 'Z')
        return false;
    if (text.n > 15 && (p[14] != '.' || text.n < 17 || p[text.n - 2] == '0'))
        return false;
    for (size_t i = 15; i + 1 < text.n; i++)
        if (p[i] < '0' || p[i] > '9')
            return false;
    if (!two_digits(p, &century) || !two_digits(p + 2, &year) || !two_digits(p + 4, &tm.tm_mon) ||
        !two_digits(p + 6, &tm.tm_mday) || !two_digits(p + 8, &tm.tm_hour) || !two_digits(p + 10, &tm.tm_min) ||
        !two_digits(p + 12, &tm.tm_sec))
        return false;
    tm.tm_year = century * 100 + year - 1900;
    tm.tm_mon--;
    struct tm given = tm;
    int64_t seconds = (int64_t)timegm(&tm);
    *ret = seconds;
    return tm.tm_mon == given.tm_mon && tm.tm_mday == given.tm_mday && tm.tm_hour == given.tm_hour &&
           tm.tm_min == given.tm_min && tm.tm_sec == given.tm_sec;
}

bool generalized_time_append(DerBuffer *b, int64_t seconds) {
    struct tm tm;
    char text[64];
    time_t t = (time_t)seconds;
    if (!gmtime_r(&t, &tm) || tm.tm_year + 1900 < 0 || tm.tm_year + 1900 > 9999)
        return false;
    int n = snprintf(text, sizeof(text), "%04d%02d%02d%02d%02d%02dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                     tm.tm_hour, tm.tm_min, tm.tm_sec);
    der_append_element(b, DER_GENERALIZED_TIME, (DerBytes){(const uint8_t *)text, (size_t)n});
    return true;
}

/* Accuracy { seconds, [0] millis, [1] micros } */
static bool accuracy_read(DerBytes sequence, int64_t *ret) {
    DerBytes value;
    uint32_t number;
    *ret = 0;
    if (der_read_value(&sequence, DER_INTEGER, &value)) {
        if (!der_small_integer(value, &number))
            return false;
        *ret += number * USEC;
    }
    for (uint8_t i = 0; i < 2; i++) {
        if (!der_read_value(&sequence, (uint8_t)(DER_CONTEXT_0_PRIMITIVE + i), &value))
            continue;
        if (!der_small_integer(value, &number) || number > 999)
            return false;
        *ret += i == 0 ? number * 1000LL : number;
    }
    return sequence.n == 0;
}

/* Extensions: none is known here, so none may be critical. */
static bool extensions_harmless(DerBytes extensions) {
    DerBytes extension, oid, critical;
    while (extensions.n > 0) {
        if (!der_read_value(&extensions, DER_SEQUENCE, &extension) || !der_read_value(&extension, DER_OID, &oid))
            return false;
        if (der_read_value(&extension, DER_BOOLEAN, &critical))
            return false; /* FALSE is the default, which DER leaves out */
    }
    return true;
}

static const char *optional_read(DerBytes rest, TimestampInfo *t) {
    DerBytes accuracy, boolean, tsa, extensions;
    if (der_read_value(&rest, DER_SEQUENCE, &accuracy) && !accuracy_read(accuracy, &t->accuracy))
        return "the accuracy is not well-formed";
    der_read_value(&rest, DER_BOOLEAN, &boolean);
    der_read_value(&rest, DER_INTEGER, &t->nonce);
    der_read_value(&rest, DER_CONTEXT_0, &tsa);
    if (der_read_value(&rest, DER_CONTEXT_1, &extensions) && !extensions_harmless(extensions))
        return "there is an unknown critical extension";
    return rest.n == 0 ? NULL : "TSTInfo is not well-formed DER";
}

const char *timestamp_info_read(DerBytes bytes, TimestampInfo *ret) {
    TimestampInfo t = {0};
    DerBytes info, version, imprint, time;
    DerElement algorithm;
    uint32_t number;
    if (!der_read_value(&bytes, DER_SEQUENCE, &info) || bytes.n > 0)
        return "TSTInfo is not well-formed DER";
    if (!der_read_value(&info, DER_INTEGER, &version) || !der_small_integer(version, &number) || number != 1)
        return "TSTInfo is not of version 1";
    if (!der_read_value(&info, DER_OID, &t.policy) || !der_read_value(&info, DER_SEQUENCE, &imprint) ||
        !der_read_tag(&imprint, DER_SEQUENCE, &algorithm) || !der_read_value(&imprint, DER_OCTET_STRING, &t.imprint) ||
        imprint.n > 0)
        return "TSTInfo is not well-formed DER";
    if (!hash_from_der(algorithm.whole, &t.hash) || t.imprint.n != hash_size(t.hash))
        return "the imprint is of no permitted hash";
    if (!der_read_value(&info, DER_INTEGER, &t.serial) || t.serial.n == 0 ||
        !der_read_value(&info, DER_GENERALIZED_TIME, &time) || !generalized_time_read(time, &t.time))
        return "TSTInfo is not well-formed DER";
    const char *why = optional_read(info, &t);
    if (!why)
        *ret = t;
    return why;
}
