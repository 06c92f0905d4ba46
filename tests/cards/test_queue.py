#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Many at once on tokens of one module: turns, logins, the bounded queue; and two tokens of a module that serves one thread
only, side by side."""
import contextlib
import itertools
import os
import re
import signal

import dbus

from bus import BUS_NAME
from containing import PIN, Call, ContainTest, Vendor, pin_pipe, run, run_for, wait_until

SLOW = 100  # ms a signature
QUEUE = 4
TOKEN = BUS_NAME + ".Token"


class QueueTest(ContainTest):
    deadline = 10000

    @classmethod
    def prepare(cls, sandbox):
        sandbox.limits["QueueLength"] = QUEUE
        sandbox.limits["ConsentsPerUser"] = 64
        super().prepare(sandbox)

    @classmethod
    def make_vendor(cls, sandbox):
        return Vendor(sandbox, slots=2)

    def wait_for_all(self, consents):
        """Outcomes in the order in which they came: [index]."""
        wait_until(lambda: all(consent.outcome for consent in consents), 60, "all signatures")
        return sorted(range(len(consents)), key=lambda i: consents[i].finished)

    @contextlib.contextmanager
    def signer_held(self):
        """The process that signs stands still: all that is asked for meanwhile is there before the first is done."""
        signer = self.calls("C_Sign")[-1][0]
        os.kill(signer, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(signer, signal.SIGCONT)

    def sequence(self, slot=0):
        """What was asked of a slot, as one word: (L)ogin, (S)ign, log(O)ut."""
        pattern = rf"scripted-module\[\d+\]: (C_Login|C_Sign|C_Logout) {slot}\n"
        letters = {"C_Login": "L", "C_Sign": "S", "C_Logout": "O"}
        return "".join(letters[name] for name in re.findall(pattern, self.log()))


class Turns(QueueTest):
    def test_callers_take_turns(self):
        """One with many requests, then another with one: it need not wait for all of them."""
        self.vendor.write(f"C_Sign=slow {SLOW}")
        other = self.new_client()
        many = [self.open() for _ in range(QUEUE + 1)]
        one = self.open(other)
        with self.signer_held():
            for consent in many:
                self.vendor_sign(consent)
            self.vendor_sign(one, client=other)
        order = self.wait_for_all([*many, one])
        self.assertEqual([c.outcome[:2] for c in (*many, one)], [(True, "")] * (QUEUE + 2))
        self.assertLessEqual(order.index(QUEUE + 1), 2, "behind the two that were under way")
        self.assertEqual([i for i in order if i <= QUEUE], list(range(QUEUE + 1)), "in the order of their coming")

    def test_three_callers_with_several_each(self):
        self.vendor.write(f"C_Sign=slow {SLOW}")
        clients = [self.client, self.new_client()]
        with self.signer_held():
            consents = [self.vendor_start(client=client) for client in clients for _ in range(3)]
        order = [index // 3 for index in self.wait_for_all(consents)]
        self.assertLessEqual(max(len(list(group)) for _who, group in itertools.groupby(order)), 3)
        self.assertLess(order.index(1), 3)

    def test_nobody_shares_a_login_or_ends_anothers(self):
        self.vendor.write(f"C_Sign=slow {SLOW}")
        before = len(self.sequence())
        clients = [self.client, self.new_client(), self.new_client()]
        consents = [self.vendor_start(client=client, pin=pin)
                    for client, pin in zip(clients * 2, (PIN, "000000", PIN, PIN, PIN, PIN), strict=True)][:6]
        self.wait_for_all(consents)
        outcomes = [consent.outcome[1].rsplit(".", 1)[-1] for consent in consents]
        self.assertEqual(outcomes, ["", "PinIncorrect", "", "", "", ""])
        self.assertRegex(self.sequence()[before:], "^O?(LSO|L)*(LS)?$")
        self.assertEqual(self.sequence()[before:].count("S"), 5)
        self.assertEqual(self.sequence()[before:].count("L"), 6)

    def test_full(self):
        self.vendor.write(f"C_Sign=slow {SLOW}")
        with self.signer_held():
            consents = [self.vendor_start() for _ in range(QUEUE + 4)]
        self.wait_for_all(consents)
        busy = [consent for consent in consents if not consent.outcome[0]]
        self.assertIn(len(busy), (1, 2, 3))
        for consent in busy:
            result = self.assert_finished(consent, "Busy", retriable=True)
            self.assertEqual(result["Detail"], f"{QUEUE} are waiting")
        self.assert_signs(busy[0], pin=PIN.encode(), certificate=self.vendor_certificate())

    def test_the_next_does_not_die_of_the_one_before(self):
        """It was sent ahead to a process that ends; its PIN was not read yet, so another process gets it."""
        self.vendor.write("C_Sign=hang")
        first = self.vendor_start()
        self.wait_for_call("C_Sign", self.count("C_Sign"))
        second = self.vendor_start()
        run_for(0.1)
        self.vendor.write()
        self.kill_signer()
        self.wait_for_all([first, second])
        self.assert_finished(first, "PluginCrashed", retriable=False)
        self.assertEqual(second.outcome[:2], (True, ""))


class Patience(QueueTest):
    @classmethod
    def prepare(cls, sandbox):
        sandbox.limits["QueueWaitMs"] = 300
        super().prepare(sandbox)

    def test_waiting_has_an_end(self):
        """Behind a card that does nothing: Busy, and the same code signs later."""
        self.vendor.write("C_Sign=hang")
        first = self.vendor_start()
        self.wait_for_call("C_Sign", self.count("C_Sign"))
        second, third = self.vendor_start(), self.vendor_start()  # the second is sent ahead, the third waits
        self.wait_for_all([third])
        result = self.assert_finished(third, "Busy", retriable=True)
        self.assertEqual(result["Detail"], "waited for 300 ms")
        self.assertIsNone(second.outcome)
        self.vendor.write()
        self.kill_signer()
        self.wait_for_all([first, second])
        self.assertEqual(second.outcome[:2], (True, ""))
        self.assert_signs(third, pin=PIN.encode(), certificate=self.vendor_certificate())


class SideBySide(QueueTest):
    def test_tokens_of_one_module_overlap(self):
        """The module lets one thread in at a time, so each token has a process."""
        self.vendor.write("C_Sign=slow 4000", module={"lock": "shared"})
        before = self.count("C_Sign")
        first = self.vendor_start(slot=0)
        self.wait_for_call("C_Sign", before)
        second = self.vendor_start(slot=1)
        self.wait_for_call("C_Sign", before + 1)
        self.assertIsNone(first.outcome, "one after the other")
        self.wait_for_all([first, second])
        self.assertEqual([c.outcome[:2] for c in (first, second)], [(True, "")] * 2)
        self.assertEqual(len({pid for pid, _name in self.calls("C_Sign")[before:]}), 2)

    def test_listing_waits_for_no_signature(self):
        self.vendor.write("C_Sign=slow 4000", module={"lock": "fatal"})
        before = self.count("C_Sign")
        consent = self.vendor_start()
        self.wait_for_call("C_Sign", before)
        self.refresh()
        self.assertEqual(len(self.client.certificates()), 3)
        self.assertIsNone(consent.outcome)
        self.assertTrue(consent.wait(60)[0])

    def test_certificates_come_from_the_cache(self):
        calls = len(self.calls())
        for _ in range(20):
            self.client.certificates()
        self.assertEqual(len(self.calls()), calls)


class PinChange(QueueTest):
    def test_waits_for_its_turn_and_learns_of_removal(self):
        token = next(str(properties["Token"]) for path, properties in self.client.certificates()
                     if path == self.vendor_certificate())
        self.vendor.write("C_Sign=slow 6000")
        before = self.count("C_Sign")
        consent = self.vendor_start()
        self.wait_for_call("C_Sign", before)
        change = Call(self.client.connection, token, TOKEN, "ChangePin", pin_pipe(PIN.encode()), pin_pipe(b"654321"),
                      dbus.Dictionary({}, signature="sv"))
        run_for(0.3)
        self.assertFalse(change.ended())
        self.vendor.write(slot={"present": "no"})
        self.refresh()
        with self.assertDBusError("TokenRemoved"):
            change.wait()
        self.assert_finished(consent, "TokenRemoved", retriable=False)


if __name__ == "__main__":
    run()
