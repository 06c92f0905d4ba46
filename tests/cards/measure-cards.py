#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures eonayd with cards, through real pcscd and OpenSC: how soon a card is on the bus and off it, and whether cards
sign side by side. Prints a line for each figure. Needs root, or user namespaces (README.md).

    EONAY_BUILD=... EONAY_SOURCE=... PYTHONPATH=tests/sandbox:tests/cards measure-cards.py
"""
import ctypes
import os
import statistics
import sys
import threading
import time

import cards
import memory
import scene
from client import Client
from scene import CardTest, iterate

CARDS, TURNS, SIGNATURES, SLOW_MS = 4, 10, 5, 300
IDLE_SECONDS = int(os.environ.get("EONAY_IDLE_SECONDS", "20"))


def make(folder):
    authority = scene.authority(folder)
    for number in range(CARDS):
        yield authority.card(f"card-{number}", s9c="p256", serial=f"{number + 1:02}" * 16)


class ReaderState(ctypes.Structure):
    """SCARD_READERSTATE of pcsc-lite."""
    _fields_ = [("name", ctypes.c_char_p), ("data", ctypes.c_void_p), ("current", ctypes.c_ulong), ("event", ctypes.c_ulong),
                ("atr_size", ctypes.c_ulong), ("atr", ctypes.c_ubyte * 33)]


class PcscEvents(threading.Thread):
    """Another client of pcscd that waits for the same events: the moment in which PC/SC tells them. libpcsclite sleeps a third
    of a second when it finds a card without its ATR, which a module that connects at that moment can bring about: then
    eonayd has heard of it earlier, and its own time is taken."""

    PRESENT = 0x20

    def __init__(self, reader):
        super().__init__(daemon=True)
        self.reader, self.times = reader.encode(), {}

    def run(self):
        library, context = ctypes.CDLL("libpcsclite.so.1"), ctypes.c_long()
        library.SCardEstablishContext(2, None, None, ctypes.byref(context))
        state = ReaderState(name=self.reader)
        while library.SCardGetStatusChange(context, ctypes.c_ulong(0xFFFFFFFF), ctypes.byref(state), ctypes.c_ulong(1)) == 0:
            present = bool(state.event & self.PRESENT)
            if present != bool(state.current & self.PRESENT):  # not who uses it
                self.times[present] = time.monotonic()
            state.current = state.event

    def when(self, present):
        cards.wait_until(lambda: present in self.times)
        time.sleep(0.5)  # and pcscd has looked once more
        return self.times[present]


def line(what, values, unit="ms", note=""):
    values = sorted(values)
    print(f"{what:<62} median {statistics.median(values):7.1f} {unit}  worst {values[-1]:7.1f} {unit}  {note}", flush=True)


def switches(pid):
    """How often the threads of a process have been woken."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status", encoding="ascii") as status:
            total += sum(int(text.split()[1]) for text in status if "_ctxt_switches" in text)
    return total


class Measure(CardTest):
    def runTest(self):
        self.cards = [cards.Card(number) for number in range(CARDS)]
        self.put_in(*self.cards)
        self.start()
        self.certificates = [self.certificate_in(number)[0] for number in range(CARDS)]
        self.hot_plug()
        self.removal()
        self.side_by_side()
        self.idle()

    def hot_plug(self):
        reader = next(r["Name"] for r in self.readers().values() if "(0000)" in r["Name"])
        events = PcscEvents(reader)
        events.start()
        time.sleep(0.5)
        seen, added, module, gone = [], [], [], []
        for _ in range(TURNS):
            start = len(self.watcher.events)
            events.times.clear()
            self.cards[0].tell("pull")
            iterate(lambda: self.watcher.find("removed", "token", start))
            gone.append(self.watcher.find("removed", "token", start)[0][0] - events.when(False))
            events.times.clear()
            start = len(self.watcher.events)
            self.cards[0].tell("insert")
            iterate(lambda: self.watcher.find("added", "token", start))
            told = self.watcher.find("changed", "reader", start)[0][0]
            token = self.watcher.find("added", "token", start)[0][0]
            event = min(events.when(True), told)
            seen.append(told - event)
            added.append(token - event)
            module.append(token - told)
        line("card in: PC/SC event to Reader.TokenPresent", [1000 * t for t in seen])
        line("card in: PC/SC event to the token's InterfacesAdded", [1000 * t for t in added],
             note="with the module's own reading of the card")
        line("  of which OpenSC reads the card", [1000 * t for t in module])
        line("  without it", [1000 * (a - m) for a, m in zip(added, module)], note="at most 100 ms wanted")
        line("card out: PC/SC event to the token's InterfacesRemoved", [1000 * t for t in gone])
        self.events = events

    def removal(self):
        agent, cancelled = self.register_agent(), []
        for _ in range(TURNS):
            certificate = self.certificate_in(0)[0]
            consent = self.open_consent()
            asked, before = len(agent.asked), len(agent.cancelled)
            self.begin(consent, certificate, pin=None)
            iterate(lambda: len(agent.asked) > asked)
            self.events.times.clear()
            self.cards[0].tell("pull")
            consent.wait()
            iterate(lambda: len(agent.cancelled) > before)
            cancelled.append(agent.cancelled[-1][0] - self.events.when(False))
            consent.close()
            self.cards[0].tell("insert")
        line("card out: PC/SC event to the prompt's Cancel", [1000 * t for t in cancelled], note="at most 100 ms wanted")
        self.certificate_in(0)

    def rounds(self, numbers):
        """Seconds in which each of those cards signs SIGNATURES times, one after the other, all cards at once."""
        clients = {number: Client(self.box) for number in numbers}
        begun = time.monotonic()
        for _ in range(SIGNATURES):
            running = []
            for number, client in clients.items():
                consent = client.open(client.get_code("local")[0])
                self.begin(consent, self.certificates[number])
                running.append(consent)
            for consent in running:
                consent.wait()
                self.assertSigned(consent)
                consent.close()
        return time.monotonic() - begun

    def side_by_side(self):
        self.certificates = [self.certificate_in(number)[0] for number in range(CARDS)]
        self.rounds(range(CARDS))  # the hosts have started
        for card in self.cards:
            card.tell(f"slow {SLOW_MS} at sign")
        one = min(self.rounds([number]) for number in range(CARDS))
        many = self.rounds(range(CARDS))
        for card in self.cards:
            card.tell("clear")
        line(f"a signature of one card that takes {SLOW_MS} ms", [1000 * one / SIGNATURES])
        line(f"a round of {CARDS} such cards of one module", [1000 * many / SIGNATURES])
        print(f"{'  as many cards as fast as one alone':<62} {CARDS * one / many:.2f} of {CARDS}  3.5 wanted", flush=True)

    def idle(self):
        self.client.close()
        time.sleep(3)  # the last change has settled
        pids = [(pid, words) for name in ("eonayd", "eonay-plugin-host") for pid, words in memory.processes(name)]
        before = {pid: switches(pid) for pid, _words in pids}
        time.sleep(IDLE_SECONDS)
        woken = sum(switches(pid) - before[pid] for pid, _words in pids)
        print(f"{'wake-ups of our ' + str(len(pids)) + ' processes with ' + str(CARDS) + ' readers':<62} {woken} in {IDLE_SECONDS} s",
              flush=True)


if __name__ == "__main__":
    if not cards.opensc_module():
        sys.exit(cards.SKIP)
    scene.main(make)
