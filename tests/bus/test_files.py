# SPDX-License-Identifier: Apache-2.0
"""Files of callers: PKCS#12 files whole and damaged, signatures good and bad, and descriptors that are no sealed memfd."""
import fcntl
import json
import os
import re
import socket
import subprocess
import tempfile
import time

import dbus

from test_parts import (OPTIONS, SEALS, DaemonTest, OpenPipe, as_argument, manager_call, memfd, options, pin_pipe, run_for,
                        wait_until)
from testing import run

FILE_MAX = 1 << 20
SIGNATURE_MAX = 8 << 20
PASSPHRASE = "bir parola ğ 1"


def descriptors(folder, content):
    """(what it is, a function that makes it): none of them may be read."""
    path = os.path.join(folder, "a-file")
    with open(path, "wb") as file:
        file.write(content)

    def pipe():
        reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 1 << 20)
        os.write(writer, content[:60000])
        os.close(writer)
        return as_argument(reader)

    def one_socket():
        ours, theirs = socket.socketpair()
        ours.close()
        return as_argument(theirs.detach())

    def write_only():
        descriptor = os.memfd_create("x", os.MFD_ALLOW_SEALING)
        os.write(descriptor, content)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, SEALS)
        other = os.open(f"/proc/self/fd/{descriptor}", os.O_PATH)
        os.close(descriptor)
        return as_argument(other)

    return [("file", lambda: as_argument(os.open(path, os.O_RDONLY))), ("pipe", pipe), ("socket", one_socket),
            ("directory", lambda: as_argument(os.open(folder, os.O_RDONLY))),
            ("memfd without seals", lambda: memfd(content, 0)),
            ("memfd that can be written", lambda: memfd(content, SEALS & ~fcntl.F_SEAL_WRITE & ~fcntl.F_SEAL_SEAL)),
            ("memfd that can grow", lambda: memfd(content, SEALS & ~fcntl.F_SEAL_GROW)),
            ("memfd that can shrink", lambda: memfd(content, SEALS & ~fcntl.F_SEAL_SHRINK)),
            ("path only", write_only), ("null", lambda: as_argument(os.open("/dev/null", os.O_RDWR)))]


