# SPDX-License-Identifier: Apache-2.0
"""What an administrator may write into the configuration: each mistake is told with file and line, in the log and in Health,
and keeps neither the daemon nor what is right from working."""
import os
import re

from test_parts import DaemonTest
from testing import BusTest, run

WRONG = """\
# a comment
[Daemon]
Defaultbackend=local
LogLevel=loud
Readers=maybe

[Limits]
ConsentsPerUser=many
CallsPerUser=0
QueueLength=-1
PinDeliveryMs=999999999999999999999999
FilesPerUser= 7
ListDeadlineMs=1e3
NoSuchLimit=1

[Nonsense]
Key=value

[Token bad/name]
Plugin=token-pkcs11

[Token ]
Plugin=token-pkcs11

[Backend İstanbul]
Plugin=ca-local
"""
# (line, word in the sentence)
EXPECTED = [(3, "Defaultbackend"), (4, "LogLevel"), (5, "Readers"), (8, "ConsentsPerUser"), (9, "CallsPerUser"),
            (10, "QueueLength"), (11, "PinDeliveryMs"), (13, "ListDeadlineMs"), (14, "NoSuchLimit"), (16, "Nonsense"),
            (19, "bad/name"), (22, "Token"), (25, "İstanbul")]


def drop_in(sandbox, name, content):
    folder = sandbox.file("eonayd.conf.d")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())
    return path


class Mistakes(DaemonTest):
    @classmethod
    def prepare(cls, sandbox):
        cls.path = drop_in(sandbox, "50-wrong.conf", WRONG)
        cls.broken = drop_in(sandbox, "60-broken.conf", "no section\n=\n[")
        cls.bytes = drop_in(sandbox, "70-bytes.conf", b"[Daemon]\nLogLevel=\xff\xfe\n")
        cls.random = drop_in(sandbox, "71-random.conf", os.urandom(4096))
        drop_in(sandbox, "80-right.conf", "[Limits]\nConsentsPerUser=17\n")
        drop_in(sandbox, ".hidden.conf", "[Daemon]\nHidden=1\n")
        drop_in(sandbox, "other.txt", "[Daemon]\nOther=1\n")
        os.mkdir(os.path.join(sandbox.file("eonayd.conf.d"), "90-folder.conf"))

    def told(self):
        found = [entry for entry in self.property("Health") if entry["part"] == "configuration"]
        for entry in found:
            self.assertEqual(entry["code"], "ConfigurationInvalid")
            self.assertIn("eonayd.conf(5)", entry["hint"])
        return [entry["detail"] for entry in found]

    def test_each_with_file_and_line(self):
        told = self.told()
        log = self.shared.daemon.log()
        for line, word in EXPECTED:
            with self.subTest(f"line {line}"):
                found = [text for text in told if text.startswith(f"{self.path}:{line}: ")]
                self.assertEqual(len(found), 1, told)
                self.assertIn(word, found[0])
                self.assertRegex(log, re.escape(f"{self.path}:{line}: ") + ".*" + re.escape(word))
        for path in (self.broken, self.bytes, self.random, "90-folder.conf"):
            with self.subTest(path):
                self.assertEqual(len([text for text in told if path in text]), 1, told)
        self.assertEqual(len(told), len(EXPECTED) + 4)
        self.assertNotIn("idden", " ".join(told))

    def test_what_is_right_counts(self):
        limits = self.property("Limits")
        self.assertEqual(limits["ConsentsPerUser"], 17)
        self.assertEqual((limits["CallsPerUser"], limits["QueueLength"], limits["PinDeliveryMs"]), (512, 256, 2000))
        self.assert_signs(self.open())

    def test_numbers_with_blanks_around(self):
        self.assertEqual(self.property("Limits")["FilesPerUser"], 7)


class Arguments(BusTest):
    def test_refused_at_the_start(self):
        """With a sentence, and without a crash."""
        sandbox = self.sandbox()
        sandbox.add_token()
        sandbox.start_bus()
        for options in (["--log-level=loud"], ["--no-such-option"], ["surplus"], ["--bus=nonsense"],
                        ["--bus=unix:path=/nowhere/at/all"]):
            with self.subTest(options):
                sandbox.daemon_options = options
                sandbox.start_daemon(wait=False)
                self.assertGreater(sandbox.daemon.wait(60) or 0, 0)
                self.assertTrue(sandbox.daemon.log().strip())

    def test_a_second_daemon(self):
        """The name is taken: the second one ends, the first one goes on."""
        sandbox = self.sandbox()
        sandbox.start()
        first = sandbox.daemon
        sandbox.start_daemon(wait=False)
        self.assertGreater(sandbox.daemon.wait(60) or 0, 0)
        self.assertIn("org.eonay.EOnay1", sandbox.daemon.log())
        sandbox.daemon = first
        self.assertTrue(first.running())
        sandbox.manager().ListCertificates({}, signature="a{sv}")

    def test_no_configuration_at_all(self):
        sandbox = self.sandbox()
        sandbox.add_token()
        sandbox.start_bus()
        sandbox.daemon_options = ["--config=" + sandbox.file("nothing.conf")]
        sandbox.start_daemon()
        self.assertEqual(sandbox.manager().ListCertificates({}, signature="a{sv}"), [])
        with self.assertDBusError("BackendUnknown"):
            sandbox.manager().GetCode("", {}, signature="sa{sv}")


if __name__ == "__main__":
    run()
