# SPDX-License-Identifier: Apache-2.0
"""What the pages must hold against: forged forms, stolen and fixed sessions, frames, scripts, guesses, and leaks."""
import re
import sqlite3
import time
import unittest
import urllib.parse

from web_scene import AYSE, OPERATOR, Scene

SCENE = Scene()
PERSONAL = ("/islemler", "/nes", "/nes/e-onay", "/nes/e-onay/gecmis", "/nes/basvuru", "/nes/sertifikalar", "/nes/askiya-alma",
            "/nes/askidan-indirme", "/nes/iptal", "/nes/guvenlik-sozcugu", "/nes/pin", "/device")
OPEN = ("/", "/giris", "/bilgi/destek", "/bilgi/kart-okuyucu")
OPERATORS = ("/yonetim", "/yonetim/denetim")
# Every form of the pages, with fields that would be right.
FORMS = (("/cikis", {}), ("/nes/e-onay", {"kabul": "evet"}), ("/kod/e-onay", {}), ("/nes/basvuru", {}),
         ("/nes/askiya-alma", {"sertifika": "0" * 64}), ("/nes/askidan-indirme", {"sertifika": "0" * 64}),
         ("/nes/iptal", {"sertifika": "0" * 64, "onay": "evet"}),
         ("/nes/guvenlik-sozcugu", {"yeni": "mavi deniz", "tekrar": "mavi deniz"}), ("/nes/pin", {"islem": "pin-coz"}),
         ("/device", {"user_code": "BCDF-GHJK"}), ("/device/karar", {"user_code": "BCDF-GHJK", "karar": "kabul"}))
OPERATOR_FORMS = (("/yonetim", {"ara": AYSE}), ("/yonetim/liste", {"ara": AYSE, "bicim": "csv"}))
TABLES = ("acceptance", "code", "application", "security_word", "code_page")


def setUpModule():
    unittest.enterModuleContext(SCENE)
    SCENE.ayse = SCENE.credential("ayse", tckn=AYSE)


def database():
    return sqlite3.connect(SCENE.folder / "portal.db", timeout=30)


def token_of(browser):
    return browser.get("/nes").form("/cikis")["fields"]["csrf"]


class Fresh(unittest.TestCase):
    web = portal = ""

    def setUp(self):
        SCENE.fresh(self.portal, self.web)

    def logged_in(self, who="ayse"):
        browser = SCENE.browser()
        self.assertEqual(browser.log_in(who).status, 200)
        return browser


