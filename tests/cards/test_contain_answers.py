#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A module whose answers are wrong, huge, garbage, or late by a whole card: the documented error, at most one C_Sign a code,
nothing unverified, and nothing but valid text on the bus."""
import subprocess
import unicodedata

import dbus

from bus import BUS_NAME
from containing import PIN, ContainTest, Vendor, plain, run, wait_until

REMOVED = ("CKR_DEVICE_REMOVED", "CKR_SESSION_HANDLE_INVALID", "CKR_SESSION_CLOSED", "CKR_TOKEN_NOT_PRESENT")
TOKEN = BUS_NAME + ".Token"


class AnswerTest(ContainTest):
    """A module with two slots: 0 misbehaves, 1 must not suffer."""

    @classmethod
    def make_vendor(cls, sandbox):
        return Vendor(sandbox, slots=2, key=cls.key())

    @staticmethod
    def key():
        return "rsa2048"

    def tokens(self):
        """{object path: what Describe says} of the vendor's tokens."""
        connection = self.client.connection
        root = connection.get_object(BUS_NAME, "/org/eonay/EOnay1", introspect=False)
        objects = root.GetManagedObjects(dbus_interface="org.freedesktop.DBus.ObjectManager")
        found = {}
        for path, interfaces in objects.items():
            if TOKEN in interfaces:
                token = connection.get_object(BUS_NAME, path, introspect=False)
                said = plain(token.Describe(dbus.Dictionary({}, signature="sv"), dbus_interface=TOKEN))
                if said["Module"] == "vendor":
                    found[str(path)] = {**plain(interfaces[TOKEN]), **said}
        return found

    def assert_clean(self, text):
        """What libdbus let through is UTF-8; what a terminal would act upon is not there either."""
        self.assertFalse([c for c in text if unicodedata.category(c) == "Cc"], repr(text))

    def verify(self, consent):
        """OpenSSL, which has no part in this, finds the signature good."""
        cms, anchors, text = (self.shared.file(name) for name in ("answer.p7s", "answer.pem", "answer.txt"))
        with open(cms, "wb") as file:
            file.write(consent.signature())
        with open(anchors, "w", encoding="ascii") as file:
            for path in (self.shared.pki.root, self.shared.pki.issuing):
                with open(path, encoding="ascii") as certificate:
                    file.write(certificate.read())
        subprocess.run(["openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", cms, "-CAfile", anchors,
                        "-out", text], check=True, capture_output=True)
        with open(text, "rb") as file:
            self.assertEqual(file.read(), consent.texts()[0][3])


class Information(AnswerTest):
    def test_garbage_in_every_structure(self):
        for kind in ("garbage", "unterminated", "huge", "zero"):
            for where in ("module", "slot"):
                with self.subTest(kind=kind, where=where):
                    self.vendor.write(**{where: {"info": kind}})
                    self.refresh()
                    for said in self.tokens().values():
                        for text in (value for value in said.values() if isinstance(value, str)):
                            self.assert_clean(text)
                    self.assertTrue(self.paths("vendor-1"), "the other slot")
                    self.assertTrue(self.assert_vendor_signs(slot=1))

    def test_serial_numbers_in_odd_encodings(self):
        odd = {r"\x00\x00\x00\x00": "", r"12\x00\xff34": "12??34", r"\xde\xfe\xfd\xf0": "????",
               r"\xc5\x9e\xc4\xb0": "Şİ", r"\x1b[31m": "?[31m", r"\xe2\x80\xae7": "?7", r"\xef\xbb\xbf9": "?9",
               r"\xef\xbf\xbf8": "?8", "1/2#3": "1/2#3"}
        for written, expected in odd.items():
            with self.subTest(serial=written):
                self.vendor.write(slot={"serial": written})
                self.refresh()
                [said] = [said for said in self.tokens().values() if said["Label"] == "vendor-0"]
                self.assert_clean(said["Serial"])
                self.assertEqual(said["Serial"], expected)
                self.assert_vendor_signs()

    def test_an_unknown_card_hides_no_other(self):
        for function in ("C_GetTokenInfo", "C_GetSlotInfo", "C_OpenSession", "C_GetMechanismList"):
            for value in ("CKR_TOKEN_NOT_RECOGNIZED", "CKR_DEVICE_ERROR", "CKR_GENERAL_ERROR"):
                with self.subTest(function=function, value=value):
                    self.vendor.write(f"{function}@0=return {value}")
                    self.refresh()
                    self.assertEqual(self.health(), [])
                    self.assert_vendor_signs(slot=1)

    def test_absurd_lengths(self):
        self.vendor.write(module={"slot-claim": "4000000000"})
        self.refresh()
        self.assertTrue(any("absurd" in problem for problem in self.health()), self.health())
        for claim in ("0", "4000000000", "18446744073709551615"):
            with self.subTest(claim=claim):
                self.vendor.write(slot={"value-claim": claim})
                self.refresh()
                self.assertEqual(self.health(), [])
                self.assert_vendor_signs(slot=1)

    def test_arguments_other_than_null_refused(self):
        """As AKİS does. Without InitArgs= the plugin passes none."""
        self.vendor.write(module={"init-args": "null"})
        self.kill_signer()
        self.assert_vendor_signs()


