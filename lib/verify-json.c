/* SPDX-License-Identifier: Apache-2.0 */
/* The report as JSON. All strings are our own or hexadecimal, but for what is escaped here all the same. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "der.h"
#include "signature-algorithm.h"
#include "verify-internal.h"

static void put(DerBuffer *b, const char *text) {
    der_append(b, (DerBytes){(const uint8_t *)text, strlen(text)});
}

__attribute__((format(printf, 2, 3))) static void put_format(DerBuffer *b, const char *format, ...) {
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    put(b, text);
}

static void put_string(DerBuffer *b, const char *key, const char *value) {
    put_format(b, "\"%s\":\"", key);
    for (const char *p = value ? value : ""; *p; p++)
        if (*p == '"' || *p == '\\' || (unsigned char)*p < 0x20)
            put_format(b, "\\u%04x", (unsigned)(unsigned char)*p);
        else
            der_append(b, (DerBytes){(const uint8_t *)p, 1});
    put(b, "\",");
}

static void put_number(DerBuffer *b, const char *key, int64_t value) {
    put_format(b, "\"%s\":%" PRId64 ",", key, value);
}

static void put_bool(DerBuffer *b, const char *key, bool value) {
    put_format(b, "\"%s\":%s,", key, value ? "true" : "false");
}

static void put_hash(DerBuffer *b, const char *key, const uint8_t *bytes, size_t size) {
    uint8_t digest[HASH_SIZE_MAX];
    char hex[65] = "";
    if (bytes && hash_bytes(HASH_SHA256, (DerBytes){bytes, size}, digest))
        for (size_t i = 0; i < 32; i++)
            snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    put_string(b, key, hex);
}

/* Takes the comma after the last member back. */
static void close_with(DerBuffer *b, const char *end) {
    if (!b->failed && b->size > 0 && b->bytes[b->size - 1] == ',')
        b->size--;
    put(b, end);
}

static const char *level_name(int level) {
    return level >= 0 ? cades_level_traits((CadesLevel)level)->name : "";
}

static const char *revocation_name(RevocationStatus status) {
    static const char *const names[] = {"unknown", "good", "suspended", "revoked"};
    return names[status];
}

static void put_stamps(DerBuffer *b, const VerifyReport *r) {
    put(b, "\"TimeStamps\":[");
    for (size_t i = 0; i < r->n_stamps; i++) {
        const VerifyStamp *s = &r->stamp[i];
        put(b, "{");
        put_string(b, "Kind", s->archive ? "archive" : "signature");
        put_number(b, "Time", s->time);
        put_string(b, "Policy", s->policy);
        put_string(b, "AuthoritySha256", s->authority);
        put_bool(b, "Proves", s->proves);
        put_string(b, "SubIndication", verify_sub_name(s->sub));
        close_with(b, "},");
    }
    close_with(b, "],");
}

static void put_findings(DerBuffer *b, const VerifyReport *r) {
    put(b, "\"Checks\":[");
    for (size_t i = 0; i < r->n_findings; i++) {
        const VerifyFinding *f = &r->finding[i];
        put(b, "{");
        put_string(b, "Check", verify_check_name(f->check));
        put_string(b, "Outcome", verify_outcome_name(f->outcome));
        if (f->stamp >= 0)
            put_number(b, "TimeStamp", f->stamp);
        put_string(b, "Detail", f->detail);
        close_with(b, "},");
    }
    close_with(b, "],");
}

char *verify_report_json(const VerifyReport *r) {
    DerBuffer b = {0};
    put(&b, "{");
    put_string(&b, "Indication", verify_indication_name(r->indication));
    put_string(&b, "SubIndication", verify_sub_name(r->sub));
    put_string(&b, "FailedCheck", r->sub != VERIFY_SUB_NONE ? verify_check_name(r->failed) : "");
    put_string(&b, "Detail", r->detail);
    put_string(&b, "Level", level_name(r->level));
    put_string(&b, "LevelClaimed", level_name(r->level_claimed));
    put_number(&b, "VerifiedAt", r->at);
    put_number(&b, "SigningTime", r->base->signing_time);
    put_number(&b, "BestSignatureTime", r->best_time);
    put_bool(&b, "Proven", r->proven);
    put_number(&b, "RenewBefore", r->renew_before);
    put_bool(&b, "Qualified", r->qualified);
    put_string(&b, "Algorithm", r->base->algorithm);
    put_hash(&b, "CertificateSha256", r->base->certificate, r->base->certificate_size);
    put_hash(&b, "ContentSha256", r->base->content, r->base->content_size);
    put_string(&b, "Revocation", revocation_name(r->revocation.status));
    put_number(&b, "RevokedAt", r->revocation.revoked_at);
    put_stamps(&b, r);
    put_findings(&b, r);
    close_with(&b, "}");
    der_append(&b, (DerBytes){(const uint8_t *)"", 1});
    if (!b.failed)
        return (char *)b.bytes;
    der_buffer_free(&b);
    return NULL;
}
