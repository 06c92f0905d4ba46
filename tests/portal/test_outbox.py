# SPDX-License-Identifier: Apache-2.0
"""A signed consent on its way to an authority over a bad network: it is delivered once, by one key, through cuts, rubbish,
pauses that the authority asks for, and the ends of the daemon and its host; and when nobody can tell whether it arrived, the
authority is asked, then and later."""
import os
import signal
import threading
import time

from gi.repository import GLib

from client import Client, options
from crash_scene import CrashTest, wait_until
from middleman import Answer, Cut, Late, Middleman, problem
from test_crash_hosts import host_pid
from test_rest import CAPABILITIES, CANCEL, CODE, REDEEM, STATUS, SUBMIT, capabilities, now, redeemed
from testing import ERROR, run
from tls import TlsAuthority

RECEIPT = {"receipt_id": "R-0000-1111-2222-3333", "submitted_at": 1_700_000_000_000_000, "now": 1_700_000_000_000_001}


def receipt():
    return Answer(200, RECEIPT)


def state(name):
    return Answer(200, {"state": name, "expires_at": now(), "now": now(), **({"receipt": RECEIPT} if name == "done" else {})})


class OutboxTest(CrashTest):
    def setUp(self):
        self.used = self.scene(spy=True)
        self.tls = TlsAuthority(self.used.file("tls"))
        self.certificate = self.tls.issue("server")
        self.between = Middleman(self.certificate)
        self.addCleanup(lambda: self.between.close())
        self.used.set_section("Backend rest", Plugin="ca-rest", Url=self.between.url, CaFile=self.tls.ca,
                                      TimeoutMs=8000, ConnectTimeoutMs=3000)
        self.used.start_daemon()
        self.between.every(CAPABILITIES, capabilities())
        self.between.every(CANCEL, Answer(204))
        self.client = Client(self.used)

    def signs(self, life=300, client=None):
        """A consent that is on its way, or will be in a moment."""
        client = client or self.client
        certificate = client.certificates(usable=True)[0][0]
        at = now()
        self.between.on(REDEEM, redeemed(expires_at=at + life * 1_000_000))
        consent = client.open(CODE, backend="rest")
        self.sign(self.used, consent, certificate)
        return consent

    def id_of(self, consent):
        return consent.path.rsplit("/", 1)[1]

    def assert_done(self, consent):
        success, error, result = consent.wait()
        self.assertTrue(success, (error, result))
        self.assertEqual(consent.receipt()["ReceiptId"], RECEIPT["receipt_id"])
        self.assert_one_key()

    def assert_one_key(self):
        """However often it was sent: the same thing under the same key, and the token signed once."""
        sent = self.between.of(SUBMIT)
        self.assertEqual(len({(seen.headers["Idempotency-Key"], seen.headers["Eonay-Transaction"], seen.body)
                              for seen in sent}), 1)
        self.assertGreaterEqual(len(sent[0].headers["Idempotency-Key"]), 16)
        self.assertEqual(self.calls_of_module(self.used, "C_Sign"), 1)


class Network(OutboxTest):
    def test_cuts(self):
        self.between.on(SUBMIT, Cut(), Cut(), receipt())
        self.assert_done(self.signs())
        self.assertEqual(len(self.between.of(SUBMIT)), 3)

    def test_the_pause_that_is_asked_for(self):
        self.between.on(SUBMIT, problem(503, "Busy", Retry_After=3), problem(429, "RateLimited", Retry_After=2), receipt())
        self.assert_done(self.signs())
        first, second, third = self.between.of(SUBMIT)
        self.assertGreater(second.at - first.at, 2.9)
        self.assertGreater(third.at - second.at, 1.9)

    def test_rubbish_for_a_moment(self):
        self.between.on(SUBMIT, Answer(200, b"<html>", "text/html"), Answer(200, {}), receipt())
        self.assert_done(self.signs())

    def test_rubbish_for_ever(self):
        """Asked then: what is on record counts, and else the rubbish is the reason."""
        self.between.every(SUBMIT, Answer(200, {}))
        self.between.on(STATUS, state("done"), state("open"))
        self.assert_done(self.signs())
        self.assertEqual(len(self.between.of(SUBMIT)), 4)
        self.assertEqual(self.signs().wait()[:2], (False, ERROR + "BackendProtocol"))

    def test_a_refusal_after_a_lost_answer(self):
        self.between.on(SUBMIT, Cut(), problem(422, "BackendRejected"))
        self.between.on(STATUS, Cut(), Cut(), state("done"))
        self.assert_done(self.signs())

    def test_refusals_are_passed_on(self):
        for code in ("BackendRejected", "IdentityMismatch", "AlreadyApproved", "CertificateRevoked", "CodeSuperseded"):
            with self.subTest(code):
                self.between.on(SUBMIT, problem(422, code))
                self.between.on(STATUS, state("open"))
                self.assertEqual(self.signs().wait()[:2], (False, ERROR + code))

    def test_a_stranger_in_between(self):
        """Another server takes the authority's place for a while: it hears nothing, and the consent waits for the right one."""
        self.between.on(REDEEM, redeemed())
        port = self.between.port
        certificate = self.client.certificates(usable=True)[0][0]
        consent = self.client.open(CODE, backend="rest")
        self.between.close()
        stranger = Middleman(TlsAuthority(self.used.file("other")).issue("server"), port=port)
        try:
            self.sign(self.used, consent, certificate)
            self.assertTrue(wait_until(lambda: stranger.connections >= 2), "nobody came")
            self.assertEqual(stranger.seen, [])
            self.assertTrue(wait_until(lambda: self.state_of_backend() == "BackendUntrusted"))
        finally:
            stranger.close()
        self.between = Middleman(self.certificate, port=port)
        self.between.on(SUBMIT, receipt())
        self.assert_done(consent)

    def state_of_backend(self):
        [path] = [path for path in self.properties("/org/eonay/EOnay1", "Manager")["Backends"] if path.endswith("rest")]
        return self.properties(path, "Backend")["State"]

    def properties(self, path, interface):
        proxy = self.client.connection.get_object("org.eonay.EOnay1", path, introspect=False)
        return proxy.GetAll("org.eonay.EOnay1." + interface, dbus_interface="org.freedesktop.DBus.Properties")


