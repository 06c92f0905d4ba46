# SPDX-License-Identifier: Apache-2.0
"""An upgrade keeps what there is; a purge takes away what was made."""
import json
import os
import pwd
import unittest

from house import prop, sh
from people import active
from upgrade import NEXT, age_records, next_packages, read, schema

NAMES = ("eonayd", "eonayctl", "eonay-agent", "eonay-portal", "eonay-common", "libeonay-plugin-dev")
USERS = ("eonay", "eonay-token", "eonay-relaxed", "eonay-reader", "eonay-ca", "eonay-fetch", "eonay-portal")
QUIET = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
SETTINGS = "/etc/eonay/eonayd.conf"


def consents():
    return json.loads(active("citizen", "eonayctl", "consents", "--json").stdout)


class Remove(unittest.TestCase):
    def test_1_upgrade(self):
        """To a higher version, whose configuration file has changed as the administrator's has."""
        sh("systemctl", "start", "eonayd", check=True)
        before, version = consents(), schema()
        self.assertTrue(before)
        head = sh("eonayctl", "audit", "head", check=True).stdout.strip()
        pid = prop("eonayd", "MainPID")
        with open(SETTINGS, "a", encoding="utf-8") as file:
            file.write("# mine\n")
        result = sh("apt-get", "install", "--yes", "--option=Dpkg::Options::=--force-confdef",
                    "--option=Dpkg::Options::=--force-confold", *next_packages(), env=QUIET, timeout=120)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertEqual(sh("dpkg-query", "--show", "--showformat=${Version} ${Status}", "eonayd").stdout,
                         f"{NEXT} install ok installed")
        self.assertNotIn(prop("eonayd", "MainPID"), (pid, "0"))
        self.assertEqual((consents(), schema()), (before, version))
        verified = sh("eonayctl", "audit", "verify", f"--head={head}")
        self.assertEqual(verified.returncode, 0, verified.stdout + verified.stderr)
        self.assertIn("# mine", read(SETTINGS))
        self.assertNotIn("next version", read(SETTINGS))
        self.assertIn("next version", read(SETTINGS + ".dpkg-dist"))

    def test_2_old_records(self):
        """Of the first daemons: brought up to date at the start, every consent taken into the audit chain."""
        before, version = consents(), schema()
        sh("systemctl", "stop", "eonayd", check=True)
        age_records()
        self.assertEqual(schema(), 1)
        sh("systemctl", "start", "eonayd", check=True)
        then = [{key: value for key, value in one.items() if not key.startswith("Confirmed")} for one in before]
        now = [{key: value for key, value in one.items() if not key.startswith("Confirmed")} for one in consents()]
        self.assertEqual((now, schema()), (then, version))
        report = json.loads(sh("eonayctl", "audit", "verify", "--json", check=True).stdout)
        self.assertGreaterEqual(report["Entries"], len(before))
        self.assertEqual(report["Consents"], report["Entries"])

    def test_3_purge(self):
        """What we made goes, what an administrator put there stays."""
        mine = {name: read(os.path.join("/etc/eonay", name)) for name in ("anchors.pem", "eonayd.conf.d/test.conf")}
        result = sh("dpkg", "--purge", *NAMES, env=QUIET, timeout=120)
        self.assertEqual(result.returncode, 0, result.stderr)
        for path in ("/var/lib/eonay", "/var/lib/eonay-ca", "/var/lib/eonay-portal", "/run/eonay", "/run/eonay-root",
                     "/usr/libexec/eonayd", SETTINGS, SETTINGS + ".dpkg-dist"):
            self.assertFalse(os.path.exists(path), path)
        self.assertEqual(mine, {name: read(os.path.join("/etc/eonay", name)) for name in mine})
        self.assertEqual([user.pw_name for user in pwd.getpwall() if user.pw_name in USERS], [])
        self.assertEqual(sh("systemctl", "list-units", "--plain", "--no-legend", "eonayd*", "eonay-*.socket").stdout, "")
