/* SPDX-License-Identifier: Apache-2.0 */
#include "redemption.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "guess.h"
#include "texts.h"

typedef struct Work {
    Portal *portal;
    const char *digits;
    const char *key;
    unsigned operations;
    Guesser guesser;
    int64_t now;
    int refusal; /* that leaves a record behind */
    Redemption *ret;
} Work;

void redemption_texts_clear(RedemptionText *texts, size_t n) {
    for (size_t i = 0; i < n; i++) {
        g_free(texts[i].title);
        g_free(texts[i].media_type);
        g_free(texts[i].bytes);
        texts[i] = (RedemptionText){0};
    }
}

void redemption_clear(Redemption *r) {
    OPENSSL_cleanse(r->transaction, sizeof r->transaction);
    redemption_texts_clear(r->texts, r->n_texts);
    r->n_texts = 0;
}

void redemption_text_read(StoreRows *rows, int column, RedemptionText *ret) {
    const void *bytes = store_rows_bytes(rows, column + 2, &ret->size);

    ret->bytes = g_memdup2(bytes, ret->size);
    ret->title = g_strdup(store_rows_text(rows, column));
    ret->media_type = g_strdup(store_rows_text(rows, column + 1));
}

int redemption_texts(Store *store, int64_t consent_id, RedemptionText ret[CONSENT_TEXTS_MAX], size_t *ret_n) {
    _rows_ StoreRows *rows = NULL;
    int more = 0;
    int r = store_query(store, STATEMENT_TEXT_LIST, &rows, "i", consent_id);

    *ret_n = 0;
    if (r != 0)
        return r;
    while (*ret_n < CONSENT_TEXTS_MAX && (more = store_rows_next(rows)) == 1) {
        redemption_text_read(rows, 1, &ret[(*ret_n)++]);
    }
    return more < 0 ? EONAY_ERROR_STORAGE_FAILED : 0;
}

/* The secret of a repeatable redemption; *ret_key is what the consent remembers of the client's key. */
static void derive(const Work *w, char transaction[SECRET_LABEL_SIZE], uint8_t ret_key[SECRET_HASH_SIZE]) {
    char value[CODE_SIZE + CONSENT_KEY_MAX + 1];
    uint8_t hash[SECRET_HASH_SIZE];

    (void)g_snprintf(value, sizeof value, "%s %s", w->digits, w->key);
    secret_hash(&w->portal->secret, "redemption", value, ret_key);
    secret_hash(&w->portal->secret, "redemption-transaction", value, hash);
    secret_hex(hash, sizeof hash, transaction);
    OPENSSL_cleanse(value, sizeof value);
    OPENSSL_cleanse(hash, sizeof hash);
}

/* The code is spent: is it the same client, who did not get the answer? */
static int repeat(Work *w, Store *store, const Code *code) {
    Redemption *ret = w->ret;
    uint8_t key[SECRET_HASH_SIZE];

    if (!w->key || code->state != CODE_USED)
        return EONAY_ERROR_CODE_USED;
    int r = consent_of_code(store, code->id, &ret->consent);
    if (r != 0)
        return r == EONAY_ERROR_NOT_FOUND ? EONAY_ERROR_CODE_USED : r;
    derive(w, ret->transaction, key);
    if (!ret->consent.has_redeem_key || CRYPTO_memcmp(key, ret->consent.redeem_key, sizeof key) != 0)
        return EONAY_ERROR_CODE_USED;
    if (consent_state(&ret->consent, w->now) != EONAY_TRANSACTION_OPEN)
        return consent_refusal(&ret->consent, w->now);
    return redemption_texts(store, ret->consent.id, ret->texts, &ret->n_texts);
}

static int add_text(Work *w, Store *store, const char *reference) {
    RedemptionText *text = &w->ret->texts[0];
    uint8_t *bytes = NULL;
    int r = consent_text_copy(w->portal->texts->body, w->portal->texts->size, reference, w->now, &bytes, &text->size);

    if (r != 0)
        return r;
    text->bytes = g_memdup2(bytes, text->size);
    free(bytes);
    text->title = g_strdup(CONSENT_TEXT_TITLE);
    text->media_type = g_strdup(CONSENT_TEXT_MEDIA_TYPE);
    w->ret->n_texts = 1;
    return store_change(store, STATEMENT_TEXT_ADD, NULL, "iittb", w->ret->consent.id, (int64_t)0, text->title,
                        text->media_type, text->bytes, text->size);
}

static int add_consent(Work *w, Store *store, const Code *code) {
    Consent *c = &w->ret->consent;
    char reference[CONSENT_LABEL_SIZE];
    uint8_t hash[SECRET_HASH_SIZE], key[SECRET_HASH_SIZE];
    _rows_ StoreRows *row = NULL;

    if (w->key)
        derive(w, w->ret->transaction, key);
    else
        secret_label(w->ret->transaction);
    if (!consent_label('E', reference))
        return -EIO;
    secret_hash(&w->portal->secret, "transaction", w->ret->transaction, hash);
    *c = (Consent){.code_id = code->id, .created_at = w->now, .expires_at = code->expires_at};
    (void)g_strlcpy(c->purpose, code->purpose, sizeof c->purpose);
    (void)g_strlcpy(c->subject, code->subject, sizeof c->subject);
    int r = store_row(store, STATEMENT_CONSENT_ADD, &row, "bBitttttii", hash, sizeof hash, w->key ? key : NULL,
                      sizeof key, code->id, code->purpose, *code->subject ? code->subject : NULL,
                      w->portal->texts->version, code->undertaking_version, reference, w->now, code->expires_at);
    if (r != 0)
        return r;
    c->id = store_rows_int(row, 0);
    store_rows_endp(&row);
    return purpose_signs(code->purpose) ? add_text(w, store, reference) : 0;
}

/* Counts as a guess, which must outlive the refusal: the work succeeds. */
static int unknown(Work *w, Store *store) {
    w->refusal = EONAY_ERROR_CODE_UNKNOWN;
    return guess_failed(w->portal, store, &w->guesser, w->now);
}

static int redeem(Store *store, void *data) {
    Work *w = data;
    Code code;
    int r = 0;

    /* May run again. */
    w->refusal = 0;
    redemption_clear(w->ret);
    if ((r = guess_allowed(w->portal, store, &w->guesser, w->now, &w->ret->retry_after)) != 0)
        return r;
    r = code_use(w->portal, store, w->digits, w->now, &code);
    if (r == EONAY_ERROR_CODE_UNKNOWN)
        return unknown(w, store);
    if (r == EONAY_ERROR_CODE_USED)
        return repeat(w, store, &code);
    if (r != 0)
        return r;
    /* The refusal undoes the use. */
    if ((w->operations & (purpose_signs(code.purpose) ? REDEMPTION_SIGN : REDEMPTION_PIN)) == 0)
        return EONAY_ERROR_UNSUPPORTED;
    return add_consent(w, store, &code);
}

int redemption_make(Request *request, const char *code, const char *key, const char *client, unsigned operations,
                    Redemption *ret) {
    uint8_t account[SECRET_HASH_SIZE];
    Work w = {.portal = request->portal,
              .digits = code,
              .key = key,
              .operations = operations,
              .guesser = {.kind = "code", .address = request->address, .account = client ? account : NULL},
              .now = request->now,
              .ret = ret};

    if (!code_valid(code))
        return EONAY_ERROR_CODE_INVALID;
    if (client)
        secret_hash(&w.portal->secret, "client", client, account);
    int r = store_write(request->store, redeem, &w);
    return r != 0 ? r : w.refusal;
}
