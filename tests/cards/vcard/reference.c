/* SPDX-License-Identifier: Apache-2.0 */
/* The counter goes down, on disk, before the comparison: pulling the card in mid-verify must not give a free guess. A
 * right code puts it back. Only the code of the other reference can revive a counter that reached zero. */
#include "reference.h"

#include "apdu.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const reference_names[REFERENCE_COUNT] = {"pin", "puk"};
static const char *const reference_defaults[REFERENCE_COUNT] = {"123456", "12345678"};

void references_init(References *references) {
    *references = (References){0};
    for (int i = 0; i < REFERENCE_COUNT; i++) {
        Reference *r = &references->entry[i];
        memcpy(r->value, reference_defaults[i], strlen(reference_defaults[i]) + 1);
        r->tries = r->tries_maximum = TRIES_DEFAULT;
    }
}

void references_free(References *references) {
    free(references->path);
    OPENSSL_cleanse(references, sizeof(*references));
}

static bool value_is_good(int which, const char *value, size_t length) {
    size_t minimum = which == REFERENCE_PIN ? PIN_MINIMUM : REFERENCE_LENGTH;
    if (length < minimum || length > REFERENCE_LENGTH)
        return false;
    for (size_t i = 0; i < length; i++) {
        char first = which == REFERENCE_PIN ? '0' : 0x21, last = which == REFERENCE_PIN ? '9' : 0x7E;
        if (value[i] < first || value[i] > last)
            return false;
    }
    return true;
}

static bool reference_line(Reference *reference, const char *key, const char *value, int which) {
    size_t length = strlen(value);
    if (strcmp(key, "value") == 0) {
        if (!value_is_good(which, value, length))
            return false;
        memcpy(reference->value, value, length + 1);
        return true;
    }
    char *end;
    unsigned long number = strtoul(value, &end, 10);
    if (*end || number > TRIES_MAXIMUM)
        return false;
    if (strcmp(key, "tries") == 0)
        reference->tries = (unsigned)number;
    else if (strcmp(key, "tries-maximum") == 0 && number > 0)
        reference->tries_maximum = (unsigned)number;
    else
        return false;
    return true;
}

/* pin.value=…, puk.tries=… */
static bool references_line(References *references, char *line) {
    line[strcspn(line, "\r\n")] = '\0';
    if (!*line || *line == '#')
        return true;
    char *dot = strchr(line, '.'), *equals = strchr(line, '=');
    if (!dot || !equals || equals < dot)
        return false;
    *dot = *equals = '\0';
    for (int i = 0; i < REFERENCE_COUNT; i++)
        if (strcmp(line, reference_names[i]) == 0)
            return reference_line(&references->entry[i], dot + 1, equals + 1, i);
    return false;
}

int references_open(References *references, const char *path) {
    free(references->path);
    references->path = strdup(path);
    if (!references->path)
        return -ENOMEM;
    FILE *file = fopen(path, "re");
    if (!file)
        return errno == ENOENT ? references_save(references) : -errno;
    char line[128];
    bool good = true;
    while (good && fgets(line, sizeof(line), file))
        good = references_line(references, line);
    fclose(file);
    OPENSSL_cleanse(line, sizeof(line));
    return good ? 0 : -EBADMSG;
}

int references_save(const References *references) {
    if (!references->path)
        return 0;
    char temporary[4096];
    if ((size_t)snprintf(temporary, sizeof(temporary), "%s.new", references->path) >= sizeof(temporary))
        return -ENAMETOOLONG;
    mode_t mask = umask(0077);
    FILE *file = fopen(temporary, "we");
    umask(mask);
    if (!file)
        return -errno;
    for (int i = 0; i < REFERENCE_COUNT; i++) {
        const Reference *r = &references->entry[i];
        const char *name = reference_names[i];
        fprintf(file, "%s.value=%s\n%s.tries=%u\n%s.tries-maximum=%u\n", name, r->value, name, r->tries, name,
                r->tries_maximum);
    }
    bool failed = ferror(file);
    if (fclose(file) != 0 || failed)
        return -EIO;
    return rename(temporary, references->path) < 0 ? -errno : 0;
}

bool reference_set(References *references, int which, const char *value) {
    size_t length = strlen(value);
    if (!value_is_good(which, value, length))
        return false;
    memcpy(references->entry[which].value, value, length + 1);
    return references_save(references) == 0;
}

static bool padded_read(int which, Bytes padded, char ret[static REFERENCE_LENGTH + 1]) {
    if (padded.size != REFERENCE_LENGTH)
        return false;
    size_t length = REFERENCE_LENGTH;
    while (length > 0 && padded.data[length - 1] == 0xFF)
        length--;
    memcpy(ret, padded.data, length);
    ret[length] = '\0';
    return value_is_good(which, ret, length);
}

uint16_t reference_verify(References *references, int which, Bytes padded) {
    Reference *r = &references->entry[which];
    char given[REFERENCE_LENGTH + 1] = {0};
    if (r->tries == 0)
        return SW_BLOCKED;
    if (!padded_read(which, padded, given))
        return SW_WRONG_DATA;
    r->tries--;
    if (references_save(references) < 0)
        return SW_MEMORY_FAILURE;
    bool same = strcmp(given, r->value) == 0;
    OPENSSL_cleanse(given, sizeof(given));
    if (!same)
        return (uint16_t)(SW_VERIFY_FAILED | r->tries);
    r->tries = r->tries_maximum;
    return references_save(references) < 0 ? SW_MEMORY_FAILURE : SW_OK;
}

uint16_t reference_replace(References *references, int which, Bytes padded) {
    Reference *r = &references->entry[which];
    char given[REFERENCE_LENGTH + 1] = {0};
    if (!padded_read(which, padded, given))
        return SW_WRONG_DATA;
    memcpy(r->value, given, sizeof(given));
    OPENSSL_cleanse(given, sizeof(given));
    r->tries = r->tries_maximum;
    return references_save(references) < 0 ? SW_MEMORY_FAILURE : SW_OK;
}

uint16_t reference_status(const References *references, int which) {
    unsigned tries = references->entry[which].tries;
    return tries ? (uint16_t)(SW_VERIFY_FAILED | tries) : SW_BLOCKED;
}
