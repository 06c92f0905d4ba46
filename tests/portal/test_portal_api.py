# SPDX-License-Identifier: Apache-2.0
"""The portal's interface for programs, on SQLite and on PostgreSQL: codes, texts, signatures, and what is refused."""
import base64
import hashlib
import http.client
import time
import unittest

from portal_process import AYSE, CLIENT_KEY, MEHMET, NES, Scene, new_key, rows, sign
from postgres import Postgres


class ApiTest:
    """Runs once for each database."""

    @classmethod
    def setUpClass(cls):
        cls.scene = Scene()
        cls.addClassCleanup(cls.scene.close)
        cls.database = cls.make_database()
        cls.portal = cls.scene.portal(cls.database, AllowRepeats="yes")
        cls.api = cls.portal.api()
        cls.addClassCleanup(cls.api.close)

    def refused(self, answer, status, code):
        self.assertEqual((answer.status, answer.code), (status, code), answer)
        self.assertEqual(answer.headers["Content-Type"], "application/problem+json")

    def count(self, statement):
        return rows(self.database, statement, self.postgres)

    # ------------------------------------------------------------------ codes

    def test_code_is_fifteen_digits_and_stored_as_a_hash_only(self):
        codes = self.portal.issue_many([(AYSE, NES, None)] * 20)
        self.assertEqual(len(set(codes)), 20)
        for code in codes:
            self.assertRegex(code, r"^[1-9][0-9]{14}$")

    def test_one_use(self):
        code = self.portal.issue()
        first = self.api.redeem(code)
        self.assertEqual(first.status, 200, first)
        self.refused(self.api.redeem(code), 409, "CodeUsed")

    def test_answer_lost_is_answered_again_to_the_same_key_only(self):
        code, key = self.portal.issue(), new_key()
        first, second = self.api.redeem(code, key), self.api.redeem(code, key)
        self.assertEqual(first.body["transaction"], second.body["transaction"])
        self.assertEqual(first.body["texts"], second.body["texts"])
        self.refused(self.api.redeem(code, new_key()), 409, "CodeUsed")
        self.refused(self.api.redeem(code), 409, "CodeUsed")

    def test_no_code(self):
        for code in ("", "12345678901234", "1234567890123456", "12345678901234a", "１２３４５６７８９０１２３４５"):
            self.refused(self.api.redeem(code), 400, "CodeInvalid")

    def test_expired(self):
        portal = self.scene.portal(self.database, CodeLifetime="1", AllowRepeats="yes")
        code = portal.issue()
        answer = portal.api().redeem(code)
        while answer.status == 200:  # a busy machine: the next one will be late enough
            code = portal.issue()
            time.sleep(1.1)
            answer = portal.api().redeem(code)
        self.refused(answer, 410, "CodeExpired")

    def test_get_code_again_supersedes_the_older_with_what_it_opened(self):
        account = new_key()
        first = self.portal.issue(account=account)
        transaction, signatures = self.api.opened(first, self.scene.ayse)
        second = self.portal.issue(account=account)
        self.refused(self.api.submit(transaction, signatures, new_key()), 410, "CodeSuperseded")
        self.assertEqual(self.api.status(transaction).body["state"], "superseded")
        third = self.portal.issue(account=account)
        self.refused(self.api.redeem(second), 410, "CodeSuperseded")
        self.assertEqual(self.api.redeem(third).status, 200)

    def test_text_is_the_seeds_with_reference_and_time(self):
        answer = self.api.redeem(self.portal.issue())
        text, = answer.body["texts"]
        content = base64.b64decode(text["bytes"])
        self.assertEqual(text["sha256"], hashlib.sha256(content).hexdigest())
        self.assertEqual(text["title"], "İmzalanacak Metin 1")
        lines = content.decode().split("\n")
        self.assertEqual(lines[0], "Kamu SM sistemleri üzerinden güvenilir bir şekilde elektronik onayımın alınması kaydıyla "
                         "bundan sonra yapacağım NES başvurularımın, imzalı başvuru formu göndermeme gerek kalmaksızın işleme "
                         "alınmasını KABUL EDİYORUM.")
        self.assertRegex(lines[2], r"^Referans: E(-[0-9A-HJKMNP-TV-Z]{4}){4}$")
        self.assertRegex(lines[3], r"^Oluşturma Tarihi: \d\d\.\d\d\.\d{4} \d\d:\d\d:\d\d$")
        self.assertEqual((answer.body["subject"], answer.body["subject_masked"]), (AYSE, "*********46"))
        self.assertEqual(answer.body["expires_at"] - answer.body["created_at"] <= 300_000_000, True)

    def test_purpose_without_signature(self):
        answer = self.api.redeem(self.portal.issue(purpose="pin.create"))
        self.assertEqual((answer.body["texts"], answer.body["level"], answer.body["purpose"]), ([], "none", "pin.create"))
        receipt = self.api.submit(answer.body["transaction"], [], new_key())
        self.assertEqual(receipt.status, 200, receipt)

    def test_a_code_for_something_else_is_not_spent(self):
        for purpose, wrong, right in (("pin.unblock", ["sign"], ["pin"]), (NES, ["pin", "fly"], ["fly", "sign"])):
            code, key = self.portal.issue(purpose=purpose), new_key()
            self.refused(self.api.redeem(code, key, operations=wrong), 422, "Unsupported")
            self.refused(self.api.redeem(code, operations=[]), 422, "Unsupported")
            self.refused(self.api.redeem(code, operations="sign"), 400, "BackendProtocol")
            answer = self.api.redeem(code, key, operations=right)
            self.assertEqual((answer.status, answer.body["purpose"]), (200, purpose))
        self.refused(self.api.redeem(code, operations=["pin"]), 409, "CodeUsed")

    # ------------------------------------------------------------- signatures

    def test_consent_end_to_end(self):
        transaction, signatures = self.api.opened(self.portal.issue(), self.scene.ayse)
        self.assertEqual(self.api.status(transaction).body["state"], "open")
        answer = self.api.submit(transaction, signatures, new_key())
        self.assertEqual(answer.status, 200, answer)
        self.assertRegex(answer.body["receipt_id"], r"^R(-[0-9A-HJKMNP-TV-Z]{4}){4}$")
        status = self.api.status(transaction).body
        self.assertEqual((status["state"], status["receipt"]["receipt_id"]), ("done", answer.body["receipt_id"]))
        evidence = self.portal.evidence(answer.body["receipt_id"])
        self.assertEqual(base64.b64decode(evidence["signatures"][0]["cms"]), signatures[0])
        self.assertEqual((evidence["subject"], evidence["text_version"], evidence["undertaking_version"]),
                         (AYSE, "e-onay-nes-1", "taahhutname-1"))
        findings = evidence["signatures"][0]["findings"]
        self.assertIn("signature", findings["checks_passed"])
        with open(self.scene.ayse.certificate_der, "rb") as file:
            self.assertEqual(findings["certificate_sha256"], hashlib.sha256(file.read()).hexdigest())

    def test_same_submission_gets_the_same_receipt_for_ever(self):
        transaction, signatures = self.api.opened(self.portal.issue(), self.scene.ayse)
        key = new_key()
        first, second = (self.api.submit(transaction, signatures, key).body["receipt_id"] for _ in range(2))
        self.assertEqual(first, second)
        self.refused(self.api.submit(transaction, signatures, new_key()), 409, "CodeUsed")
        text = base64.b64decode(self.portal.evidence(first)["texts"][0]["bytes"])
        self.refused(self.api.submit(transaction, [sign(text, self.scene.ayse, -7)], key), 422, "BackendRejected")
        self.assertEqual(self.count(f"SELECT count(*) FROM approval WHERE receipt_id = '{first}'"), 1)

    def test_other_text(self):
        transaction, signatures = self.api.opened(self.portal.issue(), self.scene.ayse)
        other, _ = self.api.opened(self.portal.issue(), self.scene.ayse)
        self.refused(self.api.submit(other, signatures, new_key()), 422, "BackendRejected")
        self.assertEqual(self.api.submit(transaction, signatures, new_key()).status, 200)

    def test_refused_signature_leaves_the_consent_open(self):
        transaction, signatures = self.api.opened(self.portal.issue(), self.scene.ayse)
        broken = bytearray(signatures[0])
        broken[-1] ^= 1
        self.refused(self.api.submit(transaction, [bytes(broken)], new_key()), 422, "BackendRejected")
        self.refused(self.api.submit(transaction, [b"0"], new_key()), 422, "BackendRejected")
        self.refused(self.api.submit(transaction, [], new_key()), 422, "BackendRejected")
        self.refused(self.api.submit(transaction, signatures * 2, new_key()), 422, "BackendRejected")
        self.assertEqual(self.api.submit(transaction, signatures, new_key()).status, 200)

    def test_other_persons_certificate(self):
        transaction, signatures = self.api.opened(self.portal.issue(), self.scene.mehmet)
        self.refused(self.api.submit(transaction, signatures, new_key()), 403, "IdentityMismatch")

    def test_code_bound_to_nobody_belongs_to_who_signs(self):
        answer = self.api.redeem(self.portal.issue(subject=None))
        self.assertNotIn("subject", answer.body)
        text = base64.b64decode(answer.body["texts"][0]["bytes"])
        receipt = self.api.submit(answer.body["transaction"], [sign(text, self.scene.mehmet)], new_key())
        self.assertEqual(self.portal.evidence(receipt.body["receipt_id"])["subject"], MEHMET)

    def test_certificates_that_are_not_usable(self):
        for profile, key, code in (("expired", "p256", "CertificateExpired"), ("not-yet-valid", "p256", "CertificateNotYetValid"),
                                   ("not-qualified", "p256", "CertificateNotSuitable"), ("seal", "p256", "CertificateNotSuitable"),
                                   ("nes-foreign-root", "p256", "BackendRejected")):
            with self.subTest(profile):
                credential = self.scene.pki.issue(profile + self.name, profile=profile, key=key)
                transaction, signatures = self.api.opened(self.portal.issue(), credential)
                self.refused(self.api.submit(transaction, signatures, new_key()), 422, code)

    def test_signing_time_must_be_fresh(self):
        for seconds in (-3600, 3600):
            transaction, signatures = self.api.opened(self.portal.issue(), self.scene.ayse, seconds=seconds)
            self.refused(self.api.submit(transaction, signatures, new_key()), 422, "BackendRejected")

    def test_register_of_certificates(self):
        credential = self.scene.pki.issue("registered" + self.name, key="p256")
        transaction, signatures = self.api.opened(self.portal.issue(), credential)
        for state, code in (("suspended", "CertificateSuspended"), ("revoked", "CertificateRevoked")):
            self.portal.register(credential, state)
            self.refused(self.api.submit(transaction, signatures, new_key()), 422, code)
        self.portal.register(credential, "good")
        self.assertEqual(self.api.submit(transaction, signatures, new_key()).status, 200)

    def test_revocation_lists(self):
        revoked, held = (self.scene.pki.issue(name + self.name, key="p256") for name in ("revoked", "held"))
        path = self.scene.revocation_list("list-" + self.name, (revoked, "keyCompromise"), (held, "certificateHold"))
        portal = self.scene.portal(self.database, AllowRepeats="yes", RevocationLists=path)
        for credential, code in ((revoked, "CertificateRevoked"), (held, "CertificateSuspended")):
            transaction, signatures = portal.api().opened(portal.issue(), credential)
            self.refused(portal.api().submit(transaction, signatures, new_key()), 422, code)
        transaction, signatures = portal.api().opened(portal.issue(), self.scene.ayse)
        receipt = portal.api().submit(transaction, signatures, new_key())
        self.assertEqual(self.portal.evidence(receipt.body["receipt_id"])["signatures"][0]["findings"]["revocation_list"], "good")

    def test_revocation_list_out_of_date(self):
        path = self.scene.revocation_list("old-" + self.name, start=("20250101000000Z", "20250102000000Z"))
        portal = self.scene.portal(self.database, AllowRepeats="yes", RevocationLists=path)
        transaction, signatures = portal.api().opened(portal.issue(), self.scene.ayse)
        self.refused(portal.api().submit(transaction, signatures, new_key()), 503, "StorageFailed")

    def test_revocation_list_of_a_stranger(self):
        other = Scene()
        self.addCleanup(other.close)
        with self.assertRaisesRegex(RuntimeError, "no revocation list of an authority trusted here"):
            self.scene.portal(self.database, RevocationLists=other.revocation_list("strange"))

    def test_cancel(self):
        transaction, signatures = self.api.opened(self.portal.issue(), self.scene.ayse)
        self.assertEqual(self.api.cancel(transaction).status, 204)
        self.assertEqual(self.api.cancel(transaction).status, 204)
        self.refused(self.api.submit(transaction, signatures, new_key()), 410, "Cancelled")
        self.assertEqual(self.api.status(transaction).body["state"], "cancelled")

    def test_cancel_after_signing(self):
        transaction, signatures = self.api.opened(self.portal.issue(), self.scene.ayse)
        self.assertEqual(self.api.submit(transaction, signatures, new_key()).status, 200)
        self.refused(self.api.cancel(transaction), 409, "CodeUsed")

    def test_unknown_transaction(self):
        for transaction in ("0" * 64, "0", None):
            self.refused(self.api.status(transaction), 404, "NotFound")
            self.refused(self.api.cancel(transaction), 404, "NotFound")
            self.refused(self.api.submit(transaction, [b"x"], new_key()), 404, "NotFound")

    def test_approved_once(self):
        portal = self.scene.portal(self.database)
        citizen = self.scene.pki.issue("once" + self.name, key="p256", tckn="11111111110")
        codes = portal.issue_many([("11111111110", NES, None)] * 2)
        opened = [portal.api().opened(code, citizen) for code in codes]
        answers = [portal.api().submit(*one, new_key()) for one in opened]
        self.assertEqual(answers[0].status, 200, answers[0])
        self.refused(answers[1], 409, "AlreadyApproved")
        known = portal.api(key=CLIENT_KEY).call("POST", "/v1/approvals/query", {"subject": "11111111110"})
        self.assertEqual((known.body["approved"], known.body["receipt_id"]), (True, answers[0].body["receipt_id"]))
        self.assertNotEqual(portal.tool("issue", stdin="11111111110\n", check=False).returncode, 0)

    # ------------------------------------------------------------- who may ask

    def test_approval_is_for_known_clients(self):
        for key in (None, "x" * 40):
            answer = self.portal.api(key=key).call("POST", "/v1/approvals/query", {"subject": MEHMET})
            self.refused(answer, 401, "BackendRejected")
            self.assertIn("Bearer", answer.headers["WWW-Authenticate"])
        answer = self.portal.api(key=CLIENT_KEY).call("POST", "/v1/approvals/query", {"subject": "98765432100"})
        self.refused(answer, 400, "SubjectInvalid")

    def test_client_needed_where_configured(self):
        portal = self.scene.portal(self.database, RequireClient="yes", AllowRepeats="yes")
        self.refused(portal.api().redeem(portal.issue()), 401, "BackendRejected")
        self.assertEqual(portal.api(key=CLIENT_KEY).redeem(portal.issue()).status, 200)

    def test_language_of_errors(self):
        turkish, english = (self.api.redeem("1", Accept_Language=tag).body["title"] for tag in ("tr-TR,en", "en"))
        self.assertIn("doğrulama kodu değil", turkish)
        self.assertIn("not a verification code", english)

    # ------------------------------------------------------------------ guesses

    def test_guesses_are_counted_by_address_over_all_instances(self):
        keys = {"PlainHttp": "yes", "TrustedProxy": "yes", "Certificate": None, "PrivateKey": None}
        behind = [PlainApi(self.scene.portal(self.database, **keys)) for _ in range(2)]
        code = self.portal.issue()
        address = "192.0.2.7" if self.postgres else "192.0.2.8"
        answers = [behind[i % 2].redeem("1" * 15, X_Forwarded_For=address) for i in range(12)]
        self.assertEqual([a.code for a in answers], ["CodeUnknown"] * 10 + ["RateLimited"] * 2)
        self.assertIn(int(answers[-1].headers["Retry-After"]), range(1, 61))
        self.refused(behind[1].redeem(code, X_Forwarded_For="10.9.8.7, " + address), 429, "RateLimited")
        self.assertEqual(behind[0].redeem(code, X_Forwarded_For="192.0.2.99").status, 200)

    def test_guesses_of_a_client_are_counted_wherever_it_is(self):
        keys = {"PlainHttp": "yes", "TrustedProxy": "yes", "Certificate": None, "PrivateKey": None}
        api = PlainApi(self.scene.portal(self.database, **keys), key=CLIENT_KEY)
        answers = [api.redeem("2" * 15, X_Forwarded_For=f"198.51.100.{i}") for i in range(11)]
        self.assertEqual([a.code for a in answers], ["CodeUnknown"] * 10 + ["RateLimited"])

    # ------------------------------------------------------------------ devices

    def test_device_grant(self):
        start = self.api.device()
        self.assertEqual(start.status, 200, start)
        self.assertTrue(start.body["verification_uri_complete"].endswith(start.body["user_code"]))
        self.assertEqual(self.api.poll(start.body["device_code"]).body["error"], "authorization_pending")
        self.assertEqual(self.api.poll(start.body["device_code"]).body["error"], "slow_down")
        self.assertEqual(self.api.poll(start.body["device_code"], client="another").body["error"], "invalid_grant")
        self.portal.tool("decide", start.body["user_code"].lower(), "yes", AYSE)
        answer = self.api.poll(start.body["device_code"])
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.body["expires_at"] - answer.body["created_at"], 300_000_000)
        again = self.api.poll(start.body["device_code"])  # as if the answer had been lost
        self.assertEqual(again.body["expires_at"], answer.body["expires_at"])
        self.refused(self.api.redeem(answer.body["access_token"]), 410, "CodeSuperseded")
        redeemed = self.api.redeem(again.body["access_token"])
        self.assertEqual(redeemed.body["subject"], AYSE)
        self.assertEqual(self.api.poll(start.body["device_code"]).body["error"], "invalid_grant")

    def test_device_denied(self):
        start = self.api.device().body
        self.portal.tool("decide", start["user_code"], "no", AYSE)
        self.assertEqual(self.api.poll(start["device_code"]).body["error"], "access_denied")

    def test_device_of_another_person(self):
        start = self.api.device(subject=MEHMET).body
        self.assertIn("IdentityMismatch", self.portal.tool("decide", start["user_code"], "yes", AYSE, check=False).stderr)
        self.assertEqual(self.api.poll(start["device_code"]).body["error"], "authorization_pending")

    def test_device_supersedes_the_code_named(self):
        old = self.portal.issue(subject=MEHMET)
        others = self.portal.issue(subject=AYSE)
        for code in (old, others):
            start = self.api.device(superseded_code=code).body
            self.portal.tool("decide", start["user_code"], "yes", MEHMET)
            self.assertEqual(self.api.poll(start["device_code"]).status, 200)
        self.refused(self.api.redeem(old), 410, "CodeSuperseded")
        self.assertEqual(self.api.redeem(others).status, 200)  # another person's code is not theirs to kill

    # --------------------------------------------------------------- what is kept

    def test_records_open_nothing(self):
        code = self.portal.issue()
        transaction, _ = self.api.opened(code, self.scene.ayse)
        for column in ("hash", "account"):
            self.assertEqual(self.count(f"SELECT count(*) FROM code WHERE CAST({column} AS TEXT) LIKE '%{code}%'"), 0)
        self.assertEqual(self.count("SELECT count(*) FROM consent WHERE reference LIKE '%" + transaction + "%'"), 0)
        with open(self.portal.log, encoding="utf-8") as log:
            text = log.read()
        for secret in (code, transaction, AYSE):
            self.assertNotIn(secret, text)


class PlainApi:
    """Through a proxy's eyes: plain HTTP, with headers of our choice."""

    def __new__(cls, portal, **options):
        api = portal.api(**options)
        api.connect = lambda: http.client.HTTPConnection("127.0.0.1", portal.port, timeout=60)
        return api


class OnSqlite(ApiTest, unittest.TestCase):
    name = "sqlite"
    postgres = None

    @classmethod
    def make_database(cls):
        return cls.scene.sqlite()


class OnPostgres(ApiTest, unittest.TestCase):
    name = "postgres"

    @classmethod
    def make_database(cls):
        cls.postgres = Postgres()
        cls.addClassCleanup(cls.postgres.close)
        return cls.postgres.create("portal")


if __name__ == "__main__":
    unittest.main()
