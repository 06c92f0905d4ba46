# SPDX-License-Identifier: Apache-2.0
"""The window from the menu, with the real daemon: code, contract, PIN, success; and what can go wrong on the way."""
import secrets

from client import OPTIONS, Client
from memory_scan import filled_pipes, places
from scene import (CANCEL, CLOSE, FAILURE, NEXT, PIN, SIGN, SUCCESS, WindowTest, wait_until, words)
from test_parts import fake_ca
from testing import run

AUTHORITY = words("Authority that gave the code", "Kodu veren kurum")
WRONG = words("The PIN is wrong.", "PIN")
TRIES = words("PIN tries left: 2", "Kalan PIN deneme hakkı: 2")

class Menu(WindowTest):
    def test_from_the_code_to_success(self):
        """With keyboard and pasted text; the texts in full; no PIN in memory, on the accessibility bus, or in a pipe."""
        pin = "P!" + secrets.token_hex(8)
        sandbox = self.started(pin=pin)
        client = Client(sandbox)
        window = self.menu(sandbox)
        desktop = self.desktop
        self.assertFalse(desktop.is_sensitive("push button", NEXT))
        code, _ = client.get_code()
        self.enter_code(code[:14])
        desktop.wait_text(words("14 of 15 digits", "14/15 hane"))
        self.assertFalse(desktop.is_sensitive("push button", NEXT))
        self.enter_code(code + "1")
        desktop.wait_text(words("16 digits", "16 hane"))
        self.assertFalse(desktop.is_sensitive("push button", NEXT))
        self.enter_code("x" + code)
        desktop.wait_text(words("digits only", "yalnızca rakam"))
        self.assertFalse(desktop.is_sensitive("push button", NEXT))
        self.enter_code(f" {code[:3]}\u00a0{code[3:6]}-{code[6:9]}\u2009{code[9:]} ")
        desktop.wait_state("push button", NEXT, "SENSITIVE")
        desktop.focus_window()
        desktop.keys("Return")
        field = desktop.wait("password text", PIN)
        self.assertFalse(desktop.is_sensitive("push button", SIGN))
        shown = "\n".join(desktop.texts())
        self.assertIn("Yerel E-Onay Kurumu", shown)
        self.assertIn("AYŞE YILMAZ", shown)
        for label in (words("Creation date: ", "Oluşturma Tarihi: "), words("Signing date: ", "İmzalama Tarihi: ")):
            self.assertRegex(shown, label + r"\S")
        self.assertIn("işleme alınmasını KABUL EDİYORUM.", shown)
        self.enter_pin(pin, then=None)
        wait_until(lambda: places(window.pid, pin)[0], "the PIN in the field, where the scanner finds it")
        read = desktop.atspi.Text.get_text(field.get_text_iface(), 0, -1)
        self.assertEqual(set(read) & set(pin), set(), "a screen reader can read the PIN")
        desktop.keys("Return")
        desktop.wait("push button", CLOSE)
        desktop.wait_text(SUCCESS)
        found, looked_at = places(window.pid, pin)
        self.assertEqual(found, [])
        self.assertGreater(looked_at, 1 << 20)
        self.assertEqual(filled_pipes(window.pid), {})
        desktop.press(CLOSE)
        self.assertEqual(window.wait(60), 0)
        consents = client.manager.ListConsents(OPTIONS)
        self.assertEqual(str(consents[0]["State"]), "done")

    def test_keypad_and_a_wrong_pin(self):
        sandbox = self.started()
        window = self.menu(sandbox)
        self.to_contract(sandbox)
        desktop = self.desktop
        desktop.wait_text(words("At least 4 characters", "En az 4 karakter"))  # SoftHSM says so
        self.press_keys("999")
        self.assertFalse(desktop.is_sensitive("push button", SIGN))
        self.press_keys("9")
        desktop.wait_state("push button", SIGN, "SENSITIVE")
        desktop.press(words("Clear", "Temizle"))
        desktop.wait_state("push button", SIGN, "SENSITIVE", wanted=False)
        wrong = sandbox.pin[:-1] + str((int(sandbox.pin[-1]) + 1) % 10)
        self.press_keys(wrong)
        desktop.press(SIGN)
        desktop.wait_text(WRONG)
        desktop.wait("password text", PIN)
        desktop.wait_state("push button", SIGN, "SENSITIVE", wanted=False)
        desktop.focus_window()
        desktop.keys(words("alt+s", "alt+k"))
        desktop.wait_state("check box", words("Shuffle the keys", "Tuşları karıştır"), "CHECKED")
        self.press_keys(sandbox.pin + "1")
        desktop.press(words("Delete the last digit", "Son rakamı sil"))
        wait_until(lambda: self.bullets() == len(sandbox.pin), "the last digit's end")
        desktop.press(SIGN)
        desktop.wait_text(SUCCESS)
        desktop.keys("Escape")
        self.assertEqual(window.wait(60), 0)

    def test_a_bad_code_and_an_expired_one(self):
        sandbox = self.started(lambda s: s.set_section("Backend local", **{**s.default_sections()["Backend local"], "CodeLifetime": 12}))
        client = Client(sandbox)
        window = self.menu(sandbox)
        desktop = self.desktop
        self.enter_code("1" * 15)
        desktop.press(NEXT)
        desktop.wait("push button", NEXT)
        desktop.wait_text(words("does not know this verification code", "doğrulama kodunu tanımıyor"))
        self.to_contract(sandbox, client)
        desktop.wait_text(FAILURE)
        desktop.wait_text(words("The verification code has expired.", "Doğrulama kodunun süresi"))
        desktop.press(words("Use a new code", "Yeni kod gir"))
        desktop.wait("push button", NEXT)
        desktop.press(CANCEL)
        self.assertEqual(window.wait(60), 0)

    def test_several_certificates(self):
        """None is chosen beforehand; a certificate that cannot be used is not offered."""
        def prepare(sandbox):
            sandbox.add_token()
            sandbox.add_credential("eonay-demo", "second", "02", profile="nes")
            sandbox.add_credential("eonay-demo", "seal", "03", profile="seal")
        sandbox = self.started(prepare)
        self.menu(sandbox)
        self.to_contract(sandbox)
        desktop = self.desktop
        self.enter_pin(sandbox.pin, then=None)
        self.assertFalse(desktop.is_sensitive("push button", SIGN))
        desktop.keys("alt+e")
        desktop.wait_focus("list item")
        desktop.keys("Down", "Return")
        desktop.wait_state("push button", SIGN, "SENSITIVE")
        desktop.press(SIGN)
        desktop.wait_text(SUCCESS)

    def test_several_authorities(self):
        """The default one is chosen beforehand; another is asked when it is chosen, with the keyboard alone."""
        def prepare(sandbox):
            fake_ca(sandbox, "second", Name="Kurum", Requester="İkinci Kurum")
            fake_ca(sandbox, "third", "redeem error BackendUnreachable", Name="Kurum")
        sandbox = self.started(prepare)
        client = Client(sandbox)
        self.menu(sandbox)
        desktop = self.desktop
        desktop.wait("combo box", AUTHORITY)
        self.choose_authority(2)
        self.enter_code(client.get_code("second")[0])
        desktop.press(NEXT)
        desktop.wait_text(words("The authority cannot be reached.", "Kuruma ulaşılamıyor."))
        desktop.wait_text("Kurum (third)")  # it has told its name, which two have
        self.choose_authority(1)
        self.enter_code(client.get_code("second")[0])
        desktop.press(NEXT)
        desktop.wait("password text", PIN)
        desktop.wait_text("İkinci Kurum")

    def choose_authority(self, number):
        desktop = self.desktop
        desktop.focus_window()
        desktop.keys(words("alt+a", "alt+k"))
        desktop.wait_focus("list item")
        desktop.keys("Home", *["Down"] * number, "Return")
        desktop.wait("list item", gone=True)

    def test_leaving_cancels(self):
        sandbox = self.started()
        client = Client(sandbox)
        window = self.menu(sandbox)
        self.to_contract(sandbox, client)
        self.desktop.focus_window()
        self.desktop.keys("Escape")
        self.assertEqual(window.wait(60), 0)
        wait_until(lambda: str(client.manager.ListConsents(OPTIONS)[0]["State"]) == "cancelled", "the consent's end")

    def test_no_service(self):
        sandbox = self.started()
        self.menu(sandbox)
        client = Client(sandbox)
        self.to_contract(sandbox, client)
        sandbox.stop_daemon()
        self.desktop.wait_text(words("The E-Onay service has ended.", "E-Onay hizmeti sona erdi."))
        self.desktop.press(words("Use a new code", "Yeni kod gir"))
        self.desktop.wait("push button", NEXT)
        self.enter_code("1" * 15)
        self.desktop.press(NEXT)
        self.desktop.wait_text(words("service is not there", "hizmeti bulunamadı"))

if __name__ == "__main__":
    run()
