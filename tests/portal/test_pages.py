# SPDX-License-Identifier: Apache-2.0
"""What a citizen and an operator do on the pages, form by form, with signatures that are made and verified for real."""
import concurrent.futures
import csv
import datetime
import io
import json
import re
import sqlite3
import subprocess
import time
import unittest
import urllib.parse

from asn1crypto import crl

from postgres import Postgres
from web_scene import AYSE, MEHMET, OPERATOR, Scene


SCENE = Scene()


def setUpModule():
    unittest.enterModuleContext(SCENE)
    SCENE.ayse = SCENE.credential("ayse", tckn=AYSE)


def list_keys():
    folder = SCENE.pki.folder
    return f"CrlIssuer={SCENE.pki.issuing}\nCrlKey={folder}/ca-key.pem\nCrlFile={SCENE.folder}/eonay.crl"


class Pages(unittest.TestCase):
    web = portal = ""

    def setUp(self):
        self.scene, self.ayse = SCENE, SCENE.ayse
        self.scene.fresh(self.portal, self.web)

    def logged_in(self, who="ayse"):
        browser = self.scene.browser()
        self.assertEqual(browser.log_in(who).status, 200)
        return browser

    def rows(self, sql, *values):
        with sqlite3.connect(f"file:{self.scene.folder}/portal.db?mode=ro", uri=True) as db:
            return db.execute(sql, values).fetchall()

    def approve(self, browser):
        return self.scene.sign(browser.begin_consent(), self.ayse)


class Consent(Pages):
    def test_from_the_text_to_the_result(self):
        browser = self.logged_in()
        page = browser.get("/nes/e-onay")
        self.assertIn("taahhüt eder", page.text)
        refused = browser.submit(page, "/nes/e-onay")
        self.assertEqual(refused.status, 422)
        self.assertEqual(self.rows("SELECT count(*) FROM code"), [(0,)])

        code = browser.begin_consent()
        self.assertRegex(code, "^[1-9][0-9]{14}$")
        self.assertEqual(self.rows("SELECT account, text_version, undertaking_version FROM acceptance"),
                         [(AYSE, self.rows("SELECT text_version FROM code")[0][0], "taahhutname-1")])
        shown = browser.get("/kod/e-onay")
        for text in ("Kalan süre", "Tekrar Kod Al", "kapatmayınız", "PUK", "kopyala"):
            self.assertIn(text, shown.text)
        self.assertEqual(json.loads(browser.get("/durum/e-onay").text)["state"], "waiting")

        api = self.scene.api()
        transaction, signatures = api.opened(code, self.ayse)
        self.assertEqual(json.loads(browser.get("/durum/e-onay").text)["state"], "opened")
        self.assertNotIn(code, browser.get("/kod/e-onay").text)
        self.assertEqual(api.submit(transaction, signatures, "a" * 32).status, 200)

        self.assertEqual(json.loads(browser.get("/durum/e-onay").text)["state"], "done")
        result = browser.follow(browser.get("/kod/e-onay"))
        self.assertTrue(result.url.endswith("/nes/e-onay/sonuc"))
        self.assertIn("İşleminiz başarılıdır", result.text)
        receipt = self.rows("SELECT receipt_id FROM approval")[0][0]
        self.assertIn(receipt, result.text)
        self.assertIn(receipt, browser.get("/nes/e-onay/gecmis").text)
        given = browser.get("/nes/e-onay")
        self.assertIn("kayıtlıdır", given.text)
        self.assertEqual([f for f in given.page.forms if f["action"] == "/nes/e-onay"], [])

    def test_a_new_code_replaces_the_old_one_and_another_session_sees_none(self):
        browser = self.logged_in()
        first = browser.begin_consent()
        answer = browser.submit(browser.get("/kod/e-onay"), "/kod/e-onay")
        self.assertEqual(answer.status, 303)
        second = browser.code()
        self.assertNotEqual(first, second)
        self.assertEqual(self.scene.api().redeem(first).code, "CodeSuperseded")
        elsewhere = self.logged_in()
        self.assertIsNone(elsewhere.code())
        self.assertNotIn(second, elsewhere.get("/kod/e-onay").text)
        self.assertEqual(browser.code(), second)
        self.assertEqual(self.rows("SELECT count(*) FROM acceptance"), [(2,)])

    def test_somebody_elses_signature_is_not_my_approval(self):
        browser = self.logged_in()
        mehmet = self.scene.credential("mehmet", tckn=MEHMET, name="MEHMET DEMİR")
        api = self.scene.api()
        transaction, signatures = api.opened(browser.begin_consent(), mehmet)
        self.assertEqual(api.submit(transaction, signatures, "a" * 32).code, "IdentityMismatch")
        self.assertEqual(browser.get("/nes/e-onay/sonuc").status, 303)

    def test_a_stale_text_is_not_accepted(self):
        browser = self.logged_in()
        answer = browser.submit(browser.get("/nes/e-onay"), "/nes/e-onay", kabul="evet", metin="eski-metin")
        self.assertEqual(answer.status, 422)
        self.assertEqual(self.rows("SELECT count(*) FROM acceptance"), [(0,)])

    def test_codes_cannot_be_asked_for_without_end(self):
        browser = self.logged_in()
        browser.begin_consent()
        answers = [browser.submit(browser.get("/kod/e-onay"), "/kod/e-onay").status for _ in range(10)]
        self.assertEqual(answers, [303] * 9 + [429])


