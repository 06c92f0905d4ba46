# SPDX-License-Identifier: Apache-2.0
"""The bus policy admits and refuses what it should, as a real dbus-daemon reads it.

This user is the policy's user "eonay" on some buses, on another somebody else is: so both sides are tried without changing
the uid. Besides the defaults of a system bus there are careless ones, that allow everything: our file must not rely on them.

Usage: introspection_policy.py SOURCE_ROOT
"""
import os
import subprocess
import sys
import tempfile

from gi.repository import Gio, GLib

NAME = "org.eonay.EOnay1"
DENIED = "org.freedesktop.DBus.Error.AccessDenied"
# What a connection without objects answers: the bus let the call through.
ARRIVED = "org.freedesktop.DBus.Error.UnknownMethod"

CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path={folder}/socket</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <{default} own="*"/>
    <{default} send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus"/>
  </policy>
  <include>{folder}/policy.conf</include>
</busconfig>
"""


class Bus:
    """A dbus-daemon with our policy, in which `user` stands for eonay."""

    def __init__(self, source_root, folder, user, default):
        os.makedirs(folder)
        with open(os.path.join(source_root, "dbus", NAME + ".conf"), encoding="utf-8") as file:
            policy = file.read()
        assert policy.count('user="eonay"') == 1
        with open(f"{folder}/policy.conf", "w", encoding="utf-8") as file:
            file.write(policy.replace('user="eonay"', f'user="{user}"'))
        with open(f"{folder}/bus.conf", "w", encoding="utf-8") as file:
            file.write(CONFIG.format(folder=folder, default=default))
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "dbus-daemon", f"--config-file={folder}/bus.conf", "--nofork",
             "--nosyslog", "--nopidfile", "--print-address"], stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().strip()
        assert self.address, "dbus-daemon did not accept the policy"

    def connect(self):
        flags = Gio.DBusConnectionFlags
        return Gio.DBusConnection.new_for_address_sync(
            self.address, flags.AUTHENTICATION_CLIENT | flags.MESSAGE_BUS_CONNECTION, None, None)

    def stop(self):
        self.process.terminate()
        self.process.wait(60)
        self.process.stdout.close()


def outcome(connection, destination, interface, member, arguments=None):
    """The error name of a call, or "ok"."""
    try:
        connection.call_sync(destination, "/org/eonay/EOnay1", interface, member, arguments, None,
                             Gio.DBusCallFlags.NO_AUTO_START, 5000, None)
        return "ok"
    except GLib.Error as error:
        return Gio.DBusError.get_remote_error(error)


def request_name(connection):
    return outcome(connection, "org.freedesktop.DBus", "org.freedesktop.DBus", "RequestName",
                   GLib.Variant("(su)", (NAME, 4)))


class Signals:
    """Whether a broadcast of somebody else reaches a connection, as polkit's must reach the daemon."""

    def __init__(self, connection):
        self.seen = False
        connection.signal_subscribe(None, "org.example.Other", "Changed", None, None, Gio.DBusSignalFlags.NONE,
                                    lambda *_: setattr(self, "seen", True))
        connection.call_sync("org.freedesktop.DBus", "/", "org.freedesktop.DBus.Peer", "Ping", None, None,
                             Gio.DBusCallFlags.NONE, 5000, None)

    def wait(self):
        context = GLib.MainContext.default()
        timeout = GLib.timeout_source_new(3000)
        late = []
        timeout.set_callback(lambda _: late.append(1) or False)
        timeout.attach(context)
        while not self.seen and not late:
            context.iteration(True)
        timeout.destroy()
        return self.seen


def check(fault_list, what, found, expected):
    if found != expected:
        fault_list.append(f"{what}: expected {expected}, found {found}")


def the_user_eonay(bus, faults):
    daemon, client = bus.connect(), bus.connect()
    check(faults, "eonay takes the name", request_name(daemon), "ok")
    signals = Signals(daemon)
    client.emit_signal(None, "/", "org.example.Other", "Changed", None)
    check(faults, "a broadcast reaches the daemon", signals.wait(), True)
    for interface in ("Manager", "Consent", "Token", "Certificate"):
        check(faults, f"a call of {interface}", outcome(client, NAME, f"{NAME}.{interface}", "Any"), ARRIVED)
    for interface in ("Introspectable", "ObjectManager", "Properties"):
        check(faults, f"a call of {interface}", outcome(client, NAME, f"org.freedesktop.DBus.{interface}", "Any") != DENIED,
              True)
    check(faults, "another interface", outcome(client, NAME, "org.example.Other", "Any"), DENIED)
    agent = client.get_unique_name()
    check(faults, "eonay asks an agent", outcome(daemon, agent, NAME + ".Agent", "ConfirmText"), ARRIVED)
    check(faults, "eonay calls others", outcome(daemon, agent, "org.example.Other", "Any"), DENIED)


def the_user_eonay_carelessly(bus, faults):
    daemon, client = bus.connect(), bus.connect()
    check(faults, "eonay takes the name", request_name(daemon), "ok")
    check(faults, "another interface", outcome(client, NAME, "org.example.Other", "Any"), DENIED)


def somebody_else(bus, faults):
    stranger, agent = bus.connect(), bus.connect()
    check(faults, "a stranger takes the name", request_name(stranger), DENIED)
    check(faults, "a stranger asks an agent", outcome(stranger, agent.get_unique_name(), NAME + ".Agent", "RequestPin"),
          DENIED)


def main():
    source_root = sys.argv[1]
    faults = []
    with tempfile.TemporaryDirectory(prefix="eonay-policy-") as folder:
        for user, default, part in ((os.getuid(), "deny", the_user_eonay),
                                    (os.getuid(), "allow", the_user_eonay_carelessly),
                                    (os.getuid() ^ 1, "allow", somebody_else)):
            bus = Bus(source_root, os.path.join(folder, part.__name__), user, default)
            try:
                part(bus, faults)
            finally:
                bus.stop()
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
