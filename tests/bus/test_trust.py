# SPDX-License-Identifier: Apache-2.0
"""The trust store: made in signed versions by eonay-trust, from folders and XML depots; what is damaged, or signed by somebody
else, is trusted by nobody; the daemon takes up what replaces it."""
import base64
import os
import subprocess

import dbus

from bus import BUS_NAME
from processes import ProcessError, run_tool
from sandbox import MANAGER, ROOT_PATH
from test_levels import LevelTest
from testing import run


class Store(LevelTest):
    """The sandbox's services have made a store with the root in it, version 1."""

    def prepare(self):
        self.folder = self.services.path("trust")
        self.private, self.public = self.services.path("trust.key"), self.services.path("trust.pub")

    def trust(self, command, *arguments, public=None, **_):
        return run_tool([self.shared.programs.trust, command, "--store", self.folder, "--key", self.private, "--public",
                         public or self.public, *arguments]).decode()

    def refused(self, says, command, *arguments, **more):
        with self.assertRaises(ProcessError) as raised:
            self.trust(command, *arguments, **more)
        self.assertIn(says, str(raised.exception))

    def listed(self):
        """{fingerprint: kind}"""
        lines = [line.split() for line in self.trust("list").splitlines()]
        return {words[1]: words[0] for words in lines if words[0] in ("anchor", "other")}

    def file(self, name, content):
        path = self.shared.file(name)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def der(self, pem):
        return run_tool(["openssl", "x509", "-in", pem, "-outform", "DER"])

    def current(self):
        return os.readlink(os.path.join(self.folder, "current"))

    def health(self):
        manager = self.client.connection.get_object(BUS_NAME, ROOT_PATH, introspect=False)
        return [str(entry["part"]) for entry in manager.Get(MANAGER, "Health", dbus_interface=dbus.PROPERTIES_IFACE)]

    def depot(self, *certificates, before=""):
        entries = "".join("<koksertifika><mNo>1</mNo><mValue>\n" + base64.encodebytes(self.der(pem)).decode() +
                          "</mValue></koksertifika>" for pem in certificates)
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{before}<depo><liste>{entries}</liste></depo>'.encode()

    def test_versions(self):
        pki = self.services.pki
        self.assertEqual(list(self.listed().values()), ["anchor"])
        with self.subTest("a folder, as help"):
            os.mkdir(self.shared.file("folder"))
            self.file("folder/one.der", self.der(pki.issuing))
            self.trust("import", "--intermediates", self.shared.file("folder"))
            self.assertEqual(sorted(self.listed().values()), ["anchor", "other"])
            self.assertEqual(self.current(), "000002.store")
        with self.subTest("an XML depot"):
            self.trust("import", self.file("depot.xml", self.depot(self.services.responder.certificate, pki.root)))
            self.assertEqual(sorted(self.listed().values()), ["anchor", "anchor", "other"])
        with self.subTest("one left out"):
            fingerprint = next(iter(self.listed()))
            self.trust("remove", fingerprint)
            self.assertNotIn(fingerprint, self.listed())
            self.refused("no such certificate", "remove", fingerprint)
        with self.subTest("back"):
            self.trust("rollback", "2")
            self.assertEqual(self.current(), "000002.store")
            self.assertEqual(sorted(self.listed().values()), ["anchor", "other"])
            self.trust("rollback")
            self.assertEqual(self.current(), "000001.store")
            self.refused("no earlier version", "rollback")
        with self.subTest("what comes next has a number of its own"):
            self.trust("import", pki.issuing)
            self.assertEqual(self.current(), "000005.store")

    def test_files_that_are_no_certificates(self):
        entity = '<!DOCTYPE depo [<!ENTITY x SYSTEM "file:///etc/hostname">]>\n'
        for name, content, says in (("text.pem", b"hello", "no certificate"), ("broken.xml", b"<depo>", "not well-formed"),
                                    ("empty.xml", b"<depo/>", "no certificate"),
                                    ("type.xml", self.depot(self.services.pki.root, before=entity), "document type"),
                                    ("value.xml", b"<d><koksertifika><mValue>AAAA</mValue></koksertifika></d>",
                                     "cannot be read")):
            with self.subTest(name):
                self.refused(says, "import", self.file(name, content))
        self.assertEqual(self.current(), "000001.store")

    def test_damage_and_strangers(self):
        path = os.path.join(self.folder, "000001.store")
        with open(path, "rb") as file:
            good = file.read()
        for at in (3, len(good) // 2, len(good) - 1):
            damaged = bytearray(good)
            damaged[at] ^= 1
            with open(path, "wb") as file:
                file.write(damaged)
            self.refused("trust store", "list")
            self.refused("trust store", "import", self.services.pki.issuing)
        with open(path, "wb") as file:
            file.write(good)
        other = self.shared.file("new", "folder", "other.pub")
        run_tool([self.shared.programs.trust, "init", "--key", self.shared.file("other.key"), "--public", other])
        self.refused("signature is wrong", "list", public=other)
        self.assertEqual(os.stat(self.shared.file("other.key")).st_mode & 0o777, 0o600)
        for key, public in ((self.private, self.shared.file("third.pub")), (self.shared.file("third.key"), other)):
            with self.assertRaisesRegex(ProcessError, "existing files"):
                run_tool([self.shared.programs.trust, "init", "--key", key, "--public", public])
        self.assertEqual([name for name in os.listdir(self.shared.folder) if name.startswith("third")], [])

    def test_the_daemon_takes_up_what_replaces_it(self):
        self.signed("B-T")
        foreign = self.services.pki.issue("foreign", profile="ca", key="p256")
        root = next(iter(self.listed()))
        self.trust("import", foreign.certificate)
        self.trust("remove", root)
        (success, error, _result), _consent = self.sign("B-T")
        self.assertEqual((success, error), (False, "CertificateNotSuitable"))
        self.trust("rollback", "1")
        self.signed("B-T")
        with open(os.path.join(self.folder, "000009.store"), "wb") as file:
            file.write(b"no store")
        subprocess.run(["ln", "-sfn", "000009.store", os.path.join(self.folder, "current")], check=True)
        self.signed("B-T")  # the good one stays in force
        self.assertIn("trust", self.health())


if __name__ == "__main__":
    run()
