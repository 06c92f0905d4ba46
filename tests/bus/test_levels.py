# SPDX-License-Identifier: Apache-2.0
"""Levels over the bus, with openssl's own time-stamp authority, OCSP responder and lists behind HTTP: each level and profile
is reached with RSA and EC, or an error comes before anything is signed."""
import datetime
import hashlib
import json
import os
import re
import subprocess
import time

from asn1crypto import core

from client import OPTIONS, Client, options, read_memfd
from responders import POLICY, Responders
from test_parts import memfd
from testing import BusTest, run

LEVELS = ("B-T", "B-LT", "B-LTA", "P1", "P2", "P3", "P4")




class LevelTest(BusTest):
    """One daemon, an authority for each level, a token for each kind of key; more is set up by the tests."""

    KEYS = ("p256",)
    TIMESTAMPS = ("tsa",)
    STORE = True
    SIGNATURE = {}

    def setUp(self):
        self.shared = self.sandbox()
        self.services = Responders(self.shared.programs, self.shared.folder)
        self.addCleanup(self.services.stop)
        self.shared.pki = self.services.pki
        self.credentials = {key: self.add_token(key) for key in self.KEYS}
        self.prepare()
        self.configure()
        self.shared.start(agent=True)
        self.client = Client(self.shared)

    def prepare(self):
        """Before the start."""

    def add_token(self, key):
        credential = self.shared.add_token(label=key, key=key, **self.services.locations)
        self.services.know(credential)
        return credential

    def configure(self):
        current, public = self.services.make_store() if self.STORE else (self.shared.file("none"), self.shared.file("none"))
        self.shared.set_section("Signature", TrustStore=current, TrustKey=public, **{"FetchDeadlineMs": "20000", "GracePeriodSec": "0", **self.SIGNATURE})
        self.shared.set_section("Fetch", Internal="yes")
        for name in self.TIMESTAMPS:
            self.shared.set_section("Timestamp " + name, Url=f"{self.services.url}/{name}", Policy=POLICY)
        local = self.shared.default_sections()["Backend local"]
        for level in LEVELS:
            self.shared.set_section("Backend " + level, **{**local, "Database": self.shared.file("authority", level + ".db"),
                                                           "Level": level})

    def certificate(self, key="p256"):
        """The object path of the token's certificate."""
        kind = {"rsa2048": "rsa-2048", "p256": "ec-p256"}[key]
        found = [path for path, properties in self.client.certificates() if kind_of(properties["KeyType"]) == kind_of(kind)]
        self.assertEqual(len(found), 1)
        return found[0]

    def open(self, level):
        code, _details = self.client.get_code(level)
        return self.client.open(code, backend=level)

    def sign(self, level, key="p256"):
        """(success, short name of the error, what is told of it), and the consent."""
        consent = self.open(level)
        consent.sign(self.certificate(key))
        success, error, result = consent.wait()
        return (success, error.rpartition(".")[2], result), consent

    def signed(self, level, key="p256"):
        (success, error, result), consent = self.sign(level, key)
        self.assertTrue(success, (error, result))
        self.assertEqual(consent.receipt()["Level"], level)
        return consent.signature()

    def refused(self, level, name, says="", spent=False):
        (success, error, result), consent = self.sign(level)
        self.assertFalse(success)
        self.assertEqual(error, name, result)
        self.assertIn(says, result["Detail"])
        self.assertEqual(consent.details()["State"], "failed" if spent else "reviewing")
        return consent


def kind_of(text):
    return "rsa" if text.lower().startswith("rsa") else "ec"


