/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VerifySignature tells until when the proof holds (RenewBefore: the first end of a certificate behind the newest time
 * stamp, or of its algorithms), ExtendSignature adds the stamp, and VerifySignature judges what came of it.
 */
#include "renew-service.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bus.h"
#include "failure.h"
#include "file.h"
#include "json.h"
#include "names.h"
#include "text.h"
#include "verify-call.h"

#define DAY (24 * 3600 * (int64_t)G_USEC_PER_SEC)

static int unusable(const char *path, const char *why) {
    fprintf(stderr, _("eonayctl: the proof in '%s' cannot be renewed: %s\n"), path, why);
    return CTL_FAILED;
}

/* Until when the proof holds, microseconds; 0: there is none. *ret_level: what the signature has, g_free(). */
static int proof_ask(Ctl *ctl, GBytes *signature, int64_t *ret_until, char **ret_level) {
    VerifyInput input = {-1, -1, -1, -1, 0};
    _cleanup_json_ json_t *report = NULL;
    int r = file_memfd_of(signature, &input.signature);
    if (r < 0)
        return failure_report_errno(ctl, r);
    r = verify_call(ctl, &input, &report);
    close(input.signature);
    if (r != CTL_OK)
        return r;
    *ret_until = json_get_bool(report, "Valid", false) ? json_get_integer(report, "RenewBefore", 0) : 0;
    *ret_level = g_strdup(json_get_string(report, "LevelClaimed", ""));
    return CTL_OK;
}

static int extend(Ctl *ctl, GBytes *signature, GBytes **ret) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    int fd = -1, extended;
    int r = file_memfd_of(signature, &fd);
    sd_bus_message *m = r == 0 ? bus_method(ctl, NULL, NULL, "ExtendSignature") : NULL;
    if (m)
        sd_bus_message_append(m, "hsa{sv}", fd, "B-LTA", 0);
    if (fd >= 0)
        close(fd);
    if (r < 0)
        return failure_report_errno(ctl, r);
    int status = bus_call_or_report(ctl, m, &reply);
    if (status != CTL_OK)
        return status;
    r = sd_bus_message_read(reply, "h", &extended);
    if (r >= 0)
        r = file_from_memfd(extended, EONAY_SIGNATURE_SIZE_MAX, ret);
    return r < 0 ? failure_report_errno(ctl, r) : CTL_OK;
}

static void tell(Ctl *ctl, const char *path, int64_t until, bool renewed) {
    g_autofree char *time = text_time(until);
    if (ctl->json)
        json_print(json_pack("{s:s, s:I, s:b}", "File", path, "RenewBefore", (json_int_t)until, "Renewed", renewed));
    else if (renewed)
        printf(_("The proof holds until %s; renew it before.\n"), time);
    else
        printf(_("The proof in '%s' holds until %s: there is nothing to do yet.\n"), path, time);
}

/* A stamp that holds no longer than the last one only makes the file larger. */
static int renew(Ctl *ctl, const char *path, GBytes *signature, int64_t until, const char *output) {
    g_autoptr(GBytes) renewed = NULL;
    g_autofree char *level = NULL;
    int64_t then = 0;
    int r = extend(ctl, signature, &renewed);
    if (r == CTL_OK)
        r = proof_ask(ctl, renewed, &then, &level);
    if (r != CTL_OK)
        return r;
    if (then <= until)
        return unusable(path, _("a further time stamp of these authorities would not hold longer"));
    int error = file_store(output ? output : path, g_bytes_get_data(renewed, NULL), g_bytes_get_size(renewed));
    if (error < 0)
        return failure_report_errno(ctl, error);
    tell(ctl, path, then, true);
    return CTL_OK;
}

int renew_by_service(Ctl *ctl, const char *path, int days, const char *output) {
    g_autoptr(GBytes) signature = NULL;
    g_autofree char *level = NULL;
    int64_t until = 0;
    int r = file_read(path, EONAY_SIGNATURE_SIZE_MAX, &signature);
    if (r < 0) {
        fprintf(stderr, _("eonayctl: '%s' cannot be read: %s\n"), path, g_strerror(-r));
        return CTL_FAILED;
    }
    if ((r = proof_ask(ctl, signature, &until, &level)) != CTL_OK)
        return r;
    if (g_strcmp0(level, "B-LT") != 0 && g_strcmp0(level, "B-LTA") != 0)
        return unusable(path, _("it is no signature of the level B-LT or B-LTA"));
    if (until == 0)
        return unusable(path, _("it holds no more; 'eonayctl verify' tells why"));
    if (until > g_get_real_time() + days * DAY) {
        tell(ctl, path, until, false);
        return CTL_OK;
    }
    return renew(ctl, path, signature, until, output);
}
