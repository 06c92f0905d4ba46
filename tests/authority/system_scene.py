# SPDX-License-Identifier: Apache-2.0
"""A machine's system bus with the real policy files, the real polkitd and the daemon as the user eonay, in a mount namespace
of its own: nothing of the machine's bus, users or sessions is touched.

People are processes of other uids (person.py), each in a login session of its own. No logind runs here: polkitd reads
sessions from /run/systemd and from the process's control group, and both are files that we write; the daemon asks logind
and the service manager over the bus, where systemd_played.py plays them. tests/system has the real ones.

Needs root; without it a test that uses the scene ends with status 77, skipped.
"""
import json
import os
import select
import shutil
import subprocess
import sys
import time

from gi.repository import Gio, GLib

from bus import BUS_NAME, PrivateBus
from processes import Child, ProcessError, run_tool
from programs import Programs
from sandbox import ROOT_PATH, Sandbox

SKIP = 77
BUILD = os.environ["EONAY_BUILD"]
SOURCE = os.environ["EONAY_SOURCE"]
HERE = os.path.dirname(os.path.abspath(__file__))
SCENE = "/run/scene"
ADDRESS = "unix:path=/run/dbus/system_bus_socket"
POLKITD = next((path for path in ("/usr/lib/polkit-1/polkitd", "/usr/libexec/polkitd") if os.path.exists(path)), None)
DAEMON_UID = 64101
USERS = {"citizen": 64111, "neighbour": 64112, "remote": 64113, "idle": 64114}
MANAGER = BUS_NAME + ".Manager"
NOTHING = "@a{sv} {}"
PATIENCE = 100  # seconds; longer than any call of a person takes

BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>{address}</listen>
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
    <allow send_destination="org.freedesktop.login1"/>
    <allow send_destination="org.freedesktop.systemd1"/>
  </policy>
  <policy user="root">
    <allow own="org.freedesktop.login1"/>
    <allow own="org.freedesktop.systemd1"/>
    <allow send_destination="org.freedesktop.PolicyKit1"/>
  </policy>
  <include>/usr/share/dbus-1/system.d/org.freedesktop.PolicyKit1.conf</include>
  <include>{source}/dbus/org.eonay.EOnay1.conf</include>
</busconfig>
"""


def enter():
    """The calling program again, as root of its own mount namespace. Call it before anything else."""
    if os.environ.get("EONAY_SCENE"):
        return
    reason = "needs root" if os.getuid() != 0 else "needs polkitd" if not POLKITD else None
    if reason:
        print(f"system scene: {reason}", file=sys.stderr)
        sys.exit(1 if os.environ.get("EONAY_NO_SKIP") else SKIP)
    os.environ["EONAY_SCENE"] = "1"
    os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv])


def mount(*arguments):
    run_tool(["mount", *arguments])


def write(path, text, mode=0o644):
    """As logind and careful administrators do: the file appears whole."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    fresh = f"{SCENE}/fresh"
    with open(fresh, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(fresh, mode)
    shutil.move(fresh, path)


def replace_file(path, text):
    copy = os.path.join(SCENE, path.strip("/").replace("/", "-"))
    write(copy, text)
    mount("--bind", copy, path)


def prepare_machine():
    """/run, users, and the polkit actions of this source tree alone."""
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    for folder in ("dbus", "scene/actions", "systemd/sessions", "systemd/users", "systemd/seats", "systemd/machines"):
        os.makedirs(os.path.join("/run", folder))
    people = {"eonay": DAEMON_UID, **USERS}
    for path, line in (("/etc/passwd", "{0}:x:{1}:{1}::/nonexistent:/bin/sh\n"), ("/etc/group", "{0}:x:{1}:\n")):
        with open(path, encoding="utf-8") as file:
            before = [entry for entry in file if entry.split(":")[0] not in people]
        replace_file(path, "".join(before) + "".join(line.format(name, uid) for name, uid in people.items()))
    shutil.copy(os.path.join(SOURCE, "dbus/org.eonay.eonay1.policy"), SCENE + "/actions")
    mount("--bind", SCENE + "/actions", "/usr/share/polkit-1/actions")
    for folder in ("/etc/polkit-1/rules.d", "/usr/share/polkit-1/rules.d"):
        if os.path.isdir(folder):
            mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", folder)


class Session:
    """What /run/systemd says of one login session: `active`, `remote`."""

    def __init__(self, name, user, active=True, remote=False, display=True):
        self.name, self.user, self.uid = name, user, USERS[user]
        self.active, self.remote, self.display = active, remote, display
        self.write()

    def write(self):
        seat = "" if self.remote else "SEAT=seat0\n"
        state = "active" if self.active else "online"
        write(f"/run/systemd/sessions/{self.name}",
              f"UID={self.uid}\nUSER={self.user}\nACTIVE={int(self.active)}\nIS_DISPLAY={int(self.display)}\n"
              f"STATE={state}\nREMOTE={int(self.remote)}\nTYPE={'tty' if self.remote else 'x11'}\nCLASS=user\n"
              f"SCOPE=session-{self.name}.scope\n{seat}")
        if self.display:
            write(f"/run/systemd/users/{self.uid}",
                  f"NAME={self.user}\nSTATE={state}\nDISPLAY={self.name}\nSESSIONS={self.name}\n"
                  f"ACTIVE_SESSIONS={self.name if self.active else ''}\n")

    def set_active(self, active):
        """As when the person switches to another one at the seat."""
        self.active = active
        self.write()


class Person:
    """A process of a user, in a session or below the user's service manager; it calls, registers agents, hears signals."""

    def __init__(self, scene, user, group):
        self.scene, self.user, self.uid = scene, user, USERS[user]
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", f"--reuid={self.uid}", f"--regid={self.uid}", "--clear-groups",
             sys.executable, os.path.join(SCENE, "person.py"), ADDRESS], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, cwd="/", env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"})
        self.pid = self.process.pid
        self.group = group
        copy = f"{SCENE}/group-{self.pid}"
        write(copy, f"0::{group}\n")
        mount("--bind", copy, f"/proc/{self.pid}/cgroup")
        self.name = self.tell(op="connect")["ok"]

    def tell(self, **order):
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        ready = select.select([self.process.stdout], [], [], PATIENCE)[0]
        line = self.process.stdout.readline() if ready else ""
        if not line:
            raise ProcessError(f"{self.user} {'ended' if ready else 'is silent'}: {order}")
        return json.loads(line)

    def call(self, member, arguments="()", path=ROOT_PATH, interface=MANAGER, destination=BUS_NAME, **more):
        """The error's name, or the answer as GLib prints it."""
        answer = self.tell(op="call", destination=destination, path=path, interface=interface, member=member,
                           arguments=arguments, **more)
        return answer["error"] if "error" in answer else answer["ok"]

    def message(self, member, arguments="()", **more):
        """The message of the error, or ''."""
        answer = self.tell(op="call", destination=BUS_NAME, path=more.pop("path", ROOT_PATH), interface=MANAGER,
                           member=member, arguments=arguments, **more)
        return answer.get("message", "")

    def heard(self):
        return self.tell(op="signals")["ok"]

    def leave(self):
        if self.process.stdin.closed:
            return
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()
        subprocess.run(["umount", f"/proc/{self.pid}/cgroup"], check=False, stderr=subprocess.DEVNULL)


