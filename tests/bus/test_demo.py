# SPDX-License-Identifier: Apache-2.0
"""The demo as its user sees it, from the build tree: the files it leaves, commands inside the sandbox, and that nothing
outlives it."""
import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from asn1crypto import cms

from testing import BUILD, SOURCE, WORK, run

SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"  # RFC 5035; this asn1crypto has no name for it
DEMO = os.path.join(SOURCE, "tests/sandbox/demo.py")
MANAGER = ["org.eonay.EOnay1", "/org/eonay/EOnay1", "org.eonay.EOnay1.Manager"]
SIGN_BY_BUSCTL = r"""
set -eu
call="org.eonay.EOnay1 /org/eonay/EOnay1 org.eonay.EOnay1.Manager"
code=$(busctl call $call GetCode 'sa{sv}' local 0 | cut -d'"' -f2)
busctl call $call ListCertificates 'a{sv}' 0 | grep -q Fingerprint
busctl --timeout=300 call $call SignConsent 'soa{sv}' "$code" / 0
"""


def processes_of(folder):
    """Processes whose command line or environment names something below the folder."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if int(pid) == os.getpid():
            continue
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as cmdline, open(f"/proc/{pid}/environ", "rb") as environ:
                if folder.encode() in cmdline.read() + environ.read():
                    found.append(pid)
        except OSError:
            continue
    return found


class Demo(unittest.TestCase):
    def setUp(self):
        os.makedirs(WORK, exist_ok=True)
        self.work = tempfile.mkdtemp(prefix="demo-", dir=WORK)
        self.addCleanup(shutil.rmtree, self.work)

    def start(self, *arguments, **options):
        return subprocess.Popen([sys.executable, "-B", DEMO, "--build", BUILD, "--work", self.work, *arguments],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
                                start_new_session=True, **options)

    def demo(self, *arguments):
        process = self.start(*arguments)
        output, errors = process.communicate(timeout=120)
        return process.returncode, output, errors

    def assertNothingLeft(self):
        """No process and no folder of a sandbox."""
        deadline = time.monotonic() + 60
        while (left := processes_of(self.work)) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual(left, [])
        self.assertEqual([name for name in os.listdir(self.work) if name != "out"], [])

    def test_leaves_what_others_can_verify(self):
        out = os.path.join(self.work, "out")
        status, output, errors = self.demo("--yes", "--out", out)
        self.assertEqual(status, 0, output + errors)
        self.assertEqual(sorted(os.listdir(out)), ["ca.pem", "consent.p7s", "consent.txt", "receipt.json"])
        subprocess.run(["openssl", "cms", "-verify", "-cades", "-inform", "DER", "-in", "consent.p7s", "-CAfile",
                        "ca.pem", "-out", "verified"], cwd=out, check=True, stderr=subprocess.PIPE)
        with open(f"{out}/verified", "rb") as verified, open(f"{out}/consent.txt", "rb") as text:
            content = text.read()
            self.assertEqual(verified.read(), content)
        with open(f"{out}/consent.p7s", "rb") as file:
            message = cms.ContentInfo.load(file.read(), strict=True)["content"]
        self.assertEqual(message["encap_content_info"]["content"].native, content)
        attributes = sorted(a["type"].native for a in message["signer_infos"][0]["signed_attrs"])
        self.assertEqual(attributes, [SIGNING_CERTIFICATE_V2, "content_type", "message_digest", "signing_time"])
        with open(f"{out}/receipt.json", encoding="utf-8") as file:
            self.assertTrue(json.load(file)["ReceiptId"])
        self.assertNothingLeft()

    def test_a_person_who_does_not_want_to(self):
        pid, terminal = pty.fork()
        if pid == 0:
            os.execv(sys.executable, [sys.executable, "-B", DEMO, "--build", BUILD, "--work", self.work])
        self.addCleanup(os.close, terminal)
        for question, answer in [("[Enter] ", "\n")] * 3 + [("[yes/no] ", "perhaps\n"), ("[yes/no] ", "no\n")]:
            self.until(terminal, question)
            os.write(terminal, answer.encode())
        told = self.until(terminal, None)
        self.assertIn("nothing was signed", told)
        self.assertNotIn("failed", told)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 1)
        self.assertNothingLeft()

    def until(self, terminal, text):
        """What is shown up to the text, or to the end."""
        seen = ""
        while text is None or text not in seen:
            self.assertTrue(select.select([terminal], [], [], 120)[0], seen)
            try:
                seen += os.read(terminal, 65536).decode(errors="replace")
            except OSError:  # the other end is closed
                self.assertIsNone(text, seen)
                break
        return seen

    def test_a_reader_who_has_enough(self):
        process = self.start("--yes")
        process.stdout.close()
        errors = process.stderr.read()
        process.stderr.close()
        self.assertEqual(process.wait(timeout=120), 1)
        self.assertEqual(errors.count("\n"), 1, errors)
        self.assertNothingLeft()

    def test_three_calls_from_a_shell(self):
        status, output, errors = self.demo("--", "sh", "-c", SIGN_BY_BUSCTL)
        self.assertEqual(status, 0, errors)
        self.assertIn("ReceiptId", output)
        self.assertNothingLeft()

    def test_passes_the_exit_status_on(self):
        self.assertEqual(self.demo("--", "sh", "-c", "exit 7")[0], 7)
        self.assertEqual(self.demo("--", "sh", "-c", "kill -TERM $$")[0], 128 + signal.SIGTERM)
        self.assertEqual(self.demo("--", "/nonexistent/program")[0], 127)

    def test_ends_all_it_started(self):
        for number, expected in ((signal.SIGTERM, 128 + signal.SIGTERM), (signal.SIGKILL, -signal.SIGKILL)):
            process = self.start("--", "sh", "-c", "(trap '' TERM HUP; setsid sleep 1000) & echo ready; wait")
            self.assertEqual(process.stdout.readline(), "ready\n")
            process.send_signal(number)
            process.communicate(timeout=60)
            self.assertEqual(process.returncode, expected)
            self.assertNothingLeft()

    def test_ends_all_when_its_worker_crashes(self):
        process = self.start("--", "sh", "-c", "setsid sleep 1000 & kill -KILL $PPID; wait")
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 128 + signal.SIGKILL)
        self.assertNothingLeft()


if __name__ == "__main__":
    run()
