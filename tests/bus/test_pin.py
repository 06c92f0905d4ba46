# SPDX-License-Identifier: Apache-2.0
"""What comes where a PIN is due: wrong ones, strange ones, descriptors that are no pipe, pipes that never deliver. Each has
its error, the consent stays open, the right PIN signs afterwards, and nobody else waits."""
import os
import socket
import time

import dbus

from test_parts import (NO_CERTIFICATE, OPTIONS, DaemonTest, OpenPipe, as_argument, fake_token, gives, manager_call, memfd,
                        options, pin_pipe, wait_until)
from testing import run

PIN_DELIVERY = 2.0


def write_end():
    reader, writer = os.pipe()
    os.close(reader)
    return as_argument(writer)


def plain_file(folder):
    path = os.path.join(folder, "pin.txt")
    with open(path, "w", encoding="ascii") as file:
        file.write("123456")
    return as_argument(os.open(path, os.O_RDONLY))


def fifo(folder, flags):
    path = os.path.join(folder, "fifo")
    if not os.path.exists(path):
        os.mkfifo(path)
    return as_argument(os.open(path, flags))


def one_socket():
    ours, theirs = socket.socketpair()
    ours.close()
    return as_argument(theirs.detach())


class Pin(DaemonTest):
    def test_wrong_then_right(self):
        consent = self.open()
        self.sign(consent, b"00000000")
        result = self.assert_finished(consent, "PinIncorrect", retriable=True)
        self.assertEqual(result["TriesLeft"], 2)  # all that the token's "count low" tells
        self.assertEqual(consent.details()["State"], "reviewing")
        self.assertEqual(self.state_on_record(consent.details()["ConsentId"]), ("reviewing", ""))
        self.assert_signs(consent)

    def test_wrong_in_one_call(self):
        """SignConsent is one try: the code is spent, and the record says why."""
        code, _details = self.client.get_code("local")
        self.agent(pin=gives(b"00000000"))
        call = manager_call(self.client.connection, "SignConsent", code, NO_CERTIFICATE, OPTIONS)
        with self.assertDBusError("PinIncorrect"):
            call.wait()
        with self.assertDBusError("CodeUsed"):
            self.client.open(code)
        self.assertEqual(self.record()[0]["State"], "cancelled")

    def test_what_cannot_be_a_pin(self):
        """No try is spent on it: the token never sees it."""
        consent = self.open()
        for name, content in (("empty", b""), ("4 KiB", b"1" * 4096), ("64 KiB", b"1" * 65536), ("257 bytes", b"1" * 257),
                              ("too short", b"123")):
            with self.subTest(name):
                self.sign(consent, content)
                self.assert_finished(consent, "PinFormat", retriable=True)
        self.assert_signs(consent)

    def test_strange_bytes_are_only_a_wrong_pin(self):
        consent = self.open()
        right = self.shared.pin.encode()
        for name, content in (("NUL inside", right[:3] + b"\0" + right[3:]), ("NUL behind", right + b"\0"),
                              ("line ends", right + b"\n\n"), ("not UTF-8", b"\xff\xfe\xfd\xfc"), ("256 bytes", b"1" * 255),
                              ("blank", b" " + right), ("escape", b"\x1b[2J12"), ("format", b"%s%n%s%n")):
            with self.subTest(name):
                self.sign(consent, content)
                success, error, result = consent.wait()
                self.assertFalse(success)
                self.assertIn(error.rsplit(".", 1)[1], ("PinIncorrect", "PinFormat"))
                self.assertTrue(result["Retriable"])
        self.assert_signs(consent)

    def test_line_end_of_a_file(self):
        """echo and editors add one; no PIN has one."""
        self.assert_signs(self.open(), pin=self.shared.pin.encode() + b"\n")

    def test_no_pin_in_the_log(self):
        consent = self.open()
        self.sign(consent, b"73927461")
        self.assert_finished(consent, "PinIncorrect")
        self.assert_signs(consent)
        log = self.log()
        self.assertNotIn("73927461", log)
        self.assertNotIn(self.shared.pin, log.replace(consent.path, "").replace(str(self.shared.daemon.pid), ""))

    def test_descriptors_that_are_no_pipe_to_read_from(self):
        consent = self.open()
        for name, make in (("write end", write_end), ("file", lambda: plain_file(self.shared.folder)),
                           ("memfd", lambda: memfd(self.shared.pin.encode())), ("socket", one_socket),
                           ("directory", lambda: as_argument(os.open("/", os.O_RDONLY))),
                           ("path only", lambda: as_argument(os.open("/", os.O_PATH))),
                           ("device", lambda: as_argument(os.open("/dev/zero", os.O_RDONLY))),
                           ("event", lambda: as_argument(os.eventfd(1))),
                           ("fifo to read and write", lambda: fifo(self.shared.folder, os.O_RDWR))):
            with self.subTest(name):
                with self.assertDBusError("DescriptorInvalid"):
                    self.sign(consent, make())
                self.assertEqual(consent.details()["State"], "reviewing")
        self.assert_signs(consent)

    def test_agent_that_returns_no_pipe(self):
        consent = self.open()
        for name, make in (("write end", write_end), ("memfd", lambda: memfd(b"1234")), ("socket", one_socket)):
            with self.subTest(name):
                agent = self.agent(pin=lambda _details, reply, _refuse, made=make: reply(made()))
                consent.sign(self.certificate())
                self.assert_finished(consent, "DescriptorInvalid", retriable=True)
                self.forget_agent(self.client, agent)
        self.assert_signs(consent)

    def test_named_pipe(self):
        """A FIFO in the file system is a pipe as well."""
        consent = self.open()
        reader = fifo(self.shared.folder, os.O_RDONLY | os.O_NONBLOCK)
        writer = os.open(os.path.join(self.shared.folder, "fifo"), os.O_WRONLY)
        os.write(writer, self.shared.pin.encode())
        os.close(writer)
        self.assert_signs(consent, pin=reader)

    def never_delivered(self, pipe):
        """TimedOut after 2 s, and meanwhile others sign with the same token as if nothing were. (Twice in a row is allowed
        to be slow on a busy machine.)"""
        for _ in range(3):
            consent = self.open()
            started = time.monotonic()
            self.sign(consent, pipe.argument)
            others = 0
            while not consent.outcome and time.monotonic() - started < PIN_DELIVERY / 2:
                client = self.new_client()
                self.assert_signs(self.open(client), client=client)
                others += not consent.outcome
            self.assert_finished(consent, "TimedOut", retriable=True)
            self.assertGreater(time.monotonic() - started, PIN_DELIVERY * 0.9)
            self.assertIn("awaiting-pin", consent.states)
            if others:
                return consent
        return self.fail("nobody else signs while a PIN is awaited")

    def test_never_delivered(self):
        pipe = OpenPipe()
        consent = self.never_delivered(pipe)
        pipe.close()
        self.assert_signs(consent)

    def test_delivered_but_never_closed(self):
        pipe = OpenPipe()
        os.write(pipe.writer, self.shared.pin.encode())
        self.never_delivered(pipe)
        pipe.close()

    def test_late_but_in_time(self):
        pipe = OpenPipe()
        consent = self.open()
        self.sign(consent, pipe.argument)
        wait_until(lambda: "awaiting-pin" in consent.states)
        self.assertIsNone(consent.outcome)
        pipe.deliver(self.shared.pin.encode())
        self.assertTrue(consent.wait()[0])

    def test_busy_while_a_pin_is_awaited(self):
        pipe = OpenPipe()
        consent = self.open()
        self.sign(consent, pipe.argument)
        with self.assertDBusError("Busy"):
            self.sign(consent)
        pipe.deliver(self.shared.pin.encode())
        self.assertTrue(consent.wait()[0])


