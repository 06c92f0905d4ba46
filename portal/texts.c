/* SPDX-License-Identifier: Apache-2.0 */
#include "texts.h"

#include <errno.h>
#include <glib.h>
#include <openssl/evp.h>
#include <string.h>

#include "clock.h"
#include "code.h"
#include "consent-text.h"
#include "eonay/plugin.h"
#include "log.h"
#include "plain-text.h"

static const struct {
    const char *purpose;
    bool signs;
} purposes[] = {
    {PURPOSE_NES_APPLICATION, true},
    {PURPOSE_PIN_CREATE, false},
    {PURPOSE_PIN_UNBLOCK, false},
};

bool purpose_known(const char *purpose) {
    for (size_t i = 0; i < G_N_ELEMENTS(purposes); i++)
        if (strcmp(purposes[i].purpose, purpose) == 0)
            return true;
    return false;
}

bool purpose_signs(const char *purpose) {
    for (size_t i = 0; i < G_N_ELEMENTS(purposes); i++)
        if (strcmp(purposes[i].purpose, purpose) == 0)
            return purposes[i].signs;
    return false;
}

static int load_body(const Config *config, ConsentTexts *t) {
    g_autoptr(GError) error = NULL;
    gsize size = 0;

    if (!config->text_file) {
        t->body = g_strdup(consent_text_built_in);
        t->size = strlen(t->body);
        return 0;
    }
    if (!g_file_get_contents(config->text_file, &t->body, &size, &error)) {
        log_error("TextFile=: %s", error->message);
        return -EINVAL;
    }
    if (size == 0 || size > CONSENT_TEXT_MAX || !plain_text_valid((const uint8_t *)t->body, size, true)) {
        log_error("TextFile=%s: must be UTF-8 without hidden characters, at most 64 KiB", config->text_file);
        return -EINVAL;
    }
    t->size = size;
    if (t->body[size - 1] != '\n')
        t->body[t->size++] = '\n'; /* in the place of the NUL behind the end */
    return 0;
}

int texts_new(const Config *config, ConsentTexts **ret) {
    ConsentTexts *t = g_new0(ConsentTexts, 1);
    int r = load_body(config, t);

    if (r == 0 && config->text_version && strlen(config->text_version) > TEXTS_VERSION_MAX) {
        log_error("TextVersion= is longer than %d bytes", TEXTS_VERSION_MAX);
        r = -EINVAL;
    }
    if (r != 0)
        return texts_free(t), r;
    if (config->text_version)
        (void)g_strlcpy(t->version, config->text_version, sizeof t->version);
    else if (!config->text_file)
        (void)g_strlcpy(t->version, CONSENT_TEXT_VERSION, sizeof t->version);
    else
        (void)consent_text_version(t->body, t->size, t->version);
    *ret = t;
    return 0;
}

ConsentTexts *texts_free(ConsentTexts *t) {
    if (!t)
        return NULL;
    g_free(t->body);
    g_free(t);
    return NULL;
}

static int record(Store *store, void *data) {
    const ConsentTexts *t = data;
    uint8_t hash[EVP_MAX_MD_SIZE];
    _rows_ StoreRows *row = NULL;
    size_t size = 0;
    int r = 0;

    if (EVP_Digest(t->body, t->size, hash, NULL, EVP_sha256(), NULL) != 1)
        return -ENOMEM;
    r = store_change(store, STATEMENT_TEXT_VERSION_ADD, NULL, "ttbbi", PURPOSE_NES_APPLICATION, t->version, t->body,
                     t->size, hash, (size_t)32, clock_now());
    if (r == 0)
        r = store_row(store, STATEMENT_TEXT_VERSION_GET, &row, "tt", PURPOSE_NES_APPLICATION, t->version);
    if (r != 0)
        return r;
    const void *known = row ? store_rows_bytes(row, 0, &size) : NULL;
    if (size != 32 || memcmp(known, hash, 32) != 0) {
        log_error("TextVersion=%s: another text is on record under this version", t->version);
        return -EINVAL;
    }
    return 0;
}

int texts_record(const ConsentTexts *t, Store *store) {
    return store_write(store, record, (void *)(uintptr_t)t);
}
