# SPDX-License-Identifier: Apache-2.0
"""Every condition of eonay/error-table.h can be met by a user: each is provoked here, by real parts where one can be, else by
plugins/fake, and comes with its own name, a sentence and a next step."""
import os
import shutil
import time

import dbus

from introspection_contract import error_names
from softhsm import find_module
from test_parts import (NO_CERTIFICATE, OPTIONS, DaemonTest, OpenPipe, fake_ca, fake_token, manager_call, memfd, options,
                        pin_pipe, says_no, wait_until)
from testing import ERROR, SOURCE, run

ANY_CODE = "200000000000000"
PASSPHRASE = b"bir parola"


def cut_off(path):
    """A new file in the old one's place: the old one is in use."""
    shutil.copyfile(path, path + ".new")
    os.truncate(path + ".new", 5000)
    os.chmod(path + ".new", 0o755)
    os.replace(path + ".new", path)


class Reachability(DaemonTest):
    FAKE_TOKENS = {
        "keypad": {"Flags": "pinpad"}, "final": {"Flags": "final"}, "locked": {"Flags": "locked"},
        "none": {"Mechanisms": "0"}, "gone": {"Script": "login error TokenRemoved"},
        "few": {"Script": "login error PinFewTriesLeft"}, "revoked": {"Script": "login error CertificateRevoked"},
        "suspended": {"Script": "login error CertificateSuspended"}, "forger": {}, "slow": {"Script": "sign slow 60000"},
    }
    FAKE_AUTHORITIES = {
        "pending": "redeem error CodePending", "denied": "redeem error CodeDenied", "away": "redeem error BackendUnreachable",
        "stranger": "redeem error BackendUntrusted",
        "unanswered": "redeem error RevocationUnknown", "unstamped": "redeem error TimestampFailed",
        "rejects": "submit error BackendRejected", "rubbish": "redeem garbage null", "crash": "redeem crash",
        "hang": "redeem hang", "approved": "get-code error AlreadyApproved",
    }

    @classmethod
    def prepare(cls, sandbox):
        sandbox.limits.update(PinDeliveryMs=300, BackendDeadlineMs=2000, SignDeadlineMs=90000)
        sandbox.add_token(key="p256")
        for n, profile in enumerate(("expired", "not-yet-valid", "seal"), start=2):
            credential = sandbox.pki.issue(profile, profile=profile, key="p256")
            sandbox.tokens.add_certificate("eonay-demo", credential, f"{n:02x}")
        local = sandbox.default_sections()["Backend local"]
        sandbox.set_section("Backend brief", **{**local, "Database": sandbox.file("authority", "brief.db"),
                                                "CodeLifetime": 1})
        os.mkdir(sandbox.file("folder.db"))
        sandbox.set_section("Backend storage", **{**local, "Database": sandbox.file("folder.db")})
        sandbox.set_section("Backend failed", **{**local, "CodeLifetime": "for ever"})
        sandbox.set_section("Backend missing", Plugin="no-such-plugin")
        holder = sandbox.pki.issue("holder", profile="nes", key="rsa2048")
        for name, keys in cls.FAKE_TOKENS.items():
            fake_token(sandbox, name, certificate=holder, **keys)
        for name, script in cls.FAKE_AUTHORITIES.items():
            fake_ca(sandbox, name, script)
        fake_ca(sandbox, "level", Level="B-T")
        with open(sandbox.file("unsafe.txt"), "w", encoding="utf-8") as file:
            file.write("Evet \u202eriyaH")
        fake_ca(sandbox, "unsafe", TextFile=sandbox.file("unsafe.txt"))
        for name in ("becomes-missing", "becomes-invalid", "becomes-untrusted"):
            path = sandbox.file(name + ".so")
            shutil.copyfile(find_module(), path)
            os.chmod(path, 0o755)
            tokens = os.path.join(sandbox.tokens.folder, name)
            os.makedirs(tokens)
            sandbox.set_section(f"Token {name}", **{**sandbox.default_sections()["Token softhsm"], "Module": path})

    def setUp(self):
        super().setUp()
        self.by_module = {}
        for path, properties in self.client.certificates():
            target = self.client.connection.get_object("org.eonay.EOnay1", properties["Token"], introspect=False)
            module = str(target.Describe(OPTIONS, dbus_interface="org.eonay.EOnay1.Token")["Module"])
            self.by_module.setdefault(module, {})[" ".join(properties["Reasons"])] = path

    # each gives the short name it met

    def refusal(self, call):
        """Of a call that fails."""
        with self.assertRaises(dbus.DBusException) as raised:
            call()
        name, message = raised.exception.get_dbus_name(), raised.exception.get_dbus_message()
        self.assertTrue(name.startswith(ERROR), name)
        self.assertGreater(len(message), 20)
        return name[len(ERROR):]

    def failure(self, consent):
        """Of a consent that finishes badly."""
        success, name, result = consent.wait()
        self.assertFalse(success)
        self.assertTrue(name.startswith(ERROR), name)
        self.assertTrue(result["Message"] and result["Hint"])
        return name[len(ERROR):]

    def good(self):
        return self.by_module["softhsm"][""]

    def opened(self, backend):
        return self.refusal(lambda: self.client.open(ANY_CODE, backend=backend))

    def signed(self, module, pin=b"123456", **values):
        consent = self.open()
        self.sign(consent, pin, certificate=next(iter(self.by_module[module].values())), **values)
        return self.failure(consent)

    def not_signed(self, certificate, pin=b"123456", **values):
        consent = self.open(**values)
        return self.refusal(lambda: self.sign(consent, pin, certificate=certificate))

    def expired(self):
        code, _details = self.client.get_code("brief")
        time.sleep(1.1)
        return self.refusal(lambda: self.client.open(code, backend="brief"))

    def used(self):
        code, _details = self.client.get_code("local")
        self.client.open(code)
        return self.refusal(lambda: self.client.open(code))

    def superseded(self):
        code, _details = self.client.get_code("local")
        self.client.get_code("local", superseded_code=code)
        return self.refusal(lambda: self.client.open(code))

    def rate_limited(self):
        for n in range(30):
            name = self.refusal(lambda: self.client.open(f"{100000000000000 + n}"))  # pylint: disable=cell-var-from-loop
            if name != "CodeUnknown":
                break
        return name

    def mismatch(self):
        consent = self.open()
        return self.refusal(lambda: consent.sign(self.good(), pin=pin_pipe(b"123456")))

    def no_certificate(self):
        agent = self.agent()
        try:
            code, _details = self.client.get_code("local")
            return self.refusal(manager_call(self.client.connection, "SignConsent", code, NO_CERTIFICATE, OPTIONS).wait)
        finally:
            self.forget_agent(self.client, agent)

    def cancelled(self):
        agent = self.agent(confirm=says_no)
        try:
            consent = self.open()
            consent.sign(self.good())
            return self.failure(consent)
        finally:
            self.forget_agent(self.client, agent)

    def busy(self):
        consent = self.open()
        pipe = OpenPipe()
        self.sign(consent, pipe.argument, certificate=self.good())
        try:
            return self.refusal(lambda: self.sign(consent, certificate=self.good()))
        finally:
            pipe.deliver(self.shared.pin.encode())
            consent.wait()

    def timed_out(self):
        pipe = OpenPipe()
        consent = self.open()
        self.sign(consent, pipe.argument, certificate=self.good())
        try:
            return self.failure(consent)
        finally:
            pipe.close()

    def damaged(self, module, damage):
        damage(self.shared.file(module + ".so"))
        return self.signed_with_listed(module)

    def signed_with_listed(self, module):
        consent = self.open()
        self.sign(consent, certificate=self.by_module[module][""])
        return self.failure(consent)

    def rejected(self):
        consent = self.client.open(ANY_CODE, backend="rejects")
        self.sign(consent, certificate=self.good())
        return self.failure(consent)

    def hidden_file(self):
        hidden = self.shared.pki.issue("hidden", profile="nes", key="p256", password=PASSPHRASE.decode())
        with open(hidden.p12, "rb") as file:
            content = file.read()
        return self.refusal(lambda: self.client.manager.AddFile(memfd(content), OPTIONS))

    def interrupted(self):
        consent = self.open()
        consent_id = consent.details()["ConsentId"]
        self.sign(consent, b"123456", certificate=next(iter(self.by_module["slow"].values())))
        wait_until(lambda: "signing" in consent.states and self.state_on_record(consent_id)[0] == "signing")
        self.shared.kill_daemon()
        self.shared.start_daemon()
        self.shared.starts = 1
        self.client = self.new_client()
        return wait_until(lambda: self.state_on_record(consent_id)[1])

    def provocations(self):
        reasons = self.by_module["softhsm"]
        manager = self.client.manager
        return {
            "CodeInvalid": lambda: self.refusal(lambda: self.client.open("12345")),
            "CodeUnknown": lambda: self.refusal(lambda: self.client.open("100000000000009")),
            "CodeExpired": self.expired,
            "CodeUsed": self.used,
            "CodeSuperseded": self.superseded,
            "CodePending": lambda: self.opened("pending"),
            "CodeDenied": lambda: self.opened("denied"),
            "RateLimited": self.rate_limited,
            "AlreadyApproved": lambda: self.refusal(lambda: self.client.get_code("approved")),
            "TextUnsafe": lambda: self.opened("unsafe"),
            "TextMismatch": self.mismatch,
            "NoCertificate": self.no_certificate,
            "CertificateNotSuitable": lambda: self.not_signed(
                next(path for names, path in reasons.items() if names.startswith("seal"))),
            "CertificateExpired": lambda: self.not_signed(
                next(path for names, path in reasons.items() if names.startswith("expired"))),
            "CertificateNotYetValid": lambda: self.not_signed(
                next(path for names, path in reasons.items() if names.startswith("not-yet"))),
            "CertificateRevoked": lambda: self.signed("revoked"),
            "CertificateSuspended": lambda: self.signed("suspended"),
            "IdentityMismatch": lambda: self.not_signed(self.good(), subject="98765432150"),
            "TokenRemoved": lambda: self.signed("gone"),
            "PinRequired": self.hidden_file,
            "PinIncorrect": lambda: self.signed_softhsm(b"00000000"),
            "PinFewTriesLeft": lambda: self.signed("few"),
            "PinFinalTry": lambda: self.not_signed(self.by_module["final"][""]),
            "PinLocked": lambda: self.not_signed(self.by_module["locked"]["pin-locked"]),
            "PinFormat": lambda: self.signed_softhsm(b""),
            "PinPadRequired": lambda: self.not_signed(self.by_module["keypad"][""]),
            "NoAgent": lambda: self.refusal(lambda: self.open().sign(self.good())),
            "Cancelled": self.cancelled,
            "Busy": self.busy,
            "TimedOut": self.timed_out,
            "DescriptorInvalid": lambda: self.not_signed(self.good(), memfd(b"123456")),
            "FileInvalid": lambda: self.refusal(lambda: manager.AddFile(memfd(b"no file"), OPTIONS)),
            "MechanismUnsupported": lambda: self.not_signed(self.by_module["none"]["mechanism-unsupported"]),
            "ModuleMissing": lambda: self.damaged("becomes-missing", os.unlink),
            "ModuleInvalid": lambda: self.damaged("becomes-invalid", cut_off),
            "ModuleUntrusted": lambda: self.damaged("becomes-untrusted", lambda path: os.chmod(path, 0o666)),
            "PluginFailed": lambda: self.refusal(lambda: self.client.get_code("failed")),
            "PluginCrashed": lambda: self.opened("crash"),
            "PluginTimeout": lambda: self.opened("hang"),
            "BackendUnknown": lambda: self.opened("nobody"),
            "BackendUnreachable": lambda: self.opened("away"),
            "BackendUntrusted": lambda: self.opened("stranger"),
            "BackendRejected": self.rejected,
            "BackendProtocol": lambda: self.opened("rubbish"),
            "StorageFailed": lambda: self.refusal(lambda: self.client.get_code("storage")),
            "NotFound": lambda: self.refusal(lambda: manager.CancelCode("nothing", OPTIONS)),
            "SignatureInvalid": lambda: self.signed("forger"),
            "SubjectInvalid": lambda: self.refusal(lambda: self.client.get_code("local", subject="12345678901")),
            "Unsupported": lambda: self.refusal(lambda: manager.VerifySignature(memfd(b"x"), options(level="B-Z"))),
            "Interrupted": self.interrupted,
            "LevelUnreachable": lambda: self.opened("level"),  # these three by real parts: test_levels.py
            "RevocationUnknown": lambda: self.opened("unanswered"),
            "TimestampFailed": lambda: self.opened("unstamped"),
        }

    def signed_softhsm(self, pin):
        consent = self.open()
        self.sign(consent, pin, certificate=self.good())
        return self.failure(consent)

    def test_every_name_of_the_table(self):
        met = {}
        for expected, provoke in self.provocations().items():
            with self.subTest(expected):
                met[expected] = provoke()
                self.assertEqual(met[expected], expected)
        self.assertEqual(set(error_names(SOURCE)) - set(met.values()), set(), "no user can meet these")
        self.assertEqual(set(met) - set(error_names(SOURCE)), set(), "these are not in the table")


if __name__ == "__main__":
    run()
