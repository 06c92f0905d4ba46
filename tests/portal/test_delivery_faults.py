# SPDX-License-Identifier: Apache-2.0
"""The real portal and the real daemon, and in between or at either end everything that can go wrong: no approval is lost, none is
recorded twice, and each fault has its own error.

Witnesses: the daemon's journal, the portal's database, and the PKCS#11 module, whose calls OpenSC's spy writes down."""
import os
import signal
import threading
import time

from client import Client
from crash_scene import CrashTest, wait_until
from middleman import Answer, Cut, CutWithin, Garble, Late, LoseAnswer, Middleman, Twice, problem
from portal import Portal
from test_crash_hosts import host_pid
from test_rest import CANCEL, REDEEM, STATUS, SUBMIT
from testing import ERROR, run


class PortalTest(CrashTest):
    """daemon → middleman → portal."""

    def setUp(self):
        self.used = self.scene(spy=True)
        self.portal = Portal(self.used)
        self.portal.start()
        self.addCleanup(self.portal.stop)
        self.between = Middleman(self.portal.certificate, upstream=self.portal.url, upstream_ca=self.portal.tls.ca)
        self.addCleanup(self.between.close)
        self.used.set_section("Backend portal", **self.portal.section(self.between.url, TimeoutMs=3000))
        self.used.start_daemon()
        self.client = Client(self.used)
        self.certificate = self.client.certificates(usable=True)[0][0]
        self.signed = 0

    def opened(self, client=None):
        return (client or self.client).open(self.portal.code(), backend="portal")

    def signs(self, client=None):
        consent = self.opened(client)
        self.sign(self.used, consent, self.certificate)
        self.signed += 1
        return consent

    def id_of(self, consent):
        return consent.path.rsplit("/", 1)[1]

    def assert_done(self, consent):
        success, error, result = consent.wait()
        self.assertTrue(success, (error, result))
        self.assert_agreement()

    def assert_agreement(self):
        """One approval for each signature; the same receipts on both sides; the token signed no more often."""
        receipts = self.portal.receipts()
        self.assertEqual(len(receipts), len(set(receipts)))
        recorded = [receipt for receipt, in self.journal(self.used, "SELECT receipt_id FROM consent WHERE state='done'")]
        self.assertEqual(sorted(receipts), sorted(recorded))
        self.assertEqual(len(receipts), self.signed)
        self.assertEqual(self.calls_of_module(self.used, "C_Sign"), self.signed)
        self.assertEqual(self.portal.rows("PRAGMA integrity_check"), [("ok",)])


class Network(PortalTest):
    def test_between_the_two(self):
        faults = {"cut before": [Cut()], "answer lost": [LoseAnswer()], "lost twice": [LoseAnswer(), LoseAnswer()],
                  "half an answer": [CutWithin()], "twice": [Twice()], "garbled": [Garble()],
                  "garbled members": [Garble(lambda body: body.replace(b"receipt_id", b"receipt-id"))],
                  "5xx": [Answer(502, b"<html>", "text/html"), problem(500, "PluginFailed")],
                  "429": [problem(429, "RateLimited", Retry_After=1)], "late": [Late(5)],
                  "all of it": [Cut(), LoseAnswer(), Answer(503, b"", Retry_After=1), CutWithin(), Garble()]}
        for name, orders in faults.items():
            with self.subTest(name):
                self.between.on(SUBMIT, *orders)
                self.assert_done(self.signs())
        for first, second in self.between.pairs:
            self.assertEqual((first.status, first.body.split(b'"now"')[0]), (second.status, second.body.split(b'"now"')[0]))

    def test_redeeming_over_a_bad_network(self):
        for name, orders in {"cut": [Cut()], "answer lost": [LoseAnswer()], "half": [CutWithin()],
                             "twice": [Twice()], "502": [Answer(502, b"", "text/html")]}.items():
            with self.subTest(name):
                self.between.on(REDEEM, *orders)
                self.assert_done(self.signs())

    def test_out_of_order(self):
        """An old submission arrives after the new one has been answered, and after that the citizen's Cancel."""
        hold, arrived = threading.Event(), threading.Event()

        class Overtaken:
            def __call__(self, handler, seen):
                hold.wait(60)
                self.reply = handler.forward(seen)
                arrived.set()
                handler.cut()
        old = Overtaken()
        self.between.on(SUBMIT, old)
        consent = self.signs()
        self.assert_done(consent)
        hold.set()
        self.assertTrue(arrived.wait(30))
        self.assertEqual(old.reply.status, 200)
        self.assertIn(consent.receipt()["ReceiptId"].encode(), old.reply.body)
        self.assert_agreement()


