# SPDX-License-Identifier: Apache-2.0
"""The frame of the containment tests: a daemon with a good token (SoftHSM, "the neighbour") and copies of the scripted
PKCS#11 module beside it, which sign for real and do harm as their script says.

After each test the daemon must be the process it was, and the neighbour must still sign.
"""
import os
import re
import shutil
import signal
import sys

SOURCE = os.environ["EONAY_SOURCE"]
sys.path.insert(0, os.path.join(SOURCE, "tests", "bus"))

# pylint: disable=wrong-import-position
from test_parts import Call, DaemonTest, gives, never, pin_pipe, plain, run_for, wait_until  # noqa: E402,F401
from programs import Programs  # noqa: E402,F401
from sandbox import Sandbox  # noqa: E402,F401
from testing import BUILD, ERROR, WORK, run  # noqa: E402,F401

MODULE = os.path.join(BUILD, "tests", "cards", "scripted-module", "eonay-scripted-module.so")
PIN = "123456"
DEADLINE = 2500  # ms: long enough for an honest call on a busy machine


class Vendor:
    """A copy of the scripted module, configured as [Token NAME], with one token of one key unless told otherwise."""

    def __init__(self, sandbox, name="vendor", needs="files", slots=1, key="rsa2048", **section):
        self.sandbox = sandbox
        self.name = name
        self.folder = sandbox.file("modules")
        self.state = sandbox.file("modules-state")
        for folder in (self.folder, self.state):
            os.makedirs(folder, mode=0o700, exist_ok=True)
        self.path = os.path.join(self.folder, name + ".so")
        shutil.copy(MODULE, self.path)
        os.chmod(self.path, 0o600)
        self.credentials = [sandbox.pki.issue(f"{name}-{slot}", key=key) for slot in range(slots)]
        self.slots = [{"label": f"{name}-{slot}", "serial": f"S{slot}"} for slot in range(slots)]
        self.keys = [{"key": c.key, "cert": c.certificate, "label": f"{name}-{slot}"}
                     for slot, c in enumerate(self.credentials)]
        sandbox.set_section(f"Token {name}", **{
            "Plugin": "token-pkcs11", "Module": self.path, "Needs": needs, "ReadPaths": sandbox.pki.folder,
            "WritePaths": self.state, **section})
        self.write()

    def write(self, *faults, module=None, slot=None, key=None, slots=None):
        """Replaces the script: lines for [fault], and keys for [module], for the first slot and for its key. `slots`
        instead of `slot`: keys by number."""
        changes = slots or {0: slot or {}}
        lines = ["[module]", "trace=yes", f"state={self.state}/{self.name}"]
        lines += [f"{name}={value}" for name, value in (module or {}).items()]
        for number, usual in enumerate(self.slots):
            lines += [f"[slot {number}]", *(f"{name}={value}" for name, value in
                                            {**usual, **changes.get(number, {})}.items())]
            more = (key or {}) if number == 0 else {}
            lines += [f"[key {number}]", *(f"{name}={value}" for name, value in
                                           {**self.keys[number], **more}.items())]
        lines += ["[fault]", *faults]
        path = os.path.join(self.folder, self.name + ".script")
        with open(path + ".new", "w", encoding="utf-8") as script:
            script.write("\n".join(lines) + "\n")
        os.rename(path + ".new", path)

    def forget_counters(self):
        """The card is new again."""
        path = os.path.join(self.state, self.name)
        if os.path.exists(path):
            os.unlink(path)

    @staticmethod
    def calls(log, function=None):
        """[(pid, function)] of a piece of the daemon's log, where the hosts' standard error goes too."""
        found = re.findall(r"scripted-module\[(\d+)\]: (C_\w+)", log)
        return [(int(pid), name) for pid, name in found if function in (None, name)]


