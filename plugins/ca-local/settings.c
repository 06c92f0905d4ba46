/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every value is checked when the instance opens, so that a typing error in the configuration is met by the
 * administrator and not, five minutes later, by a citizen.
 */
#include "settings.h"

#include <string.h>

#include "fault.h"
#include "plain-text.h"

static int bad_value(const EonayHost *host, const char *key, const char *value, const char *expected) {
    return fault(host, EONAY_ERROR_PLUGIN_FAILED, 0, "%s=%.200s: must be %s", key, value, expected);
}

static int read_bool(const EonayHost *host, const char *key, bool *value) {
    const char *s = host->config(host, key);

    if (!s)
        return 0;
    if (strcmp(s, "yes") == 0 || strcmp(s, "true") == 0 || strcmp(s, "1") == 0)
        return *value = true, 0;
    if (strcmp(s, "no") == 0 || strcmp(s, "false") == 0 || strcmp(s, "0") == 0)
        return *value = false, 0;
    return bad_value(host, key, s, "yes or no");
}

static bool parse_number(const char *s, uint32_t least, uint32_t most, uint32_t *ret) {
    uint64_t n = 0;

    if (*s == '\0' || strlen(s) > 9)
        return false;
    for (; *s; s++) {
        if (*s < '0' || *s > '9')
            return false;
        n = n * 10 + (uint64_t)(*s - '0');
    }
    if (n < least || n > most)
        return false;
    *ret = (uint32_t)n;
    return true;
}

static int read_number(const EonayHost *host, const char *key, uint32_t least, uint32_t most, uint32_t *value) {
    const char *s = host->config(host, key);

    if (!s || parse_number(s, least, most, value))
        return 0;
    return fault(host, EONAY_ERROR_PLUGIN_FAILED, 0, "%s=%.200s: must be a number from %u to %u", key, s, least, most);
}

/*A path, or for some keys a ';' separated list of them. An empty value counts as none. */
static int read_paths(const EonayHost *host, const char *key, bool required, const char **value) {
    const char *s = host->config(host, key);

    *value = s && *s ? s : NULL;
    if (*value && **value != '/')
        return bad_value(host, key, s, "an absolute path");
    if (!*value && required)
        return fault(host, EONAY_ERROR_PLUGIN_FAILED, 0, "%s= is missing: it must name an absolute path", key);
    return 0;
}

static int read_name(const EonayHost *host, Settings *s) {
    const char *name = host->config(host, "RequesterName");

    s->requester_name = "Yerel E-Onay Kurumu (deneme)";
    if (!name)
        return 0;
    if (*name == '\0' || strlen(name) > REQUESTER_NAME_MAX ||
        !plain_text_valid((const uint8_t *)name, strlen(name), false))
        return bad_value(host, "RequesterName", name, "1 to 127 bytes of plain UTF-8");
    s->requester_name = name;
    return 0;
}

static int read_text_version(const EonayHost *host, Settings *s) {
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-";
    const char *version = host->config(host, "TextVersion");

    if (!version)
        return 0;
    if (*version == '\0' || strlen(version) > TEXT_VERSION_MAX || version[strspn(version, allowed)] != '\0')
        return bad_value(host, "TextVersion", version, "1 to 64 ASCII letters, digits or ._:-");
    s->text_version = version;
    return 0;
}

static int read_level(const EonayHost *host, Settings *s) {
    const char *level = host->config(host, "Level");

    if (!level || cades_level_find(level, &s->level))
        return 0;
    return bad_value(host, "Level", level, "B-B, B-T, B-LT, B-LTA, P1, P2, P3 or P4");
}

int settings_read(const EonayHost *host, Settings *ret) {
    Settings s = {.code_lifetime = 300, .guesses_per_minute = 10};
    int r = 0;

    if ((r = read_paths(host, "Database", true, &s.database)) != 0 ||
        (r = read_paths(host, "TrustAnchors", true, &s.trust_anchors)) != 0 ||
        (r = read_paths(host, "Intermediates", false, &s.intermediates)) != 0 ||
        (r = read_paths(host, "TextFile", false, &s.text_file)) != 0 ||
        (r = read_bool(host, "AllowRepeats", &s.allow_repeats)) != 0 ||
        (r = read_number(host, "CodeLifetime", 1, 86400, &s.code_lifetime)) != 0 ||
        (r = read_number(host, "GuessesPerMinute", 1, 1000000, &s.guesses_per_minute)) != 0 ||
        (r = read_name(host, &s)) != 0 || (r = read_text_version(host, &s)) != 0 || (r = read_level(host, &s)) != 0)
        return r;
    *ret = s;
    return 0;
}
