# SPDX-License-Identifier: Apache-2.0
"""A sandbox whose token is a card: eonayd beside the private pcscd of pcsc-sandbox. The demo and the tests share it.

The cards are made outside, with the authority that issued their certificates; EONAY_TEST_CARDS tells those inside where.
"""
import os
import shutil

from pki import Pki
from sandbox import Sandbox

HERE = os.path.dirname(os.path.abspath(__file__))
DEFINITIONS = os.path.normpath(os.path.join(HERE, "..", "..", "plugins", "modules"))
PIN, PUK = "123456", "12345678"  # of every new card


class ExistingPki(Pki):
    """The authority that was made outside, used inside."""

    def __init__(self, mkpki, folder):
        self.mkpki, self.folder = mkpki, os.path.join(folder, "pki")
        self.root, self.issuing = os.path.join(self.folder, "root.pem"), os.path.join(self.folder, "ca.pem")


class Authority:
    """Makes cards whose slots hold certificates of one authority."""

    def __init__(self, mkpki, folder):
        self.folder = folder
        self.pki = Pki(mkpki, folder)

    def card(self, folder, s9c="p256", profile="nes", serial=None, **issue):
        """A card folder with a certificate in the signature slot."""
        credential = self.pki.issue(folder, profile=profile, key=s9c, **issue)
        return self.hold(folder, credential, serial)

    def hold(self, name, credential, serial=None):
        folder = os.path.join(self.folder, name)
        os.makedirs(folder)
        shutil.copyfile(credential.key, os.path.join(folder, "9c-key.pem"))
        shutil.copyfile(credential.certificate, os.path.join(folder, "9c-cert.pem"))
        if serial:
            with open(os.path.join(folder, "serial"), "w", encoding="ascii") as file:
                file.write(serial + "\n")
        return folder


class CardSandbox(Sandbox):
    """A sandbox without SoftHSM, whose daemon watches readers and has the definitions that are shipped."""

    def __init__(self, programs, work_folder, **rest):
        super().__init__(programs, work_folder, **rest)
        self.pin = PIN
        self.tokens.count = 1  # the cards: start() is to make none
        self.pki = ExistingPki(programs.mkpki, os.environ["EONAY_TEST_CARDS"])

    def default_sections(self):
        sections = super().default_sections()
        del sections["Token softhsm"]
        sections["Daemon"] = {"DefaultBackend": "local", "Readers": "yes", "ModuleDirectories": DEFINITIONS}
        return sections
