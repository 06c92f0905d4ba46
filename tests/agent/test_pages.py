# SPDX-License-Identifier: Apache-2.0
"""What the window shows of cards that are locked, nearly locked, gone, or two of one person."""
import secrets
import subprocess

from client import OPTIONS, Client
from memory_scan import places
from processes import bound_to_us
from scene import FAILURE, PIN, SIGN, WindowTest, wait_until, words
from test_parts import fake_token
from testing import run

NO_PUK = words("the 15-digit verification code is not a PUK", "15 haneli doğrulama kodu PUK değildir")
LAST = words("This is the LAST try", "Bu SON hakkınız")
SURE = words("I am sure: use the last try", "PIN'den eminim, son hakkımı kullan")
NOTHING = words("No usable certificate was found.", "Kullanılabilir bir sertifika bulunamadı.")
INSERT = words("Insert your card.", "Kartınızı takın.")


def only(flags):
    """A sandbox whose one qualified certificate is on a token with these flags."""
    def prepare(sandbox):
        sandbox.add_token(profile="seal")
        fake_token(sandbox, "card", certificate=sandbox.pki.issue("card", profile="nes"), Flags=flags)
    return prepare


def take_card_out(sandbox, client):
    subprocess.run(bound_to_us(["softhsm2-util", "--delete-token", "--token", "eonay-demo"]), check=True, timeout=60,
                   env=sandbox.environment(), stdout=subprocess.DEVNULL)
    client.manager.Refresh(OPTIONS)


class Pages(WindowTest):
    def pin_length(self):
        return self.desktop.wait("password text", PIN).get_text_iface().get_character_count()

    def type_pin(self, pin):
        self.desktop.wait_state("password text", PIN, "SENSITIVE").get_editable_text_iface().set_text_contents(pin)

    def test_a_locked_pin(self):
        """Said with what to do, and that the code does not do for it; no PIN can be entered."""
        sandbox = self.started(only("locked"))
        self.menu(sandbox)
        self.to_contract(sandbox, field=False)
        self.desktop.wait_text(NO_PUK)
        self.desktop.wait_text(NOTHING)
        self.assertIsNone(self.desktop.find("password text"))
        self.assertFalse(self.desktop.is_sensitive("push button", SIGN))

    def test_the_last_try(self):
        """Used only with the user's word."""
        sandbox = self.started(only("final"))
        self.menu(sandbox)
        self.to_contract(sandbox)
        self.desktop.wait_text(LAST)
        self.type_pin(sandbox.pin)
        wait_until(lambda: self.pin_length() == len(sandbox.pin), "the PIN in the field")
        self.assertFalse(self.desktop.is_sensitive("push button", SIGN))
        self.desktop.focus_window()
        self.desktop.keys(words("alt+u", "alt+n"))
        self.desktop.wait_state("check box", SURE, "CHECKED")
        self.desktop.wait_state("push button", SIGN, "SENSITIVE")
        self.desktop.press(SIGN)
        self.desktop.wait_text(FAILURE)  # what that token makes is no signature

    def test_the_card_is_taken_out(self):
        """What was typed for it goes with it."""
        sandbox = self.started(pin="P!" + secrets.token_hex(8))
        client = Client(sandbox)
        window = self.menu(sandbox)
        self.to_contract(sandbox, client)
        self.type_pin(sandbox.pin)
        self.desktop.wait_state("push button", SIGN, "SENSITIVE")
        take_card_out(sandbox, client)
        self.desktop.wait_text(INSERT)
        self.assertIsNone(self.desktop.find("password text"))
        self.assertFalse(self.desktop.is_sensitive("push button", SIGN))
        self.assertEqual(places(window.pid, sandbox.pin)[0], [])

    def test_two_cards_of_one_person(self):
        """They are told apart."""
        def prepare(sandbox):
            sandbox.add_token(label="old card")
            sandbox.add_token(label="new card")
        sandbox = self.started(prepare)
        self.menu(sandbox)
        self.to_contract(sandbox)
        self.desktop.focus_window()
        self.desktop.keys("alt+e")
        self.desktop.wait_text("AYŞE YILMAZ (old card, ")
        self.desktop.wait_text("AYŞE YILMAZ (new card, ")


if __name__ == "__main__":
    run()