class Headers(Fresh):
    def check(self, answer):
        policy = dict(part.strip().split(" ", 1) for part in answer.header("Content-Security-Policy").split(";"))
        self.assertEqual(policy, {"default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "img-src": "'self'",
                                  "connect-src": "'self'", "form-action": "'self'", "base-uri": "'none'",
                                  "frame-ancestors": "'none'"})
        self.assertEqual(answer.header("X-Frame-Options"), "DENY")
        self.assertEqual(answer.header("X-Content-Type-Options"), "nosniff")
        self.assertIn("max-age=", answer.header("Strict-Transport-Security"))
        self.assertEqual(answer.header("Referrer-Policy"), "same-origin")
        self.assertEqual(answer.header("Cache-Control"), "no-store")
        self.assertEqual(answer.header("Content-Type"), "text/html; charset=utf-8")

    def check_markup(self, answer):
        self.assertEqual(re.findall(r"<script(?! src=\"/statik/)", answer.text), [], answer.url)
        self.assertEqual(re.findall(r"<style|\sstyle=|\son[a-z]+=|javascript:", answer.text), [], answer.url)
        for url in re.findall(r"(?:href|src|action)=\"([^\"]*)\"", answer.text):
            self.assertTrue(url.startswith(("/", "?", "#")) and not url.startswith("//"), url)
            self.assertIsNone(re.search(r"[0-9]{11}", url), url)

    def test_every_page(self):
        SCENE.admin("operator-add", text=OPERATOR + "\n")
        SCENE.admin("certificate-import", SCENE.ayse.certificate)
        browsers = ((SCENE.browser(), OPEN), (self.logged_in(), PERSONAL), (self.logged_in("operator"), OPERATORS))
        for browser, paths in browsers:
            for path in paths:
                with self.subTest(path=path):
                    answer = browser.get(path)
                    self.assertEqual(answer.status, 200)
                    self.check(answer)
                    self.check_markup(answer)
        browser = browsers[1][0]
        browser.begin_consent()
        self.check_markup(browser.get("/kod/e-onay"))
        self.check(browser.get("/kod/e-onay"))

    def test_personal_pages_need_a_login(self):
        for path in (*PERSONAL, *OPERATORS, "/kod/e-onay", "/yonetim/kanit/A"):
            answer = SCENE.browser().get(path)
            self.assertEqual((answer.status, answer.header("Location")), (303, "/giris"), path)
        answer = SCENE.browser().get("/durum/e-onay", headers={"Accept": "application/json"})
        self.assertEqual(answer.status, 401)

    def test_addresses_nobody_has(self):
        for path in ("/yok", "/nes/yok", "/nes/", "/%22%3E%3Cscript%3E"):
            answer = SCENE.browser().get(path)
            self.assertEqual(answer.status, 404)
            self.check(answer)
            self.check_markup(answer)
            self.assertEqual(SCENE.browser().get(path, headers={"Accept": "application/json"}).header("Content-Type"),
                             "application/problem+json")

    def test_assets_are_kept_by_browsers_and_named_by_their_contents(self):
        page = SCENE.browser().get("/")
        for url in re.findall(r"(?:href|src)=\"(/statik/[^\"]*)\"", page.text):
            answer = SCENE.browser().get(url)
            self.assertEqual(answer.status, 200)
            self.assertIn("immutable", answer.header("Cache-Control"))
        self.assertEqual(SCENE.browser().get("/statik/../eonay-portal.conf").status, 404)


class Sessions(Fresh):
    def cookies_of(self, answer):
        return [line for line in answer.headers.get_all("Set-Cookie") or []]

    def test_cookies_are_bound_to_this_host_and_closed_to_scripts(self):
        browser = SCENE.browser()
        lines = self.cookies_of(browser.get("/giris/oidc")) + self.cookies_of(browser.get("/?dil=en"))
        form = browser.at_provider("edevlet")
        answer = browser.submit(form, form.page.forms[0]["action"], login="ayse", password="deneme", do="login")
        while not answer.url.startswith(SCENE.origin):
            answer = browser.get(urllib.parse.urljoin(answer.url, answer.header("Location")))
        lines += self.cookies_of(answer)
        names = {line.split("=")[0] for line in lines}
        self.assertEqual(names, {"__Host-giris", "__Host-dil", "__Host-oturum"})
        for line in lines:
            self.assertTrue({"Secure", "HttpOnly", "Path=/"} <= set(line.split("; ")), line)
            self.assertIn("SameSite=Lax", line)
            self.assertNotIn("Domain", line)

    def test_a_session_put_there_before_the_login_is_worth_nothing_after_it(self):
        attacker = self.logged_in("mehmet")
        fixed = attacker.own_cookies["__Host-oturum"]
        for planted in (fixed, "A" * 43):
            victim = SCENE.browser(cookies={SCENE.origin: {"__Host-oturum": planted}})
            self.assertIn("AYŞE", victim.log_in("ayse").text)
            self.assertNotEqual(victim.own_cookies["__Host-oturum"], planted)
            thief = SCENE.browser(cookies={SCENE.origin: {"__Host-oturum": planted}})
            self.assertEqual(thief.get("/nes").header("Location"), "/giris")

    def test_logging_out_ends_it_on_the_server(self):
        browser = self.logged_in()
        kept = browser.own_cookies["__Host-oturum"]
        self.assertEqual(browser.request("GET", "/cikis").status, 405)
        self.assertEqual(browser.get("/nes").status, 200)
        self.assertEqual(browser.submit(browser.get("/nes"), "/cikis").header("Location"), "/")
        self.assertNotIn("__Host-oturum", browser.own_cookies)
        again = SCENE.browser(cookies={SCENE.origin: {"__Host-oturum": kept}})
        self.assertEqual(again.get("/nes").header("Location"), "/giris")

    def test_the_records_hold_no_session(self):
        token = self.logged_in().own_cookies["__Host-oturum"]
        for path in SCENE.folder.glob("portal.db*"):
            self.assertNotIn(token.encode(), path.read_bytes())


