# SPDX-License-Identifier: Apache-2.0
"""What the crash tests share: a consent walked until something dies, and what must be true of it ever after.

Three witnesses are heard: the service (ListConsents), the daemon's journal and the authority's database, both read
beside it, and the PKCS#11 module, whose calls OpenSC's spy writes down.
"""
import os
import sqlite3
import time

import dbus

from client import Client, options, plain
from testing import BusTest

SPY = "/usr/lib/x86_64-linux-gnu/pkcs11-spy.so"
FINAL = ("done", "failed", "cancelled", "expired")
PATIENCE = 60
GONE = tuple("org.freedesktop.DBus.Error." + name for name in ("NoReply", "ServiceUnknown", "NameHasNoOwner", "Disconnected"))


def rows(path, sql, *values):
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)
    try:
        return database.execute(sql, values).fetchall()
    finally:
        database.close()


def wait_until(what, timeout=PATIENCE, pause=0.02):
    """The first true value of what(), or None after the timeout."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        value = what()
        if value:
            return value
        time.sleep(pause)
    return None


class CrashTest(BusTest):
    """A sandbox whose token is spied upon, on demand."""

    def scene(self, spy=False, **ca_keys):
        sandbox = self.sandbox()
        if not sandbox.tokens.count:
            sandbox.add_token()
        if spy:
            self.spy_on_token(sandbox)
        if ca_keys:
            sandbox.set_section("Backend local", **{**sandbox.default_sections()["Backend local"], **ca_keys})
        sandbox.start_bus()
        return sandbox

    def spy_on_token(self, sandbox):
        usual = sandbox.default_sections()["Token softhsm"]
        os.mkdir(sandbox.file("spy"), 0o700)
        sandbox.set_section("Token softhsm", **{
            **usual, "Module": os.path.realpath(SPY), "ReadPaths": [usual["ReadPaths"], sandbox.tokens.module],
            "WritePaths": [usual["WritePaths"], sandbox.file("spy")],
            "Environment": [usual["Environment"], "PKCS11SPY=" + sandbox.tokens.module,
                            "PKCS11SPY_OUTPUT=" + sandbox.file("spy", "calls")]})

    # -- the walk -----------------------------------------------------------------------------------------------

    def walk(self, sandbox, code, by_agent=False, cancel=False):
        """Opens and signs as far as the daemon lives. Returns the id of the consent, or None."""
        client = Client(sandbox)
        consent_id = None
        try:
            certificate = client.certificates(usable=True)[0][0]
            consent = client.open(code)
            consent_id = consent.path.rsplit("/", 1)[1]
            if cancel:
                consent.proxy.Cancel(options())
            elif by_agent:
                consent.sign(certificate)
            else:
                self.sign(sandbox, consent, certificate)
        except dbus.exceptions.DBusException as error:
            self.assertIn(error.get_dbus_name(), GONE, error)
        return consent_id

    @staticmethod
    def sign(sandbox, consent, certificate, pin=None):
        hashes = dbus.Array([text[2] for text in consent.texts()], signature="s")
        consent.sign(certificate, accept_text_sha256=hashes, pin=sandbox.pin_pipe(pin))

    # -- the witnesses ------------------------------------------------------------------------------------------

    @staticmethod
    def records(sandbox, client=None):
        """ListConsents: the records by id."""
        client = client or Client(sandbox)
        return {record["ConsentId"]: record for record in plain(client.manager.ListConsents(options()))}

    def settled(self, sandbox, consent_id, timeout=PATIENCE):
        """The record once its state is final."""
        client = Client(sandbox)

        def final():
            record = self.records(sandbox, client).get(consent_id)
            return record if record and record["State"] in FINAL else None
        record = wait_until(final, timeout)
        self.assertIsNotNone(record, f"{consent_id} has no end: {self.records(sandbox, client)}")
        return record

    @staticmethod
    def journal(sandbox, sql, *values):
        return rows(sandbox.file("state", "journal.sqlite"), sql, *values)

    @staticmethod
    def authority(sandbox, sql, *values):
        return rows(sandbox.file("authority", "authority.db"), sql, *values)

    @staticmethod
    def calls_of_module(sandbox, name):
        path = sandbox.file("spy", "calls")
        if not os.path.exists(path):
            return 0
        with open(path, encoding="utf-8", errors="replace") as log:
            return sum(line.rstrip().endswith(": " + name) for line in log)

    def assert_invariants(self, sandbox):
        """Whatever happened: at most one signature a consent here, one approval a receipt there, and they agree."""
        self.assertEqual(self.journal(sandbox, "PRAGMA integrity_check"), [("ok",)])
        self.assertEqual(self.authority(sandbox, "PRAGMA integrity_check"), [("ok",)])
        consents = self.journal(sandbox, "SELECT id, state, receipt_id, (SELECT count(*) FROM signature s WHERE"
                                         " s.consent=c.id), (SELECT count(*) FROM text t WHERE t.consent=c.id)"
                                         " FROM consent c")
        receipts = [receipt for receipt, in self.authority(sandbox, "SELECT receipt_id FROM approval")]
        self.assertEqual(len(receipts), len(set(receipts)), "an approval was recorded twice")
        recorded = []
        for consent_id, state, receipt, signatures, texts in consents:
            self.assertIn(signatures, (0, texts), f"{consent_id}: a part of its signatures")
            self.assertTrue(signatures or state != "done", f"{consent_id} is done without a signature")
            self.assertEqual(bool(receipt), state == "done", f"{consent_id}: {state} with receipt '{receipt}'")
            recorded += [receipt] if receipt else []
        self.assertEqual(len(recorded), len(set(recorded)), "two consents with one receipt")
        self.assertLessEqual(set(recorded), set(receipts), "a receipt the authority does not know")
        return consents, receipts

    def assert_code_is_spent(self, sandbox, code):
        with self.assertDBusError("CodeUsed"):
            Client(sandbox).open(code)
