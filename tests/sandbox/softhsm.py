# SPDX-License-Identifier: Apache-2.0
"""SoftHSM tokens for a sandbox: one token folder with its own configuration, any number of tokens.

PINs go to pkcs11-tool through its environment, not through its arguments, which every user of the machine can read.
"""
import os
import secrets

from processes import ProcessError, run_tool

MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
           "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so")


def find_module():
    for path in MODULES:
        if os.path.exists(path):
            return os.path.realpath(path)
    raise ProcessError("SoftHSM's module libsofthsm2.so is not installed (package softhsm2)")


def random_digits(count):
    return "".join(secrets.choice("0123456789") for _ in range(count))


class SoftHsm:
    """The token folder. Each token has one user PIN, the same for all of a sandbox."""

    def __init__(self, folder, pin):
        self.module = find_module()
        self.folder = os.path.join(folder, "softhsm")
        self.tokens = os.path.join(self.folder, "tokens")
        self.conf = os.path.join(self.folder, "softhsm2.conf")
        self.pin = pin
        self.so_pin = random_digits(8)
        self.count = 0
        os.makedirs(self.tokens, mode=0o700)
        with open(self.conf, "w", encoding="utf-8") as conf:
            conf.write(f"directories.tokendir = {self.tokens}\nobjectstore.backend = file\n"
                       "log.level = ERROR\nslots.removable = false\n")

    def tool(self, *arguments):
        """Runs pkcs11-tool on the module; the words env:PIN and env:SO_PIN stand for the PINs."""
        env = dict(os.environ, SOFTHSM2_CONF=self.conf, PIN=self.pin, SO_PIN=self.so_pin)
        return run_tool(["pkcs11-tool", "--module", self.module, *arguments], env=env)

    def add_token(self, label):
        """An empty token. SoftHSM always offers one slot without a token, behind all others."""
        self.tool("--init-token", "--slot-index", self.count, "--label", label, "--so-pin", "env:SO_PIN")
        self.count += 1
        self.tool("--token-label", label, "--init-pin", "--login", "--login-type", "so", "--so-pin", "env:SO_PIN",
                  "--new-pin", "env:PIN")

    def write(self, label, kind, path, object_id, *options):
        self.tool("--token-label", label, "--login", "--pin", "env:PIN", "--write-object", path, "--type", kind,
                  "--id", object_id, "--label", label, *options)

    def add_credential(self, label, credential, object_id="01", always_authenticate=False):
        """Imports a private key and its certificate under one CKA_ID."""
        options = ["--usage-sign", "--sensitive"] + (["--always-auth"] if always_authenticate else [])
        self.write(label, "privkey", credential.key, object_id, *options)
        self.add_certificate(label, credential, object_id)

    def add_certificate(self, label, credential, object_id):
        """Imports a certificate alone: one whose key is not on the token."""
        self.write(label, "cert", credential.certificate_der, object_id)
