# SPDX-License-Identifier: Apache-2.0
"""Where codes, PINs, texts, names and identity numbers may not be: in logs, arguments, environments, databases that need
not have them, core files."""
import glob
import os
import re
import secrets
import shutil
import socket
import subprocess
import tempfile
import time

import dbus

from bus import BUS_NAME
from client import Client, options
from processes import children_of
from testing import BusTest, run

NAME = "ŞERİFE IŞIKÖREN"
TCKN = "10000000146"
NOBODY = 65534


class Privacy(BusTest):
    """One sandbox at log level debug, in which everything has happened once: what went well and what did not."""

    def setUp(self):
        super().setUp()
        self.box = self.sandbox(log_level="debug")
        self.box.pin = self.box.tokens.pin = "P!" + secrets.token_hex(12)
        self.wrong_pin = "W!" + secrets.token_hex(12)
        self.box.add_token(name=NAME, tckn=TCKN)
        self.box.start(agent=True)
        self.client = Client(self.box)
        self.certificate = self.client.certificates(usable=True)[0][0]
        self.codes, self.texts = [], []
        self.live()

    def code(self, **choices):
        code, _ = self.client.get_code("", **choices)
        self.codes.append(code)
        return code

    def opened(self, **choices):
        consent = self.client.open(self.code(**choices))
        self.texts += [content for *_, content in consent.texts()]
        return consent

    def sign(self, consent, pin):
        hashes = dbus.Array([text[2] for text in consent.texts()], signature="s")
        consent.sign(self.certificate, accept_text_sha256=hashes, pin=self.box.pin_pipe(pin))
        return consent.wait()

    def live(self):
        self.assertTrue(self.sign(self.opened(subject=TCKN), self.box.pin)[0])
        refused = self.opened()
        self.assertFalse(self.sign(refused, self.wrong_pin)[0])
        self.assertTrue(self.sign(refused, self.box.pin)[0])
        by_agent = self.opened()
        by_agent.sign(self.certificate)
        self.assertTrue(by_agent.wait()[0])
        cancelled = self.opened()
        cancelled.proxy.Cancel(options())
        self.code(superseded_code=self.code())
        for code in (self.codes[0], self.codes[-2], "999999999999999", "1234", "12345678901234x"):
            with self.assertRaises(dbus.exceptions.DBusException):
                self.client.open(code)
        self.codes += ["999999999999999", "12345678901234x"]
        self.client.manager.GetApproval("", options(subject=TCKN))
        left = Client(self.box)
        self.texts += [content for *_, content in left.open(self.code()).texts()]
        left.close()
        self.client.manager.ListConsents(options())
        receipt = self.client.manager.SignConsent(self.code(), dbus.ObjectPath("/"), options())
        self.assertTrue(receipt["ReceiptId"])

    def secrets(self):
        """{what it is: bytes that may not be found}"""
        found = {f"code {number}": code.encode() for number, code in enumerate(self.codes)}
        found.update({"PIN": self.box.pin.encode(), "wrong PIN": self.wrong_pin.encode()})
        return found

    def personal(self):
        found = {"identity number": TCKN.encode(), "name": NAME.encode(), "surname": NAME.split()[1].encode(),
                 "reversed": "IŞIKÖREN".casefold().encode()}
        for number, text in enumerate(self.texts):
            lines = [line for line in text.split(b"\n") if len(line) >= 20]
            found.update({f"text {number}, line {at}": line for at, line in enumerate(lines)})
        return found

    @staticmethod
    def content(path):
        with open(path, "rb") as file:
            return file.read()

    def assert_without(self, content, what, where):
        for name, value in what.items():
            self.assertFalse(value in content, f"{name} in {where}")

    def assert_contains(self, content, value, where):
        self.assertTrue(value in content, f"the test looks at the wrong place: {where}")

    # -- logs -----------------------------------------------------------------------------------------------------

    def test_logs(self):
        logs = b"".join(self.content(path) for path in glob.glob(glob.escape(self.box.folder) + "/*.log")
                        if not path.endswith("agent.log"))  # that one is a screen
        self.assert_contains(logs, b"consent recorded by the authority", "the daemon's log")
        self.assert_contains(logs, b"plugin host", "the log at level debug")
        self.assert_without(logs, {**self.secrets(), **self.personal()}, "the logs")
        grouped = re.compile(rb"(?<!\d)" + rb"[ -]?".join([rb"\d"] * 15) + rb"(?!\d)")
        self.assert_without(self.content(self.box.file("agent.log")), self.secrets(), "the agent's screen")
        for code in self.codes:
            self.assertNotIn(code, [match.translate(None, b" -").decode() for match in grouped.findall(logs)])

    def test_the_command_line(self):
        """eonayctl says no PIN, whatever happens, and the chain behind the records says nothing about a person."""
        wrong = self.box.file("wrong-pin")
        with open(os.open(wrong, os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="ascii") as file:
            file.write(self.wrong_pin)
        self.box.write_pin_file()
        said, chain = b"", b""
        for pin_file in (wrong, self.box.file("pin")):
            said += self.run_ctl("sign", self.code(), "--yes", f"--pin-file={pin_file}")
        for verb in (["consents"], ["status"], ["tokens"], ["certs"], ["doctor"], ["audit", "verify"],
                     ["--json", "audit", "list", "--all-users", "--all"], ["audit", "list"]):
            output = self.run_ctl(*verb)
            said += output
            chain += output if "audit" in verb else b""
        self.assert_contains(chain, b"signatures=", "the chain")
        self.assert_without(said, self.secrets(), "what eonayctl says")
        self.assert_without(chain, {**self.secrets(), **self.personal()}, "the audit chain")
        self.test_logs()

    def run_ctl(self, *arguments):
        result = subprocess.run([self.box.programs.ctl, *arguments], env={**self.box.environment(), "LC_ALL": "C.UTF-8"},
                                stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
        return result.stdout + result.stderr

    def test_errors_that_travel(self):
        """The D-Bus errors of wrong codes do not repeat the codes: they end in other programs' logs."""
        for code in (self.codes[0], "999999999999998", "12345678901234x", "1" * 70000):
            with self.assertRaises(dbus.exceptions.DBusException) as raised:
                self.client.open(code)
            self.assertNotIn(code, str(raised.exception))
            self.assertLess(len(str(raised.exception)), 1000)

    # -- what ps shows ----------------------------------------------------------------------------------------------

    def ours(self):
        return [self.box.daemon.pid, self.box.agent.pid, *children_of(self.box.daemon.pid)]

    def test_arguments_and_environment(self):
        self.assertGreaterEqual(len(self.ours()), 5)
        for pid in self.ours():
            for name in ("cmdline", "environ", "comm"):
                content = self.content(f"/proc/{pid}/{name}")
                self.assert_without(content, {**self.secrets(), **self.personal()}, f"{name} of {pid}")

    def test_no_core_files(self):
        for pid in [self.box.daemon.pid, *children_of(self.box.daemon.pid)]:
            with open(f"/proc/{pid}/limits", encoding="ascii") as limits:
                core = re.search(r"^Max core file size\s+(\S+)\s+(\S+)", limits.read(), re.MULTILINE)
            self.assertEqual(core.groups(), ("0", "0"), pid)
        self.assertEqual([], glob.glob(self.box.file("**", "core*"), recursive=True))

    def test_not_dumpable(self):
        """The kernel gives the files below /proc/PID of a process that may not be looked at to root. So the daemon is
        started as somebody else, on a bus that never answers. (The hosts tell it from inside: tests/unit/host.)"""
        with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as silent:
            os.chmod(folder, 0o711)
            program = shutil.copy(self.box.programs.daemon, folder)
            silent.bind(os.path.join(folder, "bus"))
            os.chmod(os.path.join(folder, "bus"), 0o777)
            silent.listen()
            for argv, owner in (([program, f"--bus=unix:path={folder}/bus"], 0), (["sleep", "60"], NOBODY)):
                process = subprocess.Popen(["setpriv", f"--reuid={NOBODY}", "--clear-groups", "--pdeathsig=KILL", *argv],
                                           stderr=subprocess.DEVNULL)
                try:
                    if owner == 0:
                        silent.settimeout(60)
                        connection, _ = silent.accept()
                        self.addCleanup(connection.close)
                    else:
                        time.sleep(0.2)
                    self.assertEqual(os.stat(f"/proc/{process.pid}/environ").st_uid, owner, argv)
                finally:
                    process.kill()
                    process.wait()

    # -- databases ----------------------------------------------------------------------------------------------------

    def database(self, *names):
        """The bytes of a database and of the files beside it, free pages and write-ahead log included."""
        return b"".join(self.content(path) for path in glob.glob(glob.escape(self.box.file(*names)) + "*"))

    def test_journal(self):
        content = self.database("state", "journal.sqlite")
        self.assert_contains(content, self.texts[0], "the journal, which keeps the evidence")
        self.assert_without(content, self.secrets(), "the journal")

    def test_authority(self):
        content = self.database("authority", "authority.db")
        self.assert_contains(content, self.texts[0], "the authority's database")
        self.assert_without(content, self.secrets(), "the authority's database")

    def test_files_are_the_owners(self):
        for folder, _, names in os.walk(self.box.file("state")):
            for path in (folder, *(os.path.join(folder, name) for name in names)):
                self.assertEqual(os.stat(path).st_mode & 0o077, 0, path)

    # -- objects on the bus -------------------------------------------------------------------------------------------

    def test_objects_are_anonymous(self):
        managed = self.client.connection.call_blocking(
            BUS_NAME, "/org/eonay/EOnay1", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", "", ())
        content = str(managed).encode()
        self.assert_contains(content, b"SoftHSM", "the objects")
        label = {"token label": b"eonay-demo", "serial": self.serial().encode()}
        self.assert_without(content, {**self.secrets(), **self.personal(), **label}, "the objects everybody sees")

    def serial(self):
        listing = self.box.tokens.tool("--list-slots").decode()
        return re.search(r"serial num\s*:\s*(\S+)", listing)[1]


if __name__ == "__main__":
    run()
