/* SPDX-License-Identifier: Apache-2.0 */
/* Only usable certificates are offered, but a named one is taken as it is: the daemon then says why it cannot be used.
 */
#include "choose.h"

#include <stdlib.h>

#include "bus.h"
#include "certificate.h"
#include "error.h"
#include "failure.h"
#include "json.h"
#include "prompt.h"
#include "text.h"

static int choose_named(Ctl *ctl, const json_t *list, const char *name, json_t **ret) {
    json_t *found = NULL, *certificate;
    size_t i;
    json_array_foreach(list, i, certificate) {
        if (!certificate_is_named(certificate, name))
            continue;
        if (found)
            return ctl_usage(_("Several certificates begin with this fingerprint; give more of its digits."));
        found = certificate;
    }
    if (!found)
        return failure_report_code(ctl, EONAY_ERROR_NO_CERTIFICATE, name);
    *ret = json_incref(found);
    return CTL_OK;
}

static void offer(FILE *out, const json_t *list) {
    json_t *c;
    size_t i;
    fputs(_("Certificates you can sign with:\n"), out);
    json_array_foreach(list, i, c) {
        g_autofree char *subject = text_common_name(json_get_string(c, "Subject", ""));
        g_autofree char *issuer = text_common_name(json_get_string(c, "Issuer", ""));
        g_autofree char *until = text_date(json_get_integer(c, "NotAfter", 0));
        fprintf(out, _("  %zu. %s, issued by %s, valid until %s (%.*s)\n"), i + 1, subject, issuer, until,
                (int)FINGERPRINT_SHORT, json_get_string(c, "Fingerprint", ""));
    }
}

static int choose_asked(Ctl *ctl, Terminal *terminal, const json_t *list, const bool *stop, json_t **ret) {
    offer(terminal_out(terminal), list);
    for (;;) {
        _cleanup_(pin_freep) Pin *answer = NULL;
        g_autofree char *question = g_strdup_printf(_("Which one? [1-%zu] "), json_array_size(list));
        int r = prompt_ask(ctl, terminal, question, false, stop, &answer);
        if (r < 0 && r != -ENOTTY)
            return failure_report_errno(ctl, r == -ESTALE ? -EINTR : r);
        if (r < 0)
            return ctl_usage(
                _("Several certificates can be used and there is no terminal to ask on; use --certificate."));
        if (r == 0)
            return failure_report_code(ctl, EONAY_ERROR_CANCELLED, NULL);
        guint64 number = g_ascii_strtoull(pin_text(answer), NULL, 10);
        if (number < 1 || number > json_array_size(list))
            continue;
        *ret = json_incref(json_array_get(list, number - 1));
        return CTL_OK;
    }
}

static json_t *only_usable(const json_t *list) {
    json_t *usable = json_array(), *certificate;
    size_t i;
    json_array_foreach(list, i, certificate) {
        if (json_get_bool(certificate, "Usable", false))
            json_array_append(usable, certificate);
    }
    return usable;
}

/* "No usable certificate" is no help while the card lies in the reader: each one is named with its reasons. */
static int report_none(Ctl *ctl, const json_t *list) {
    g_autoptr(GString) why = g_string_new(NULL);
    json_t *certificate;
    size_t i;
    json_array_foreach(list, i, certificate) {
        g_autofree char *subject = text_common_name(json_get_string(certificate, "Subject", ""));
        g_autofree char *reasons = certificate_reasons(certificate);
        g_string_append_printf(why, "%s%s: %s", i > 0 ? "; " : "", subject, reasons);
    }
    return failure_report_code(ctl, EONAY_ERROR_NO_CERTIFICATE, why->len > 0 ? why->str : NULL);
}

int choose_certificate(Ctl *ctl, Terminal *terminal, const char *name, const char *token, const bool *stop,
                       json_t **ret) {
    _cleanup_json_ json_t *list = NULL, *usable = NULL;
    int r = certificate_list(ctl, &(CertificateFilter){.token = token}, &list);
    if (r != CTL_OK)
        return r;
    if (name)
        return choose_named(ctl, list, name, ret);
    usable = only_usable(list);
    if (json_array_size(usable) == 0)
        return report_none(ctl, list);
    if (json_array_size(usable) > 1)
        return choose_asked(ctl, terminal, usable, stop, ret);
    *ret = json_incref(json_array_get(usable, 0));
    return CTL_OK;
}
