#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The virtual card by its wire: this test is the reader. No pcscd, no rights needed."""
import os
import random
import signal
import socket
import struct
import subprocess
import tempfile
import time
import unittest

import cards

VCARD = os.path.join(os.environ.get("EONAY_CARD_TOOLS") or os.path.join(os.environ.get("EONAY_BUILD", "build"), "tests", "cards"),
                     "vcard", "eonay-vcard")
SELECT = "00A4040009A00000030800001000"
VERIFY = "0020008008313233343536FFFF"
ON, RESET, ATR = b"\x01", b"\x02", b"\x04"


class Wire(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="wire.")
        cls.addClassCleanup(cls.folder.cleanup)
        cards.make_card(cls.folder.name, s9a="rsa2048", s9c="p256")

    def setUp(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.listener.close)
        self.listener.settimeout(60)
        self.state = os.path.join(self.folder.name, self.id() + ".state")
        self.start()

    def start(self, *more):
        path = self.folder.name
        self.card = subprocess.Popen([VCARD, "--port", str(self.listener.getsockname()[1]), "--state", self.state, "--script", "-",
                                      "--key", f"9a={path}/9a-key.pem", "--cert", f"9a={path}/9a-cert.pem",
                                      "--key", f"9c={path}/9c-key.pem", "--cert", f"9c={path}/9c-cert.pem", *more],
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.end, self.card)
        self.insertion()

    def end(self, process):
        process.stdin.close()
        self.assertEqual(process.wait(60), 0)
        process.stdout.close()

    def insertion(self):
        self.connection, _ = self.listener.accept()
        self.addCleanup(self.connection.close)
        self.connection.settimeout(60)
        self.send(ON)

    def send(self, body):
        self.connection.sendall(struct.pack(">H", len(body)) + body)

    def receive(self):
        with self.connection.makefile("rb") as stream:
            size, = struct.unpack(">H", stream.read(2))
            return stream.read(size)

    def command(self, text):
        self.send(bytes.fromhex(text))
        answer = self.receive()
        return answer[:-2], answer[-2:].hex()

    def status(self, text):
        return self.command(text)[1]

    def tell(self, line):
        self.card.stdin.write(line + "\n")
        self.card.stdin.flush()
        return self.card.stdout.readline().strip()

    def test_atr_has_a_good_check_byte(self):
        self.send(ATR)
        atr = self.receive()
        check = 0
        for byte in atr[1:]:
            check ^= byte
        self.assertEqual((atr[0], check), (0x3B, 0))

    def test_selection(self):
        self.assertEqual(self.status("00CB3FFF055C035FC10200"), "6985")
        for identifier, status in (("A000000308000010000100", "9000"), ("A00000030800001000", "9000"),
                                   ("A000000308", "9000"), ("A0000003080000100001", "6a82"), ("A000000151000000", "6a82")):
            self.assertEqual(self.status(f"00A40400{len(identifier) // 2:02X}{identifier}"), status, identifier)

    def test_objects(self):
        self.status(SELECT)
        for tag, status in (("7E", "9000"), ("5FC102", "9000"), ("5FC107", "9000"), ("5FC105", "61"), ("5FC10A", "61"),
                            ("5FC10B", "6a82"), ("5FC10C", "6a82"), ("5FC1", "6a82")):
            size = len(tag) // 2
            answer = self.status(f"00CB3FFF{size + 2:02X}5C{size:02X}{tag}00")
            self.assertTrue(answer.startswith(status), (tag, answer))

    def test_a_long_object_in_parts_and_at_once(self):
        self.status(SELECT)
        data, status = self.command("00CB3FFF055C035FC10500")
        while status.startswith("61"):
            more, status = self.command("00C0000000")
            data += more
        self.assertEqual(status, "9000")
        whole, status = self.command("00CB3FFF0000055C035FC1050000")
        self.assertEqual((whole, status), (data, "9000"))
        self.assertEqual(self.status("00C0000000"), "6985")

    def block(self):
        return b"\x00\x01" + b"\xff" * 200 + b"\x00" * 54

    def test_a_chain_and_an_extended_command_sign_alike(self):
        self.status(SELECT)
        self.assertEqual(self.status("0087079A0E7C0C8200810811111111111111110000"[:44]), "6700")
        template = (b"\x7c\x82\x01\x06\x82\x00\x81\x82\x01\x00" + self.block()).hex()
        self.assertEqual(self.status("1087079AFF" + template[:510]), "9000")
        self.assertEqual(self.status(f"0087079A{(len(template) - 510) // 2:02X}" + template[510:] + "00"), "6982")
        self.assertEqual(self.status(VERIFY), "9000")
        self.status("1087079AFF" + template[:510])
        first, status = self.command(f"0087079A{(len(template) - 510) // 2:02X}" + template[510:] + "00")
        self.assertEqual(status, "6108")
        rest, _ = self.command("00C0000008")
        whole, status = self.command(f"0087079A00{len(template) // 2:04X}" + template + "0000")
        self.assertEqual((whole, status), (first + rest, "9000"))

    def test_power_and_reset_forget_the_pin(self):
        for control in (RESET, ON):
            self.status(SELECT)
            self.assertEqual(self.status(VERIFY), "9000")
            self.assertEqual(self.status("00200080"), "9000")
            self.send(control)
            self.assertEqual(self.status("00200080"), "6985")
            self.status(SELECT)
            self.assertEqual(self.status("00200080"), "63c3")

    def test_counters(self):
        self.status(SELECT)
        wrong = "0020008008303030303030FFFF"
        self.assertEqual([self.status(wrong) for _ in range(4)], ["63c2", "63c1", "63c0", "6983"])
        self.assertEqual(self.status(VERIFY), "6983")
        puk, other, new = b"12345678".hex(), b"87654321".hex(), b"654321".hex() + "FFFF"
        self.assertEqual(self.status(f"002C008010{other}{new}"), "63c2")
        self.assertEqual(self.status(f"002C008010{puk}{new}"), "9000")
        self.assertEqual(self.status(f"0020008008{new}"), "9000")
        self.assertEqual(self.status(f"0024008110{puk}{other}"), "9000")
        self.assertEqual([self.status(f"002C008010{puk}{new}") for _ in range(4)], ["63c2", "63c1", "63c0", "6983"])

    def test_the_counter_is_written_before_the_answer(self):
        self.status(SELECT)
        self.tell("pull at verify after 200")
        self.send(bytes.fromhex("0020008008303030303030FFFF"))
        time.sleep(0.1)
        with open(self.state) as file:
            self.assertIn("pin.tries=2", file.read())

    def test_strict(self):
        self.assertEqual(self.tell("strict on"), "ok")
        self.status(SELECT)
        sign = "0087119C267C248200" + "8120" + "11" * 32 + "00"
        self.status(VERIFY)
        self.assertEqual(self.status(sign), "9000")
        self.status(VERIFY)
        self.status("00CB3FFF035C017E00")
        self.assertEqual(self.status(sign), "6982")

    def test_pulled_at_once_and_inserted(self):
        self.status(SELECT)
        self.tell("pull at select")
        self.send(bytes.fromhex(SELECT))
        with self.assertRaises(ConnectionResetError):
            self.receive()
            raise ConnectionResetError  # an end of file would not unpack
        self.assertIn("inserted=0", self.tell("report"))
        self.tell("insert")
        self.insertion()
        self.assertEqual(self.status("00200080"), "6985")

    def test_the_reader_went_away(self):
        self.connection.close()
        self.insertion()
        self.assertEqual(self.status(SELECT), "9000")

    def test_nonsense_is_answered(self):
        chance = random.Random(5)
        self.status(SELECT)
        self.status(VERIFY)
        for _ in range(3000):
            size = chance.choice((2, 3, 4, 5, 6, 9, 40, 300))
            head = bytes([0, chance.choice((0x20, 0x24, 0x2C, 0x87, 0xA4, 0xC0, 0xCB)), chance.choice((0, 7, 0x11, 0x3F, 4)),
                          chance.choice((0x80, 0x81, 0x9A, 0x9C, 0xFF, 0)), chance.randrange(12)])
            body = chance.randbytes(size) if chance.random() < 0.5 else head + chance.choice(
                (b"\x7c", b"\x5c", b"\x7c\x82", b"")) + chance.randbytes(chance.randrange(20))
            self.send(body)
            self.assertGreaterEqual(len(self.receive()), 2)
        self.assertEqual(self.status(SELECT), "9000")

    def test_what_it_refuses_to_start_with(self):
        path = self.folder.name
        for arguments in (["--host", "192.0.2.1"], ["--port", "0"], ["--key", "9b=x"], ["--key", f"9c={path}/9c-cert.pem"],
                          ["--cert", f"9c={path}/9c-key.pem"], ["--serial", "12"], ["--script", "/nonexistent"],
                          ["--control", "/" + "x" * 200], ["extra"], ["--what"]):
            done = subprocess.run([VCARD, *arguments], capture_output=True, timeout=60)
            self.assertEqual(done.returncode, 1, arguments)
            self.assertTrue(done.stderr, arguments)

    def test_a_state_that_is_none(self):
        with open(self.state + ".bad", "w") as file:
            file.write("pin.tries=many\n")
        done = subprocess.run([VCARD, "--absent", "--state", self.state + ".bad"], capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 1)

    def test_ends_by_signal(self):
        process = subprocess.Popen([VCARD, "--absent", "--control", f"{self.folder.name}/socket"])
        cards.wait_until(lambda: os.path.exists(f"{self.folder.name}/socket"))
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(60), 0)
        self.assertFalse(os.path.exists(f"{self.folder.name}/socket"))


if __name__ == "__main__":
    unittest.main()
