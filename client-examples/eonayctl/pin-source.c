/* SPDX-License-Identifier: Apache-2.0 */
/* A file is as safe as its mode: one that others can read is refused, so that a PIN does not lie about by mistake. */
#include "pin-source.h"

#include <stdio.h>

#include "eonay/plugin.h"
#include "failure.h"
#include "prompt.h"

PinSource pin_source = {.fd = -1};

bool pin_source_is_given(void) {
    return pin_source.file || pin_source.fd >= 0;
}

static int report_given(Ctl *ctl, int r) {
    if (r == -EMSGSIZE || r == -EBADMSG)
        return failure_report_code(ctl, EONAY_ERROR_PIN_FORMAT, NULL);
    if (r == -ETIMEDOUT)
        return failure_report_code(ctl, EONAY_ERROR_TIMED_OUT, NULL);
    return failure_report_code(ctl, EONAY_ERROR_PIN_REQUIRED,
                               r == -EPERM ? _("the PIN file must be yours and readable by nobody else")
                                           : g_strerror(-r));
}

int pin_source_take_given(Ctl *ctl, const PinSource *source, Pin **ret) {
    _cleanup_(pin_freep) Pin *pin = NULL;
    int wait = MIN(ctl->timeout, G_MAXINT / 1000) * 1000;
    int r = pin_new(&pin);
    if (r >= 0)
        r = source->file ? pin_read_file(pin, source->file) : pin_read_fd(pin, source->fd, wait);
    if (r < 0)
        return report_given(ctl, r);
    *ret = TAKE_PTR(pin);
    return CTL_OK;
}

int pin_source_ask(Ctl *ctl, Terminal *terminal, const char *question, const bool *stop, Pin **ret) {
    _cleanup_(pin_freep) Pin *pin = NULL;
    if (ctl->no_ask_password)
        return failure_report_code(ctl, EONAY_ERROR_PIN_REQUIRED, _("--no-ask-password forbids to ask"));
    int r = prompt_ask(ctl, terminal, question, true, stop, &pin);
    if (r == -ENOTTY)
        return failure_report_code(ctl, EONAY_ERROR_PIN_REQUIRED, _("there is no terminal to ask on"));
    if (r == -ESTALE)
        return CTL_FAILED; /* the caller knows why and says it */
    if (r < 0)
        return failure_report_errno(ctl, r);
    if (r == 0 || pin_size(pin) == 0)
        return failure_report_code(ctl, EONAY_ERROR_CANCELLED, NULL);
    *ret = TAKE_PTR(pin);
    return CTL_OK;
}

int pin_source_take(Ctl *ctl, Terminal *terminal, const char *question, const bool *stop, Pin **ret) {
    return pin_source_is_given() ? pin_source_take_given(ctl, &pin_source, ret)
                                 : pin_source_ask(ctl, terminal, question, stop, ret);
}
