/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The built-in text is the one on the signing screen of the E-Onay guide (figure 10), with the line breaks of its
 * display taken out. Under it stand a reference and the creation time, written as on that screen: a signature over it
 * then belongs to one consent and cannot be presented for another.
 *
 * Bytes are bytes: nothing is normalised, neither the dotted and dotless i nor the composition of characters.
 */
#include "text.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "fault.h"
#include "file.h"
#include "moment.h"
#include "scope.h"
#include "utf8.h"

static const char built_in_text[] =
    "Kamu SM sistemleri üzerinden güvenilir bir şekilde elektronik onayımın alınması kaydıyla bundan sonra yapacağım "
    "NES başvurularımın, imzalı başvuru formu göndermeme gerek kalmaksızın işleme alınmasını KABUL EDİYORUM.\n";
static const char built_in_version[] = "e-onay-nes-1";

static int load_body(const EonayHost *host, const Settings *settings, Text *t) {
    _cleanup_free_ uint8_t *bytes = NULL;
    size_t size = 0;
    int r = 0;

    if (!settings->text_file) {
        t->body = strdup(built_in_text);
        t->size = strlen(built_in_text);
        return t->body ? 0 : -ENOMEM;
    }
    if ((r = file_read(host, "TextFile", settings->text_file, TEXT_FILE_MAX, &bytes, &size)) != 0)
        return r;
    if (size == 0 || !utf8_is_plain(bytes, size, true))
        return fault(host, EONAY_ERROR_FILE_INVALID, 0, "TextFile=%.300s: must be UTF-8 without hidden characters",
                     settings->text_file);
    if (bytes[size - 1] != '\n')
        bytes[size++] = '\n'; /* in the place of the NUL behind the end */
    t->body = (char *)TAKE_PTR(bytes);
    t->size = size;
    return 0;
}

/* Without a version of its own, another text gets one that changes when the text does. */
static int set_version(const EonayHost *host, const Settings *settings, Text *t) {
    uint8_t hash[EVP_MAX_MD_SIZE];

    if (settings->text_version || !settings->text_file) {
        (void)snprintf(t->version, sizeof t->version, "%s",
                       settings->text_version ? settings->text_version : built_in_version);
        return 0;
    }
    if (EVP_Digest(t->body, t->size, hash, NULL, EVP_sha256(), NULL) != 1)
        return fault(host, EONAY_ERROR_PLUGIN_FAILED, 0, "SHA-256 failed");
    (void)snprintf(t->version, sizeof t->version, "sha256:%02x%02x%02x%02x%02x%02x%02x%02x", hash[0], hash[1], hash[2],
                   hash[3], hash[4], hash[5], hash[6], hash[7]);
    return 0;
}

static void text_freep(Text **t) {
    text_free(*t);
}

int text_new(const EonayHost *host, const Settings *settings, Text **ret) {
    _cleanup_(text_freep) Text *t = calloc(1, sizeof *t);
    int r = 0;

    if (!t)
        return -ENOMEM;
    if ((r = load_body(host, settings, t)) != 0 || (r = set_version(host, settings, t)) != 0)
        return r;
    *ret = TAKE_PTR(t);
    return 0;
}

Text *text_free(Text *t) {
    if (!t)
        return NULL;
    free(t->body);
    free(t);
    return NULL;
}

int text_copy(const Text *t, const char *reference, int64_t created_at, uint8_t **ret_bytes, size_t *ret_size) {
    char when[MOMENT_SIZE];
    char *bytes = NULL;

    moment_format(created_at, when);
    int size = asprintf(&bytes, "%.*s\nReferans: %s\nOluşturma Tarihi: %s\n", (int)t->size, t->body, reference, when);
    if (size < 0)
        return -ENOMEM;
    *ret_bytes = (uint8_t *)bytes;
    *ret_size = (size_t)size;
    return 0;
}
