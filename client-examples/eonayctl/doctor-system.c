/* SPDX-License-Identifier: Apache-2.0 */
/* What this computer itself has wrong: its clock, its time zone, the language of the session. */
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "doctor.h"
#include "text.h"

#define CLOCK_LATITUDE (24 * 3600) /* seconds: files may come from a computer whose clock is a little ahead */

/* A clock that lost its battery stands years back; these files were written since. */
static void check_clock(Doctor *d) {
    static const char *const files[] = {"/proc/self/exe", "/var/lib/systemd/timesync/clock", "/var/lib/dpkg/status",
                                        "/etc"};
    time_t newest = 0, now = time(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        struct stat st;
        if (stat(files[i], &st) == 0 && st.st_mtime > newest)
            newest = st.st_mtime;
    }
    if (newest <= now + CLOCK_LATITUDE)
        return;
    g_autofree char *shown = text_time((int64_t)now * G_USEC_PER_SEC);
    g_autofree char *later = text_time((int64_t)newest * G_USEC_PER_SEC);
    g_autofree char *detail = g_strdup_printf("%s < %s", shown, later);
    doctor_found(d, DOCTOR_CLOCK_BEHIND, detail, NULL);
}

/* "Europe/Istanbul" needs its file; "UTC" and "<+03>-3" need none. */
static void check_time_zone(Doctor *d) {
    const char *zone = getenv("TZ"), *folder = getenv("TZDIR");
    if (!zone || !*zone) {
        if (access("/etc/localtime", F_OK) < 0 && readlink("/etc/localtime", (char[1]){0}, 1) > 0)
            doctor_found(d, DOCTOR_TIME_ZONE, "/etc/localtime", NULL);
        return;
    }
    zone += *zone == ':';
    if (!strchr(zone, '/'))
        return;
    g_autofree char *path = g_build_filename(zone[0] == '/'      ? "/"
                                             : folder && *folder ? folder
                                                                 : "/usr/share/zoneinfo",
                                             zone, NULL);
    if (access(path, R_OK) < 0)
        doctor_found(d, DOCTOR_TIME_ZONE, zone, NULL);
}

static void check_locale(Doctor *d) {
    static const char *const variables[] = {"LC_ALL", "LC_MESSAGES", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < G_N_ELEMENTS(variables); i++) {
        const char *name = getenv(variables[i]);
        if (!name || !*name)
            continue;
        locale_t locale = newlocale(LC_MESSAGES_MASK | LC_CTYPE_MASK, name, (locale_t)0);
        if (!locale) {
            g_autofree char *detail = g_strdup_printf("%s=%s", variables[i], name);
            doctor_found(d, DOCTOR_LOCALE, detail, name);
            return;
        }
        freelocale(locale);
    }
}

void doctor_check_system(Doctor *d) {
    check_clock(d);
    check_time_zone(d);
    check_locale(d);
}
