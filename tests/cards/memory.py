# SPDX-License-Identifier: Apache-2.0
"""Looks for a secret in the memory of running processes."""
import os
import re


def writable_regions(pid):
    with open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as maps:
        for line in maps:
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \d+\s*(.*)", line)
            if found and found[3].startswith("rw") and not found[4].startswith("[v"):
                yield int(found[1], 16), int(found[2], 16), found[4]


def places(pid, secret):
    """Where the process holds the bytes: ["[heap]+0x10", ...]"""
    found = []
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for start, end, name in writable_regions(pid):
            try:
                memory.seek(start)
                content = memory.read(end - start)
            except OSError:  # a guard page, or gone meanwhile
                continue
            found += [f"{name or 'anonymous'}+{match.start():#x}" for match in re.finditer(re.escape(secret), content)]
    return found


def processes(name):
    """(pid, command line) of those whose program has this name."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().decode(errors="replace").split("\0")
        except OSError:
            continue
        if os.path.basename(words[0]) == name:
            yield int(pid), words
