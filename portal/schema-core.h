/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of codes, consents and approvals, as steps: X(SQL). A step is never changed once released, only followed
 * by another. ID_, BYTES_ and INT_ are the databases' own words, given by schema.c.
 *
 * There are no foreign keys: rows that belong together are made in one transaction and removed in one, and each key
 * would cost a look-up in the middle of every consent.
 *
 * The record of an approval is for good. What leads nowhere (dead codes, unsigned consents with their texts, device
 * authorisations) is removed a day after it died.
 */
#ifndef PORTAL_SCHEMA_CORE_H
#define PORTAL_SCHEMA_CORE_H

/* clang-format off */
#define SCHEMA_CORE(X) \
    X("CREATE TABLE setting (name TEXT PRIMARY KEY, value " BYTES_ " NOT NULL);" \
      "CREATE TABLE text_version (" \
      "  purpose TEXT NOT NULL, version TEXT NOT NULL, body " BYTES_ " NOT NULL, sha256 " BYTES_ " NOT NULL," \
      "  first_used_at " INT_ " NOT NULL, PRIMARY KEY (purpose, version));" \
      "CREATE TABLE code (" \
      "  id " ID_ "," \
      "  hash " BYTES_ " NOT NULL UNIQUE," \
      "  state " INT_ " NOT NULL," \
      "  purpose TEXT NOT NULL," \
      "  subject TEXT," \
      "  account " BYTES_ "," \
      "  text_version TEXT NOT NULL," \
      "  undertaking_version TEXT NOT NULL," \
      "  created_at " INT_ " NOT NULL," \
      "  expires_at " INT_ " NOT NULL," \
      "  used_at " INT_ ");" \
      "CREATE INDEX code_expiry ON code (expires_at);" \
      "CREATE INDEX code_account ON code (account) WHERE account IS NOT NULL;" \
      "CREATE TABLE guess (bucket " BYTES_ " PRIMARY KEY, times " BYTES_ " NOT NULL, last_at " INT_ " NOT NULL);" \
      "CREATE INDEX guess_last ON guess (last_at);" \
      "CREATE TABLE consent (" \
      "  id " ID_ "," \
      "  transaction_hash " BYTES_ " NOT NULL UNIQUE," \
      "  redeem_key " BYTES_ "," \
      "  code_id " INT_ " NOT NULL UNIQUE," \
      "  state " INT_ " NOT NULL," \
      "  purpose TEXT NOT NULL," \
      "  subject TEXT," \
      "  text_version TEXT NOT NULL," \
      "  undertaking_version TEXT NOT NULL," \
      "  reference TEXT NOT NULL," \
      "  created_at " INT_ " NOT NULL," \
      "  expires_at " INT_ " NOT NULL," \
      "  submission_key TEXT," \
      "  submission_digest " BYTES_ "," \
      "  receipt_id TEXT UNIQUE," \
      "  submitted_at " INT_ ");" \
      "CREATE INDEX consent_unsigned ON consent (expires_at) WHERE state <> 1;" \
      "CREATE TABLE consent_text (" \
      "  consent_id " INT_ " NOT NULL," \
      "  position " INT_ " NOT NULL," \
      "  title TEXT NOT NULL," \
      "  media_type TEXT NOT NULL," \
      "  bytes " BYTES_ " NOT NULL," \
      "  PRIMARY KEY (consent_id, position));" \
      "CREATE TABLE signature (" \
      "  consent_id " INT_ " NOT NULL," \
      "  position " INT_ " NOT NULL," \
      "  cms " BYTES_ " NOT NULL," \
      "  verdict TEXT NOT NULL," \
      "  verified_at " INT_ " NOT NULL," \
      "  PRIMARY KEY (consent_id, position));" \
      "CREATE TABLE approval (" \
      "  id " ID_ "," \
      "  subject TEXT NOT NULL," \
      "  purpose TEXT NOT NULL," \
      "  text_version TEXT NOT NULL," \
      "  repetition " INT_ " NOT NULL," /* 0 but where repeats are allowed: one approval of a person and version */ \
      "  consent_id " INT_ " NOT NULL UNIQUE," \
      "  receipt_id TEXT NOT NULL," \
      "  approved_at " INT_ " NOT NULL," \
      "  UNIQUE (subject, purpose, text_version, repetition));" \
      "CREATE TABLE device (" \
      "  id " ID_ "," \
      "  device_hash " BYTES_ " NOT NULL UNIQUE," \
      "  user_code_hash " BYTES_ " NOT NULL UNIQUE," \
      "  state " INT_ " NOT NULL," \
      "  client TEXT NOT NULL," \
      "  purpose TEXT NOT NULL," \
      "  wanted_subject TEXT," \
      "  superseded_hash " BYTES_ "," \
      "  subject TEXT," \
      "  account " BYTES_ "," \
      "  text_version TEXT," \
      "  undertaking_version TEXT," \
      "  created_at " INT_ " NOT NULL," \
      "  expires_at " INT_ " NOT NULL," \
      "  poll_interval " INT_ " NOT NULL," \
      "  last_poll_at " INT_ " NOT NULL," \
      "  code_id " INT_ ");" \
      "CREATE INDEX device_expiry ON device (expires_at);" \
      "CREATE TABLE certificate (" \
      "  fingerprint " BYTES_ " PRIMARY KEY," \
      "  subject TEXT NOT NULL," \
      "  serial TEXT NOT NULL," \
      "  not_before " INT_ " NOT NULL," \
      "  not_after " INT_ " NOT NULL," \
      "  state " INT_ " NOT NULL," \
      "  changed_at " INT_ " NOT NULL," \
      "  der " BYTES_ " NOT NULL);" \
      "CREATE INDEX certificate_subject ON certificate (subject);" \
      "CREATE TABLE audit (" \
      "  id " ID_ "," \
      "  at " INT_ " NOT NULL," \
      "  action TEXT NOT NULL," \
      "  actor TEXT," \
      "  address TEXT," \
      "  detail TEXT);") \
    X("ALTER TABLE certificate ADD COLUMN listed_state " INT_ " NOT NULL DEFAULT 0;" /* as the newest list shows it */ \
      "ALTER TABLE certificate ADD COLUMN revoked_at " INT_ ";" /* or suspended first, when it was not opened again */ \
      "UPDATE certificate SET revoked_at = changed_at WHERE state <> 0;" \
      "CREATE INDEX certificate_unlisted ON certificate (fingerprint) WHERE state <> listed_state;" \
      "CREATE INDEX certificate_not_good ON certificate (not_after) WHERE state <> 0;" \
      "CREATE TABLE revocation_list (number " INT_ " PRIMARY KEY, made_at " INT_ " NOT NULL, der " BYTES_ " NOT NULL);")
/* clang-format on */

#endif
