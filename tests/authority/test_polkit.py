#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real polkitd decides: by session, by an administrator's rule, in a dialog, and nothing is allowed when it is gone."""
import system_scene

system_scene.enter()

import signal  # noqa: E402: the namespace comes first
import unittest  # noqa: E402

from gi.repository import Gio, GLib  # noqa: E402

from sandbox import TOKEN_LABEL  # noqa: E402
from system_scene import BUS_NAME, NOTHING, USERS, SystemScene  # noqa: E402
from testing import run  # noqa: E402

DENIED = "org.freedesktop.DBus.Error.AccessDenied"
PASSWORD = "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"
LIST = ("ListCertificates", f"({NOTHING},)")
CODE = ("GetCode", f"('local', {NOTHING})")
OTHERS = ("ListConsents", "({'all-users': <true>},)")
GUARDED = (LIST, CODE, ("OpenConsent", f"('168857414351237', {NOTHING})"), ("Refresh", f"({NOTHING},)"),
           ("SignConsent", f"('168857414351237', objectpath '/', {NOTHING})"),
           ("GetApproval", f"('local', {NOTHING})"), OTHERS)
RULE = """polkit.addRule(function(action, subject) {
    if (action.id == "org.eonay.eonay1.%s" && subject.user == "%s") return polkit.Result.%s;
});
"""


