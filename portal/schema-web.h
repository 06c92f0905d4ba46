/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of the web pages, as in schema-core.h: X(SQL), a step each. Moments are microseconds UTC, an account is a
 * T.C. kimlik no.
 */
#ifndef PORTAL_SCHEMA_WEB_H
#define PORTAL_SCHEMA_WEB_H

/* clang-format off */
#define SCHEMA_WEB(X) \
    X("CREATE TABLE web_session (" \
      "  hash " BYTES_ " PRIMARY KEY," \
      "  account TEXT NOT NULL," \
      "  name TEXT NOT NULL," \
      "  operator " INT_ " NOT NULL," \
      "  created_at " INT_ " NOT NULL," \
      "  used_at " INT_ " NOT NULL);" \
      "CREATE INDEX web_session_age ON web_session (created_at);" \
      "CREATE TABLE operator (account TEXT PRIMARY KEY, added_at " INT_ " NOT NULL);" \
      "CREATE TABLE acceptance (" \
      "  id " ID_ "," \
      "  account TEXT NOT NULL," \
      "  purpose TEXT NOT NULL," \
      "  text_version TEXT NOT NULL," \
      "  undertaking_version TEXT NOT NULL," \
      "  accepted_at " INT_ " NOT NULL);" \
      "CREATE INDEX acceptance_account ON acceptance (account);" \
      "CREATE TABLE code_page (" /* the code that an account's page shows; a newer one takes its place */ \
      "  account TEXT NOT NULL," \
      "  purpose TEXT NOT NULL," \
      "  code_id " INT_ " NOT NULL," \
      "  sealed " BYTES_ " NOT NULL," \
      "  PRIMARY KEY (account, purpose));" \
      "CREATE TABLE application (" \
      "  id TEXT PRIMARY KEY," \
      "  account TEXT NOT NULL," \
      "  kind TEXT NOT NULL," \
      "  state TEXT NOT NULL," \
      "  receipt_id TEXT NOT NULL," \
      "  fingerprint " BYTES_ "," \
      "  held_until " INT_ " NOT NULL," \
      "  created_at " INT_ " NOT NULL," \
      "  moved_at " INT_ " NOT NULL);" \
      "CREATE INDEX application_account ON application (account);" \
      "CREATE INDEX application_state ON application (state, held_until);" \
      /* one open application a person, whatever two browsers do at once */ \
      "CREATE UNIQUE INDEX application_open ON application (account) " \
      "  WHERE state NOT IN ('delivered', 'rejected');" \
      "CREATE TABLE application_step (" \
      "  application TEXT NOT NULL REFERENCES application (id) ON DELETE CASCADE," \
      "  state TEXT NOT NULL," \
      "  at " INT_ " NOT NULL);" \
      "CREATE INDEX application_step_of ON application_step (application);" \
      "CREATE TABLE security_word (" \
      "  account TEXT PRIMARY KEY," \
      "  salt " BYTES_ " NOT NULL," \
      "  hash " BYTES_ " NOT NULL," \
      "  changed_at " INT_ " NOT NULL);")
/* clang-format on */

#endif
