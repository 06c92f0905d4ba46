#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Readers and cards on the bus: they appear and vanish with the hardware, and with pcscd."""
import os
import socket
import stat

import dbus

import cards
import scene
from scene import CardTest, iterate
from testing import ERROR


def make(folder):
    authority = scene.authority(folder)
    yield authority.card("ali", s9c="p256", serial="11" * 16)
    yield authority.card("can", s9c="p384", serial="33" * 16)
    yield "-" + authority.card("veli", s9c="rsa2048", serial="22" * 16, name="VELİ ÖZ", tckn="12345678950") + "@0"


def problems(test):
    return [entry["code"] for entry in test.health()]


class ThreeReaders(CardTest):
    """Ali's card in the first, Can's in the second, none in the third; Veli's may take Ali's place."""

    def setUp(self):
        super().setUp()
        self.ali, self.can, self.veli = map(cards.Card, range(3))
        self.pcscd.tell("start")
        for number in range(3):
            self.pcscd.tell(f"plug {number}")
        self.veli.tell("pull")
        self.put_in(self.ali, self.can)
        self.start()


class Readers(ThreeReaders):
    def test_what_is_there_at_the_start(self):
        iterate(lambda: len(self.readers()) == 3)
        readers = {r["Name"].split("(")[1][:4]: r["TokenPresent"] for r in self.readers().values()}
        self.assertEqual(readers, {"0000": True, "0001": True, "0002": False})
        self.assertFalse(any(r["PinPad"] for r in self.readers().values()))
        for number, key_type in ((0, "ec-p256"), (1, "ec-p384")):
            path, certificate = self.certificate_in(number)
            self.assertEqual((certificate["KeyType"], certificate["Usable"]), (key_type, True), certificate["Reasons"])
            self.assertSigned(self.sign(path))
        self.assertEqual(problems(self), [])

    def test_a_reader_is_unplugged_and_plugged(self):
        token = self.wait_token(1)[0]
        certificate = self.certificate_of(token)[0]
        start = len(self.watcher.events)
        self.pcscd.tell("unplug 1")
        iterate(lambda: self.watcher.find("removed", "reader", start))
        self.assertEqual([e[2] for e in self.watcher.find("removed", "token", start)], [token])
        self.assertEqual([e[2] for e in self.watcher.find("removed", "certificate", start)], [certificate])
        self.assertEqual(len(self.readers()), 2)
        self.pcscd.tell("plug 1")
        iterate(lambda: self.watcher.find("added", "reader", start))
        self.assertSigned(self.sign(self.certificate_in(1)[0]))

    def test_several_readers_at_once_as_of_a_hub(self):
        iterate(lambda: len(self.readers()) == 3)
        for number in range(3):
            self.pcscd.tell(f"unplug {number}")
        iterate(lambda: not self.readers())
        for number in range(3):
            self.pcscd.tell(f"plug {number}")
        iterate(lambda: len(self.readers()) == 3)
        self.wait_token(0)
        self.wait_token(1)

    def test_a_card_goes_and_comes(self):
        token, _properties = self.wait_token(0)
        reader = self.token_in(0)[1]["Reader"]
        start = len(self.watcher.events)
        self.ali.tell("pull")
        iterate(lambda: self.watcher.find("removed", "token", start))
        self.assertFalse(self.readers()[reader]["TokenPresent"])
        iterate(lambda: self.watcher.find("changed", "reader", start))
        self.assertEqual([e[3] for e in self.watcher.find("changed", "reader", start)],
                         [{scene.READER: {"TokenPresent": False, "PinPad": False}}])
        start = len(self.watcher.events)
        self.ali.tell("insert")
        iterate(lambda: self.watcher.find("added", "token", start))
        self.assertEqual(self.token_in(0)[0], token, "the same card has the same object again")
        self.assertTrue(self.readers()[reader]["TokenPresent"])

    def test_the_same_card_may_use_its_old_certificate_and_no_other(self):
        certificate, properties = self.certificate_in(0)
        self.ali.tell("pull")
        self.wait_empty(0)
        with self.assertDBusError("NotFound"):
            self.begin(self.open_consent(), certificate)
        self.veli.tell("insert")
        other, others = self.certificate_in(0)
        self.assertNotEqual(other, certificate)
        self.assertNotEqual(others["Fingerprint"], properties["Fingerprint"])
        with self.assertDBusError("NotFound"):
            self.begin(self.open_consent(), certificate)
        self.assertEqual(self.veli.report()["verifies"], 0, "no PIN went to the other card")
        self.veli.tell("pull")
        self.wait_empty(0)
        self.ali.tell("insert")
        self.assertEqual(self.certificate_in(0)[0], certificate)
        self.assertSigned(self.sign(certificate))

    def test_a_swap_too_fast_to_be_told(self):
        certificate = self.certificate_in(0)[0]
        verifies = self.veli.report()["verifies"]
        consent = self.open_consent()
        self.ali.tell("pull")
        self.veli.tell("insert")  # before pcscd looks again
        try:
            self.begin(consent, certificate)
        except dbus.DBusException as error:  # on a busy machine pcscd may have looked in between
            self.assertEqual(error.get_dbus_name(), ERROR + "NotFound")
        else:
            consent.wait()
            self.assertFalse(consent.outcome[0])
            self.assertIn(consent.outcome[1].rsplit(".", 1)[-1], ("TokenRemoved", "NoCertificate"))
        self.assertEqual(self.veli.report()["verifies"], verifies, "no PIN went to the other card")

    def test_a_broken_reader_holds_no_card(self):
        # OpenSC, pulled out of a transaction, makes pcscd wait for itself: what it lists waits with it, until a restart.
        self.wait_token(0)
        certificate = self.certificate_in(1)[0]
        self.pcscd.tell("break 0")
        self.wait_empty(0)
        self.assertSigned(self.sign(certificate))
        self.pcscd.tell("mend 0")
        self.pcscd.tell("restart")
        self.assertSigned(self.sign(self.certificate_in(0)[0]))