class Polkit(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scene = SystemScene()
        cls.addClassCleanup(cls.scene.stop)
        cls.scene.start()
        cls.desk = cls.scene.session("1", "citizen")
        cls.citizen = cls.scene.person("citizen", cls.desk)
        cls.away = cls.scene.session("2", "idle", active=False)
        cls.idle = cls.scene.person("idle", cls.away)
        cls.remote = cls.scene.person("remote", cls.scene.session("3", "remote", remote=True))

    def allowed(self, person, call):
        return not person.call(*call).startswith("org.")

    def token(self):
        objects = self.citizen.call("GetManagedObjects", "()", interface="org.freedesktop.DBus.ObjectManager")
        return next(path for path in objects.split("'") if "/token/" in path)

    def answer_dialog(self, agent, name):
        """As polkit's helper does once the password was right; returns what the dialog was about."""
        self.scene.iterate(lambda: agent.tell(op="dialogs")["ok"], "the dialog", poll=True)
        dialog = agent.tell(op="dialogs")["ok"][-1]
        identity = GLib.Variant("(sa{sv})", ("unix-user", {"uid": GLib.Variant("u", name)}))
        arguments = GLib.Variant.new_tuple(GLib.Variant("u", agent.uid), GLib.Variant("s", dialog["cookie"]), identity)
        self.scene.connection.call_sync(
            "org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority",
            "org.freedesktop.PolicyKit1.Authority", "AuthenticationAgentResponse2", arguments, None,
            Gio.DBusCallFlags.NONE, 10000, None)
        agent.tell(op="close-dialogs")
        return dialog

    # -- where the person is ------------------------------------------------------------------------------------

    def test_at_the_seat(self):
        self.assertIn("Fingerprint", self.citizen.call(*LIST))
        self.assertTrue(self.allowed(self.citizen, CODE))

    def test_far_from_the_seat(self):
        """A remote session, an inactive one, and no session at all: nothing that polkit guards."""
        nowhere = self.scene.person("neighbour", unit="cron.service")
        for person in (self.remote, self.idle, nowhere):
            for call in GUARDED:
                self.assertEqual(person.call(*call), DENIED, (person.user, call))
        nowhere.leave()

    def test_switching_users(self):
        """Who comes to the seat may, who leaves it may not any more: what was remembered is forgotten."""
        self.assertTrue(self.allowed(self.citizen, LIST))
        self.scene.polkit_changes(lambda: (self.desk.set_active(False), self.away.set_active(True)))
        try:
            self.assertEqual(self.citizen.call(*LIST), DENIED)
            self.assertTrue(self.allowed(self.idle, LIST))
        finally:
            self.scene.polkit_changes(lambda: (self.away.set_active(False), self.desk.set_active(True)))
        self.assertTrue(self.allowed(self.citizen, LIST))
        self.assertEqual(self.idle.call(*LIST), DENIED)

    # -- what the administrator says ----------------------------------------------------------------------------

    def test_an_administrators_rule(self):
        self.assertEqual(self.remote.call(*LIST), DENIED)
        self.scene.rule(RULE % ("list-certificates", "remote", "YES"))
        self.assertTrue(self.allowed(self.remote, LIST))
        self.assertEqual(self.remote.call(*CODE), DENIED)
        self.scene.rule(RULE % ("list-certificates", "citizen", "NO"))
        self.assertEqual(self.remote.call(*LIST), DENIED)
        self.assertEqual(self.citizen.call(*LIST), DENIED)
        self.scene.rule(None)
        self.assertTrue(self.allowed(self.citizen, LIST))

    def test_a_rule_about_one_token(self):
        """Rules see what it is about, and what was allowed for one thing is not allowed for another."""
        self.scene.rule("""polkit.addRule(function(action, subject) {
            if (action.id == "org.eonay.eonay1.manage-token")
                return action.lookup("token") == "another" ? polkit.Result.YES : polkit.Result.NO;
        });""")
        self.addCleanup(self.scene.rule, None)
        answer = self.citizen.call("ChangePin", f"(handle 0, handle 1, {NOTHING})", path=self.token(),
                                   interface=BUS_NAME + ".Token", pipes=["1234", "5678"])
        self.assertEqual(answer, DENIED)

    # -- what is remembered -------------------------------------------------------------------------------------

    def test_a_yes_is_remembered(self):
        """polkit is not asked again: it could not answer. Another connection is not known by it."""
        self.assertTrue(self.allowed(self.citizen, LIST))
        other = self.scene.person("citizen", self.desk)
        self.scene.polkitd.signal(signal.SIGSTOP)
        try:
            self.assertTrue(self.allowed(self.citizen, LIST))
            other.tell(op="begin", destination=BUS_NAME, path="/org/eonay/EOnay1", interface=BUS_NAME + ".Manager",
                       member="ListCertificates", arguments=f"({NOTHING},)")
            self.assertTrue(self.allowed(self.citizen, LIST))
            self.assertEqual(other.heard(), [])
        finally:
            self.scene.polkitd.signal(signal.SIGCONT)
        self.scene.iterate(other.heard, "the answer", poll=True)
        self.assertIn("Fingerprint", other.heard()[0][3])
        other.leave()

    def test_no_polkit_no_permission(self):
        self.assertTrue(self.allowed(self.citizen, LIST))
        self.scene.polkitd.kill()
        self.scene.wait_for_owner("org.freedesktop.PolicyKit1", False)
        try:
            for call in GUARDED:
                self.assertEqual(self.citizen.call(*call), DENIED, call)
            health = self.citizen.call("Get", f"('{BUS_NAME}.Manager', 'Health')", interface="org.freedesktop.DBus.Properties")
            self.assertIn("PolkitSilent", health)
            self.assertIn("polkit does not answer, so nothing is allowed", self.scene.daemon.log())
        finally:
            self.scene.start_polkitd()
        self.assertTrue(self.allowed(self.citizen, LIST))
        health = self.citizen.call("Get", f"('{BUS_NAME}.Manager', 'Health')", interface="org.freedesktop.DBus.Properties")
        self.assertNotIn("PolkitSilent", health)

    # -- dialogs ------------------------------------------------------------------------------------------------

    def test_a_dialog(self):
        """Only where the call allows one; in the person's language, with what it is about; for one call."""
        self.assertEqual(self.citizen.call(*OTHERS), PASSWORD)
        agent = self.scene.person("citizen", self.desk)
        agent.tell(op="dialog", session="1", language="tr_TR.UTF-8")
        self.assertEqual(self.citizen.call(*OTHERS), PASSWORD)
        self.assertEqual(agent.tell(op="dialogs")["ok"], [])
        for _n in range(2):
            before = len(agent.tell(op="dialogs")["ok"])
            self.citizen.tell(op="begin", destination=BUS_NAME, path=self.token(), interface=BUS_NAME + ".Token",
                              member="ChangePin", arguments=f"(handle 0, handle 1, {NOTHING})", interactive=True,
                              pipes=[self.scene.pin, self.scene.pin])
            self.scene.iterate(lambda: len(agent.tell(op="dialogs")["ok"]) > before, "another dialog", poll=True)
            replies = len(self.replies())
            dialog = self.answer_dialog(agent, USERS["citizen"])
            self.scene.iterate(lambda: len(self.replies()) > replies, "the PIN to be changed", poll=True)
            self.assertIn('"ok"', self.replies()[-1])
            self.assertEqual(dialog["values"][0], "org.eonay.eonay1.manage-token")
            self.assertEqual(dialog["values"][1], f"{TOKEN_LABEL} kartının PIN'ini değiştirmek ya da kilidini açmak için "
                                                  "kimlik doğrulaması gerekiyor")
        agent.leave()

    def replies(self):
        return [entry[3] for entry in self.citizen.heard() if entry[0] == "reply"]

    def test_a_dialog_nobody_waits_for(self):
        """It closes when who wanted to sign has left, and nothing was signed."""
        self.scene.rule(RULE % ("sign", "citizen", "AUTH_SELF"))
        self.addCleanup(self.scene.rule, None)
        agent = self.scene.person("citizen", self.desk)
        agent.tell(op="dialog", session="1", language="C")
        agent.tell(op="agent", pin=self.scene.pin)
        self.assertEqual(agent.call("RegisterAgent", f"(objectpath '/agent', {NOTHING})"), "()")
        caller = self.scene.person("citizen", self.desk)
        code = caller.call(*CODE).split("'")[1]
        caller.tell(op="begin", destination=BUS_NAME, path="/org/eonay/EOnay1", interface=BUS_NAME + ".Manager",
                    member="SignConsent", arguments=f"('{code}', objectpath '/', {NOTHING})", interactive=True)
        self.scene.iterate(lambda: agent.tell(op="dialogs")["ok"], "the dialog", poll=True)
        message = agent.tell(op="dialogs")["ok"][0]["values"][1]
        self.assertIn(TOKEN_LABEL, message)
        self.assertNotIn("$(", message)
        caller.leave()
        self.scene.iterate(lambda: agent.tell(op="dialogs")["ok"][-1]["method"] == "CancelAuthentication",
                           "the dialog to close", poll=True)
        self.assertEqual(agent.tell(op="asked")["ok"], [])
        records = agent.call("ListConsents", "({'limit': <uint32 1>},)")
        self.assertIn("'State': <'cancelled'>", records)
        agent.leave()

    def test_refused_in_words(self):
        """SignConsent and Finished carry the refusal's own name."""
        self.scene.rule(RULE % ("sign", "citizen", "NO"))
        self.addCleanup(self.scene.rule, None)
        agent = self.scene.person("citizen", self.desk)
        agent.tell(op="agent", pin=self.scene.pin)
        self.assertEqual(agent.call("RegisterAgent", f"(objectpath '/agent', {NOTHING})"), "()")
        code = self.citizen.call(*CODE).split("'")[1]
        self.assertEqual(self.citizen.call("SignConsent", f"('{code}', objectpath '/', {NOTHING})"), DENIED)
        self.assertEqual(agent.tell(op="asked")["ok"], [])
        agent.leave()


if __name__ == "__main__":
    run()