class WrongArguments(ContainTest):
    """A definition that is wrong about such a module is told from Health."""

    @classmethod
    def make_vendor(cls, sandbox):
        Vendor(sandbox, "picky", InitArgs="os-locking").write(module={"init-args": "null"})
        return Vendor(sandbox)

    def listed(self):
        return self.paths("vendor-0")

    def test_said(self):
        def said():
            return [problem for problem in self.health() if "picky" in problem]
        wait_until(said, 60, "Health")
        self.assertIn("C_Initialize answered 0x00000007", said()[0])
        self.assertEqual(self.paths("picky-0"), [])


class Removed(AnswerTest):
    """The card goes while it is at work."""

    def test_before_the_signature(self):
        for function in ("C_OpenSession", "C_Login"):
            for value in REMOVED:
                with self.subTest(function=function, value=value):
                    signed = self.count("C_Sign")
                    self.vendor.write(f"{function}@0=return {value}")
                    consent = self.vendor_start()
                    self.assert_finished(consent, "TokenRemoved", retriable=True)
                    self.assertEqual(self.count("C_Sign"), signed)
                    self.vendor.write()
                    self.assert_signs(consent, pin=PIN.encode(), certificate=self.vendor_certificate())

    def test_in_mid_sign(self):
        for function in ("C_SignInit", "C_Sign"):
            for value in REMOVED:
                with self.subTest(function=function, value=value):
                    signed = self.count("C_Sign")
                    self.vendor.write(f"{function}@0=return {value}")
                    consent = self.vendor_start()
                    self.assert_finished(consent, "TokenRemoved", retriable=False)
                    self.assert_spent(consent)
                    self.assert_nothing_left(consent)
                    self.assertEqual(self.count("C_Sign") - signed, 1 if function == "C_Sign" else 0)
                    self.assert_vendor_signs(slot=1)
                    self.vendor.write()
                    self.assert_vendor_signs()

    def test_pulled_for_a_moment_in_mid_sign(self):
        """The module forgets sessions and login; what comes after it begins anew."""
        signed = self.count("C_Sign")
        self.vendor.write("C_SignInit@0=slow 300")
        consent = self.vendor_start()
        self.wait_for_call("C_SignInit", self.count("C_SignInit"))
        self.vendor.write(slot={"present": "no"})
        success, _error, _result = consent.wait(60)
        self.assertFalse(success)
        self.assertLessEqual(self.count("C_Sign") - signed, 1)
        self.vendor.write()
        self.refresh()
        self.assert_vendor_signs()


class Value(AnswerTest):
    """What C_Sign returns is believed by nobody."""

    def test_wrong_values(self):
        for kind, error in (("garbage", "SignatureInvalid"), ("short", "SignatureInvalid"), ("empty", "PluginFailed"),
                            ("huge", "PluginFailed")):
            with self.subTest(signature=kind):
                signed = self.count("C_Sign")
                self.vendor.write(slot={"signature": kind})
                consent = self.vendor_start()
                self.assert_finished(consent, error, retriable=False)
                self.assert_nothing_left(consent)
                self.assert_spent(consent)
                self.assertEqual(self.count("C_Sign") - signed, 1)
                self.vendor.write()
                self.assert_vendor_signs()

    def test_always_authenticate(self):
        self.vendor.write(key={"always-authenticate": "yes"})
        logins = self.count("C_Login")
        self.verify(self.assert_vendor_signs())
        self.assertEqual(self.count("C_Login") - logins, 2)
        self.vendor.write("C_SignInit@0=slow 1", key={"always-authenticate": "yes"})
        signed = self.count("C_Sign")
        self.assert_finished(self.vendor_start(pin="000000"), "PinIncorrect", retriable=True)
        self.assertEqual(self.count("C_Sign"), signed)


