# SPDX-License-Identifier: Apache-2.0
"""Test: the locale that the test setup names is really in force. Without this, a missing Turkish locale would silently
be the C locale, and a whole run of the suite would prove nothing."""
import ctypes
import os
import sys

LC_CTYPE = 0
DOTTED_CAPITAL_I = 0x130


def upper(char):
    libc = ctypes.CDLL(None)
    libc.towupper.restype = ctypes.c_uint
    return libc.towupper(ctypes.c_uint(ord(char)))


def main():
    wanted = os.environ["LC_ALL"]
    libc = ctypes.CDLL(None)
    libc.setlocale.restype = ctypes.c_char_p
    in_force = libc.setlocale(LC_CTYPE, b"")
    expected = DOTTED_CAPITAL_I if wanted.startswith("tr_TR") else ord("I")
    if in_force != wanted.encode() or upper("i") != expected:
        print(f"LC_ALL={wanted}, but in force is {in_force}, in which the capital of i is U+{upper('i'):04X}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
