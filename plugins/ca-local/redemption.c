/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Redeeming spends the code and writes down the exact bytes that will be compared with what comes back signed, both
 * in one transaction. The transaction's name is random and known to the two parties only; the database has its hash.
 * The consent lives as long as its code would have.
 */
#include "redemption.h"

#include <string.h>

#include "code.h"
#include "fault.h"
#include "guess.h"
#include "label.h"
#include "moment.h"

typedef struct Redemption {
    Code code;
    char transaction[TRANSACTION_SIZE];
    char reference[LABEL_SIZE];
    int64_t created_at;
    uint8_t *text;
    size_t text_size;
} Redemption;

static void redemption_end(Redemption *redemption) {
    free(redemption->text);
}

static int prepare(Ca *ca, int64_t now, Redemption *ret) {
    int r = transaction_make(ca->host, ret->transaction);

    if (r == 0)
        r = label_make(ca->host, 'E', ret->reference);
    ret->created_at = now;
    return r != 0 ? r
                  : consent_text_copy(ca->text->body, ca->text->size, ret->reference, now, &ret->text, &ret->text_size);
}

static int record(Ca *ca, const Redemption *redemption) {
    const Code *code = &redemption->code;
    uint8_t hash[KEYED_HASH_SIZE];
    int r = key_hash(ca->host, store_key(ca->store), "transaction", redemption->transaction, hash);

    if (r == 0)
        r = store_change(ca->store, STATEMENT_CONSENT_ADD, NULL, "bittttii", hash, sizeof hash, code->id, code->purpose,
                         *code->subject ? code->subject : NULL, ca->text->version, redemption->reference,
                         redemption->created_at, code->expires_at);
    if (r != 0)
        return r;
    return store_change(ca->store, STATEMENT_TEXT_ADD, NULL, "iittb", store_last_id(ca->store), (int64_t)0,
                        CONSENT_TEXT_TITLE, CONSENT_TEXT_MEDIA_TYPE, redemption->text, redemption->text_size);
}

static void reply(const Ca *ca, const Redemption *redemption, EonayRedemption *ret) {
    const EonayHost *host = ca->host;
    const Code *code = &redemption->code;
    EonayText *text = host->alloc(host, sizeof *text);

    *text = (EonayText){.title = host_strdup(host, CONSENT_TEXT_TITLE),
                        .media_type = host_strdup(host, CONSENT_TEXT_MEDIA_TYPE),
                        .bytes = host->alloc(host, redemption->text_size),
                        .size = redemption->text_size};
    memcpy(text->bytes, redemption->text, redemption->text_size);
    *ret = (EonayRedemption){.struct_size = sizeof *ret,
                             .transaction = host_strdup(host, redemption->transaction),
                             .requester = host_strdup(host, ca->settings.requester_name),
                             .purpose = host_strdup(host, code->purpose),
                             .level = host_strdup(host, cades_level_traits(ca->settings.level)->name),
                             .subject = *code->subject ? host_strdup(host, code->subject) : NULL,
                             .created_at = (uint64_t)redemption->created_at,
                             .expires_at = (uint64_t)code->expires_at,
                             .now = (uint64_t)moment_now(),
                             .texts = text,
                             .n_texts = 1};
}

int redemption_make(Ca *ca, const char *digits, EonayRedemption *ret) {
    _transaction_ Store *transaction = NULL;
    _cleanup_(redemption_end) Redemption redemption = {0};
    int64_t now = 0;
    int r = 0;

    if (!code_valid(digits))
        return fault(ca->host, EONAY_ERROR_CODE_INVALID, 0, NULL);
    if ((r = store_begin(ca->store, &transaction)) != 0)
        return r;
    now = moment_now();
    if ((r = guess_allowed(ca, now)) != 0)
        return r;
    r = code_find(ca, digits, &redemption.code);
    if (r == EONAY_ERROR_CODE_UNKNOWN)
        return guess_record(ca, now, &transaction);
    if (r != 0 || (r = code_refusal(ca, &redemption.code, now)) != 0 ||
        (r = code_use(ca, &redemption.code, now)) != 0 || (r = prepare(ca, now, &redemption)) != 0 ||
        (r = record(ca, &redemption)) != 0 || (r = store_commit(&transaction)) != 0)
        return r;
    reply(ca, &redemption, ret);
    return 0;
}
