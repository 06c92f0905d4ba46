#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The life of a PIN on a card: tries, the last one, the lock, PUK and change, and that it stays nowhere."""
import os

import cards
import memory
import scene
from client import OPTIONS
from scene import PIN, PUK, CardTest, iterate

UNBLOCKING = """app default { framework pkcs15 { } }
app opensc-pkcs11 { pkcs11 { user_pin_unblock_style = set_pin_in_unlogged_session; } }
"""


def make(folder):
    authority = scene.authority(folder)
    yield authority.card("ali", s9c="rsa2048")


class PinTest(CardTest):
    sections = {}

    def setUp(self):
        super().setUp()
        self.card = cards.Card(0)
        self.put_in(self.card)
        self.start(**self.sections)
        self.certificate = self.certificate_in(0)[0]

    def state(self):
        return self.token_in(0)[1]["PinState"]

    def spend(self, tries):
        for _ in range(tries):
            self.assertFailed(self.sign(self.certificate, pin="000000", allow_final_try=True), "PinIncorrect", True)

    def counters(self):
        report = self.card.report()
        return report["pin-tries"], report["puk-tries"]

    def change(self, old, new):
        self.token_methods(self.token_in(0)[0]).ChangePin(self.box.pin_pipe(old), self.box.pin_pipe(new), OPTIONS)

    def unblock(self, puk, new):
        self.token_methods(self.token_in(0)[0]).UnblockPin(self.box.pin_pipe(puk), self.box.pin_pipe(new), OPTIONS)


class Tries(PinTest):
    def test_until_it_is_locked(self):
        self.assertEqual(self.state(), "ok")
        self.spend(2)  # OpenSC knows no COUNT_LOW, and says FINAL_TRY with one try left
        self.assertEqual(self.counters()[0], 1)
        self.assertEqual(self.state(), "final-try")
        with self.assertDBusError("PinFinalTry"):
            self.begin(self.open_consent(), self.certificate)
        self.assertEqual(self.counters()[0], 1, "a refused final try costs nothing")
        self.spend(1)
        self.assertEqual(self.state(), "locked")
        with self.assertDBusError("PinLocked") as raised:
            self.begin(self.open_consent(), self.certificate, allow_final_try=True)
        self.assertIn("is not a PUK", str(raised.exception))
        self.assertEqual(self.token_in(0)[1]["State"], "The PIN is locked.")

    def test_the_final_try_may_succeed(self):
        self.spend(2)
        self.assertSigned(self.sign(self.certificate, allow_final_try=True))
        self.assertEqual(self.counters()[0], 3)
        self.assertEqual(self.state(), "ok")

    def test_a_card_that_comes_with_a_single_try_left(self):
        self.card.tell("tries pin 1")
        self.card.tell("pull")
        self.wait_empty(0)
        self.card.tell("insert")
        self.wait_token(0, PinState="final-try")
        with self.assertDBusError("PinFinalTry"):
            self.begin(self.open_consent(), self.certificate_in(0)[0])
        self.assertEqual(self.counters()[0], 1)

    def test_the_agent_is_told_and_not_led_into_the_last_try(self):
        agent = self.register_agent()
        self.card.tell("tries pin 2")
        consent = self.open_consent()
        self.begin(consent, self.certificate, pin=None)
        iterate(lambda: agent.asked)
        self.assertEqual([agent.asked[0][key] for key in ("Reason", "TriesLeft", "FinalTry", "MinLength", "MaxLength")],
                         ["first", -1, False, 4, 8])
        agent.reply(self.box.pin_pipe("000000"))
        consent.wait()
        self.assertFailed(consent, "PinIncorrect", retriable=True)
        self.assertEqual(consent.outcome[2]["TriesLeft"], 1)
        self.assertEqual(len(agent.asked), 1)
        self.begin(consent, self.certificate, pin=None, allow_final_try=True)
        iterate(lambda: len(agent.asked) == 2)
        self.assertTrue(agent.asked[1]["FinalTry"])
        agent.reply(self.box.pin_pipe(PIN))
        consent.wait()
        self.assertSigned(consent)

    def test_the_agent_is_asked_again_while_there_are_tries(self):
        agent = self.register_agent()
        consent = self.open_consent()
        self.begin(consent, self.certificate, pin=None)
        iterate(lambda: agent.asked)
        agent.reply(self.box.pin_pipe("000000"))
        iterate(lambda: len(agent.asked) == 2)
        self.assertEqual(agent.asked[1]["Reason"], "incorrect")
        agent.reply(self.box.pin_pipe(PIN))
        consent.wait()
        self.assertSigned(consent)

    def test_what_cannot_be_a_pin_costs_no_try(self):
        for pin in ("123", "123456789", ""):
            self.assertFailed(self.sign(self.certificate, pin=pin), "PinFormat", retriable=True)
        self.assertEqual(self.counters()[0], 3)


