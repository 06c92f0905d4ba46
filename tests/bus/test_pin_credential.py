# SPDX-License-Identifier: Apache-2.0
"""A token's PIN as a service credential: read by the token host alone, for the users the administrator names, never twice
when it is wrong."""
import os

import dbus

from client import Client
from memory_scan import places
from testing import BusTest, run


class PinCredential(BusTest):
    def started(self, users=None, content=None, credential="signing-pin", pin=None, agent=False):
        sandbox = self.sandbox()
        if pin:
            sandbox.pin = sandbox.tokens.pin = pin
        folder = sandbox.file("credentials")
        os.mkdir(folder, 0o700)
        content = sandbox.pin + "\n" if content is None else content
        with open(os.open(os.path.join(folder, "signing-pin"), os.O_CREAT | os.O_WRONLY, 0o400), "w", encoding="ascii") as file:
            file.write(content)
        users = str(os.getuid()) if users is None else users
        sandbox.set_section("Token softhsm", **sandbox.default_sections()["Token softhsm"], PinCredential=credential,
                            PinCredentialUsers=users)
        if not sandbox.tokens.count:
            sandbox.add_token()
        sandbox.start_bus()
        sandbox.start_daemon(env={"CREDENTIALS_DIRECTORY": folder})
        if agent:
            sandbox.start_agent()
        return sandbox, Client(sandbox)

    def sign(self, client, **values):
        consent = client.open(client.get_code()[0])
        hashes = dbus.Array([text[2] for text in consent.texts()], signature="s")
        consent.sign(client.certificates()[0][0], accept_text_sha256=hashes, **values)
        return consent.wait()

    def test_signs_without_agent_and_pin(self):
        """And the daemon never has the PIN; the host has it no longer."""
        pin = "P!0123456789abcdef"
        sandbox, client = self.started(pin=pin)
        for _ in range(2):
            success, error, result = self.sign(client)
            self.assertTrue(success, (error, result))
        self.assertEqual(places(sandbox.daemon.pid, pin)[0], [])
        with open(f"/proc/{sandbox.daemon.pid}/task/{sandbox.daemon.pid}/children", encoding="ascii") as children:
            for host in children.read().split():
                self.assertEqual(places(int(host), pin)[0], [], "a host keeps the PIN")
        self.assertNotIn(pin, sandbox.logs())

    def test_texts_must_be_confirmed_all_the_same(self):
        _, client = self.started()
        consent = client.open(client.get_code()[0])
        with self.assertDBusError("NoAgent"):
            consent.sign(client.certificates()[0][0])

    def test_only_for_the_users_that_are_named(self):
        _, client = self.started(users="54321;1" + str(os.getuid()))
        with self.assertDBusError("NoAgent"):
            self.sign(client)

    def test_nobody_named_nobody_served(self):
        _, client = self.started(users="")
        with self.assertDBusError("NoAgent"):
            self.sign(client)

    def test_a_pin_that_is_brought_goes_first(self):
        sandbox, client = self.started(content="000000\n")
        self.assertTrue(self.sign(client, pin=sandbox.pin_pipe())[0])

    def test_a_wrong_one_is_tried_once(self):
        _, client = self.started(content="000000\n")
        success, error, result = self.sign(client)
        self.assertEqual((success, error.rpartition(".")[2], result["TriesLeft"]), (False, "PinIncorrect", 2))
        with self.assertDBusError("PinFewTriesLeft"):
            self.sign(client)

    def test_a_missing_one(self):
        for credential in ("nothing", "../credentials/signing-pin"):
            sandbox, client = self.started(credential=credential)
            success, error, _ = self.sign(client)
            self.assertEqual((success, error.rpartition(".")[2]), (False, "PinRequired"))
            self.assertIn("cannot be opened", sandbox.logs())


if __name__ == "__main__":
    run()
