# SPDX-License-Identifier: Apache-2.0
"""Codes as people paste them, texts that must not be shown, certificates that must not be used, and words that are none
of the contract's: each is accepted, or refused with its own error, and nothing is lost by it."""
import contextlib
import hashlib
import time

import dbus

from test_parts import NO_CERTIFICATE, OPTIONS, DaemonTest, fake_ca, manager_call, options, wait_until
from testing import ERROR, run

INVALID = "org.freedesktop.DBus.Error.InvalidArgs"
# Between, before and behind the digits of a code.
SEPARATORS = {
    "nothing": "", "space": " ", "tab": "\t", "no-break space": "\u00a0", "narrow no-break space": "\u202f",
    "ideographic space": "\u3000", "line end": "\n", "line end of Windows": "\r\n", "next line": "\u0085",
    "line separator": "\u2028", "paragraph separator": "\u2029", "hyphen-minus": "-", "hyphen": "\u2010",
    "no-break hyphen": "\u2011", "figure dash": "\u2012", "en dash": "\u2013", "em dash": "\u2014",
    "soft hyphen": "\u00ad", "minus": "\u2212", "fullwidth hyphen": "\uff0d", "byte-order mark": "\ufeff",
}
# What is no code whatever an authority says.
REFUSED = {
    "empty": "", "blanks only": "   ", "14 digits": "12345678901234", "16 digits": "1234567890123456",
    "a letter": "12345678901234a", "a letter among 15 digits": "1234567x89012345",
    "Arabic-Indic digits": "١٦٨٨٥٧٤١٤٣٥١٢٣٧", "fullwidth digits": "１６８８５７４１４３５１２３７",
    "a sign": "+12345678901234", "a point": "123456789.12345", "underscores": "12345_67890_12345",
    "70,000 digits": "1" * 70000, "70,000 blanks before it": " " * 70000 + "168857414351237",
    "two codes": "168857414351237 168857414351237", "markup": "<b>168857414351237</b>",
    "right-to-left override": "\u202e168857414351237",
}