class Change(PinTest):
    def test_change(self):
        self.change(PIN, "246810")
        self.assertSigned(self.sign(self.certificate, pin="246810"))
        self.assertFailed(self.sign(self.certificate), "PinIncorrect")
        self.change("246810", PIN)
        self.assertSigned(self.sign(self.certificate))

    def test_a_wrong_old_pin_is_a_wrong_pin(self):
        with self.assertDBusError("PinIncorrect"):
            self.change("000000", "246810")
        self.assertEqual(self.counters()[0], 2)

    def test_lengths(self):
        for old, new in ((PIN, "123"), (PIN, "123456789"), ("12", "246810")):
            with self.assertDBusError("PinFormat"):
                self.change(old, new)
        self.assertEqual(self.counters()[0], 3)

    def test_the_final_try_is_not_spent_on_a_change(self):
        self.spend(2)
        with self.assertDBusError("PinFinalTry"):
            self.change(PIN, "246810")
        self.assertEqual(self.counters()[0], 1)


class Unblock(PinTest):
    def start(self, **sections):
        folder = os.environ["EONAY_TEST_CARDS"]
        path = os.path.join(folder, "opensc.conf")
        with open(path, "w", encoding="ascii") as file:
            file.write(UNBLOCKING)
        return super().start(**{"Token opensc": {"Unblock": "set-pin", "Environment": "OPENSC_CONF=" + path, "ReadPaths": path}})

    def test_one_card_one_token(self):
        self.assertEqual(len(self.tokens()), 1, "the section speaks for the definition of its name")

    def test_unblock(self):
        self.spend(3)
        self.assertEqual(self.state(), "locked")
        self.unblock(PUK, "975310")
        self.assertEqual(self.state(), "ok")
        self.assertEqual(self.counters(), (3, 3))
        self.assertSigned(self.sign(self.certificate, pin="975310"))

    def test_the_verification_code_is_not_a_puk(self):
        for code in ("168857414351237", "16885 74143 51237", "168-857-414-351-237"):
            with self.assertDBusError("PinFormat") as raised:
                self.unblock(code, "975310")
            self.assertIn("verification code", str(raised.exception))
        self.assertEqual(self.counters(), (3, 3))

    def test_a_wrong_puk(self):
        with self.assertDBusError("PinIncorrect"):
            self.unblock("00000000", "975310")
        self.assertEqual(self.counters(), (3, 2))
        self.assertSigned(self.sign(self.certificate))


class Memory(PinTest):
    def test_it_stays_nowhere(self):
        with open(self.box.programs.host, "rb") as program:
            if b"__asan_init" in program.read():
                return  # the sanitizer keeps what is freed, to watch it
        secret, wrong = "86420975", "97531086"
        self.card.tell(f"code pin {secret}")
        self.assertSigned(self.sign(self.certificate, pin=secret))
        self.assertFailed(self.sign(self.certificate, pin=wrong), "PinIncorrect")
        self.assertSigned(self.sign(self.certificate, pin=secret))
        looked_at = 0
        for name in ("eonayd", "eonay-plugin-host"):
            for pid, words in memory.processes(name):
                looked_at += 1
                for pin in (secret, wrong):
                    self.assertEqual(memory.places(pid, pin.encode()), [], words)
        self.assertGreaterEqual(looked_at, 4)  # eonayd, the watcher, the lister, the signer
        for pin in (secret, wrong):
            self.assertNotIn(pin, self.box.logs())

    def test_the_search_would_find_it(self):
        mark = ("mark" + os.urandom(8).hex()).encode()
        self.assertTrue(memory.places(os.getpid(), mark))


if __name__ == "__main__":
    scene.main(make)