class EachLevel(LevelTest):
    KEYS = ("rsa2048", "p256")

    def test_each_level_is_reached_with_each_key(self):
        anchors = self.shared.file("anchors.pem")
        with open(anchors, "w", encoding="utf-8") as file:
            for name in (self.shared.pki.root, self.shared.pki.issuing):
                with open(name, encoding="utf-8") as one:
                    file.write(one.read())
        for level in LEVELS:
            for key in self.KEYS:
                with self.subTest(level=level, key=key):
                    self.looked_at(self.signed(level, key), level, anchors)

    def looked_at(self, signature, level, anchors):
        path = self.shared.file("signature.p7s")
        with open(path, "wb") as file:
            file.write(signature)
        shown = subprocess.run(["openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", path, "-CAfile",
                                anchors, "-purpose", "any", "-out", "/dev/null"], capture_output=True, text=True, check=False,
                               timeout=60)
        self.assertEqual(shown.returncode, 0, shown.stderr)
        printed = subprocess.run(["openssl", "cms", "-cmsout", "-print", "-inform", "DER", "-in", path],
                                 capture_output=True, text=True, check=True, timeout=60).stdout
        self.assertEqual("id-smime-aa-timeStampToken" in printed, level != "P1")
        self.assertEqual("id-smime-aa-ets-revocationValues" in printed, level in ("P3", "P4"))
        self.assertEqual("id-smime-aa-ets-sigPolicyId" in printed, level in ("P2", "P3", "P4"))
        self.assertEqual("0.4.0.1733.2.4" in printed, level == "B-LTA")
        with open(self.services.pki.root, "rb") as root:
            report = self.client.manager.VerifySignature(memfd(signature), options(anchors=memfd(root.read())))
        self.assertTrue(report["Valid"] or level in ("B-T", "P1", "P2"), report)  # these carry no path and no answers
        self.assertEqual(report["LevelClaimed"], "B-B" if level == "P1" else level, report)


class Extended(LevelTest):
    """A finished signature raised later, and an archive stamp renewed."""

    TIMESTAMPS = ("brief", "tsa")

    def prepare(self):
        ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 40 * 86400))
        self.services.add_tsa("brief", not_after=ends)

    def extend(self, signature, level):
        return read_memfd(self.client.manager.ExtendSignature(memfd(signature), level, OPTIONS))

    def printed(self, signature):
        return subprocess.run(["openssl", "cms", "-cmsout", "-print", "-inform", "DER"], input=signature, capture_output=True,
                              check=True, timeout=60).stdout.decode()

    def level_of(self, signature):
        with open(self.services.pki.root, "rb") as root:
            report = self.client.manager.VerifySignature(memfd(signature), options(anchors=memfd(root.read())))
        self.assertTrue(report["Valid"], report)
        return report["Level"], report["Indication"]

    def test_step_by_step(self):
        signature = self.signed("B-T")
        for level in ("B-LT", "B-LTA", "B-LTA"):
            before = self.printed(signature).count("0.4.0.1733.2.4")
            signature = self.extend(signature, level)
            self.assertEqual(self.level_of(signature), (level, "TOTAL-PASSED"))
            self.assertEqual(self.printed(signature).count("0.4.0.1733.2.4"), before + (level == "B-LTA"))

    def test_at_once(self):
        code, _details = self.client.get_code("local")
        consent = self.client.open(code, backend="local")
        consent.sign(self.certificate())
        self.assertTrue(consent.wait()[0])
        self.assertEqual(self.level_of(self.extend(consent.signature(), "B-LTA")), ("B-LTA", "TOTAL-PASSED"))

    def test_eonayctl_renews_what_ends_soon(self):
        """By an authority that holds longer than the one before; else the file stays as it is."""
        path = self.shared.file("kept.p7s")
        with open(path, "wb") as file:
            file.write(self.signed("B-LT"))

        def renew(days, status=0):
            result = subprocess.run([self.shared.programs.ctl, "--json", "renew", path, "--within", str(days)], text=True,
                                    env=self.shared.environment(), capture_output=True, check=False, timeout=120,
                                    stdin=subprocess.DEVNULL)
            self.assertEqual(result.returncode, status, result.stdout + result.stderr)
            with open(path, "rb") as file:
                return result, file.read()
        before = renew(20)[1]
        self.assertEqual(self.level_of(before)[0], "B-LT")
        told, same = renew(60, status=1)  # the authority that is asked first ends as soon as its last stamp
        self.assertIn("would not hold longer", told.stderr)
        self.assertEqual(same, before)
        self.services.faults["/brief"] = lambda body: (500, b"")
        told, renewed = renew(60)
        self.assertTrue(json.loads(told.stdout)["Renewed"])
        self.assertEqual(self.level_of(renewed), ("B-LTA", "TOTAL-PASSED"))
        self.assertEqual(renew(60)[1], renewed)

    def test_what_cannot_be(self):
        signature = self.signed("B-LT")
        for name, what, level, error in (("down", signature, "B-T", "Unsupported"), ("the same", signature, "B-LT", "Unsupported"),
                                         ("a profile", signature, "P4", "Unsupported"),
                                         ("no level", signature, "LTA", "Unsupported"),
                                         ("no signature", b"junk", "B-LTA", "SignatureInvalid"),
                                         ("a damaged one", signature[:-1] + bytes([signature[-1] ^ 1]), "B-LTA",
                                          "SignatureInvalid")):
            with self.subTest(name), self.assertDBusError(error):
                self.extend(what, level)
        for name in self.TIMESTAMPS:
            self.services.faults["/" + name] = lambda body: (500, b"")
        with self.assertDBusError("TimestampFailed"):
            self.extend(signature, "B-LTA")


