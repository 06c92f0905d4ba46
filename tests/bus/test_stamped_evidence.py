# SPDX-License-Identifier: Apache-2.0
"""ASiC-E: everything that is kept of a consent under a time stamp of openssl's own authority, looked at by Python's zip and XML
and by openssl; and whatever is changed in it is refused by eonayctl with the reason."""
import base64
import hashlib
import io
import json
import os
import subprocess
import zipfile
from xml.etree import ElementTree

import dbus

from bus import BUS_NAME
from client import OPTIONS, read_memfd
from test_levels import LevelTest
from test_parts import fake_ca
from testing import run

ASIC = "{http://uri.etsi.org/02918/v1.2.1#}"
DSIG = "{http://www.w3.org/2000/09/xmldsig#}"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
MANIFEST, TOKEN = "META-INF/ASiCManifest001.xml", "META-INF/timestamp001.tst"
MIMETYPE = b"application/vnd.etsi.asic-e+zip"
KEPT = ["consent.txt", "consent.p7s", "receipt.json", "record.json"]
STAMPS_IN_A_ROW = 10
ROOT, AUDIT = "/org/eonay/EOnay1", BUS_NAME + ".Audit"


class StampedTest(LevelTest):
    LEVEL = "B-LT"

    def ctl(self, *arguments, status=0):
        result = subprocess.run([self.shared.programs.ctl, "--json", *arguments], env=self.shared.environment(), text=True,
                                capture_output=True, check=False, timeout=120, stdin=subprocess.DEVNULL)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        return result

    def finished(self, level):
        consent = self.open(level)
        consent.sign(self.certificate())
        success, error, result = consent.wait()
        self.assertTrue(success, (error, result))
        return str(consent.receipt()["ConsentId"])

    def stamp(self, consent, digest):
        return read_memfd(self.client.manager.StampEvidence(consent, dbus.ByteArray(digest), OPTIONS))


