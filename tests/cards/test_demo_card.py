# SPDX-License-Identifier: Apache-2.0
"""The demo with a card, as its user sees it: the files it leaves, commands inside, and that nothing outlives it."""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import cards
from testing import BUILD, SOURCE, WORK, run

DEMO = os.path.join(SOURCE, "tests/sandbox/demo.py")


def processes_of(folder):
    """Processes whose command line or environment names something below the folder."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as cmdline, open(f"/proc/{pid}/environ", "rb") as environ:
                if int(pid) != os.getpid() and folder.encode() in cmdline.read() + environ.read():
                    found.append(pid)
        except OSError:
            continue
    return found


class Demo(unittest.TestCase):
    def setUp(self):
        os.makedirs(WORK, exist_ok=True)
        self.work = tempfile.mkdtemp(prefix="demo-", dir=WORK)
        self.addCleanup(shutil.rmtree, self.work)

    def start(self, *arguments):
        return subprocess.Popen([sys.executable, "-B", DEMO, "--build", BUILD, "--work", self.work, "--card", *arguments],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
                                start_new_session=True)

    def demo(self, *arguments):
        process = self.start(*arguments)
        output, errors = process.communicate(timeout=120)
        return process.returncode, output, errors

    def assertNothingLeft(self):
        deadline = time.monotonic() + 60
        while (left := processes_of(self.work)) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual(left, [])
        self.assertEqual([name for name in os.listdir(self.work) if name != "out"], [])

    def test_signs_with_the_card(self):
        out = os.path.join(self.work, "out")
        status, output, errors = self.demo("--yes", "--out", out)
        self.assertEqual(status, 0, output + errors)
        self.assertIn("PIV card", output)
        self.assertEqual(sorted(os.listdir(out)), ["ca.pem", "consent.p7s", "consent.txt", "receipt.json"])
        subprocess.run(["openssl", "cms", "-verify", "-cades", "-inform", "DER", "-in", "consent.p7s", "-CAfile",
                        "ca.pem", "-out", "verified"], cwd=out, check=True, stderr=subprocess.PIPE)
        with open(f"{out}/verified", "rb") as verified, open(f"{out}/consent.txt", "rb") as text:
            self.assertEqual(verified.read(), text.read())
        self.assertNothingLeft()

    def test_a_command_beside_the_card(self):
        status, output, errors = self.demo("--", "sh", "-c", "opensc-tool -l && eonayctl certs; exit 7")
        self.assertEqual(status, 7, errors)
        self.assertIn("Virtual PCD", output)
        self.assertNothingLeft()

    def test_ends_all_it_started(self):
        for number, expected in ((signal.SIGTERM, 128 + signal.SIGTERM), (signal.SIGKILL, -signal.SIGKILL)):
            process = self.start("--", "sh", "-c", "setsid sleep 1000 & echo ready; wait")
            self.assertEqual(process.stdout.readline(), "ready\n")
            process.send_signal(number)
            process.communicate(timeout=60)
            self.assertEqual(process.returncode, expected)
            self.assertNothingLeft()


if __name__ == "__main__":
    if not cards.opensc_module():
        sys.exit(cards.SKIP)
    run()