GARBAGE = (
    ("a web page", lambda body: (200, b"<html>not today</html>"), "no time-stamp response"),
    ("nothing", lambda body: (200, b""), "no time-stamp response"),
    ("a refusal", lambda body: (200, bytes.fromhex("30053003020102")), "refused to stamp"),
    ("an error", lambda body: (500, b"broken"), "HTTP status 500"),
    ("too much", lambda body: (200, b"x" * 1_000_000), "too large"),
    ("a way elsewhere", lambda body: (302, b"", {"Location": "/elsewhere"}), "HTTP status 302"),
)


class StampsGoWrong(LevelTest):
    """The code is spent, and nothing weaker is handed in."""

    def test_each_broken_answer_is_refused(self):
        kept = []
        for name, answer, says in GARBAGE:
            with self.subTest(name):
                self.services.faults["/tsa"] = answer
                self.refused("B-T", "TimestampFailed", says, spent=True)
        self.services.faults["/tsa"] = lambda body: kept[0]
        kept.append(self.services.answer("/tsa", self.another_query()))
        with self.subTest("an answer to another"):
            self.refused("B-T", "TimestampFailed", "other bytes", spent=True)
        del self.services.faults["/tsa"]
        self.signed("B-T")

    def another_query(self):
        return subprocess.run(["openssl", "ts", "-query", "-data", self.shared.pki.root, "-sha256", "-cert"],
                              capture_output=True, check=True, timeout=30).stdout


class Authorities(LevelTest):
    """The next one is asked when one is wrong, whatever is wrong with it."""

    TIMESTAMPS = ("expired", "silent", "tsa")

    def prepare(self):
        self.services.add_tsa("expired", not_after="2025-01-01T00:00:00Z")
        self.services.add_tsa("silent")
        self.services.faults["/silent"] = lambda body: (503, b"")

    def test_the_next_one_stamps(self):
        self.signed("B-T")
        asked = [path for method, path, _headers in self.services.asked if method == "POST" and path != "/ocsp"]
        self.assertEqual(asked, ["/expired", "/silent", "/tsa"])


class Policies(LevelTest):
    def configure(self):
        super().configure()
        self.shared.set_section("Timestamp tsa", Url=self.services.url + "/tsa", Policy="2.999.3161.99")

    def test_another_policy_than_asked_for(self):
        self.refused("B-T", "TimestampFailed", "tsa", spent=True)


