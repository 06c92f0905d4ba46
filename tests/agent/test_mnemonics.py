# SPDX-License-Identifier: Apache-2.0
"""On each page every underlined letter reaches one thing, in every language: Alt and the letter of "cancel" must not also be
that of the PIN."""
import gettext
import os
import re
import unittest

SOURCE = os.environ["EONAY_SOURCE"]
BUILD = os.environ["EONAY_BUILD"]
FOLDER = os.path.join(SOURCE, "client-examples/agent/window")
PAGES = {"code": ["page-code.c", "authority-box.c"], "contract": ["page-contract.c", "certificate-box.c", "pin-box.c"], "end": ["page-end.c"]}


def messages(names):
    for name in names:
        with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
            yield from re.findall(r'_\("((?:[^"\\]|\\.)*)"\)', file.read())


class Mnemonics(unittest.TestCase):
    def test_one_letter_one_thing(self):
        turkish = gettext.translation("eonay", os.path.join(BUILD, "po"), ["tr"]).gettext
        for language, translate in (("en", str), ("tr", turkish)):
            for page, names in PAGES.items():
                with self.subTest(language=language, page=page):
                    marked = [translate(message) for message in messages(names) if "_" in message]
                    letters = [re.search(r"_(\w)", text)[1].lower() for text in marked]
                    self.assertGreaterEqual(len(letters), 2)
                    self.assertEqual(len(set(letters)), len(letters), marked)


if __name__ == "__main__":
    unittest.main()
