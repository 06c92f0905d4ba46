/* SPDX-License-Identifier: Apache-2.0 */
/* The consent text: what it says, which version of it, and the bytes of one citizen's copy. */
#ifndef CA_LOCAL_TEXT_H
#define CA_LOCAL_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "eonay/plugin.h"
#include "settings.h"

#define TEXT_TITLE      "İmzalanacak Metin 1"
#define TEXT_MEDIA_TYPE "text/plain;charset=utf-8"
#define TEXT_FILE_MAX   65536u

typedef struct Text {
    char *body; /* ends with a line feed */
    size_t size;
    char version[TEXT_VERSION_MAX + 1];
} Text;

/* The text of the settings. Error: FILE_INVALID, for a text file that is empty, too large or not plain UTF-8. */
int text_new(const EonayHost *host, const Settings *settings, Text **ret);
Text *text_free(Text *t);

/*
 * The exact bytes that one consent signs: the body, an empty line, and the lines of reference and creation time that
 * make them different from those of every other consent. Released with free().
 */
int text_copy(const Text *t, const char *reference, int64_t created_at, uint8_t **ret_bytes, size_t *ret_size);

#endif