class PortalEnds(PortalTest):
    def test_at_each_step(self):
        def kill_then(order):
            def step(handler, seen):
                self.portal.restart_killed()
                order(handler, seen)
            return step

        class ThenKill:
            def __init__(self, test, loses):
                self.test, self.loses = test, loses

            def __call__(self, handler, seen):
                reply = handler.forward(seen)
                self.test.portal.restart_killed()
                if self.loses:
                    handler.cut()
                else:
                    handler.reply(reply)
        steps = {"before it redeems": (REDEEM, kill_then(Cut())), "after it has redeemed": (REDEEM, ThenKill(self, True)),
                 "redeemed and told": (REDEEM, ThenKill(self, False)), "before it records": (SUBMIT, kill_then(Cut())),
                 "after it has recorded": (SUBMIT, ThenKill(self, True)), "recorded and told": (SUBMIT, ThenKill(self, False))}
        for name, (what, order) in steps.items():
            with self.subTest(name):
                self.between.on(what, order)
                self.assert_done(self.signs())

    def test_in_the_middle_of_many(self):
        """SIGKILL while submissions are arriving: at random moments, several times."""
        consents = []
        for _n in range(12):
            consents.append(self.opened())
        for n, consent in enumerate(consents):
            self.sign(self.used, consent, self.certificate)
            self.signed += 1
            if n % 4 == 2:
                time.sleep(0.03 * n)
                self.portal.restart_killed()
        for consent in consents:
            success, error, result = consent.wait()
            self.assertTrue(success, (error, result))
        self.assert_agreement()

    def test_away_for_a_while(self):
        consent = self.opened()
        self.portal.kill()
        self.sign(self.used, consent, self.certificate)
        self.signed += 1
        self.between.wait_for(SUBMIT, 2)
        self.portal.start()
        self.assert_done(consent)


class OurEnds(PortalTest):
    def test_daemon_and_host(self):
        hold = threading.Event()
        self.addCleanup(hold.set)
        for name, loses in (("before the portal hears it", False), ("after the portal has recorded it", True)):
            for victim in ("daemon", "host"):
                with self.subTest(f"{victim} {name}"):
                    gone = threading.Event()

                    class Interrupted:
                        def __init__(self, loses, gone):
                            self.loses, self.gone = loses, gone

                        def __call__(self, handler, seen):
                            if self.loses:
                                handler.forward(seen)
                            self.gone.wait(60)
                            handler.cut()
                    before = len(self.between.of(SUBMIT))
                    self.between.on(SUBMIT, Interrupted(loses, gone))
                    consent = self.signs()
                    self.between.wait_for(SUBMIT, before + 1)
                    if victim == "host":
                        os.kill(host_pid(self.used, "portal, authority"), signal.SIGKILL)
                        gone.set()
                        self.assert_done(consent)
                        continue
                    self.used.kill_daemon()
                    gone.set()
                    self.used.start_daemon()
                    record = self.settled(self.used, self.id_of(consent))
                    self.assertEqual(record["State"], "done", record)
                    self.assert_agreement()
                    self.client = Client(self.used)
                    self.certificate = self.client.certificates(usable=True)[0][0]

    def test_the_citizen_gives_up(self):
        """What is cancelled here is dead there."""
        consent = self.opened()
        consent.close()
        self.assertTrue(wait_until(lambda: self.between.of(CANCEL)))
        cancelled = [(3,)]  # EONAY_TRANSACTION_CANCELLED
        self.assertTrue(wait_until(lambda: self.portal.rows("SELECT state FROM consent") == cancelled),
                        self.portal.rows("SELECT state FROM consent"))
        self.assertEqual(self.portal.receipts(), [])

    def test_the_code_dies_while_the_network_is_away(self):
        """Recorded there and not heard of here: the daemon asks until it knows."""
        self.portal.stop()
        self.portal.write_config(self.portal.url, {"CodeLifetime": 8})
        self.portal.start()
        self.between.every(SUBMIT, LoseAnswer())
        self.between.on(STATUS, Cut(), Cut())
        heard = self.signs()
        self.between.wait_for(SUBMIT, 2)
        self.between.every(SUBMIT, Cut())
        late = self.opened()
        self.sign(self.used, late, self.certificate)
        self.assertTrue(heard.wait()[0], heard.outcome)
        self.assertEqual(late.wait()[:2], (False, ERROR + "BackendUnreachable"))
        self.assertEqual(self.portal.receipts(), [heard.receipt()["ReceiptId"]])


if __name__ == "__main__":
    run()
