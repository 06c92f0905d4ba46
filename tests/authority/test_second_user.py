#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A second user, at the same seat and allowed everything polkit allows a person there, tries every member of every object: of
those introspection shows him, and of those he could only have guessed. So does another connection of the same user. No
answer tells the consent of the first apart from one that never was, and nothing of it reaches them."""
import system_scene

system_scene.enter()

import glob  # noqa: E402: the namespace comes first
import os  # noqa: E402
import re  # noqa: E402
import unittest  # noqa: E402

from gi.repository import Gio  # noqa: E402

from system_scene import BUS_NAME, DAEMON_UID, NOTHING, ROOT_PATH, SOURCE, SystemScene  # noqa: E402
from testing import run  # noqa: E402

CONSENT = BUS_NAME + ".Consent"
GUESSED_ID = "0123456789abcdef0123456789abcdef"
UNKNOWN = {"org.freedesktop.DBus.Error.UnknownObject", "org.freedesktop.DBus.Error.UnknownMethod"}
STANDARD = """<node>
  <interface name="org.freedesktop.DBus.Properties">
    <method name="GetAll"><arg type="s" direction="in"/></method>
    <method name="Get"><arg type="s" direction="in"/><arg type="s" direction="in"/></method>
    <method name="Set"><arg type="s" direction="in"/><arg type="s" direction="in"/><arg type="v" direction="in"/></method>
  </interface>
  <interface name="org.freedesktop.DBus.Introspectable"><method name="Introspect"/></interface>
  <interface name="org.freedesktop.DBus.ObjectManager"><method name="GetManagedObjects"/></interface>
