/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An authority that believes everything: any code opens the consent of its configuration, any signature is accepted. It
 * judges nothing, so it proves nothing; it is there to give the daemon texts, lives and faults that no real authority
 * would.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "script.h"

#define USEC          1000000ull
#define TEXT_MAX      (4u << 20)
#define TEXTS_DEFAULT "Deneme metni: bu metin yalnız sınama içindir.\n"

typedef struct FakeCa {
    const EonayHost *host;
    Script *script;
    uint64_t codes;
    long polls_left;
} FakeCa;

static uint64_t now_usec(const FakeCa *ca) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)(t.tv_sec + config_number(ca->host, "ClockOffset", 0)) * USEC + (uint64_t)t.tv_nsec / 1000;
}

static uint64_t life_usec(const FakeCa *ca) {
    return (uint64_t)config_number(ca->host, "Life", 300) * USEC;
}

static void fake_close(void *context) {
    FakeCa *ca = context;
    script_step(ca->script, "close");
    script_free(ca->script);
    free(ca);
}

static int fake_open(const EonayHost *host, void **ret_context) {
    FakeCa *ca = calloc(1, sizeof(*ca));
    if (!ca)
        return -ENOMEM;
    ca->host = host;
    ca->polls_left = config_number(host, "PendingPolls", 0);
    int r = script_new(host, &ca->script);
    if (r == 0) {
        Act step = script_step(ca->script, "open");
        r = step.ends ? step.r : 0;
    }
    if (r != 0) {
        script_free(ca->script);
        free(ca);
        return r;
    }
    *ret_context = ca;
    return 0;
}

static int fake_capabilities(void *context, EonayCapabilities *ret) {
    static const char *const names[] = {"get-code", "regenerate", "status", "approval", "cancel", "poll"};
    FakeCa *ca = context;
    Act step = script_step(ca->script, "capabilities");
    if (step.ends)
        return step.r;
    const char *wanted = config_text(ca->host, "Capabilities", "get-code,regenerate,status,approval,cancel,poll");
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        ret->flags |= list_has(wanted, names[i]) ? 1u << i : 0;
    ret->code_length = (uint32_t)config_number(ca->host, "CodeLength", 15);
    ret->code_lifetime = (uint32_t)config_number(ca->host, "Life", 300);
    snprintf(ret->name, sizeof(ret->name), "%s", config_text(ca->host, "Name", "Fake authority"));
    if (strcmp(step.garbage, "unterminated") == 0)
        memset(ret->name, 0xC3, sizeof(ret->name));
    return 0;
}

/* -------------------------------------------------------------------------------------------------------- codes -- */

/* One string of an answer, spoiled as the script says. */
static char *spoiled(const FakeCa *ca, const char *garbage, const char *right) {
    static char elsewhere[256]; /* zeros where the host's mark would be */
    if (strcmp(garbage, "null") == 0)
        return NULL;
    if (strcmp(garbage, "utf8") == 0)
        return host_text(ca->host, "\xff\xfe");
    if (strcmp(garbage, "unterminated") == 0)
        return memset(ca->host->alloc(ca->host, 16), 'A', 16);
    if (strcmp(garbage, "foreign") == 0)
        return elsewhere + sizeof(elsewhere) / 2;
    if (strcmp(garbage, "huge") != 0)
        return host_text(ca->host, right);
    char *huge = ca->host->alloc(ca->host, 1u << 20);
    memset(huge, 'A', (1u << 20) - 1);
    return huge;
}

static int give_code(FakeCa *ca, const char *garbage, EonayCode *ret) {
    char code[32];
    snprintf(code, sizeof(code), "%015llu", 200000000000000ull + (unsigned long long)++ca->codes);
    ret->code = spoiled(ca, garbage, config_text(ca->host, "Code", code));
    ret->purpose = host_text(ca->host, config_text(ca->host, "Purpose", "e-onay.nes-application"));
    ret->now = ret->created_at = now_usec(ca);
    ret->expires_at = ret->created_at + life_usec(ca);
    return 0;
}

