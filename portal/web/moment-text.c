/* SPDX-License-Identifier: Apache-2.0 */
#include "moment-text.h"

#include <stdio.h>
#include <string.h>

/* The zone with its history where the machine knows it, else what has been in force since 2016. */
static GTimeZone *turkey(void) {
    GTimeZone *zone = g_time_zone_new_identifier("Europe/Istanbul");

    return zone ? zone : g_time_zone_new_offset(3 * 3600);
}

GDateTime *moment_local(int64_t usec) {
    g_autoptr(GTimeZone) zone = turkey();
    gint64 seconds = usec / G_USEC_PER_SEC - (usec % G_USEC_PER_SEC < 0);
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(seconds);
    g_autoptr(GDateTime) local = utc ? g_date_time_to_timezone(utc, zone) : NULL;

    return local ? g_date_time_add(local, usec - seconds * G_USEC_PER_SEC) : NULL;
}

static const char *moment_write(int64_t usec, const char *format, char ret[MOMENT_TEXT_SIZE]) {
    g_autoptr(GDateTime) local = moment_local(usec);
    g_autofree char *text = local ? g_date_time_format(local, format) : NULL;

    g_strlcpy(ret, text ? text : "-", MOMENT_TEXT_SIZE);
    return ret;
}

const char *moment_text(int64_t usec, char ret[MOMENT_TEXT_SIZE]) {
    return moment_write(usec, "%d.%m.%Y %H:%M:%S", ret);
}

const char *moment_day(int64_t usec, char ret[MOMENT_TEXT_SIZE]) {
    return moment_write(usec, "%d.%m.%Y", ret);
}

int64_t moment_parse_day(const char *text) {
    g_autoptr(GTimeZone) zone = turkey();
    g_autoptr(GDateTime) day = NULL;
    int d = 0;
    int m = 0;
    int y = 0;
    int end = 0;

    if (!text || strlen(text) != 10)
        return -1;
    if ((sscanf(text, "%4d-%2d-%2d%n", &y, &m, &d, &end) != 3 || end != 10) &&
        (sscanf(text, "%2d.%2d.%4d%n", &d, &m, &y, &end) != 3 || end != 10))
        return -1;
    day = g_date_time_new(zone, y, m, d, 0, 0, 0);
    return day ? g_date_time_to_unix(day) * G_USEC_PER_SEC : -1;
}
