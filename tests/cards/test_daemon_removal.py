#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A card that is pulled while something is under way, and several cards at the same time."""
import cards
import scene
from client import Client
from scene import PIN, CardTest, iterate

CARDS = 4


def make(folder):
    authority = scene.authority(folder)
    for number in range(CARDS):
        yield authority.card(f"card-{number}", s9c="p256", serial=f"{number + 1:02}" * 16)


class FourCards(CardTest):
    def setUp(self):
        super().setUp()
        self.cards = [cards.Card(number) for number in range(CARDS)]
        self.put_in(*self.cards)
        self.start()


class Pulled(FourCards):
    def test_while_the_agent_asks_for_the_pin(self):
        agent = self.register_agent()
        certificate = self.certificate_in(0)[0]
        verifies = self.cards[0].report()["verifies"]
        consent = self.open_consent()
        self.begin(consent, certificate, pin=None)
        iterate(lambda: agent.asked)
        self.assertEqual(consent.states[-1], "awaiting-pin")
        self.cards[0].tell("pull")
        consent.wait()
        self.assertFailed(consent, "TokenRemoved", retriable=True)
        iterate(lambda: agent.cancelled)
        self.assertEqual(agent.cancelled[0][1], consent.path)
        self.assertEqual(consent.states[-1], "reviewing", "the code lives on")
        self.assertEqual(self.cards[0].report()["verifies"], verifies)
        self.cards[0].tell("insert")
        self.begin(consent, self.certificate_in(0)[0])
        consent.wait()
        self.assertSigned(consent)

    def test_while_it_signs(self):
        certificate = self.certificate_in(0)[0]
        self.cards[0].tell("slow 3000 at sign")
        self.cards[0].tell("pull at sign after 100")
        code = self.client.get_code("local")[0]
        consent = self.client.open(code)
        self.begin(consent, certificate)
        consent.wait()
        self.assertFailed(consent, "TokenRemoved", retriable=False)
        self.assertEqual(consent.states[-1], "failed")
        with self.assertDBusError("CodeUsed"):
            self.client.open(code)
        self.cards[0].tell("clear")
        self.wait_empty(0)
        self.cards[0].tell("insert")
        self.assertSigned(self.sign(self.certificate_in(0)[0]))

    def test_while_another_signs(self):
        certificate = self.certificate_in(0)[0]
        self.certificate_in(1)
        self.cards[0].tell("slow 1500 at sign")
        verifies = self.cards[0].report()["verifies"]
        consent = self.open_consent()
        self.begin(consent, certificate)
        iterate(lambda: self.cards[0].report()["verifies"] > verifies)
        self.cards[1].tell("pull")
        self.wait_empty(1)
        consent.wait()
        self.assertSigned(consent)

    def test_while_it_waits_for_its_turn(self):
        certificate = self.certificate_in(0)[0]
        self.cards[0].tell("slow 3000 at sign")
        verifies = self.cards[0].report()["verifies"]
        first, second = self.open_consent(), self.open_consent()
        self.begin(first, certificate)
        self.begin(second, certificate)
        iterate(lambda: self.cards[0].report()["verifies"] > verifies)
        self.cards[0].tell("pull")
        first.wait()
        second.wait()
        self.assertFailed(first, "TokenRemoved", retriable=False)
        self.assertFailed(second, "TokenRemoved")

    def test_before_the_certificates_were_read(self):
        self.certificate_in(0)
        for _turn in range(3):
            self.cards[0].tell("pull")
            self.wait_empty(0)
            self.cards[0].tell("slow 300 at get-data")
            self.cards[0].tell("insert")
            self.cards[0].wait_seen()
            self.cards[0].tell("pull")
            self.cards[0].tell("clear")
            self.wait_empty(0)
        self.cards[0].tell("insert")
        self.assertSigned(self.sign(self.certificate_in(0)[0]))


class AtTheSameTime(FourCards):
    def test_several_apps_on_several_cards(self):
        certificates = [self.certificate_in(number)[0] for number in range(CARDS)]
        for card in self.cards:
            card.tell("slow 100 at sign")
        clients = [Client(self.box) for _ in range(2 * CARDS)]
        consents = [client.open(client.get_code("local")[0]) for client in clients]
        for number, consent in enumerate(consents):
            self.begin(consent, certificates[number % CARDS])
        for consent in consents:
            consent.wait()
            self.assertSigned(consent)
        self.assertEqual([card.report()["signatures"] for card in self.cards],
                         [before + 2 for before in self.before])

    def setUp(self):
        super().setUp()
        self.before = [card.report()["signatures"] for card in self.cards]

    def test_one_mute_card_holds_up_no_other(self):
        certificates = [self.certificate_in(number)[0] for number in range(CARDS)]
        self.assertSigned(self.sign(certificates[1]))  # its host has started
        self.cards[0].tell("mute at verify")
        stuck = self.open_consent()
        self.begin(stuck, certificates[0])
        iterate(lambda: stuck.states[-1:] == ["signing"])
        self.assertSigned(self.sign(certificates[1]))
        self.assertIsNone(stuck.outcome)
        self.cards[0].tell("pull")
        stuck.wait()
        self.assertFailed(stuck, "TokenRemoved")

    def test_each_call_needs_its_own_pin(self):
        certificate = self.certificate_in(0)[0]
        self.assertSigned(self.sign(certificate))
        refused = self.sign(certificate, pin="654321")
        self.assertFailed(refused, "PinIncorrect", retriable=True)
        with self.assertDBusError("NoAgent"):
            self.begin(self.open_consent(), certificate, pin=None)
        self.assertSigned(self.sign(certificate, pin=PIN))


if __name__ == "__main__":
    scene.main(make)
