# SPDX-License-Identifier: Apache-2.0
"""The seed's figures 1 to 7 and section 3.8 in a headless Chromium, at a real portal and a real identity provider. Pictures of
every page, in both languages, are left in EONAY_PICTURES when that is set."""
import os
import pathlib
import unittest

import accessibility
from chromium import Chromium
from web_scene import AYSE, OPERATOR, Scene, node_modules

SCENE = Scene()


def setUpModule():
    unittest.enterModuleContext(SCENE)
    SCENE.ayse = SCENE.credential("ayse", tckn=AYSE)


class Walk(unittest.TestCase):
    def setUp(self):
        SCENE.fresh()
        self.pictures = os.environ.get("EONAY_PICTURES")
        if self.pictures:
            pathlib.Path(self.pictures).mkdir(parents=True, exist_ok=True)

    def chromium(self, **more):
        return self.enterContext(Chromium(SCENE, **more))

    def look(self, browser, name):
        if self.pictures:
            browser.picture(self.pictures, f"{name}-{browser.language}")
        self.assertEqual(accessibility.violations(browser, node_modules()), [], name)
        self.assertEqual(accessibility.poor_contrast(browser), [], name)
        self.assertEqual(browser.complaints(), [], name)

    def test_figures_1_to_7_and_the_result(self):
        browser = self.chromium()
        browser.open("/")
        self.assertIn("Online işlemler için lütfen giriş yapınız.", browser.text)
        for entry in ("Borç Sorgulama ve Ödeme", "Kart Okuyucu Başvuru", "Mali Mühür Sertifika Başvuru",
                      "Zaman Damgası Başvuru", "Elektronik Mühür Yetki Sorgulama"):
            self.assertIn(entry, browser.text)
        self.look(browser, "sekil-1-menu")
        browser.follow("Kart Okuyucu")
        self.assertIn("PC/SC", browser.text)
        browser.open("/")
        browser.follow("Giriş")
        browser.wait_path("/giris")
        self.look(browser, "sekil-2-giris")
        browser.log_in()
        browser.wait_path("/islemler")
        self.assertIn("AYŞE YILMAZ", browser.text)
        self.look(browser, "sekil-4-islemler")
        browser.follow("NES İşlemleri")
        browser.wait_path("/nes")
        titles = [e.text for e in browser.all(".menu strong")]
        self.assertEqual(titles, ["Başvuru İşlemleri", "Sertifika Listeleme", "Askıdan İndirme", "PIN Oluşturma/Kilit Çözme",
                                  "Güvenlik Sözcüğü Değiştirme", "Sertifikamı İptal Et", "E-Onay İşlemleri", "Askıya Alma"])
        self.look(browser, "sekil-5-nes")
        browser.follow("E-Onay İşlemleri")
        browser.wait_path("/nes/e-onay")
        go_on = browser.one("main form button")
        self.assertFalse(go_on.is_enabled())
        self.look(browser, "sekil-6-e-onay")
        browser.one("#kabul").click()
        self.assertTrue(go_on.is_enabled())
        go_on.click()
        browser.wait_path("/kod/e-onay")
        code = browser.one("#kod").text
        self.assertRegex(code, "^[0-9]{15}$")
        self.look(browser, "sekil-7-kod")
        self.watch_the_countdown(browser)
        self.copy(browser, code)
        browser.press("Tekrar Kod Al")
        browser.wait(lambda: browser.all("#kod") and browser.one("#kod").text not in ("", code), "another code")
        code = browser.one("#kod").text
        api = SCENE.api()
        transaction, signatures = api.opened(code, SCENE.ayse)
        browser.wait(lambda: "İmzanız bekleniyor" in browser.text, "the page to notice that the code was opened")
        self.look(browser, "sekil-7-acildi")
        self.assertEqual(api.submit(transaction, signatures, "b" * 32).status, 200)
        browser.wait_path("/nes/e-onay/sonuc")
        self.assertIn("İşleminiz başarılıdır", browser.text)
        self.look(browser, "3-8-sonuc")
        browser.press("Çıkış")
        browser.wait_path("/")

    def watch_the_countdown(self, browser):
        left = browser.one("[data-left]").text
        self.assertRegex(left, "^Kalan süre: [0-9]+ saniye$")
        browser.wait(lambda: browser.one("[data-left]").text != left, "the countdown to move")

    def copy(self, browser, code):
        browser.driver.execute_cdp_cmd("Browser.grantPermissions", {
            "origin": SCENE.origin, "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]})
        browser.press("Kodu kopyala")
        browser.wait(lambda: browser.one("[data-say]").get_attribute("textContent") == "Kod kopyalandı.", "the code to be copied")
        self.assertEqual(browser.driver.execute_async_script("navigator.clipboard.readText().then(arguments[0])"), code)

    def test_every_page_in_both_languages(self):
        SCENE.admin("certificate-import", SCENE.ayse.certificate)
        SCENE.admin("operator-add", text=OPERATOR + "\n")
        citizen = SCENE.browser()
        citizen.log_in("ayse")
        receipt = SCENE.sign(citizen.begin_consent(), SCENE.ayse)
        citizen.submit(citizen.get("/nes/basvuru"), "/nes/basvuru")
        for language in ("tr", "en"):
            with Chromium(SCENE, language=language) as browser:
                for name in ("borc-sorgulama", "kart-okuyucu", "mali-muhur", "zaman-damgasi", "elektronik-muhur", "kosullar",
                             "destek", "uygulama"):
                    self.page(browser, f"/bilgi/{name}", f"bilgi-{name}")
                self.page(browser, "/", "menu")
                self.page(browser, "/giris", "giris")
                browser.log_in("mehmet", "oidc")
                browser.wait_path("/islemler")
                for path in ("/islemler", "/nes", "/nes/e-onay", "/nes/e-onay/gecmis", "/nes/basvuru", "/nes/pin", "/device"):
                    self.page(browser, path, "bos" + path.replace("/", "-"))
                browser.driver.delete_all_cookies()
                browser.log_in("ayse")
                browser.wait_path("/islemler")
                for path in ("/nes/e-onay", "/nes/e-onay/sonuc", "/nes/e-onay/gecmis", "/nes/basvuru", "/nes/sertifikalar",
                             "/nes/askiya-alma", "/nes/askidan-indirme", "/nes/iptal", "/nes/guvenlik-sozcugu", "/nes/pin"):
                    self.page(browser, path, "dolu" + path.replace("/", "-"))
                browser.driver.delete_all_cookies()
                browser.log_in("operator")
                browser.wait_path("/islemler")
                for path in ("/yonetim", f"/yonetim/kanit/{receipt}", "/yonetim/denetim"):
                    self.page(browser, path, "yonetim" + path.replace("/", "-").replace(receipt, "bir"))

    def page(self, browser, path, name):
        browser.open(path)
        self.assertEqual(browser.path, path)
        self.assertEqual(browser.one("html").get_attribute("lang"), browser.language)
        self.look(browser, name)
        if browser.language == "en":
            self.assertEqual(accessibility.turkish_left(browser), [], path)

    def test_keyboard_alone(self):
        browser = self.chromium(width=400, height=800)
        browser.open("/")
        self.assertEqual(accessibility.focus_walk(browser)[0], "İçeriğe geç")
        for path in ("/", "/giris"):
            browser.open(path)
            accessibility.check_focus_visible(self, browser)
        browser.log_in()
        browser.wait_path("/islemler")
        for path in ("/nes", "/nes/e-onay", "/nes/basvuru"):
            browser.open(path)
            accessibility.check_focus_visible(self, browser)
            self.assertFalse(browser.driver.execute_script(
                "return document.documentElement.scrollWidth > document.documentElement.clientWidth"), f"{path} is too wide")
        accessibility.keys_to_code(browser)
        browser.wait_path("/kod/e-onay")
        self.look(browser, "dar-kod")

    def test_without_script(self):
        browser = self.chromium(javascript=False)
        browser.log_in()
        browser.wait_path("/islemler")
        browser.open("/nes/e-onay")
        browser.one("#kabul").click()
        browser.one("main form button").click()
        browser.wait_path("/kod/e-onay")
        SCENE.sign(browser.one("#kod").text, SCENE.ayse)
        browser.follow("İmzalandı mı")
        browser.wait_path("/nes/e-onay/sonuc")


if __name__ == "__main__":
    unittest.main()