class CurveValue(AnswerTest):
    @staticmethod
    def key():
        return "p256"

    def test_two_numbers_or_der(self):
        for der in ("no", "yes"):
            with self.subTest(der=der):
                self.vendor.write(slot={"ecdsa-der": der})
                self.verify(self.assert_vendor_signs())

    def test_wrong_values(self):
        for kind, errors in (("garbage", ("SignatureInvalid",)), ("short", ("SignatureInvalid", "PluginFailed"))):
            for der in ("no", "yes"):
                with self.subTest(signature=kind, der=der):
                    self.vendor.write(slot={"signature": kind, "ecdsa-der": der})
                    consent = self.vendor_start()
                    success, error, result = consent.wait(60)
                    self.assertFalse(success)
                    self.assertIn(error.rsplit(".", 1)[1], errors)
                    self.assertFalse(result["Retriable"])
                    self.assert_nothing_left(consent)


class Locked(AnswerTest):
    """A locked PIN at every stage at which one can meet it. No try is ever spent that the user did not make."""

    def setUp(self):
        """The counters live in a file, and in the processes."""
        self.addCleanup(self.new_card)
        super().setUp()

    def new_card(self):
        self.vendor.forget_counters()
        self.kill_hosts({pid for pid, _name in self.calls()})

    def state(self):
        [said] = [said for said in self.tokens().values() if said["Label"] == "vendor-0"]
        return said["PinState"]

    def finish(self, pin=PIN, **values):
        consent = self.vendor_start(pin=pin, **values)
        success, error, result = consent.wait(60)
        consent.close()
        return (success, error.rsplit(".", 1)[-1], int(result.get("TriesLeft", -1)))

    def test_seen_in_the_listing(self):
        self.vendor.write(slot={"flags": "USER_PIN_LOCKED"})
        self.refresh()
        self.assertEqual(self.state(), "locked")
        tries = self.count("C_Login")
        with self.assertDBusError("PinLocked"):
            self.vendor_start()
        self.assertEqual(self.count("C_Login"), tries)
        self.assert_vendor_signs(slot=1)

    def test_seen_only_at_the_login(self):
        """The listing is from before; the host reads the flags again before it tries."""
        self.vendor.write(slot={"flags": "USER_PIN_LOCKED"})
        tries = self.count("C_Login")
        self.assertEqual(self.finish()[:2], (False, "PinLocked"))
        self.assertEqual(self.count("C_Login"), tries)
        self.assertEqual(self.state(), "locked")

    def test_told_by_the_login_alone(self):
        """A module whose flags never say it."""
        self.vendor.write("C_Login@0=return CKR_PIN_LOCKED",
                          slot={"flags": "none"})
        tries = self.count("C_Login")
        self.assertEqual(self.finish(), (False, "PinLocked", 0))
        self.assertEqual(self.count("C_Login"), tries + 1)

    def test_told_by_the_second_login_of_the_signature(self):
        self.vendor.write("C_Login@0=return CKR_PIN_LOCKED skip 1", key={"always-authenticate": "yes"})
        self.kill_signer()
        signed = self.count("C_Sign")
        self.assertEqual(self.finish()[:2], (False, "PinLocked"))
        self.assertEqual(self.count("C_Sign"), signed)

    def test_by_wrong_pins(self):
        for at_once in ("no", "yes"):
            with self.subTest(lock_at_once=at_once):
                self.new_card()
                self.vendor.write(slot={"lock-at-once": at_once})
                self.refresh()
                self.assertEqual(self.state(), "ok")
                self.assertEqual(self.finish("000000"), (False, "PinIncorrect", 2))
                self.assertEqual(self.state(), "low")
                self.assertEqual(self.finish("000000"), (False, "PinIncorrect", 1))
                self.assertEqual(self.state(), "final-try")
                with self.assertDBusError("PinFinalTry"):
                    self.vendor_start(pin="000000")
                self.assertEqual(self.finish("000000", allow_final_try=True)[1],
                                 "PinLocked" if at_once == "yes" else "PinIncorrect")
                self.assertEqual(self.state(), "locked")
                tries = self.count("C_Login")
                with self.assertDBusError("PinLocked"):
                    self.vendor_start()
                self.assertEqual(self.count("C_Login"), tries)


if __name__ == "__main__":
    run()
