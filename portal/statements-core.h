/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The statements of codes, consents, approvals and what guards them. "One use" of a code and "one signature" for a
 * consent are the UPDATEs that name the state they start from: of two only one sees a changed row, on either database.
 * An UPDATE that changes nothing and returns the row holds the row until the transaction ends.
 *
 * Code states: 0 issued, 1 used, 2 superseded. Consent states: EonayTransactionState; an open one past its time counts
 * as expired. Device states: 0 pending, 1 approved, 2 denied, 3 delivered.
 */
#ifndef PORTAL_STATEMENTS_CORE_H
#define PORTAL_STATEMENTS_CORE_H

/* clang-format off */
#define STATEMENT_CORE_TABLE(X) \
    X(SCHEMA_VERSION, "SELECT version FROM schema_version WHERE area = $1") \
    X(SCHEMA_SET, \
        "INSERT INTO schema_version (area, version) VALUES ($1, $2) " \
        "ON CONFLICT (area) DO UPDATE SET version = excluded.version") \
    X(SETTING_GET, "SELECT value FROM setting WHERE name = $1") \
    X(SETTING_PUT, "INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING") \
    X(TEXT_VERSION_ADD, \
        "INSERT INTO text_version (purpose, version, body, sha256, first_used_at) VALUES ($1, $2, $3, $4, $5) " \
        "ON CONFLICT (purpose, version) DO NOTHING") \
    X(TEXT_VERSION_GET, "SELECT sha256 FROM text_version WHERE purpose = $1 AND version = $2") \
    /* codes */ \
    X(CODE_ADD, \
        "INSERT INTO code (hash, state, purpose, subject, account, text_version, undertaking_version, created_at, " \
        "expires_at) VALUES ($1, 0, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (hash) DO NOTHING RETURNING id") \
    X(CODE_FIND, \
        "SELECT id, state, purpose, subject, text_version, undertaking_version, created_at, expires_at FROM code " \
        "WHERE hash = $1") \
    X(CODE_USE, \
        "UPDATE code SET state = 1, used_at = $2 WHERE hash = $1 AND state = 0 AND expires_at > $2 " \
        "AND created_at <= $3 RETURNING id, state, purpose, subject, text_version, undertaking_version, created_at, " \
        "expires_at") \
    X(CODE_SUPERSEDE, "UPDATE code SET state = 2 WHERE id = $1") \
    X(CODE_ACCOUNT_LIVE, \
        "SELECT id FROM code WHERE account = $1 AND purpose = $2 AND expires_at > $3 AND state <> 2") \
    X(CODE_STATE, \
        "SELECT code.state, code.expires_at, consent.state, consent.expires_at, consent.receipt_id FROM code " \
        "LEFT JOIN consent ON consent.code_id = code.id WHERE code.id = $1") \
    X(CODE_PURGE, \
        "DELETE FROM code WHERE id IN (SELECT id FROM code WHERE expires_at <= $1 ORDER BY expires_at LIMIT 64)") \
    /* wrong guesses */ \
    X(GUESS_GET, "SELECT bucket, times FROM guess WHERE bucket IN ($1, $2, $3)") \
    X(GUESS_ADD, "INSERT INTO guess (bucket, times, last_at) VALUES ($1, $2, $3) ON CONFLICT (bucket) DO NOTHING") \
    X(GUESS_HOLD, "UPDATE guess SET last_at = last_at WHERE bucket = $1 RETURNING bucket, times") \
    X(GUESS_SET, "UPDATE guess SET times = $2, last_at = $3 WHERE bucket = $1") \
    X(GUESS_PURGE, "DELETE FROM guess WHERE last_at < $1") \
    /* consents */ \
    X(CONSENT_ADD, \
        "INSERT INTO consent (transaction_hash, redeem_key, code_id, state, purpose, subject, text_version, " \
        "undertaking_version, reference, created_at, expires_at) VALUES ($1, $2, $3, 0, $4, $5, $6, $7, $8, $9, $10) " \
        "RETURNING id") \
    X(CONSENT_FIND, \
        "SELECT id, state, purpose, subject, text_version, undertaking_version, created_at, expires_at, " \
        "submission_key, submission_digest, receipt_id, submitted_at, code_id, redeem_key FROM consent " \
        "WHERE transaction_hash = $1") \
    X(CONSENT_WITH_TEXTS, \
        "SELECT consent.id, state, purpose, subject, text_version, undertaking_version, created_at, expires_at, " \
        "submission_key, submission_digest, receipt_id, submitted_at, code_id, redeem_key, position, title, media_type, " \
        "bytes FROM consent LEFT JOIN consent_text ON consent_text.consent_id = consent.id " \
        "WHERE transaction_hash = $1 ORDER BY position") \
    X(CONSENT_OF_CODE, \
        "SELECT id, state, purpose, subject, text_version, undertaking_version, created_at, expires_at, " \
        "submission_key, submission_digest, receipt_id, submitted_at, code_id, redeem_key FROM consent " \
        "WHERE code_id = $1") \
    X(CONSENT_SIGN, \
        "UPDATE consent SET state = 1, submission_key = $2, submission_digest = $3, receipt_id = $4, " \
        "submitted_at = $5 WHERE id = $1 AND state = 0 AND expires_at > $5 " \
        "AND NOT EXISTS (SELECT 1 FROM certificate WHERE fingerprint = $6 AND certificate.state <> 0)") \
    X(CONSENT_CANCEL, "UPDATE consent SET state = 3 WHERE id = $1 AND state = 0") \
    X(CONSENT_SUPERSEDE, "UPDATE consent SET state = 4 WHERE code_id = $1 AND state = 0") \
    X(CONSENT_PURGE, \
        "DELETE FROM consent WHERE id IN (SELECT id FROM consent WHERE state <> 1 AND expires_at <= $1 LIMIT 64) " \
        "RETURNING id") \
    X(TEXT_PURGE, "DELETE FROM consent_text WHERE consent_id = $1") \
    X(TEXT_ADD, \
        "INSERT INTO consent_text (consent_id, position, title, media_type, bytes) VALUES ($1, $2, $3, $4, $5)") \
    X(TEXT_LIST, "SELECT position, title, media_type, bytes FROM consent_text WHERE consent_id = $1 ORDER BY position") \
    X(SIGNATURE_ADD, \
        "INSERT INTO signature (consent_id, position, cms, verdict, verified_at) VALUES ($1, $2, $3, $4, $5)") \
    X(SIGNATURE_LIST, \
        "SELECT position, cms, verdict, verified_at FROM signature WHERE consent_id = $1 ORDER BY position") \
    /* approvals */ \
    X(APPROVAL_ADD, \
        "INSERT INTO approval (subject, purpose, text_version, repetition, consent_id, receipt_id, approved_at) " \
        "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (subject, purpose, text_version, repetition) DO NOTHING") \
    X(APPROVAL_OF_VERSION, \
        "SELECT 1 FROM approval WHERE subject = $1 AND purpose = $2 AND text_version = $3 LIMIT 1") \
    X(APPROVAL_NEWEST, \
        "SELECT receipt_id, text_version, approved_at FROM approval WHERE subject = $1 AND purpose = $2 " \
        "ORDER BY id DESC LIMIT 1") \
    X(APPROVAL_LIST, \
        "SELECT receipt_id, purpose, text_version, approved_at FROM approval WHERE subject = $1 " \
        "ORDER BY id DESC LIMIT 100") \
    X(APPROVAL_PAGE, \
        "SELECT id, subject, purpose, text_version, receipt_id, approved_at FROM approval WHERE id < $1 " \
        "ORDER BY id DESC LIMIT $2") \
    X(EVIDENCE_FIND, \
        "SELECT consent.id, consent.purpose, approval.subject, consent.text_version, consent.undertaking_version, " \
        "consent.reference, consent.created_at, consent.expires_at, consent.submitted_at FROM consent " \
        "JOIN approval ON approval.consent_id = consent.id WHERE consent.receipt_id = $1") \
    /* device authorisations */ \
    X(DEVICE_ADD, \
        "INSERT INTO device (device_hash, user_code_hash, state, client, purpose, wanted_subject, superseded_hash, " \
        "created_at, expires_at, poll_interval, last_poll_at) VALUES ($1, $2, 0, $3, $4, $5, $6, $7, $8, $9, 0) " \
        "ON CONFLICT DO NOTHING") \
    X(DEVICE_COUNT_PENDING, "SELECT count(*) FROM device WHERE expires_at > $1 AND state = 0") \
    X(DEVICE_HOLD, \
        "UPDATE device SET state = state WHERE device_hash = $1 RETURNING id, state, client, purpose, subject, " \
        "account, text_version, undertaking_version, superseded_hash, expires_at, poll_interval, last_poll_at, code_id") \
    X(DEVICE_POLLED, "UPDATE device SET last_poll_at = $2, poll_interval = $3 WHERE id = $1") \
    X(DEVICE_BY_USER_CODE, \
        "SELECT id, state, client, purpose, wanted_subject, created_at, expires_at FROM device WHERE user_code_hash = $1") \
    X(DEVICE_DECIDE, \
        "UPDATE device SET state = $2, subject = $3, account = $4, text_version = $5, undertaking_version = $6 " \
        "WHERE id = $1 AND state = 0 AND expires_at > $7") \
    X(DEVICE_DELIVERED, "UPDATE device SET state = 3, code_id = $2 WHERE id = $1") \
    X(DEVICE_PURGE, \
        "DELETE FROM device WHERE id IN (SELECT id FROM device WHERE expires_at <= $1 ORDER BY expires_at LIMIT 64)") \
    /* the authority's register of certificates; states: 0 good, 1 suspended, 2 revoked */ \
    X(CERTIFICATE_STATE, "SELECT state, changed_at FROM certificate WHERE fingerprint = $1") \
    X(CERTIFICATE_ADD, \
        "INSERT INTO certificate (fingerprint, subject, serial, not_before, not_after, state, changed_at, der) " \
        "VALUES ($1, $2, $3, $4, $5, 0, $6, $7) ON CONFLICT (fingerprint) DO NOTHING") \
    X(CERTIFICATE_SET_STATE, \
        "UPDATE certificate SET state = $2, changed_at = $3, revoked_at = CASE WHEN CAST($2 AS BIGINT) = 0 THEN NULL " \
        "ELSE COALESCE(revoked_at, $3) END WHERE fingerprint = $1 AND state = $4") \
    X(CERTIFICATE_LIST, \
        "SELECT fingerprint, serial, not_before, not_after, state, changed_at, der FROM certificate " \
        "WHERE subject = $1 ORDER BY not_after DESC LIMIT 100") \
    /* the revocation lists made of it; a revoked certificate keeps the moment of the suspension that came before */ \
    X(CERTIFICATE_NOT_GOOD, \
        "SELECT state, COALESCE(revoked_at, changed_at), der FROM certificate WHERE state <> 0 AND not_after > $1") \
    X(CERTIFICATE_LISTED, "UPDATE certificate SET listed_state = state WHERE state <> listed_state") \
    X(LIST_STATE, \
        "SELECT COALESCE(max(number), 0), COALESCE(max(made_at), 0), " \
        "(SELECT count(*) FROM (SELECT 1 FROM certificate WHERE state <> listed_state LIMIT 1) AS changed) " \
        "FROM revocation_list") \
    X(LIST_ADD, \
        "INSERT INTO revocation_list (number, made_at, der) VALUES ($1, $2, $3) ON CONFLICT (number) DO NOTHING") \
    X(LIST_NEWEST, "SELECT number, made_at, der FROM revocation_list ORDER BY number DESC LIMIT 1") \
    X(LIST_PURGE, "DELETE FROM revocation_list WHERE number <= $1") \
    /* what was done, by whom: see audit.h */ \
    X(AUDIT_ADD, \
        "INSERT INTO audit (at, action, actor, address, detail) VALUES ($1, $2, $3, $4, $5)") \
    X(AUDIT_PAGE, \
        "SELECT id, at, action, actor, address, detail FROM audit WHERE id < $1 ORDER BY id DESC LIMIT $2")
/* clang-format on */

#endif
