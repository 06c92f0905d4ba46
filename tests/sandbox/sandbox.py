# SPDX-License-Identifier: Apache-2.0
"""Everything a signature needs, on real parts, in one folder that is gone afterwards.

A Sandbox makes a throw-away PKI and a SoftHSM token with a qualified certificate, and starts a private dbus-daemon,
eonayd on it and, when asked, `eonayctl agent` that confirms every text and gives the PIN. The demo and the bus tests
share it:

    with Sandbox(programs, work_folder) as sandbox:
        sandbox.start()
        manager = sandbox.manager()
        ...
"""
import fcntl
import os
import shutil
import tempfile

import dbus

from bus import BUS_NAME, PrivateBus
from pki import Pki
from processes import Child, ProcessError, end_on_signals  # noqa: F401: for those who import it from here
from softhsm import SoftHsm, random_digits

ROOT_PATH = "/org/eonay/EOnay1"
MANAGER = BUS_NAME + ".Manager"
TOKEN_LABEL = "eonay-demo"


class Sandbox:
    """Parts appear in the order of the methods; `stop` (or leaving the with block) ends and removes all of them."""

    def __init__(self, programs, work_folder, log_level="debug", keep=False):
        self.programs = programs
        self.log_level = log_level
        self.keep = keep
        self.folder, self.lock = new_folder(work_folder)
        self.pin = random_digits(6)
        self.pki = Pki(programs.mkpki, self.folder)
        self.tokens = SoftHsm(self.folder, self.pin)
        self.daemon_options = []
        self.daemon_env = {}  # variables for every start
        self.limits = {}
        self.sections = {}
        self.bus = None
        self.daemon = None
        self.agent = None
        self.starts = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def file(self, *names):
        return os.path.join(self.folder, *names)

    # -- before the start ---------------------------------------------------------------------------------------

    def add_token(self, label=TOKEN_LABEL, profile="nes", key="rsa2048", always_authenticate=False, **issue):
        """A SoftHSM token with one certificate and its key; returns the Credential."""
        credential = self.pki.issue(label, profile=profile, key=key, **issue)
        self.tokens.add_token(label)
        self.tokens.add_credential(label, credential, always_authenticate=always_authenticate)
        return credential

    def add_credential(self, token_label, base, object_id, **issue):
        """A further certificate with its key on a token that is there already."""
        credential = self.pki.issue(base, **issue)
        self.tokens.add_credential(token_label, credential, object_id)
        return credential

    def set_section(self, name, **keys):
        """Adds or replaces a section of the configuration; a list value is joined with ';'."""
        self.sections[name] = keys

    def default_sections(self):
        os.makedirs(self.file("authority"), mode=0o700, exist_ok=True)
        return {
            "Daemon": {"DefaultBackend": "local"},
            "Limits": self.limits,
            "Token softhsm": {"Plugin": "token-pkcs11", "Module": self.tokens.module, "Needs": "files",
                              "Environment": "SOFTHSM2_CONF=" + self.tokens.conf,
                              "ReadPaths": self.tokens.folder, "WritePaths": self.tokens.tokens},
            "Backend local": {"Plugin": "ca-local", "Database": self.file("authority", "authority.db"),
                              "TrustAnchors": self.pki.root, "Intermediates": self.pki.issuing,
                              "AllowRepeats": "yes"},
        }

    def write_config(self):
        path = self.file("eonayd.conf")
        sections = {**self.default_sections(), **self.sections}
        # the machine's own readers and vendors' modules are none of ours
        sections["Daemon"] = {"Readers": "no", "ModuleDirectories": self.file("no-definitions"),
                              **sections.get("Daemon", {})}
        with open(path, "w", encoding="utf-8") as config:
            for section, keys in sections.items():
                config.write(f"[{section}]\n")
                for key, value in keys.items():
                    config.write(f"{key}={';'.join(value) if isinstance(value, (list, tuple)) else value}\n")
                config.write("\n")
        return path

    # -- start and end ------------------------------------------------------------------------------------------

    def start(self, agent=False, env=None):
        """Makes the usual token if there is none yet, then starts bus, daemon and perhaps the agent."""
        if not self.tokens.count:
            self.add_token()
        self.start_bus()
        self.start_daemon(env=env)
        if agent:
            self.start_agent()

    def start_bus(self):
        self.bus = PrivateBus(self.folder)

    def start_daemon(self, env=None, wait=True):
        """Starts eonayd, again after an end as well; `env` adds variables, as EONAY_CRASH_AT."""
        state = self.file("state")
        os.makedirs(state, mode=0o700, exist_ok=True)
        argv = [self.programs.daemon, f"--bus={self.bus.address}", f"--config={self.write_config()}",
                f"--state-dir={state}", f"--host={self.programs.host}", f"--log-level={self.log_level}",
                *[f"--plugin-dir={folder}" for folder in self.programs.plugin_dirs], *self.daemon_options]
        self.starts += 1
        self.daemon = Child("eonayd", argv, self.file(f"eonayd-{self.starts}.log"),
                            env={**os.environ, **self.daemon_env, **(env or {})})
        if wait:
            self.bus.wait_for_name(self.daemon)

    def stop_daemon(self):
        return self.daemon.end()

    def kill_daemon(self):
        return self.daemon.kill()

    def restart_daemon(self, env=None):
        self.stop_daemon()
        self.start_daemon(env=env)

    def start_agent(self):
        """An agent that confirms every text and gives the PIN; ready when the daemon has registered it."""
        self.write_pin_file()
        reader, writer = os.pipe()
        argv = [self.programs.ctl, "agent", "--accept", f"--pin-file={self.file('pin')}", f"--ready-fd={writer}"]
        self.agent = Child("eonayctl agent", argv, self.file("agent.log"), env=self.environment(), pass_fds=[writer])
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            if not pipe.read(1):
                raise ProcessError("the agent did not register:\n" + self.agent.log_tail())

    def write_pin_file(self):
        with open(os.open(self.file("pin"), os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w",
                  encoding="ascii") as file:
            file.write(self.pin)

    def stop(self):
        for child in (self.agent, self.daemon, self.bus):
            if child:
                child.end() if isinstance(child, Child) else child.stop()
        self.agent = self.daemon = self.bus = None
        if not self.keep:
            shutil.rmtree(self.folder, ignore_errors=True)
        if self.lock >= 0:
            os.close(self.lock)
            self.lock = -1

    # -- for those inside ---------------------------------------------------------------------------------------

    def environment(self):
        """The environment in which a program finds this sandbox's bus, token and programs."""
        return {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": self.bus.address, "SOFTHSM2_CONF": self.tokens.conf,
                "EONAY_SANDBOX": self.folder, "PATH": self.programs.path(os.environ.get("PATH", os.defpath))}

    def connect(self):
        return self.bus.connect()

    def manager(self, connection=None):
        """The Manager interface, on a new connection unless one is given."""
        connection = connection or self.connect()
        return dbus.Interface(connection.get_object(BUS_NAME, ROOT_PATH, introspect=False), MANAGER)

    def pin_pipe(self, pin=None):
        """The read end of a pipe that holds the PIN and has no writer any more, as a descriptor for D-Bus."""
        reader, writer = os.pipe()
        os.write(writer, (self.pin if pin is None else pin).encode())
        os.close(writer)
        descriptor = dbus.types.UnixFd(reader)
        os.close(reader)
        return descriptor

    def logs(self):
        """All that our programs have logged so far."""
        names = sorted(name for name in os.listdir(self.folder) if name.endswith(".log"))
        texts = []
        for name in names:
            with open(self.file(name), encoding="utf-8", errors="replace") as log:
                texts.append(f"--- {name}\n{log.read()}")
        return "\n".join(texts)


def lock_folder(path, operation):
    """A descriptor that holds the folder's lock, or -1 when somebody else holds it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, operation)
    except BlockingIOError:
        os.close(descriptor)
        return -1
    return descriptor


def new_folder(work_folder):
    """A new folder and its lock."""
    os.makedirs(work_folder, exist_ok=True)
    work_folder = os.path.realpath(work_folder)
    parent_lock = lock_folder(work_folder, fcntl.LOCK_EX)
    try:
        folder = tempfile.mkdtemp(prefix="s-", dir=work_folder)
        return folder, lock_folder(folder, fcntl.LOCK_EX)
    finally:
        os.close(parent_lock)


def remove_abandoned(work_folder):
    """Removes the folders of sandboxes whose process died without a chance to do it."""
    if not os.path.isdir(work_folder):
        return
    parent_lock = lock_folder(work_folder, fcntl.LOCK_EX)
    for name in os.listdir(work_folder):
        path = os.path.join(work_folder, name)
        lock = lock_folder(path, fcntl.LOCK_EX | fcntl.LOCK_NB) if name.startswith("s-") else -1
        if lock >= 0:
            shutil.rmtree(path, ignore_errors=True)
            os.close(lock)
    os.close(parent_lock)