class Waiting(Pages):
    """The page's question is kept until there is an answer."""
    portal = "Workers=2"

    def wait_for(self, browser, state, seconds=25):
        """Asks like the page; the state that is answered."""
        return json.loads(browser.get(f"/durum/e-onay?durum={state}", headers={"Accept": "application/json",
                                                                              "Prefer": f"wait={seconds}"}).text)["state"]

    def test_the_answer_comes_when_something_happens(self):
        browser = self.logged_in()
        code = browser.begin_consent()
        self.assertEqual(self.wait_for(browser, "waiting", 1), "waiting")  # nothing happened: told when the time is over
        self.assertEqual(self.wait_for(browser, "opened"), "waiting")  # what is not known yet is told at once
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            pages = [pool.submit(self.wait_for, browser, "waiting") for _ in range(6)]  # more than there are workers
            for _ in range(3):
                self.assertEqual(browser.get("/nes").status, 200)
            self.assertFalse(any(page.done() for page in pages))
            transaction, signatures = self.scene.api().opened(code, self.ayse)
            self.assertEqual({page.result() for page in pages}, {"opened"})
            page = pool.submit(self.wait_for, browser, "opened")
            self.assertEqual(self.scene.api().submit(transaction, signatures, "a" * 32).status, 200)
            self.assertEqual(page.result(), "done")

    def test_another_instance_is_noticed_and_an_end_keeps_nobody(self):
        browser = self.logged_in()
        browser.begin_consent()
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            page = pool.submit(self.wait_for, browser, "waiting")
            with sqlite3.connect(self.scene.folder / "portal.db", timeout=60) as db:  # as another instance would
                db.execute("UPDATE code SET state = 2")
            self.assertEqual(page.result(), "superseded")
        browser.submit(browser.get("/nes/e-onay"), "/nes/e-onay", kabul="evet")
        connection = browser.begin("/durum/e-onay?durum=waiting", Prefer="wait=25", Accept="application/json",
                                   Cookie="; ".join(f"{k}={v}" for k, v in browser.own_cookies.items()))
        self.scene.process.terminate()
        self.assertEqual(self.scene.process.wait(timeout=60), 0)
        connection.close()


class Expiry(Pages):
    portal = "CodeLifetime=1"

    def test_a_code_that_ran_out_says_so_and_offers_another(self):
        browser = self.logged_in()
        browser.begin_consent()
        deadline = time.monotonic() + 30
        while json.loads(browser.get("/durum/e-onay").text)["state"] != "expired":
            self.assertLess(time.monotonic(), deadline, "a code of one second does not end")
            time.sleep(0.05)
        page = browser.get("/kod/e-onay")
        self.assertIn("süresi doldu", page.text)
        self.assertEqual(browser.submit(page, "/kod/e-onay").status, 303)


