/* SPDX-License-Identifier: Apache-2.0 */
/* Turkey has had no daylight saving since 2016: a fixed offset serves, and no time zone database is needed. */
#include "consent-text.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define ISTANBUL_OFFSET (3 * 3600)

const char consent_text_built_in[] =
    "Kamu SM sistemleri üzerinden güvenilir bir şekilde elektronik onayımın alınması kaydıyla bundan sonra yapacağım "
    "NES başvurularımın, imzalı başvuru formu göndermeme gerek kalmaksızın işleme alınmasını KABUL EDİYORUM.\n";

bool consent_text_version(const void *body, size_t size, char ret[CONSENT_TEXT_VERSION_BYTES]) {
    uint8_t hash[EVP_MAX_MD_SIZE];

    if (EVP_Digest(body, size, hash, NULL, EVP_sha256(), NULL) != 1)
        return false;
    (void)snprintf(ret, CONSENT_TEXT_VERSION_BYTES, "sha256:%02x%02x%02x%02x%02x%02x%02x%02x", hash[0], hash[1],
                   hash[2], hash[3], hash[4], hash[5], hash[6], hash[7]);
    return true;
}

int consent_text_copy(const char *body, size_t size, const char *reference, int64_t created_at, uint8_t **ret_bytes,
                      size_t *ret_size) {
    char when[CONSENT_MOMENT_SIZE];
    char *bytes = NULL;

    consent_moment(created_at, when);
    int length = asprintf(&bytes, "%.*s\nReferans: %s\nOluşturma Tarihi: %s\n", (int)size, body, reference, when);
    if (length < 0)
        return -ENOMEM;
    *ret_bytes = (uint8_t *)bytes;
    *ret_size = (size_t)length;
    return 0;
}

void consent_moment(int64_t usec, char ret[CONSENT_MOMENT_SIZE]) {
    time_t local = (time_t)(usec / 1000000) + ISTANBUL_OFFSET;
    struct tm tm = {0};
    char text[64];

    (void)gmtime_r(&local, &tm);
    (void)snprintf(text, sizeof text, "%02d.%02d.%04d %02d:%02d:%02d", tm.tm_mday, tm.tm_mon + 1, tm.tm_year + 1900,
                   tm.tm_hour, tm.tm_min, tm.tm_sec);
    (void)snprintf(ret, CONSENT_MOMENT_SIZE, "%.19s", text);
}

bool consent_label(char kind, char ret[CONSENT_LABEL_SIZE]) {
    static const char alphabet[32] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    uint8_t random[16];
    char *p = ret;

    if (RAND_bytes(random, sizeof random) != 1)
        return false;
    *p++ = kind;
    for (size_t i = 0; i < sizeof random; i++) {
        if (i % 4 == 0)
            *p++ = '-';
        *p++ = alphabet[random[i] & 31u];
    }
    *p = '\0';
    return true;
}
