#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Cards that nothing can read are shown, with the reason and the way out."""
import os
import shutil

import cards
import scene
from client import OPTIONS
from scene import CardTest

# Members of the families of plugins/modules/akis.module and tckk.module: TS, T0, TD1, TD2, TA3, historical bytes, check byte.
AKIS = "3B9F968131FE4580" + "6755454B41451252318073B3A180"
BOTH = "3B9F968131FE4580" + "655443D2210831C073F621808105"


def with_check(atr):
    """A made-up check byte: the XOR of all but the first (ISO 7816-3, section 8.2.5)."""
    check = 0
    for byte in bytes.fromhex(atr)[1:]:
        check ^= byte
    return atr + f"{check:02X}"


def make(folder):
    yield scene.authority(folder).card("ali", s9c="p256")


class Unknown(CardTest):
    def setUp(self):
        super().setUp()
        self.card = cards.Card(0)

    def show(self, atr=None, application=True, definitions=scene.DEFINITIONS, **sections):
        """The card as one of that ATR; the token it is shown as."""
        self.card.tell("pull")
        self.card.tell("application " + ("on" if application else "off"))
        if atr:
            self.card.tell("atr " + with_check(atr))
        self.put_in(self.card)
        self.start(**{"Daemon": {"DefaultBackend": "local", "Readers": "yes", "ModuleDirectories": definitions}, **sections})
        return self.wait_token(0)

    def assertOnlyShown(self, path, error):
        self.assertEqual(self.client.certificates(), [])
        for method in ("ChangePin", "UnblockPin"):
            with self.assertDBusError(error):
                getattr(self.token_methods(path), method)(self.box.pin_pipe("123456"), self.box.pin_pipe("123457"), OPTIONS)

    def test_no_module_knows_it(self):
        path, token = self.show("3B85014F4E4F4E4F", application=False)
        self.assertIn("no module knows this card", token["State"])
        self.assertIn("3B85014F4E4F4E4F", token["State"])
        self.assertEqual(token["PinState"], "unknown")
        self.assertOnlyShown(path, "TokenRemoved")

    def test_its_module_is_missing(self):
        path, token = self.show(AKIS, application=False)
        self.assertIn("AKİS", token["State"])
        self.assertIn("is not installed", token["State"])
        for place in ("/usr/lib/libakisp11.so", "/opt/Akia/libakisp11.so", "/usr/lib/akia/libakisp11.so"):
            self.assertIn(place + ": ", token["State"])
        self.assertNotIn("%a", token["State"])
        self.assertIn("there is no such file", token["State"])
        self.assertIn("Akia", token["State"].rpartition(";")[2], "what to install")
        self.assertOnlyShown(path, "ModuleMissing")

    def test_a_card_of_two_families(self):
        _path, token = self.show(BOTH, application=False)
        self.assertIn("is not installed", token["State"])

    def definition(self, module, **keys):
        folder = os.path.join(self.folder(), "definitions")
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        with open(os.path.join(folder, "ours.module"), "w", encoding="utf-8") as file:
            file.write("[Module]\nDescription=Our card\nPackage=Ask the help desk.\nHistorical=806755454B4145*\n"
                       f"Paths={';'.join(module)}\n" + "".join(f"{key}={value}\n" for key, value in keys.items()))
        return folder

    @staticmethod
    def folder():
        return os.environ["EONAY_TEST_CARDS"]

    def file(self, name, content=b"", mode=0o644):
        path = os.path.join(self.folder(), name)
        with open(path, "wb") as file:
            file.write(content)
        os.chmod(path, mode)
        return path

    def test_every_path_is_told_with_what_is_wrong(self):
        with open(cards.opensc_module(), "rb") as file:
            module = file.read()
        other = bytearray(module)
        other[18:20] = (183).to_bytes(2, "little") if module[18] != 183 else (62).to_bytes(2, "little")  # e_machine
        missing = os.path.join(self.folder(), "none", "missing.so")
        paths = [missing, self.file("text.so", b"#!/bin/sh\n"), self.file("other.so", bytes(other)),
                 self.file("open.so", module, 0o666), self.file("lacking.so", module.replace(b"libopensc.so.8", b"libXpensc.so.8"))]
        _path, token = self.show(AKIS, definitions=self.definition(paths))
        self.assertIn("Our card: ", token["State"])
        for path, reason in zip(paths, ("there is no such file", "it is not an ELF file", "another architecture: ",
                                        "others than its owner may write to it", "libXpensc.so.8")):
            part = next(part for part in token["State"].split("; ") if path in part)
            self.assertIn(reason, token["State"][token["State"].index(path):], part)
        self.assertTrue(token["State"].endswith("Ask the help desk."), token["State"])

    def test_a_definition_of_our_own_reads_it(self):
        missing = os.path.join(self.folder(), "missing.so")
        _path, token = self.show(AKIS, definitions=self.definition([missing, cards.opensc_module()]))
        self.assertEqual(token["State"], "ready")
        self.assertSigned(self.sign(self.certificate_in(0)[0]))

    def test_installed_later_and_refreshed(self):
        path = os.path.join(self.folder(), "later.so")
        if os.path.lexists(path):
            os.unlink(path)
        _token, shown = self.show(AKIS, definitions=self.definition([path]))
        self.assertIn("is not installed", shown["State"])
        os.symlink(cards.opensc_module(), path)
        self.client.manager.Refresh(OPTIONS)
        self.wait_token(0, State="ready")
        self.assertSigned(self.sign(self.certificate_in(0)[0]))

    def test_an_unknown_card_gives_way_to_a_known_one(self):
        self.show("3B85014F4E4F4E4F", application=False)
        self.card.tell("pull")
        self.wait_empty(0)
        self.card.tell("application on")
        self.card.tell("insert")
        self.assertSigned(self.sign(self.certificate_in(0)[0]))


if __name__ == "__main__":
    scene.main(make)
