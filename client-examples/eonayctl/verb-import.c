/* SPDX-License-Identifier: Apache-2.0 */
/* eonayctl import: a container of `eonayctl export` into the daemon's records, which verifies it first. */
#include <stdio.h>
#include <unistd.h>

#include "bus.h"
#include "error.h"
#include "failure.h"
#include "file.h"
#include "json.h"

#define CONTAINER_SIZE_MAX (8u << 20) /* Limits ContainerMaxBytes */

/* The table's hint speaks of signatures that were made just now. */
static int refused(Ctl *ctl, int r, const sd_bus_error *error) {
    int code = sd_bus_error_is_set(error) ? eonay_error_from_name(error->name) : 0;
    if (code != EONAY_ERROR_SIGNATURE_INVALID && code != EONAY_ERROR_FILE_INVALID)
        return failure_report(ctl, r, error);
    g_autofree char *detail = failure_detail(code, error->message);
    if (ctl->json)
        json_print(json_pack("{s:s, s:s, s:s}", "Error", error->name, "Text", eonay_error_text(code), "Detail",
                             detail ? detail : ""));
    fprintf(stderr, _("eonayctl: it was not imported: %s.\n          See what 'eonayctl verify' says of the file.\n"),
            detail ? detail : eonay_error_text(code));
    return failure_exit(code);
}

static int import(Ctl *ctl, int file, char **ret_id) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    const char *id;
    sd_bus_message *m = bus_method(ctl, NULL, NULL, "ImportEvidence");
    if (m)
        sd_bus_message_append(m, "ha{sv}", file, 0);
    int r = bus_call(ctl, m, &reply, &error);
    if (r < 0)
        return refused(ctl, r, &error);
    if ((r = sd_bus_message_read(reply, "s", &id)) < 0)
        return failure_report_errno(ctl, r);
    *ret_id = g_strdup(id);
    return CTL_OK;
}

static int run_import(Ctl *ctl, char **arguments) {
    g_autofree char *id = NULL;
    int file = -1;
    int r = file_to_memfd(arguments[0], CONTAINER_SIZE_MAX, &file);
    if (r < 0) {
        fprintf(stderr, _("eonayctl: '%s' cannot be read: %s\n"), arguments[0], g_strerror(-r));
        return CTL_FAILED;
    }
    r = import(ctl, file, &id);
    close(file);
    if (r == CTL_OK && ctl->json)
        json_print(json_pack("{s:s}", "ConsentId", id));
    else if (r == CTL_OK)
        printf(_("It was verified and is now the record '%s'.\n"), id);
    return r;
}

const Verb verb_import = {
    .name = "import",
    .arguments = N_("FILE"),
    .min = 1,
    .max = 1,
    .summary = N_("Take exported evidence (.asice) into your records"),
    .run = run_import,
};
