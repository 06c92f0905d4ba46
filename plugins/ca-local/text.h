/* SPDX-License-Identifier: Apache-2.0 */
/* The consent text: what it says, which version of it, and the bytes of one citizen's copy. */
#ifndef CA_LOCAL_TEXT_H
#define CA_LOCAL_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "consent-text.h"
#include "eonay/plugin.h"
#include "settings.h"

#define TEXT_FILE_MAX CONSENT_TEXT_MAX

typedef struct Text {
    char *body; /* ends with a line feed */
    size_t size;
    char version[TEXT_VERSION_MAX + 1];
} Text;

/* The text of the settings. Error: FILE_INVALID, for a text file that is empty, too large or not plain UTF-8. */
int text_new(const EonayHost *host, const Settings *settings, Text **ret);
Text *text_free(Text *t);

#endif
