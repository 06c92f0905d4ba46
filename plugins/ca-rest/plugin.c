/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ca-rest: an authority that speaks the interface of docs/portal-api.yaml. Each operation is a noun of this folder;
 * this file opens the instance and holds the table. Nothing but the connections is shared between two calls.
 */
#include <errno.h>

#include "rest.h"
#include "scope.h"

static void ca_close(void *context) {
    Rest *rest = context;

    if (!rest)
        return;
    transfers_free(rest->transfers);
    settings_clear(&rest->settings);
    free(rest);
}

static void ca_closep(Rest **rest) {
    ca_close(*rest);
}

static int ca_open(const EonayHost *host, void **ret_context) {
    _cleanup_(ca_closep) Rest *rest = calloc(1, sizeof *rest);
    int r = 0;

    if (!rest)
        return -ENOMEM;
    rest->host = host;
    if ((r = settings_read(host, &rest->settings)) != 0 ||
        (r = transfers_new(host, &rest->settings, &rest->transfers)) != 0)
        return r;
    *ret_context = TAKE_PTR(rest);
    return 0;
}

static int ca_capabilities(void *context, EonayCapabilities *ret) {
    return capabilities_ask(context, ret);
}

static int ca_get_code(void *context, const EonayCodeRequest *request, EonayCode *ret) {
    return code_ask(context, request, ret);
}

static int ca_poll_code(void *context, const char *handle, EonayCode *ret) {
    return code_poll(context, handle, ret);
}

static int ca_redeem(void *context, const char *code, EonayRedemption *ret) {
    return redemption_ask(context, code, ret);
}

static int ca_submit(void *context, const EonaySubmission *submission, EonayReceipt *ret) {
    return submission_send(context, submission, ret);
}

static int ca_status(void *context, const char *transaction, EonayTransactionState *ret_state, EonayReceipt *ret) {
    return transaction_status(context, transaction, ret_state, ret);
}

static int ca_approval(void *context, const char *subject, EonayApproval *ret) {
    return approval_ask(context, subject, ret);
}

static int ca_cancel(void *context, const char *transaction) {
    return transaction_cancel(context, transaction);
}

static const EonayCaOps ops = {
    .struct_size = sizeof ops,
    .open = ca_open,
    .close = ca_close,
    .capabilities = ca_capabilities,
    .get_code = ca_get_code,
    .poll_code = ca_poll_code,
    .redeem = ca_redeem,
    .submit = ca_submit,
    .status = ca_status,
    .approval = ca_approval,
    .cancel = ca_cancel,
};

const EonayPlugin eonay_plugin = {
    .abi_major = EONAY_PLUGIN_ABI_MAJOR,
    .abi_minor = EONAY_PLUGIN_ABI_MINOR,
    .struct_size = sizeof(EonayPlugin),
    .kind = EONAY_PLUGIN_CA,
    .flags = EONAY_PLUGIN_CONCURRENT,
    .name = "ca-rest",
    .version = EONAY_VERSION,
    .ca = &ops,
};
