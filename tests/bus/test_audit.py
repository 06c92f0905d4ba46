#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The audit chain as a citizen and an administrator meet it: eonayctl audit and erase, the verifier of docs/audit.md, retention."""
import json
import os
import re
import sqlite3
import subprocess

import dbus

from bus import BUS_NAME
from client import options
from sandbox import ROOT_PATH
from test_parts import DaemonTest, wait_until
from testing import SOURCE, run

AUDIT = BUS_NAME + ".Audit"


class Audit(DaemonTest):
    @classmethod
    def prepare(cls, sandbox):
        sandbox.add_token(key="p256")

    def tearDown(self):  # some restart the daemon
        self.assertTrue(self.shared.daemon.running())

    def ctl(self, *arguments, status=0, errors=False):
        result = subprocess.run([self.shared.programs.ctl, *arguments], env={**self.shared.environment(), "LC_ALL": "C.UTF-8"},
                                capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(result.returncode, status, result.stderr + result.stdout)
        return result.stderr if errors else result.stdout

    def signed(self):
        consent = self.open()
        self.sign(consent)
        success, error, _result = consent.wait(60)
        self.assertTrue(success, error)
        return str(consent.proxy.GetReceipt(options())["ConsentId"])

    def database(self):
        return self.shared.file("state", "journal.sqlite")

    def verify_by_the_document(self):
        """What docs/audit.md tells others to do, to the letter."""
        with open(os.path.join(SOURCE, "docs/audit.md"), encoding="utf-8") as file:
            program = re.search(r"```python\n(.*?)```", file.read(), re.DOTALL)[1]
        result = subprocess.run(["/usr/bin/python3", "-c", program], cwd=os.path.dirname(self.database()), capture_output=True,
                                text=True, timeout=60, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout.strip().replace(" ", ":")

    def test_a_life(self):
        identity = self.signed()
        noted = self.ctl("audit", "head").strip()
        self.assertRegex(noted, r"^\d+:[0-9a-f]{64}$")
        self.assertEqual(self.verify_by_the_document(), noted)
        kinds = [entry["Kind"] for entry in json.loads(self.ctl("--json", "audit", "list", "--all"))
                 if entry["ConsentId"] == identity]
        self.assertEqual(kinds, ["done", "signed", "signing", "opened"])
        more = self.signed()
        self.assertIn("The chain is whole", self.ctl("audit", "verify", "--head", noted))
        self.ctl("erase", identity, "--yes")
        self.assertNotIn(identity, self.ctl("consents"))
        self.assertIn(more, self.ctl("consents"))
        self.ctl("export", identity, "-o", self.shared.file("evidence"), status=1)
        self.ctl("erase", identity, "--yes", status=1)
        report = json.loads(self.ctl("--json", "audit", "verify", "--head", noted))
        self.assertEqual((report["Valid"], report["ErasedEntries"]), (True, 4))
        self.assertEqual(self.verify_by_the_document(), self.ctl("audit", "head").strip())
        for name in os.listdir(os.path.dirname(self.database())):
            with open(os.path.join(os.path.dirname(self.database()), name), "rb") as file:
                self.assertNotIn(identity.encode(), file.read(), name)

    def test_somebody_at_the_file(self):
        self.signed()
        self.shared.stop_daemon()
        with sqlite3.connect(self.database()) as connection:
            before = connection.execute("SELECT rowid, requester FROM consent ORDER BY rowid DESC LIMIT 1").fetchone()
            connection.execute("UPDATE consent SET requester='Somebody' WHERE rowid=?", before[:1])
        self.shared.start_daemon()
        self.assertIn("it was changed", self.ctl("audit", "verify", status=1))
        with sqlite3.connect(self.database()) as connection:
            connection.execute("UPDATE consent SET requester=? WHERE rowid=?", before[::-1])
        self.ctl("audit", "verify")

    def test_not_yet(self):
        """One that is open stays; wrong heads and odd words are usage errors."""
        consent = self.open()
        identity = str(consent.proxy.GetDetails(options())["ConsentId"])
        self.ctl("erase", identity, "--yes", status=1)
        self.assertIn(identity, self.ctl("consents"))
        self.assertIn("has not come to its end", self.ctl("erase", identity, "--yes", status=1, errors=True))
        consent.proxy.Cancel(options())
        self.ctl("erase", identity, "--yes")
        for arguments in (("audit", "nonsense"), ("audit", "verify", "--head", "5"), ("audit",), ("erase",)):
            self.ctl(*arguments, status=2)
        audit = dbus.Interface(self.client.connection.get_object(BUS_NAME, ROOT_PATH, introspect=False), AUDIT)
        for wrong in (options(head="0" * 64), options(sequence=dbus.UInt64(1)), options(head="x" * 64, sequence=dbus.UInt64(1))):
            with self.assertDBusError("org.freedesktop.DBus.Error.InvalidArgs"):
                audit.Verify(wrong)

    def test_retention(self):
        """What ended long ago goes by itself; the rest stays."""
        old, fresh = self.signed(), self.signed()
        self.shared.stop_daemon()
        ago = 40 * 86400 * 1000000
        with sqlite3.connect(self.database()) as connection:
            connection.execute("UPDATE consent SET opened_at=opened_at-?1, signed_at=signed_at-?1, submitted_at=submitted_at-?1"
                               " WHERE id=?2", (ago, old))
        self.shared.set_section("Journal", RetentionDays=30)
        self.shared.start_daemon()
        wait_until(lambda: old not in self.ctl("consents", "--all"), 30)
        self.assertIn(fresh, self.ctl("consents", "--all"))
        self.assertIn("1 records older than 30 days were erased", self.shared.daemon.log())
        self.ctl("audit", "verify")


if __name__ == "__main__":
    run()