class Identity(LevelTest):
    """The header that a Kamu SM account wants."""

    def configure(self):
        super().configure()
        folder = self.shared.file("credentials")
        os.makedirs(folder, mode=0o700)
        with open(os.path.join(folder, "kamusm"), "w", encoding="utf-8") as file:
            file.write("12345:a secret word\n")
        self.shared.daemon_env["CREDENTIALS_DIRECTORY"] = folder
        self.shared.set_section("Timestamp tsa", Url=self.services.url + "/tsa", Identity="kamusm")

    def test_the_imprint_is_in_it_for_whoever_has_the_password(self):
        self.signed("B-T")
        headers = [headers for method, path, headers in self.services.asked if method == "POST" and path == "/tsa"][-1]
        fields = Sequence.load(bytes.fromhex(headers["identity"]))
        user, salt, rounds, vector, cipher = (field.native for field in fields)
        self.assertEqual((user, rounds, len(salt), len(vector)), (12345, 100, 16, 16))
        key = hashlib.pbkdf2_hmac("sha256", b"a secret word", salt, rounds, 32)
        plain = subprocess.run(["openssl", "enc", "-d", "-aes-256-cbc", "-K", key.hex(), "-iv", vector.hex()], input=cipher,
                               capture_output=True, check=True, timeout=30).stdout
        self.assertEqual(len(plain), 32)


class Sequence(core.SequenceOf):
    _child_spec = core.Any

    def __iter__(self):
        return (field.parse() if isinstance(field, core.Any) else field for field in super().__iter__())


class Nothing(LevelTest):
    """Without anchors there is no level but the first."""

    STORE = False

    def test_an_error_before_anything_is_signed(self):
        for level in LEVELS:
            with self.subTest(level), self.assertDBusError("LevelUnreachable"):
                self.open(level)


class Unreachable(LevelTest):
    def test_an_authority_that_is_away_costs_no_code(self):
        def away(_body):
            raise ConnectionError
        self.services.faults["/tsa"] = away
        self.services.probe_too = True
        consent = self.refused("B-T", "LevelUnreachable", "tsa")
        del self.services.faults["/tsa"]
        consent.sign(self.certificate())
        self.assertTrue(consent.wait()[0])


class Revoked(LevelTest):
    def state(self, state):
        self.services.know(self.credentials["p256"], state)

    def reasons(self):
        return self.client.certificates()[0][1]["Reasons"]

    def test_before_a_pin_is_asked_for(self):
        self.assertEqual(self.reasons(), [])
        self.state("R,certificateHold")
        consent = self.refused("B-T", "CertificateSuspended", "suspended")
        self.assertEqual(self.reasons(), ["suspended"])
        with self.assertDBusError("CertificateSuspended"):
            consent.sign(self.certificate())

    def test_for_good(self):
        self.state("R,keyCompromise")
        self.refused("P4", "CertificateRevoked", "revoked")
        self.assertEqual(self.reasons(), ["revoked"])
        with self.assertDBusError("CertificateRevoked"):
            self.open("P4").sign(self.certificate())

    def test_as_a_list_tells(self):
        self.state("R,certificateHold")
        self.refused("P3", "CertificateSuspended", "suspended")


class AnswersGoWrong(LevelTest):
    """Nobody signs with a certificate of which nothing is known. The code lives."""

    def test_each_broken_answer_is_refused(self):
        foreign = self.services.pki.issue("foreign", profile="tsa", key="p256")
        good = self.services.responder
        for name, answer, says in (("a web page", lambda body: (200, b"<html>"), "no OCSP response"),
                                   ("try later", lambda body: (200, bytes.fromhex("30030a0103")), "gave no answer"),
                                   ("an error", lambda body: (404, b""), "HTTP status 404"),
                                   ("too much", lambda body: (200, b"x" * 2_000_000), "too large")):
            with self.subTest(name):
                self.services.faults["/ocsp"] = answer
                self.refused("P4", "RevocationUnknown", says)
        del self.services.faults["/ocsp"]
        with self.subTest("by somebody who may not"):
            self.services.responder = foreign
            self.refused("P4", "RevocationUnknown", "may not answer")
        self.services.responder = good
        with self.subTest("a list that never ends its way"):
            self.services.faults["/ca.crl"] = lambda body: (302, b"", {"Location": "/ca.crl"})
            self.refused("P3", "RevocationUnknown", "redirects")
        with self.subTest("a list of changes"):
            self.services.faults["/ca.crl"] = lambda body: self.services.answer("/root.crl", b"")
            self.refused("P3", "RevocationUnknown", "another issuer")
        self.services.faults.clear()
        self.signed("P4")

    def test_a_list_helps_where_ocsp_is_broken(self):
        self.services.faults["/ocsp"] = lambda body: (500, b"")
        self.signed("B-LT")