class Pkcs12(DaemonTest):
    @classmethod
    def prepare(cls, sandbox):
        sandbox.limits["FilesPerUser"] = 4
        sandbox.add_token()
        credential = sandbox.pki.issue("file", profile="nes", key="p256", password=PASSPHRASE)
        with open(credential.p12, "rb") as file:
            cls.content = file.read()
        with open(credential.certificate_der, "rb") as file:
            cls.certificate_der = file.read()

    def add(self, client=None, content=None, pin=PASSPHRASE.encode(), **values):
        if pin is not None:
            values["pin"] = pin_pipe(pin) if isinstance(pin, bytes) else pin
        argument = memfd(self.content if content is None else content)
        return str((client or self.client).manager.AddFile(argument, options(**values)))

    def certificates_of(self, token, client=None):
        return (client or self.client).certificates(token=dbus.ObjectPath(token))

    def test_signs_like_any_other_token(self):
        token = self.add(label="Dosyam")
        [(path, properties)] = self.certificates_of(token)
        self.assertEqual(bytes(properties["Der"]), self.certificate_der)
        self.assertTrue(properties["Usable"], properties["Reasons"])
        consent = self.open()
        self.sign(consent, b"yanlis", certificate=path)
        self.assert_finished(consent, "PinIncorrect", retriable=True)
        self.sign(consent, PASSPHRASE.encode(), certificate=path)
        success, error, result = consent.wait()
        self.assertTrue(success, (error, result))
        self.assertEqual(consent.receipt()["CertificateFingerprint"], properties["Fingerprint"])

    def test_hides_its_certificates(self):
        """Without the passphrase there is nothing to see, and the answer says what is missing."""
        with self.assertDBusError("PinRequired"):
            self.add(pin=None)
        wait_until(lambda: not self.hosts_of_files(), what="its process gone")

    def test_wrong_passphrases(self):
        for name, pin, error in (("wrong", b"x" * 12, "PinIncorrect"), ("empty", b"", "PinFormat"),
                                 ("NUL", PASSPHRASE.encode()[:4] + b"\0", "PinFormat"), ("4 KiB", b"1" * 4096, "PinFormat")):
            with self.subTest(name), self.assertDBusError(error):
                self.add(pin=pin)
        self.assertEqual(self.all_files(), [])

    def all_files(self, client=None):
        return [path for path, properties in (client or self.client).certificates()
                if bytes(properties["Der"]) == self.certificate_der]

    def test_damaged(self):
        half = len(self.content) // 2
        flipped = bytearray(self.content)
        flipped[half] ^= 0x40
        for name, content in (("empty", b""), ("text", b"Hello, world!\n" * 50), ("zeros", b"\0" * 4096),
                              ("first half", self.content[:half]), ("without the last byte", self.content[:-1]),
                              ("something behind it", self.content + b"x"), ("random", os.urandom(4096)),
                              ("a certificate", self.certificate_der), ("nested", b"\x30\x80" * 5000),
                              ("huge length", b"\x30\x84\xff\xff\xff\xff" + self.content)):
            with self.subTest(name), self.assertDBusError("FileInvalid"):
                self.add(content=content)
        with self.subTest("one bit"), self.assertRaises(dbus.DBusException) as raised:
            self.add(content=bytes(flipped))
        self.assertIn(raised.exception.get_dbus_name().rsplit(".", 1)[1], ("FileInvalid", "PinIncorrect"))
        self.assertEqual(self.all_files(), [])

    def test_too_large(self):
        with self.assertDBusError("FileInvalid"):
            self.add(content=b"\x30" * (FILE_MAX + 1))

    def test_no_sealed_memfd(self):
        for name, make in descriptors(self.shared.folder, self.content):
            with self.subTest(name), self.assertDBusError("DescriptorInvalid"):
                self.client.manager.AddFile(make(), options(pin=pin_pipe(PASSPHRASE.encode())))

    def test_passphrase_is_no_pipe(self):
        with self.assertDBusError("DescriptorInvalid"):
            self.add(pin=memfd(PASSPHRASE.encode()))

    def test_passphrase_never_delivered(self):
        pipe = OpenPipe()
        self.addCleanup(pipe.close)
        call = manager_call(self.client.connection, "AddFile", memfd(self.content), options(pin=pipe.argument))
        self.assertTrue(self.certificate())  # others are answered meanwhile
        with self.assertDBusError("TimedOut"):
            call.wait()

    def test_gone_with_the_caller(self):
        owner = self.new_client()
        signals = []
        self.client.connection.add_signal_receiver(lambda *values: signals.append(values),
                                                   dbus_interface="org.freedesktop.DBus.ObjectManager")
        token = self.add(owner)
        self.assertEqual(len(self.certificates_of(token, owner)), 1)
        self.assertTrue(self.hosts_of_files())
        owner.close()
        wait_until(lambda: not self.all_files(), what="the file gone")
        wait_until(lambda: not self.hosts_of_files(), what="its process gone")
        with self.assertRaises(dbus.DBusException):
            self.property("State", path=token, interface="org.eonay.EOnay1.Token")
        run_for(0.1)
        self.assertEqual(signals, [])  # the object manager's signals go to everybody; a file is nobody else's business

    def hosts_of_files(self):
        """Processes that have a file of AddFile, by the daemon's log."""
        log = self.shared.daemon.log()
        started = set(re.findall(r"plugin host (\d+) started for file-", log))
        return started - set(re.findall(r"plugin host (\d+) \(file-", log))

    def test_caller_leaves_while_the_file_is_read(self):
        for wait in (0, 0.005, 0.02):
            owner = self.new_client()
            manager_call(owner.connection, "AddFile", memfd(self.content), options(pin=pin_pipe(PASSPHRASE.encode())))
            owner.connection.flush()
            time.sleep(wait)
            owner.close()
        wait_until(lambda: not self.hosts_of_files(), what="the processes gone")
        self.assertEqual(self.all_files(), [])

    def test_caller_leaves_with_a_signature_on_its_way(self):
        owner = self.new_client()
        token = self.add(owner)
        path = self.certificates_of(token, owner)[0][0]
        consent = self.open(owner)
        consent_id = consent.details()["ConsentId"]
        pipe = OpenPipe()
        self.sign(consent, pipe.argument, certificate=path)
        wait_until(lambda: "awaiting-pin" in consent.states)
        owner.close()
        self.wait_for_record(consent_id, "cancelled", "Cancelled")
        pipe.close()

    def test_file_of_another_connection_that_leaves(self):
        """The same user may sign with it as long as it is there."""
        owner = self.new_client()
        path = self.certificates_of(self.add(owner), owner)[0][0]
        consent = self.open()
        pipe = OpenPipe()
        self.sign(consent, pipe.argument, certificate=path)
        wait_until(lambda: "awaiting-pin" in consent.states)
        owner.close()
        self.assert_finished(consent, "TokenRemoved", retriable=True)
        pipe.close()
        self.assert_signs(consent, certificate=self.certificate())

    def test_limit(self):
        for _n in range(4):
            self.add()
        with self.assertDBusError("org.freedesktop.DBus.Error.LimitsExceeded"):
            self.add()
        self.client.close()
        self.client = self.new_client()
        wait_until(lambda: not self.all_files())
        self.add()

    def test_no_passphrase_in_the_log(self):
        self.add()
        self.assertNotIn(PASSPHRASE, self.log())


