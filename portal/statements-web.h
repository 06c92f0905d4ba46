/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The statements of the web pages. An application moves only from the state that the UPDATE names, and a session is
 * found by the hash of its cookie, which is nowhere else.
 */
#ifndef PORTAL_STATEMENTS_WEB_H
#define PORTAL_STATEMENTS_WEB_H

/* clang-format off */
#define APPLICATION_COLUMNS_ \
    "id, account, kind, state, receipt_id, fingerprint, held_until, created_at, moved_at"
#define STATEMENT_WEB_TABLE(X) \
    /* logins */ \
    X(SESSION_ADD, \
        "INSERT INTO web_session (hash, account, name, operator, created_at, used_at) VALUES ($1, $2, $3, $4, $5, $5)") \
    X(SESSION_FIND, "SELECT account, name, operator, created_at, used_at FROM web_session WHERE hash = $1") \
    X(SESSION_TOUCH, "UPDATE web_session SET used_at = $2 WHERE hash = $1") \
    X(SESSION_END, "DELETE FROM web_session WHERE hash = $1") \
    X(SESSION_PURGE, "DELETE FROM web_session WHERE created_at <= $1 OR used_at <= $2") \
    /* operators */ \
    X(OPERATOR_ADD, "INSERT INTO operator (account, added_at) VALUES ($1, $2) ON CONFLICT (account) DO NOTHING") \
    X(OPERATOR_REMOVE, "DELETE FROM operator WHERE account = $1") \
    X(OPERATOR_FIND, "SELECT added_at FROM operator WHERE account = $1") \
    X(OPERATOR_SESSIONS_END, "DELETE FROM web_session WHERE account = $1") \
    /* what was accepted in the browser, and the code that followed */ \
    X(ACCEPTANCE_ADD, \
        "INSERT INTO acceptance (account, purpose, text_version, undertaking_version, accepted_at) " \
        "VALUES ($1, $2, $3, $4, $5)") \
    X(ACCEPTANCE_LAST, \
        "SELECT text_version, undertaking_version, accepted_at FROM acceptance WHERE account = $1 AND purpose = $2 " \
        "ORDER BY id DESC LIMIT 1") \
    X(CODE_PAGE_PUT, \
        "INSERT INTO code_page (account, purpose, code_id, sealed) VALUES ($1, $2, $3, $4) " \
        "ON CONFLICT (account, purpose) DO UPDATE SET code_id = excluded.code_id, sealed = excluded.sealed") \
    X(CODE_PAGE_FIND, "SELECT code_id, sealed FROM code_page WHERE account = $1 AND purpose = $2") \
    X(CODE_PAGE_DROP, "DELETE FROM code_page WHERE account = $1 AND purpose = $2") \
    /* applications */ \
    X(APPLICATION_ADD, \
        "INSERT INTO application (" APPLICATION_COLUMNS_ ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) " \
        "ON CONFLICT DO NOTHING") \
    X(APPLICATION_OF_ACCOUNT, \
        "SELECT " APPLICATION_COLUMNS_ " FROM application WHERE account = $1 ORDER BY created_at DESC, id LIMIT 100") \
    X(APPLICATION_FIND, "SELECT " APPLICATION_COLUMNS_ " FROM application WHERE id = $1") \
    X(APPLICATION_DUE, \
        "SELECT " APPLICATION_COLUMNS_ " FROM application WHERE state = $1 AND held_until <= $2 " \
        "ORDER BY held_until, id LIMIT 500") \
    X(APPLICATION_MOVE, "UPDATE application SET state = $3, moved_at = $4 WHERE id = $1 AND state = $2") \
    X(APPLICATION_STEP_ADD, "INSERT INTO application_step (application, state, at) VALUES ($1, $2, $3)") \
    X(APPLICATION_STEPS, "SELECT state, at FROM application_step WHERE application = $1 ORDER BY at") \
    /* the register, as its owner sees it */ \
    X(CERTIFICATE_OWNED, \
        "SELECT fingerprint, serial, not_before, not_after, state, changed_at, der FROM certificate " \
        "WHERE fingerprint = $1 AND subject = $2") \
    /* the word by which a caller on the telephone is known */ \
    X(WORD_PUT, \
        "INSERT INTO security_word (account, salt, hash, changed_at) VALUES ($1, $2, $3, $4) ON CONFLICT (account) " \
        "DO UPDATE SET salt = excluded.salt, hash = excluded.hash, changed_at = excluded.changed_at") \
    X(WORD_FIND, "SELECT salt, hash, changed_at FROM security_word WHERE account = $1") \
    /* what operators look for */ \
    X(APPROVAL_SEARCH, \
        "SELECT id, subject, purpose, text_version, receipt_id, approved_at FROM approval " \
        "WHERE subject = $1 OR receipt_id = $1 ORDER BY id DESC LIMIT 100") \
    /* the same filter, page by page; '' is everybody */ \
    X(APPROVAL_EXPORT, \
        "SELECT id, subject, purpose, text_version, receipt_id, approved_at FROM approval " \
        "WHERE (CAST($1 AS TEXT) = '' OR subject = $1 OR receipt_id = $1) AND id < $2 ORDER BY id DESC LIMIT $3") \
    X(AUDIT_OF_ACTION, \
        "SELECT id, at, action, actor, address, detail FROM audit WHERE action = $1 ORDER BY id DESC LIMIT 200")
/* clang-format on */

#endif
