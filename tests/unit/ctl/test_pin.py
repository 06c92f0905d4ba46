# SPDX-License-Identifier: Apache-2.0
"""eonayctl pin with the real service: SoftHSM really changes its PIN; fake tokens are in the states SoftHSM never reaches."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

from ctl_harness import BUILD, Screen
from programs import Programs
from sandbox import Sandbox

CODE = "168857414351237"
NEW = "654321"


class PinCase(unittest.TestCase):
    """A sandbox with SoftHSM, and with fake tokens by the name of their state."""

    fakes = {}

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.sandbox = sandbox = Sandbox(Programs(BUILD), folder.name)
        self.addCleanup(sandbox.stop)
        for label, keys in self.fakes.items():
            sandbox.set_section("Token " + label, Plugin="fake-token", Label=label, **keys)
        sandbox.start()
        self.env = {**sandbox.environment(), "TEXTDOMAINDIR": os.path.join(BUILD, "po"), "TERM": "dumb", "LC_ALL": "C.UTF-8"}

    def file(self, name, content, mode=0o600):
        path = self.sandbox.file(name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="ascii") as file:
            file.write(content)
        os.chmod(path, mode)
        return path

    def run_ctl(self, *arguments, status=0):
        result = subprocess.run([self.sandbox.programs.ctl, *arguments], input="", env=self.env, text=True, capture_output=True,
                                check=False, timeout=60, start_new_session=True)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        return result

    def pin(self, *words, known, new, status=0):
        """With files; the answer as JSON."""
        return json.loads(self.run_ctl("--json", "pin", *words, "--pin-file", self.file("known", known + "\n"),
                                       "--new-pin-file", self.file("new", new + "\n"), status=status).stdout)

    def screen(self, *arguments):
        return Screen([self.sandbox.programs.ctl, *arguments], self.env)

    def ask(self, screen, question, answer):
        screen.wait_echo(False)
        screen.expect(question)
        screen.type(answer + "\n")

    def signs(self, pin, status=0):
        code = self.run_ctl("code").stdout.strip()
        self.run_ctl("sign", code, "--yes", "--pin-file", self.file("pin", pin), status=status)


class SoftHsm(PinCase):
    def test_change_with_files(self):
        self.assertEqual(set(self.pin("change", known=self.sandbox.pin, new=NEW)), {"Path", "PinState"})
        self.signs(self.sandbox.pin, status=5)
        self.signs(NEW)

    def test_unblock_with_files(self):
        self.pin("unblock", "eonay-demo", known=self.sandbox.tokens.so_pin, new=NEW)
        self.signs(NEW)

    def test_change_on_a_terminal(self):
        screen = self.screen("pin", "change", "eonay-demo")
        self.ask(screen, "Present PIN of 'eonay-demo' (is not shown; Enter alone ends): ", self.sandbox.pin)
        self.ask(screen, "New PIN", "12")
        screen.expect("a PIN of this token has 4 to 255 characters")
        self.ask(screen, "New PIN", NEW)
        self.ask(screen, "once more", NEW + "0")
        screen.expect("not equal")
        self.ask(screen, "New PIN", NEW)
        self.ask(screen, "once more", NEW)
        screen.expect("was changed")
        self.assertEqual(screen.wait(), 0)
        self.assertNotIn(NEW, screen.seen)
        self.signs(NEW)

    def test_a_code_is_no_puk(self):
        for code in (CODE, "168 857 414 351 237", "16885-74143-51237"):
            told = self.pin("unblock", known=code, new=NEW, status=5)
            self.assertTrue(told["Error"].endswith(".PinFormat"))
            self.assertIn("verification code, not a PUK", told["Detail"])
        self.pin("unblock", known=self.sandbox.tokens.so_pin, new=NEW)  # and none of it cost a try

    def test_says_on_the_terminal_what_a_puk_is_not(self):
        screen = self.screen("pin", "unblock")
        screen.expect("The 15-digit verification code is not a PUK.")
        self.ask(screen, "PUK of 'eonay-demo'", CODE)
        screen.expect("not a PUK")
        self.assertEqual(screen.wait(), 5)

    def test_a_wrong_one(self):
        told = self.pin("change", known="000000", new=NEW, status=5)
        self.assertTrue(told["Error"].endswith(".PinIncorrect"))
        self.assertIn("gone", told["Detail"])
        self.assertIn("the PUK", self.pin("unblock", known="00000000", new=NEW, status=5)["Detail"])
        self.signs(self.sandbox.pin)

    def test_of_a_length_that_cannot_be(self):
        for known, new in ((self.sandbox.pin, "12"), ("12", NEW), (self.sandbox.pin, "9" * 256)):
            told = self.pin("change", known=known, new=new, status=5)
            self.assertTrue(told["Error"].endswith(".PinFormat"))
            self.assertIn("4 to 255", told["Detail"])
        self.assertEqual(json.loads(self.run_ctl("--json", "tokens").stdout)["Tokens"][0]["PinState"], "ok")

    def test_nobody_to_ask(self):
        for option in ((), ("--no-ask-password",)):
            self.run_ctl("pin", "change", *option, status=5)
        known = self.file("known", self.sandbox.pin)
        self.run_ctl("pin", "change", "--pin-file", known, status=5)
        self.run_ctl("pin", "change", "--pin-file", self.file("open", NEW, 0o644), "--new-pin-file", known, status=5)
        self.run_ctl("pin", "change", "--pin-file", known, "--new-pin-file", self.file("open", NEW, 0o644), status=5)
        self.signs(self.sandbox.pin)

    def test_wrong_words(self):
        self.run_ctl("pin", status=2)
        self.run_ctl("pin", "forget", status=2)
        self.run_ctl("pin", "change", "a", "b", status=2)
        self.run_ctl("pin", "change", "no-such-token", status=1)

    def test_given_up(self):
        screen = self.screen("pin", "change")
        self.ask(screen, "Present PIN", self.sandbox.pin)
        self.ask(screen, "New PIN", "")
        self.assertEqual(screen.wait(), 10)
        screen = self.screen("pin", "change")
        screen.wait_echo(False)
        screen.type("\x03")
        self.assertEqual(screen.wait(), 10)
        self.signs(self.sandbox.pin)


class States(PinCase):
    fakes = {"final": {"Flags": "final"}, "locked": {"Flags": "locked", "State": "The PIN is locked."}, "low": {"Flags": "low"},
             "keypad": {"Flags": "pinpad"}, "dead": {"Script": "unblock-pin error PinLocked,0"}, "broken": {"State": "no module knows this card"}}

    def test_several_are_listed(self):
        told = self.run_ctl("pin", "change", status=2).stderr
        for label in ("eonay-demo", "final", "locked", "low", "keypad", "dead"):
            self.assertIn(f"  {label}\n", told)
        self.assertNotIn("broken", told)

    def test_final_try(self):
        told = self.pin("change", "final", known="1234", new=NEW, status=5)
        self.assertTrue(told["Error"].endswith(".PinFinalTry"))

    def test_locked(self):
        told = self.pin("change", "locked", known="1234", new=NEW, status=5)
        self.assertTrue(told["Error"].endswith(".PinLocked"))
        self.assertIn("15-digit verification code is not a PUK", told["Hint"])
        self.assertEqual(self.pin("unblock", "locked", known="12345678", new=NEW)["PinState"], "locked")

    def test_low(self):
        screen = self.screen("pin", "change", "low")
        screen.expect("type the PIN with care")
        self.ask(screen, "Present PIN", "1234")
        screen.expect("New PIN")
        screen.wait_echo(False)
        screen.type("\x03")
        self.assertEqual(screen.wait(), 10)

    def test_keypad(self):
        told = self.pin("change", "keypad", known="1234", new=NEW, status=1)
        self.assertTrue(told["Error"].endswith(".Unsupported"))

    def test_wrong_puk_locks_for_good(self):
        told = self.pin("unblock", "dead", known="12345678", new=NEW, status=5)
        self.assertTrue(told["Error"].endswith(".PinLocked"))
        self.assertIn("the PUK itself", told["Detail"])

    def test_a_token_that_is_not_ready(self):
        self.run_ctl("pin", "change", "broken", status=1)


if __name__ == "__main__":
    sys.exit(unittest.main())
