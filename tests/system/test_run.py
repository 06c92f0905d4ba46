# SPDX-License-Identifier: Apache-2.0
"""Things happen while it runs: hosts die, the daemon is restarted in the middle of a signature, the machine sleeps."""
import json
import os
import re
import time
import unittest

import dbus
import dbus.lowlevel
import dbus.service

import house
from house import PIN, hosts, log_of, objects, prop, secrets, sh, wait_until
from people import Command, active
from test_use import new_code


def sign(code, *more):
    return Command("citizen", "eonayctl", "sign", code, "--yes", "--pin-file=pin", *more)


class Run(unittest.TestCase):
    def setUp(self):
        self.card = house.card

    def test_11_hosts_killed(self):
        for _ in range(3):
            for kind in ("token", "reader", "ca"):
                for pid in hosts(kind).values():
                    os.kill(pid, 9)
            result = active("citizen", "eonayctl", "tokens", "--refresh")
            self.assertEqual(result.returncode, 0, result.stderr)
            wait_until(lambda: objects("certificate"), "the card is back")
        one = sign(new_code())
        one.go()
        result = one.finish()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(prop("eonayd", "NRestarts"), "0")

    def test_12_host_hangs_and_is_ended_at_once(self):
        """The daemon cannot send signals to another user's process, and ends it all the same."""
        verifies = self.card.report()["verifies"]
        self.card.tell("mute at sign times 1")
        one = sign(new_code())
        one.go()
        wait_until(lambda: self.card.report()["verifies"] > verifies, "the card has the PIN")
        before = hosts("token")
        self.card.tell("pull")
        result = one.finish()
        self.assertNotEqual(result.returncode, 0)
        self.card.tell("clear")
        wait_until(lambda: not objects("certificate"), "the card is gone")
        wait_until(lambda: set(before.values()) - set(hosts("token").values()), "the process that waited has ended", 20)
        self.card.tell("insert")
        wait_until(lambda: objects("certificate"), "the card is back")

    def test_13_restart_in_the_middle(self):
        code, before = new_code(), self.card.report()
        self.card.tell("slow 3000 at sign times 1")
        one = sign(code)
        one.go()
        wait_until(lambda: self.card.report()["verifies"] > before["verifies"], "the card is asked")
        sh("systemctl", "restart", "eonayd", check=True)
        result = one.finish()
        self.assertNotEqual(result.returncode, 0, result.stdout)
        wait_until(lambda: objects("certificate"), "the card is read again", 60)
        again = sign(code)
        again.go()
        second = again.finish()
        self.assertNotEqual(second.returncode, 0, (result, second))
        self.assertLessEqual(self.card.report()["signatures"], before["signatures"] + 1)
        listed = json.loads(active("citizen", "eonayctl", "consents", "--json").stdout)
        self.assertIn("failed", json.dumps(listed))
        one = sign(new_code())
        one.go()
        self.assertEqual(one.finish().returncode, 0)

    def test_14_sleep(self):
        """The container cannot sleep: the daemon delays real sleep at the real logind; the signal comes from one in its place."""
        self.assertRegex(sh("systemd-inhibit", "--list", "--no-pager").stdout, r"eonayd.*sleep.*delay")
        sh("systemctl", "stop", "systemd-logind", check=True)
        bus = dbus.SystemBus(private=True)
        name = dbus.service.BusName("org.freedesktop.login1", bus)
        try:
            self.prepare_for_sleep(bus, True)
            wait_until(lambda: not hosts("token") and not hosts("reader"), "the cards are closed")
            self.assertEqual(objects("certificate"), {})
            self.prepare_for_sleep(bus, False)
            wait_until(lambda: objects("certificate"), "the card is read again")
        finally:
            del name
            bus.close()
            sh("systemctl", "start", "systemd-logind", check=True)
        wait_until(lambda: "eonayd" in sh("systemd-inhibit", "--list", "--no-pager").stdout, "sleep is delayed again")

    def prepare_for_sleep(self, bus, before):
        signal = dbus.lowlevel.SignalMessage("/org/freedesktop/login1", "org.freedesktop.login1.Manager", "PrepareForSleep")
        signal.append(before, signature="b")
        bus.send_message(signal)
        bus.flush()

    def test_15_stop(self):
        begin = time.monotonic()
        sh("systemctl", "stop", "eonayd", check=True)
        print(f"stopped after {time.monotonic() - begin:.2f} s")
        self.assertEqual((prop("eonayd", "Result"), prop("eonayd", "ExecMainStatus")), ("success", "0"))
        wait_until(lambda: not any(hosts(kind) for kind in ("token", "ca", "reader", "fetch")), "the hosts have ended")

    def test_16_journal(self):
        entries = log_of("_SYSTEMD_UNIT=eonayd.service")
        self.assertTrue(entries)
        self.assertTrue(all(entry["_UID"] for entry in entries))
        for entry in entries:
            if int(entry["PRIORITY"]) <= 4:
                self.assertRegex(entry.get("MESSAGE_ID", ""), r"^[0-9a-f]{32}$", entry["MESSAGE"])
        for unit in ("eonayd.service", "eonay-*"):
            text = sh("journalctl", "--boot", "--no-pager", "--output=export", "--all", f"--unit={unit}").stdout
            for secret in (*secrets(), "PIN=" + PIN):
                self.assertNotIn(secret, text)
        self.assertGreater(len(house.codes), 3)