class Applications(Pages):
    def test_without_approval_the_paper_way_is_shown(self):
        browser = self.logged_in()
        page = browser.get("/nes/basvuru")
        self.assertIn("ıslak imzalı form", page.text)
        self.assertEqual([f for f in page.page.forms if f["action"] == "/nes/basvuru"], [])

    def test_new_application_goes_its_way_by_the_operators_command(self):
        browser = self.logged_in()
        self.approve(browser)
        page = browser.get("/nes/basvuru")
        self.assertIn("form ve ıslak imza gerekmez", page.text)
        again = browser.follow(browser.submit(page, "/nes/basvuru"))
        self.assertIn("Alındı", again.text)
        number = re.search(r"\bB[2-9A-Z]{14}\b", again.text).group(0)
        self.assertEqual(browser.submit(page, "/nes/basvuru").status, 303)
        self.assertEqual(self.rows("SELECT count(*) FROM application"), [(1,)])
        self.assertIn(number, self.scene.admin("applications").stdout)
        self.assertNotEqual(self.scene.admin("application-move", number, "delivered").returncode, 0)
        for state, text in (("in-production", "Üretimde"), ("couriered", "Kuryeye verildi"), ("delivered", "Teslim edildi")):
            moved = self.scene.admin("application-move", number, state)
            self.assertEqual(moved.returncode, 0, moved.stderr)
            self.assertRegex(browser.get("/nes/basvuru").text, f'aria-current="step">{text}')
        self.assertEqual([f["action"] for f in browser.get("/nes/basvuru").page.forms].count("/nes/basvuru"), 1)

    def test_a_renewal_waits_until_two_months_before_the_end(self):
        browser = self.logged_in()
        year = datetime.date.today().year + 1
        later = self.scene.credential("later", tckn=AYSE, not_after=f"{year}-08-31T20:59:59Z")
        imported = self.scene.admin("certificate-import", later.certificate)
        self.assertEqual((imported.returncode, imported.stdout.split()[-1]), (0, "imported"), imported.stderr)
        self.approve(browser)
        page = browser.get("/nes/basvuru")
        self.assertIn(f"30.06.{year} 23:59:59", page.text)
        answer = browser.follow(browser.submit(page, "/nes/basvuru"))
        self.assertIn("bekletiliyor", answer.text)
        number = re.search(r"\bB[2-9A-Z]{14}\b", answer.text).group(0)
        early = self.scene.admin("application-move", number, "in-production")
        self.assertNotEqual(early.returncode, 0)
        self.assertIn("held", early.stderr)
        self.assertNotIn(number, self.scene.admin("applications").stdout)
        self.assertIn(number, self.scene.admin("applications", "held").stdout)


class Windows(Pages):
    web = "RenewalMonths=24"

    def test_a_wider_window_lets_a_renewal_through_at_once(self):
        browser = self.logged_in()
        self.scene.admin("certificate-import", self.ayse.certificate)
        self.approve(browser)
        answer = browser.follow(browser.submit(browser.get("/nes/basvuru"), "/nes/basvuru"))
        self.assertNotIn("bekletiliyor", answer.text)
        self.assertEqual(self.rows("SELECT kind, state, held_until FROM application"), [("renewal", "submitted", 0)])


