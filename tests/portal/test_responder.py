# SPDX-License-Identifier: Apache-2.0
"""OCSP on the authority's side, with openssl's responder behind HTTP: what it says is obeyed, its silence is what the documentation
says it is, and a slow one holds up nobody else."""
import threading
import unittest

from portal_process import BUILD, DEADLINE, Scene, new_key
from programs import Programs
from responders import Responders


class Asked(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scene = Scene()
        cls.addClassCleanup(cls.scene.close)
        cls.services = Responders(Programs(str(BUILD)), cls.scene.path("ocsp"))
        cls.addClassCleanup(cls.services.stop)
        cls.scene.pki = cls.services.pki
        cls.portal = cls.new_portal(Workers="1", OcspSeconds="60")
        cls.count = 0

    @classmethod
    def new_portal(cls, **keys):
        return cls.scene.portal(cls.scene.sqlite(), AllowRepeats="yes", **keys)

    def credential(self, state="V", path="/ocsp"):
        Asked.count += 1
        url = self.services.url + path if path and path.startswith("/") else path
        credential = self.services.pki.issue(f"asked-{self.count}", key="p256", ocsp=url)
        if state:
            self.services.know(credential, state)
        return credential

    def submit(self, credential, portal=None):
        """(answer, evidence's word about OCSP)"""
        portal = portal or self.portal
        api = portal.api()
        answer = api.submit(*api.opened(portal.issue(), credential), new_key())
        found = portal.evidence(answer.body["receipt_id"])["signatures"][0]["findings"].get("ocsp") if answer.status == 200 else None
        return answer, found

    def refused(self, answer, status, code):
        self.assertEqual((answer.status, answer.code), (status, code), answer)

    def test_what_it_says(self):
        good = self.credential()
        self.assertEqual(self.submit(good)[1], "good")
        asked = len(self.services.asked)
        self.assertEqual(self.submit(good)[1], "good")
        self.assertEqual(len(self.services.asked), asked)  # believed for a minute
        self.refused(self.submit(self.credential("R,certificateHold"))[0], 422, "CertificateSuspended")
        self.refused(self.submit(self.credential("R,keyCompromise"))[0], 422, "CertificateRevoked")
        self.assertEqual(self.submit(self.credential(path=None))[1], "none")

    def test_silence(self):
        self.services.faults["/strange"] = lambda body: (200, b"<html>")
        self.services.faults["/broken"] = lambda body: (500, b"")
        self.services.faults["/away"] = lambda body: (302, b"", {"Location": self.services.url + "/ocsp"})
        self.services.faults["/endless"] = lambda body: (200, b"x" * 100_000)
        for path in ("/strange", "/broken", "/away", "/endless", "http://127.0.0.1:1/"):
            with self.subTest(path):
                answer = self.submit(self.credential(path=path))[0]
                self.refused(answer, 503, "RevocationUnknown")
                self.assertTrue(answer.headers["Retry-After"])
        with self.subTest("a certificate it does not know"):
            self.refused(self.submit(self.credential(state=None))[0], 503, "RevocationUnknown")
        with self.subTest("a current list helps"):
            portal = self.new_portal(RevocationLists=self.scene.revocation_list("current"))
            answer, found = self.submit(self.credential(path="/broken"), portal)
            self.assertEqual((answer.status, found), (200, "silent"), answer)

    def test_a_transaction_survives_silence(self):
        credential = self.credential(path="/later")
        self.services.faults["/later"] = lambda body: (503, b"")
        api, key = self.portal.api(), new_key()
        opened = api.opened(self.portal.issue(), credential)
        self.refused(api.submit(*opened, key), 503, "RevocationUnknown")
        self.assertEqual(api.status(opened[0]).body["state"], "open")
        self.services.faults["/later"] = lambda body: self.services.answer("/ocsp", body)
        again = threading.Event()
        for _ in range(DEADLINE):
            answer = api.submit(*opened, key)
            if answer.status == 200:
                break
            self.refused(answer, 503, "RevocationUnknown")
            again.wait(1)  # as Retry-After wants it
        self.assertEqual(answer.status, 200, answer)

    def test_a_slow_one_holds_up_nobody(self):
        """With one worker: others are served while six submissions wait; then all are answered."""
        arrived, go = threading.Semaphore(0), threading.Event()

        def slow(body):
            arrived.release()
            go.wait(DEADLINE)
            return self.services.answer("/ocsp", body)

        self.services.faults["/slow"] = slow
        portal = self.new_portal(Workers="1", OcspSeconds="60")
        opened = [portal.api().opened(portal.issue(), self.credential(path="/slow")) for _ in range(6)]
        answers = []
        threads = [threading.Thread(target=lambda one=one: answers.append(portal.api().submit(*one, new_key()))) for one in opened]
        for thread in threads:
            thread.start()
        for _ in opened:
            self.assertTrue(arrived.acquire(timeout=DEADLINE))
        self.assertEqual(self.submit(self.credential(), portal)[1], "good")
        self.assertEqual(answers, [])
        go.set()
        for thread in threads:
            thread.join()
        self.assertEqual([answer.status for answer in answers], [200] * 6, answers)

    def test_an_end_in_the_middle(self):
        arrived, go = threading.Event(), threading.Event()

        def slow(body):
            arrived.set()
            go.wait(DEADLINE)
            return 503, b""

        self.services.faults["/end"] = slow
        portal = self.new_portal()
        opened = portal.api().opened(portal.issue(), self.credential(path="/end"))
        answers = []
        thread = threading.Thread(target=lambda: answers.append(portal.api().submit(*opened, new_key())))
        thread.start()
        self.assertTrue(arrived.wait(DEADLINE))
        self.assertEqual(portal.stop(), 0)
        thread.join()
        go.set()
        self.refused(answers[0], 503, "RevocationUnknown")

    def test_configured(self):
        credential = self.credential("R,certificateHold", path=None)
        self.refused(self.submit(credential, self.new_portal(OcspResponder=self.services.url + "/ocsp"))[0], 422,
                     "CertificateSuspended")
        self.assertEqual(self.submit(self.credential("R", path="/ocsp"), self.new_portal(OcspSeconds="0"))[1], "none")


if __name__ == "__main__":
    unittest.main()
