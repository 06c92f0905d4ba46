# SPDX-License-Identifier: Apache-2.0
"""Figures 8 to 11 of the guide in a terminal, against the real portal: a code as it stands on its page is pasted, the text is read,
the certificate chosen, the PIN given, and the receipt is the portal's. And a code that eonayctl itself gets through the browser."""
import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import unittest

from portal import AYSE, Portal
from programs import Programs
from sandbox import Sandbox
from testing import BUILD, SOURCE, WORK, run

sys.path.insert(0, os.path.join(SOURCE, "tests", "unit", "ctl"))
from ctl_harness import Screen  # noqa: E402

TURKISH = os.environ.get("LC_ALL", "").startswith("tr_TR")
ASKS, YES = ("[e/H] ", "evet\n") if TURKISH else ("[y/N] ", "yes\n")
MEHMET = "12345678950"
CODE = r"^[1-9][0-9]{14}$"


class Terminal(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sandbox = Sandbox(Programs(BUILD), WORK)
        cls.addClassCleanup(cls.sandbox.stop)
        cls.portal = Portal(cls.sandbox, Clients=cls.clients_file())
        cls.portal.start()
        cls.addClassCleanup(cls.portal.stop)
        cls.sandbox.set_section("Daemon", DefaultBackend="portal")
        cls.sandbox.daemon_env["CREDENTIALS_DIRECTORY"] = cls.sandbox.file("credentials")
        cls.sandbox.set_section("Backend portal", **cls.portal.section(ApiKeyCredential="portal-key"))
        cls.sandbox.add_token()
        cls.sandbox.add_credential("eonay-demo", "mehmet", "02", name="MEHMET DEMİR", tckn=MEHMET)
        cls.sandbox.start()
        cls.sandbox.write_pin_file()
        cls.ctl = cls.sandbox.programs.ctl
        cls.env = {**cls.sandbox.environment(), "TEXTDOMAINDIR": os.path.join(BUILD, "po"), "TERM": "dumb"}

    @classmethod
    def clients_file(cls):
        """The key of this machine, and the hash of it that the operator was given."""
        os.mkdir(cls.sandbox.file("credentials"), 0o700)
        key = "makine-" + "4711" * 10
        with open(cls.sandbox.file("credentials", "portal-key"), "w", encoding="ascii") as file:
            file.write(key + "\n")
        path = cls.sandbox.file("clients")
        with open(path, "w", encoding="ascii") as file:
            file.write(f"eonayd {hashlib.sha256(key.encode()).hexdigest()}\n")
        os.chmod(path, 0o600)
        return path

    def json_of(self, *arguments, stdin="", status=0):
        result = subprocess.run([self.ctl, "--json", *arguments], input=stdin, env=self.env, text=True, capture_output=True,
                                check=False, timeout=60, start_new_session=True)
        self.assertEqual(result.returncode, status, result.stderr + result.stdout)
        return json.loads(result.stdout)

    def test_a_code_for_a_pin_is_not_spent(self):
        code = self.portal.code(purpose="pin.unblock")
        [fingerprint] = [c["Fingerprint"] for c in self.json_of("certs") if "AYŞE" in c["Subject"]]
        refused = subprocess.run([self.ctl, "--json", "sign", "-", "--yes", "--pin-file", self.sandbox.file("pin"), "-c", fingerprint],
                                 input=code + "\n", env=self.env, text=True, capture_output=True, check=False, timeout=60,
                                 start_new_session=True)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("Unsupported", refused.stderr + refused.stdout)
        self.assertEqual(self.portal.rows("SELECT state FROM code WHERE purpose = 'pin.unblock'"), [(0,)])

    def test_figures_8_to_11(self):
        out, receipt = self.sandbox.file("out.p7s"), self.sandbox.file("receipt.json")
        screen = Screen([self.ctl, "sign", "-o", out, "-r", receipt], self.env)
        screen.expect(": ")  # figure 8: the empty field
        screen.type(self.portal.code() + "\n")  # figure 9: filled in
        offered = screen.expect("-2] ")  # figure 10: the certificate is chosen,
        screen.type(re.search(r"(\d)\. AYŞE YILMAZ", offered).group(1) + "\n")
        shown = screen.expect(ASKS)  # the text read: whose it is, how long it lives,
        self.assertIn("Örnek Sertifikasyon Merkezi", shown)
        self.assertIn("KABUL EDİYORUM", shown)
        screen.type(YES)
        screen.wait_echo(False)
        screen.expect("): ")
        screen.type(self.sandbox.pin + "\n")  # and the PIN given
        self.assertEqual(screen.wait(), 0, screen.seen)  # figure 11
        with open(receipt, encoding="utf-8") as file:
            record = json.load(file)
        self.assertIn(record["ReceiptId"], screen.seen)
        self.assertIn(record["ReceiptId"], self.portal.receipts())
        evidence = json.loads(self.portal.tool("evidence", record["ReceiptId"]))
        with open(out, "rb") as file:
            self.assertEqual(base64.b64encode(file.read()).decode(), evidence["signatures"][0]["cms"])

    def sign(self, code, status=0, name="AYŞE"):
        [fingerprint] = [c["Fingerprint"] for c in self.json_of("certs") if name in c["Subject"]]
        return self.json_of("sign", "-", "--yes", "--pin-file", self.sandbox.file("pin"), "-c", fingerprint, stdin=code + "\n",
                            status=status)

    def test_a_code_through_the_browser(self):
        """eonayctl code waits while its user logs in and accepts elsewhere; what it is told goes on its screen, the code alone
        into the pipe."""
        waiting = subprocess.Popen([self.ctl, "code"], env=self.env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   stdin=subprocess.DEVNULL, start_new_session=True)
        self.addCleanup(waiting.kill)
        told = ""
        while not (user_code := re.search(r": ([BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4})\n", told)):
            line = waiting.stderr.readline()
            self.assertTrue(line, told)
            told += line
        self.assertIn(self.portal.url, told)
        self.portal.decide(user_code.group(1))
        code, more = waiting.communicate(timeout=60)
        self.assertEqual(waiting.returncode, 0, more)
        self.assertRegex(code.strip(), CODE)
        self.assertIn(self.sign(code.strip())["ReceiptId"], self.portal.receipts())

    def test_the_user_refuses_in_the_browser(self):
        waiting = subprocess.Popen([self.ctl, "--json", "code"], env=self.env, text=True, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, start_new_session=True)
        self.addCleanup(waiting.kill)
        told = ""
        while not (user_code := re.search(r": ([BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4})\n", told)):
            line = waiting.stderr.readline()
            self.assertTrue(line, told)
            told += line
        self.portal.decide(user_code.group(1), "no")
        answer, more = waiting.communicate(timeout=60)
        self.assertNotEqual(waiting.returncode, 0)
        self.assertIn("CodeDenied", answer + more)

    def test_each_refusal_has_its_name(self):
        code = self.portal.code()
        self.sign(code)
        self.assertTrue(self.sign(code, status=6)["Error"].endswith(".CodeUsed"))
        self.assertTrue(self.sign("999999999999999", status=6)["Error"].endswith(".CodeUnknown"))
        self.assertTrue(self.sign(self.portal.code(MEHMET), status=7)["Error"].endswith(".IdentityMismatch"))
        self.assertTrue(self.sign(self.portal.code(MEHMET), name="MEHMET")["ReceiptId"])

    def test_status_and_approval(self):
        self.sign(self.portal.code())
        status = self.json_of("status", "--subject-file", "-", stdin=AYSE + "\n")
        backend = {b["Name"]: b for b in status["Backends"]}
        self.assertIn("Örnek Sertifikasyon Merkezi", json.dumps(backend, ensure_ascii=False))
        self.assertTrue(status["Approval"]["Approved"])


if __name__ == "__main__":
    run()
