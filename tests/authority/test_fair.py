#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""256 connections of one user, the bus's own limit, and one of another: whose calls come when. Told by the order in which things
were done, not by a clock."""
import system_scene

system_scene.enter()

import os  # noqa: E402: the namespace comes first
import signal  # noqa: E402
import sqlite3  # noqa: E402
import statistics  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
import unittest  # noqa: E402

from gi.repository import Gio, GLib  # noqa: E402

from system_scene import ADDRESS, BUS_NAME, ROOT_PATH, USERS, SystemScene  # noqa: E402
from testing import run  # noqa: E402

MANAGER = BUS_NAME + ".Manager"
MANY = 256
AT_ONCE = 128  # calls that fit into one socket's buffer (Linux: 167), so that the stopped daemon has them all when it goes on
SUBJECT = "10000000146"
RULE = "polkit.addRule(function(action, subject) { return polkit.Result.YES; });"
NO_FILTER = GLib.Variant("(a{sv})", ({},))


def connect_as(user):
    """A connection of that uid, made by this process."""
    flags = Gio.DBusConnectionFlags
    os.setresuid(-1, USERS[user], 0)
    try:
        return Gio.DBusConnection.new_for_address_sync(ADDRESS, flags.AUTHENTICATION_CLIENT | flags.MESSAGE_BUS_CONNECTION,
                                                       None, None)
    finally:
        os.setresuid(-1, 0, 0)


class Calls:
    """Calls under way; answers and errors are counted."""

    def __init__(self):
        self.sent = self.answered = 0
        self.errors = []

    def begin(self, connection, member, arguments, done=None):
        self.sent += 1
        connection.call(BUS_NAME, ROOT_PATH, MANAGER, member, arguments, None, Gio.DBusCallFlags.NONE, 90000, None,
                        self._on_reply, done)

    def _on_reply(self, connection, result, done):
        self.answered += 1
        try:
            connection.call_finish(result)
        except GLib.Error as error:
            self.errors.append(Gio.DBusError.get_remote_error(error) or error.message)
        if done:
            done(connection)


class Fair(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scene = SystemScene(log_level="info")
        cls.addClassCleanup(cls.scene.stop)
        cls.scene.start()
        cls.scene.rule(RULE)
        cls.crowd = [connect_as("neighbour") for _n in range(MANY)]
        cls.one = connect_as("citizen")
        cls.everybody(cls, "ListCertificates", GLib.Variant("(a{sv})", ({},)))  # all are known now, and allowed

    def everybody(self, member, arguments):
        calls = Calls()
        for connection in (*self.crowd, self.one):
            calls.begin(connection, member, arguments)
        self.scene.iterate(lambda: calls.answered == calls.sent, "everybody's answer", 90)
        assert not calls.errors, calls.errors[:3]

    @staticmethod
    def ping(connection):
        connection.call_sync("org.freedesktop.DBus", "/", "org.freedesktop.DBus.Peer", "Ping", None, None,
                             Gio.DBusCallFlags.NONE, 10000, None)

    def codes(self):
        """Of each code, in the order in which they were made: is it the one's?"""
        with sqlite3.connect(f"file:{self.scene.file('authority', 'authority.db')}?mode=ro", uri=True) as connection:
            return [subject is not None for (subject,) in connection.execute("SELECT subject FROM code ORDER BY id")]

    def test_the_one_behind_the_crowd(self):
        """Many of the 256 ask while the daemon cannot, then the one does: it is its turn after one of theirs, two at the most."""
        changes = []
        watch = self.one.signal_subscribe(
            "org.freedesktop.PolicyKit1", "org.freedesktop.PolicyKit1.Authority", "Changed", None, None,
            Gio.DBusSignalFlags.NONE, lambda *_: changes.append(1))
        self.addCleanup(self.one.signal_unsubscribe, watch)
        for _n in range(5):
            changes.clear()
            made = self.round()
            if not changes:  # else some were remembered and others were asked about again: not the same start for all
                break
        self.assertFalse(changes, "polkit announces changes all the time")
        self.assertEqual(len(made), AT_ONCE + 1)
        self.assertLessEqual(made.index(True), 2, "the place of the one among all")

    def round(self):
        """All have been allowed before; of each code made then: is it the one's?"""
        self.everybody("GetCode", GLib.Variant("(sa{sv})", ("local", {})))
        before = len(self.codes())
        calls = Calls()
        self.scene.daemon.signal(signal.SIGSTOP)
        try:
            for connection in self.crowd[:AT_ONCE]:
                calls.begin(connection, "GetCode", GLib.Variant("(sa{sv})", ("local", {})))
                self.ping(connection)  # the bus has handed it on
            calls.begin(self.one, "GetCode", GLib.Variant("(sa{sv})", ("local", {"subject": GLib.Variant("s", SUBJECT)})))
            self.ping(self.one)  # it has taken this call as well, before the daemon goes on
        finally:
            self.scene.daemon.signal(signal.SIGCONT)
        self.scene.iterate(lambda: calls.answered == calls.sent, "all codes", 90)
        self.assertEqual(calls.errors, [])
        return self.codes()[before:]

    def test_limits_are_of_a_user(self):
        """Who calls more than he may is told so, and nobody else is."""
        calls, mine = Calls(), Calls()
        self.scene.daemon.signal(signal.SIGSTOP)
        try:
            for connection in self.crowd:
                for _n in range(4):
                    calls.begin(connection, "ListCertificates", GLib.Variant("(a{sv})", ({},)))
                connection.flush_sync(None)
            mine.begin(self.one, "ListCertificates", GLib.Variant("(a{sv})", ({},)))
            self.one.flush_sync(None)
        finally:
            self.scene.daemon.signal(signal.SIGCONT)
        self.scene.iterate(lambda: calls.answered == calls.sent and mine.answered, "all answers", 90)
        self.assertEqual(mine.errors, [])
        self.assertLessEqual(set(calls.errors), {"org.freedesktop.DBus.Error.LimitsExceeded"})
        self.assertGreaterEqual(calls.answered - len(calls.errors), 512)  # CallsPerUser

    def waits(self, many):
        """Seconds that ListCertificates takes the one while so many connections of the crowd, in a process of their own, call
        without a pause."""
        crowd = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", sys.executable, __file__, "--crowd", str(many)],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        crowd.stdout.readline()
        waits = []
        for _n in range(40):
            mine = Calls()
            start = time.monotonic()
            mine.begin(self.one, "ListCertificates", NO_FILTER)
            self.scene.iterate(lambda: mine.answered, "the one's answer", 60)
            waits.append(time.monotonic() - start)
            self.assertEqual(mine.errors, [], mine.errors and f"the daemon: {self.scene.daemon.wait(5)}")
        crowd.communicate(timeout=60)
        return statistics.median(waits)

    def test_told_not_judged(self):
        """For the reader of the log: a busy machine must not decide, so nothing is asserted but that all is answered."""
        few, many = self.waits(1), self.waits(MANY)
        print(f"\nListCertificates of one user, median: {few * 1e3:.2f} ms beside 1 connection of another, "
              f"{many * 1e3:.2f} ms beside {MANY}", flush=True)


def be_the_crowd(many):
    """Calls without a pause on so many connections until standard input ends."""
    calls = Calls()
    ended = []
    loop = GLib.MainLoop()

    def again(connection):
        if not ended:
            calls.begin(connection, "ListCertificates", NO_FILTER, again)
        elif calls.answered == calls.sent:
            loop.quit()

    GLib.io_add_watch(GLib.IOChannel.unix_new(0), GLib.PRIORITY_HIGH, GLib.IOCondition.HUP | GLib.IOCondition.IN,
                      lambda *_: ended.append(1) or False)
    connections = [connect_as("remote") for _n in range(many)]
    for connection in connections:
        again(connection)
    print("begun", flush=True)
    loop.run()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--crowd"]:
        be_the_crowd(int(sys.argv[2]))
    else:
        run()