class Ageing(Fresh):
    web = "SessionIdleMinutes=5\nSessionMinutes=30"

    def age(self, column, minutes):
        with database() as db:
            db.execute(f"UPDATE web_session SET {column} = {column} - ?", (minutes * 60_000_000,))
        db.close()

    def test_idle(self):
        browser = self.logged_in()
        self.age("used_at", 4)
        self.assertEqual(browser.get("/nes").status, 200)
        self.age("used_at", 4)
        self.assertEqual(browser.get("/nes").status, 200, "use must lengthen it")
        self.age("used_at", 6)
        self.assertEqual(browser.get("/nes").header("Location"), "/giris")

    def test_absolute(self):
        browser = self.logged_in()
        self.age("created_at", 31)
        self.assertEqual(browser.get("/nes").header("Location"), "/giris")
        self.logged_in()
        with database() as db:
            self.assertEqual(db.execute("SELECT count(*) FROM web_session").fetchone(), (1,), "the old one is removed")
        db.close()


class Forms(Fresh):
    def counts(self):
        with database() as db:
            counts = [db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES]
        db.close()
        return counts

    def test_forged_forms_change_nothing(self):
        victim, other = self.logged_in(), self.logged_in("mehmet")
        own, foreign = token_of(victim), token_of(other)
        before = self.counts()
        forgeries = (({}, {}), ({"csrf": ""}, {}), ({"csrf": foreign}, {}), ({"csrf": own[:-1]}, {}),
                     ({"csrf": own}, {"Origin": "https://example.org"}), ({"csrf": own}, {"Origin": "null"}),
                     ({"csrf": own}, {"Sec-Fetch-Site": "cross-site"}), ({"csrf": own}, {"Sec-Fetch-Site": "same-site"}))
        for path, fields in FORMS:
            for extra, headers in forgeries:
                with self.subTest(path=path, extra=extra, headers=headers):
                    answer = victim.request("POST", path, {**fields, **extra}, headers=headers)
                    self.assertEqual(answer.status, 403)
        self.assertEqual(self.counts(), before)
        self.assertEqual(victim.get("/nes").status, 200, "still logged in")

    def test_every_form_of_the_routes_is_among_those(self):
        routes = (SCENE.source / "portal/web.c").read_text(encoding="utf-8")
        paths = {path.replace("*", "e-onay") for path in re.findall(r'\{"POST", "([^"]+)"', routes)}
        self.assertEqual(paths - {path for path, _ in FORMS}, {path for path, _ in OPERATOR_FORMS})

    def test_forged_forms_get_nothing_from_an_operator(self):
        SCENE.admin("operator-add", text=OPERATOR + "\n")
        operator, citizen = self.logged_in("operator"), self.logged_in()
        for path, fields in OPERATOR_FORMS:
            for extra in ({}, {"csrf": token_of(citizen)}):
                self.assertEqual(operator.request("POST", path, {**fields, **extra}).status, 403, path)
            own = {**fields, "csrf": token_of(operator)}
            self.assertEqual(operator.request("POST", path, own, headers={"Origin": "https://example.org"}).status, 403, path)
            self.assertEqual(citizen.request("POST", path, {**fields, "csrf": token_of(citizen)}).status, 404, path)
            self.assertEqual(operator.request("POST", path, own).status, 200, path)

    def test_a_token_twice_counts_as_none(self):
        browser = self.logged_in()
        token = token_of(browser)
        answer = browser.request("POST", "/nes/basvuru", f"csrf={token}&csrf={token}",
                                 headers={"Content-Type": "application/x-www-form-urlencoded"})
        self.assertEqual(answer.status, 403)

    def test_only_forms_of_the_usual_kind_and_size(self):
        browser = self.logged_in()
        self.assertEqual(browser.request("POST", "/nes/basvuru", "{}", headers={"Content-Type": "application/json"}).status, 415)
        self.assertEqual(browser.request("POST", "/nes/basvuru", {"a": "x" * 5000}).status, 413)


