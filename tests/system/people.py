# SPDX-License-Identifier: Apache-2.0
"""Users of the booted machine, and commands they run within login sessions of logind: active, inactive or remote."""
import os
import pwd
import subprocess

import dbus

LOGIND = "org.freedesktop.login1"
LIMIT = 60  # seconds a command may take


def add_user(name):
    subprocess.run(["useradd", "--create-home", "--shell", "/bin/sh", name], check=True, capture_output=True, timeout=30)


class Command:
    """A command that waits in a session of its own until go() says so; the newest session on a seat is the active one."""

    def __init__(self, user, *command, seat="seat0", remote=False, stdin=None):
        who = pwd.getpwnam(user)
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "LANGUAGE": "C", "HOME": who.pw_dir, "USER": user}
        start, self.start = os.pipe()
        self.stdin = stdin
        self.child = subprocess.Popen(["bash", "-c", f"read go <&{start}; exec {start}<&-; exec \"$@\"", "sh", *command],
                                      stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
                                      pass_fds=[start], user=who.pw_uid, group=who.pw_gid, extra_groups=[],
                                      cwd=who.pw_dir if os.path.isdir(who.pw_dir) else "/")
        os.close(start)
        self.session = self._begin_session(who.pw_uid, seat, remote)

    def _begin_session(self, uid, seat, remote):
        manager = dbus.Interface(dbus.SystemBus().get_object(LOGIND, "/org/freedesktop/login1"), LOGIND + ".Manager")
        return manager.CreateSession(
            dbus.UInt32(uid), dbus.UInt32(self.child.pid), "sshd" if remote else "login", "tty", "user", "",
            "" if remote else seat, dbus.UInt32(0), "", "", remote, "", "203.0.113.7" if remote else "",
            dbus.Array([], signature="(sv)"))[3].take()  # the session lasts as long as this descriptor

    def go(self):
        os.write(self.start, b"go\n")
        os.close(self.start)

    def finish(self):
        try:
            out, error = self.child.communicate(self.stdin, timeout=LIMIT)
        except subprocess.TimeoutExpired:
            self.child.kill()
            out, error = self.child.communicate()
            error += f"\n(still at it after {LIMIT} s)"
        os.close(self.session)
        return subprocess.CompletedProcess(self.child.args, self.child.returncode, out, error)


def active(user, *command, **rest):
    """At the screen."""
    one = Command(user, *command, **rest)
    one.go()
    return one.finish()


def remote(user, *command, **rest):
    """From another computer."""
    return active(user, *command, remote=True, **rest)


def inactive(user, *command, **rest):
    """On the same seat, but somebody else is at the screen."""
    one = Command(user, *command, **rest)
    front = Command("nobody", "cat", stdin="")
    one.go()
    result = one.finish()
    front.go()
    front.finish()
    return result
