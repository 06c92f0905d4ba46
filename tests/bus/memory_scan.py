# SPDX-License-Identifier: Apache-2.0
"""Looks for a secret in everything a process can read of itself, and in the pipes it holds open."""
import array
import fcntl
import os
import re
import termios

CHUNK = 1 << 22


def encodings(secret):
    """UTF-8, and UTF-16 in both orders."""
    return {name: secret.encode(name) for name in ("utf-8", "utf-16-le", "utf-16-be")}


def readable_regions(pid):
    """(start, end, name) of what can be read; the kernel's own pages hold nothing of ours."""
    with open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as maps:
        for line in maps:
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \d+\s*(.*)", line)
            if found[3].startswith("r") and not found[4].startswith("[v"):
                yield int(found[1], 16), int(found[2], 16), found[4] or "anonymous"


def region_places(memory, start, end, name, needles):
    overlap = max(map(len, needles.values())) - 1
    at = start
    while at < end:
        try:
            content = os.pread(memory, min(CHUNK, end - at) + overlap, at)
        except OSError:  # a guard page, or beyond the end of a mapped file
            content = b""
        for encoding, needle in needles.items():
            for match in re.finditer(re.escape(needle), content):
                yield f"{name}+{at - start + match.start():#x} ({encoding})"
        at += CHUNK


def places(pid, secret):
    """Where the process holds the secret; also how many bytes were looked at."""
    found, looked_at = [], 0
    memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
    try:
        for start, end, name in readable_regions(pid):
            looked_at += end - start
            found += region_places(memory, start, end, name, encodings(secret))
    finally:
        os.close(memory)
    return found, looked_at


def filled_pipes(pid):
    """Descriptors of pipes that hold unread bytes: {number: how many}."""
    found = {}
    for number in os.listdir(f"/proc/{pid}/fd"):
        path = f"/proc/{pid}/fd/{number}"
        if not os.readlink(path).startswith("pipe:"):
            continue
        own = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        size = array.array("i", [0])
        fcntl.ioctl(own, termios.FIONREAD, size)
        os.close(own)
        if size[0]:
            found[int(number)] = size[0]
    return found