class Certificates(Pages):
    def choose(self, browser, path, **fields):
        page = browser.get(path)
        found = re.search(r'name="sertifika"[^>]*value="([0-9a-f]{64})"', page.text)
        return browser.submit(page, path, sertifika=found.group(1), **fields)

    def test_suspend_reactivate_revoke(self):
        browser = self.logged_in()
        self.assertIn("sertifika vermemiş", browser.get("/nes/sertifikalar").text)
        self.scene.admin("certificate-import", self.ayse.certificate)
        self.assertIn("Kullanımda", browser.get("/nes/sertifikalar").text)
        self.assertIn("askıya alındı", self.choose(browser, "/nes/askiya-alma").text)
        self.assertIn("Askıda", browser.get("/nes/sertifikalar").text)
        # The server takes no signature from it, at once.
        api = self.scene.api()
        transaction, signatures = api.opened(browser.begin_consent(), self.ayse)
        self.assertEqual(api.submit(transaction, signatures, "a" * 32).code, "CertificateSuspended")
        self.assertIn("kullanıma açıldı", self.choose(browser, "/nes/askidan-indirme").text)
        self.assertEqual(self.choose(browser, "/nes/iptal").status, 422)
        self.assertIn("iptal edildi", self.choose(browser, "/nes/iptal", onay="evet").text)
        self.assertIn("İptal edilmiş", browser.get("/nes/sertifikalar").text)
        for path in ("/nes/askiya-alma", "/nes/askidan-indirme", "/nes/iptal"):
            self.assertNotIn('name="sertifika"', browser.get(path).text)
        actions = [row[0] for row in self.rows("SELECT action FROM audit WHERE action LIKE 'certificate-%' ORDER BY id")]
        self.assertEqual(actions[1:], ["certificate-suspended", "certificate-reactivated", "certificate-revoked"])

    def test_nobody_touches_another_persons_certificate(self):
        self.scene.admin("certificate-import", self.ayse.certificate)
        fingerprint = self.rows("SELECT lower(hex(fingerprint)) FROM certificate")[0][0]
        mehmet = self.logged_in("mehmet")
        csrf = mehmet.get("/nes").form("/cikis")["fields"]["csrf"]
        answer = mehmet.request("POST", "/nes/iptal", {"csrf": csrf, "sertifika": fingerprint, "onay": "evet"})
        self.assertEqual(answer.status, 404)
        self.assertEqual(self.rows("SELECT state FROM certificate"), [(0,)])

    def test_security_word(self):
        browser = self.logged_in()
        path = "/nes/guvenlik-sozcugu"
        self.assertEqual(browser.submit(browser.get(path), path, yeni="kısa", tekrar="kısa").status, 422)
        self.assertEqual(browser.submit(browser.get(path), path, yeni="mavi gökyüzü", tekrar="mavi").status, 422)
        self.assertIn("değiştirildi", browser.submit(browser.get(path), path, yeni="mavi gökyüzü", tekrar="mavi gökyüzü").text)
        self.assertEqual(self.scene.admin("word-check", text=f"{AYSE}\nmavi gökyüzü\n").stdout, "right\n")
        self.assertEqual(self.scene.admin("word-check", text=f"{AYSE}\nmavi deniz\n").stdout, "wrong\n")
        self.assertNotIn("mavi".encode(), (self.scene.folder / "portal.db").read_bytes())

    def test_pin_code_is_bound_to_its_purpose(self):
        browser = self.logged_in()
        self.assertNotIn('name="islem"', browser.get("/nes/pin").text)
        self.scene.admin("certificate-import", self.ayse.certificate)
        page = browser.get("/nes/pin")
        answer = browser.follow(browser.submit(page, "/nes/pin", islem="pin-coz"))
        self.assertTrue(answer.url.endswith("/kod/pin-coz"))
        self.assertIn("kilit çözme", answer.text)
        code = re.search(r"<output[^>]*>([0-9]{15})</output>", answer.text).group(1)
        redeemed = self.scene.api().redeem(code)
        self.assertEqual((redeemed.body["purpose"], redeemed.body["texts"]), ("pin.unblock", []))
        self.assertIn("Kod e-imza uygulamasında", browser.get("/kod/pin-coz").text)
        # The program reports that it is done: a submission without signatures.
        self.assertNotIn("bildirdi", browser.get("/nes/pin").text)
        self.assertEqual(self.scene.api().submit(redeemed.body["transaction"], [], "a" * 32).status, 200)
        done = browser.follow(browser.get("/kod/pin-coz"))
        self.assertTrue(done.url.endswith("/nes/pin"))
        self.assertIn("Kilit Çözme: program işlemin tamamlandığını bildirdi. R-", done.text)


def list_of(scene):
    """The list as it is served: (number, {serial: (moment, reason or None)}). The file has the same bytes; openssl believes it."""
    served = scene.browser().get("/iptal-listesi.crl").body
    written = scene.folder / "eonay.crl"
    assert written.read_bytes() == served
    checked = subprocess.run(["openssl", "crl", "-inform", "DER", "-in", written, "-CAfile", scene.pki.issuing, "-noout"],
                             capture_output=True, text=True, timeout=30, check=True)
    assert "verify OK" in checked.stderr, checked
    body = crl.CertificateList.load(served)["tbs_cert_list"]
    extensions = {e["extn_id"].native: e["extn_value"].native for e in body["crl_extensions"]}
    assert extensions["authority_key_identifier"]["key_identifier"]
    assert body["next_update"].native - body["this_update"].native == datetime.timedelta(hours=24)
    entries = {}
    for entry in body["revoked_certificates"]:
        reasons = [e["extn_value"].native for e in entry["crl_entry_extensions"] or []]
        entries[entry["user_certificate"].native] = (entry["revocation_date"].native, *reasons)
    return extensions["crl_number"], entries


