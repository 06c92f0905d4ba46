# SPDX-License-Identifier: Apache-2.0
"""The guide from its first figure to its last, in one go: figures 1 to 7 in a headless browser at the real portal, 8 to 11 in a
terminal against the real daemon with the code as the page shows it, and section 3.8 in the browser again, which has noticed by
itself. What the terminal showed is left beside the pictures in EONAY_PICTURES when that is set."""
import os
import pathlib
import re
import sys
import tempfile
import unittest

import demo_portal
from programs import Programs
from sandbox import Sandbox
from testing import BUILD, SOURCE, WORK, run

sys.path.insert(0, os.path.join(SOURCE, "tests", "unit", "ctl"))
from ctl_harness import Screen  # noqa: E402

TURKISH = os.environ.get("LC_ALL", "").startswith("tr_TR")
ASKS, YES = ("[e/H] ", "evet\n") if TURKISH else ("[y/N] ", "yes\n")


class Told:
    """What the demo's narrator would say, kept."""

    def __init__(self):
        self.facts = []

    def fact(self, name, value):
        self.facts.append((name, value))


class Guide(unittest.TestCase):
    def setUp(self):
        self.addCleanup(setattr, tempfile, "tempdir", tempfile.tempdir)
        self.sandbox = Sandbox(Programs(BUILD), WORK)
        self.addCleanup(self.sandbox.stop)
        self.world = demo_portal.PortalWorld(self.sandbox)
        self.world.__enter__()
        self.addCleanup(self.world.__exit__, None, None, None)
        self.sandbox.start()
        self.pictures = os.environ.get("EONAY_PICTURES") or self.sandbox.file("pictures")
        os.makedirs(self.pictures, exist_ok=True)

    def test_all_figures(self):
        told = Told()
        env = {**self.sandbox.environment(), "TEXTDOMAINDIR": os.path.join(BUILD, "po"), "TERM": "dumb"}
        with demo_portal.Walker(told, self.world, self.pictures) as citizen:
            citizen.log_in()
            code = citizen.get_code()
            self.assertRegex(code, "^[1-9][0-9]{14}$")
            terminal = Screen([self.sandbox.programs.ctl, "sign"], env)
            shown = terminal.expect(": ")  # figure 8
            terminal.type(code + "\n")  # figure 9
            shown += terminal.expect(ASKS)  # figure 10
            self.assertIn("KABUL EDİYORUM", shown)
            self.assertIn("Örnek Sertifikasyon Merkezi", shown)
            citizen.see_it_opened()
            terminal.type(YES)
            terminal.wait_echo(False)
            shown += terminal.expect("): ")
            terminal.type(self.sandbox.pin + "\n")
            self.assertEqual(terminal.wait(), 0, terminal.seen)  # figure 11
            shown += terminal.seen
            citizen.see_the_result()
            self.assertIn("form ve ıslak imza gerekmez", citizen.browser.text)
        self.assertEqual(len(told.facts), len(demo_portal.INTERPRETATION))
        receipt = re.search(r"R(-[0-9A-HJKMNP-TV-Z]{4}){4}", shown)
        self.assertTrue(receipt, shown)
        self.assertNotIn(self.sandbox.pin, shown)
        pathlib.Path(self.pictures, "sekil-8-11-terminal.txt").write_text(shown, encoding="utf-8")


if __name__ == "__main__":
    run()
