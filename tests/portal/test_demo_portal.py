# SPDX-License-Identifier: Apache-2.0
"""./demo --portal as its user sees it: a browser and the daemon walk the guide, a picture of each page and the results stay, and
nothing else does."""
import json
import os
import signal
import unittest

import test_demo
from testing import run

PICTURES = ["3-8-basvuru.png", "3-8-sonuc.png", "sekil-1-menu.png", "sekil-2-giris.png", "sekil-3-saglayici.png",
            "sekil-4-islemler.png", "sekil-5-nes.png", "sekil-6-e-onay.png", "sekil-7-acildi.png", "sekil-7-kod.png"]
RESULTS = ["ca.pem", "consent.p7s", "consent.txt", "receipt.json"]


class Portal(test_demo.Demo):
    def demo(self, *arguments):
        process = self.start(*arguments)
        output, errors = process.communicate(timeout=300)
        return process.returncode, output, errors

    def test_the_whole_guide(self):
        out = os.path.join(self.work, "out")
        status, output, errors = self.demo("--portal", "--yes", "--out", out)
        self.assertEqual(status, 0, output + errors)
        self.assertEqual(sorted(os.listdir(out)), sorted(PICTURES + RESULTS))
        for name in PICTURES:
            with open(os.path.join(out, name), "rb") as file:
                picture = file.read()
            self.assertTrue(picture.startswith(b"\x89PNG"))
            self.assertGreater(len(picture), 8000, name)  # something is on it
        with open(os.path.join(out, "receipt.json"), encoding="utf-8") as file:
            self.assertRegex(json.load(file)["ReceiptId"], "^R-")
        self.assertIn("https://localhost:", output)
        self.assertIn("log in as", output)
        self.assertNothingLeft()

    def test_a_command_beside_the_portal_and_a_sudden_end(self):
        process = self.start("--portal", "--", "sh", "-c", "eonayctl --json status; echo; echo ready; sleep 1000")
        told = ""
        while not told.endswith("ready\n"):
            line = process.stdout.readline()
            self.assertTrue(line, told + process.stderr.read() if process.poll() is not None else told)
            told += line
        self.assertIn('"ca-rest"', told)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        self.assertNothingLeft()


def load_tests(loader, _tests, _pattern):
    """Not those of the class we build on."""
    suite = unittest.TestSuite()
    suite.addTests(Portal(name) for name in loader.getTestCaseNames(Portal) if not hasattr(test_demo.Demo, name))
    return suite


if __name__ == "__main__":
    run()
