/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Three kinds of strings come from an authority: names that the other side must get back unchanged (a wrong byte makes
 * the answer useless), words for people (a wrong byte is replaced), and texts to be signed (bytes, whatever they are:
 * the daemon judges them).
 */
#include "answers.h"

#include <glib.h>
#include <string.h>

#include "names.h"
#include "services.h"
#include "text.h"

#define KEY_MAX 255u

/* Absent, or fit to be handed back. */
static bool exact_or_absent(const char *s, size_t limit) {
    return !s || block_string(s, limit);
}

static int append_string(sd_bus_message *reply, const char *name, const char *s) {
    return sd_bus_message_append(reply, "{sv}", name, "s", s ? s : "");
}

/* Words within `size` bytes, with or without an end, made fit to be shown. */
static char *clean_words(const char *s, size_t size) {
    g_autofree char *words = g_strndup(s, size);
    return text_clean(words, EONAY_STRING_MAX);
}

static int append_words(sd_bus_message *reply, const char *name, const char *s) {
    g_autofree char *clean = clean_words(s, s ? block_size(s) : 0);
    return append_string(reply, name, clean);
}

static int append_time(sd_bus_message *reply, const char *name, uint64_t usec) {
    return sd_bus_message_append(reply, "{sv}", name, "t", usec);
}

static int open_dictionary(sd_bus_message *reply) {
    return sd_bus_message_open_container(reply, 'a', "{sv}");
}

static int close_dictionary(sd_bus_message *reply, int r) {
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

/* -------------------------------------------------------------------------------------------------------- code -- */

const char *code_fault(const EonayCode *c) {
    const char *const strings[] = {c->code,      c->purpose,          c->handle,
                                   c->user_code, c->verification_uri, c->verification_uri_complete};
    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++)
        if (!exact_or_absent(strings[i], EONAY_STRING_MAX))
            return "the plugin returned a string that is none";
    if (c->pending ? !c->handle : !c->code)
        return "the plugin returned neither a code nor a handle to wait for one";
    return NULL;
}

static int append_pending(const EonayCode *c, sd_bus_message *reply) {
    int r = append_string(reply, "Handle", c->handle);
    if (r >= 0)
        r = append_string(reply, "UserCode", c->user_code);
    if (r >= 0)
        r = append_string(reply, "VerificationUri", c->verification_uri);
    if (r >= 0)
        r = append_string(reply, "VerificationUriComplete", c->verification_uri_complete);
    return r < 0 ? r : sd_bus_message_append(reply, "{sv}", "Interval", "u", c->interval);
}

static int append_code(const EonayCode *c, sd_bus_message *reply) {
    int r = sd_bus_message_append(reply, "{sv}", "Pending", "b", (int)c->pending);
    if (r >= 0)
        r = append_string(reply, "Code", c->pending ? NULL : c->code);
    if (r >= 0)
        r = append_string(reply, "Purpose", c->purpose);
    if (r >= 0)
        r = append_time(reply, "CreatedAt", c->created_at);
    if (r >= 0)
        r = append_time(reply, "ExpiresAt", c->expires_at);
    if (r >= 0)
        r = append_time(reply, "Now", c->now);
    return r < 0 ? r : append_pending(c, reply);
}

int code_append(const EonayCode *c, bool success, sd_bus_message *reply) {
    int r = open_dictionary(reply);
    if (r >= 0 && success)
        r = append_code(c, reply);
    return close_dictionary(reply, r);
}

void code_clear(EonayCode *c) {
    block_release(c->code);
    block_release(c->purpose);
    block_release(c->handle);
    block_release(c->user_code);
    block_release(c->verification_uri);
    block_release(c->verification_uri_complete);
    *c = (EonayCode){0};
}

/* -------------------------------------------------------------------------------------------------- redemption -- */

static bool text_is_sane(const EonayText *t) {
    return t->bytes && t->size > 0 && t->size <= block_size(t->bytes) && t->size <= EONAY_TEXT_SIZE_MAX && t->title &&
           block_string(t->media_type, EONAY_STRING_MAX);
}

/* How many texts there really are in the block. */
static size_t texts_within_block(const EonayRedemption *r) {
    return r->texts ? MIN(r->n_texts, block_size(r->texts) / sizeof(r->texts[0])) : 0;
}

const char *redemption_fault(const EonayRedemption *r) {
    if (!block_string(r->transaction, KEY_MAX))
        return "the plugin returned no transaction";
    const char *const strings[] = {r->purpose, r->level, r->subject};
    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++)
        if (!exact_or_absent(strings[i], EONAY_STRING_MAX))
            return "the plugin returned a string that is none";
    size_t n = texts_within_block(r);
    if (n == 0 || n != r->n_texts || n > EONAY_TEXTS_MAX)
        return "the plugin returned no texts, or more than there may be";
    for (size_t i = 0; i < n; i++)
        if (!text_is_sane(&r->texts[i]))
            return "the plugin returned a text of an impossible size or without a title or type";
    return NULL;
}

