# SPDX-License-Identifier: Apache-2.0
"""Child processes that never outlive us.

Every child gets SIGKILL from the kernel when this process dies, whatever killed it (setpriv --pdeathsig), and runs in a
session of its own unless it needs the terminal. This process is a subreaper: what a child leaves behind becomes our
child, so that `end_descendants` finds it.
"""
import ctypes
import os
import select
import signal
import subprocess
import time

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
TAIL_LINES = 40


class ProcessError(Exception):
    """A program could not be started, or ended when it should not have."""


def prctl(option, value):
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def become_subreaper():
    prctl(PR_SET_CHILD_SUBREAPER, 1)


def end_on_signals():
    """Makes signals end the program through an exception, once, so that cleaning up goes on undisturbed."""

    def handler(number, _frame):
        for other in ENDING_SIGNALS:
            signal.signal(other, signal.SIG_IGN)
        raise SystemExit(128 + number)

    for number in ENDING_SIGNALS:
        signal.signal(number, handler)


def run_guarded(work, clean_up):
    """Runs `work()` in a process of its own and returns its exit status. Two processes guard each other: when this one
    dies, even by SIGKILL, the other is told to clean up; when the other dies, this one ends what it leaves and calls
    `clean_up()`."""
    become_subreaper()
    for number in ENDING_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    guard = os.getpid()
    worker = os.fork()
    if worker == 0:
        end_on_signals()
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != guard:
            raise SystemExit(1)
        become_subreaper()
        raise SystemExit(work())
    for number in ENDING_SIGNALS:
        signal.signal(number, lambda received, _frame: os.kill(worker, received))
    status = os.waitstatus_to_exitcode(wait_for(worker))
    for number in ENDING_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    end_descendants()
    clean_up()
    return status if status >= 0 else 128 - status


def wait_for(pid):
    """The wait status of one child; other children that end meanwhile are reaped."""
    while True:
        ended, status = os.wait()
        if ended == pid:
            return status


def bound_to_us(argv):
    return ["setpriv", "--pdeathsig", "KILL", "--", *map(str, argv)]


def run_tool(argv, redirected=subprocess.DEVNULL, **options):
    """Runs a tool to its end and returns its output; a failure carries what it printed. redirected: its input."""
    result = subprocess.run(bound_to_us(argv), stdin=redirected, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, check=False, **options)
    if result.returncode != 0:
        said = (result.stderr + result.stdout).decode(errors="replace").strip()
        raise ProcessError(f"{os.path.basename(str(argv[0]))} failed with status {result.returncode}: {said}")
    return result.stdout


class Child:
    """A long-running program; its output goes to a log file."""

    def __init__(self, name, argv, log_path, env=None, pass_fds=()):
        self.name = name
        self.log_path = log_path
        with open(log_path, "ab") as log:
            self.process = subprocess.Popen(bound_to_us(argv), stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=subprocess.STDOUT, env=env, pass_fds=pass_fds,
                                            start_new_session=True)
        self.pidfd = os.pidfd_open(self.process.pid)

    @property
    def pid(self):
        return self.process.pid

    def running(self):
        return self.process.poll() is None

    def wait(self, timeout):
        """The exit status as subprocess has it, or None when the process still runs after `timeout` seconds."""
        select.select([self.pidfd], [], [], timeout)
        return self.process.poll()

    def signal(self, number):
        if self.running():
            signal.pidfd_send_signal(self.pidfd, number)

    def end(self, grace=20.0):
        """SIGTERM, and SIGKILL after the grace; returns the exit status."""
        if self.pidfd < 0:
            return self.process.returncode
        self.signal(signal.SIGTERM)
        if self.wait(grace) is None:
            self.signal(signal.SIGKILL)
            self.process.wait()
        os.close(self.pidfd)
        self.pidfd = -1
        return self.process.returncode

    def kill(self):
        self.signal(signal.SIGKILL)
        return self.end()

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def log_tail(self):
        return "\n".join(self.log().splitlines()[-TAIL_LINES:])


def children_of(pid):
    found = []
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
    except FileNotFoundError:
        return found
    for task in tasks:
        try:
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as children:
                found += [int(child) for child in children.read().split()]
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def descendants():
    """All processes below this one, parents first."""
    found = []
    todo = children_of(os.getpid())
    while todo:
        pid = todo.pop(0)
        found.append(pid)
        todo += children_of(pid)
    return found


def reap():
    """Collects children that have ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0] > 0:
            pass
    except ChildProcessError:
        pass


def end_descendants(grace=2.0):
    """Ends everything below this process: SIGTERM, then SIGKILL. For the very end of a program only."""
    deadline = time.monotonic() + grace
    number = signal.SIGTERM
    asked = set()
    while True:
        reap()
        pids = descendants()
        if not pids:
            return
        if time.monotonic() > deadline:
            number = signal.SIGKILL
        for pid in pids:
            if (pid, number) in asked:
                continue
            asked.add((pid, number))
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue
        time.sleep(0.01)
