# SPDX-License-Identifier: Apache-2.0
"""The programs in client-examples that a stranger starts from: each signs a consent with the real daemon, and the daemon has
the receipt it prints."""
import os
import re
import subprocess
import tempfile

from client import Client, options
from desktop import Desktop
from processes import Child, bound_to_us
from scene import wait_until
from testing import BUILD, SOURCE, BusTest, run

EXAMPLES = os.path.join(SOURCE, "client-examples")
UNKNOWN = "The authority does not know this verification code|Kurum bu doğrulama kodunu tanımıyor"


class Examples(BusTest):
    def setUp(self):
        self.box = self.sandbox()
        self.box.start(agent=True)
        self.client = Client(self.box)

    def program(self, *argv, stdin="", status=0):
        result = subprocess.run(bound_to_us(argv), input=stdin, env={**self.box.environment(), "PYTHONDONTWRITEBYTECODE": "1"},
                                text=True, capture_output=True, check=False, timeout=90, cwd=self.box.folder)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        return result.stdout + result.stderr

    def receipts(self):
        return [str(consent["ReceiptId"]) for consent in self.client.manager.ListConsents(options(state="done"))]

    def assert_verifies(self, file):
        self.program(self.box.programs.ctl, "verify", file)
        self.assertEqual(len(self.receipts()), 1)

    def assert_unknown(self, said):
        """What happened and what to do next, in the daemon's words, and no name of an error."""
        self.assertRegex(said, UNKNOWN)
        self.assertRegex(said, "get a new code|yeni kod alın")
        self.assertNotIn("GDBus", said)

    def shows_and_signs(self, *argv):
        """Shows the text; signs after "yes" alone."""
        said = self.program(*argv, self.client.get_code()[0], stdin="no\n", status=1)
        self.assertIn("KABUL EDİYORUM", said)
        self.assertEqual(self.receipts(), [])
        said = self.program(*argv, self.client.get_code()[0], "out.p7s", stdin="yes\n")
        self.assertIn("signed: out.p7s", said)
        self.assert_verifies("out.p7s")
        self.assert_unknown(self.program(*argv, "1" * 15, status=1))
        return said

    def test_c(self):
        self.shows_and_signs(os.path.join(BUILD, "client-examples/c/sign"))

    def test_c_as_the_readme_builds_it(self):
        with open(os.path.join(EXAMPLES, "c/README.md"), encoding="utf-8") as file:
            command = re.search(r"^    (cc .*)$", file.read(), re.MULTILINE)[1]
        with tempfile.TemporaryDirectory() as folder:
            os.symlink(os.path.join(EXAMPLES, "c/sign.c"), os.path.join(folder, "sign.c"))
            subprocess.run(["sh", "-c", command], cwd=folder, check=True)
            self.assertTrue(os.access(os.path.join(folder, "sign"), os.X_OK))

    def test_python(self):
        said = self.shows_and_signs(os.path.join(EXAMPLES, "python/sign.py"))
        self.assertEqual(re.search(r"receipt: (\S+)", said)[1], self.receipts()[0])

    def test_javascript(self):
        said = self.program("gjs", os.path.join(EXAMPLES, "javascript/sign.js"), self.client.get_code()[0])
        self.assertIn("usable: ", said)
        self.assertIn("awaiting-pin", said)
        self.assertEqual(re.search(r"receipt: (\S+)", said)[1], self.receipts()[0])
        self.assert_unknown(self.program("gjs", os.path.join(EXAMPLES, "javascript/sign.js"), "1" * 15, status=1))

    def test_shell(self):
        said = self.program(os.path.join(EXAMPLES, "shell/sign.sh"))
        self.assertEqual(re.search(r"receipt: (\S+)", said)[1], self.receipts()[0])
        said = self.program(os.path.join(EXAMPLES, "shell/sign.sh"), self.client.get_code()[0])
        self.assertIn(re.search(r"receipt: (\S+)", said)[1], self.receipts())
        self.assert_unknown(self.program(os.path.join(EXAMPLES, "shell/sign.sh"), "1" * 15, status=1))

    def test_gtk(self):
        with tempfile.TemporaryDirectory() as folder:
            desktop = Desktop(folder)
            self.addCleanup(desktop.stop)
            env = {**os.environ, **self.box.environment(), **desktop.variables(), "PYTHONDONTWRITEBYTECODE": "1"}
            window = Child("example", [os.path.join(EXAMPLES, "gtk/sign-button.py")], self.box.file("example.log"), env=env)
            self.addCleanup(window.end)
            desktop.wait("push button", "Sign")
            entry = next(node for role, _name, node in desktop.nodes() if role in ("text", "entry"))
            entry.get_editable_text_iface().set_text_contents("1" * 15)
            desktop.press("Sign")
            wait_until(lambda: re.search(UNKNOWN, "\n".join(desktop.texts())), "the label's saying what to do")
            self.assertNotIn("GDBus", "\n".join(desktop.texts()))
            entry.get_editable_text_iface().set_text_contents(self.client.get_code()[0])
            desktop.press("Sign")
            desktop.wait_text("Signed. Receipt: " + "R-")
            self.assertIn(self.receipts()[0], "\n".join(desktop.texts()))

    def test_every_folder_has_a_readme(self):
        for name in sorted(os.listdir(EXAMPLES)):
            if os.path.isdir(os.path.join(EXAMPLES, name)) and name not in ("eonayctl", "eonay-trust"):
                self.assertTrue(os.path.exists(os.path.join(EXAMPLES, name, "README.md")), name)


if __name__ == "__main__":
    run()
