#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which agent is asked: one of the caller's login session, the packaged one before others; and nobody waits for one that is
not there."""
import system_scene

system_scene.enter()

import unittest  # noqa: E402: the namespace comes first

from system_scene import BUS_NAME, NOTHING, SystemScene  # noqa: E402
from testing import run  # noqa: E402

NO_AGENT = BUS_NAME + ".Error.NoAgent"
PACKAGED = "eonay-agent.service"
# the citizen may sign from anywhere: what is tested here is not polkit
RULE = "polkit.addRule(function(action, subject) { return polkit.Result.YES; });"


class Agents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scene = SystemScene()
        cls.addClassCleanup(cls.scene.stop)
        cls.scene.start()
        cls.scene.rule(RULE)

    def setUp(self):
        self.desk = self.scene.session("1", "citizen")
        self.far = self.scene.session("7", "citizen", remote=True, display=False)
        self.people = []

    def tearDown(self):
        for person in self.people:
            person.leave()
            self.scene.people.remove(person)

    def person(self, *where, **more):
        self.people.append(self.scene.person("citizen", *where, **more))
        return self.people[-1]

    def agent(self, *where, **more):
        person = self.person(*where, **more)
        person.tell(op="agent", pin=self.scene.pin)
        self.assertEqual(person.call("RegisterAgent", f"(objectpath '/agent', {NOTHING})"), "()")
        return person

    def sign(self, person):
        code = person.call("GetCode", f"('local', {NOTHING})").split("'")[1]
        return person.call("SignConsent", f"('{code}', objectpath '/', {NOTHING})")

    def asked(self, person):
        return len(person.tell(op="asked")["ok"])

    def test_the_session_counts(self):
        """A program over ssh does not open a window on the desktop of the same user, and the other way round."""
        window = self.agent(unit="another-agent.service")  # of the display session, as all that the manager runs
        caller, far = self.person(self.desk), self.person(self.far)
        self.assertIn("ReceiptId", self.sign(caller))
        self.assertIn("ReceiptId", self.sign(self.person(unit="app-terminal.scope")))
        asked = self.asked(window)
        self.assertEqual(self.sign(far), NO_AGENT)
        self.assertEqual(far.call("HasAgent", f"({NOTHING},)"), "(false,)")
        terminal = self.agent(self.far)
        self.assertIn("ReceiptId", self.sign(far))
        self.assertEqual((self.asked(window), self.asked(terminal) > 0), (asked, True))

    def test_the_packaged_one_before_others(self):
        first = self.agent(unit="another-agent.service")
        packaged = self.agent(unit=PACKAGED)
        last = self.agent(self.desk)
        self.assertIn("ReceiptId", self.sign(self.person(self.desk)))
        self.assertEqual([self.asked(agent) for agent in (first, packaged, last)], [0, 2, 0])
        self.assertIn("ReceiptId", self.sign(last))
        self.assertEqual([self.asked(agent) for agent in (first, packaged, last)], [0, 2, 2])  # one's own before all
        packaged.leave()
        self.assertIn("ReceiptId", self.sign(self.person(self.desk)))
        self.assertEqual([self.asked(agent) for agent in (first, last)], [0, 4])

    def test_the_name_alone_is_nothing(self):
        """A group of that name outside of the user's service manager, or of another uid's."""
        for group in ("/system.slice/eonay-agent.service", "/user.slice/user-64112.slice/user@64112.service/eonay-agent.service",
                      "/user.slice/user-64111.slice/user@64111.service/app.slice/eonay-agent.service.scope"):
            forged = self.person(group=group)
            forged.tell(op="agent", pin=self.scene.pin)
            forged.call("RegisterAgent", f"(objectpath '/agent', {NOTHING})")
        other = self.agent(self.desk)
        self.assertIn("ReceiptId", self.sign(self.person(self.desk)))
        self.assertEqual(self.asked(other), 2)

    def test_no_agent_at_once(self):
        """In the caller's session there is none: told before the code is spent, with what to do."""
        caller = self.person(self.desk)
        code = caller.call("GetCode", f"('local', {NOTHING})").split("'")[1]
        arguments = f"('{code}', objectpath '/', {NOTHING})"
        self.assertEqual(caller.call("SignConsent", arguments), NO_AGENT)
        self.assertIn("eonayctl agent", caller.message("SignConsent", arguments))
        self.agent(self.desk)
        self.assertIn("ReceiptId", caller.call("SignConsent", arguments))

    def test_a_new_display_session(self):
        """The user logs out and in again while the agent stays (as one that lingers does): it serves the new session."""
        window = self.agent(unit=PACKAGED)
        self.assertEqual(self.person(self.desk).call("HasAgent", f"({NOTHING},)"), "(true,)")
        self.desk.display = False
        self.desk.write()
        fresh = self.scene.session("9", "citizen")
        self.scene.systemd.announce("SessionRemoved", self.desk)
        self.scene.systemd.announce("SessionNew", fresh)
        caller = self.person(fresh)
        self.scene.iterate(lambda: caller.call("HasAgent", f"({NOTHING},)") == "(true,)", "the agent to move", poll=True)
        self.assertIn("ReceiptId", self.sign(caller))
        self.assertEqual(self.asked(window), 2)


if __name__ == "__main__":
    run()
