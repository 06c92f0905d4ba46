/* SPDX-License-Identifier: Apache-2.0 */
#include "fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int fault(const EonayHost *host, EonayError code, uint64_t seconds, const char *format, ...) {
    char text[512];
    va_list ap;

    va_start(ap, format);
    if (format)
        (void)vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    return host->fault(host, code, -1, seconds, format ? text : NULL);
}

char *host_strdup(const EonayHost *host, const char *s) {
    if (!s)
        return NULL;

    size_t size = strlen(s) + 1;
    return memcpy(host->alloc(host, size), s, size);
}
