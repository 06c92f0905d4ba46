/* SPDX-License-Identifier: Apache-2.0 */
/* A moment has one form: the form read back is compared with the form that would be written. */
#include "signing-time.h"

#include <stdio.h>
#include <time.h>

static bool time_uses_utc_time(int year) {
    return year >= 1950 && year <= 2049;
}

bool signing_time_append(DerBuffer *b, int64_t seconds) {
    struct tm tm;
    char text[64];
    time_t t = (time_t)seconds;
    if (!gmtime_r(&t, &tm) || tm.tm_year + 1900 < 0 || tm.tm_year + 1900 > 9999)
        return false;
    int year = tm.tm_year + 1900;
    bool utc = time_uses_utc_time(year);
    int n = snprintf(text, sizeof(text), "%04d%02d%02d%02d%02d%02dZ", year, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
                     tm.tm_min, tm.tm_sec);
    size_t skip = utc ? 2 : 0;
    der_append_element(b, utc ? DER_UTC_TIME : DER_GENERALIZED_TIME,
                       (DerBytes){(const uint8_t *)text + skip, (size_t)n - skip});
    return true;
}

static bool digits_read(DerBytes *in, size_t n, int *ret) {
    int number = 0;
    if (in->n < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (in->p[i] < '0' || in->p[i] > '9')
            return false;
        number = number * 10 + (in->p[i] - '0');
    }
    in->p += n;
    in->n -= n;
    *ret = number;
    return true;
}

static bool fields_read(DerBytes in, bool utc, struct tm *ret) {
    int year;
    if (!digits_read(&in, utc ? 2 : 4, &year) || !digits_read(&in, 2, &ret->tm_mon) ||
        !digits_read(&in, 2, &ret->tm_mday) || !digits_read(&in, 2, &ret->tm_hour) ||
        !digits_read(&in, 2, &ret->tm_min) || !digits_read(&in, 2, &ret->tm_sec))
        return false;
    if (utc)
        year += year < 50 ? 2000 : 1900;
    ret->tm_year = year - 1900;
    ret->tm_mon--;
    return in.n == 1 && in.p[0] == 'Z';
}

bool signing_time_read(DerBytes bytes, int64_t *ret_seconds) {
    struct tm tm = {0};
    DerElement time;
    DerBytes rest = bytes;
    if (!der_read(&rest, &time) || rest.n > 0)
        return false;
    if (time.tag != DER_UTC_TIME && time.tag != DER_GENERALIZED_TIME)
        return false;
    if (!fields_read(time.value, time.tag == DER_UTC_TIME, &tm))
        return false;
    int64_t seconds = (int64_t)timegm(&tm);
    DerBuffer again = {0};
    bool same = signing_time_append(&again, seconds) && der_equal(bytes, (DerBytes){again.bytes, again.size});
    der_buffer_free(&again);
    if (same)
        *ret_seconds = seconds;
    return same;
}