class Agents(DaemonTest):
    def test_asked_again_and_told_why(self):
        seen = []
        answers = [b"00000000", b"11111111", self.shared.pin.encode()]

        def pin(details, reply, _refuse):
            seen.append((details["Reason"], details["TriesLeft"], details["FinalTry"]))
            reply(pin_pipe(answers[len(seen) - 1]))

        agent = self.agent(pin=pin)
        consent = self.open()
        texts = [content for _title, _media, _digest, content in consent.texts()]
        consent.sign(self.certificate())
        self.assertTrue(consent.wait()[0])
        self.assertEqual(seen, [("first", -1, False), ("incorrect", 2, False), ("incorrect", 2, False)])
        self.assertEqual(agent.asked, ["ConfirmText"] + ["RequestPin"] * 3)
        self.assertEqual(agent.texts, texts)
        self.assertEqual(agent.details["TokenLabel"], "eonay-demo")
        self.assertIn("YILMAZ", agent.details["CertificateSubject"])
        self.assertGreaterEqual(agent.details["MinLength"], 4)

    def test_three_wrong_ones_are_enough(self):
        agent = self.agent(pin=gives(b"00000000"))
        consent = self.open()
        consent.sign(self.certificate())
        self.assert_finished(consent, "PinIncorrect", retriable=True)
        self.assertEqual(agent.asked.count("RequestPin"), 3)
        self.assert_signs(consent)

    def test_pin_that_never_comes_from_the_agent(self):
        pipe = OpenPipe()
        self.addCleanup(pipe.close)
        self.agent(pin=lambda _details, reply, _refuse: reply(pipe.argument))
        consent = self.open()
        consent.sign(self.certificate())
        self.assert_finished(consent, "TimedOut", retriable=True)


