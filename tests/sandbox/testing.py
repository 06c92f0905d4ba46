# SPDX-License-Identifier: Apache-2.0
"""The frame of the bus tests: unittest, with sandboxes from the build tree that Meson names in EONAY_BUILD.

    class Signing(BusTest):
        def test_wrong_pin(self):
            sandbox = self.sandbox()
            sandbox.start()
            ...

    if __name__ == "__main__":
        run()

A failing test prints the logs of its sandboxes. A skipped test counts as failed.
"""
import contextlib
import os
import sys
import unittest

import dbus

from bus import BUS_NAME
from processes import become_subreaper, end_descendants, end_on_signals
from programs import Programs
from sandbox import Sandbox

ERROR = BUS_NAME + ".Error."
BUILD = os.environ["EONAY_BUILD"]
SOURCE = os.environ["EONAY_SOURCE"]
WORK = os.path.join(BUILD, "sandboxes")


class BusTest(unittest.TestCase):
    """A test case with sandboxes of its own."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.sandboxes = []

    def sandbox(self, **options):
        """A new sandbox, not started yet; it ends with the test."""
        sandbox = Sandbox(Programs(BUILD), WORK, **options)
        self.sandboxes.append(sandbox)
        self.addCleanup(sandbox.stop)
        return sandbox

    @contextlib.contextmanager
    def assertDBusError(self, name):
        """The block must fail with this D-Bus error; a name without dots is one of ours."""
        with self.assertRaises(dbus.exceptions.DBusException) as raised:
            yield raised
        full = name if "." in name else ERROR + name
        self.assertEqual(raised.exception.get_dbus_name(), full, raised.exception)


class Result(unittest.TextTestResult):
    """Prints the sandbox's logs beside what failed."""

    def _logs(self, test):
        for sandbox in getattr(test, "sandboxes", []):
            with contextlib.suppress(OSError):
                self.stream.write(f"\n=== logs of {test}\n{sandbox.logs()}\n")

    def addError(self, test, err):
        super().addError(test, err)
        self._logs(test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._logs(test)


def run():
    """Runs the tests of the calling module and ends the program."""
    become_subreaper()
    end_on_signals()
    try:
        program = unittest.main(module="__main__", exit=False, verbosity=2,
                                testRunner=unittest.TextTestRunner(resultclass=Result, verbosity=2))
        good = program.result.wasSuccessful() and not program.result.skipped and program.result.testsRun > 0
    finally:
        end_descendants()
    sys.exit(0 if good else 1)
