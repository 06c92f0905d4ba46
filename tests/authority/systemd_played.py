# SPDX-License-Identifier: Apache-2.0
"""logind and the service manager, as far as the daemon asks them. They answer from the same files that polkitd reads:
/run/systemd and the control groups of processes. A line "SIGNAL NAME" on standard input is announced."""
import os
import re
import sys

from gi.repository import Gio, GLib

XML = """<node>
  <interface name="org.freedesktop.login1.Manager">
    <method name="GetSessionByPID"><arg type="u" direction="in"/><arg type="o" direction="out"/></method>
    <method name="Inhibit"><arg type="s" direction="in"/><arg type="s" direction="in"/><arg type="s" direction="in"/>
      <arg type="s" direction="in"/><arg type="h" direction="out"/></method>
    <signal name="SessionNew"><arg type="s"/><arg type="o"/></signal>
    <signal name="SessionRemoved"><arg type="s"/><arg type="o"/></signal>
  </interface>
  <interface name="org.freedesktop.login1.User"><property name="Display" type="(so)" access="read"/></interface>
  <interface name="org.freedesktop.systemd1.Manager">
    <method name="GetUnitProcesses"><arg type="s" direction="in"/><arg type="a(sus)" direction="out"/></method>
  </interface></node>"""
NAMES = ("org.freedesktop.login1", "org.freedesktop.systemd1")


def session_path(name):
    return "/org/freedesktop/login1/session/" + "".join(c if c.isalpha() else f"_{ord(c):02x}" for c in name)


def group_of(pid):
    try:
        with open(f"/proc/{pid}/cgroup", encoding="ascii") as file:
            return next((line.strip().split(":", 2)[2] for line in file if line.startswith("0:")), "/")
    except (FileNotFoundError, ProcessLookupError):
        return "/"


def on_logind(_connection, _sender, _path, _interface, method, arguments, invocation):
    session = re.search(r"/session-([^/]+)\.scope$", group_of(arguments.unpack()[0])) if method == "GetSessionByPID" else None
    if session:
        invocation.return_value(GLib.Variant("(o)", (session_path(session[1]),)))
    else:
        invocation.return_dbus_error("org.freedesktop.login1.NoSessionForPID", "in no session")


def on_user(_connection, _sender, path, _interface, _name):
    try:
        with open(f"/run/systemd/users/{path.rsplit('_', 1)[1]}", encoding="utf-8") as file:
            display = re.search(r"^DISPLAY=(\S+)$", file.read(), re.MULTILINE)
    except FileNotFoundError:
        display = None
    return GLib.Variant("(so)", (display[1], session_path(display[1])) if display else ("", "/"))


def on_manager(_connection, _sender, _path, _interface, _method, arguments, invocation):
    unit = arguments.unpack()[0]
    groups = ((group_of(pid), int(pid)) for pid in os.listdir("/proc") if pid.isdigit())
    found = [(group, pid, "program") for group, pid in groups if f"/{unit}/" in group]
    invocation.return_value(GLib.Variant("(a(sus))", (found,)))


def main():
    flags = Gio.DBusConnectionFlags
    connection = Gio.DBusConnection.new_for_address_sync(
        sys.argv[1], flags.AUTHENTICATION_CLIENT | flags.MESSAGE_BUS_CONNECTION, None, None)
    logind, user, manager = Gio.DBusNodeInfo.new_for_xml(XML).interfaces
    connection.register_object("/org/freedesktop/login1", logind, on_logind, None, None)
    for uid in sys.argv[2:]:
        connection.register_object(f"/org/freedesktop/login1/user/_{uid}", user, None, on_user, None)
    connection.register_object("/org/freedesktop/systemd1", manager, on_manager, None, None)
    for name in NAMES:
        connection.call_sync("org.freedesktop.DBus", "/", "org.freedesktop.DBus", "RequestName",
                             GLib.Variant("(su)", (name, 4)), None, Gio.DBusCallFlags.NONE, 5000, None)
    loop = GLib.MainLoop()

    def on_line(_channel, _condition):
        words = sys.stdin.readline().split()
        if not words:
            loop.quit()
            return False
        connection.emit_signal(None, "/org/freedesktop/login1", "org.freedesktop.login1.Manager", words[0],
                               GLib.Variant("(so)", (words[1], session_path(words[1]))))
        connection.flush_sync(None)
        print("done", flush=True)
        return True

    GLib.io_add_watch(GLib.IOChannel.unix_new(0), GLib.PRIORITY_DEFAULT, GLib.IOCondition.IN | GLib.IOCondition.HUP, on_line)
    print("ready", flush=True)
    loop.run()


if __name__ == "__main__":
    main()
