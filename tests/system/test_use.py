# SPDX-License-Identifier: Apache-2.0
"""A citizen signs with a card; who is not at the screen may not; the configuration is read again without losing anything."""
import json
import os
import unittest

import house
from house import HERE, MANAGER, ROOT, call, configure, hosts, objects, prop, sh, wait_until
from people import Command, active, inactive, remote


def new_code():
    result = active("citizen", "eonayctl", "code", "--no-wait", "--json")
    if result.returncode != 0:
        raise AssertionError(result.stderr)
    code = json.loads(result.stdout)["Code"]
    house.codes.append(code)
    return code


class Use(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        house.begin()

    def test_01_signs(self):
        result = active("citizen", "eonayctl", "sign", new_code(), "--yes", "--pin-file=pin", "--output=consent.p7s",
                        "--receipt=receipt.json")
        self.assertEqual(result.returncode, 0, result.stderr + result.stdout)
        verified = sh("openssl", "cms", "-verify", "-cades", "-inform", "DER", "-in", "/home/citizen/consent.p7s", "-CAfile",
                      os.path.join(HERE, "chain.pem"))
        self.assertEqual(verified.returncode, 0, verified.stderr)
        self.assertIn("E-", verified.stdout)
        self.assertEqual(house.card.report()["signatures"], 1)

    def test_02_each_kind_has_its_user(self):
        for kind in ("token", "ca", "reader"):
            running = hosts(kind)
            self.assertTrue(running, kind)
            for unit, pid in running.items():
                self.assertEqual(sh("ps", "-o", "user:20=", "-p", str(pid)).stdout.strip(), f"eonay-{kind}", unit)

    def test_03_not_at_the_screen(self):
        for somehow in (remote, inactive):
            for verb in (("code", "--no-wait"), ("certs",)):
                result = somehow("stranger", "eonayctl", *verb)
                self.assertNotEqual(result.returncode, 0, (somehow.__name__, verb, result.stdout))
                self.assertIn("not allowed", result.stderr)
        self.assertEqual(active("stranger", "eonayctl", "certs").returncode, 0)

    def test_04_reload(self):
        before = prop("eonayd", "MainPID"), set(objects("token")), hosts("token"), hosts("reader")
        holder = Command("citizen", "/usr/bin/python3", os.path.join(HERE, "holder.py"), stdin="go on\n")
        holder.go()
        configure("\n[Limits]\nConsentsPerUser=7\n")
        sh("systemctl", "reload", "eonayd", check=True)
        limits = lambda: call(ROOT, "org.freedesktop.DBus.Properties", "Get", "ss", MANAGER, "Limits")  # noqa: E731
        wait_until(lambda: int(limits()["ConsentsPerUser"]) == 7, "the new limit holds")
        after = prop("eonayd", "MainPID"), set(objects("token")), hosts("token"), hosts("reader")
        self.assertEqual(before, after)
        result = holder.finish()
        self.assertEqual(result.stdout.splitlines()[-1], "reviewing", result.stderr)

    def test_05_limit(self):
        configure("\n[Limits]\nConsentsPerUser=2\n")
        sh("systemctl", "reload", "eonayd", check=True)
        held = [Command("citizen", "/usr/bin/python3", os.path.join(HERE, "holder.py"), stdin="go on\n") for _ in range(3)]
        results = []
        for one in held:
            one.go()
            one.child.stdout.readline() if one is not held[2] else None
        results = [one.finish() for one in reversed(held)]
        self.assertIn("LimitsExceeded", results[0].stderr)
        self.assertEqual([r.returncode for r in results[1:]], [0, 0], [r.stderr for r in results])
        configure()
        sh("systemctl", "reload", "eonayd", check=True)

    def test_06_polkit_is_gone(self):
        """Nothing is allowed, and the doctor says why; once it is back all is as before."""
        sh("systemctl", "mask", "--runtime", "--now", "polkit", check=True)
        try:
            self.assertNotEqual(active("citizen", "eonayctl", "certs").returncode, 0)
            told = json.loads(active("citizen", "eonayctl", "doctor", "--json").stdout)["Faults"]
            self.assertIn("polkit-silent", [fault["Fault"] for fault in told])
            self.assertNotIn("not-authorised", [fault["Fault"] for fault in told])
        finally:
            sh("systemctl", "unmask", "--runtime", "polkit", check=True)
        self.assertEqual(active("citizen", "eonayctl", "certs").returncode, 0)