</node>"""
MINE = ("ListConsents", "ExportEvidence", "List", "Erase")  # records are seen by their own uid


def contract():
    """(interface, method, signatures of its arguments) of everything the daemon serves."""
    texts = [STANDARD]
    for path in sorted(glob.glob(os.path.join(SOURCE, "dbus/*.xml"))):
        if not path.endswith("Agent.xml"):
            with open(path, encoding="utf-8") as file:
                texts.append(file.read())
    for text in texts:
        for interface in Gio.DBusNodeInfo.new_for_xml(text).interfaces:
            for method in interface.methods:
                yield interface.name, method.name, [arg.signature for arg in method.in_args]


class SecondUser(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scene = SystemScene()
        cls.addClassCleanup(cls.scene.stop)
        cls.scene.start()
        desk, seat = cls.scene.session("1", "citizen"), cls.scene.session("2", "neighbour")
        cls.citizen = cls.scene.person("citizen", desk)
        cls.again = cls.scene.person("citizen", desk)
        cls.neighbour = cls.scene.person("neighbour", seat)
        cls.citizen.tell(op="agent", pin=cls.scene.pin)
        cls.citizen.call("RegisterAgent", f"(objectpath '/agent', {NOTHING})")
        cls.signed = cls.sign(cls.citizen)
        cls.code, cls.consent = cls.open(cls.citizen)

    @staticmethod
    def open(person):
        code = person.call("GetCode", f"('local', {NOTHING})").split("'")[1]
        return code, person.call("OpenConsent", f"('{code}', {NOTHING})").split("'")[1]

    @staticmethod
    def sign(person):
        code = person.call("GetCode", f"('local', {NOTHING})").split("'")[1]
        receipt = person.call("SignConsent", f"('{code}', objectpath '/', {NOTHING})")
        return code, re.search(r"'ConsentId': <'(\w+)'>", receipt)[1], re.search(r"'ReceiptId': <'([^']+)'>", receipt)[1]

    def secrets(self):
        return [self.code, self.consent.rsplit("/", 1)[1], *self.signed]

    @staticmethod
    def value(signature, path):
        """Something of that type that a curious person would try. Strings name the consent."""
        known = {"s": f"'{path.rsplit('/', 1)[1]}'", "o": f"objectpath '{path}'", "a{sv}": NOTHING, "h": "handle 0",
                 "v": "<'x'>", "u": "uint32 0", "t": "uint64 0", "b": "true", "as": "@as []", "ay": "b''"}
        return known[signature]

    def attempt(self, person, path, about, interface, method, signatures):
        """What the daemon says, with the name that was tried taken out."""
        values = [self.value(signature, about) for signature in signatures]
        pipes = ["x"] * signatures.count("h")
        for n in range(len(pipes)):
            values[[i for i, s in enumerate(signatures) if s == "h"][n]] = f"handle {n}"
        arguments = f"({values[0]},)" if len(values) == 1 else f"({', '.join(values)})"
        answer = person.tell(op="call", destination=BUS_NAME, path=path, interface=interface, member=method,
                             arguments=arguments, pipes=pipes)
        text = f"{answer.get('error', '')} {answer.get('message', '')} {answer.get('ok', '')}"
        return text.replace(about, "PATH").replace(about.rsplit("/", 1)[1], "ID")

    def objects_seen_by(self, person):
        found, todo = [], ["/"]
        while todo:
            path = todo.pop()
            answer = person.call("Introspect", path=path, interface="org.freedesktop.DBus.Introspectable")
            if answer.startswith("org."):
                continue
            node = Gio.DBusNodeInfo.new_for_xml(answer[2:-3].encode().decode("unicode_escape"))
            found.append(path)
            todo += [path.rstrip("/") + "/" + child.path for child in node.nodes]
        return found

    def check_nothing_told(self, person, own_uid):
        objects = self.objects_seen_by(person)
        self.assertIn(ROOT_PATH, objects)
        self.assertTrue([path for path in objects if "/certificate/" in path], objects)
        guess = f"{ROOT_PATH}/consent/{GUESSED_ID}"
        tried = 0
        for interface, method, signatures in contract():
            if own_uid and method in MINE:
                continue
            for path in [self.consent, *objects]:
                there = path.replace(self.consent, guess)
                real = self.attempt(person, path, self.consent, interface, method, signatures)
                never = self.attempt(person, there, guess, interface, method, signatures)
                self.assertEqual(real, never, (path, interface, method))
                for secret in self.secrets():
                    self.assertNotIn(secret, real, (path, interface, method))
                tried += 1
        self.assertGreater(tried, 100)
        for secret in self.secrets():
            self.assertNotIn(secret, str(objects))
            self.assertNotIn(secret, str(person.heard()))
        self.assertFalse([signal for signal in person.heard() if "consent" in signal[0] or signal[1] == CONSENT])

    def check_still_whole(self):
        details = self.citizen.call("GetDetails", f"({NOTHING},)", path=self.consent, interface=CONSENT)
        self.assertIn("'State': <'reviewing'>", details)

    def test_another_user(self):
        self.check_nothing_told(self.neighbour, False)
        self.check_still_whole()

    def test_another_connection(self):
        self.check_nothing_told(self.again, True)
        self.check_still_whole()

    def test_records_of_others(self):
        """Not listed, not exported, and one that exists is refused in the words for one that does not."""
        for arguments in ("{}", f"{{'consent-id': <'{self.signed[1]}'>}}", "{'limit': <uint32 5>}"):
            self.assertEqual(self.neighbour.call("ListConsents", f"(@a{{sv}} {arguments},)"), "([],)")
        for identity in (self.signed[1], GUESSED_ID):
            self.assertEqual(self.neighbour.call("ExportEvidence", f"('{identity}', {NOTHING})"), BUS_NAME + ".Error.NotFound")
            self.assertEqual(self.neighbour.call("ExportEvidence", f"('{identity}', {{'all-users': <true>}})"),
                             "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired")

    def test_the_bus_itself(self):
        """Neither listening to all, nor calling the agent, nor being the daemon."""
        bus = {"destination": "org.freedesktop.DBus", "path": "/org/freedesktop/DBus"}
        denied = "org.freedesktop.DBus.Error.AccessDenied"
        self.assertEqual(self.neighbour.call("BecomeMonitor", "(@as [], uint32 0)",
                                             interface="org.freedesktop.DBus.Monitoring", **bus), denied)
        self.assertEqual(self.neighbour.call("RequestName", f"('{BUS_NAME}', uint32 7)", interface="org.freedesktop.DBus",
                                             **bus), denied)
        for member, arguments in (("ConfirmText", f"(objectpath '/x', @a(sssay) [], {NOTHING})"),
                                  ("RequestPin", f"(objectpath '/x', {NOTHING})")):
            for person in (self.neighbour, self.again):
                self.assertEqual(person.call(member, arguments, path="/agent", interface=BUS_NAME + ".Agent",
                                             destination=self.citizen.name), denied)

    def test_agents_of_others(self):
        """One's texts and PIN prompts go to one's own agent, whoever else has registered one."""
        self.neighbour.tell(op="agent", pin="000000")
        self.assertEqual(self.neighbour.call("RegisterAgent", f"(objectpath '/agent', {NOTHING})"), "()")
        before = len(self.citizen.tell(op="asked")["ok"])
        self.sign(self.citizen)
        self.assertEqual(self.neighbour.tell(op="asked")["ok"], [])
        self.assertGreater(len(self.citizen.tell(op="asked")["ok"]), before)
        self.assertEqual(self.neighbour.call("UnregisterAgent", f"(objectpath '/agent', {NOTHING})"), "()")
        self.assertEqual(self.neighbour.call("UnregisterAgent", f"(objectpath '/agent', {NOTHING})"),
                         BUS_NAME + ".Error.NotFound")
        self.assertEqual(self.neighbour.call("HasAgent", f"({NOTHING},)"), "(false,)")
        self.assertEqual(self.citizen.call("HasAgent", f"({NOTHING},)"), "(true,)")

    def test_whose_approval(self):
        """Of the person whose card one has signed with; of anybody else only with view-others, whether there is an approval
        or not."""
        self.assertIn("'Approved': <true>", self.citizen.call("GetApproval", f"('local', {NOTHING})"))
        on_the_card = self.citizen.call("GetApproval", "('local', {'subject': <'10000000146'>})")
        self.assertIn("'Approved': <true>", on_the_card)
        self.assertEqual(self.neighbour.call("GetApproval", f"('local', {NOTHING})"), BUS_NAME + ".Error.NoCertificate")
        for number in ("10000000146", "11111111110"):
            self.assertEqual(self.neighbour.call("GetApproval", f"('local', {{'subject': <'{number}'>}})"),
                             "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", number)

    def test_logs(self):
        """Of everybody concerned, polkitd and bus included, at level debug."""
        self.check_still_whole()
        self.assertEqual(self.neighbour.call("ListConsents", "({'all-users': <true>},)"),
                         "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired")
        logs = self.scene.logs()
        self.assertIn("org.eonay.eonay1.view-others", logs)
        for secret in (self.code, self.signed[0], self.scene.pin, "10000000146"):
            self.assertNotIn(secret, logs)

    def test_the_state_folder(self):
        for name in ("state", "state/journal.sqlite"):
            status = os.stat(self.scene.file(name))
            self.assertEqual((status.st_uid, status.st_mode & 0o077), (DAEMON_UID, 0), name)


if __name__ == "__main__":
    run()
