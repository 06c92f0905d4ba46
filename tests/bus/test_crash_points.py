# SPDX-License-Identifier: Apache-2.0
"""The daemon dies by SIGKILL at every point that daemon/crash-point.h names, and is started again.

The points come from that table, so a new one fails here until its consequence is written down in FATES.
"""
import os
import re
import signal
import time

from client import Client
from crash_scene import CrashTest
from testing import SOURCE, run

# What ListConsents says after the restart: state, error. None: there is no record, since the caller never got a consent.
CANCELLED = ("cancelled", "Interrupted")
FAILED = ("failed", "Interrupted")
DONE = ("done", "")
FATES = {
    "redeem-sent": None,
    "redeemed": None,
    "open-recorded": CANCELLED,
    "sign-accepted": CANCELLED,
    "authorised": CANCELLED,
    "confirmed": CANCELLED,
    "pin-delivered": CANCELLED,
    "login-sent": CANCELLED,
    "signing-recorded": FAILED,
    "sign-sent": FAILED,
    "login-answered": FAILED,
    "sign-answered": FAILED,
    "verified": FAILED,
    "signature-recorded": DONE,
    "submit-sent": DONE,
    "submit-answered": DONE,
    "done-recorded": DONE,
    "cancel-recorded": ("cancelled", "Cancelled"),
}
MAYBE_SIGNED = ("signing-recorded", "sign-sent", "login-answered")  # the token hears of the end or of the order first
SHORT_LIFE = 7  # seconds; a signature is not begun in the last five


def crash_points():
    with open(os.path.join(SOURCE, "daemon", "crash-point.h"), encoding="utf-8") as header:
        return re.findall(r'^\s*X\("([a-z-]+)"\)', header.read(), re.MULTILINE)


class CrashPoints(CrashTest):
    def test_the_table_is_complete(self):
        self.assertGreaterEqual(len(crash_points()), 15)
        self.assertEqual(sorted(crash_points()), sorted(FATES))

    def test_every_point(self):
        sandbox = self.scene(spy=True)
        sandbox.start_daemon()
        for name in crash_points():
            with self.subTest(point=name):
                self.crash_once(sandbox, name)
        _, receipts = self.assert_invariants(sandbox)
        self.assertEqual(len(receipts), len([fate for fate in FATES.values() if fate == DONE]))

    def crash_once(self, sandbox, name):
        code, _ = Client(sandbox).get_code()
        known, signed = set(self.records(sandbox)), self.calls_of_module(sandbox, "C_Sign")
        self.die_at(sandbox, name, code)
        sandbox.start_daemon()
        consent_id = self.new_record(sandbox, known)
        if FATES[name]:
            record = self.settled(sandbox, consent_id)
            self.assertEqual((record["State"], record["Error"]), FATES[name])
            self.assertEqual(bool(record["ReceiptId"]), FATES[name] == DONE)
            self.assertEqual(bool(record["SignedAt"]), FATES[name] == DONE)
        else:
            self.assertIsNone(consent_id)
        self.assert_never_signed_twice(sandbox, name, code, signed)
        self.assert_invariants(sandbox)

    def die_at(self, sandbox, name, code):
        sandbox.restart_daemon(env={"EONAY_CRASH_AT": name})
        by_agent = name == "confirmed"
        if by_agent:
            sandbox.start_agent()
        self.walk(sandbox, code, by_agent=by_agent, cancel=name == "cancel-recorded")
        self.assertEqual(sandbox.daemon.wait(60), -signal.SIGKILL, "the daemon did not reach this point")
        sandbox.daemon.end()
        if by_agent:
            sandbox.agent.end()

    def new_record(self, sandbox, known):
        new = set(self.records(sandbox)) - known
        self.assertLessEqual(len(new), 1)
        return new.pop() if new else None

    def assert_never_signed_twice(self, sandbox, name, code, signed_before):
        if name != "redeem-sent":  # there the authority got the code in time or not
            self.assert_code_is_spent(sandbox, code)
        made = self.calls_of_module(sandbox, "C_Sign") - signed_before
        if name in MAYBE_SIGNED:
            self.assertLessEqual(made, 1)
        else:
            self.assertEqual(made, 1 if FATES[name] in (FAILED, DONE) else 0, "signatures made by the token")


class Late(CrashTest):
    """The restart comes after the code is dead: the authority is asked what became of it."""

    def late(self, point, after_death=lambda _sandbox: None):
        sandbox = self.scene(CodeLifetime=SHORT_LIFE)
        sandbox.start_daemon(env={"EONAY_CRASH_AT": point})
        code, details = Client(sandbox).get_code()
        self.walk(sandbox, code)
        self.assertEqual(sandbox.daemon.wait(60), -signal.SIGKILL)
        sandbox.daemon.end()
        after_death(sandbox)
        time.sleep(max(0.0, details["ExpiresAt"] / 1e6 - time.time()) + 0.1)
        sandbox.start_daemon()
        [consent_id] = self.records(sandbox)
        return sandbox, self.settled(sandbox, consent_id)

    def test_it_had_arrived(self):
        sandbox, record = self.late("submit-answered")
        self.assertEqual((record["State"], record["Error"]), DONE)
        _, receipts = self.assert_invariants(sandbox)
        self.assertEqual(receipts, [record["ReceiptId"]])

    def test_it_had_not_arrived(self):
        sandbox, record = self.late("signature-recorded")
        self.assertEqual((record["State"], record["Error"]), ("expired", "CodeExpired"))
        _, receipts = self.assert_invariants(sandbox)
        self.assertEqual(receipts, [])


if __name__ == "__main__":
    run()
