# SPDX-License-Identifier: Apache-2.0
"""Every dictionary that a whole signature yields has the keys and types that dbus/*.xml documents, and no others.

Usage: introspection_keys.py SOURCE_ROOT BUILD_ROOT
"""
import os
import re
import sys

import dbus
from gi.repository import GLib

from introspection import signature_of
from introspection_contract import contract

NAME = "org.eonay.EOnay1"
ROOT = "/org/eonay/EOnay1"
TIMEOUT_SECONDS = 60
NOTHING = dbus.Dictionary({}, "sv")

# Keys that are there in some cases only; all others always.
SOMETIMES = {
    "Manager method GetCode": {"Pending", "Handle", "UserCode", "VerificationUri", "VerificationUriComplete", "Interval"},
    "Manager method GetApproval": {"ReceiptId", "TextVersion", "ApprovedAt"},
    "Consent signal StateChanged": {"PinPad"},
    "Consent signal Finished": {"ReceiptId", "TriesLeft", "Message", "Hint", "Detail"},
}


def keys_of(comment, argument):
    """Type by key of what one argument's documentation lists."""
    match = re.search(rf"@{argument}: .*?(?=\n\s*@|\n\s*\n|\Z)", comment, re.DOTALL)
    return dict(re.findall(r"^\s*\* ([A-Za-z0-9-]+) \(([^)]*)\):", match[0], re.MULTILINE))


class Checker:
    """Compares dictionaries with the contract and collects what differs."""

    def __init__(self, source_root):
        self.contract = contract(source_root)
        self.faults = set()

    def check(self, where, argument, value, inherited=None):
        """where: "Interface kind Member". inherited: keys documented elsewhere."""
        interface, member = where.split(" ", 1)
        expected = {**(inherited or {}), **keys_of(self.contract[f"{NAME}.{interface}"][member].comment, argument)}
        found = {str(key): signature_of(entry) for key, entry in value.items()}
        for key, kind in found.items():
            if expected.get(key) != kind:
                self.faults.add(f"{where}: {key} is {kind}, documented {expected.get(key, 'nowhere')}")
        for key in expected.keys() - found.keys() - SOMETIMES.get(where, set()):
            self.faults.add(f"{where}: {key} is documented and missing")

    def keys(self, where, argument):
        interface, member = where.split(" ", 1)
        return keys_of(self.contract[f"{NAME}.{interface}"][member].comment, argument)


class Walk:
    """One consent from code to evidence."""

    def __init__(self, sandbox, checker):
        self.sandbox = sandbox
        self.checker = checker
        self.connection = sandbox.connect()
        self.manager = sandbox.manager(self.connection)

    def interface(self, path, name):
        return dbus.Interface(self.connection.get_object(NAME, path, introspect=False), f"{NAME}.{name}")

    def open(self):
        code, details = self.manager.GetCode("", NOTHING)
        self.checker.check("Manager method GetCode", "details", details)
        path = self.manager.OpenConsent(code, NOTHING)
        consent = self.interface(path, "Consent")
        self.checker.check("Consent method GetDetails", "details", consent.GetDetails(NOTHING))
        return consent

    def certificates(self):
        listed = self.checker.keys("Manager method ListCertificates", "certificates")
        for path, entry in self.manager.ListCertificates(NOTHING):
            self.checker.check("Manager method ListCertificates", "certificates", entry)
            described = self.interface(path, "Certificate").Describe(NOTHING)
            self.checker.check("Certificate method Describe", "description", described, inherited=listed)
            token = self.interface(entry["Token"], "Token")
            self.checker.check("Token method Describe", "description", token.Describe(NOTHING))

    def sign(self, consent, pin):
        """Signs, checks every signal on the way, returns (success, error name, result)."""
        loop = GLib.MainLoop()
        outcome = []
        watches = [
            consent.connect_to_signal("StateChanged", lambda _, details: self.checker.check(
                "Consent signal StateChanged", "details", details)),
            consent.connect_to_signal("Finished", lambda *result: (outcome.append(result), loop.quit())),
        ]
        hashes = dbus.Array([text[2] for text in consent.GetTexts(NOTHING)], "s")
        certificate = self.manager.ListCertificates(dbus.Dictionary({"usable": True}, "sv"))[0][0]
        consent.Sign(certificate, dbus.Dictionary(
            {"accept-text-sha256": hashes, "pin": self.sandbox.pin_pipe(pin)}, "sv"))
        timeout = GLib.timeout_add_seconds(TIMEOUT_SECONDS, loop.quit)
        loop.run()
        if not outcome:
            raise RuntimeError("no Finished")
        GLib.source_remove(timeout)
        for watch in watches:
            watch.remove()
        self.checker.check("Consent signal Finished", "result", outcome[0][2])
        return outcome[0]

    def afterwards(self, consent):
        receipt = consent.GetReceipt(NOTHING)
        self.checker.check("Consent method GetReceipt", "receipt", receipt)
        report = self.manager.VerifySignature(consent.GetSignature(NOTHING), NOTHING)
        self.checker.check("Manager method VerifySignature", "report", report)
        report = self.manager.VerifyTimestamp(consent.GetSignature(NOTHING), dbus.ByteArray(bytes(32)), NOTHING)  # it is none
        self.checker.check("Manager method VerifyTimestamp", "report", report)
        for record in self.manager.ListConsents(NOTHING):
            self.checker.check("Manager method ListConsents", "consents", record)
        self.manager.ExportEvidence(str(receipt["ConsentId"]), NOTHING)


def faults(source_root, build_root):
    sys.path.insert(0, os.path.join(source_root, "tests/sandbox"))
    from programs import Programs
    from sandbox import Sandbox
    checker = Checker(source_root)
    with Sandbox(Programs(build_root), os.path.join(build_root, "tests/work")) as sandbox:
        sandbox.start()
        walk = Walk(sandbox, checker)
        walk.certificates()
        consent = walk.open()
        wrong = walk.sign(consent, "9" * len(sandbox.pin) if sandbox.pin[0] != "9" else "1" * len(sandbox.pin))
        if wrong[:2] != (False, NAME + ".Error.PinIncorrect") or not wrong[2].get("Retriable"):
            yield f"a wrong PIN: {wrong}"
        right = walk.sign(consent, sandbox.pin)
        if not right[0]:
            yield f"the right PIN after a wrong one: {right}"
        else:
            walk.afterwards(consent)
        yield from sorted(checker.faults)


def main():
    found = list(faults(sys.argv[1], sys.argv[2]))
    for fault in found:
        print(fault)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