class Codes(DaemonTest):
    @classmethod
    def prepare(cls, sandbox):
        sandbox.set_section("Backend brief", **{**sandbox.default_sections()["Backend local"],
                                                "Database": sandbox.file("authority", "brief.db"), "CodeLifetime": 1})
        fake_ca(sandbox, "believes")

    def spaced(self, code, separator):
        return separator + code[:5] + separator + code[5:10] + separator * 2 + code[10:] + separator

    def test_accepted_however_it_is_spaced(self):
        for name, separator in SEPARATORS.items():
            with self.subTest(name):
                code, _details = self.client.get_code("local")
                self.assertRegex(code, "^[0-9]{15}$")
                consent = self.client.open(self.spaced(code, separator))
                self.assertEqual(consent.details()["State"], "reviewing")
                consent.close()

    def test_refused_without_asking_the_authority(self):
        """This one would believe anything."""
        self.agent()
        for name, text in REFUSED.items():
            for method, arguments in (("OpenConsent", ()), ("SignConsent", (NO_CERTIFICATE,))):
                with self.subTest(f"{method}: {name}"), self.assertDBusError("CodeInvalid"):
                    self.client.manager.get_dbus_method(method)(text, *arguments, options(backend="believes"))

    def test_refused_code_of_which_a_new_one_is_wanted(self):
        for name in ("empty", "Arabic-Indic digits", "70,000 digits"):
            with self.subTest(name), self.assertDBusError("CodeInvalid"):
                self.client.get_code("local", superseded_code=REFUSED[name])

    def test_unknown_code(self):
        with self.assertDBusError("CodeUnknown"):
            self.client.open("100000000000009")

    def test_code_of_another_authority_is_unknown_to_this_one(self):
        code, _details = self.client.get_code("local")
        with self.assertDBusError("CodeUnknown"):
            self.client.open(code, backend="brief")
        self.client.open(code).close()

    def test_unknown_authority(self):
        code, _details = self.client.get_code("local")
        for call in (lambda: self.client.open(code, backend="nobody"), lambda: self.client.get_code("nobody"),
                     lambda: self.client.manager.GetApproval("nobody", options(subject="10000000146"))):
            with self.assertDBusError("BackendUnknown"):
                call()
        self.client.open(code).close()

    def test_used_code(self):
        code, _details = self.client.get_code("local")
        consent = self.client.open(code)
        with self.assertDBusError("CodeUsed"):
            self.client.open(code)
        with self.assertDBusError("CodeUsed"):
            self.new_client().open(code)
        self.assert_signs(consent)
        with self.assertDBusError("CodeUsed"):
            self.client.open(code)

    def test_expired_code(self):
        code, details = self.client.get_code("brief")
        self.assertLessEqual(details["RemainingUSec"], 1_000_000)
        time.sleep(1.1)
        with self.assertDBusError("CodeExpired"):
            self.client.open(code, backend="brief")

    def open_brief(self):
        """A busy machine may need more than its code's second; then the next one is tried."""
        for _ in range(20):
            code, _details = self.client.get_code("brief")
            with contextlib.suppress(dbus.DBusException):
                return self.client.open(code, backend="brief")
        return self.fail("no consent opens")

    def test_consent_expires_with_its_code(self):
        consent = self.open_brief()
        consent_id = consent.details()["ConsentId"]
        result = self.assert_finished(consent, "CodeExpired", retriable=False)
        self.assertEqual(result["State"], "expired")
        self.assertEqual(consent.details()["State"], "expired")
        with self.assertDBusError("CodeExpired"):
            self.sign(consent)
        self.wait_for_record(consent_id, "expired", "CodeExpired")

    def test_no_signature_when_a_code_would_be_dead_on_arrival(self):
        """Less than five seconds of life are left: refused before the PIN is touched."""
        consent = self.client.open(self.client.get_code("brief")[0], backend="brief")
        with self.assertDBusError("CodeExpired"):
            self.sign(consent)

    def test_superseded_code(self):
        first, _details = self.client.get_code("local")
        second, _details = self.client.get_code("local", superseded_code=self.spaced(first, " "))
        with self.assertDBusError("CodeSuperseded"):
            self.client.open(first)
        self.client.open(second).close()

    def test_superseding_kills_the_unsigned_consent(self):
        first, _details = self.client.get_code("local")
        consent = self.client.open(first)
        self.client.get_code("local", superseded_code=first)
        self.sign(consent)
        self.assert_finished(consent, "CodeSuperseded", retriable=False)
        with self.assertDBusError("NotFound"):
            consent.receipt()

    def test_subject_of_a_code(self):
        for number in ("", "1", "10000000147", "00000000000", "1000000014６", "1" * 70000):
            with self.subTest(number[:20]), self.assertDBusError("SubjectInvalid"):
                self.client.get_code("local", subject=number)

    def test_unknown_option_names_the_key(self):
        code, _details = self.client.get_code("local")
        wrong = (("OpenConsent", (code, options(backendd="local")), "backendd"),
                 ("OpenConsent", (code, options(backend=dbus.UInt32(1))), "backend"),
                 ("SignConsent", (code, NO_CERTIFICATE, options(pin="1234")), "pin"),
                 ("SignConsent", (code, NO_CERTIFICATE, options(accept_text_sha256="x")), "accept-text-sha256"),
                 ("ListCertificates", (options(usable="yes"),), "usable"),
                 ("GetCode", ("local", options(**{"x" * 60000: True})), "xxx"))
        for method, arguments, key in wrong:
            with self.subTest(f"{method} {key}"), self.assertDBusError(INVALID) as raised:
                self.client.manager.get_dbus_method(method)(*arguments)
            self.assertIn(key, raised.exception.get_dbus_message())
        self.client.open(code).close()  # nothing was spent on any of it


class Guesses(DaemonTest):
    def test_guessing_is_slowed_down_and_right_codes_still_pass(self):
        code, _details = self.client.get_code("local")
        errors = set()
        for n in range(14):
            with self.assertRaises(dbus.DBusException) as raised:
                self.client.open(f"{200000000000000 + n}")
            errors.add(raised.exception.get_dbus_name())
        self.assertEqual(errors, {ERROR + "CodeUnknown", ERROR + "RateLimited"})
        self.client.open(code).close()


