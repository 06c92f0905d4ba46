/* SPDX-License-Identifier: Apache-2.0 */
/* eonayctl doctor: what is wrong on this computer, and for each fault what to type. */
#include <stdio.h>

#include "bus.h"
#include "doctor.h"
#include "failure.h"
#include "json.h"
#include "terminal.h"

static const GOptionEntry options[] = {{NULL}};

static void show(const json_t *found) {
    bool bold = terminal_colour(1);
    json_t *fault;
    size_t i;
    if (json_array_size(found) == 0)
        puts(_("Nothing is wrong."));
    json_array_foreach(found, i, fault) {
        const char *detail = json_get_string(fault, "Detail", "");
        printf("%s%s%zu. %s%s\n", i > 0 ? "\n" : "", bold ? "\033[1m" : "", i + 1, json_get_string(fault, "Text", ""),
               bold ? "\033[0m" : "");
        if (*detail)
            printf("   (%s)\n", detail);
        printf("   %s\n      %s\n", json_get_string(fault, "Advice", ""), json_get_string(fault, "Command", ""));
    }
}

static int run(Ctl *ctl, char **arguments) {
    (void)arguments;
    _cleanup_json_ json_t *found = json_array();
    Doctor d = {.ctl = ctl, .found = found};
    int r = ctl_open_loop(ctl);
    if (r != CTL_OK)
        return r;
    if (doctor_check_service(&d))
        doctor_check_tokens(&d);
    if (ctl->interrupted)
        return failure_report_errno(ctl, -EINTR);
    doctor_check_system(&d);
    if (ctl->json)
        json_print(json_pack("{s:O}", "Faults", found));
    else
        show(found);
    return json_array_size(found) > 0 ? CTL_FAILED : CTL_OK;
}

const Verb verb_doctor = {
    .name = "doctor",
    .summary = N_("Find out what is wrong on this computer, and what to type against it"),
    .options = options,
    .connects_late = true,
    .run = run,
};
