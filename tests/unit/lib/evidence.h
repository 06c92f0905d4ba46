/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures of every level for tests, each step in reach: what stamps, what answers and when can be changed one thing
 * at a time, and everything is signed with the real key whatever stands there then.
 */
#ifndef EONAY_TEST_EVIDENCE_H
#define EONAY_TEST_EVIDENCE_H

#include "cades-upgrade.h"
#include "pki-services.h"
#include "verify.h"

#define EVIDENCE_DAY (24 * 60 * 60LL)

/* The infrastructure, made once. */
typedef struct EvidenceWorld {
    Pki *pki, *other_pki;
    PkiLeaf *signer, *twin; /* twin: the same issuer and serial number, another key */
    PkiLeaf *tsa, *tsa_later, *tsa_expired, *tsa_foreign, *tsa_unfit;
    PkiLeaf *responder, *responder_foreign;
    PkiLeaf *responder_revocable, *responder_nocheck; /* both name a list */
    CadesBlob root, other_root, ca;
    int64_t now;
} EvidenceWorld;

typedef enum EvidenceKind {
    EVIDENCE_OCSP,
    EVIDENCE_CRL,
} EvidenceKind;

/* What is made; evidence_plan() fills in a good B-LTA of today. */
typedef struct EvidencePlan {
    int level;
    const PkiLeaf *signer;
    uint32_t mechanism;
    int64_t signed_at, stamped_at, answered_at, archived_at;
    const PkiLeaf *tsa, *archive_tsa;
    const PkiLeaf *responder;
    EvidenceKind signer_kind;
    int signer_reason; /* -1 good */
    int64_t revoked_at;
    int ca_reason, tsa_reason;
    bool responder_listed; /* a list that speaks of the responder is among the values */
    int responder_reason;
    X509 *answer_about;  /* NULL: the signer */
    int64_t answer_life; /* nextUpdate - thisUpdate; 0: no nextUpdate */
    bool without_answers, without_signer_answer, without_tsa_answer;
    const Pki *answer_pki; /* who answers; NULL: the right one */
    bool stamp_other_bytes, archive_other_bytes;
    bool as_fields;     /* material of an X-L message in the fields of SignedData too */
    bool with_material; /* whatever the level */
    int n_archives;
} EvidencePlan;

void evidence_world_init(EvidenceWorld *w);
void evidence_world_clear(EvidenceWorld *w);
void evidence_plan(const EvidenceWorld *w, EvidencePlan *p);
/* Aborts when it cannot be made. malloc()ed. */
CadesBlob evidence_make(const EvidenceWorld *w, const EvidencePlan *p);
/* The steps, for what the plan cannot say. Each takes the message over. */
CadesBlob evidence_base(const EvidenceWorld *w, const EvidencePlan *p);
CadesBlob evidence_stamp(const EvidenceWorld *w, const EvidencePlan *p, CadesBlob message);
CadesBlob evidence_material(const EvidenceWorld *w, const EvidencePlan *p, CadesBlob message);
CadesBlob evidence_archive(const EvidenceWorld *w, const EvidencePlan *p, CadesBlob message, int number);
/* A single answer, malloc()ed like all. */
CadesBlob evidence_answer(const EvidenceWorld *w, const EvidencePlan *p, X509 *about, EvidenceKind kind, int reason);
void evidence_free(CadesBlob *b);

/* Verified with the world's root and issuing authority, at `at` (0: now). */
VerifyReport *evidence_verify(const EvidenceWorld *w, CadesBlob message, int64_t at);

extern const char evidence_content[];

#endif
