# SPDX-License-Identifier: Apache-2.0
"""What an upgrade is tried with: our packages under a higher version, and records as the first daemons left them."""
import os
import re
import sqlite3
import tempfile

from house import HERE, packages, sh

JOURNAL = "/var/lib/eonay/journal.sqlite"
NEXT = "0.9.0~test"
# The first version of the schema, which had consents alone; never changed again.
FIRST = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE consent(id TEXT PRIMARY KEY, uid INTEGER NOT NULL, backend TEXT NOT NULL, transaction_id TEXT NOT NULL,
  requester TEXT NOT NULL, purpose TEXT NOT NULL, level TEXT NOT NULL, subject_masked TEXT NOT NULL, created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL, opened_at INTEGER NOT NULL, state TEXT NOT NULL, error TEXT NOT NULL DEFAULT '',
  fingerprint TEXT NOT NULL DEFAULT '', certificate BLOB, mechanism INTEGER NOT NULL DEFAULT 0,
  idempotency_key TEXT NOT NULL DEFAULT '', signed_at INTEGER NOT NULL DEFAULT 0, receipt_id TEXT NOT NULL DEFAULT '',
  submitted_at INTEGER NOT NULL DEFAULT 0);
CREATE INDEX consent_by_uid ON consent(uid, opened_at);
CREATE INDEX consent_unfinished ON consent(state) WHERE state NOT IN ('done','failed','cancelled','expired');
CREATE TABLE text(consent TEXT NOT NULL, position INTEGER NOT NULL, title TEXT NOT NULL, media_type TEXT NOT NULL,
  sha256 TEXT NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY(consent, position)) WITHOUT ROWID;
CREATE TABLE signature(consent TEXT NOT NULL, position INTEGER NOT NULL, cms BLOB NOT NULL, PRIMARY KEY(consent, position))
  WITHOUT ROWID;
PRAGMA user_version=1;
"""


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def next_packages():
    """The same programs, with a changed configuration file."""
    made = []
    for deb in packages():
        with tempfile.TemporaryDirectory() as folder:
            sh("dpkg-deb", "--raw-extract", deb, folder, check=True)
            control = os.path.join(folder, "DEBIAN", "control")
            text = read(control)
            version = re.search(r"^Version: (.*)$", text, re.M).group(1)
            with open(control, "w", encoding="utf-8") as file:
                file.write(text.replace(f"Version: {version}", f"Version: {NEXT}").replace(f"(= {version})", f"(= {NEXT})"))
            settings = os.path.join(folder, "etc", "eonay", "eonayd.conf")
            if os.path.exists(settings):
                with open(settings, "a", encoding="utf-8") as file:
                    file.write("# a line of the next version\n")
            made.append(os.path.join(HERE, "next", os.path.basename(deb)))
            os.makedirs(os.path.dirname(made[-1]), exist_ok=True)
            sh("dpkg-deb", "--build", "-Znone", folder, made[-1], check=True)
    return made


def age_records():
    """What there is, as the first daemons kept it."""
    old = JOURNAL + ".old"
    journal = sqlite3.connect(old)
    journal.executescript(FIRST)
    journal.execute("ATTACH ? AS present", (JOURNAL,))
    for table in ("meta", "consent", "text", "signature"):
        columns = ",".join(row[1] for row in journal.execute(f"PRAGMA main.table_info({table})"))
        journal.execute(f"INSERT INTO main.{table}({columns}) SELECT {columns} FROM present.{table}")
    journal.commit()
    journal.close()
    for name in os.listdir(os.path.dirname(JOURNAL)):
        if name.startswith(os.path.basename(JOURNAL) + "-"):  # the write-ahead log, empty since the daemon has ended
            os.unlink(os.path.join(os.path.dirname(JOURNAL), name))
    os.replace(old, JOURNAL)
    sh("chown", "--recursive", "eonay:eonay", os.path.dirname(JOURNAL), check=True)


def schema():
    journal = sqlite3.connect(f"file:{JOURNAL}?mode=ro", uri=True)
    version = journal.execute("PRAGMA user_version").fetchone()[0]
    journal.close()
    return version