class Service(ThreeReaders):
    """pcscd itself comes and goes."""

    def assertGone(self):
        iterate(lambda: problems(self) == ["PcscAbsent"])
        self.assertEqual((self.readers(), self.tokens()), ({}, {}))

    def assertBack(self):
        iterate(lambda: len(self.readers()) == 3)
        self.assertSigned(self.sign(self.certificate_in(0)[0]))
        self.assertEqual(problems(self), [])

    def test_restarted(self):
        self.wait_token(0)
        self.pcscd.tell("stop")
        self.assertGone()
        self.pcscd.tell("start")
        self.assertBack()

    def test_restarted_at_once(self):
        self.wait_token(0)
        self.pcscd.tell("restart")
        iterate(lambda: self.watcher.find("removed", "reader"))
        self.assertBack()

    def test_killed(self):
        self.wait_token(0)
        self.pcscd.tell("kill")
        self.assertGone()
        self.pcscd.tell("start")
        self.assertBack()

    def test_absent_with_its_folder_at_the_start(self):
        self.pcscd.tell("stop")
        self.assertGone()
        os.rename("/run/pcscd", "/run/elsewhere")  # as on a machine where it never ran
        self.addCleanup(lambda: os.path.exists("/run/elsewhere") and os.rename("/run/elsewhere", "/run/pcscd"))
        self.box.restart_daemon()
        self.use(self.box)
        self.assertGone()
        os.rmdir("/run/elsewhere")
        self.pcscd.tell("start")
        self.assertBack()

    def test_installed_while_it_runs(self):
        self.pcscd.tell("stop")
        self.assertGone()
        os.rmdir("/run/pcscd")
        self.pcscd.tell("start")
        self.assertBack()

    def test_it_lets_nobody_in(self):
        self.pcscd.tell("stop")
        self.assertGone()
        with socket.socket(socket.AF_UNIX) as refusing:  # as pcscd with polkit does: it hangs up
            refusing.bind("/run/pcscd/pcscd.comm")
            refusing.listen()
            os.chmod("/run/pcscd/pcscd.comm", stat.S_IRWXU | stat.S_IRWXG | stat.S_IRWXO)
            refusing.settimeout(0.1)

            def refused():
                try:
                    refusing.accept()[0].close()
                except TimeoutError:
                    pass
                return problems(self) == ["PcscRefused"]
            iterate(refused)
        os.unlink("/run/pcscd/pcscd.comm")
        self.pcscd.tell("start")
        self.assertBack()

    def test_pulled_out_from_under_a_signature(self):
        certificate = self.certificate_in(0)[0]
        self.ali.tell("slow 3000 at sign")
        verifies = self.ali.report()["verifies"]
        consent = self.open_consent()
        self.begin(consent, certificate)
        iterate(lambda: self.ali.report()["verifies"] > verifies)
        self.pcscd.tell("kill")
        consent.wait()
        self.assertFailed(consent, "TokenRemoved", retriable=False)
        self.ali.tell("clear")
        self.pcscd.tell("start")
        self.assertBack()


class Soft(CardTest):
    """A module that needs no reader, though its section does not say so, outlives pcscd's coming and going."""

    def test_a_soft_token_stays(self):
        box = scene.CardSandbox(scene.Programs(scene.BUILD), scene.WORK)
        self.sandboxes.append(box)
        self.addCleanup(box.stop)
        self.pcscd.tell("stop")
        self.addCleanup(self.pcscd.tell, "start")
        box.tokens.count = 0
        box.add_token("soft")
        box.set_section("Token softhsm", Plugin="token-pkcs11", Module=box.tokens.module,
                        Environment="SOFTHSM2_CONF=" + box.tokens.conf, ReadPaths=box.tokens.folder,
                        WritePaths=box.tokens.tokens, Needs="card")
        box.start_bus()
        box.start_daemon()
        self.use(box)
        self.assertEqual(len(self.client.certificates()), 1)
        self.pcscd.tell("start")
        iterate(lambda: self.readers())
        iterate(lambda: len(self.client.certificates()) == 3)
        self.pcscd.tell("stop")
        iterate(lambda: not self.readers())
        iterate(lambda: len(self.client.certificates()) == 1)

    def test_the_first_list_has_the_cards(self):
        self.put_in(cards.Card(0), cards.Card(1))
        self.start()
        self.assertEqual(len(self.client.certificates()), 2)


class Hidden(CardTest):
    def test_readers_can_be_left_alone(self):
        box = self.start(Daemon={"DefaultBackend": "local", "Readers": "no", "ModuleDirectories": scene.DEFINITIONS})
        self.assertEqual(self.readers(), {})
        self.assertEqual(self.tokens(), {})
        self.assertEqual(problems(self), [])
        self.assertNotIn("PC/SC", box.daemon.log())


if __name__ == "__main__":
    scene.main(make)
