# SPDX-License-Identifier: Apache-2.0
"""A private dbus-daemon that behaves as the system bus does: EXTERNAL authentication, names owned and methods called only
where the policy says so."""
import os
import secrets
import select
import stat

import dbus
import dbus.bus
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib

from processes import Child, ProcessError

BUS_NAME = "org.eonay.EOnay1"
SOCKET_PATH_MAX = 100  # sun_path has 108 bytes

CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>{listen}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus"/>
    <allow send_destination="{name}"/>
  </policy>
  <policy user="{uid}">
    <allow own="{name}"/>
    <allow send_interface="{name}.Agent"/>
  </policy>
  <limit name="max_connections_per_user">4096</limit>
  <limit name="max_completed_connections">8192</limit>
  <limit name="max_match_rules_per_connection">4096</limit>
</busconfig>
"""


class PrivateBus:
    """One dbus-daemon. `address` is where clients find it."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "bus")
        if len(os.fsencode(self.path)) <= SOCKET_PATH_MAX:
            listen = "unix:path=" + dbus_escape(self.path)
        else:  # too deep for a socket file; an abstract socket leaves nothing behind either
            self.path = None
            listen = "unix:abstract=" + f"eonay-{secrets.token_hex(16)}"
        config = os.path.join(folder, "bus.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(listen=listen, name=BUS_NAME, uid=os.getuid()))
        reader, writer = os.pipe()
        try:
            self.child = Child("dbus-daemon", ["dbus-daemon", f"--config-file={config}", "--nofork", "--nosyslog",
                                               "--nopidfile", f"--print-address={writer}"],
                               os.path.join(folder, "bus.log"), pass_fds=[writer])
        finally:
            os.close(writer)
        self.address = self._read_address(reader)

    def _read_address(self, reader):
        with os.fdopen(reader, encoding="utf-8") as pipe:
            ready = select.select([reader], [], [], 60)[0]
            line = pipe.readline().strip() if ready else ""
        if not line:
            self.child.end()
            raise ProcessError("dbus-daemon did not start:\n" + self.child.log_tail())
        return line

    def connect(self):
        """A new connection of its own, with signals delivered by GLib's main loop."""
        connection = dbus.bus.BusConnection(self.address, mainloop=DBusGMainLoop())
        connection.set_exit_on_disconnect(False)
        return connection

    def wait_for_name(self, child, timeout=60.0):
        """Returns once `child` has taken the service's name; raises when it ends or takes too long."""
        connection = self.connect()
        loop = GLib.MainLoop()
        outcome = []

        def finish(what):
            outcome.append(what)
            loop.quit()
            return GLib.SOURCE_REMOVE

        watch = connection.watch_name_owner(BUS_NAME, lambda owner: finish("owned") if owner else None)
        sources = [GLib.timeout_add(int(timeout * 1000), finish, "late"),
                   GLib.unix_fd_add_full(GLib.PRIORITY_DEFAULT, child.pidfd, GLib.IOCondition.IN,
                                         lambda *_: finish("ended"))]
        loop.run()
        context = GLib.MainContext.default()
        for source in map(context.find_source_by_id, sources):
            if source:
                source.destroy()
        watch.cancel()
        connection.close()
        if outcome[0] != "owned":
            reason = "ended" if outcome[0] == "ended" else f"did not take its name in {timeout:.0f} s"
            raise ProcessError(f"{child.name} {reason}:\n{child.log_tail()}")

    def open_to_everybody(self):
        """Lets other users of the machine reach the socket, for tests about other users."""
        if self.path:
            os.chmod(self.path, 0o777)
            os.chmod(os.path.dirname(self.path), stat.S_IRWXU | stat.S_IXGRP | stat.S_IXOTH)

    def stop(self):
        self.child.end()


def dbus_escape(text):
    """Escapes a value in a D-Bus server address."""
    plain = b"-_/.\\*abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    return "".join(chr(byte) if byte in plain else f"%{byte:02x}" for byte in os.fsencode(text))