class Signatures(DaemonTest):
    def setUp(self):
        super().setUp()
        consent = self.open()
        self.text = consent.texts()[0][3]
        self.assert_signs(consent)
        self.signature = consent.signature()
        consent.close()

    def verify(self, signature, **values):
        return dict(self.client.manager.VerifySignature(memfd(signature), options(**values)))

    def anchors(self):
        with open(self.shared.pki.root, "rb") as root, open(self.shared.pki.issuing, "rb") as issuing:
            return memfd(root.read() + issuing.read())

    def test_good(self):
        report = self.verify(self.signature)
        self.assertEqual((report["Valid"], report["Indication"], report["FailedCheck"]), (True, "INDETERMINATE", ""))
        report = self.verify(self.signature, content=memfd(self.text), anchors=self.anchors(), level="B-B")
        self.assertEqual((report["Valid"], report["Indication"], report["SubIndication"]), (True, "INDETERMINATE", "TRY_LATER"))
        self.assertEqual((list(report["Failed"]), list(report["Unknown"]), report["Level"]), ([], ["revocation"], "B-B"))
        # The authority's certificate itself is trusted: then nobody above can have revoked the signer but it, and it says so.
        report = self.verify(self.signature, anchors=self.anchors(), crls=memfd(self.revocation_list()))
        self.assertEqual((report["Valid"], report["Indication"], report["SubIndication"]), (True, "TOTAL-PASSED", ""))
        checks = {check["Check"]: check["Outcome"] for check in json.loads(report["Report"])["Checks"]}
        self.assertEqual((checks["revocation"], checks["chain"], checks["qualified"]), ("passed",) * 3)
        self.assertTrue(report["Qualified"])
        self.assertIn("YILMAZ", report["Subject"])

    def revocation_list(self):
        """An empty list of the issuing authority, made by OpenSSL."""
        folder = tempfile.mkdtemp(dir=self.shared.folder)
        for name in ("index", "index.attr"):
            open(os.path.join(folder, name), "w", encoding="ascii").close()
        with open(os.path.join(folder, "ca.cnf"), "w", encoding="ascii") as file:
            file.write("[ca]\ndefault_ca=d\n[d]\ndatabase=%s/index\ndefault_md=sha384\ndefault_crl_days=1\n" % folder)
        issuing = self.shared.pki.issuing
        command = ["openssl", "ca", "-gencrl", "-config", os.path.join(folder, "ca.cnf"), "-cert", issuing,
                   "-keyfile", issuing.replace(".pem", "-key.pem")]
        return subprocess.run(command, check=True, capture_output=True).stdout

    def test_of_something_else(self):
        report = self.verify(self.signature, content=memfd(self.text + b" "))
        self.assertEqual((report["Valid"], report["FailedCheck"], report["SubIndication"]),
                         (False, "content", "HASH_FAILURE"))
        self.assertFalse(self.verify(self.signature, content=memfd(b""))["Valid"])

    def test_by_somebody_who_is_not_trusted(self):
        other = self.shared.pki.issue("self", profile="nes-foreign-root", key="p256")
        with open(other.certificate, "rb") as file:
            report = self.verify(self.signature, anchors=memfd(file.read()))
        self.assertEqual((report["Valid"], report["FailedCheck"], report["Indication"]), (False, "chain", "INDETERMINATE"))

    def test_every_bit_counts(self):
        for place in range(40, len(self.signature), 97):
            changed = bytearray(self.signature)
            changed[place] ^= 1
            with self.subTest(place):
                report = self.verify(bytes(changed), content=memfd(self.text), anchors=self.anchors())
                self.assertNotEqual(report["Indication"], "TOTAL-PASSED")

    def test_rubbish_is_an_answer_and_no_error(self):
        for name, content in (("empty", b""), ("text", b"imza" * 100), ("random", os.urandom(5000)),
                              ("cut", self.signature[:-1]), ("half", self.signature[:len(self.signature) // 2]),
                              ("something behind it", self.signature + b"\0"), ("nested", b"\x30\x80" * 100_000),
                              ("deep sets", b"\x31\x84\x7f\xff\xff\xff" * 1000), ("PEM", b"-----BEGIN CMS-----\n"),
                              ("eight million zeros", b"\0" * SIGNATURE_MAX)):
            with self.subTest(name):
                report = self.verify(content)
                self.assertEqual((report["Valid"], report["Indication"], report["SubIndication"]),
                                 (False, "TOTAL-FAILED", "FORMAT_FAILURE"))

    def test_too_large(self):
        with self.assertDBusError("FileInvalid"):
            self.verify(b"\0" * (SIGNATURE_MAX + 1))
        with self.assertDBusError("FileInvalid"):
            self.verify(self.signature, content=memfd(b"\0" * (SIGNATURE_MAX + 1)))

    def test_anchors_that_are_none(self):
        for content in (b"", b"no certificate", os.urandom(1000), b"\0" * (FILE_MAX + 1)):
            with self.assertDBusError("FileInvalid"):
                self.verify(self.signature, anchors=memfd(content))

    def test_other_levels(self):
        for level in ("b-b", "", "x" * 10000):
            with self.assertDBusError("Unsupported"):
                self.verify(self.signature, level=level)
        report = self.verify(self.signature, level="B-LTA")
        self.assertEqual((report["Valid"], report["Level"], list(report["Failed"])), (False, "B-B", ["level"]))

    def test_moments(self):
        self.assertTrue(self.verify(self.signature, at=dbus.UInt64(time.time() * 1_000_000), anchors=self.anchors())["Valid"])
        for moment in (2_000_000, 4_102_444_800_000_000, 2**63, 2**64 - 1):
            with self.subTest(moment):
                report = self.verify(self.signature, at=dbus.UInt64(moment), anchors=self.anchors())
                self.assertFalse(report["Valid"])

    def test_no_sealed_memfd(self):
        for name, make in descriptors(self.shared.folder, self.signature):
            for key in ("", "content", "anchors"):
                with self.subTest(f"{name} as {key or 'signature'}"), self.assertDBusError("DescriptorInvalid"):
                    if key:
                        self.verify(self.signature, **{key: make()})
                    else:
                        self.client.manager.VerifySignature(make(), OPTIONS)


if __name__ == "__main__":
    run()
