# SPDX-License-Identifier: Apache-2.0
"""What may go wrong: portals and databases killed in the middle, answers lost, submissions doubled, reordered and raced over
several instances, and clients that send slowly. No approval is lost, none is recorded twice, and everything has an end."""
import base64
import http.client
import queue
import random
import signal
import socket
import sqlite3
import ssl
import threading
import time
import unittest

from portal_process import AYSE, DEADLINE, NES, Scene, new_key, rows, sign
from postgres import Postgres

KILLS = 6
CONSENTS = 24
CLIENTS = 4
AGAIN = {"StorageFailed", "Busy"}


def persistent(call):
    """Repeats until an answer comes that is one."""
    until = time.monotonic() + 2 * DEADLINE
    while time.monotonic() < until:
        try:
            answer = call()
            if answer.code not in AGAIN:
                return answer
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(0.05)
    raise AssertionError("no answer")


def together(*calls):
    """Runs all at the same moment; their results in order."""
    gate, results = threading.Barrier(len(calls)), [None] * len(calls)

    def one(number, call):
        gate.wait()
        results[number] = call()

    threads = [threading.Thread(target=one, args=[i, call]) for i, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


class FaultTest:
    """Runs once for each database."""

    @classmethod
    def setUpClass(cls):
        cls.scene = Scene()
        cls.addClassCleanup(cls.scene.close)
        cls.database = cls.make_database()
        cls.portals = [cls.scene.portal(cls.database, AllowRepeats="yes") for _ in range(2)]

    def setUp(self):
        """Other tests kill the portals, and the connections with them."""
        self.apis = [portal.api() for portal in self.portals]

    def count(self, statement):
        return rows(self.database, statement, self.postgres)

    def one_citizen(self, todo, done, number):
        api = self.portals[number % 2].api(timeout=20)
        while True:
            try:
                code = todo.get_nowait()
            except queue.Empty:
                return
            redeemed = persistent(lambda key=new_key(), code=code: api.redeem(code, key))
            assert redeemed.status == 200, redeemed
            text = base64.b64decode(redeemed.body["texts"][0]["bytes"])
            signatures = [sign(text, self.scene.ayse)]
            key = new_key()
            receipt = persistent(lambda: api.submit(redeemed.body["transaction"], signatures, key))
            assert receipt.status == 200, receipt
            done.append((receipt.body["receipt_id"], text))

    def consents_under(self, trouble):
        """Citizens work while trouble() happens again and again; afterwards all is on record, once."""
        todo, done = queue.Queue(), []
        for code in self.portals[0].issue_many([(AYSE, NES, None)] * CONSENTS):
            todo.put(code)
        before = self.count("SELECT count(*) FROM approval")
        threads = [threading.Thread(target=self.one_citizen, args=[todo, done, i]) for i in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for _ in range(KILLS):
            time.sleep(random.uniform(0.05, 0.4))  # somewhere, not for something
            trouble()
        for thread in threads:
            thread.join()
        self.assertEqual(len(done), CONSENTS)
        self.assertEqual(len({receipt for receipt, _ in done}), CONSENTS)
        self.assertEqual(self.count("SELECT count(*) FROM approval") - before, CONSENTS)
        self.assertEqual(self.count("SELECT count(*) FROM consent WHERE state = 1"), self.count("SELECT count(*) FROM approval"))
        self.assertEqual(self.count("SELECT count(*) FROM signature"), self.count("SELECT count(*) FROM approval"))
        for receipt, text in done[:5]:
            evidence = self.portals[0].evidence(receipt)
            self.assertEqual(base64.b64decode(evidence["texts"][0]["bytes"]), text)

    def test_portals_are_killed(self):
        def trouble():
            portal = random.choice(self.portals)
            portal.kill()
            portal.start()
        self.consents_under(trouble)

    def test_same_submission_everywhere_at_once(self):
        transaction, signatures = self.apis[0].opened(self.portals[0].issue(), self.scene.ayse)
        key = new_key()
        answers = together(*[lambda i=i: self.portals[i % 2].api().submit(transaction, signatures, key) for i in range(8)])
        self.assertEqual({answer.status for answer in answers}, {200}, answers)
        self.assertEqual(len({answer.body["receipt_id"] for answer in answers}), 1)

    def test_rival_submissions(self):
        transaction, signatures = self.apis[0].opened(self.portals[0].issue(), self.scene.ayse)
        answers = together(*[lambda i=i: self.portals[i % 2].api().submit(transaction, signatures, new_key()) for i in range(8)])
        self.assertEqual(sorted(answer.status for answer in answers), [200] + [409] * 7, answers)
        self.assertEqual({answer.code for answer in answers if answer.status == 409}, {"CodeUsed"})

    def test_one_code_redeemed_everywhere_at_once(self):
        code = self.portals[0].issue()
        answers = together(*[lambda i=i: self.portals[i % 2].api().redeem(code, new_key()) for i in range(8)])
        self.assertEqual(sorted(answer.status for answer in answers), [200] + [409] * 7, answers)
        code, key = self.portals[0].issue(), new_key()
        answers = together(*[lambda i=i: self.portals[i % 2].api().redeem(code, key) for i in range(8)])
        self.assertEqual({answer.status for answer in answers}, {200}, answers)
        self.assertEqual(len({answer.body["transaction"] for answer in answers}), 1)

    def test_one_person_one_approval_whatever_races(self):
        strict = [self.scene.portal(self.database) for _ in range(2)]
        citizen = self.scene.pki.issue("racer" + self.name, key="p256", tckn="20000000046")
        opened = [strict[0].api().opened(code, citizen) for code in strict[0].issue_many([("20000000046", NES, None)] * 4)]
        answers = together(*[lambda i=i, one=one: strict[i % 2].api().submit(*one, new_key()) for i, one in enumerate(opened)])
        self.assertEqual(sorted(answer.status for answer in answers), [200, 409, 409, 409], answers)
        self.assertEqual(self.count("SELECT count(*) FROM approval WHERE subject = '20000000046'"), 1)

    def test_end_and_signature_at_once(self):
        for _ in range(4):
            transaction, signatures = self.apis[0].opened(self.portals[0].issue(), self.scene.ayse)
            submitted, cancelled = together(lambda: self.portals[0].api().submit(transaction, signatures, new_key()),
                                            lambda: self.portals[1].api().cancel(transaction))
            state = self.apis[0].status(transaction).body["state"]
            self.assertIn((submitted.status, cancelled.status, state), [(200, 409, "done"), (410, 204, "cancelled")])

    def test_new_code_and_signature_at_once(self):
        """"Tekrar Kod Al" while the app signs: one of both wins, and both say the same."""
        account = new_key()
        transaction, signatures = self.apis[0].opened(self.portals[0].issue(account=account), self.scene.ayse)
        submitted, _ = together(lambda: self.apis[0].submit(transaction, signatures, new_key()),
                                lambda: self.portals[1].issue(account=account))
        state = self.apis[1].status(transaction).body["state"]
        self.assertIn((submitted.status, state), [(200, "done"), (410, "superseded")])

    def test_answers_are_lost(self):
        """The connection is cut when the request is out, before anything was read."""
        code, key = self.portals[0].issue(), new_key()
        for i in range(3):
            api = self.portals[i % 2].api()
            connection = api.connect()
            connection.request("POST", "/v1/redemptions", '{"code":"%s"}' % code,
                               {"Content-Type": "application/json", "Idempotency-Key": key})
            connection.close()
        answer = persistent(lambda: self.apis[0].redeem(code, key))
        self.assertEqual(answer.status, 200, answer)

    def test_shutdown_finishes_what_came(self):
        portal = self.scene.portal(self.database, AllowRepeats="yes")
        api = portal.api()
        transaction, signatures = api.opened(portal.issue(), self.scene.ayse)
        key = new_key()
        answer, status = together(lambda: persistent(lambda: self.either(portal, transaction, signatures, key)), portal.stop)
        self.assertEqual((answer.status, status), (200, 0))

    def either(self, portal, transaction, signatures, key):
        """Through the portal that ends, else through another."""
        try:
            return portal.api(timeout=5).submit(transaction, signatures, key)
        except (OSError, http.client.HTTPException):
            return self.apis[0].submit(transaction, signatures, key)


class OnSqlite(FaultTest, unittest.TestCase):
    name = "sqlite"
    postgres = None

    @classmethod
    def make_database(cls):
        return cls.scene.sqlite()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.patient = cls.scene.portal(cls.scene.sqlite("patient"))
        cls.slow = [None, None]
        cls.threads = [threading.Thread(target=cls.wait_for_end, args=[i]) for i in range(2)]
        for thread in cls.threads:
            thread.start()

    @classmethod
    def wait_for_end(cls, dripping):
        """Sends nothing at all, or a head byte by byte; how long until the portal closes."""
        connection = socket.create_connection(("127.0.0.1", cls.patient.port))
        if dripping:
            connection = cls.patient.api().context.wrap_socket(connection, server_hostname="127.0.0.1")
            connection.sendall(b"GET /v1/health HTTP/1.1\r\nX-Slow: ")
        connection.settimeout(1)
        start = time.monotonic()
        while time.monotonic() < start + 2 * DEADLINE:
            try:
                if dripping:
                    connection.sendall(b"x")
                if not connection.recv(100):
                    break
            except (TimeoutError, ssl.SSLWantReadError):
                continue
            except OSError:
                break
        cls.slow[dripping] = time.monotonic() - start
        connection.close()

    def test_zz_heads_that_never_end(self):
        """A head that comes byte by byte, a handshake that never begins: closed, and others are served meanwhile."""
        self.assertEqual(self.patient.api().call("GET", "/v1/health").status, 200)
        for thread in self.threads:
            thread.join()
        for seconds in self.slow:
            self.assertLess(seconds, DEADLINE)

    def test_head_too_large(self):
        with self.apis[0].context.wrap_socket(socket.create_connection(("127.0.0.1", self.portals[0].port)),
                                              server_hostname="127.0.0.1") as tls:
            tls.settimeout(DEADLINE)
            tls.sendall(b"GET /v1/health HTTP/1.1\r\nHost: x\r\nX-Large: " + b"x" * 40000 + b"\r\n\r\n")
            self.assertIn(tls.recv(100).split()[1], (b"431", b"413"))

    def test_database_locked_by_another(self):
        """Another process holds the lock for longer than we wait: an error, and then it goes on."""
        transaction, signatures = self.apis[0].opened(self.portals[0].issue(), self.scene.ayse)
        key = new_key()
        db = sqlite3.connect(self.database[7:], timeout=DEADLINE, isolation_level=None)
        db.execute("BEGIN IMMEDIATE")
        answer = self.apis[0].submit(transaction, signatures, key)
        self.assertEqual((answer.status, answer.code), (503, "StorageFailed"), answer)
        self.assertTrue(answer.headers["Retry-After"])
        db.execute("ROLLBACK")
        db.close()
        self.assertEqual(self.apis[0].submit(transaction, signatures, key).status, 200)

    def test_killed_while_many_share_a_flush(self):
        """Whoever got a receipt is on record after a kill in the middle of shared commits."""
        portal = self.scene.portal(self.scene.sqlite("flush"), AllowRepeats="yes", Workers="8")
        opened = [portal.api().opened(code, self.scene.ayse) for code in portal.issue_many([(AYSE, NES, None)] * 16)]
        receipts = []

        def submit(one):
            try:
                receipts.append(portal.api(timeout=10).submit(*one, new_key()).body["receipt_id"])
            except (OSError, http.client.HTTPException):
                pass

        def kill():
            time.sleep(random.uniform(0, 0.1))
            portal.kill()

        together(*[lambda one=one: submit(one) for one in opened], kill)
        portal.start()
        for receipt in receipts:
            self.assertEqual(portal.evidence(receipt)["receipt_id"], receipt)
        self.assertEqual(rows(portal.database, "PRAGMA integrity_check"), "ok")


class OnPostgres(FaultTest, unittest.TestCase):
    name = "postgres"

    @classmethod
    def make_database(cls):
        cls.postgres = Postgres()
        cls.addClassCleanup(cls.postgres.close)
        return cls.postgres.create("portal")

    def test_database_is_killed(self):
        def trouble():
            self.postgres.kill()
            self.postgres.start()
        self.consents_under(trouble)

    def test_database_that_is_stopped(self):
        """Not dead, not answering: the request ends with an error within its deadline."""
        self.postgres.signal(signal.SIGSTOP)
        try:
            start = time.monotonic()
            answer = self.apis[0].call("GET", "/v1/health")
            self.assertEqual((answer.status, answer.code), (503, "StorageFailed"))
            self.assertLess(time.monotonic() - start, 60)
        finally:
            self.postgres.signal(signal.SIGCONT)
        self.assertEqual(persistent(lambda: self.apis[0].call("GET", "/v1/health")).status, 200)


if __name__ == "__main__":
    unittest.main()
