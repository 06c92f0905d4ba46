# SPDX-License-Identifier: Apache-2.0
"""A throw-away public-key infrastructure, made by tests/fixtures/mkpki: root, issuing authority, end certificates."""
import os

from processes import run_tool

DEFAULT_NAME = "AYŞE YILMAZ"
DEFAULT_TCKN = "10000000146"  # fits the checksum, belongs to nobody


class Credential:
    """An end certificate, its private key, and for the asking both in one PKCS#12 file."""

    def __init__(self, base, p12):
        self.certificate = base + ".crt.pem"
        self.certificate_der = base + ".crt.der"
        self.key = base + ".key.pem"
        self.p12 = base + ".p12" if p12 else None


class Pki:
    def __init__(self, mkpki, folder, crl=None):
        """crl: where the root's revocation list is to be had, named in the issuing authority's certificate."""
        self.mkpki = mkpki
        self.folder = os.path.join(folder, "pki")
        self.root = os.path.join(self.folder, "root.pem")
        self.issuing = os.path.join(self.folder, "ca.pem")
        run_tool([mkpki, "init", self.folder, *([crl] if crl else [])])

    def issue(self, base, profile="nes", key="rsa2048", password=None, **options):
        """Makes base.crt.pem, base.crt.der and base.key.pem in the folder; base.p12 too when a password is given. Further
        options are mkpki's: name, tckn, key_in, not_before, not_after, ocsp, crl, issuers. `key` None leaves the key to the profile."""
        path = os.path.join(self.folder, base)
        chosen = {"profile": profile, "key": key, "name": DEFAULT_NAME, "tckn": DEFAULT_TCKN, "out": path, **options}
        options = [word for option, value in chosen.items() if value is not None
                   for word in ("--" + option.replace("_", "-"), value)]
        if password is not None:
            password_file = path + ".password"
            with open(os.open(password_file, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w",
                      encoding="utf-8") as file:
                file.write(password)
            options += ["--p12", password_file]
        run_tool([self.mkpki, "issue", self.folder, *options])
        return Credential(path, password is not None)
