# SPDX-License-Identifier: Apache-2.0
"""eonayctl with the real service, a SoftHSM token and the embedded authority."""
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import unittest

from ctl_harness import BUILD, Screen
from programs import Programs
from sandbox import Sandbox

TURKISH = os.environ.get("LC_ALL", "").startswith("tr_TR")
ASKS = "[e/H] " if TURKISH else "[y/N] "
YES = "evet\n" if TURKISH else "yes\n"


class Real(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.sandbox = Sandbox(Programs(BUILD), cls.folder.name)
        cls.addClassCleanup(cls.sandbox.stop)
        cls.sandbox.add_token()
        cls.seal = cls.sandbox.add_credential("eonay-demo", "seal", "02", profile="seal")
        cls.sandbox.start()
        cls.sandbox.write_pin_file()
        cls.ctl = cls.sandbox.programs.ctl
        cls.env = {**cls.sandbox.environment(), "TEXTDOMAINDIR": os.path.join(BUILD, "po"), "TERM": "dumb"}

    def run_ctl(self, *arguments, stdin="", status=0):
        result = subprocess.run([self.ctl, *arguments], input=stdin, env=self.env, text=True, capture_output=True, check=False,
                                timeout=60, start_new_session=True)
        self.assertEqual(result.returncode, status, result.stderr)
        return result

    def json_of(self, *arguments, **options):
        return json.loads(self.run_ctl("--json", *arguments, **options).stdout)

    def code(self):
        return self.run_ctl("code").stdout

    def test_a_person_signs_on_a_terminal(self):
        out, receipt = self.sandbox.file("out.p7s"), self.sandbox.file("receipt.json")
        screen = Screen([self.ctl, "sign", "-o", out, "-r", receipt], self.env)
        screen.expect(": ")
        screen.type(self.code())
        text = screen.expect(ASKS)
        self.assertIn("KABUL EDİYORUM", text)
        screen.type(YES)
        screen.wait_echo(False)
        screen.expect("): ")
        screen.type("000000\n")
        screen.expect(": 2")
        screen.expect("): ")
        screen.type(self.sandbox.pin + "\n")
        self.assertEqual(screen.wait(), 0, screen.seen)
        with open(receipt, encoding="utf-8") as file:
            record = json.load(file)
        content = subprocess.run(["openssl", "cms", "-verify", "-noverify", "-inform", "DER", "-in", out], check=True,
                                 capture_output=True).stdout
        self.assertEqual([hashlib.sha256(content).hexdigest()], record["TextSha256"])
        report = self.json_of("verify", out)
        self.assertTrue(report["Valid"])
        self.assertEqual(report["ContentSha256"], record["TextSha256"][0])
        with open(self.sandbox.file("content"), "wb") as file:
            file.write(content + b" ")
        report = self.json_of("verify", out, "--content", self.sandbox.file("content"), status=1)
        self.assertEqual(report["FailedCheck"], "content")
        self.assertIn(record["ConsentId"], [c["ConsentId"] for c in self.json_of("consents")])
        evidence = self.sandbox.file("evidence")
        self.run_ctl("export", record["ConsentId"], "-o", evidence)
        with open(evidence, "rb") as file:
            self.assertIn(record["ReceiptId"].encode(), file.read())
        self.container_is_good(record, content)

    def test_no_code_at_all_and_a_level_not_reached(self):
        pin, out = os.path.join(self.sandbox.folder, "pin"), self.sandbox.file("b-b.p7s")
        told = self.run_ctl("sign", "-", "--yes", "--pin-file", pin, stdin="", status=6)
        self.assertNotIn("CRITICAL", told.stderr)
        self.run_ctl("sign", "-", "--yes", "--pin-file", pin, "-o", out, stdin=self.code())
        self.assertIn("(level).", self.run_ctl("verify", out, "--level=B-LTA", status=1).stdout)

    def container_is_good(self, record, content):
        """ASiC-S, before unzip and OpenSSL and ourselves."""
        container, folder = self.sandbox.file("consent.asics"), self.sandbox.file("unzipped")
        self.run_ctl("export", record["ConsentId"], "-o", container)
        subprocess.run(["unzip", "-q", container, "-d", folder], check=True)
        text, signature = os.path.join(folder, "consent.txt"), os.path.join(folder, "META-INF", "signature.p7s")
        with open(text, "rb") as file:
            self.assertEqual(file.read(), content)
        subprocess.run(["openssl", "cms", "-verify", "-binary", "-noverify", "-inform", "DER", "-in", signature, "-content",
                        text, "-out", os.devnull], check=True, capture_output=True)
        with open(os.path.join(folder, "META-INF", "record.json"), encoding="utf-8") as file:
            self.assertEqual(json.load(file)["receipt_id"], record["ReceiptId"])
        report = self.json_of("verify", container)
        self.assertEqual((report["Valid"], report["ContentSha256"]), (True, record["TextSha256"][0]))

    def test_a_script_signs(self):
        code = self.code()
        self.assertEqual(len(self.json_of("sign", "-", "--yes", "--pin-file", self.sandbox.file("pin"), stdin=code)["TextSha256"]), 1)
        used = self.json_of("sign", "-", "--yes", "--pin-file", self.sandbox.file("pin"), stdin=code, status=6)
        self.assertTrue(used["Error"].endswith(".CodeUsed"))
        self.assertNotIn("Detail", used)
        self.json_of("sign", "-", "--yes", stdin="12", status=6)

    def test_a_certificate_that_does_not_suit(self):
        found = {c["Usable"]: c for c in self.json_of("certs", "--all")}
        self.assertIn("seal", found[False]["Reasons"])
        self.assertEqual([c["Usable"] for c in self.json_of("certs")], [True])
        self.json_of("sign", "-", "--yes", "--pin-file", self.sandbox.file("pin"), "-c", found[False]["Fingerprint"],
                     stdin=self.code(), status=7)

    def test_interrupted_at_the_pin(self):
        code = self.code()
        screen = Screen([self.ctl, "sign", code.strip()], self.env)
        screen.expect(ASKS)
        screen.type(YES)
        screen.wait_echo(False)
        screen.type("\x03")
        self.assertEqual(screen.wait(), 10)
        self.assertEqual(self.json_of("consents")[0]["State"], "cancelled")

    def test_an_agent_on_another_terminal(self):
        agent = Screen([self.ctl, "agent"], self.env)
        agent.expect("ready")
        signer = subprocess.Popen([self.ctl, "sign", "--agent", "--json", self.code().strip()], env=self.env, text=True,
                                  stdout=subprocess.PIPE, start_new_session=True)
        self.assertIn("KABUL EDİYORUM", agent.expect(ASKS))
        agent.type(YES)
        agent.wait_echo(False)
        agent.expect("): ")
        agent.type(self.sandbox.pin + "\n")
        self.assertIn("ReceiptId", json.loads(signer.communicate(timeout=30)[0]))
        # and a program that goes away takes its question with it
        signer = subprocess.Popen([self.ctl, "sign", "--agent", self.code().strip()], env=self.env, start_new_session=True,
                                  stderr=subprocess.DEVNULL)
        agent.expect(ASKS)
        signer.kill()
        signer.wait()
        agent.expect("PIN")
        agent.type("\x03")
        self.assertEqual(agent.wait(), 0)

    def test_a_command_with_an_agent(self):
        result = self.run_ctl("agent", "--accept", "--pin-file", self.sandbox.file("pin"), "--", "busctl", "--timeout=60",
                              f"--address={self.sandbox.bus.address}", "call", "org.eonay.EOnay1", "/org/eonay/EOnay1",
                              "org.eonay.EOnay1.Manager", "SignConsent", "soa{sv}", self.code().strip(), "/", "0")
        self.assertIn("ReceiptId", result.stdout)

    def test_lists(self):
        self.assertEqual(self.json_of("tokens")["Tokens"][0]["Label"], "eonay-demo")
        self.assertEqual(self.json_of("tokens", "--refresh")["Tokens"][0]["PinState"] in ("ok", "low"), True)
        status = self.json_of("status", "--subject-file", "-", stdin="10000000146\n")
        self.assertEqual([b["Plugin"] for b in status["Backends"]], ["ca-local"])
        self.assertIn("Approved", status["Approval"])
        self.json_of("status", "--subject-file", "-", stdin="10000000147\n", status=1)
        self.json_of("code", "--backend", "nowhere", status=8)
        self.run_ctl("status")
        self.run_ctl("tokens")
        self.run_ctl("consents")

    def test_a_new_code_ends_the_old_one(self):
        old = self.code()
        with open(self.sandbox.file("old"), "w", encoding="ascii") as file:
            file.write(old)
        self.run_ctl("code", "--supersede-file", self.sandbox.file("old"))
        told = self.json_of("sign", "-", "--yes", "--pin-file", self.sandbox.file("pin"), stdin=old, status=6)
        self.assertTrue(told["Error"].endswith(".CodeSuperseded"))

    def test_a_key_in_a_file(self):
        credential = self.sandbox.pki.issue("file", profile="nes")
        p12 = self.sandbox.file("key.p12")
        subprocess.run(["openssl", "pkcs12", "-export", "-inkey", credential.key, "-in", credential.certificate, "-out", p12,
                        "-passout", "pass:parola 1"], check=True, capture_output=True)
        with open(os.open(self.sandbox.file("parola"), os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="ascii") as file:
            file.write("parola 1\n")
        record = self.json_of("sign", "-", "--yes", "--file", p12, "--pin-file", self.sandbox.file("parola"), stdin=self.code())
        self.assertIn("ReceiptId", record)
        self.assertEqual([c["Usable"] for c in self.json_of("certs")], [True])  # it is gone with its program


if __name__ == "__main__":
    sys.exit(unittest.main())