static int give_pending(const FakeCa *ca, const char *garbage, EonayCode *ret) {
    ret->pending = true;
    ret->handle = spoiled(ca, garbage, "fake-handle");
    ret->user_code = host_text(ca->host, "FAKE-CODE");
    ret->verification_uri = host_text(ca->host, "https://ca.invalid/device");
    ret->verification_uri_complete = host_text(ca->host, "https://ca.invalid/device?user_code=FAKE-CODE");
    ret->interval = (uint32_t)config_number(ca->host, "Interval", 1);
    ret->now = ret->created_at = now_usec(ca);
    ret->expires_at = ret->created_at + life_usec(ca);
    return 0;
}

static int fake_get_code(void *context, const EonayCodeRequest *request, EonayCode *ret) {
    FakeCa *ca = context;
    (void)request;
    Act step = script_step(ca->script, "get-code");
    if (step.ends)
        return step.r;
    return ca->polls_left > 0 ? give_pending(ca, step.garbage, ret) : give_code(ca, step.garbage, ret);
}

static int fake_poll_code(void *context, const char *handle, EonayCode *ret) {
    FakeCa *ca = context;
    Act step = script_step(ca->script, "poll-code");
    if (step.ends)
        return step.r;
    if (strcmp(handle, "fake-handle") != 0)
        return ca->host->fault(ca->host, EONAY_ERROR_NOT_FOUND, -1, 0, "no such handle");
    if (ca->polls_left-- > 1)
        return ca->host->fault(ca->host, EONAY_ERROR_CODE_PENDING, -1, 0, NULL);
    return give_code(ca, step.garbage, ret);
}

/* -------------------------------------------------------------------------------------------------------- texts -- */

static int text_from_file(const FakeCa *ca, EonayText *ret) {
    struct stat st;
    int fd = ca->host->open_file(ca->host, "TextFile");
    if (fd < 0 || fstat(fd, &st) < 0 || st.st_size > TEXT_MAX) {
        if (fd >= 0)
            close(fd);
        return ca->host->fault(ca->host, EONAY_ERROR_FILE_INVALID, -1, 0, "TextFile= cannot be read");
    }
    ret->bytes = ca->host->alloc(ca->host, (size_t)st.st_size + 1);
    ssize_t n = read(fd, ret->bytes, (size_t)st.st_size);
    close(fd);
    ret->size = n > 0 ? (size_t)n : 0;
    return 0;
}

/* Numbered=1: no two texts of a consent are alike. */
static char *configured_text(const FakeCa *ca, size_t number) {
    const char *text = config_text(ca->host, "Text", TEXTS_DEFAULT);
    size_t size = strlen(text) + 32;
    char *s = ca->host->alloc(ca->host, size);
    if (config_number(ca->host, "Numbered", 0) != 0)
        snprintf(s, size, "%zu. %s", number + 1, text);
    else
        snprintf(s, size, "%s", text);
    return s;
}

static int give_text(const FakeCa *ca, size_t number, EonayText *ret) {
    ret->title = host_text(ca->host, config_text(ca->host, "Title", "Deneme"));
    ret->media_type = host_text(ca->host, config_text(ca->host, "MediaType", "text/plain;charset=utf-8"));
    if (ca->host->config(ca->host, "TextFile"))
        return text_from_file(ca, ret);
    ret->bytes = (uint8_t *)configured_text(ca, number);
    ret->size = strlen((char *)ret->bytes);
    return 0;
}

static int give_texts(const FakeCa *ca, const char *garbage, EonayRedemption *ret) {
    size_t n = (size_t)config_number(ca->host, "Texts", 1);
    int r = 0;
    ret->texts = ca->host->alloc(ca->host, n * sizeof(EonayText));
    ret->n_texts = n;
    for (size_t i = 0; r == 0 && i < n; i++)
        r = give_text(ca, i, &ret->texts[i]);
    if (strcmp(garbage, "count") == 0)
        ret->n_texts = n + 5;
    else if (strcmp(garbage, "text-size") == 0)
        ret->texts[0].size += 4096;
    return r;
}

