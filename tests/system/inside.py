# SPDX-License-Identifier: Apache-2.0
"""The tests within the booted machine, in the order of their names: what an administrator and his users do, from the
installation to the purge. The verdict goes to out/verdict: how many passed, how many failed."""
import faulthandler
import os
import subprocess
import sys
import unittest

from house import HERE, install, sh

PARTS = ("test_install", "test_use", "test_strangers", "test_walls", "test_servers", "test_run", "test_remove")


def main():
    faulthandler.dump_traceback_later(280, exit=True)
    suite = unittest.TestSuite()
    install()
    for part in PARTS:
        suite.addTests(unittest.defaultTestLoader.loadTestsFromName(part))
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
    if not result.wasSuccessful():
        print(sh("journalctl", "--boot", "--no-pager", "--output=short-monotonic").stdout[-40000:])
    with open(os.path.join(HERE, "out", "verdict"), "w", encoding="ascii") as file:
        bad = len(result.failures) + len(result.errors)
        file.write(f"{result.testsRun - bad} {bad}")


if __name__ == "__main__":
    try:
        main()
    except subprocess.SubprocessError as error:
        print(error, getattr(error, "stdout", ""), getattr(error, "stderr", ""))
        print(sh("journalctl", "--boot", "--no-pager").stdout[-6000:])
