# SPDX-License-Identifier: Apache-2.0
"""Steering the measured programs, statistics, and what /proc tells of a process."""
import math
import os
import subprocess
import time

from processes import bound_to_us

NS_PER_MS = 1e6


class Program:
    """A measured program that obeys commands, see bench.h."""

    def __init__(self, argv, env=None, first_line=None):
        self.process = subprocess.Popen(bound_to_us(argv), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=env)
        if first_line is not None:
            self.say(first_line)

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def answer(self):
        """The lines up to ".", each as a list of numbers."""
        rows = []
        for line in self.process.stdout:
            if line == ".\n":
                return rows
            rows.append([int(word) for word in line.split()])
        raise RuntimeError(f"{self.process.args[-1]} ended with status {self.process.wait()}")

    def command(self, verb, count):
        self.say(f"{verb} {count}")
        return self.answer()

    def times(self, verb, count):
        """Durations in milliseconds."""
        return [row[0] / NS_PER_MS for row in self.command(verb, count)]

    def end(self):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()


def percentile(values, percent):
    """The nearest-rank percentile."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def summary(values):
    return {"count": len(values), "p50": percentile(values, 50), "p99": percentile(values, 99),
            "mean": sum(values) / len(values)}


def memory(pid):
    """MiB that a process uses: its own share, and all it has resident."""
    sizes = {}
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        for line in file:
            fields = line.split()
            if fields[-1] == "kB":
                sizes[fields[0].rstrip(":")] = int(fields[1]) / 1024
    return {"pss": sizes["Pss"], "rss": sizes["Rss"]}


def mapped(pid):
    """Names of the files a process has mapped."""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as file:
        return {line.split()[5].rsplit("/", 1)[-1] for line in file if len(line.split()) > 5}


def wakeups(pid):
    """How often a process has gone to sleep so far, that is, how often it was woken."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("voluntary_ctxt_switches"))


def command_line(pid):
    with open(f"/proc/{pid}/cmdline", encoding="utf-8") as file:
        return file.read().rstrip("\0").split("\0")


def flush_times(folder, count):
    """Milliseconds that a flush of 4 KiB to disk takes there."""
    path = os.path.join(folder, "flush")
    times = []
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    for number in range(count):
        os.pwrite(descriptor, b"x" * 4096, 4096 * (number % 8))
        start = time.perf_counter()
        os.fdatasync(descriptor)
        times.append((time.perf_counter() - start) * 1000)
    os.close(descriptor)
    os.unlink(path)
    return times
