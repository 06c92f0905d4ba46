# SPDX-License-Identifier: Apache-2.0
"""Makes docs/images anew: every page of the window in one language, of the real program with the real daemon. Run through
tests/agent/screenshots, which does it for every language."""
import os
import subprocess
import sys
import tempfile

from client import Client
from desktop import Desktop
from processes import Child, become_subreaper, end_descendants
from programs import Programs
from sandbox import Sandbox
from scene import BUILD, FAILURE, NEXT, PIN, SIGN, SUCCESS, TURKISH, WindowTest, words
from test_pages import INSERT, NO_PUK, only, take_card_out
from test_parts import fake_ca, fake_token
from testing import SOURCE

IMAGES = os.path.join(SOURCE, "docs", "images")
LANGUAGE = "tr" if TURKISH else "en"
TWO_TEXTS = "Kamu SM sistemleri üzerinden güvenilir bir şekilde elektronik onayımın alınmasını KABUL EDİYORUM."


class Session(WindowTest):
    """Borrows the tests' ways of starting and driving the programs."""

    def runTest(self):
        raise NotImplementedError

    def __init__(self, desktop, sandbox):
        super().__init__()
        self.desktop = desktop
        self.shared = sandbox
        self.client = Client(sandbox)

    def shoot(self, name):
        path = os.path.join(IMAGES, f"{LANGUAGE}-{name}.png")
        self.desktop.keys("Shift_L")  # the cursor has been drawn by then
        self.desktop.screenshot(path)
        subprocess.run(["convert", path, "-strip", "+dither", "-colors", "64", "PNG8:" + path], check=True)
        print(os.path.relpath(path, SOURCE), os.path.getsize(path))

    def closed(self, child):
        child.end()
        self.desktop.wait("frame", gone=True)

    def menu_pages(self):
        window = self.menu(self.shared)
        self.desktop.wait("push button", NEXT)
        self.shoot("code")
        code, _ = self.client.get_code()
        self.enter_code(" ".join((code[:5], code[5:10], code[10:])))
        self.desktop.wait_state("push button", NEXT, "SENSITIVE")
        self.shoot("code-filled")
        self.desktop.press(NEXT)
        self.desktop.wait("password text", PIN)
        self.shoot("contract")
        self.enter_pin("000000")
        self.desktop.wait_text(words("PIN tries left: 2", "Kalan PIN deneme hakkı: 2"))
        self.desktop.wait("password text", PIN)
        self.shoot("wrong-pin")
        self.enter_pin(self.shared.pin)
        self.desktop.wait_text(SUCCESS)
        self.shoot("success")
        self.closed(window)

    def busy_page(self):
        window = self.menu(self.shared)
        self.desktop.wait("push button", NEXT)
        self.enter_code("1" * 15)
        self.desktop.press(NEXT)
        self.desktop.wait_text(words("does not know this verification code", "doğrulama kodunu tanımıyor"))
        self.shoot("code-unknown")
        self.closed(window)

    def authority_pages(self):
        window = self.menu(self.shared)
        self.desktop.wait("combo box")
        self.shoot("authorities")
        self.desktop.keys(words("alt+a", "alt+k"))
        self.desktop.wait_focus("list item")
        self.desktop.keys("Home", "Down", "Return")
        self.desktop.wait("list item", gone=True)
        self.enter_code("1" * 15)
        self.desktop.press(NEXT)
        self.desktop.wait_text(words("The authority cannot be reached.", "Kuruma ulaşılamıyor."))
        self.shoot("unreachable")
        self.closed(window)

    def two_cards_page(self):
        window = self.menu(self.shared)
        self.to_contract(self.shared)
        self.desktop.focus_window()
        self.desktop.keys("alt+e")
        self.desktop.wait_focus("list item")
        self.desktop.keys("Home", "Down", "Return")
        self.desktop.wait("list item", gone=True)
        self.shoot("two-cards")
        self.closed(window)

    def locked_page(self):
        window = self.menu(self.shared)
        self.to_contract(self.shared, field=False)
        self.desktop.wait_text(NO_PUK)
        self.shoot("locked")
        self.closed(window)

    def card_gone_page(self):
        window = self.menu(self.shared)
        self.to_contract(self.shared)
        take_card_out(self.shared, self.client)
        self.desktop.wait_text(INSERT)
        self.shoot("card-gone")
        self.closed(window)

    def ask(self, *options, backend="", certificate="/"):
        code = self.client.get_code(backend or "local")[0]
        options = (("backend", "s", backend) if backend else ()) + options
        return Child("busctl", ["busctl", f"--address={self.shared.bus.address}", "--timeout=300", "call", "org.eonay.EOnay1",
                                "/org/eonay/EOnay1", "org.eonay.EOnay1.Manager", "SignConsent", "soa{sv}", code,
                                certificate, str(len(options) // 3), *options], self.shared.file("busctl.log"))

    def prompt_pages(self):
        agent = self.agent(self.shared)
        usable = {details["Token"]: path for path, details in self.client.certificates(usable=True)}
        by_reader = {self.state_of(token): path for token, path in usable.items()}
        asking = self.ask(certificate=by_reader["ok"], backend="two")
        self.desktop.wait("password text", PIN)
        self.shoot("question")
        asking.end()
        self.desktop.wait("frame", gone=True)
        asking = self.ask("allow-final-try", "b", "true", certificate=by_reader["final-try"])
        self.desktop.wait_text(words("This is the LAST try", "Bu SON hakkınız"))
        self.shoot("last-try")
        asking.end()
        self.desktop.wait("frame", gone=True)
        asking = self.ask(certificate=by_reader["keypad"])
        self.desktop.wait("push button", SIGN)
        self.shoot("keypad-reader")
        self.desktop.press(SIGN)
        self.desktop.wait_text(words("Enter the PIN on the keypad of the reader.", "PIN'i kart okuyucunun tuşlarıyla girin."))
        self.shoot("on-the-reader")
        asking.end()
        self.desktop.wait("frame", gone=True)
        asking = self.ask(certificate=by_reader["ok"], backend="short")
        self.desktop.wait("password text", PIN)
        self.desktop.wait_text(FAILURE)
        self.shoot("failure")
        asking.end()
        self.closed(agent)

    def state_of(self, token):
        proxy = self.client.connection.get_object("org.eonay.EOnay1", token, introspect=False)
        found = proxy.GetAll("org.eonay.EOnay1.Token", dbus_interface="org.freedesktop.DBus.Properties")
        return "keypad" if found["PinPad"] else "final-try" if found["PinState"] == "final-try" else "ok"


def add_tokens_and_authorities(sandbox):
    fake_token(sandbox, "pad", "login slow 60000", certificate=sandbox.pki.issue("pad", profile="nes"), Flags="pinpad")
    fake_token(sandbox, "last", certificate=sandbox.pki.issue("last", profile="nes"), Flags="final")
    fake_ca(sandbox, "short", Life=11, Text=TWO_TEXTS, Requester="Kamu SM", Title="İmzalanacak Metin")
    fake_ca(sandbox, "two", Texts=2, Text=TWO_TEXTS, Requester="Kamu SM", Title="Başvuru taahhütnamesi")


def add_cards_and_an_authority(sandbox):
    sandbox.add_token(label=words("old card", "eski kart"))
    sandbox.add_token(label=words("new card", "yeni kart"))
    fake_ca(sandbox, "kurum", "redeem error BackendUnreachable")


def shoot_all(desktop, folder, prepare, *steps):
    with Sandbox(Programs(BUILD), folder) as sandbox:
        prepare(sandbox)
        sandbox.start()
        session = Session(desktop, sandbox)
        try:
            for step in steps:
                step(session)
        finally:
            session.doCleanups()


def main():
    become_subreaper()
    os.makedirs(IMAGES, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        desktop = Desktop(folder)
        shoot_all(desktop, folder, lambda _sandbox: None, Session.menu_pages, Session.busy_page)
        shoot_all(desktop, folder, add_tokens_and_authorities, Session.prompt_pages)
        shoot_all(desktop, folder, add_cards_and_an_authority, Session.authority_pages, Session.two_cards_page)
        shoot_all(desktop, folder, only("locked"), Session.locked_page)
        shoot_all(desktop, folder, lambda _sandbox: None, Session.card_gone_page)
        desktop.stop()
    end_descendants()
    return 0


if __name__ == "__main__":
    sys.exit(main())