class PublishedList(Pages):
    def setUp(self):
        self.portal = list_keys()
        super().setUp()

    def test_each_change_is_published_when_the_page_says_so(self):
        browser, scene = self.logged_in(), self.scene
        number, entries = list_of(scene)
        self.assertEqual((number, entries), (1, {}))
        scene.admin("certificate-import", self.ayse.certificate)
        Certificates.choose(self, browser, "/nes/askiya-alma")
        number, entries = list_of(scene)
        (serial, (since, reason)), = entries.items()
        self.assertEqual((number, reason), (2, "certificate_hold"))
        self.assertEqual(f"{serial:x}", self.rows("SELECT serial FROM certificate")[0][0])
        Certificates.choose(self, browser, "/nes/askidan-indirme")
        self.assertEqual(list_of(scene), (3, {}))
        Certificates.choose(self, browser, "/nes/askiya-alma")
        since = list_of(scene)[1][serial][0]
        Certificates.choose(self, browser, "/nes/iptal", onay="evet")
        self.assertEqual(list_of(scene), (5, {serial: (since,)}))  # the moment of the suspension, and no reason
        scene.stop(scene.process)
        scene.start_portal()
        self.assertEqual(list_of(scene)[0], 5)  # it is not due again


class Devices(Pages):
    def test_a_program_gets_its_code_after_login_and_consent(self):
        api = self.scene.api()
        grant = api.device().body
        browser = self.scene.browser()
        url = urllib.parse.urlsplit(grant["verification_uri_complete"])
        self.assertEqual(browser.get(f"{url.path}?{url.query}").header("Location"), "/giris")
        page = browser.log_in("ayse")
        self.assertTrue(page.url.endswith("/device"))
        self.assertEqual(page.form("/device")["fields"]["user_code"], grant["user_code"])
        question = browser.submit(page, "/device")
        self.assertIn("deneme-programi", question.text)
        self.assertIn("reddediniz", question.text)
        unticked = browser.submit(question, "/device/karar", karar="kabul")
        self.assertEqual(unticked.status, 422)
        self.assertEqual(browser.submit(question, "/device/karar", karar="kabul", kabul="evet").status, 200)
        token = api.poll(grant["device_code"])
        self.assertEqual(token.status, 200, token)
        self.assertEqual(len(self.scene.sign(token.body["access_token"], self.ayse)) > 0, True)
        self.assertIn("kayıtlıdır", browser.get("/nes/e-onay").text)

    def test_refusing_needs_one_press_and_ends_it(self):
        api = self.scene.api()
        grant = api.device().body
        browser = self.logged_in()
        question = browser.submit(browser.get("/device"), "/device", user_code=grant["user_code"].lower())
        self.assertEqual(browser.submit(question, "/device/karar", karar="ret").status, 200)
        self.assertEqual(api.poll(grant["device_code"]).body["error"], "access_denied")

    def test_letters_cannot_be_tried(self):
        browser = self.logged_in()
        answers = [browser.submit(browser.get("/device"), "/device", user_code="BCDF-GHJK").status for _ in range(11)]
        self.assertEqual(answers, [404] * 10 + [429])


