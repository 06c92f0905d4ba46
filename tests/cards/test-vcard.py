#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The virtual card under real pcscd and real OpenSC: listing, signing, the PIN's whole life, faults."""
import ctypes
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

import cards

PIN, PUK = "123456", "12345678"
SELECT = "00A404000BA000000308000010000100"


def make(folder):
    yield cards.make_card(f"{folder}/rsa", s9a="rsa2048", s9c="rsa2048", serial="00112233445566778899aabbccddeeff")
    yield cards.make_card(f"{folder}/curves", s9a="p384", s9c="p256", s9d="p256", s9e="p256")
    yield "-" + cards.make_card(f"{folder}/other", s9c="p256") + "@1"


def run(*arguments, timeout=30, **environment):
    return subprocess.run(arguments, capture_output=True, text=True, timeout=timeout, env=dict(os.environ, **environment))


def pkcs11(*arguments, **environment):
    return run("pkcs11-tool", "--module", cards.opensc_module(), *arguments, **environment)


class Link:
    """One card by libpcsclite itself."""

    def __init__(self, reader):
        self.library = ctypes.CDLL("libpcsclite.so.1")
        context, self.handle, protocol = ctypes.c_long(), ctypes.c_long(), ctypes.c_ulong()
        self.check("SCardEstablishContext", 2, None, None, ctypes.byref(context))
        self.check("SCardConnect", context, reader.encode(), 2, 2, ctypes.byref(self.handle), ctypes.byref(protocol))

    def check(self, function, *arguments):
        status = getattr(self.library, function)(*arguments)
        if status:
            raise OSError(f"{function}: {status & 0xFFFFFFFF:#x}")

    def transmit(self, command):
        data, answer, size = bytes.fromhex(command), ctypes.create_string_buffer(300), ctypes.c_ulong(300)
        protocol = (ctypes.c_ulong * 2)(2, 16)  # SCARD_PCI_T1
        self.check("SCardTransmit", self.handle, protocol, data, ctypes.c_ulong(len(data)), None, answer, ctypes.byref(size))
        return answer.raw[:size.value]


class CardTest(unittest.TestCase):
    def setUp(self):
        self.work = tempfile.TemporaryDirectory()
        self.addCleanup(self.work.cleanup)
        self.rsa, self.curves, self.other, self.pcscd = cards.Card(0), cards.Card(1), cards.Card(2), cards.Pcscd()
        for card in (self.rsa, self.curves, self.other):
            card.tell("clear")
            card.tell(f"code pin {PIN}")
            card.tell(f"code puk {PUK}")
            card.tell("tries pin 3")
            card.tell("tries puk 3")
        self.other.tell("pull")
        self.insert(self.rsa, self.curves)

    def insert(self, *inserted):
        for card in inserted:
            card.tell("insert")
        for card in inserted:
            card.wait_seen()

    def wait_gone(self, reader):
        """Until pcscd has noticed that the reader is empty (or out of order)."""
        def empty():
            row = next(line for line in run("opensc-tool", "-l").stdout.splitlines() if line.startswith(f"{reader} "))
            return row.split()[1] == "No"
        cards.wait_until(empty)

    def path(self, name):
        return os.path.join(self.work.name, name)

    def sign(self, slot, identity, mechanism, pin=PIN):
        with open(self.path("data"), "w") as file:
            file.write("text")
        return pkcs11("--slot-index", str(slot), "--login", "--pin", pin, "--sign", "--id", identity, "-m", mechanism,
                      "--signature-format", "openssl", "-i", self.path("data"), "-o", self.path("signature"))

    def verify(self, card, slot, digest):
        certificate = os.path.join(os.environ["EONAY_TEST_CARDS"], card, f"{slot}-cert.pem")
        public = run("openssl", "x509", "-in", certificate, "-pubkey", "-noout").stdout
        with open(self.path("public"), "w") as file:
            file.write(public)
        done = run("openssl", "dgst", f"-{digest}", "-verify", self.path("public"), "-signature", self.path("signature"),
                   self.path("data"))
        self.assertIn("Verified OK", done.stdout, done.stderr)

    def answers(self, reader, *commands):
        """The status words, by way of the reader only."""
        done = run("opensc-tool", "--reader", reader, "--card-driver", "default",
                   *(word for command in commands for word in ("--send-apdu", command)))
        return [one + two for one, two in re.findall(r"SW1=0x(..), SW2=0x(..)", done.stdout)]

    def flags(self, slot):
        listing = pkcs11("-L").stdout.split("Slot ")[slot + 1]
        return next(line for line in listing.splitlines() if "token flags" in line)