class Responder(LevelTest):
    """A responder whose certificate is not marked as one that need not be asked about, and names a list: the list is asked."""

    def responder(self, profile="ocsp", **places):
        self.services.responder = self.services.pki.issue("responder", profile=profile, key="p256", **places)
        self.services.asked.clear()

    def lists_asked(self):
        return [path for _method, path, _headers in self.services.asked if path == "/ca.crl"]

    def test_it_has_to_stand_too(self):
        self.responder(crl=self.services.url + "/ca.crl")
        signature = self.signed("P4")
        self.assertTrue(self.lists_asked())
        with open(self.services.pki.root, "rb") as root:
            report = self.client.manager.VerifySignature(memfd(signature), options(anchors=memfd(root.read())))
        self.assertEqual((report["Level"], report["Indication"]), ("P4", "TOTAL-PASSED"), report)

    def test_a_revoked_one_is_not_believed(self):
        self.responder(crl=self.services.url + "/ca.crl")
        self.services.know(self.services.responder, "R,keyCompromise")
        self.refused("P4", "RevocationUnknown", "the responder's certificate was revoked")
        self.signed("B-LT")  # by the list

    def test_one_of_which_nothing_is_told_is_not_believed(self):
        self.responder(crl=self.services.url + "/no.crl")
        self.refused("P4", "RevocationUnknown", "is not known")

    def test_one_that_need_not_be_asked_about(self):
        self.responder(profile="ocsp-nocheck", crl=self.services.url + "/no.crl")
        self.signed("P4")
        self.responder(issuers=self.services.url + "/ca.der")  # names where its issuer is, and nobody who tells
        self.signed("P4")
        self.assertNotIn("/no.crl", [path for _method, path, _headers in self.services.asked])


class Grace(LevelTest):
    """P2 and P3 want a list issued after the signature."""

    SIGNATURE = {"GracePeriodSec": "3600"}

    def test_one_that_comes_after_the_codes_end_is_an_error_before(self):
        self.refused("P3", "LevelUnreachable", "no revocation list is due within GracePeriodSec=3600")  # but in a day
        self.refused("P2", "LevelUnreachable", "P4 needs none")

    def test_the_error_says_when_the_next_one_is_due(self):
        self.services.list_life = 1800
        consent = self.refused("P2", "LevelUnreachable", "get a code shortly before that")
        due = re.search(r"due at (\S+Z),", consent.outcome[2]["Detail"])[1]
        until = datetime.datetime.strptime(due + "+0000", "%Y-%m-%dT%H:%M:%SZ%z").timestamp() - time.time()
        self.assertTrue(1200 < until <= 1800, due)

    def test_one_that_comes_in_time_is_waited_for(self):
        self.services.list_life = 20
        self.signed("P3")
        self.signed("P2")


class Insiders(LevelTest):
    """What a certificate names may not lead into the own network unless that is allowed."""

    def configure(self):
        super().configure()
        self.shared.set_section("Fetch", Internal="no")

    def test_nobody_is_asked(self):
        self.services.asked.clear()
        self.refused("B-T", "CertificateNotSuitable")
        self.assertEqual([path for _method, path, _headers in self.services.asked], [])


if __name__ == "__main__":
    run()
