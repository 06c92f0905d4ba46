# SPDX-License-Identifier: Apache-2.0
"""After a signature, and after a wrong PIN, no process of ours holds the PIN: not in its memory, not in a pipe."""
import fcntl
import os
import pty
import secrets
import select
import signal
import subprocess
import sys
import time

import dbus

from client import Client, options
from memory_scan import filled_pipes, places
from processes import children_of
from test_crash_hosts import host_pid
from testing import BusTest, run

HOLDER = "import sys, time; held = sys.stdin.buffer.raw.read(100); print('ready', flush=True); time.sleep(600)"


def new_pin():
    return "P!" + secrets.token_hex(12)


class Memory(BusTest):
    def started(self, agent=False):
        sandbox = self.sandbox()
        sandbox.pin = sandbox.tokens.pin = new_pin()
        sandbox.start(agent=agent)
        return sandbox, Client(sandbox)

    def ours(self, sandbox):
        """Every process of ours that runs now: {pid: name}."""
        found = {sandbox.daemon.pid: "eonayd"}
        found.update((pid, "eonay-plugin-host") for pid in children_of(sandbox.daemon.pid))
        if sandbox.agent:
            found[sandbox.agent.pid] = "eonayctl agent"
        return found

    def assert_nowhere(self, processes, *pins):
        for pid, name in processes.items():
            for pin in pins:
                found, looked_at = places(pid, pin)
                self.assertGreater(looked_at, 1 << 20, "hardly anything was looked at")
                self.assertEqual(found, [], name)
            self.assertEqual(filled_pipes(pid), {}, name)

    def sign(self, client, sandbox, pin, certificate=None, **choices):
        code, _ = client.get_code()
        consent = client.open(code)
        hashes = dbus.Array([text[2] for text in consent.texts()], signature="s")
        consent.sign(certificate or client.certificates(usable=True)[0][0], accept_text_sha256=hashes,
                     pin=sandbox.pin_pipe(pin), **choices)
        return consent.wait()

    def test_the_scanner_finds(self):
        """A process that does hold it, in a pipe as well; otherwise all the others prove nothing."""
        pin = new_pin()
        holder = subprocess.Popen([sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            os.write(holder.stdin.fileno(), pin.encode())
            holder.stdout.readline()
            self.assertTrue(places(holder.pid, pin)[0])
            self.assertEqual(places(holder.pid, new_pin())[0], [])
            self.assertEqual(filled_pipes(holder.pid), {})
            os.write(holder.stdin.fileno(), pin.encode())
            self.assertEqual(filled_pipes(holder.pid), {0: len(pin)})
        finally:
            holder.kill()
            holder.communicate()
        for encoding in ("utf-16-le", "utf-16-be"):
            held = pin.encode(encoding)
            self.assertTrue(any(encoding in place for place in places(os.getpid(), pin)[0]), held)

    def test_pin_by_descriptor(self):
        sandbox, client = self.started()
        wrong = new_pin()
        self.assertTrue(self.sign(client, sandbox, sandbox.pin)[0])
        self.assert_nowhere(self.ours(sandbox), sandbox.pin)
        self.assertEqual(self.sign(client, sandbox, wrong)[:2], (False, "org.eonay.EOnay1.Error.PinIncorrect"))
        self.assertGreaterEqual(len(self.ours(sandbox)), 4)  # the daemon, the lister, the signer, the authority
        self.assert_nowhere(self.ours(sandbox), sandbox.pin, wrong)
        for _ in range(3):
            self.assertTrue(self.sign(client, sandbox, sandbox.pin)[0])
        self.assert_nowhere(self.ours(sandbox), sandbox.pin, wrong)

    def test_passphrase_of_a_file(self):
        sandbox, client = self.started()
        passphrase, wrong = new_pin(), new_pin()
        credential = sandbox.pki.issue("file", password=passphrase)
        with open(credential.p12, "rb") as file:
            content = file.read()
        token = client.manager.AddFile(self.memfd(content), options(pin=sandbox.pin_pipe(passphrase)))
        self.assert_nowhere(self.ours(sandbox), passphrase)
        [(certificate, _)] = client.certificates(token=token)
        for word, success in ((passphrase, True), (wrong, False), (passphrase, True)):
            self.assertEqual(self.sign(client, sandbox, word, certificate)[0], success)
            self.assert_nowhere(self.ours(sandbox), passphrase, wrong)

    @staticmethod
    def memfd(content):
        descriptor = os.memfd_create("p12", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.write(descriptor, content)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS,
                    fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE)
        wrapped = dbus.types.UnixFd(descriptor)
        os.close(descriptor)
        return wrapped

    def test_pin_by_the_agent(self):
        sandbox, client = self.started(agent=True)
        certificate = client.certificates(usable=True)[0][0]
        consent = client.open(client.get_code()[0])
        consent.sign(certificate)
        self.assertTrue(consent.wait()[0], consent.outcome)
        self.assertIn("eonayctl agent", self.ours(sandbox).values())
        self.assert_nowhere(self.ours(sandbox), sandbox.pin)

    def test_pin_typed_on_a_terminal(self):
        """The authority stands still, so that eonayctl still runs when its memory is read."""
        sandbox = self.sandbox()
        sandbox.pin = sandbox.tokens.pin = new_pin()
        sandbox.set_section("Backend slow", Plugin="fake-ca")
        sandbox.limits["BackendDeadlineMs"] = 300000
        sandbox.start()
        client = Client(sandbox)
        wrong = new_pin()
        code, _ = client.get_code("slow")
        argv = [sandbox.programs.ctl, "sign", "--backend", "slow", "--output", sandbox.file("out.p7s"), code]
        pid, terminal = pty.fork()
        if pid == 0:
            os.execve(argv[0], argv, {**sandbox.environment(), "TERM": "dumb", "LC_ALL": "C.UTF-8"})
        try:
            self.until_shown(terminal, "[y/N] ")
            os.write(terminal, b"yes\n")
            self.until_shown(terminal, "): ")
            os.write(terminal, wrong.encode() + b"\n")
            self.until_shown(terminal, "): ")
            authority = host_pid(sandbox, "slow, authority")
            os.kill(authority, signal.SIGSTOP)
            os.write(terminal, sandbox.pin.encode() + b"\n")
            self.until_state(client, "submitting")
            self.assert_nowhere({pid: "eonayctl sign", **self.ours(sandbox)}, sandbox.pin, wrong)
            self.assertIn("eonayctl", os.readlink(f"/proc/{pid}/exe"))
            os.kill(authority, signal.SIGCONT)
            self.until_closed(terminal)
            self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)
        finally:
            os.close(terminal)

    def until_shown(self, terminal, *texts):
        seen = b""
        deadline = time.monotonic() + 60
        while not any(text.encode() in seen for text in texts):
            self.assertLess(time.monotonic(), deadline, seen)
            if select.select([terminal], [], [], 0.5)[0]:
                seen += os.read(terminal, 65536)

    @staticmethod
    def until_closed(terminal):
        try:
            while os.read(terminal, 65536):
                pass
        except OSError:  # the other end is closed
            pass

    def until_state(self, client, state):
        deadline = time.monotonic() + 60
        while not client.manager.ListConsents(options(state=state)):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)


if __name__ == "__main__":
    run()