class Listing(CardTest):
    def test_opensc_sees_piv_cards_with_their_serial(self):
        listing = pkcs11("-L").stdout
        self.assertEqual(listing.count("piv_II"), 2, listing)
        self.assertIn("8899aabbccddeeff", listing)  # OpenSC shows the end of the GUID

    def test_objects(self):
        objects = pkcs11("--slot-index", "1", "-O").stdout
        for subject in ("Test 9a curves", "Test 9c curves", "Test 9d curves", "Test 9e curves"):
            self.assertIn(subject, objects)

    def test_a_card_without_the_application_is_unknown(self):
        self.rsa.tell("application off")
        self.addCleanup(lambda: self.rsa.tell("application on"))
        self.rsa.tell("pull")
        self.wait_gone(0)
        self.insert(self.rsa)
        self.assertNotIn("8899aabbccddeeff", pkcs11("-L").stdout)

    def readers(self):
        return [line.split(maxsplit=2)[2] for line in run("opensc-tool", "-l").stdout.splitlines()
                if line[:1].isdecimal()]

    def test_readers_come_and_go(self):
        self.assertEqual(len(self.readers()), 3)
        self.pcscd.tell("unplug 0")
        cards.wait_until(lambda: len(self.readers()) == 2)
        self.assertNotIn("(0000)", "".join(self.readers()))
        self.pcscd.tell("plug 0")
        cards.wait_until(lambda: len(self.readers()) == 3)
        cards.wait_until(lambda: pkcs11("-L").stdout.count("piv_II") == 2)

    def test_the_reader_can_break_and_mend(self):
        self.pcscd.tell("break 0")
        self.wait_gone(0)
        self.assertEqual(pkcs11("-L").stdout.count("piv_II"), 1)
        self.pcscd.tell("mend 0")
        cards.wait_until(lambda: pkcs11("-L").stdout.count("piv_II") == 2)


class Signing(CardTest):
    def signed(self, slot, identity, mechanism, card, name, digest):
        done = self.sign(slot, identity, mechanism)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.verify(card, name, digest)

    def test_rsa(self):
        self.signed(0, "01", "SHA256-RSA-PKCS", "rsa", "9a", "sha256")

    def test_rsa_with_the_pin_before_every_use(self):
        self.signed(0, "02", "SHA256-RSA-PKCS", "rsa", "9c", "sha256")

    def test_p256(self):
        self.signed(1, "02", "ECDSA-SHA256", "curves", "9c", "sha256")

    def test_p384(self):
        self.signed(1, "01", "ECDSA-SHA384", "curves", "9a", "sha384")

    def test_the_signature_slot_forgets_the_pin_after_one_use(self):
        verify = "0020008008313233343536FFFF"
        sign = "0087119C" + "26" + "7C248200" + "8120" + "11" * 32 + "00"
        self.assertEqual(self.answers("1", SELECT, verify, sign, sign), ["9000", "9000", "9000", "6982"])

    def test_slow_is_as_slow_as_told(self):
        self.curves.tell("slow 1500 at sign")
        before = time.monotonic()
        self.assertEqual(self.sign(1, "02", "ECDSA-SHA256").returncode, 0)
        self.assertGreater(time.monotonic() - before, 1.5)

    def test_cards_are_slow_side_by_side(self):
        # With libpcsclite alone: OpenSC asks every reader when it starts, and waits for a busy one.
        readers = [line.split(maxsplit=2)[2] for line in run("opensc-tool", "-l").stdout.splitlines() if " Yes " in line]
        self.assertEqual(len(readers), 2)
        for card in (self.rsa, self.curves):
            card.tell("slow 2000 at select")
        links = [Link(reader) for reader in readers]

        def select(link):
            return link.transmit(SELECT)[-2:].hex(), time.monotonic()
        with ThreadPoolExecutor(2) as pool:
            (one, first), (other, second) = pool.map(select, links)
        self.assertEqual([one, other], ["9000", "9000"])
        self.assertLess(abs(first - second), 1.9, "one after the other they end two seconds apart")


