/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void log_write(int priority, const char *format, ...) {
    char line[1024];
    va_list ap;

    va_start(ap, format);
    (void)vsnprintf(line, sizeof line, format, ap);
    va_end(ap);
    /* A line of foreign text must not look like several. */
    for (char *p = line; *p != '\0'; p++)
        if ((unsigned char)*p < 0x20)
            *p = ' ';
    if (getenv("JOURNAL_STREAM"))
        (void)fprintf(stderr, "<%d>%s\n", priority, line);
    else
        (void)fprintf(stderr, "eonay-portal: %s\n", line);
}
