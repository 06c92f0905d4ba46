# SPDX-License-Identifier: Apache-2.0
"""The register as a revocation list: a daemon that reads it refuses a certificate that its owner suspended at the portal, and takes
it again when it was reactivated; operators can make lists by themselves."""
import os
import subprocess

from client import Client
from portal import Portal
from test_levels import LevelTest
from testing import BUILD, run

DEADLINE = 60


def issuer_keys(pki):
    return {"CrlIssuer": pki.issuing, "CrlKey": os.path.join(pki.folder, "ca-key.pem")}


class Lists(LevelTest):
    def prepare(self):
        self.portal = Portal(self.shared, CrlFile=self.shared.file("eonay.crl"), **issuer_keys(self.services.pki))
        self.portal.start()
        self.addCleanup(self.portal.stop)
        self.services.faults["/ca.crl"] = lambda body: (200, self.published())

    def published(self):
        with open(self.shared.file("eonay.crl"), "rb") as file:
            return file.read()

    def admin(self, *arguments, config=None):
        return subprocess.run([os.path.join(BUILD, "portal/eonay-portal-admin"), "--config", config or self.portal.config, *arguments],
                              capture_output=True, text=True, check=False, timeout=DEADLINE)

    def register(self, state):
        with open(self.credentials["p256"].certificate_der, "rb") as file:
            subprocess.run([os.path.join(BUILD, "tests/portal/portal-tool"), self.portal.config, "register", state], stdin=file,
                           check=True, timeout=DEADLINE)
        made = self.admin("crl-publish")
        self.assertEqual(made.returncode, 0, made.stderr)
        return int(made.stdout)

    def test_a_daemon_follows_it(self):
        first = self.register("suspended")
        self.refused("P3", "CertificateSuspended", "suspended")
        self.assertEqual(self.register("good"), first + 1)
        self.shared.restart_daemon()  # what it was told is believed for a while
        self.client = Client(self.shared)
        self.signed("P3")

    def test_an_operators_lists(self):
        """Numbers go on and never back; RSA signs with PSS; a configuration without the key makes none."""
        number = int(self.admin("crl-publish", "4711").stdout)
        self.assertEqual((number, int(self.admin("crl-publish").stdout)), (4711, 4712))
        self.assertEqual(self.admin("crl-publish", "4712").returncode, 1)
        self.assertEqual(self.admin("crl-publish", "0").returncode, 2)
        certificate, key = self.shared.file("rsa.pem"), self.shared.file("rsa.key")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:3072", "-nodes", "-keyout", key, "-out", certificate, "-subj",
                        "/CN=RSA", "-addext", "keyUsage=critical,cRLSign,keyCertSign"], check=True, timeout=DEADLINE,
                       stderr=subprocess.DEVNULL)
        with open(self.portal.config, encoding="utf-8") as file:
            text = file.read()
        self.assertEqual(self.with_keys(text, CrlIssuer=certificate, CrlKey=key).returncode, 0)
        shown = subprocess.run(["openssl", "crl", "-inform", "DER", "-in", self.shared.file("eonay.crl"), "-CAfile", certificate,
                                "-noout", "-text"], check=True, capture_output=True, text=True, timeout=DEADLINE)
        self.assertIn("verify OK", shown.stderr)
        self.assertIn("rsassaPss", shown.stdout)
        for keys, says in (({"CrlKey": None}, "CrlKey= are needed"), ({"CrlKey": key}, "is not the key of CrlIssuer="),
                           ({"CrlIssuer": self.services.pki.issuing.replace("ca.pem", "nobody.pem")}, "CrlIssuer="),
                           ({"CrlIssuer": self.credentials["p256"].certificate}, "may not sign revocation lists")):
            refused = self.with_keys(text, **keys)
            self.assertEqual(refused.returncode, 1, refused)
            self.assertIn(says, refused.stderr)

    def with_keys(self, text, **keys):
        path = self.shared.file("other.conf")
        lines = [line for line in text.splitlines() if line.partition("=")[0] not in keys]
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join([*lines, *(f"{key}={value}" for key, value in keys.items() if value), ""]))
        return self.admin("crl-publish", config=path)


if __name__ == "__main__":
    run()