class Pin(CardTest):
    def test_the_counter_locks_and_the_puk_unblocks(self):
        for flag in (None, "final user PIN try", "user PIN locked"):
            done = self.sign(1, "02", "ECDSA-SHA256", pin="000000")
            self.assertIn("CKR_PIN_INCORRECT", done.stderr)
            if flag:
                self.assertIn(flag, self.flags(1))
        self.assertEqual(self.curves.report()["pin-tries"], 0)
        self.assertIn("CKR_PIN_LOCKED", self.sign(1, "02", "ECDSA-SHA256").stderr)
        done = run("pkcs15-tool", "--reader", "1", "--unblock-pin", "--auth-id", "01", "--puk", PUK, "--new-pin", "777777")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.sign(1, "02", "ECDSA-SHA256", pin="777777").returncode, 0)

    def test_the_right_pin_gives_the_tries_back(self):
        self.sign(1, "02", "ECDSA-SHA256", pin="000000")
        self.assertEqual(self.curves.report()["pin-tries"], 2)
        self.assertEqual(self.sign(1, "02", "ECDSA-SHA256").returncode, 0)
        self.assertEqual(self.curves.report()["pin-tries"], 3)

    def test_a_wrong_puk_costs_the_puk_a_try(self):
        run("pkcs15-tool", "--reader", "1", "--unblock-pin", "--auth-id", "01", "--puk", "00000000", "--new-pin", "777777")
        report = self.curves.report()
        self.assertEqual((report["pin-tries"], report["puk-tries"]), (3, 2))

    def test_change(self):
        done = pkcs11("--slot-index", "1", "--change-pin", "--pin", PIN, "--new-pin", "246802")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(self.sign(1, "02", "ECDSA-SHA256", pin="246802").returncode, 0)

    def test_the_counter_survives_power_and_the_reader(self):
        self.curves.tell("tries pin 1")
        self.curves.tell("pull")
        self.wait_gone(1)
        self.insert(self.curves)
        self.assertIn("final user PIN try", self.flags(1))

    def test_opensc_unblocks_through_pkcs11_when_told_how(self):
        self.curves.tell("tries pin 0")
        with open(self.path("opensc.conf"), "w") as file:
            file.write("app default { framework pkcs15 { } }\n"
                       "app opensc-pkcs11 { pkcs11 { user_pin_unblock_style = set_pin_in_unlogged_session; } }\n")
        done = pkcs11("--slot-index", "1", "--unlock-pin", "--puk", PUK, "--new-pin", "888888",
                      OPENSC_CONF=self.path("opensc.conf"))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(self.sign(1, "02", "ECDSA-SHA256", pin="888888").returncode, 0)

    def test_asking_costs_nothing_and_six_digits_are_the_least(self):
        self.assertEqual(self.answers("1", SELECT, "00200080", "00200080083132333435FFFFFF", "00200080"),
                         ["9000", "63C3", "6A80", "63C3"])

    def test_no_code_in_the_log(self):
        self.sign(1, "02", "ECDSA-SHA256")
        log = self.curves.log()
        self.assertIn("00200080", log)
        self.assertNotIn(PIN.encode().hex(), log)


class Faults(CardTest):
    def test_pulled_while_it_signs_and_inserted_again(self):
        self.curves.tell("slow 500 at sign")
        self.curves.tell("pull at sign after 100")
        before = time.monotonic()
        done = self.sign(1, "02", "ECDSA-SHA256")
        self.assertNotEqual(done.returncode, 0)
        self.assertLess(time.monotonic() - before, 60)
        self.assertEqual(self.curves.report()["inserted"], 0)
        self.curves.tell("clear")
        self.wait_gone(1)
        self.insert(self.curves)
        self.assertEqual(self.sign(1, "02", "ECDSA-SHA256").returncode, 0)

    def test_swapped(self):
        self.curves.tell("pull")
        self.other.tell("insert")
        cards.wait_until(lambda: "Test 9c other" in pkcs11("-O", "--slot-index", "1").stdout)

    def test_mute_until_it_is_pulled(self):
        self.curves.tell("mute at sign")
        with self.assertRaises(subprocess.TimeoutExpired):
            run("timeout", "30", "pkcs11-tool", "--module", cards.opensc_module(), "--slot-index", "1", "--login",
                "--pin", PIN, "--sign", "--id", "02", "-m", "ECDSA-SHA256", "-i", "/etc/hostname", "-o", "/dev/null",
                timeout=1.5)
        self.curves.tell("clear")
        self.curves.tell("pull")
        self.wait_gone(1)
        self.insert(self.curves)
        self.assertEqual(self.sign(1, "02", "ECDSA-SHA256").returncode, 0)

    def test_wrong_status_words(self):
        self.curves.tell("status 6F00 at sign")
        self.assertNotEqual(self.sign(1, "02", "ECDSA-SHA256").returncode, 0)
        self.curves.tell("clear")
        self.assertEqual(self.sign(1, "02", "ECDSA-SHA256").returncode, 0)

    def test_a_fault_skips_and_ends(self):
        self.curves.tell("status 6F00 at select skip 1 times 1")
        self.assertEqual(self.answers("1", SELECT, SELECT, SELECT), ["9000", "6F00", "9000"])

    def test_garbage(self):
        self.curves.tell("garbage 3 at sign")
        self.assertNotEqual(self.sign(1, "02", "ECDSA-SHA256").returncode, 0)

    def test_pcscd_restarts(self):
        self.pcscd.tell("restart")
        for card in (self.rsa, self.curves):
            card.wait_seen()
        self.assertEqual(self.sign(1, "02", "ECDSA-SHA256").returncode, 0)

    def test_pcscd_absent(self):
        self.pcscd.tell("stop")
        self.addCleanup(lambda: self.pcscd.tell("start"))
        self.assertNotIn("piv_II", pkcs11("-L").stdout)

    def test_orders_it_does_not_understand(self):
        for line in ("nonsense", "slow", "slow -1", "slow 5 at", "status 12345", "tries pin 99", "code pin 12",
                     "code puk 123", "serial 00", "atr 3", "pull at nothing", "strict maybe", "mute times x"):
            with self.assertRaises(RuntimeError, msg=line):
                self.curves.tell(line)


if __name__ == "__main__":
    if not cards.opensc_module():
        print("OpenSC's PKCS#11 module is missing", file=sys.stderr)
        sys.exit(cards.SKIP)
    cards.enter(make)
    unittest.main()