class SystemBus(PrivateBus):
    def __init__(self, folder):  # the parent's is for private ones
        self.address = ADDRESS
        self.path = None
        write(f"{folder}/bus.conf", BUS_CONFIG.format(address=ADDRESS, source=SCENE))
        reader, writer = os.pipe()
        try:
            self.child = Child("dbus-daemon", ["dbus-daemon", f"--config-file={folder}/bus.conf", "--nofork", "--nosyslog",
                                               "--nopidfile", f"--print-address={writer}"], f"{folder}/bus.log",
                               pass_fds=[writer])
        finally:
            os.close(writer)
        self._read_address(reader)


class Systemd:
    """logind and the service manager, played by a process of root (systemd_played.py)."""

    def __init__(self):
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", sys.executable, os.path.join(HERE, "systemd_played.py"), ADDRESS,
             *map(str, USERS.values())], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()

    def announce(self, signal, session):
        """SessionNew or SessionRemoved, sent when this returns."""
        self.process.stdin.write(f"{signal} {session.name}\n")
        self.process.stdin.flush()
        self.process.stdout.readline()

    def stop(self):
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()


class SystemScene(Sandbox):
    """start() brings up bus, polkitd and daemon; person() a caller. One a process."""

    def __init__(self, **options):
        prepare_machine()
        programs = Programs(BUILD)
        self.take_programs(programs)
        super().__init__(programs, SCENE + "/work", **options)
        os.chmod(SCENE + "/work", 0o755)
        os.chmod(self.folder, 0o755)
        self.people, self.sessions = [], []
        self.polkitd = self.systemd = self.connection = None

    @staticmethod
    def take_programs(programs):
        """Copies that the user eonay can reach, wherever the build tree is."""
        os.makedirs(SCENE + "/programs/plugins")
        os.makedirs(SCENE + "/dbus")
        for attribute in ("daemon", "host", "ctl"):
            setattr(programs, attribute, shutil.copy(getattr(programs, attribute), SCENE + "/programs"))
        copies = []
        for folder in programs.plugin_dirs:
            copies.append(os.path.join(SCENE, "programs/plugins", os.path.basename(folder)))
            shutil.copytree(folder, copies[-1], ignore=shutil.ignore_patterns("*.p", "*.o"))
        programs.plugin_dirs = copies
        shutil.copy(os.path.join(HERE, "person.py"), SCENE)
        shutil.copy(os.path.join(SOURCE, "dbus/org.eonay.EOnay1.conf"), SCENE + "/dbus")

    def start_bus(self):
        self.bus = SystemBus(self.folder)
        self.systemd = Systemd()
        flags = Gio.DBusConnectionFlags
        self.connection = Gio.DBusConnection.new_for_address_sync(
            ADDRESS, flags.AUTHENTICATION_CLIENT | flags.MESSAGE_BUS_CONNECTION, None, None)
        self.start_polkitd()

    def start_polkitd(self):
        self.polkitd = Child("polkitd", [POLKITD], self.file("polkitd.log"))
        self.wait_for_owner("org.freedesktop.PolicyKit1", True)

    def wait_for_owner(self, name, there, timeout=PATIENCE):
        """Until somebody (or nobody) has the name."""
        context = GLib.MainContext.default()
        state, late = [], []
        watch = Gio.bus_watch_name_on_connection(self.connection, name, 0, lambda *_: state.append(True),
                                                 lambda *_: state.append(False))
        source = GLib.timeout_add_seconds(timeout, lambda: late.append(1) or False)
        while not late and (not state or state[-1] != there):
            context.iteration(True)
        if not late:
            GLib.source_remove(source)
        Gio.bus_unwatch_name(watch)
        if late:
            raise ProcessError(f"{name}: no change of owner in {timeout} s\n{self.logs()}")

    def start_daemon(self, env=None, wait=True):
        state = self.file("state")
        os.makedirs(state, mode=0o700, exist_ok=True)
        config = self.write_config()
        for folder, folders, files in os.walk(self.folder):
            for name in (*folders, *files, "."):
                os.chown(os.path.join(folder, name), DAEMON_UID, DAEMON_UID)
        argv = ["setpriv", f"--reuid={DAEMON_UID}", f"--regid={DAEMON_UID}", "--clear-groups", self.programs.daemon,
                f"--config={config}", f"--state-dir={state}", f"--host={self.programs.host}",
                f"--log-level={self.log_level}", *[f"--plugin-dir={folder}" for folder in self.programs.plugin_dirs]]
        self.starts += 1
        environment = {**os.environ, **(env or {})}
        environment.pop("DBUS_SYSTEM_BUS_ADDRESS", None)
        self.daemon = Child("eonayd", argv, self.file(f"eonayd-{self.starts}.log"), env=environment)
        if wait:
            self.wait_for_owner(BUS_NAME, True)

    def session(self, name, user, **options):
        self.sessions.append(Session(name, user, **options))
        return self.sessions[-1]

    def person(self, user, session=None, unit=None, group=None):
        """A process of a session, or of a unit of the user's service manager, or of any control group."""
        uid = USERS[user]
        place = f"session-{session.name}.scope" if session else f"user@{uid}.service/app.slice/{unit}"
        group = group or f"/user.slice/user-{uid}.slice/{place}"
        person = Person(self, user, group)
        self.people.append(person)
        return person

    def rule(self, text):
        """An administrator's rule, or None; polkit has taken it when this returns."""
        path = "/etc/polkit-1/rules.d/50-eonay.rules"
        self.polkit_changes((lambda: os.unlink(path)) if text is None else lambda: write(path, text))

    def polkit_changes(self, change):
        """Does what makes polkit announce a change, and returns when it has. A new file is two changes to it, that it came and that it
        was closed, so another announcement may follow the first within milliseconds."""
        changed = []
        watch = self.connection.signal_subscribe(
            "org.freedesktop.PolicyKit1", "org.freedesktop.PolicyKit1.Authority", "Changed", None, None,
            Gio.DBusSignalFlags.NONE, lambda *_: changed.append(1))
        self.connection.call_sync("org.freedesktop.DBus", "/", "org.freedesktop.DBus.Peer", "Ping", None, None,
                                          Gio.DBusCallFlags.NONE, 5000, None)
        change()
        self.iterate(lambda: changed, "polkit to announce a change")
        quiet = time.monotonic() + 0.1
        self.iterate(lambda: time.monotonic() > quiet, "polkit to have no more to say", poll=True)
        self.connection.signal_unsubscribe(watch)

    def iterate(self, ready, what, timeout=30, poll=False):
        """Until ready() is true; with poll, also while nothing happens on our own connection."""
        late = []
        pulse = GLib.timeout_add(20, lambda: True) if poll else 0
        source = GLib.timeout_add_seconds(timeout, lambda: late.append(1) or False)
        while not late and not ready():
            GLib.MainContext.default().iteration(True)
        if late:
            raise ProcessError(f"waited {timeout} s for {what}\n{self.logs()}")
        GLib.source_remove(source)
        if pulse:
            GLib.source_remove(pulse)

    def stop(self):
        for person in self.people:
            if person.process.poll() is None:
                person.leave()
        self.people = []
        if self.daemon:
            self.daemon.end()
        if self.polkitd:
            self.polkitd.end()
        if self.systemd:
            self.systemd.stop()
            self.systemd = None
        super().stop()
