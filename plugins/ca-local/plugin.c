/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ca-local: a whole authority on one SQLite file, for trying out, for tests and for houses that are their own
 * authority. Each operation is a noun of this folder; this file opens the instance and holds the table.
 */
#include <errno.h>
#include <stdio.h>

#include "approval.h"
#include "ca.h"
#include "code.h"
#include "consent.h"
#include "redemption.h"
#include "submission.h"

static void ca_close(void *context) {
    Ca *ca = context;

    if (!ca)
        return;
    store_free(ca->store);
    trust_free(ca->anchors);
    trust_free(ca->intermediates);
    text_free(ca->text);
    free(ca);
}

static void ca_closep(Ca **ca) {
    ca_close(*ca);
}

static int ca_open(const EonayHost *host, void **ret_context) {
    _cleanup_(ca_closep) Ca *ca = calloc(1, sizeof *ca);
    int r = 0;

    if (!ca)
        return -ENOMEM;
    ca->host = host;
    if ((r = settings_read(host, &ca->settings)) != 0 || (r = text_new(host, &ca->settings, &ca->text)) != 0 ||
        (r = trust_new(host, "TrustAnchors", ca->settings.trust_anchors, &ca->anchors)) != 0 ||
        (r = trust_new(host, "Intermediates", ca->settings.intermediates, &ca->intermediates)) != 0 ||
        (r = store_open(host, ca->settings.database, &ca->store)) != 0)
        return r;
    *ret_context = TAKE_PTR(ca);
    return 0;
}

static int ca_capabilities(void *context, EonayCapabilities *ret) {
    const Ca *ca = context;

    *ret = (EonayCapabilities){.struct_size = sizeof *ret,
                               .flags = EONAY_CA_GET_CODE | EONAY_CA_REGENERATE | EONAY_CA_STATUS | EONAY_CA_APPROVAL |
                                        EONAY_CA_CANCEL,
                               .code_length = CODE_DIGITS,
                               .code_lifetime = ca->settings.code_lifetime};
    (void)snprintf(ret->name, sizeof ret->name, "%s", ca->settings.requester_name);
    return 0;
}

static int ca_get_code(void *context, const EonayCodeRequest *request, EonayCode *ret) {
    return code_get(context, request, ret);
}

static int ca_redeem(void *context, const char *code, EonayRedemption *ret) {
    return redemption_make(context, code, ret);
}

static int ca_submit(void *context, const EonaySubmission *submission, EonayReceipt *ret) {
    return submission_take(context, submission, ret);
}

static int ca_status(void *context, const char *transaction, EonayTransactionState *ret_state, EonayReceipt *ret) {
    return consent_status(context, transaction, ret_state, ret);
}

static int ca_approval(void *context, const char *subject, EonayApproval *ret) {
    return approval_get(context, subject, ret);
}

static int ca_cancel(void *context, const char *transaction) {
    return consent_cancel(context, transaction);
}

static const EonayCaOps ops = {
    .struct_size = sizeof ops,
    .open = ca_open,
    .close = ca_close,
    .capabilities = ca_capabilities,
    .get_code = ca_get_code,
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
    .name = "ca-local",
    .version = EONAY_VERSION,
    .ca = &ops,
};
