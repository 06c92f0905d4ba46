#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""eonayctl doctor beside a real pcscd: none, one that refuses us, no reader, an empty one, a card that nothing reads, and a PIV card
through OpenSC whose PIN is really locked."""
import os
import socket
import subprocess
import threading
import time

import cards
from pki import Pki
from test_doctor import Broken, DoctorCase
from programs import Programs
from testing import BUILD, SOURCE, run

PIN, PUK = "123456", "12345678"
SOCKET = "/run/pcscd/pcscd.comm"


def make(folder):
    pki = Pki(Programs(BUILD).mkpki, folder)
    credential = pki.issue("ali", profile="nes", key="p256")
    card = os.path.join(folder, "card")
    os.makedirs(card)
    os.rename(credential.key, os.path.join(card, "9c-key.pem"))
    os.rename(credential.certificate, os.path.join(card, "9c-cert.pem"))
    yield card


class Cards(DoctorCase):
    def setUp(self):
        self.pcscd, self.card = cards.Pcscd(), cards.Card(0)
        self.pcscd.tell("start")
        self.pcscd.tell("plug 0")
        for line in ("clear", f"code pin {PIN}", f"code puk {PUK}", "tries pin 3", "tries puk 3", "insert"):
            self.card.tell(line)
        self.card.wait_seen()

    def begin(self, **daemon):
        sandbox = self.make("Token softhsm")
        sandbox.default_sections = lambda: {
            **Broken.default_sections(sandbox),
            "Daemon": {"DefaultBackend": "local", "Readers": "yes", "ModuleDirectories": os.path.join(SOURCE, "plugins/modules"), **daemon}}
        sandbox.start()
        return sandbox

    def eventually(self, name, sandbox):
        """Readers are told when they are there, not when one asks: the fault alone, within a few seconds."""
        deadline = time.monotonic() + 60
        while set(self.faults(sandbox)) - {"no-agent"} != {name} and time.monotonic() < deadline:
            time.sleep(0.1)
        return self.only(name, sandbox)

    def eventually_well(self, sandbox):
        deadline = time.monotonic() + 60
        while set(self.faults(sandbox)) - {"no-agent"} and time.monotonic() < deadline:
            time.sleep(0.1)
        self.assertEqual(set(self.faults(sandbox)), {"no-agent"})

    def test_readers_come_and_go(self):
        sandbox = self.begin()
        self.eventually_well(sandbox)
        self.card.tell("pull")
        self.assertIn("0000", self.eventually("reader-empty", sandbox)["Detail"])
        self.pcscd.tell("unplug 0")
        self.assertEqual(self.eventually("no-reader", sandbox)["Command"], "lsusb")
        self.pcscd.tell("stop")
        self.assertEqual(self.eventually("pcscd-stopped", sandbox)["Command"], "sudo systemctl enable --now pcscd.socket")

    def test_pcscd_is_not_installed(self):
        self.pcscd.tell("stop")
        sandbox = self.begin()
        self.eventually("pcscd-stopped", sandbox)
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/usr/sbin"], check=True)  # of this namespace only
        try:
            self.assertEqual(self.eventually("pcscd-missing", sandbox)["Command"], "sudo apt install pcscd")
        finally:
            subprocess.run(["umount", "/usr/sbin"], check=True)

    def test_a_card_that_nothing_reads(self):
        sandbox = self.begin(ModuleDirectories=os.path.join(SOURCE, "no-such-folder"))
        sandbox.stop_daemon()
        sandbox.set_section("Token none", Plugin="token-pkcs11", Module="/nonexistent/module.so")
        sandbox.start_daemon()
        deadline = time.monotonic() + 60
        while "card-unread" not in (found := self.faults(sandbox)) and time.monotonic() < deadline:
            time.sleep(0.1)
        self.assertEqual(set(found), {"no-agent", "card-unread", "module-missing"})
        self.assertIn("/nonexistent/module.so", found["card-unread"]["Detail"])

    def sign(self, sandbox, pin):
        path = sandbox.file("pin")
        with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
            file.write(pin)
        code = self.run_ctl(sandbox.environment(), "code").stdout.strip()
        return self.run_ctl(sandbox.environment(), "sign", code, "--yes", "--allow-final-try", "--pin-file", path).returncode

    def test_wrong_pins(self):
        sandbox = self.begin()
        self.eventually_well(sandbox)
        self.assertEqual(self.sign(sandbox, "000000"), 5)
        self.assertEqual(self.sign(sandbox, "000000"), 5)
        self.eventually("pin-final-try", sandbox)
        self.assertEqual(self.sign(sandbox, "000000"), 5)
        self.assertIn("eonayctl pin unblock", self.eventually("pin-locked", sandbox)["Command"])
        with open(os.open(sandbox.file("puk"), os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="ascii") as file:
            file.write("168857414351237")
        told = self.run_ctl(sandbox.environment(), "pin", "unblock", "--pin-file", sandbox.file("puk"), "--new-pin-file",
                            sandbox.file("pin"))
        self.assertEqual(told.returncode, 5, told.stderr)
        self.assertIn("not a PUK", told.stderr)
        self.assertEqual(self.card.report()["puk-tries"], 3)

    def listen(self):
        """What a pcscd that refuses looks like: whoever connects is turned away."""
        self.pcscd.tell("stop")
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(os.unlink, SOCKET)
        self.addCleanup(listener.close)
        listener.bind(SOCKET)
        os.chmod(SOCKET, 0o666)
        listener.listen()

        def turn_away():
            while True:
                try:
                    listener.accept()[0].close()
                except OSError:
                    return
        threading.Thread(target=turn_away, daemon=True).start()

    def test_pcscd_refuses_us(self):
        self.listen()
        sandbox = self.begin()
        self.assertIn("polkit", self.eventually("pcscd-refuses", sandbox)["Command"])
        subprocess.run(["mount", "-o", "remount,hidepid=2", "/proc"], check=True)  # of this namespace only
        try:
            self.assertEqual(self.eventually("proc-hidden", sandbox)["Command"], "sudo mount -o remount,hidepid=0 /proc")
        finally:
            subprocess.run(["mount", "-o", "remount,hidepid=0", "/proc"], check=True)


if __name__ == "__main__":
    cards.enter(make)
    run()