class Texts(DaemonTest):
    WRONG = {
        "override": "Kabul ediyorum \u202emaalesef".encode(), "isolate": "a \u2066b\u2069".encode(),
        "zero": "a\u200bb".encode(), "utf8": b"Kabul \xff\xfe", "overlong": b"\xc0\xafa", "surrogate": b"a\xed\xa0\x80",
        "cut": "İmza ş".encode()[:-1], "nul": b"Kabul\0 etmiyorum", "escape": b"\x1b[2Jhello", "return": b"no\ryes",
        "tag": "a\U000e0041".encode(), "private": "\ue000".encode(),
    }

    @classmethod
    def prepare(cls, sandbox):
        for name, content in cls.WRONG.items():
            with open(sandbox.file(name + ".txt"), "wb") as file:
                file.write(content)
            fake_ca(sandbox, name, TextFile=sandbox.file(name + ".txt"), ReadPaths=sandbox.file(name + ".txt"))
        with open(sandbox.file("empty.txt"), "wb"):
            fake_ca(sandbox, "empty", TextFile=sandbox.file("empty.txt"), ReadPaths=sandbox.file("empty.txt"))
        fake_ca(sandbox, "title", Title="Kabul \u202elubaK\u0007", Requester="\u2066evil\u0001")
        fake_ca(sandbox, "right", Text="Kabul ediyorum: ğüşiöç İI ıi 漢字 \\t€", Texts=3)
        fake_ca(sandbox, "level", Level="B-T")
        fake_ca(sandbox, "no-level", Level="XL")

    def test_unsafe(self):
        for name in self.WRONG:
            with self.subTest(name), self.assertDBusError("TextUnsafe"):
                self.client.open("200000000000000", backend=name)
        self.assertEqual(self.record(state="reviewing"), [])

    def test_no_text_at_all(self):
        with self.assertDBusError("BackendProtocol"):
            self.client.open("200000000000000", backend="empty")

    def test_names_around_the_text_are_made_harmless(self):
        consent = self.client.open("200000000000000", backend="title")
        self.assertEqual(consent.texts()[0][0], "Kabul \ufffdlubaK\ufffd")
        self.assertEqual(consent.details()["Requester"], "\ufffdevil\ufffd")
        consent.close()

    def test_safe(self):
        consent = self.client.open("200000000000000", backend="right")
        contents = [content for _title, _media, _digest, content in consent.texts()]
        self.assertEqual(contents, ["Kabul ediyorum: ğüşiöç İI ıi 漢字 \t€".encode()] * 3)

    def test_a_higher_level_than_we_can_give_is_not_answered_with_a_lower_one(self):
        with self.assertDBusError("LevelUnreachable"):
            self.client.open("200000000000000", backend="level")
        with self.assertDBusError("Unsupported"):
            self.client.open("200000000000000", backend="no-level")