static int fake_redeem(void *context, const char *code, EonayRedemption *ret) {
    FakeCa *ca = context;
    (void)code;
    Act step = script_step(ca->script, "redeem");
    if (step.ends)
        return step.r;
    const char *subject = ca->host->config(ca->host, "Subject");
    char transaction[48];
    snprintf(transaction, sizeof(transaction), "fake-transaction-%llu", (unsigned long long)now_usec(ca));
    ret->transaction = spoiled(ca, step.garbage, transaction);
    ret->requester = host_text(ca->host, config_text(ca->host, "Requester", "Fake authority"));
    ret->purpose = host_text(ca->host, config_text(ca->host, "Purpose", "e-onay.nes-application"));
    ret->level = host_text(ca->host, config_text(ca->host, "Level", "B-B"));
    ret->subject = subject ? host_text(ca->host, subject) : NULL;
    ret->now = ret->created_at = now_usec(ca);
    ret->expires_at = ret->created_at + life_usec(ca);
    return give_texts(ca, step.garbage, ret);
}

/* ------------------------------------------------------------------------------------------------------ the end -- */

static void give_receipt(const FakeCa *ca, const char *garbage, const char *key, EonayReceipt *ret) {
    char receipt[128];
    snprintf(receipt, sizeof(receipt), "FAKE-%.100s", key);
    ret->receipt_id = spoiled(ca, garbage, receipt);
    ret->submitted_at = now_usec(ca);
}

static int fake_submit(void *context, const EonaySubmission *submission, EonayReceipt *ret) {
    FakeCa *ca = context;
    Act step = script_step(ca->script, "submit");
    if (step.ends)
        return step.r;
    give_receipt(ca, step.garbage, submission->idempotency_key, ret);
    return 0;
}

static int fake_status(void *context, const char *transaction, EonayTransactionState *ret_state, EonayReceipt *ret) {
    FakeCa *ca = context;
    Act step = script_step(ca->script, "status");
    if (step.ends)
        return step.r;
    *ret_state = (EonayTransactionState)config_number(ca->host, "State", EONAY_TRANSACTION_OPEN);
    if (strcmp(step.garbage, "state") == 0)
        *ret_state = (EonayTransactionState)99;
    if (*ret_state == EONAY_TRANSACTION_DONE)
        give_receipt(ca, step.garbage, transaction, ret);
    return 0;
}

static int fake_approval(void *context, const char *subject, EonayApproval *ret) {
    FakeCa *ca = context;
    (void)subject;
    Act step = script_step(ca->script, "approval");
    if (step.ends)
        return step.r;
    ret->approved = config_number(ca->host, "Approved", 0) != 0;
    if (!ret->approved)
        return 0;
    ret->receipt_id = spoiled(ca, step.garbage, "FAKE-APPROVAL");
    ret->text_version = host_text(ca->host, "fake-1");
    ret->approved_at = now_usec(ca);
    return 0;
}

static int fake_cancel(void *context, const char *transaction) {
    FakeCa *ca = context;
    (void)transaction;
    Act step = script_step(ca->script, "cancel");
    return step.ends ? step.r : 0;
}

static const EonayCaOps fake_ca = {.struct_size = sizeof(fake_ca),
                                   .open = fake_open,
                                   .close = fake_close,
                                   .capabilities = fake_capabilities,
                                   .get_code = fake_get_code,
                                   .poll_code = fake_poll_code,
                                   .redeem = fake_redeem,
                                   .submit = fake_submit,
                                   .status = fake_status,
                                   .approval = fake_approval,
                                   .cancel = fake_cancel};

const EonayPlugin eonay_plugin = {.abi_major = EONAY_PLUGIN_ABI_MAJOR,
                                  .abi_minor = EONAY_PLUGIN_ABI_MINOR,
                                  .struct_size = sizeof(eonay_plugin),
                                  .kind = EONAY_PLUGIN_CA,
                                  .name = "fake-ca",
                                  .version = EONAY_VERSION,
                                  .ca = &fake_ca};