class Leaks(Fresh):
    def test_no_redirect_leads_away(self):
        browser = SCENE.browser()
        for path in ("/giris", "/", "/giris/oidc", "/giris/donus/oidc", "/nes", "/device"):
            for name in ("next", "return", "url", "geri", "redirect_uri", "state", "user_code", "dil"):
                for value in ("https://example.org/", "//example.org/", "/\\example.org", "javascript:alert(1)"):
                    answer = browser.get(f"{path}?{urllib.parse.urlencode({name: value})}")
                    location = answer.header("Location")
                    if location:
                        self.assertTrue(location in ("/giris", "/islemler", "/") or
                                        location.startswith(f"https://localhost:{SCENE.provider_port}/auth?"), location)
                        self.assertNotIn("example.org", location)
                    self.assertNotIn("example.org", str(answer.headers))

    def test_what_a_visitor_sends_comes_back_as_text_only(self):
        browser = self.logged_in()
        evil = "\"'><script>alert(1)</script>"
        answers = [browser.get("/device?" + urllib.parse.urlencode({"user_code": evil})),
                   browser.submit(browser.get("/device"), "/device", user_code=evil)]
        SCENE.admin("operator-add", text=OPERATOR + "\n")
        operator = self.logged_in("operator")
        answers.append(operator.submit(operator.get("/yonetim"), "/yonetim", ara=evil))
        for answer in answers:
            self.assertNotIn("<script>", answer.text)

    def test_no_number_and_no_code_in_log_or_audit(self):
        browser = self.logged_in()
        code = browser.begin_consent()
        SCENE.sign(code, SCENE.ayse)
        browser.follow(browser.get("/kod/e-onay"))
        browser.submit(browser.get("/nes/basvuru"), "/nes/basvuru")
        log = SCENE.log.read_text(encoding="utf-8")
        with database() as db:
            audit = str(db.execute("SELECT * FROM audit").fetchall())
            everything = [path.read_bytes() for path in SCENE.folder.glob("portal.db*")]
        db.close()
        self.assertIn("application-submitted", audit)
        for secret in (AYSE, code, "YILMAZ"):
            self.assertNotIn(secret, log)
            self.assertNotIn(secret, audit)
        for blob in everything:
            self.assertNotIn(code.encode(), blob)


class Limits(Fresh):
    def test_failed_logins_of_one_address(self):
        browser = SCENE.browser()
        browser.get("/giris/oidc")
        answers = [browser.get("/giris/donus/oidc?code=a&state=b").status for _ in range(12)]
        self.assertEqual(answers, [403] * 10 + [429] * 2)
        refused = browser.get("/giris/oidc")
        self.assertEqual(refused.status, 429)
        self.assertGreater(int(refused.header("Retry-After")), 0)
        self.assertEqual(SCENE.browser().log_in("ayse").status, 200, "another address goes on")

    def test_a_provider_that_does_not_answer_holds_up_nobody_else(self):
        SCENE.fresh("Workers=2")
        with SCENE.silent_provider():
            waiting = [SCENE.browser().begin("/giris/oidc") for _ in range(4)]
            begin = time.monotonic()
            self.assertEqual(SCENE.browser().get("/").status, 200)
            quick = time.monotonic() - begin
            statuses = sorted(connection.getresponse().status for connection in waiting)
        self.assertLess(quick, 9, "less than a provider is waited for")
        self.assertIn(502, statuses)
        self.assertIn(503, statuses)


if __name__ == "__main__":
    unittest.main()
