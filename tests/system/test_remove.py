# SPDX-License-Identifier: Apache-2.0
"""An upgrade keeps what there is; a purge takes away what was made."""
import json
import os
import pwd
import unittest

from house import objects, packages, prop, sh, wait_until
from people import active

NAMES = ("eonayd", "eonayctl", "eonay-agent", "eonay-portal", "eonay-common", "libeonay-plugin-dev")
USERS = ("eonay", "eonay-token", "eonay-relaxed", "eonay-reader", "eonay-ca", "eonay-fetch")
QUIET = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}


class Remove(unittest.TestCase):
    def test_1_upgrade(self):
        sh("systemctl", "start", "eonayd", check=True)
        before = json.loads(active("citizen", "eonayctl", "consents", "--json").stdout)
        self.assertTrue(before)
        pid = prop("eonayd", "MainPID")
        with open("/etc/eonay/eonayd.conf", "a", encoding="utf-8") as file:
            file.write("# mine\n")
        result = sh("dpkg", "--install", "--force-confdef", *packages(), env=QUIET, timeout=120)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertNotEqual(prop("eonayd", "MainPID"), pid)
        self.assertEqual(json.loads(active("citizen", "eonayctl", "consents", "--json").stdout), before)
        self.assertIn("# mine", open("/etc/eonay/eonayd.conf", encoding="utf-8").read())

    def test_2_purge(self):
        result = sh("dpkg", "--purge", *NAMES, env=QUIET, timeout=120)
        self.assertEqual(result.returncode, 0, result.stderr)
        for path in ("/var/lib/eonay", "/var/lib/eonay-ca", "/run/eonay", "/usr/libexec/eonayd", "/etc/eonay/eonayd.conf"):
            self.assertFalse(os.path.exists(path), path)
        self.assertEqual([user.pw_name for user in pwd.getpwall() if user.pw_name in USERS], [])
        self.assertEqual(sh("systemctl", "list-units", "--plain", "--no-legend", "eonayd*", "eonay-*.socket").stdout, "")
