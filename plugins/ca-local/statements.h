/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every statement on the records, in one place: what may happen to them can be read here. "One use" of a code and
 * "one signature" for a consent are the two UPDATEs that name the state they start from: of two processes only one
 * sees a changed row.
 *
 * Code states: 0 issued, 1 used, 2 superseded. Consent states: EonayTransactionState, but an open one that is past its
 * time counts as expired.
 */
#ifndef CA_LOCAL_STATEMENTS_H
#define CA_LOCAL_STATEMENTS_H

/* clang-format off */
#define STATEMENT_TABLE(X) \
    X(BEGIN, "BEGIN IMMEDIATE") \
    X(COMMIT, "COMMIT") \
    X(SETTING_GET, "SELECT value FROM setting WHERE name = ?1") \
    X(SETTING_PUT, "INSERT INTO setting (name, value) VALUES (?1, ?2)") \
    /* codes */ \
    X(CODE_ADD, \
        "INSERT INTO code (hash, state, purpose, subject, created_at, expires_at) VALUES (?1, 0, ?2, ?3, ?4, ?5)") \
    X(CODE_FIND, "SELECT id, state, purpose, subject, created_at, expires_at FROM code WHERE hash = ?1") \
    X(CODE_USE, "UPDATE code SET state = 1 WHERE id = ?1 AND state = 0 AND expires_at > ?2") \
    X(CODE_SUPERSEDE, "UPDATE code SET state = 2 WHERE id = ?1") \
    X(CODE_FIRST_LIVE, "SELECT id FROM code WHERE expires_at > ?1 ORDER BY expires_at LIMIT 1") \
    X(CODE_LAST, "SELECT max(id) FROM code") \
    X(CODE_PURGE, \
        "DELETE FROM code WHERE id IN (SELECT id FROM code WHERE expires_at <= ?1 " \
        "AND (expires_at <= ?2 OR id <= ?3) ORDER BY expires_at LIMIT 64)") \
    /* wrong guesses */ \
    X(GUESS_ADD, "INSERT INTO guess (at) VALUES (?1)") \
    X(GUESS_COUNT, "SELECT count(*) FROM guess WHERE at > ?1 AND at <= ?2") \
    X(GUESS_NTH, "SELECT at FROM guess WHERE at > ?1 AND at <= ?2 ORDER BY at DESC LIMIT 1 OFFSET ?3") \
    X(GUESS_PURGE, "DELETE FROM guess WHERE at <= ?1 OR at > ?2") \
    /* consents */ \
    X(CONSENT_ADD, \
        "INSERT INTO consent (transaction_hash, code_id, state, purpose, subject, text_version, reference, " \
        "created_at, expires_at) VALUES (?1, ?2, 0, ?3, ?4, ?5, ?6, ?7, ?8)") \
    X(CONSENT_FIND, \
        "SELECT id, state, purpose, subject, text_version, created_at, expires_at, submission_key, " \
        "submission_digest, receipt_id, submitted_at FROM consent WHERE transaction_hash = ?1") \
    X(CONSENT_SIGN, \
        "UPDATE consent SET state = 1, submission_key = ?2, submission_digest = ?3, receipt_id = ?4, " \
        "submitted_at = ?5 WHERE id = ?1 AND state = 0 AND expires_at > ?5") \
    X(CONSENT_CANCEL, "UPDATE consent SET state = 3 WHERE transaction_hash = ?1 AND state = 0") \
    X(CONSENT_SUPERSEDE, "UPDATE consent SET state = 4 WHERE code_id = ?1 AND state = 0") \
    X(CONSENT_PURGE, \
        "DELETE FROM consent WHERE id IN (SELECT id FROM consent WHERE state <> 1 AND expires_at <= ?1 LIMIT 64)") \
    X(TEXT_ADD, \
        "INSERT INTO consent_text (consent_id, position, title, media_type, bytes) VALUES (?1, ?2, ?3, ?4, ?5)") \
    X(TEXT_GET, "SELECT bytes FROM consent_text WHERE consent_id = ?1 AND position = ?2") \
    X(TEXT_COUNT, "SELECT count(*) FROM consent_text WHERE consent_id = ?1") \
    X(SIGNATURE_ADD, "INSERT INTO signature (consent_id, position, cms) VALUES (?1, ?2, ?3)") \
    /* approvals */ \
    X(APPROVAL_ADD, \
        "INSERT INTO approval (subject, purpose, text_version, consent_id, receipt_id, approved_at) " \
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6)") \
    X(APPROVAL_OF_VERSION, "SELECT 1 FROM approval WHERE subject = ?1 AND text_version = ?2 LIMIT 1") \
    X(APPROVAL_NEWEST, \
        "SELECT receipt_id, text_version, approved_at FROM approval WHERE subject = ?1 ORDER BY id DESC LIMIT 1")
/* clang-format on */

typedef enum StatementId {
#define STATEMENT_ENUM_(id, sql) STATEMENT_##id,
    STATEMENT_TABLE(STATEMENT_ENUM_)
#undef STATEMENT_ENUM_
        STATEMENT_COUNT,
} StatementId;

#endif
