# SPDX-License-Identifier: Apache-2.0
"""Where a signature through ca-rest leaves nothing: the logs of daemon and hosts at level debug and the log of the portal hold no
code, transaction secret, key, PIN, text, name or identity number, whatever went well or wrong."""
import glob
import hashlib
import os
import re
import secrets

import dbus

from client import Client, options
from portal import Portal
from testing import BusTest, run

NAME = "ŞERİFE IŞIKÖREN"
TCKN = "10000000146"
API_KEY = "makine-" + "4711" * 10


class RestPrivacy(BusTest):
    def setUp(self):
        super().setUp()
        self.box = self.sandbox(log_level="debug")
        self.box.pin = self.box.tokens.pin = "P!" + secrets.token_hex(12)
        self.wrong_pin = "W!" + secrets.token_hex(12)
        self.box.add_token(name=NAME, tckn=TCKN)
        os.mkdir(self.box.file("credentials"), 0o700)
        with open(self.box.file("credentials", "portal-key"), "w", encoding="ascii") as file:
            file.write(API_KEY + "\n")
        self.box.daemon_env["CREDENTIALS_DIRECTORY"] = self.box.file("credentials")
        with open(self.box.file("clients"), "w", encoding="ascii") as file:
            file.write(f"eonayd {hashlib.sha256(API_KEY.encode()).hexdigest()}\n")
        self.portal = Portal(self.box, Clients=self.box.file("clients"), CrlIssuer=self.box.pki.issuing,
                             CrlKey=os.path.join(self.box.pki.folder, "ca-key.pem"))
        self.portal.start()
        self.addCleanup(self.portal.stop)
        self.box.set_section("Backend portal", **self.portal.section(ApiKeyCredential="portal-key", TimeoutMs=4000))
        self.box.start(agent=True)
        self.client = Client(self.box)
        self.certificate = self.client.certificates(usable=True)[0][0]
        self.codes, self.texts = ["999999999999999"], []

    def code(self, **choices):
        self.codes.append(self.portal.code(subject=TCKN, **choices))
        return self.codes[-1]

    def opened(self):
        consent = self.client.open(self.code(), backend="portal")
        self.texts += [content for *_, content in consent.texts()]
        return consent

    def sign(self, consent, pin):
        hashes = dbus.Array([text[2] for text in consent.texts()], signature="s")
        consent.sign(self.certificate, accept_text_sha256=hashes, pin=self.box.pin_pipe(pin))
        return consent.wait()[0]

    def refused(self, code):
        with self.assertRaises(dbus.exceptions.DBusException):
            self.client.open(code, backend="portal")

    def test_nothing_in_the_logs(self):
        consent = self.opened()
        self.assertFalse(self.sign(consent, self.wrong_pin))
        self.assertTrue(self.sign(consent, self.box.pin))
        self.opened().proxy.Cancel(options())
        for code in (self.codes[1], self.codes[0], "1234", self.code(purpose="pin.unblock")):
            self.refused(code)
        self.client.manager.GetApproval("portal", options(subject=TCKN))
        self.client.get_code("portal", subject=TCKN)  # begins a login in the browser that nobody ends
        cut = self.opened()
        self.portal.kill()
        self.assertFalse(self.sign(cut, self.wrong_pin))
        self.refused(self.code_without_portal())
        logs = b"".join(self.content(path) for path in glob.glob(glob.escape(self.box.folder) + "/*.log")
                        if not path.endswith("agent.log"))
        for here in (b"consent recorded by the authority", b"plugin host", b"listening on", b"revocation list 1 is published"):
            self.assertIn(here, logs, "the test looks at the wrong place")
        for what, value in self.forbidden():
            self.assertNotIn(value, logs, what)
        grouped = re.compile(rb"(?<!\d)" + rb"[ -]?".join([rb"\d"] * 15) + rb"(?!\d)")
        found = {match.translate(None, b" -").decode() for match in grouped.findall(logs)}
        self.assertEqual(found & set(self.codes), set())

    def code_without_portal(self):
        self.codes.append("123456789012345")
        return self.codes[-1]

    def forbidden(self):
        yield from ((f"code {number}", code.encode()) for number, code in enumerate(self.codes))
        yield from (("PIN", self.box.pin.encode()), ("wrong PIN", self.wrong_pin.encode()), ("key", API_KEY.encode()),
                    ("identity number", TCKN.encode()), ("name", NAME.encode()), ("surname", NAME.split()[1].encode()))
        for text in self.texts:
            yield from (("text", line) for line in text.split(b"\n") if len(line) >= 20)

    @staticmethod
    def content(path):
        with open(path, "rb") as file:
            return file.read()


if __name__ == "__main__":
    run()
