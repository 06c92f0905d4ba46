# SPDX-License-Identifier: Apache-2.0
"""apt has installed the packages: the daemon runs, starts when it is called, and reloads."""
import os
import pwd
import statistics
import time
import unittest

from house import MANAGER, ROOT, prop, sh, version, wait_until
from people import active, add_user


class Installed(unittest.TestCase):
    def test_01_runs(self):
        self.assertEqual(sh("systemctl", "is-active", "eonayd").stdout.strip(), "active")
        self.assertEqual(sh("systemctl", "is-enabled", "eonayd").stdout.strip(), "enabled")
        self.assertEqual(sh("systemctl", "--failed", "--plain", "--no-legend").stdout, "")
        self.assertIn("eonayd", sh("eonayctl", "status").stdout)

    def test_02_users_of_their_own(self):
        for name in ("eonay", "eonay-token", "eonay-relaxed", "eonay-reader", "eonay-ca", "eonay-fetch"):
            self.assertIn("nologin", pwd.getpwnam(name).pw_shell)
        self.assertEqual(oct(os.stat("/var/lib/eonay").st_mode & 0o7777), "0o700")
        for kind in ("token", "token-relaxed", "ca", "fetch", "reader"):
            found = os.stat(f"/run/eonay/{kind}.sock")
            self.assertEqual((pwd.getpwuid(found.st_uid).pw_name, oct(found.st_mode & 0o777)), ("eonay", "0o600"))

    def test_03_verified_units(self):
        result = sh("systemd-analyze", "verify", "eonayd.service", "eonay-token.socket", "eonay-ca.socket")
        self.assertNotIn("eonay", result.stdout + result.stderr)

    def test_04_activation(self):
        add_user("citizen")
        add_user("stranger")
        took, ready = [], []
        for _ in range(5):
            sh("systemctl", "stop", "eonayd", check=True)
            begin = time.monotonic()
            version()
            took.append((time.monotonic() - begin) * 1000)
            wait_until(lambda: prop("eonayd", "ActiveState") == "active", "the daemon is ready")
            ready.append((int(prop("eonayd", "ActiveEnterTimestampMonotonic"))
                          - int(prop("eonayd", "ExecMainStartTimestampMonotonic"))) / 1000)
        print(f"first call to a stopped daemon answered after {statistics.median(took):.1f} ms ({min(took):.1f} to {max(took):.1f}); "
              f"ready after exec {statistics.median(ready):.1f} ms ({min(ready):.1f} to {max(ready):.1f})")
        self.assertLess(statistics.median(took), 2000)

    def test_05_activation_by_a_user(self):
        sh("systemctl", "stop", "eonayd", check=True)
        result = active("citizen", "busctl", "get-property", "org.eonay.EOnay1", ROOT, MANAGER, "Version")
        self.assertEqual(result.stdout.strip(), f's "{version()}"', result.stderr)

    def test_05_looked_at_by_a_user(self):
        """What an administrator's manual tells anybody to type."""
        shown = active("citizen", "busctl", "--no-pager", "introspect", "org.eonay.EOnay1", ROOT)
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertIn("ListCertificates", shown.stdout)
        status = active("citizen", "systemctl", "--no-pager", "status", "eonayd")
        self.assertEqual(status.returncode, 0, status.stderr)
        self.assertIn("active (running)", status.stdout)

    def test_06_watchdog_and_notices(self):
        sh("systemctl", "start", "eonayd", check=True)
        self.assertEqual((prop("eonayd", "Type"), prop("eonayd", "WatchdogUSec")), ("notify", "1min"))
        self.assertNotEqual(prop("eonayd", "WatchdogTimestampMonotonic"), "0")
