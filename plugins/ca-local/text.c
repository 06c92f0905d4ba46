/* SPDX-License-Identifier: Apache-2.0 */
/* The text itself, and how one citizen's copy is made of it, is lib/consent-text.h. */
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "consent-text.h"
#include "fault.h"
#include "file.h"
#include "plain-text.h"
#include "scope.h"

static int load_body(const EonayHost *host, const Settings *settings, Text *t) {
    _cleanup_free_ uint8_t *bytes = NULL;
    size_t size = 0;
    int r = 0;

    if (!settings->text_file) {
        t->body = strdup(consent_text_built_in);
        t->size = strlen(consent_text_built_in);
        return t->body ? 0 : -ENOMEM;
    }
    if ((r = file_read(host, "TextFile", settings->text_file, TEXT_FILE_MAX, &bytes, &size)) != 0)
        return r;
    if (size == 0 || !plain_text_valid(bytes, size, true))
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
    if (settings->text_version || !settings->text_file) {
        (void)snprintf(t->version, sizeof t->version, "%s",
                       settings->text_version ? settings->text_version : CONSENT_TEXT_VERSION);
        return 0;
    }
    if (!consent_text_version(t->body, t->size, t->version))
        return fault(host, EONAY_ERROR_PLUGIN_FAILED, 0, "SHA-256 failed");
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
