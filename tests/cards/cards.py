# SPDX-License-Identifier: Apache-2.0
"""What card tests share: cards with fresh keys, the way into the sandbox, and a hand on cards and pcscd inside it."""
import glob
import os
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SANDBOX_TOOL = os.path.join(HERE, "pcsc-sandbox")
SKIP = 77


def opensc_module():
    """OpenSC's PKCS#11 module, or None."""
    patterns = ("/usr/lib/*/opensc-pkcs11.so", "/usr/lib*/opensc-pkcs11.so", "/usr/lib*/pkcs11/opensc-pkcs11.so")
    return next((p for pattern in patterns for p in sorted(glob.glob(pattern))), None)


def make_card(folder, **slots):
    """make_card(folder, s9c="p256"): keys and certificates that sign themselves; also `serial` (32 hexadecimal digits)
    and `script` (lines of the card's script)."""
    keys = [f"{name[1:]}={kind}" for name, kind in slots.items() if name.startswith("s9")]
    subprocess.run([SANDBOX_TOOL, "make-card", folder, *keys], check=True)
    for name in ("serial", "script"):
        if name in slots:
            with open(os.path.join(folder, name), "w") as file:
                file.write(slots[name] + "\n")
    return folder


def inside():
    return "EONAY_PCSC_SANDBOX" in os.environ


def enter(make, *options):
    """Outside the sandbox: runs this same script inside, with the cards make(folder) returns, and exits as it does.
    Inside: returns at once. A returned path that begins with "-" is a card that is not inserted yet."""
    if inside():
        return
    with tempfile.TemporaryDirectory(prefix="cards.") as folder:
        arguments = []
        for card in make(folder):
            arguments += ["--absent", card[1:]] if card.startswith("-") else ["--card", card]
        result = subprocess.run([SANDBOX_TOOL, *arguments, *options, "--", sys.executable, *sys.argv],
                                env=dict(os.environ, EONAY_TEST_CARDS=folder))
    sys.exit(result.returncode)


class Control:
    """A card's, or pcscd's, control socket."""

    def __init__(self, name):
        self.folder = os.path.join(os.environ["EONAY_PCSC_SANDBOX"], name)
        self.path = os.path.join(self.folder, "control")

    def tell(self, line):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(60)
            connection.connect(self.path)
            connection.sendall(line.encode() + b"\n")
            with connection.makefile() as answer:
                reply = answer.readline().rstrip("\n")
        if reply.startswith("error") or not reply:
            raise RuntimeError(f"{line}: {reply or 'no answer'}")
        return reply


class Card(Control):
    def __init__(self, number):
        super().__init__(f"card{number}")

    def report(self):
        """The card's counters and states, as numbers."""
        return {name: int(value) for name, value in (pair.split("=") for pair in self.tell("report").split())}

    def log(self):
        with open(os.path.join(self.folder, "log")) as file:
            return file.read()

    def wait_seen(self, seconds=60):
        """Until pcscd has noticed the inserted card. (It takes the power away again from a card nobody uses.)"""
        wait_until(lambda: self.report()["power-ups"] > 0, seconds)


class Pcscd(Control):
    def __init__(self):
        super().__init__("pcscd")


def wait_until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("it did not come to pass")
        time.sleep(0.02)
