/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readers and tokens as they are, and the certificates on them. What matters less is not told when it explains nothing:
 * an empty reader beside a token that can be used, an expired certificate beside its successor.
 */
#include <string.h>

#include "bus.h"
#include "certificate.h"
#include "doctor.h"
#include "json.h"
#include "text.h"
#include "token.h"

#define EXPIRES_SOON (60LL * 24 * 3600 * G_USEC_PER_SEC)

/* ---- readers and tokens ---- */

static void check_pin(Doctor *d, const json_t *token) {
    const char *state = json_get_string(token, "PinState", ""), *name = token_name(token);
    if (strcmp(state, "locked") == 0)
        doctor_found(d, DOCTOR_PIN_LOCKED, name, name);
    else if (strcmp(state, "final-try") == 0)
        doctor_found(d, DOCTOR_PIN_FINAL_TRY, name, name);
    else if (strcmp(state, "low") == 0)
        doctor_found(d, DOCTOR_PIN_LOW, name, name);
}

/* Returns how many can be used. */
static size_t check_tokens(Doctor *d, const json_t *tokens) {
    json_t *token;
    size_t i, ready = 0;
    json_array_foreach(tokens, i, token) {
        if (!token_is_readable(token)) {
            doctor_found(d, DOCTOR_CARD_UNREAD, json_get_string(token, "State", ""), NULL);
            continue;
        }
        check_pin(d, token);
        ready++;
    }
    return ready;
}

static bool readers_explained(const Doctor *d) {
    static const DoctorFault faults[] = {DOCTOR_PCSCD_MISSING, DOCTOR_PCSCD_STOPPED, DOCTOR_PCSCD_REFUSES,
                                         DOCTOR_PROC_HIDDEN, DOCTOR_READERS_UNWATCHED};
    for (size_t i = 0; i < G_N_ELEMENTS(faults); i++)
        if (doctor_has_found(d, faults[i]))
            return true;
    return false;
}

static void check_readers(Doctor *d, const json_t *readers, bool has_tokens) {
    json_t *reader;
    size_t i;
    if (has_tokens)
        return;
    if (json_array_size(readers) == 0 && !readers_explained(d))
        doctor_found(d, DOCTOR_NO_READER, NULL, NULL);
    json_array_foreach(readers, i, reader) {
        if (!json_get_bool(reader, "TokenPresent", false))
            doctor_found(d, DOCTOR_READER_EMPTY, json_get_string(reader, "Name", ""), NULL);
    }
}

/* ---- certificates ---- */

static bool has_reason(const json_t *certificate, const char *name) {
    json_t *reason;
    size_t i;
    json_array_foreach(json_object_get(certificate, "Reasons"), i, reason) {
        if (g_strcmp0(json_string_value(reason), name) == 0)
            return true;
    }
    return false;
}

static bool has_successor(const json_t *list, const json_t *certificate) {
    json_t *other;
    size_t i;
    json_array_foreach(list, i, other) {
        if (json_get_bool(other, "Usable", false) &&
            strcmp(json_get_string(other, "Subject", ""), json_get_string(certificate, "Subject", "")) == 0)
            return true;
    }
    return false;
}

/* "AYŞE YILMAZ, until 22.11.2026" */
static char *describe(const json_t *c, const char *key) {
    g_autofree char *subject = text_common_name(json_get_string(c, "Subject", ""));
    g_autofree char *date = text_date(json_get_integer(c, key, 0));
    return g_strdup_printf("%s, %s", subject, date);
}

static void report_certificate(Doctor *d, const json_t *list, const json_t *c) {
    g_autofree char *until = describe(c, "NotAfter"), *from = describe(c, "NotBefore");
    g_autofree char *reasons = certificate_reasons(c);
    bool soon = json_get_integer(c, "NotAfter", INT64_MAX) < g_get_real_time() + EXPIRES_SOON;
    if (json_get_bool(c, "Usable", false)) {
        if (soon)
            doctor_found(d, DOCTOR_CERTIFICATE_EXPIRES, until, NULL);
    } else if (has_successor(list, c))
        return;
    else if (has_reason(c, "expired"))
        doctor_found(d, DOCTOR_CERTIFICATE_EXPIRED, until, NULL);
    else if (has_reason(c, "not-yet-valid"))
        doctor_found(d, DOCTOR_CERTIFICATE_EARLY, from, NULL);
    else if (!has_reason(c, "pin-locked")) /* told with the token */
        doctor_found(d, DOCTOR_CERTIFICATE_REFUSED, reasons, NULL);
}

static void check_certificates(Doctor *d, const json_t *list) {
    json_t *certificate;
    size_t i, qualified = 0;
    json_array_foreach(list, i, certificate) {
        if (!json_get_bool(certificate, "Qualified", false))
            continue;
        report_certificate(d, list, certificate);
        qualified++;
    }
    if (qualified == 0)
        doctor_found(d, DOCTOR_NO_QUALIFIED, NULL, NULL);
}

void doctor_check_tokens(Doctor *d) {
    _cleanup_json_ json_t *objects = NULL, *tokens = NULL, *readers = NULL, *certificates = NULL;
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    if (token_list(d->ctl, &objects, &tokens) != CTL_OK)
        return;
    readers = objects_select(objects, EONAY_INTERFACE_READER);
    size_t ready = check_tokens(d, tokens);
    check_readers(d, readers, json_array_size(tokens) > 0);
    if (ready > 0 && certificate_list_quietly(d->ctl, &(CertificateFilter){0}, &certificates, &error) >= 0)
        check_certificates(d, certificates);
}
