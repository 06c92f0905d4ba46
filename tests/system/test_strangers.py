# SPDX-License-Identifier: Apache-2.0
"""Another user calls every member of every object, the citizen's consent included, from the screen and from elsewhere, and learns
nothing."""
import json
import os
import unittest

from house import HERE, secrets
from people import Command, active, remote

# What anybody may call: it tells of the service and of hardware, or of the caller alone (List: of the audit, his own records).
OPEN = {"Introspect", "GetManagedObjects", "RegisterAgent", "UnregisterAgent", "ListConsents", "HasAgent", "List"}
# What whoever is at the screen, with the card in the reader before him, may ask of the card.
CARDS = {"ListCertificates", "Describe"}


class Strangers(unittest.TestCase):
    def learned(self, somehow, held):
        result = somehow("stranger", "/usr/bin/python3", os.path.join(HERE, "calls.py"), held["path"])
        lines = [json.loads(line) for line in result.stdout.splitlines()]
        self.assertGreater(len(lines), 20, result.stderr)
        private = [held["code"], held["text"][:40], *secrets()]
        for path, member, outcome, answer in lines:
            for secret in private:
                if outcome != "ok" or member.split(".")[-1] not in CARDS or somehow is remote:
                    self.assertNotIn(secret, answer, (path, member))
            if path == held["path"]:
                self.assertNotEqual(outcome, "ok" if member != "Introspect" else "", (path, member, answer))
        return lines

    def test_every_member(self):
        holder = Command("citizen", "/usr/bin/python3", os.path.join(HERE, "holder.py"), stdin="go on\n")
        holder.go()
        held = json.loads(holder.child.stdout.readline())
        at_screen = self.learned(active, held)
        elsewhere = self.learned(remote, held)
        for path, member, outcome, answer in elsewhere:
            if not member.endswith("(properties)") and member.split(".")[-1] not in OPEN:
                self.assertNotEqual(outcome, "ok", (path, member, answer))
        print(f"a stranger called {len(at_screen)} members at the screen and {len(elsewhere)} from elsewhere")
        self.assertEqual(holder.finish().stdout.splitlines()[-1], "reviewing")
