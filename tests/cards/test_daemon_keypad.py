#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A reader with a keypad of its own: the PIN is typed there, and nowhere else."""
import time

import cards
import scene
from scene import PIN, CardTest, iterate


def make(folder):
    yield scene.authority(folder).card("ali", s9c="rsa2048")


class Keypad(CardTest):
    def setUp(self):
        super().setUp()
        self.card = cards.Card(0)
        self.card.tell("pull")
        self.pcscd.tell("unplug 0")
        time.sleep(1)
        self.type(PIN, 200)
        self.pcscd.tell("plug 0")
        self.addCleanup(self.pcscd.tell, "keypad 0 none")

    def type(self, what, milliseconds=200):
        self.pcscd.tell(f"keypad 0 {what} {milliseconds}")

    def ready(self, **sections):
        """The daemon, and the card in its reader; its certificate."""
        self.start(**sections)
        iterate(lambda: len(self.readers()) == 1)
        self.card.tell("insert")
        token, properties = self.wait_token(0, State="ready")
        self.assertTrue(properties["PinPad"])
        return self.certificate_of(token)[0]

    def test_the_reader_says_so(self):
        self.start()
        iterate(lambda: [r["PinPad"] for r in self.readers().values()] == [True])
        self.card.tell("insert")
        self.wait_token(0, State="ready")
        self.assertEqual([r["PinPad"] for r in self.readers().values()], [True])

    def test_asked_only_when_it_is_empty(self):
        self.card.tell("insert")
        self.card.wait_seen()
        self.start()
        self.wait_token(0, State="ready")
        self.assertEqual([r["PinPad"] for r in self.readers().values()], [False])
        self.card.tell("pull")
        iterate(lambda: [r["PinPad"] for r in self.readers().values()] == [True])

    def test_no_program_gives_the_pin(self):
        certificate = self.ready()
        verifies = self.card.report()["verifies"]
        with self.assertDBusError("PinPadRequired"):
            self.begin(self.open_consent(), certificate)
        self.assertEqual(self.card.report()["verifies"], verifies)
        self.assertSigned(self.sign(certificate, pin=None))

    def test_the_agent_is_not_asked(self):
        certificate = self.ready()
        agent = self.register_agent()
        self.assertSigned(self.sign(certificate, pin=None))
        self.assertEqual(agent.asked, [])

    def test_a_wrong_pin(self):
        certificate = self.ready()
        self.type("000000")
        self.assertFailed(self.sign(certificate, pin=None), "PinIncorrect", retriable=True)
        self.assertEqual(self.card.report()["pin-tries"], 2)
        self.type(PIN)
        self.assertSigned(self.sign(certificate, pin=None))

    def test_the_red_key(self):
        certificate = self.ready()
        self.type("cancel")
        self.assertFailed(self.sign(certificate, pin=None), "Cancelled")
        self.assertEqual(self.card.report()["pin-tries"], 3)
        self.type(PIN)
        self.assertSigned(self.sign(certificate, pin=None))

    def test_pulled_while_somebody_types(self):
        certificate = self.ready()
        self.type(PIN, 4000)
        consent = self.open_consent()
        self.begin(consent, certificate, pin=None)
        iterate(lambda: len(consent.states) > 1)
        time.sleep(0.5)
        self.card.tell("pull")
        consent.wait()
        self.assertFailed(consent, "TokenRemoved")

    def test_nobody_types(self):
        certificate = self.ready(Limits={"PinPadDeadlineMs": 1500})
        self.type(PIN, 4000)
        self.assertFailed(self.sign(certificate, pin=None), "PluginTimeout")
        time.sleep(3)  # the reader waits for its keypad, whoever asked


if __name__ == "__main__":
    scene.main(make)
