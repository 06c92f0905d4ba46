# SPDX-License-Identifier: Apache-2.0
"""Runs eonayctl, on a terminal of its own where it must ask, against a scripted service on a private bus."""
import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time

from bus import PrivateBus
from processes import Child

HERE = os.path.dirname(os.path.realpath(__file__))
BUILD = os.environ["EONAY_BUILD"]
CTL = os.path.join(BUILD, "client-examples/eonayctl/eonayctl")
PATIENCE = 60.0


class Screen:
    """A program on a pseudo-terminal that is its controlling terminal."""

    def __init__(self, argv, env):
        self.seen = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvpe(argv[0], argv, env)

    def read_some(self, timeout):
        if not select.select([self.fd], [], [], timeout)[0]:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError:  # the other end is closed
            return False
        self.seen += data.decode(errors="replace")
        return bool(data)

    def expect(self, text, timeout=PATIENCE):
        """Waits for the text, and forgets everything up to it."""
        end = time.monotonic() + timeout
        while text not in self.seen:
            if time.monotonic() > end or not self.read_some(min(1.0, timeout)) and self.ended():
                raise AssertionError(f"'{text}' was not shown, but: {self.seen}")
        before, _, self.seen = self.seen.partition(text)
        return before

    def ended(self):
        return not os.path.exists(f"/proc/{self.pid}") or open(f"/proc/{self.pid}/stat").read().rpartition(")")[2].split()[0] == "Z"

    def type(self, text):
        os.write(self.fd, text.encode())

    def echoes(self):
        return bool(termios.tcgetattr(self.fd)[3] & termios.ECHO)

    def wait_echo(self, wanted):
        end = time.monotonic() + PATIENCE
        while self.echoes() != wanted:
            assert time.monotonic() < end, f"echo is not {wanted}"
            time.sleep(0.01)

    def wait(self):
        """The exit status; everything shown is in `seen`."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            more = self.read_some(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                while self.read_some(0.05):
                    pass
                os.close(self.fd)
                return os.waitstatus_to_exitcode(status)
            if not more:
                time.sleep(0.01)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        raise AssertionError(f"it did not end: {self.seen}")


class Place:
    """A private bus in a folder, and a scripted service on it."""

    def __init__(self, folder, **script):
        self.folder = folder
        self.bus = PrivateBus(folder)
        self.log = os.path.join(folder, "calls")
        self.mock = None
        self.env = {k: v for k, v in os.environ.items() if k not in ("LANGUAGE", "NO_COLOR")}
        self.env.update(DBUS_SYSTEM_BUS_ADDRESS=self.bus.address, TEXTDOMAINDIR=os.path.join(BUILD, "po"), TZ="UTC", TERM="dumb")
        if script.pop("service", True):
            self.start(**script)

    def start(self, **script):
        argv = [sys.executable, "-B", os.path.join(HERE, "mock_daemon.py"), self.bus.address, json.dumps(script), self.log]
        self.mock = Child("mock", argv, os.path.join(self.folder, "mock.log"), env=self.env)
        self.bus.wait_for_name(self.mock)

    def file(self, name, content=None, mode=0o600):
        path = os.path.join(self.folder, name)
        if content is not None:
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8") as file:
                file.write(content)
            os.chmod(path, mode)
        return path

    def run(self, *arguments, stdin="", **options):
        """Without any terminal."""
        return subprocess.run([CTL, *arguments], input=stdin, env=self.env, text=True, capture_output=True, check=False,
                              timeout=60, start_new_session=True, **options)

    def screen(self, *arguments):
        return Screen([CTL, *arguments], self.env)

    def calls(self, name=None):
        if not os.path.exists(self.log):
            return []
        with open(self.log, encoding="utf-8") as log:
            found = [json.loads(line) for line in log if line.endswith("\n")]  # the last one may be half written
        return [call for call in found if name in (None, call["call"])]

    def wait_call(self, name, number=1):
        end = time.monotonic() + PATIENCE
        while len(self.calls(name)) < number:
            assert time.monotonic() < end, f"no call {name}: {self.calls()}"
            time.sleep(0.02)
        return self.calls(name)[number - 1]

    def stop(self):
        if self.mock:
            self.mock.end()
        self.bus.stop()