class Certificates(DaemonTest):
    # profile of tests/fixtures: (error at Sign, reasons)
    PROFILES = {
        "expired": ("CertificateExpired", ["expired"]),
        "not-yet-valid": ("CertificateNotYetValid", ["not-yet-valid"]),
        "not-qualified": ("CertificateNotSuitable", ["not-qualified"]),
        "seal": ("CertificateNotSuitable", ["seal"]),
        "mali-muhur": ("CertificateNotSuitable", ["seal"]),
        "mali-muhur-encryption": ("CertificateNotSuitable", ["seal", "encryption-only"]),
        "encryption-only": ("CertificateNotSuitable", ["encryption-only"]),
        "wrong-key-usage": ("CertificateNotSuitable", ["key-usage"]),
        "ca": ("CertificateNotSuitable", ["certificate-authority"]),
        "no-identity": ("CertificateNotSuitable", ["no-identity-number"]),
        "bad-identity-checksum": ("CertificateNotSuitable", ["no-identity-number"]),
        "weak-key": ("CertificateNotSuitable", ["weak-key"]),
        "weak-algorithm": ("CertificateNotSuitable", ["weak-algorithm"]),
        "unknown-critical": ("CertificateNotSuitable", ["unknown-critical-extension"]),
        "malformed-statements": ("CertificateNotSuitable", ["malformed"]),
    }
    ISSUED_KEY = {"weak-key": None}

    @classmethod
    def prepare(cls, sandbox):
        sandbox.add_token("many", key="p256")
        for n, profile in enumerate(cls.PROFILES, start=2):
            credential = sandbox.pki.issue(profile, profile=profile, key=cls.ISSUED_KEY.get(profile, "p256"))
            sandbox.tokens.add_certificate("many", credential, f"{n:02x}")
        other = sandbox.pki.issue("other", profile="nes-other-person", key="p256", name=None, tckn=None)
        sandbox.tokens.write("many", "privkey", other.key, "f0", "--usage-sign", "--sensitive")
        sandbox.tokens.add_certificate("many", other, "f0")

    def test_each_wrong_one_says_why_and_is_refused(self):
        """One token, sixteen certificates; the private key is missing to all of the wrong ones, which comes last."""
        listed = {}
        for path, properties in self.client.certificates():
            listed[properties["Fingerprint"]] = (path, properties)
        consent = self.open()
        for profile, (error, reasons) in self.PROFILES.items():
            with self.subTest(profile):
                path, properties = listed[self.fingerprint(profile)]
                self.assertFalse(properties["Usable"])
                self.assertEqual([r for r in properties["Reasons"] if r != "no-private-key"], reasons)
                with self.assertDBusError(error) as raised:
                    self.sign(consent, certificate=path)
                self.assertIn(reasons[0], raised.exception.get_dbus_message())
        self.assertEqual(consent.details()["State"], "reviewing")
        consent.close()

    def fingerprint(self, base):
        with open(self.shared.file("pki", base + ".crt.der"), "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()

    def path_of(self, base):
        wanted = self.fingerprint(base)
        return next(path for path, properties in self.client.certificates() if properties["Fingerprint"] == wanted)

    def test_certificate_without_its_key(self):
        self.client.manager.Refresh(OPTIONS)  # SoftHSM takes a token that is written while it begins for none at all
        alone = self.shared.pki.issue("alone", profile="nes", key="p256")
        self.shared.tokens.add_certificate("many", alone, "e0")
        self.client.manager.Refresh(OPTIONS)
        consent = self.open()
        with self.subTest("listed"):
            properties = dict(self.client.certificates())[self.path_of("alone")]
            self.assertIn(properties["Reasons"], ([], ["no-private-key"]))
        if properties["Usable"]:  # keys are invisible before login on this module
            self.sign(consent, certificate=self.path_of("alone"))
            self.assertFalse(consent.wait()[0])
        else:
            with self.assertDBusError("CertificateNotSuitable"):
                self.sign(consent, certificate=self.path_of("alone"))

    def test_somebody_elses_certificate(self):
        consent = self.open(subject="10000000146")
        self.assertEqual(consent.details()["SubjectMasked"], "*********46")
        with self.assertDBusError("IdentityMismatch"):
            self.sign(consent, certificate=self.path_of("other"))
        self.assert_signs(consent, certificate=self.path_of("many"))

    def test_script_without_a_choice(self):
        """"/" is for exactly one usable certificate; here are two or more, and one for whom the code was made."""
        self.agent(pin=lambda _details, reply, _refuse: reply(self.shared.pin_pipe()))
        code, _details = self.client.get_code("local")
        with self.assertDBusError("NoCertificate") as raised:
            manager_call(self.client.connection, "SignConsent", code, NO_CERTIFICATE, OPTIONS).wait()
        self.assertIn("usable", raised.exception.get_dbus_message())

    def test_paths_that_are_no_certificate_of_the_caller(self):
        _path, properties = self.client.certificates()[0]
        consent = self.open()
        for path in ("/", properties["Token"], "/org/eonay/EOnay1", consent.path, "/org/eonay/EOnay1/certificate/x",
                     "/org/eonay/EOnay1/certificate/" + "f" * 16, "/a" * 30000):
            with self.subTest(path[:60]):
                with self.assertDBusError("NotFound"):
                    self.sign(consent, certificate=path)
                if path != "/":
                    code, _details = self.client.get_code("local")
                    with self.assertDBusError("NotFound"):
                        self.client.manager.SignConsent(code, dbus.ObjectPath(path), OPTIONS)
                    self.client.open(code).close()  # the code was not spent on it
        self.assertEqual(consent.details()["State"], "reviewing")

    def test_list_of_a_token_that_is_none(self):
        self.assertEqual(self.client.certificates(token=dbus.ObjectPath("/nowhere")), [])
        self.assertEqual(self.client.certificates(purpose="something else"), [])
        self.assertTrue(all(properties["Usable"] for _path, properties in self.client.certificates(usable=True)))


class NoCertificates(DaemonTest):
    @classmethod
    def prepare(cls, sandbox):
        sandbox.set_section("Token softhsm", Plugin="fake-token", Tokens=0)
        sandbox.tokens.count = -1  # none is made at the start

    def test_nothing_to_sign_with(self):
        self.assertEqual(self.client.certificates(), [])
        self.agent()
        code, _details = self.client.get_code("local")
        with self.assertDBusError("NoCertificate"):
            manager_call(self.client.connection, "SignConsent", code, NO_CERTIFICATE, OPTIONS).wait()
        wait_until(lambda: self.record()[0]["State"] == "cancelled", what="the record of a cancelled consent")


if __name__ == "__main__":
    run()
