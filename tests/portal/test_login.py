# SPDX-License-Identifier: Apache-2.0
"""Login through e-Devlet's way and through OpenID Connect, at a real provider; and what must not log anybody in."""
import json
import unittest
import urllib.parse

from web_scene import AYSE, EDEVLET_CLIENT, Scene


class Login(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scene = cls.enterClassContext(Scene())

    def test_both_ways_lead_to_the_services(self):
        for way in ("edevlet", "oidc"):
            with self.subTest(way=way):
                browser = self.scene.browser()
                answer = browser.log_in("ayse", way)
                self.assertEqual((answer.status, answer.url), (200, self.scene.origin + "/islemler"), answer.text)
                self.assertIn("AYŞE YILMAZ", answer.text)
                self.assertIn("NES", answer.text)

    def test_edevlet_is_asked_as_it_wants_to_be(self):
        browser = self.scene.browser()
        location = browser.get("/giris/edevlet").header("Location")
        url = urllib.parse.urlsplit(location)
        query = dict(urllib.parse.parse_qsl(url.query))
        self.assertTrue(url.path.endswith("/OAuth2AuthorizationServer/AuthorizationController"))
        self.assertEqual((query["response_type"], query["client_id"], query["scope"]),
                         ("code", EDEVLET_CLIENT, "Kimlik-Dogrula;Ad-Soyad"))
        self.assertEqual(query["redirect_uri"], self.scene.origin + "/giris/donus/edevlet")
        self.assertGreaterEqual(len(query["state"]), 43)

    def test_oidc_uses_pkce_state_and_nonce_that_are_never_used_again(self):
        seen = []
        for _ in range(2):
            query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(
                self.scene.browser().get("/giris/oidc").header("Location")).query))
            self.assertEqual(query["code_challenge_method"], "S256")
            seen += [query["state"], query["nonce"], query["code_challenge"]]
        self.assertEqual(len(set(seen)), 6)

    def test_somebody_elses_answer_logs_nobody_in(self):
        """Login CSRF: the attacker's answer is brought to the victim's browser."""
        for way in ("edevlet", "oidc"):
            with self.subTest(way=way):
                attacker, victim = self.scene.browser(), self.scene.browser()
                form = attacker.at_provider(way)
                answer = attacker.submit(form, form.page.forms[0]["action"], login="mehmet", password="deneme", do="login")
                while not answer.header("Location").startswith(self.scene.origin):
                    answer = attacker.get(urllib.parse.urljoin(answer.url, answer.header("Location")))
                back = answer.header("Location")
                victim.get(f"/giris/{way}")
                refused = victim.get(back)
                self.assertEqual(refused.status, 403)
                self.assertNotIn("__Host-oturum", victim.own_cookies)
                fresh = self.scene.browser().get(back)
                self.assertEqual(fresh.status, 403)
                self.assertEqual(attacker.follow(attacker.get(back)).status, 200)

    def test_a_code_counts_once(self):
        browser = self.scene.browser()
        form = browser.at_provider("oidc")
        answer = browser.submit(form, form.page.forms[0]["action"], login="ayse", password="deneme", do="login")
        while not answer.header("Location").startswith(self.scene.origin):
            answer = browser.get(urllib.parse.urljoin(answer.url, answer.header("Location")))
        back = answer.header("Location")
        secret = browser.own_cookies["__Host-giris"]
        self.assertEqual(browser.get(back).status, 303)
        again = self.scene.browser(cookies={self.scene.origin: {"__Host-giris": secret}})
        self.assertEqual(again.get(back).status, 403)
        self.assertNotIn("__Host-oturum", again.own_cookies)

    def test_giving_up_and_wrong_identities(self):
        browser = self.scene.browser()
        for way in ("edevlet", "oidc"):
            form = browser.at_provider(way)
            answer = browser.follow(browser.submit(form, form.page.forms[0]["action"], do="cancel"))
            self.assertEqual(answer.status, 403)
            self.assertNotIn("__Host-oturum", browser.own_cookies)
            for who in ("yabanci", "yanlis"):
                answer = self.scene.browser().log_in(who, way)
                self.assertEqual(answer.status, 403, (way, who))
                self.assertIn("kimlik", answer.text)

    def test_another_issuer_is_refused(self):
        browser = self.scene.browser()
        form = browser.at_provider("oidc")
        answer = browser.submit(form, form.page.forms[0]["action"], login="ayse", password="deneme", do="login")
        while not answer.header("Location").startswith(self.scene.origin):
            answer = browser.get(urllib.parse.urljoin(answer.url, answer.header("Location")))
        url = urllib.parse.urlsplit(answer.header("Location"))
        query = dict(urllib.parse.parse_qsl(url.query))
        self.assertIn("iss", query)
        query["iss"] = "https://example.org"
        self.assertEqual(browser.get(f"{url.path}?{urllib.parse.urlencode(query)}").status, 403)

    def cheat(self, how):
        browser = self.scene.browser()
        return json.loads(browser.get(f"https://localhost:{self.scene.provider_port}/deneme?hile={how}").text)["cheats"]

    def test_forged_id_tokens_log_nobody_in(self):
        self.addCleanup(self.cheat, "")
        for how in self.cheat(""):
            with self.subTest(how=how):
                self.cheat(how)
                browser = self.scene.browser()
                answer = browser.log_in("ayse", "oidc")
                if how == "es256":
                    self.assertEqual((answer.status, "AYŞE" in answer.text), (200, True), answer.text)
                    continue
                self.assertIn(answer.status, (403, 502), answer.text)
                self.assertNotIn("__Host-oturum", browser.own_cookies)
        self.cheat("")
        self.assertEqual(self.scene.browser().log_in("ayse", "oidc").status, 200)

    def test_markup_in_a_name_stays_text(self):
        answer = self.scene.browser().log_in("isaretli")
        self.assertEqual(answer.status, 200)
        self.assertIn("&lt;b&gt;İŞARET&quot;&lt;/b&gt; O&#39;LU &amp; &lt;script&gt;", answer.text)
        self.assertNotIn("<b>İŞARET", answer.text)

    def test_the_number_is_in_no_address_and_no_log(self):
        browser = self.scene.browser()
        browser.log_in("ayse", "edevlet")
        browser.log_in("ayse", "oidc")
        self.assertNotIn(AYSE, self.scene.log.read_text(encoding="utf-8"))

    def test_unknown_providers(self):
        browser = self.scene.browser()
        self.assertEqual(browser.get("/giris/yok").status, 404)
        self.assertEqual(browser.get("/giris/donus/yok?code=a&state=b").status, 404)


if __name__ == "__main__":
    unittest.main()