class Tokens(DaemonTest):
    """PIN states that SoftHSM never has."""

    TOKENS = {
        "locked": {"Flags": "locked"}, "final": {"Flags": "final"}, "pinpad": {"Flags": "pinpad"},
        "tries": {"Script": "login error PinIncorrect,2"}, "lastone": {"Script": "login error PinIncorrect,1",
                                                                      "FlagsAfterLogin": "final"},
        "locks": {"Script": "login error PinLocked,0", "FlagsAfterLogin": "locked"},
        "gone": {"Script": "login error TokenRemoved"}, "late": {"Script": "sign error TokenRemoved"},
        "away": {"State": "needs-driver"}, "few": {"Mechanisms": "0"},
    }

    @classmethod
    def prepare(cls, sandbox):
        sandbox.add_token()
        for name, keys in cls.TOKENS.items():
            holder = sandbox.pki.issue(name, profile="nes", key="rsa2048")
            fake_token(sandbox, name, certificate=holder, **keys)

    def setUp(self):
        super().setUp()
        self.listed = {}
        for path, properties in self.client.certificates():
            label = plain_label(self.client, properties["Token"])
            self.listed[label] = (path, properties)

    def refused(self, name, error, reason=None):
        path, properties = self.listed[name]
        if reason:
            self.assertEqual((properties["Usable"], properties["Reasons"]), (False, [reason]))
        with self.assertDBusError(error):
            self.sign(self.open(), b"123456", certificate=path)

    def fails(self, name, error, **checks):
        path, _properties = self.listed[name]
        consent = self.open()
        self.sign(consent, b"123456", certificate=path, **checks.pop("options", {}))
        return self.assert_finished(consent, error, **checks)

    def token_property(self, name, which):
        return self.property(which, path=self.listed[name][1]["Token"], interface="org.eonay.EOnay1.Token")

    def test_locked(self):
        self.refused("locked", "PinLocked", "pin-locked")
        self.assertEqual(self.token_property("locked", "PinState"), "locked")

    def test_final_try_needs_permission(self):
        self.refused("final", "PinFinalTry")
        self.fails("final", "SignatureInvalid", options={"allow_final_try": True}, retriable=False)

    def test_keypad_takes_no_pin_from_a_program(self):
        self.refused("pinpad", "PinPadRequired")
        consent = self.open()
        consent.sign(self.listed["pinpad"][0], accept_text_sha256=self.hashes(consent))
        self.assert_finished(consent, "SignatureInvalid", retriable=False)

    def test_tries_left_are_told(self):
        self.assertEqual(self.fails("tries", "PinIncorrect", retriable=True)["TriesLeft"], 2)
        self.assertEqual(self.fails("lastone", "PinIncorrect", retriable=True)["TriesLeft"], 1)
        self.assertEqual(self.token_property("lastone", "PinState"), "final-try")
        self.refused("lastone", "PinFinalTry")

    def test_locks_itself(self):
        self.assertEqual(self.fails("locks", "PinLocked", retriable=True)["TriesLeft"], 0)
        self.assertEqual(self.token_property("locks", "PinState"), "locked")
        self.refused("locks", "PinLocked")

    def test_token_taken_out(self):
        self.fails("gone", "TokenRemoved", retriable=True)
        self.fails("late", "TokenRemoved", retriable=False)  # the token may have signed: the code is spent

    def test_not_ready(self):
        self.refused("away", "PluginFailed", "token-not-ready")

    def test_no_common_algorithm(self):
        self.refused("few", "MechanismUnsupported", "mechanism-unsupported")

    def test_changing_pins(self):
        path = self.listed["locked"][1]["Token"]
        token = dbus.Interface(self.client.connection.get_object("org.eonay.EOnay1", path, introspect=False),
                               "org.eonay.EOnay1.Token")
        with self.assertDBusError("PinLocked"):
            token.ChangePin(pin_pipe(b"123456"), pin_pipe(b"654321"), OPTIONS)
        with self.assertDBusError("DescriptorInvalid"):
            token.UnblockPin(memfd(b"123456"), pin_pipe(b"654321"), OPTIONS)
        with self.assertDBusError("DescriptorInvalid"):
            token.UnblockPin(pin_pipe(b"123456"), write_end(), OPTIONS)
        with self.assertDBusError("PinFormat"):
            token.UnblockPin(pin_pipe(b""), pin_pipe(b"654321"), OPTIONS)
        with self.assertDBusError("PinFormat"):
            token.UnblockPin(pin_pipe(b"1" * 4096), pin_pipe(b"654321"), OPTIONS)
        never = OpenPipe()
        self.addCleanup(never.close)
        with self.assertDBusError("TimedOut"):
            token.UnblockPin(pin_pipe(b"123456"), never.argument, OPTIONS)
        token.UnblockPin(pin_pipe(b"123456"), pin_pipe(b"654321"), OPTIONS)
        with self.assertDBusError("org.freedesktop.DBus.Error.InvalidArgs"):
            token.UnblockPin(pin_pipe(b"123456"), pin_pipe(b"654321"), options(force=True))


def plain_label(client, token):
    target = client.connection.get_object("org.eonay.EOnay1", token, introspect=False)
    return str(target.Describe(OPTIONS, dbus_interface="org.eonay.EOnay1.Token")["Label"])


if __name__ == "__main__":
    run()
