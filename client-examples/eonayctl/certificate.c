/* SPDX-License-Identifier: Apache-2.0 */
/* The texts of the reasons stand in the table that the daemon's own check uses; only the table is taken, not its code.
 */
#include "certificate.h"

#include <string.h>

#include "bus.h"
#include "certificate-profile.h"
#include "failure.h"
#include "json.h"

static const struct {
    const char *name;
    const char *text;
} reasons[] = {
#define REASON_(bit, id, name_, error, text_) {.name = (name_), .text = (text_)},
    CERTIFICATE_REASON_TABLE(REASON_)
#undef REASON_
};

const char *certificate_reason(const char *name) {
    for (size_t i = 0; i < G_N_ELEMENTS(reasons); i++)
        if (strcmp(reasons[i].name, name) == 0)
            return _(reasons[i].text);
    return name;
}

char *certificate_reasons(const json_t *certificate) {
    GString *all = g_string_new(NULL);
    size_t i;
    json_t *reason;
    json_array_foreach(json_object_get(certificate, "Reasons"), i, reason) {
        const char *name = json_string_value(reason);
        if (name)
            g_string_append_printf(all, "%s%s", all->len > 0 ? ", " : "", certificate_reason(name));
    }
    return g_string_free(all, FALSE);
}

bool certificate_is_named(const json_t *certificate, const char *name) {
    if (name[0] == '/')
        return strcmp(json_get_string(certificate, "Path", ""), name) == 0;
    const char *fingerprint = json_get_string(certificate, "Fingerprint", "");
    size_t n = 0;
    for (const char *p = name; *p; p++) {
        if (*p == ':' || *p == ' ')
            continue;
        if (!fingerprint[n] || g_ascii_tolower(*p) != g_ascii_tolower(fingerprint[n]))
            return false;
        n++;
    }
    return n >= FINGERPRINT_LEAST;
}

static sd_bus_message *list_message(Ctl *ctl, const CertificateFilter *filter) {
    sd_bus_message *m = bus_method(ctl, NULL, NULL, "ListCertificates");
    if (!m || sd_bus_message_open_container(m, 'a', "{sv}") < 0)
        return m;
    if (filter->usable)
        bus_append_bool(m, "usable", true);
    if (filter->token)
        sd_bus_message_append(m, "{sv}", "token", "o", filter->token);
    bus_append_string(m, "purpose", filter->purpose);
    sd_bus_message_close_container(m);
    return m;
}

/* (path, {…}) becomes one object. */
static json_t *flatten(json_t *pairs) {
    json_t *list = json_array(), *pair;
    size_t i;
    json_array_foreach(pairs, i, pair) {
        json_t *certificate = json_array_get(pair, 1);
        json_object_set(certificate, "Path", json_array_get(pair, 0));
        json_array_append(list, certificate);
    }
    return list;
}

int certificate_list_quietly(Ctl *ctl, const CertificateFilter *filter, json_t **ret, sd_bus_error *error) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    _cleanup_json_ json_t *pairs = NULL;
    int r = bus_call(ctl, list_message(ctl, filter), &reply, error);
    if (r >= 0)
        r = json_read(reply, &pairs);
    if (r < 0)
        return r;
    *ret = flatten(pairs);
    return 0;
}

int certificate_list(Ctl *ctl, const CertificateFilter *filter, json_t **ret) {
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    int r = certificate_list_quietly(ctl, filter, ret, &error);
    return r < 0 ? failure_report(ctl, r, &error) : CTL_OK;
}