class ContainTest(DaemonTest):
    """A class of tests has one daemon, and one module called "vendor" unless prepare() is another."""
    deadline = DEADLINE

    @classmethod
    def prepare(cls, sandbox):
        for name in ("Open", "List", "Login", "Sign"):
            sandbox.limits[f"{name}DeadlineMs"] = cls.deadline
        sandbox.add_token()
        cls.vendor = cls.make_vendor(sandbox)

    @classmethod
    def make_vendor(cls, sandbox):
        return Vendor(sandbox)

    def setUp(self):
        super().setUp()
        self.daemon_pid = self.shared.daemon.pid
        self.repair()

    def repair(self):
        """A good module again: it is listed and it signs. A host that is left alone after crashes is waited for."""
        self.vendor.write()
        wait_until(self.listed, 60, "the good module's token")
        wait_until(self.signs, 60, "the good module's signature")

    def listed(self):
        self.refresh()
        return not self.health() and self.paths(self.vendor.name + "-0")

    def signs(self, consent=None):
        """Whether the vendor's token signs by now. Repeated ends of its host are followed by a pause that tells of
        itself."""
        fresh = not consent
        if fresh:
            consent = self.vendor_start()
        else:
            self.sign(consent, pin=PIN.encode(), certificate=self.vendor_certificate())
        success, error, _result = consent.wait(60)
        self.assertTrue(success or error in (ERROR + "PluginCrashed", ERROR + "PluginTimeout"), error)
        if fresh:
            consent.close()
        return success

    def tearDown(self):
        self.assertNotIn("not understood", self.log(), "a script of this test is wrong")
        self.assertEqual(self.shared.daemon.pid, self.daemon_pid)
        self.vendor.write()
        self.assert_neighbour_signs()
        super().tearDown()

    # -- what is there ------------------------------------------------------------------------------------------

    def refresh(self, client=None):
        client = client or self.client
        client.manager.Refresh({}, timeout=60, signature="a{sv}")

    def paths(self, label, client=None):
        return [path for path, properties in (client or self.client).certificates() if properties["Label"] == label]

    def vendor_certificate(self, slot=0, client=None):
        [path] = self.paths(f"{self.vendor.name}-{slot}", client)
        return path

    def neighbour_certificate(self, client=None):
        [path] = self.paths("eonay-demo", client)
        return path

    def calls(self, function=None):
        """Calls of the module since the test began."""
        return self.vendor.calls(self.log(), function)

    def count(self, function):
        return len(self.calls(function))

    def wait_for_call(self, function, beyond=0):
        wait_until(lambda: self.count(function) > beyond, 60, function)

    def kill_signer(self):
        """Ends the host that signs, as the machine's memory watchdog would."""
        self.kill_hosts({pid for pid, _name in self.calls("C_Login")})

    def kill_hosts(self, pids):
        for pid in pids:
            if os.path.exists(f"/proc/{pid}"):
                os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids), 60, "the end of the hosts")

    # -- what is done -------------------------------------------------------------------------------------------

    def vendor_start(self, client=None, slot=0, pin=PIN, **values):
        """Begins a signature on the vendor's token; returns the consent."""
        consent = self.open(client)
        consent.code = self.last_code
        self.vendor_sign(consent, client, slot, pin, **values)
        return consent

    def vendor_sign(self, consent, client=None, slot=0, pin=PIN, **values):
        client = client or self.client
        self.sign(consent, pin=pin.encode(), certificate=self.vendor_certificate(slot, client), client=client, **values)

    def open(self, client=None, backend="local", **values):
        client = client or self.client
        self.last_code, _details = client.get_code(backend, **values)
        return client.open(self.last_code, backend=backend)

    def neighbour_start(self, client=None):
        client = client or self.client
        consent = self.open(client)
        self.sign(consent, certificate=self.neighbour_certificate(client), client=client)
        return consent

    def assert_neighbour_signs(self):
        consent = self.neighbour_start()
        success, error, _result = consent.wait(60)
        self.assertTrue(success, error)
        consent.close()

    def assert_vendor_signs(self, slot=0, **values):
        consent = self.vendor_start(slot=slot, **values)
        success, error, result = consent.wait(60)
        self.assertTrue(success, (error, result))
        return consent

    def assert_spent(self, consent):
        with self.assertDBusError("CodeUsed"):
            self.client.open(consent.code)

    def assert_nothing_left(self, consent):
        """No signature leaves a consent that failed."""
        with self.assertRaises(Exception) as raised:
            consent.signature()
        self.assertIn("Error", str(raised.exception.get_dbus_name()))
