# SPDX-License-Identifier: Apache-2.0
"""SIGHUP: the configuration is read again; tokens, authorities and consents whose sections are the same do not notice."""
import os
import signal
import time

from bus import BUS_NAME
from sandbox import ROOT_PATH
from test_parts import DaemonTest
from testing import run

OBJECTS = "org.freedesktop.DBus.ObjectManager"


class Reload(DaemonTest):
    def tearDown(self):
        self.shared.sections.clear()
        self.reload()
        super().tearDown()

    def reload(self):
        """Returns when the daemon says that it has done it."""
        before = self.shared.logs().count("the configuration was read again")
        self.shared.write_config()
        os.kill(self.shared.daemon.pid, signal.SIGHUP)
        deadline = time.monotonic() + 60
        while self.shared.logs().count("the configuration was read again") == before:
            self.assertLess(time.monotonic(), deadline, "no reload")
            time.sleep(0.01)

    def tokens(self):
        managed = self.client.connection.call_blocking(BUS_NAME, ROOT_PATH, OBJECTS, "GetManagedObjects", "", ())
        return sorted(str(path) for path in managed if "/token/" in path)

    def children(self):
        with open(f"/proc/{self.shared.daemon.pid}/task/{self.shared.daemon.pid}/children", encoding="ascii") as file:
            return set(file.read().split())

    def test_what_is_the_same_stays(self):
        code, _ = self.client.get_code()
        consent = self.client.open(code)
        certificate = self.client.certificates()[0][0]
        before = self.tokens(), self.children()
        self.shared.set_section("Limits", ConsentsPerUser=5)
        self.reload()
        self.assertEqual((self.tokens(), self.children()), before)
        self.assertEqual(int(self.property("Limits")["ConsentsPerUser"]), 5)
        consent.sign(certificate, accept_text_sha256=[digest for _, _, digest, _ in consent.texts()],
                     pin=self.shared.pin_pipe())
        self.assertTrue(consent.wait()[0], consent.outcome)

    def test_a_token_goes_and_comes(self):
        self.client.certificates()  # waits for the first look
        before = self.tokens()
        self.assertTrue(before)
        self.shared.set_section("Token softhsm", Plugin="no-such-plugin")
        self.reload()
        self.assertEqual(self.tokens(), [])
        self.shared.sections.clear()
        self.reload()
        self.client.certificates()  # waits for the listing under way
        deadline = time.monotonic() + 60
        while self.tokens() != before:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)

    def test_an_authority_goes_and_its_consent_stays(self):
        self.shared.set_section("Backend second", Plugin="ca-local", Database=self.shared.file("authority", "second.db"),
                                 TrustAnchors=self.shared.pki.root, Intermediates=self.shared.pki.issuing)
        self.reload()
        self.assertEqual(len(self.property("Backends")), 2)
        code, _ = self.client.get_code("second")
        consent = self.client.open(code, backend="second")
        self.shared.sections.clear()
        self.reload()
        self.assertEqual(len(self.property("Backends")), 1)
        certificate = self.client.certificates()[0][0]
        consent.sign(certificate, accept_text_sha256=[digest for _, _, digest, _ in consent.texts()],
                     pin=self.shared.pin_pipe())
        self.assertTrue(consent.wait()[0], consent.outcome)
        with self.assertRaisesRegex(Exception, "BackendUnknown"):
            self.client.get_code("second")

    def test_what_is_settled_is_told(self):
        self.shared.set_section("Daemon", DefaultBackend="local", Readers="yes")
        self.reload()
        health = [str(entry["problem"]) for entry in self.property("Health")]
        self.assertTrue([problem for problem in health if "Readers=" in problem], health)


if __name__ == "__main__":
    run()
