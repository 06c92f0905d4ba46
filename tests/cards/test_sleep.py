#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The machine goes to sleep and wakes up: what waits is cancelled, what is being signed is finished, cards are closed
before and listed after. logind is played by the test, on the private bus."""
import contextlib
import os
import select

import dbus
import dbus.service

import bus
from containing import BUILD, PIN, WORK, ContainTest, Programs, Sandbox, Vendor, never, run, run_for, wait_until

LOGIND = "org.freedesktop.login1"
LOGIND_PATH = "/org/freedesktop/login1"
GRACE = 3  # seconds, daemon/sleep.c
POLICY = f"""  <policy context="default">
    <allow own="{LOGIND}"/>
    <allow send_destination="{LOGIND}"/>
  </policy>
"""


class Inhibitor:
    """One that was given away: held while the other end of the pipe is open."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.reader, self.writer = os.pipe()

    def give(self):
        descriptor = dbus.types.UnixFd(self.writer)
        os.close(self.writer)
        return descriptor

    def held(self):
        return not select.select([self.reader], [], [], 0)[0]


class Logind(dbus.service.Object):
    def __init__(self, connection):
        self.name = dbus.service.BusName(LOGIND, connection)
        super().__init__(connection, LOGIND_PATH)
        self.inhibitors = []

    @dbus.service.method(LOGIND + ".Manager", in_signature="ssss", out_signature="h")
    def Inhibit(self, what, who, why, mode):
        self.inhibitors.append(Inhibitor((str(what), str(who), str(why), str(mode))))
        return self.inhibitors[-1].give()

    @dbus.service.signal(LOGIND + ".Manager", signature="b")
    def PrepareForSleep(self, start):
        pass

    def held(self):
        return [inhibitor for inhibitor in self.inhibitors if inhibitor.held()]


class SleepTest(ContainTest):
    deadline = 20000

    @classmethod
    def make_vendor(cls, sandbox):
        return Vendor(sandbox, needs="card")

    @classmethod
    def setUpClass(cls):
        cls.enterClassContext(cls.with_logind_allowed())
        cls.shared = Sandbox(Programs(BUILD), WORK)
        cls.addClassCleanup(cls.shared.stop)
        cls.prepare(cls.shared)
        cls.shared.start_bus()
        cls.logind = Logind(cls.shared.connect())
        cls.shared.start_daemon()

    @staticmethod
    @contextlib.contextmanager
    def with_logind_allowed():
        usual = bus.CONFIG
        bus.CONFIG = usual.replace("</busconfig>", POLICY + "</busconfig>")
        yield
        bus.CONFIG = usual

    def setUp(self):
        self.wait_for_inhibitor()
        super().setUp()
        self.addCleanup(self.wake)
        self.asleep = False

    def wait_for_inhibitor(self):
        wait_until(lambda: len(self.logind.held()) == 1, 60, "the inhibitor")

    def fall_asleep(self):
        self.asleep = True
        self.logind.PrepareForSleep(True)

    def wait_for_sleep(self, timeout=60):
        """What the real one would do now: sleep, as nobody holds it back."""
        wait_until(lambda: not self.logind.held(), timeout, "the release of the inhibitor")

    def wake(self):
        if self.asleep:
            self.asleep = False
            self.logind.PrepareForSleep(False)
            self.wait_for_inhibitor()

    def tearDown(self):
        self.wake()
        wait_until(lambda: self.paths("vendor-0"), 60, "the token after the sleep")
        super().tearDown()

    def hosts(self):
        return {pid for pid, _name in self.calls() if os.path.exists(f"/proc/{pid}")}

    def assert_hosts_end(self, hosts):
        wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in hosts), 60, "the end of the hosts")