class Operators(Pages):
    def check_list(self, operator, receipt):
        """The list as a file: all, of a search, what follows; only for operators, and only from their own page."""
        listed = operator.get("/yonetim")
        row, = csv_of(operator.submit(listed, "/yonetim/liste", bicim="csv"))
        self.assertEqual((row["subject"], row["receipt_id"]), (AYSE, receipt))
        found = operator.submit(listed, "/yonetim", ara=AYSE)
        self.assertEqual(csv_of(operator.submit(found, "/yonetim/liste", bicim="csv")), [row])
        for fields in ({"ara": MEHMET}, {"once": row["id"]}):
            self.assertEqual(csv_of(operator.submit(listed, "/yonetim/liste", bicim="csv", **fields)), [])
        answer = operator.submit(listed, "/yonetim/liste", bicim="json", ara=receipt)
        self.assertIn("attachment", answer.header("Content-Disposition"))
        told, = json.loads(answer.text)["approvals"]
        self.assertEqual((told["subject"], told["receipt_id"], str(told["id"])), (AYSE, receipt, row["id"]))
        self.assertEqual(operator.submit(listed, "/yonetim/liste", bicim="csv", once="x").status, 404)
        self.assertEqual(operator.request("POST", "/yonetim/liste", {"bicim": "csv"}).status, 403)

    def test_an_operator_sees_searches_and_exports_and_is_seen(self):
        citizen = self.logged_in()
        receipt = self.approve(citizen)
        for path in ("/yonetim", "/yonetim/denetim", f"/yonetim/kanit/{receipt}", f"/yonetim/indir/{receipt}"):
            self.assertEqual(citizen.get(path).status, 404)
        self.assertEqual(self.scene.admin("operator-add", text=OPERATOR + "\n").returncode, 0)
        operator = self.logged_in("operator")
        listed = operator.get("/yonetim")
        self.assertIn(receipt, listed.text)
        self.assertNotIn(AYSE, listed.text)
        found = operator.submit(listed, "/yonetim", ara=AYSE)
        self.assertIn(receipt, found.text)
        self.assertNotIn(receipt, operator.submit(listed, "/yonetim", ara=MEHMET).text)
        self.assertIn(AYSE, operator.get(f"/yonetim/kanit/{receipt}").text)
        exported = operator.get(f"/yonetim/indir/{receipt}")
        self.assertIn("attachment", exported.header("Content-Disposition"))
        self.assertEqual(json.loads(exported.text)["subject"], AYSE)
        self.check_list(operator, receipt)
        audit = operator.get("/yonetim/denetim").text
        self.assertIn("1 rows as CSV of a search", audit)
        for action in ("operator-search", "evidence-viewed", "evidence-exported", "login"):
            self.assertIn(action, audit)
        self.assertNotIn(AYSE, audit)
        self.assertEqual(self.scene.admin("operator-remove", text=OPERATOR + "\n").returncode, 0)
        self.assertEqual(operator.get("/yonetim").header("Location"), "/giris")
        self.assertEqual(self.logged_in("operator").get("/yonetim").status, 404)


def csv_of(answer):
    return list(csv.DictReader(io.StringIO(answer.text)))


class OnPostgres(Pages):
    """The same statements on the other database, once through."""

    def setUp(self):
        postgres = Postgres()
        self.addCleanup(postgres.close)
        SCENE.database = postgres.create("sayfalar")
        self.portal = list_keys()
        super().setUp()

    def tearDown(self):
        SCENE.stop(SCENE.process)
        SCENE.database = None

    def test_once_through(self):
        for command in (("operator-add",), ("certificate-import", self.ayse.certificate)):
            done = self.scene.admin(*command, text=OPERATOR + "\n")
            self.assertEqual(done.returncode, 0, done.stderr)
        browser = self.logged_in()
        receipt = self.approve(browser)
        self.assertIn("İşleminiz başarılıdır", browser.follow(browser.get("/kod/e-onay")).text)
        self.assertIn(receipt, browser.get("/nes/e-onay/gecmis").text)
        page = browser.get("/nes/basvuru")
        for _ in range(2):
            self.assertEqual(browser.submit(page, "/nes/basvuru").status, 303)
        listed = self.scene.admin("applications", "held").stdout.split()
        self.assertEqual(len(listed[0]), 15, listed)
        self.assertEqual(self.scene.admin("application-move", listed[0], "rejected").returncode, 0)
        self.assertIn("Geri çevrildi", browser.get("/nes/basvuru").text)
        Certificates.choose(self, browser, "/nes/askiya-alma")
        self.assertIn("Askıda", browser.get("/nes/sertifikalar").text)
        self.assertEqual([reason for _, reason in list_of(SCENE)[1].values()], ["certificate_hold"])
        path = "/nes/guvenlik-sozcugu"
        browser.submit(browser.get(path), path, yeni="mavi gökyüzü", tekrar="mavi gökyüzü")
        self.assertEqual(self.scene.admin("word-check", text=f"{AYSE}\nmavi gökyüzü\n").stdout, "right\n")
        page = browser.follow(browser.submit(browser.get("/nes/pin"), "/nes/pin", islem="pin-coz"))
        self.assertRegex(page.text, "<output[^>]*>[0-9]{15}</output>")
        operator = self.logged_in("operator")
        self.assertIn(receipt, operator.submit(operator.get("/yonetim"), "/yonetim", ara=AYSE).text)
        self.assertEqual(len(csv_of(operator.submit(operator.get("/yonetim"), "/yonetim/liste", ara=AYSE, bicim="csv"))), 1)
        self.assertIn("certificate-suspended", operator.get("/yonetim/denetim").text)
        self.assertEqual(browser.submit(browser.get("/nes"), "/cikis").status, 303)


if __name__ == "__main__":
    unittest.main()