class Ends(OutboxTest):
    def test_the_daemon_ends_between_two_tries(self):
        self.between.every(SUBMIT, Cut())
        consent = self.signs()
        self.between.wait_for(SUBMIT, 2)
        self.used.kill_daemon()
        self.between.every(SUBMIT, receipt())
        self.used.start_daemon()
        record = self.settled(self.used, self.id_of(consent))
        self.assertEqual((record["State"], record["ReceiptId"]), ("done", RECEIPT["receipt_id"]))
        self.assert_one_key()

    def test_the_daemon_ends_while_it_is_sent(self):
        hold = threading.Event()
        self.addCleanup(hold.set)
        self.between.on(SUBMIT, Late(until=hold, then=receipt()))
        consent = self.signs()
        self.between.wait_for(SUBMIT)
        self.used.kill_daemon()
        self.between.every(SUBMIT, receipt())
        self.used.start_daemon()
        self.assertEqual(self.settled(self.used, self.id_of(consent))["State"], "done")
        self.assert_one_key()

    def test_the_host_ends_while_it_is_sent(self):
        hold = threading.Event()
        self.addCleanup(hold.set)
        self.between.on(SUBMIT, Late(until=hold, then=receipt()))
        self.between.every(SUBMIT, receipt())
        consent = self.signs()
        self.between.wait_for(SUBMIT)
        os.kill(host_pid(self.used, "rest, authority"), signal.SIGKILL)
        self.assert_done(consent)

    def test_the_code_dies_meanwhile_and_the_truth_comes_late(self):
        """Failed for now; when the authority answers again the record says what it has, and so it does after a restart."""
        self.between.every(SUBMIT, Cut())
        self.between.every(STATUS, problem(404, "NotFound"))
        consents = [self.signs(life=7) for _n in range(3)]
        for consent in consents:
            self.assertEqual(consent.wait()[:2], (False, ERROR + "BackendUnreachable"))
        self.assertEqual(self.states(self.client), ["failed"] * 3)
        self.between.on(STATUS, state("done"), state("expired"))
        self.between.on(REDEEM, problem(404, "CodeUnknown"))
        with self.assertDBusError("CodeUnknown"):
            self.client.open(CODE, backend="rest")
        self.assertTrue(wait_until(lambda: self.states(self.client) == ["done", "expired", "failed"]))
        self.between.every(STATUS, state("done"))
        self.used.restart_daemon()
        client = Client(self.used)
        self.assertTrue(wait_until(lambda: self.states(client) == ["done", "done", "expired"]))
        self.assertEqual({record["Error"] for record in self.records(self.used, client).values()}, {"", "CodeExpired"})

    def states(self, client):
        return sorted(record["State"] for record in self.records(self.used, client).values())


class PendingCodes(OutboxTest):
    def test_the_daemon_ends_while_a_code_is_awaited(self):
        """The wait ends with the daemon: the caller sees its name go, and the handle is nobody's."""
        self.between.on("POST /v1/device_authorization", Answer(200, {
            "device_code": "d" * 64, "user_code": "BCDF-GHJK", "verification_uri": "https://portal.example/device",
            "verification_uri_complete": "https://portal.example/device?user_code=BCDF-GHJK", "expires_in": 600,
            "interval": 1}))
        self.between.every("POST /v1/token", Answer(400, {"error": "authorization_pending"}))
        _code, details = self.client.get_code("rest")
        self.between.wait_for("POST /v1/token")
        self.used.kill_daemon()
        self.used.start_daemon()
        polls = len(self.between.of("POST /v1/token"))
        client = Client(self.used)
        with self.assertDBusError("NotFound"):
            client.manager.CancelCode(details["Handle"], options())
        time.sleep(1.5)
        self.assertLessEqual(len(self.between.of("POST /v1/token")), polls)

    def test_the_host_ends_between_two_polls(self):
        self.between.on("POST /v1/device_authorization", Answer(200, {
            "device_code": "d" * 64, "user_code": "BCDF-GHJK", "verification_uri": "https://portal.example/device",
            "verification_uri_complete": "https://portal.example/device?user_code=BCDF-GHJK", "expires_in": 600,
            "interval": 2}))
        at = now()
        self.between.on("POST /v1/token", Answer(400, {"error": "authorization_pending"}), Answer(200, {
            "access_token": CODE, "token_type": "verification_code", "purpose": "e-onay.nes-application", "created_at": at,
            "expires_at": at + 300_000_000, "now": at, "expires_in": 300}))
        ready = {}
        match = self.client.connection.add_signal_receiver(
            lambda handle, code, _details: ready.setdefault(str(handle), str(code)), "CodeReady", "org.eonay.EOnay1.Manager")
        self.addCleanup(match.remove)
        _code, details = self.client.get_code("rest")
        self.between.wait_for("POST /v1/token")
        time.sleep(0.5)  # the answer has arrived, the next poll is not due
        os.kill(host_pid(self.used, "rest, authority"), signal.SIGKILL)
        context = GLib.MainContext.default()

        def seen():
            while context.iteration(False):
                pass
            return ready
        self.assertTrue(wait_until(seen, 30))
        self.assertEqual(ready, {details["Handle"]: CODE})


if __name__ == "__main__":
    run()