class Stamped(StampedTest):
    def exported(self, identity):
        path = self.shared.file("all.asice")
        self.ctl("export", identity, "-o", path)
        return path

    def test_all_that_is_kept_is_under_the_stamp(self):
        identity = self.finished(self.LEVEL)
        path = self.exported(identity)
        with zipfile.ZipFile(path) as archive:
            self.assertIsNone(archive.testzip())
            first = archive.infolist()[0]
            self.assertEqual((first.filename, first.compress_type, first.extra, archive.read(first)),
                             ("mimetype", zipfile.ZIP_STORED, b"", MIMETYPE))
            files = {name: archive.read(name) for name in archive.namelist()}
        self.assertEqual(sorted(files), sorted(["mimetype", MANIFEST, TOKEN, *KEPT]))
        self.manifest_is_right(files)
        self.openssl_agrees(files)
        self.records_are_right(identity, files)
        self.container_verifies(path)
        self.imported_again(identity, path)
        self.changed_ones_are_refused(files)

    def manifest_is_right(self, files):
        root = ElementTree.fromstring(files[MANIFEST])
        self.assertEqual(root.tag, ASIC + "ASiCManifest")
        self.assertEqual([child.tag for child in root], [ASIC + "SigReference"] + [ASIC + "DataObjectReference"] * len(KEPT))
        self.assertEqual(root[0].attrib, {"URI": TOKEN, "MimeType": "application/vnd.etsi.timestamp-token"})
        for child in root[1:]:
            self.assertEqual(child.find(DSIG + "DigestMethod").attrib, {"Algorithm": SHA256})
            self.assertEqual(base64.b64decode(child.find(DSIG + "DigestValue").text),
                             hashlib.sha256(files[child.attrib["URI"]]).digest())
        self.assertEqual([child.attrib["URI"] for child in root[1:]], KEPT)

    def openssl_agrees(self, files):
        for name in (MANIFEST, TOKEN, "consent.p7s"):
            with open(self.shared.file(os.path.basename(name)), "wb") as file:
                file.write(files[name])
        pki = self.services.pki
        stamped = subprocess.run(["openssl", "ts", "-verify", "-data", self.shared.file(os.path.basename(MANIFEST)), "-in",
                                  self.shared.file(os.path.basename(TOKEN)), "-token_in", "-CAfile", pki.root, "-untrusted",
                                  pki.issuing], capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(stamped.returncode, 0, stamped.stderr)
        signed = subprocess.run(["openssl", "cms", "-verify", "-binary", "-noverify", "-inform", "DER", "-in",
                                 self.shared.file("consent.p7s")], capture_output=True, check=True, timeout=60)
        self.assertEqual(signed.stdout, files["consent.txt"])

    def records_are_right(self, identity, files):
        record, receipt = json.loads(files["record.json"]), json.loads(files["receipt.json"])
        told = self.client.manager.ListConsents(dbus.Dictionary({"consent-id": identity}, "sv"))[0]
        self.assertEqual((record["receipt_id"], receipt["receipt_id"]), (told["ReceiptId"], told["ReceiptId"]))
        self.assertEqual((record["opened_at"], record["signed_at"]), (told["OpenedAt"], told["SignedAt"]))
        self.assertEqual((record["confirmed_at"], record["confirmed_by"]), (told["ConfirmedAt"], "agent"))
        self.assertLess(record["opened_at"], record["confirmed_at"])
        self.assertEqual(receipt["text_sha256"], [hashlib.sha256(files["consent.txt"]).hexdigest()])
        self.assertNotIn("bytes_base64", record["texts"][0])

    def container_verifies(self, path):
        report = json.loads(self.ctl("verify", path, "--anchors", self.services.pki.root).stdout)
        self.assertEqual((report["Valid"], report["StampChainChecked"], list(report["Signatures"])), (True, True, ["consent.p7s"]))
        self.assertEqual(report["Signatures"]["consent.p7s"]["Indication"], "TOTAL-PASSED")
        self.assertIn("CN=eonay Test TSA,", report["StampAuthority"])  # not the signer
        own = json.loads(self.ctl("verify", path).stdout)  # the daemon's own trust store
        self.assertEqual((own["Valid"], own["StampChainChecked"], own["StampIndication"]), (True, True, "TOTAL-PASSED"))
        nobody = self.sandbox()  # a daemon that trusts nobody
        nobody.start()
        shown = subprocess.run([nobody.programs.ctl, "--json", "verify", path], env=nobody.environment(), text=True,
                               capture_output=True, check=False, timeout=120, stdin=subprocess.DEVNULL)
        sound = json.loads(shown.stdout)
        self.assertEqual((sound["Valid"], sound["StampChainChecked"], sound["StampIndication"]), (True, False, "INDETERMINATE"))
        self.assertEqual((sound["Signatures"]["consent.p7s"]["ChainChecked"], shown.returncode), (False, 0))
        foreign = self.services.pki.issue("foreign", profile="tsa", key="p256").certificate
        self.refused(path, "its time stamp does not hold", "", "--anchors", foreign, status=14)
        self.refused(path, "its time stamp does not hold", "has ended since", "--at", "2090-01-01T00:00:00Z", status=14)
        self.refused(path, "its time stamp does not hold", "after the moment", "--at", "2020-01-01T00:00:00Z", status=14)
        self.ctl("verify", path, "--content", self.services.pki.root, status=2)

    def imported_again(self, identity, path):
        """Erased here and taken in again, and taken out again as it was; its time and state are told, its card is not."""
        with open(path, "rb") as file:
            whole = file.read()
        before = self.client.manager.ListConsents(dbus.Dictionary({"consent-id": identity}, "sv"))[0]
        self.ctl("erase", identity, "--yes")
        taken = json.loads(self.ctl("import", path).stdout)["ConsentId"]
        self.assertEqual(json.loads(self.ctl("import", path).stdout)["ConsentId"], taken)  # twice is once
        records = [record for record in json.loads(self.ctl("consents").stdout) if record["ConsentId"] == taken]
        self.assertEqual([record["State"] for record in records], ["imported"])
        for key in ("ReceiptId", "SignedAt", "OpenedAt", "ConfirmedAt", "TextSha256", "Backend", "CertificateFingerprint"):
            self.assertEqual(records[0][key], before[key], key)
        again = self.shared.file("again.asice")
        self.ctl("export", taken, "-o", again)
        with open(again, "rb") as file:
            self.assertEqual(file.read(), whole)
        self.ctl("export", taken, "-o", self.shared.file("again.asics"), status=2)
        with self.assertDBusError("NotFound"):  # nothing new is stamped with an old record
            self.stamp(taken, bytes(32))
        verified = self.client.connection.get_object(BUS_NAME, ROOT, introspect=False).Verify(OPTIONS, dbus_interface=AUDIT)
        self.assertTrue(verified["Valid"], verified)
        self.ctl("erase", taken, "--yes")
        self.ctl("export", taken, "-o", again, status=1)
        self.assertEqual(self.client.manager.ListConsents(dbus.Dictionary({"consent-id": taken}, "sv")), [])

    def not_imported(self, path, name, detail):
        told = self.ctl("import", path, status=1)
        answer = json.loads(told.stdout)
        self.assertTrue(answer["Error"].endswith("." + name), answer)
        self.assertIn(detail, answer["Detail"])

    def refused(self, path, reason, detail, *arguments, status=1):
        report = json.loads(self.ctl("verify", path, *arguments, status=status).stdout)
        self.assertFalse(report["Valid"])
        self.assertEqual(report["Reason"], reason)
        self.assertIn(detail, report["Detail"])

    def packed(self, files, compression=zipfile.ZIP_STORED, more=()):
        path = self.shared.file("changed.asice")
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            for name, content in files.items():
                archive.writestr(name, content, zipfile.ZIP_STORED if name == "mimetype" else compression)
            for name, content in more:
                archive.writestr(name, content)
        return path

    def changed_ones_are_refused(self, files):
        manifest, stamped = files[MANIFEST], "a file is not the one that was stamped"
        unread, stamp = "it has no manifest that can be read", "its time stamp does not hold"
        without = {name: content for name, content in files.items() if name != "receipt.json"}
        dtd = manifest.replace(b"?>", b'?><!DOCTYPE x [<!ENTITY e "e">]>', 1)
        cases = [("a changed " + name, {**files, name: files[name] + b" "}, stamped, name) for name in KEPT]
        cases += [
            ("a missing file", without, "a file that the manifest names is missing", "receipt.json"),
            ("a further file", {**files, "more.txt": b"more"}, "a file is in it that the manifest does not name", "more.txt"),
            ("a further file of META-INF", {**files, "META-INF/x.xml": b"x"}, "a file is in it that the manifest does not name",
             "META-INF/x.xml"),
            ("a changed manifest", {**files, MANIFEST: manifest + b"\n"}, stamp, "other bytes"),
            ("a broken token", {**files, TOKEN: files[TOKEN][:-1]}, stamp, ""),
            ("an empty token", {**files, TOKEN: b""}, stamp, ""),
            ("no token", {n: c for n, c in files.items() if n != TOKEN}, "it has no time stamp", ""),
            ("a token over other bytes", {**files, TOKEN: self.stamp(self.finished("B-B-again"), bytes(32))}, stamp, "other bytes"),
            ("no manifest", {n: c for n, c in files.items() if n != MANIFEST}, unread, ""),
            ("a document type", {**files, MANIFEST: dtd}, unread, ""),
            ("another hash", {**files, MANIFEST: manifest.replace(b"#sha256", b"#sha512")}, unread, ""),
            ("no XML", {**files, MANIFEST: b"<x"}, unread, ""),
            ("too large", {**files, "consent.txt": bytes(9 << 20)}, "it is larger than a container may be", ""),
            ("too many", {**files, **{f"{n}.txt": b"" for n in range(80)}}, "it is no sound ZIP file", ""),
        ]
        for name, content, reason, detail in cases:
            with self.subTest(name):
                self.refused(self.packed(content), reason, detail)
                if name == "too large":  # for eonayctl already
                    continue
                # what is changed without a new time stamp is refused by its form alone; the time stamp is judged behind it
                error, said = ("SignatureInvalid", "time stamp") if name in ("a broken token", "an empty token",
                                                                             "a token over other bytes") else ("FileInvalid", "")
                self.not_imported(self.packed(content), error, said)
        with self.subTest("a bomb"):
            self.refused(self.packed({**files, "consent.txt": bytes(200 << 20)}, zipfile.ZIP_DEFLATED),
                         "it is larger than a container may be", "")
        with self.subTest("compressed is fine"):
            self.ctl("verify", self.packed(files, zipfile.ZIP_DEFLATED), "--anchors", self.services.pki.root)
            self.not_imported(self.packed(files, zipfile.ZIP_DEFLATED), "FileInvalid", "eonayctl export")
        with self.subTest("cut short"):
            with open(self.shared.file("all.asice"), "rb") as file:
                whole = io.BytesIO(file.read()).getvalue()
            with open(self.shared.file("cut.asice"), "wb") as file:
                file.write(whole[:len(whole) // 2])
            self.refused(self.shared.file("cut.asice"), "it is no sound ZIP file", "")

    def configure(self):
        super().configure()
        local = self.shared.default_sections()["Backend local"]
        self.shared.set_section("Backend B-B-again", **{**local, "Database": self.shared.file("authority", "again.db")})


class SeveralTexts(StampedTest):
    """Three texts, each with its signature; a container that somebody makes and stamps himself proves no more than is in it."""

    NAMES = ["consent", "consent-2", "consent-3"]

    def configure(self):
        super().configure()
        fake_ca(self.shared, "three", Texts=3, Numbered=1)

    def test_each_with_its_own(self):
        consent = self.client.open("200000000000000", backend="three")
        consent.sign(self.certificate())
        self.assertTrue(consent.wait()[0])
        identity, path = str(consent.receipt()["ConsentId"]), self.shared.file("three.asice")
        self.ctl("export", identity, "-o", path)
        with zipfile.ZipFile(path) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        for name, (_title, _media, _digest, content) in zip(self.NAMES, consent.texts()):
            self.assertEqual(files[name + ".txt"], bytes(content))
        signatures = [name + ".p7s" for name in self.NAMES]
        self.assertEqual(sorted(self.verified(path, 14)["Signatures"]), sorted(signatures))  # B-B, without answers on revocation
        human = self.run_plain("verify", path, "--anchors", self.services.pki.root)
        for name in signatures:
            self.assertIn(name + ": ", human.stdout)
        texts = {"consent.txt": files["consent-2.txt"], "consent-2.txt": files["consent.txt"]}
        report = self.verified(self.stamped_again(identity, {**files, **texts}), 1)
        self.assertEqual([report["Signatures"][name]["FailedCheck"] for name in signatures[:2]], ["content", "content"])
        self.assertFalse(report["Valid"])
        for gone, reason in (("consent-3.p7s", "a text is without its signature"),
                             ("consent-3.txt", "a signature is without its text")):
            report = self.verified(self.stamped_again(identity, {n: c for n, c in files.items() if n != gone}), 1)
            self.assertEqual(report["Reason"], reason)
        self.import_looks_at_each(identity, files)
        bare = {name: content for name, content in files.items() if not name.startswith("consent")}
        self.assertEqual(self.verified(self.stamped_again(identity, bare), 1)["Reason"], "there is no signature in it")

    def import_looks_at_each(self, identity, files):
        """Manifest and stamp are good, what is in it is not."""
        texts = {"consent.txt": files["consent-2.txt"], "consent-2.txt": files["consent.txt"]}
        cases = [("SignatureInvalid", "signature: content", {**files, **texts}),
                 ("FileInvalid", "text is without", {n: c for n, c in files.items() if n != "consent-3.p7s"}),
                 ("FileInvalid", "", {**files, "record.json": b'{"format":"org.eonay.evidence"'})]
        for error, detail, content in cases:
            with self.subTest(error + detail):
                told = self.ctl("import", self.stamped_as_we_do(identity, content), status=1)
                self.assertTrue(json.loads(told.stdout)["Error"].endswith("." + error), told.stdout)
                self.assertIn(detail, json.loads(told.stdout)["Detail"])
        odd = {**files, "record.json": b'{"format":"org.eonay.evidence","backend":"\\ud800","opened_at":"x","texts":[1,{}]}'}
        taken = json.loads(self.ctl("import", self.stamped_as_we_do(identity, odd)).stdout)["ConsentId"]
        self.assertIn(taken, self.ctl("consents").stdout)  # whatever the record holds, the list stands

    def stamped_as_we_do(self, identity, files):
        kept = [name for name in files if name != "mimetype" and not name.startswith("META-INF/")]
        kind = {".p7s": "application/pkcs7-signature", "json": "application/json", ".txt": "text/plain"}
        manifest = ('<?xml version="1.0" encoding="UTF-8"?>\n'
                    f'<asic:ASiCManifest xmlns:asic="{ASIC[1:-1]}" xmlns:ds="{DSIG[1:-1]}">\n'
                    f'  <asic:SigReference URI="{TOKEN}" MimeType="application/vnd.etsi.timestamp-token"/>\n')
        for name in kept:
            digest = base64.b64encode(hashlib.sha256(files[name]).digest()).decode()
            manifest += (f'  <asic:DataObjectReference URI="{name}" MimeType="{kind[name[-4:]]}">\n'
                         f'    <ds:DigestMethod Algorithm="{SHA256}"/>\n    <ds:DigestValue>{digest}</ds:DigestValue>\n'
                         '  </asic:DataObjectReference>\n')
        return self.packed_with(identity, kept, files, (manifest + "</asic:ASiCManifest>\n").encode())

    def packed_with(self, identity, kept, files, manifest):
        path = self.shared.file("own.asice")
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("mimetype", MIMETYPE)
            for name in kept:
                archive.writestr(name, files[name])
            archive.writestr(MANIFEST, manifest)
            archive.writestr(TOKEN, self.stamp(identity, hashlib.sha256(manifest).digest()))
        return path

    def verified(self, path, status):
        return json.loads(self.ctl("verify", path, "--anchors", self.services.pki.root, status=status).stdout)

    def run_plain(self, *arguments):
        return subprocess.run([self.shared.programs.ctl, *arguments], env=self.shared.environment(), text=True, capture_output=True,
                              check=False, timeout=120, stdin=subprocess.DEVNULL)

    def stamped_again(self, identity, files):
        """These files with a manifest of our own and a good stamp over it."""
        ElementTree.register_namespace("a", ASIC[1:-1])
        root = ElementTree.Element(ASIC + "ASiCManifest")
        ElementTree.SubElement(root, ASIC + "SigReference", URI=TOKEN, MimeType="application/vnd.etsi.timestamp-token")
        kept = [name for name in files if name != "mimetype" and not name.startswith("META-INF/")]
        for name in kept:
            reference = ElementTree.SubElement(root, ASIC + "DataObjectReference", URI=name)
            ElementTree.SubElement(reference, DSIG + "DigestMethod", Algorithm=SHA256)
            digest = base64.b64encode(hashlib.sha256(files[name]).digest()).decode()
            ElementTree.SubElement(reference, DSIG + "DigestValue").text = digest
        return self.packed_with(identity, kept, files, ElementTree.tostring(root))


class Bounded(StampedTest):
    def test_who_may_have_how_many(self):
        identity = self.finished("local")
        for consent, digest, error in (("no-such-consent", bytes(32), "NotFound"),
                                       (identity, bytes(31), "org.freedesktop.DBus.Error.InvalidArgs")):
            with self.subTest(error), self.assertDBusError(error):
                self.stamp(consent, digest)
        with self.subTest("not finished"):
            unfinished = self.open("local")
            with self.assertDBusError("NotFound"):
                self.stamp(str(unfinished.details()["ConsentId"]), bytes(32))
        self.services.faults["/tsa"] = lambda body: (500, b"")
        with self.subTest("away"), self.assertDBusError("TimestampFailed"):
            self.stamp(identity, bytes(32))
        del self.services.faults["/tsa"]
        for n in range(STAMPS_IN_A_ROW - 1):
            self.assertTrue(self.stamp(identity, bytes([n]) * 32))
        with self.assertDBusError("RateLimited"):
            self.stamp(identity, bytes(32))


class NoAuthority(StampedTest):
    TIMESTAMPS = ()

    def test_the_other_way_is_named(self):
        identity = self.finished("local")
        path = self.shared.file("none.asice")
        told = self.ctl("export", identity, "-o", path, status=8)
        self.assertIn(".asics", told.stderr)
        self.assertTrue(json.loads(told.stdout)["Error"].endswith(".LevelUnreachable"))
        self.assertFalse(os.path.exists(path))
        self.ctl("export", identity, "-o", self.shared.file("one.asics"))


if __name__ == "__main__":
    run()