static int append_redemption(const EonayRedemption *r, sd_bus_message *reply) {
    int k = append_string(reply, "Transaction", r->transaction);
    if (k >= 0)
        k = append_words(reply, "Requester", r->requester);
    if (k >= 0)
        k = append_string(reply, "Purpose", r->purpose);
    if (k >= 0)
        k = append_string(reply, "Level", r->level);
    if (k >= 0)
        k = append_string(reply, "Subject", r->subject);
    if (k >= 0)
        k = append_time(reply, "CreatedAt", r->created_at);
    if (k >= 0)
        k = append_time(reply, "ExpiresAt", r->expires_at);
    return k < 0 ? k : append_time(reply, "Now", r->now);
}

static int append_text(sd_bus_message *reply, const EonayText *t) {
    g_autofree char *title = clean_words(t->title, block_size(t->title));
    int r = sd_bus_message_open_container(reply, 'r', "ssay");
    if (r >= 0)
        r = sd_bus_message_append(reply, "ss", title, t->media_type);
    if (r >= 0)
        r = sd_bus_message_append_array(reply, 'y', t->bytes, t->size);
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

int redemption_append(const EonayRedemption *r, bool success, sd_bus_message *reply) {
    int k = open_dictionary(reply);
    if (k >= 0 && success)
        k = append_redemption(r, reply);
    k = close_dictionary(reply, k);
    if (k >= 0)
        k = sd_bus_message_open_container(reply, 'a', "(ssay)");
    for (size_t i = 0; k >= 0 && success && i < r->n_texts; i++)
        k = append_text(reply, &r->texts[i]);
    return k < 0 ? k : sd_bus_message_close_container(reply);
}

void redemption_clear(EonayRedemption *r) {
    for (size_t i = 0; i < texts_within_block(r); i++) {
        block_release(r->texts[i].title);
        block_release(r->texts[i].media_type);
        block_release(r->texts[i].bytes);
    }
    block_release(r->texts);
    block_release(r->transaction);
    block_release(r->requester);
    block_release(r->purpose);
    block_release(r->level);
    block_release(r->subject);
    *r = (EonayRedemption){0};
}

/* ---------------------------------------------------------------------------------- receipt, status, approval -- */

const char *receipt_fault(const EonayReceipt *r) {
    return exact_or_absent(r->receipt_id, EONAY_STRING_MAX) ? NULL : "the plugin returned a string that is none";
}

static int append_receipt(const EonayReceipt *r, sd_bus_message *reply) {
    int k = append_string(reply, "ReceiptId", r->receipt_id);
    return k < 0 ? k : append_time(reply, "SubmittedAt", r->submitted_at);
}

int receipt_append(const EonayReceipt *r, bool success, sd_bus_message *reply) {
    int k = open_dictionary(reply);
    if (k >= 0 && success)
        k = append_receipt(r, reply);
    return close_dictionary(reply, k);
}

int status_append(EonayTransactionState state, const EonayReceipt *r, bool success, sd_bus_message *reply) {
    int k = open_dictionary(reply);
    if (k >= 0 && success)
        k = sd_bus_message_append(reply, "{sv}", "State", "u", (uint32_t)state);
    if (k >= 0 && success)
        k = append_receipt(r, reply);
    return close_dictionary(reply, k);
}

void receipt_clear(EonayReceipt *r) {
    block_release(r->receipt_id);
    *r = (EonayReceipt){0};
}

const char *approval_fault(const EonayApproval *a) {
    bool sane = exact_or_absent(a->receipt_id, EONAY_STRING_MAX) && exact_or_absent(a->text_version, EONAY_STRING_MAX);
    return sane ? NULL : "the plugin returned a string that is none";
}

static int append_approval(const EonayApproval *a, sd_bus_message *reply) {
    int r = sd_bus_message_append(reply, "{sv}", "Approved", "b", (int)a->approved);
    if (r >= 0)
        r = append_string(reply, "ReceiptId", a->approved ? a->receipt_id : NULL);
    if (r >= 0)
        r = append_string(reply, "TextVersion", a->approved ? a->text_version : NULL);
    return r < 0 ? r : append_time(reply, "ApprovedAt", a->approved ? a->approved_at : 0);
}

int approval_append(const EonayApproval *a, bool success, sd_bus_message *reply) {
    int r = open_dictionary(reply);
    if (r >= 0 && success)
        r = append_approval(a, reply);
    return close_dictionary(reply, r);
}

void approval_clear(EonayApproval *a) {
    block_release(a->receipt_id);
    block_release(a->text_version);
    *a = (EonayApproval){0};
}

/* ------------------------------------------------------------------------------------------------ capabilities -- */

static int append_capabilities(const EonayCapabilities *c, sd_bus_message *reply) {
    g_autofree char *name = clean_words(c->name, sizeof(c->name));
    int r = append_string(reply, "Name", name);
    return r < 0 ? r
                 : sd_bus_message_append(reply, "{sv}{sv}{sv}", "Flags", "u", c->flags, "CodeLength", "u",
                                         c->code_length, "CodeLifetime", "u", c->code_lifetime);
}

int capabilities_append(const EonayCapabilities *c, bool success, sd_bus_message *reply) {
    int r = open_dictionary(reply);
    if (r >= 0 && success)
        r = append_capabilities(c, reply);
    return close_dictionary(reply, r);
}
