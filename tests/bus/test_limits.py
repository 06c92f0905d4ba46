# SPDX-License-Identifier: Apache-2.0
"""Many at once and too many: two hundred programs that all get their answers, and limits that are told before anything is
spent."""
import collections
import os
import subprocess
import sys

import dbus

from bus import BUS_NAME
from client import Consent
from sandbox import MANAGER, ROOT_PATH
from test_parts import (NO_CERTIFICATE, OPTIONS, DaemonTest, fake_ca, fake_token, gives, manager_call, pin_pipe,
                        wait_until)
from testing import ERROR, run

EXCEEDED = "org.freedesktop.DBus.Error.LimitsExceeded"
MANY = 200


class Many(DaemonTest):
    @classmethod
    def prepare(cls, sandbox):
        sandbox.add_token(key="p256")

    def test_two_hundred_clients(self):
        """Half of them list, half of them sign; every call is answered, every signature has a receipt of its own."""
        certificate = self.certificate()
        clients = [self.new_client() for _n in range(MANY)]
        listings = [manager_call(client.connection, "ListCertificates", OPTIONS) for client in clients[::2]]
        codes = [manager_call(client.connection, "GetCode", "local", OPTIONS) for client in clients[1::2]]
        opened = []
        for client, call in zip(clients[1::2], codes):
            opened.append((client, manager_call(client.connection, "OpenConsent", call.wait(60)[0], OPTIONS)))
        consents = [Consent(client.connection, str(call.wait(60)[0])) for client, call in opened]
        for consent in consents:
            self.sign(consent, certificate=certificate)
        more = [manager_call(client.connection, "ListCertificates", OPTIONS) for client in clients[::2]]
        receipts = set()
        for consent in consents:
            success, error, result = consent.wait(60)
            self.assertTrue(success, error)
            receipts.add(result["ReceiptId"])
        self.assertEqual(len(receipts), MANY // 2)
        for call in listings + more:
            self.assertEqual(str(call.wait()[0][0][0]), certificate)
        done = [record["ReceiptId"] for record in self.record(state="done")]
        self.assertEqual(set(done), receipts)
        self.assertEqual(len(done), len(receipts))

    def test_two_hundred_scripts(self):
        """With one agent for all of them: the bus lets nobody wait for more than 128 answers at once, so some wait here."""
        self.agent(self.new_client(), pin=gives(self.shared.pin.encode()))
        calls = []
        for _n in range(MANY):
            client = self.new_client()
            code, _details = self.client.get_code("local")
            calls.append(manager_call(client.connection, "SignConsent", code, NO_CERTIFICATE, OPTIONS))
        self.assertEqual(len({str(call.wait(60)[0]["ReceiptId"]) for call in calls}), MANY)

    def test_a_flood_from_a_new_connection(self):
        """Calls sent before the bus has said who calls: answered, or refused in words."""
        client = self.new_client()
        calls = [manager_call(client.connection, "ListCertificates", OPTIONS) for _n in range(1000)]
        outcomes = collections.Counter()
        for call in calls:
            wait_until(call.ended, 30)
            outcomes[call.errors[0].get_dbus_name() if call.errors else "answered"] += 1
        self.assertLessEqual(set(outcomes), {"answered", EXCEEDED})
        self.assertGreaterEqual(outcomes["answered"], 64)
        self.assertEqual(sum(outcomes.values()), 1000)

    def test_come_and_go(self):
        """Connections that leave before they are answered leave nothing behind."""
        def descriptors():
            return len(os.listdir(f"/proc/{self.shared.daemon.pid}/fd"))
        self.assertTrue(self.certificate())
        self.client.get_code("local")
        before = descriptors()
        for _n in range(50):
            client = self.new_client()
            manager_call(client.connection, "ListCertificates", OPTIONS)
            manager_call(client.connection, "GetCode", "local", OPTIONS)
            client.connection.flush()
            client.close()
        wait_until(lambda: descriptors() <= before + 2)


class Limits(DaemonTest):
    @classmethod
    def prepare(cls, sandbox):
        sandbox.add_token()
        sandbox.limits.update(ConsentsPerUser=3, CallsPerUser=4, QueueLength=1, FilesPerUser=0)
        holder = sandbox.pki.issue("slow", profile="nes", key="rsa2048")
        fake_token(sandbox, "slow", "sign slow 300", certificate=holder)
        fake_ca(sandbox, "slow", "get-code slow 400")

    def slow(self):
        return next(path for path, properties in self.client.certificates()
                    if properties["Label"] == "Fake certificate")

    def softhsm(self):
        return next(path for path, properties in self.client.certificates()
                    if properties["Label"] != "Fake certificate")

    def test_they_are_told(self):
        limits = self.property("Limits")
        self.assertEqual((limits["ConsentsPerUser"], limits["CallsPerUser"], limits["QueueLength"], limits["FilesPerUser"]),
                         (3, 4, 1, 0))

    def test_consents_of_one_user(self):
        consents = [self.open(client) for client in (self.client, self.client, self.new_client())]
        code, _details = self.client.get_code("local")
        self.agent()
        for call in (lambda: self.client.open(code), lambda: self.new_client().open(code),
                     lambda: self.client.manager.SignConsent(code, NO_CERTIFICATE, OPTIONS)):
            with self.assertDBusError(EXCEEDED):
                call()
        self.assert_signs(consents[0], certificate=self.softhsm())
        consents[0].close()
        self.client.open(code).close()  # the code was not spent on the refusal
        for consent in consents[1:]:
            consent.close()

    def test_places_in_the_queue_of_a_token(self):
        slow = self.slow()
        consents = [self.open() for _n in range(3)]
        hashes = [self.hashes(consent) for consent in consents]
        for consent, accepted in zip(consents, hashes):
            consent.sign(slow, accept_text_sha256=accepted, pin=pin_pipe(b"123456"))
        outcomes = collections.Counter()
        for consent in consents:
            _success, error, result = consent.wait()
            outcomes[error] += 1
            self.assertEqual(result["Retriable"], error == ERROR + "Busy")
            if result["Retriable"]:
                self.assert_signs(consent, certificate=self.softhsm())
            consent.close()
        self.assertLessEqual(set(outcomes), {ERROR + "Busy", ERROR + "SignatureInvalid"})
        self.assertGreaterEqual(outcomes[ERROR + "SignatureInvalid"], 1)

    def test_calls_that_wait(self):
        self.client.get_code("local")
        calls = [manager_call(self.client.connection, "GetCode", "slow", OPTIONS) for _n in range(5)]
        with self.assertDBusError(EXCEEDED):
            calls[4].wait()
        for call in calls[:4]:
            self.assertTrue(call.wait()[0])
            self.assertLess(calls[4].place, call.place, "the refusal comes before any of them is through")
        self.client.get_code("slow")

    def test_agents_of_one_connection(self):
        client = self.new_client()
        with self.assertDBusError(EXCEEDED):
            for n in range(1000):
                client.manager.RegisterAgent(dbus.ObjectPath(f"/agent/{n}"), OPTIONS)
        self.assertLessEqual(n, 64)

    def test_no_files_at_all(self):
        descriptor = os.memfd_create("x")
        with self.assertDBusError("DescriptorInvalid"):
            self.client.manager.AddFile(dbus.types.UnixFd(descriptor), OPTIONS)
        os.close(descriptor)


OTHER_USER = """
import sys, dbus, dbus.bus
connection = dbus.bus.BusConnection(sys.argv[1])
target = connection.get_object(sys.argv[2], sys.argv[3], introspect=False)
nothing = dbus.Dictionary({}, signature="sv")
for method, arguments in (("GetCode", ("", nothing)), ("ListCertificates", (nothing,)), ("ListConsents", (nothing,)),
                          ("OpenConsent", ("168857414351237", nothing)), ("RegisterAgent", (dbus.ObjectPath("/a"), nothing))):
    try:
        target.get_dbus_method(method, sys.argv[4])(*arguments)
        print(method, "was answered")
    except dbus.DBusException as error:
        print(error.get_dbus_name())
"""


class OtherUsers(DaemonTest):
    def test_a_private_daemon_is_for_one(self):
        if os.getuid() != 0:
            return  # nobody else to be
        self.shared.bus.open_to_everybody()
        folder = self.shared.folder
        while folder != "/":  # our own build tree may be closed to others
            if not os.stat(folder).st_mode & 0o001 and folder != self.shared.folder:
                return
            folder = os.path.dirname(folder)
        result = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable, "-c",
                                 OTHER_USER, self.shared.bus.address, BUS_NAME, ROOT_PATH, MANAGER],
                                capture_output=True, text=True, timeout=60, check=True, cwd="/")
        self.assertEqual(set(result.stdout.split()), {"org.freedesktop.DBus.Error.AccessDenied"}, result.stdout)


if __name__ == "__main__":
    run()
