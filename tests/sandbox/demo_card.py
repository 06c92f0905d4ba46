# SPDX-License-Identifier: Apache-2.0
"""The demo with a card: a virtual PIV card in a virtual reader, real pcscd, real OpenSC (tests/cards). The card is made
here; then the demo runs again inside a namespace that holds nothing but them."""
import os
import shutil
import subprocess
import sys

from processes import bound_to_us
from sandbox import new_folder

CARDS = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cards"))
WHERE = """on a virtual smart card: a process that answers as a PIV card, in a virtual reader of a pcscd of its own; OpenSC's
    PKCS#11 module reads it"""
SKIPPED = 77


def inside():
    return "EONAY_PCSC_SANDBOX" in os.environ


def card_sandbox():
    sys.path.append(CARDS)
    import card_sandbox as module  # what only this demo needs
    return module


def sandbox_class():
    return card_sandbox().CardSandbox


def enter(programs, work):
    """Runs this same command beside the card; returns its exit status."""
    folder, lock = new_folder(work)
    try:
        card = card_sandbox().Authority(programs.mkpki, folder).card("citizen", s9c="rsa2048")
        command = [os.path.join(CARDS, "pcsc-sandbox"), "--tools", os.path.join(programs.build, "tests", "cards"), "--card", card,
                   "--", sys.executable, "-B", *sys.argv]
        status = subprocess.Popen(bound_to_us(command), env={**os.environ, "EONAY_TEST_CARDS": folder}).wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)
    if status == SKIPPED:
        print("The demo could not start: see the line above.", file=sys.stderr)
        return 1
    return status if status >= 0 else 128 - status
