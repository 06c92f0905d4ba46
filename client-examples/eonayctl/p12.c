/* SPDX-License-Identifier: Apache-2.0 */
/* First without the passphrase: most files need none to list their certificates, and none should be asked for in vain.
 */
#include "p12.h"

#include "bus.h"
#include "certificate.h"
#include "eonay/plugin.h"
#include "failure.h"
#include "file.h"
#include "json.h"
#include "pin-source.h"

static int add_file(Ctl *ctl, int file, const Pin *pin, char **ret_token, sd_bus_error *error) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    _cleanup_close_ int fd = -1;
    const char *token;
    int r = pin ? pin_pipe(pin, &fd) : 0;
    if (r < 0)
        return r;
    sd_bus_message *m = bus_method(ctl, NULL, NULL, "AddFile");
    if (m) {
        sd_bus_message_append(m, "h", file);
        sd_bus_message_open_container(m, 'a', "{sv}");
        bus_append_fd(m, "pin", fd);
        sd_bus_message_close_container(m);
    }
    r = bus_call(ctl, m, &reply, error);
    if (r >= 0)
        r = sd_bus_message_read(reply, "o", &token);
    if (r < 0)
        return r;
    *ret_token = g_strdup(token);
    return 0;
}

static int add_with_passphrase(Ctl *ctl, Terminal *terminal, int file, char **ret_token, Pin **ret_pin) {
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    _cleanup_(pin_freep) Pin *pin = NULL;
    int r = pin_source_take(ctl, terminal, _("Passphrase of the file (is not shown; Enter alone ends): "), NULL, &pin);
    if (r != CTL_OK)
        return r;
    r = add_file(ctl, file, pin, ret_token, &error);
    if (r < 0)
        return failure_report(ctl, r, &error);
    *ret_pin = TAKE_PTR(pin);
    return CTL_OK;
}

/* A file that hides its certificates is a token without any until the passphrase is there. */
static int shows_certificates(Ctl *ctl, const char *token, bool *ret) {
    _cleanup_json_ json_t *list = NULL;
    int r = certificate_list(ctl, &(CertificateFilter){.token = token}, &list);
    if (r == CTL_OK)
        *ret = json_array_size(list) > 0;
    return r;
}

int p12_add(Ctl *ctl, Terminal *terminal, const char *path, char **ret_token, Pin **ret_pin) {
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    _cleanup_close_ int file = -1;
    int r = file_to_memfd(path, EONAY_FILE_SIZE_MAX, &file);
    if (r < 0)
        return failure_report_code(ctl, EONAY_ERROR_FILE_INVALID, g_strerror(-r));
    g_autofree char *token = NULL;
    bool shown = false;
    r = add_file(ctl, file, NULL, &token, &error);
    if (r < 0 && !sd_bus_error_has_name(&error, EONAY_ERROR_PREFIX "PinRequired"))
        return failure_report(ctl, r, &error);
    if (token && (r = shows_certificates(ctl, token, &shown)) != CTL_OK)
        return r;
    if (!shown)
        return add_with_passphrase(ctl, terminal, file, ret_token, ret_pin);
    *ret_token = TAKE_PTR(token);
    return CTL_OK;
}
