# SPDX-License-Identifier: Apache-2.0
"""Full disks and damaged databases: nothing is signed without a record, no damaged file is touched, Health says what to do,
and when there is room again, or the right file is back, all goes on.

The disks are small ones in memory, mounted in a namespace of this process alone: it may be run by anybody.
"""
import contextlib
import ctypes
import hashlib
import os
import shutil
import sqlite3

import dbus

from test_parts import OPTIONS, DaemonTest, memfd, run_for, wait_until
from testing import run

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
MS_REC = 16384
MS_PRIVATE = 1 << 18
LIBC = ctypes.CDLL(None, use_errno=True)


def checked(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), what)


def write_file(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def enter_namespace():
    """A mount namespace of our own; where we are not root, in a user namespace in which we stay who we are."""
    uid, gid = os.getuid(), os.getgid()
    checked(LIBC.unshare(CLONE_NEWNS | (CLONE_NEWUSER if uid else 0)), "unshare")
    if uid:
        write_file("/proc/self/setgroups", "deny")
        write_file("/proc/self/uid_map", f"{uid} {uid} 1")
        write_file("/proc/self/gid_map", f"{gid} {gid} 1")
    checked(LIBC.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "mount")


def small_disk(path, size):
    os.makedirs(path, mode=0o700, exist_ok=True)
    checked(LIBC.mount(b"tmpfs", os.fsencode(path), b"tmpfs", 0, f"size={size},mode=700".encode()), "mount tmpfs")


def fill(folder):
    """Takes all the room there is; returns the file that does."""
    path = os.path.join(folder, "filler")
    with open(path, "wb", buffering=0) as file:
        for size in (65536, 4096, 512, 1):
            with contextlib.suppress(OSError):
                while file.write(b"x" * size) == size:
                    pass
    return path


def digests(folder):
    found = {}
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            with open(path, "rb") as file:
                found[name] = hashlib.sha256(file.read()).hexdigest()
    return found


class StorageTest(DaemonTest):
    def health_of(self, part, client=None):
        return [(entry["code"], entry["hint"]) for entry in self.property("Health", client) if entry["part"] == part]

    def start(self):
        """The daemon anew; tests that end it say so themselves."""
        self.shared.start_daemon()
        self.shared.starts = 1
        self.client = self.new_client()


class FullDisk(StorageTest):
    @classmethod
    def prepare(cls, sandbox):
        small_disk(sandbox.file("state"), 2 << 20)
        cls.addClassCleanup(lambda: LIBC.umount2(os.fsencode(sandbox.file("state")), 2))

    def setUp(self):
        super().setUp()
        self.filler = None
        self.addCleanup(self.make_room)

    def fill(self):
        self.filler = fill(self.shared.file("state"))

    def make_room(self):
        if self.filler and os.path.exists(self.filler):
            os.unlink(self.filler)

    def test_full_before_the_signature(self):
        consent = self.open()
        self.fill()
        for _n in range(3):
            self.sign(consent)
            self.assert_finished(consent, "StorageFailed", retriable=True)
        with self.assertDBusError("NotFound"):
            consent.signature()
        [(code, hint)] = [entry for entry in self.health_of("journal") if entry[0] != "DiskNearlyFull"]
        self.assertEqual(code, "StorageFailed")
        self.assertIn("disk", hint)
        self.assertTrue(self.certificate())  # what needs no record goes on
        self.make_room()
        self.assert_signs(consent)
        self.assertEqual([code for code, _hint in self.health_of("journal")], ["DiskNearlyFull"])

    def test_full_before_the_consent(self):
        self.fill()
        code, _details = self.client.get_code("local")
        before = len(self.record())
        with self.assertDBusError("StorageFailed"):
            self.client.open(code)
        self.make_room()
        self.assertEqual(len(self.record()), before)
        self.assert_signs(self.open())

    def test_many_signatures_on_a_disk_that_fills_up(self):
        """Each either has its record and receipt, or was not made."""
        receipts = []
        failures = 0
        while failures < 3:
            try:
                consent = self.open()
            except dbus.DBusException as error:
                self.assertEqual(error.get_dbus_name(), "org.eonay.EOnay1.Error.StorageFailed")
                failures += 1
                continue
            self.sign(consent)
            success, error, result = consent.wait()
            if success:
                receipts.append(result["ReceiptId"])
            else:
                self.assertEqual(error, "org.eonay.EOnay1.Error.StorageFailed")
                failures += 1
            consent.close()
            if not self.filler and len(receipts) == 3:
                self.fill()
                os.truncate(self.filler, os.path.getsize(self.filler) - 100_000)
        self.assertGreaterEqual(len(receipts), 3)
        self.make_room()
        self.assert_signs(self.open())
        done = [record["ReceiptId"] for record in self.record(state="done")]
        for receipt in receipts:
            self.assertEqual(done.count(receipt), 1)

    def test_restart_on_a_full_disk(self):
        receipt = self.assert_signs(self.open())
        self.fill()
        self.shared.stop_daemon()
        self.start()
        self.assertEqual(self.state_on_record(receipt["ConsentId"]), ("done", ""))
        self.make_room()
        self.assert_signs(self.open())


class FullDiskOfTheAuthority(StorageTest):
    @classmethod
    def prepare(cls, sandbox):
        small_disk(sandbox.file("authority"), 1 << 20)
        cls.addClassCleanup(lambda: LIBC.umount2(os.fsencode(sandbox.file("authority")), 2))

    def test_codes_and_submission(self):
        code, _details = self.client.get_code("local")
        consent = self.client.open(self.client.get_code("local")[0])
        filler = fill(self.shared.file("authority"))
        for call in (lambda: self.client.get_code("local"), lambda: self.client.open(code)):
            with self.assertDBusError("StorageFailed"):
                call()
        self.sign(consent)
        wait_until(lambda: "submitting" in consent.states)
        run_for(1)
        self.assertIsNone(consent.outcome)  # signed, and kept for a better time
        self.assertTrue(consent.signature())
        os.unlink(filler)
        self.assertTrue(consent.wait()[0])
        self.client.open(code).close()


class Damage(StorageTest):
    """Each test begins with a daemon that has worked, and ends with its files as they were."""

    def setUp(self):
        super().setUp()
        self.journal = self.shared.file("state", "journal.sqlite")
        self.kept = self.shared.file("kept")
        self.receipt = self.assert_signs(self.open())
        self.code, _details = self.client.get_code("local")
        self.shared.stop_daemon()
        shutil.copytree(self.shared.file("state"), self.kept)

    def tearDown(self):
        """The right files are back, and all that was there before the damage."""
        self.shared.stop_daemon()
        shutil.rmtree(self.shared.file("state"))
        shutil.move(self.kept, self.shared.file("state"))
        self.start()
        self.assertEqual(self.state_on_record(self.receipt["ConsentId"]), ("done", ""))
        self.assert_signs(self.open())
        self.assertEqual(self.health_of("journal"), [])
        super().tearDown()

    def unusable(self):
        """Up, says so, signs nothing, and leaves the file alone."""
        before = digests(self.shared.file("state"))
        self.start()
        [(code, hint)] = self.health_of("journal")
        self.assertEqual(code, "StorageFailed")
        self.assertTrue(hint)
        for call in (lambda: self.client.open(self.code), self.record,
                     lambda: self.client.manager.ExportEvidence(self.receipt["ConsentId"], OPTIONS)):
            with self.assertDBusError("StorageFailed"):
                call()
        self.assertTrue(self.certificate())
        self.assertRegex(self.client.get_code("local")[0], "^[0-9]{15}$")
        self.assertFalse(self.client.manager.VerifySignature(memfd(b"x"), OPTIONS)["Valid"])
        self.assertEqual(self.shared.stop_daemon(), 0)
        after = digests(self.shared.file("state"))
        self.assertEqual({name: after.get(name) for name in before}, before)

    def damage(self, content):
        for name in os.listdir(self.shared.file("state")):
            os.unlink(self.shared.file("state", name))
        with open(self.journal, "wb") as file:
            file.write(content)

    def test_random_bytes(self):
        self.damage(os.urandom(50_000))
        self.unusable()

    def test_text(self):
        self.damage(b"SQLite format 3, but not really\n" * 1000)
        self.unusable()

    def test_header_and_zeros(self):
        self.damage(self.whole()[:100] + b"\0" * 40_000)
        self.unusable()

    def whole(self):
        with open(os.path.join(self.kept, "journal.sqlite"), "rb") as file:
            return file.read()

    def test_truncated(self):
        content = self.whole()
        for size in (1, 50, 100, 4096, 5000, len(content) // 2, len(content) - 1):
            with self.subTest(size):
                self.damage(content[:size])
                self.start()
                try:
                    consent = self.open()
                except dbus.DBusException as error:
                    self.assertEqual(error.get_dbus_name(), "org.eonay.EOnay1.Error.StorageFailed")
                    self.assertEqual([code for code, _hint in self.health_of("journal")], ["StorageFailed"])
                else:  # what is cut off was not needed, or the sandbox has only empty pages there
                    self.sign(consent)
                    success, error, _result = consent.wait()
                    self.assertTrue(success or error.endswith(".StorageFailed"))
                self.shared.stop_daemon()

    def test_of_a_newer_version(self):
        database = sqlite3.connect(self.journal)
        database.execute("PRAGMA user_version=99")
        database.close()
        self.unusable()

    def test_of_another_program(self):
        self.damage(b"")
        database = sqlite3.connect(self.journal)
        database.executescript("PRAGMA application_id=1234; CREATE TABLE consent(x); PRAGMA user_version=1;")
        database.close()
        self.unusable()

    def test_a_folder_in_its_place(self):
        os.unlink(self.journal)
        os.mkdir(self.journal)
        self.unusable()

    def test_no_code_is_spent(self):
        self.damage(os.urandom(50_000))
        self.start()
        with self.assertDBusError("StorageFailed"):
            self.client.open(self.code)
        self.shared.stop_daemon()
        shutil.rmtree(self.shared.file("state"))
        shutil.copytree(self.kept, self.shared.file("state"))
        self.start()
        self.client.open(self.code).close()

    def test_killed_in_the_middle(self):
        """A WAL that was not checkpointed, cut off in a record: the records before it are there."""
        self.start()
        receipts = [self.assert_signs(self.open())["ReceiptId"] for _n in range(3)]
        self.shared.kill_daemon()
        wal = self.journal + "-wal"
        os.truncate(wal, os.path.getsize(wal) - 1000)
        self.start()
        done = [record["ReceiptId"] for record in self.record()]
        self.assertIn(receipts[0], done)
        self.assert_signs(self.open())


class DamageOfTheAuthority(StorageTest):
    def test_database(self):
        path = self.shared.file("authority", "authority.db")
        self.assert_signs(self.open())
        self.shared.stop_daemon()
        kept = self.shared.file("kept-authority")
        shutil.copytree(self.shared.file("authority"), kept)
        with open(path, "rb") as file:
            whole = file.read()
        for name, content in (("random", os.urandom(50_000)), ("cut", whole[:len(whole) // 2]), ("short", whole[:100])):
            with self.subTest(name):
                for leftover in ("-wal", "-shm"):
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(path + leftover)
                with open(path, "wb") as file:
                    file.write(content)
                self.start()
                with self.assertDBusError("StorageFailed"):
                    self.open()
                self.assertEqual([code for code, _hint in self.health_of("Backend local")], ["StorageFailed"])
                self.assertTrue(self.certificate())
                with open(path, "rb") as file:
                    self.assertEqual(file.read()[:len(content)], content)
                shutil.rmtree(self.shared.file("authority"))
                shutil.copytree(kept, self.shared.file("authority"))
                wait_until(self.opens, 10, "the authority back")  # without a restart
                self.assertEqual(self.health_of("Backend local"), [])
                self.shared.stop_daemon()
        self.start()

    def opens(self):
        try:
            self.open().close()
        except dbus.DBusException:
            return False
        return True


if __name__ == "__main__":
    enter_namespace()
    run()