class Sleep(SleepTest):
    def test_the_inhibitor(self):
        [inhibitor] = self.logind.held()
        what, who, why, mode = inhibitor.arguments
        self.assertEqual((what, who, mode), ("sleep", "eonayd", "delay"))
        self.assertTrue(why)

    def test_nothing_to_do(self):
        hosts = self.hosts()
        self.assertEqual(len(hosts), 2)
        before = self.vendor_certificate()
        self.fall_asleep()
        self.wait_for_sleep()
        self.assert_hosts_end(hosts)
        self.assertEqual(self.paths("vendor-0"), [], "a card may be another after the sleep")
        self.wake()
        wait_until(lambda: self.paths("vendor-0"), 60, "the token, without Refresh")
        self.assertEqual(self.vendor_certificate(), before)
        self.assertEqual(self.health(), [])
        self.assert_vendor_signs()

    def test_a_prompt_is_closed(self):
        agent = self.agent(pin=never)
        consent = self.open()
        consent.sign(self.vendor_certificate())
        wait_until(lambda: "RequestPin" in agent.asked, 60, "the prompt")
        hosts = self.hosts()
        self.fall_asleep()
        self.wait_for_sleep()
        self.assert_finished(consent, "Cancelled", retriable=True)
        wait_until(lambda: agent.cancelled, 60, "Cancel")
        self.assert_hosts_end(hosts)
        self.wake()
        wait_until(lambda: self.paths("vendor-0"), 60, "the token")
        self.assert_signs(consent, pin=PIN.encode(), certificate=self.vendor_certificate())

    def test_a_signature_is_finished(self):
        self.vendor.write("C_Sign=slow 1800")
        before = self.count("C_Sign")
        consent = self.vendor_start()
        self.wait_for_call("C_Sign", before)
        hosts = self.hosts()
        self.fall_asleep()
        run_for(0.3)
        self.assertIsNone(consent.outcome)
        self.assertEqual(len(self.logind.held()), 1, "sleep would come in the middle of it")
        self.assertTrue(consent.wait(60)[0], consent.outcome)
        self.wait_for_sleep()
        self.assertEqual(self.count("C_Sign"), before + 1)
        self.assert_hosts_end(hosts)

    def test_one_that_does_not_end_is_given_up(self):
        """Before logind would stop waiting for us."""
        self.vendor.write("C_Sign=hang")
        before = self.count("C_Sign")
        consent = self.vendor_start()
        self.wait_for_call("C_Sign", before)
        hosts = self.hosts()
        self.fall_asleep()
        self.wait_for_sleep(GRACE + 12)
        self.assert_finished(consent, "Interrupted", retriable=False)
        self.assert_spent(consent)
        self.assert_hosts_end(hosts)
        self.vendor.write()
        self.wake()
        wait_until(lambda: self.paths("vendor-0"), 60, "the token")
        self.assert_vendor_signs()

    def test_many_nights(self):
        def descriptors():
            """How many are open; the daemon lets only root count, and tells the room it has."""
            try:
                return len(os.listdir(f"/proc/{self.daemon_pid}/fd"))
            except PermissionError:
                with open(f"/proc/{self.daemon_pid}/status", encoding="ascii") as status:
                    return int(next(line.split()[1] for line in status if line.startswith("FDSize")))
        before = None
        for _ in range(6):
            self.fall_asleep()
            self.wait_for_sleep()
            self.wake()
            wait_until(lambda: self.paths("vendor-0"), 60, "the token")
            self.assert_vendor_signs().close()
            before = before or descriptors()
        wait_until(lambda: descriptors() <= before, 60, "no more descriptors than after the first night")

    def test_logind_starts_anew(self):
        """The inhibitor was the old one's."""
        old = self.logind
        old.remove_from_connection()
        del old.name
        connection = self.shared.connect()
        connection.request_name(LOGIND, dbus.bus.NAME_FLAG_REPLACE_EXISTING)
        type(self).logind = Logind(connection)
        self.wait_for_inhibitor()
        hosts = self.hosts()
        self.fall_asleep()
        self.wait_for_sleep()
        self.assert_hosts_end(hosts)


class WithoutLogind(ContainTest):
    """A machine without logind: everything works, sleep comes unannounced."""

    def test_works(self):
        self.assert_vendor_signs()


if __name__ == "__main__":
    run()
