/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A concurrent authority whose calls wait for each other: none of them would ever come back from a host that makes one
 * after the other. The code says what to do: "meet N", "fail N" (RATE_LIMITED with that number), "hang".
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "eonay/plugin.h"

static const EonayHost *host;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static unsigned arrived;

static char *text(const char *s) {
    size_t size = strlen(s) + 1;
    return memcpy(host->alloc(host, size), s, size);
}

static int meeting_open(const EonayHost *given, void **ret_context) {
    host = given;
    *ret_context = &arrived;
    return 0;
}

static void meeting_close(void *context) {
    (void)context;
}

static int meeting_capabilities(void *context, EonayCapabilities *ret) {
    (void)context;
    ret->code_length = 15;
    return 0;
}

static int meeting_get_code(void *context, const EonayCodeRequest *request, EonayCode *ret) {
    (void)context;
    (void)request;
    ret->code = text("168857414351237");
    return 0;
}

static void meet(unsigned n) {
    pthread_mutex_lock(&lock);
    arrived++;
    pthread_cond_broadcast(&more);
    while (arrived < n)
        pthread_cond_wait(&more, &lock);
    pthread_mutex_unlock(&lock);
}

static int meeting_redeem(void *context, const char *code, EonayRedemption *ret) {
    (void)context;
    if (strcmp(code, "hang") == 0)
        for (;;)
            pause();
    unsigned long n = strtoul(code + strcspn(code, " "), NULL, 10);
    if (strncmp(code, "fail", 4) == 0)
        return host->fault(host, EONAY_ERROR_RATE_LIMITED, -1, n, code);
    meet((unsigned)n);
    ret->transaction = text(code);
    ret->texts = host->alloc(host, sizeof(EonayText));
    ret->n_texts = 1;
    ret->texts[0] = (EonayText){
        .title = text("t"), .media_type = text("text/plain;charset=utf-8"), .bytes = (uint8_t *)text("b"), .size = 1};
    return 0;
}

static int meeting_submit(void *context, const EonaySubmission *submission, EonayReceipt *ret) {
    (void)context;
    ret->receipt_id = text(submission->idempotency_key);
    return 0;
}

static const EonayCaOps ops = {.struct_size = sizeof(ops),
                               .open = meeting_open,
                               .close = meeting_close,
                               .capabilities = meeting_capabilities,
                               .get_code = meeting_get_code,
                               .redeem = meeting_redeem,
                               .submit = meeting_submit};

const EonayPlugin eonay_plugin = {.abi_major = EONAY_PLUGIN_ABI_MAJOR,
                                  .abi_minor = EONAY_PLUGIN_ABI_MINOR,
                                  .struct_size = sizeof(eonay_plugin),
                                  .kind = EONAY_PLUGIN_CA,
                                  .flags = EONAY_PLUGIN_CONCURRENT,
                                  .name = "meeting",
                                  .version = "1",
                                  .ca = &ops};
