# SPDX-License-Identifier: Apache-2.0
"""What an upgrade is tried with: our packages under a higher version, and records as the first daemons left them."""
import os
import re
import sqlite3
import tempfile

from house import HERE, packages, sh

JOURNAL = "/var/lib/eonay/journal.sqlite"
NEXT = "0.9.0~test"


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
    """As of the first version of the schema, which had consents alone."""
    journal = sqlite3.connect(JOURNAL)
    journal.executescript("ALTER TABLE consent DROP COLUMN confirmed_at; ALTER TABLE consent DROP COLUMN confirmed_by;"
                          "DROP TABLE audit; DROP INDEX consent_by_signer; PRAGMA user_version=1; PRAGMA application_id=0;")
    journal.close()
    sh("chown", "--recursive", "eonay:eonay", os.path.dirname(JOURNAL), check=True)


def schema():
    journal = sqlite3.connect(f"file:{JOURNAL}?mode=ro", uri=True)
    version = journal.execute("PRAGMA user_version").fetchone()[0]
    journal.close()
    return version
