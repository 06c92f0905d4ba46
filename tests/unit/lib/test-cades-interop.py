#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Signatures of every kind before verifiers that share no code with lib/: OpenSSL's CMS, GnuTLS, GnuPG, asn1crypto.

Usage: test-cades-interop.py CADES-SAMPLES. Each verifier is also shown a damaged message, which it has to refuse: a
verifier that accepts everything would prove nothing.
"""
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from asn1crypto import cms, core, tsp, x509

assert tsp  # imported because it teaches cms what signing-certificate-v2 is

FOUR = {"content_type", "signing_time", "message_digest", "signing_certificate_v2"}
# Limits of the verifiers of Debian 12, not of the messages; the others accept these.
NOT_FOR_GNUTLS = {"rsa2048-pss-sha384", "rsa2048-pss-sha512"}  # 3.7 takes every PSS signature in CMS for SHA-256
NOT_FOR_GNUPG = {"p521-raw"}  # 2.2 refuses curves whose size is no multiple of 8
failures = []


def fail(what):
    failures.append(what)
    print("FAILED", what)


def run(*command, **keywords):
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    return subprocess.run(command, capture_output=True, env=environment, timeout=60, **keywords)


def openssl_verifies(directory, path):
    chain = ["-CAfile", directory / "both.pem", "-purpose", "any"]
    out = directory / "verified"
    result = run("openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", path, "-out", out, *chain)
    return result.returncode == 0 and out.read_bytes() == (directory / "content").read_bytes()


def gnutls_verifies(directory, path):
    anchors = directory / "both.pem"
    result = run("certtool", "--p7-verify", "--inder", "--infile", path, "--load-ca-certificate", anchors)
    text = result.stdout + result.stderr
    return result.returncode == 0 and b"Signature status: ok" in text


class GnuPG:
    """gpgsm with a home of its own; its agent and keyboxd end with it."""

    def __init__(self, directory):
        self.home = Path(tempfile.mkdtemp(prefix="eonay-gpg-"))
        self.home.chmod(0o700)
        root = run("openssl", "x509", "-in", directory / "root.pem", "-noout", "-fingerprint", "-sha1").stdout.decode()
        (self.home / "trustlist.txt").write_text(root.split("=")[1].strip() + " S relax\n")
        (self.home / "gpgsm.conf").write_text("disable-crl-checks\ndisable-dirmngr\nno-common-certs-import\n")
        for name in ("root.pem", "ca.pem"):
            self.gpgsm("--import", directory / name)

    def gpgsm(self, *arguments):
        return run("gpgsm", "--homedir", self.home, "--batch", "--no-tty", *arguments)

    def verifies(self, path):
        result = self.gpgsm("--assume-binary", "--status-fd", "1", "--verify", path)
        return result.returncode == 0 and b"[GNUPG:] GOODSIG" in result.stdout and b"TRUST_FULLY" in result.stdout

    def close(self):
        run("gpgconf", "--homedir", self.home, "--kill", "all")
        shutil.rmtree(self.home, ignore_errors=True)


def structure_faults(der, content):
    """What asn1crypto sees, against EN 319 122-1 baseline B-B."""
    info = cms.ContentInfo.load(der, strict=True)
    if info.dump(force=True) != der:
        yield "another encoding is possible"
    data = info["content"]
    signers = data["signer_infos"]
    if data["version"].native != "v1" or len(signers) != 1 or signers[0]["version"].native != "v1":
        yield "versions or number of signers"
    if data["encap_content_info"]["content_type"].native != "data":
        yield "content type"
    if data["encap_content_info"]["content"].native != content:
        yield "content"
    yield from signer_faults(data, signers[0], content)


def signer_faults(data, signer, content):
    certificate = data["certificates"][0].chosen
    if len(data["certificates"]) != 1 or not isinstance(certificate, x509.Certificate):
        yield "certificates"
    sid = signer["sid"].chosen
    if sid["issuer"].dump() != certificate.issuer.dump() or sid["serial_number"].native != certificate.serial_number:
        yield "signer identifier"
    digest = signer["digest_algorithm"]["algorithm"].native
    if [a["algorithm"].native for a in data["digest_algorithms"]] != [digest]:
        yield "digest algorithms"
    attributes = {a["type"].native: a["values"] for a in signer["signed_attrs"]}
    if set(attributes) != FOUR or len(signer["signed_attrs"]) != 4 or any(len(v) != 1 for v in attributes.values()):
        yield "signed attributes"
        return
    if signer["unsigned_attrs"].native is not None:
        yield "unsigned attributes"
    if attributes["message_digest"][0].native != hashlib.new(digest, content).digest():
        yield "message digest"
    if not isinstance(attributes["signing_time"][0].chosen, core.UTCTime):
        yield "signing time"
    yield from identifier_faults(attributes["signing_certificate_v2"][0], certificate)
    algorithm = signer["signature_algorithm"]
    if algorithm.signature_algo == "rsassa_pss":
        yield from pss_faults(algorithm["parameters"], digest)
    elif algorithm.hash_algo != digest:
        yield "signature algorithm's hash"


def identifier_faults(value, certificate):
    if len(value["certs"]) != 1 or value["policies"].native is not None:
        yield "certificate identifiers"
    identifier = value["certs"][0]
    if identifier["hash_algorithm"]["algorithm"].native != "sha256":
        yield "identifier's hash algorithm"
    if identifier["cert_hash"].native != hashlib.sha256(certificate.dump()).digest():
        yield "identifier's hash"
    if identifier["issuer_serial"].native is not None:
        yield "issuerSerial is there"


def pss_faults(parameters, digest):
    mgf = parameters["mask_gen_algorithm"]
    if parameters["hash_algorithm"]["algorithm"].native != digest or mgf["algorithm"].native != "mgf1":
        yield "PSS hash or mask"
    if mgf["parameters"]["algorithm"].native != digest:
        yield "MGF1 hash"
    if parameters["salt_length"].native != hashlib.new(digest).digest_size:
        yield "salt length"


def damaged(directory, path):
    """A copy whose content has one other byte."""
    der = path.read_bytes()
    content = (directory / "content").read_bytes()
    other = directory / "damaged.p7s"
    other.write_bytes(der.replace(content, content[:-2] + b"!" + content[-1:]))
    return other


def sample_check(directory, path, gnupg):
    name = path.stem
    wrong = damaged(directory, path)
    if not openssl_verifies(directory, path) or openssl_verifies(directory, wrong):
        fail(f"{name}: openssl")
    if (name not in NOT_FOR_GNUTLS and not gnutls_verifies(directory, path)) or gnutls_verifies(directory, wrong):
        fail(f"{name}: certtool")
    if gnupg and ((name not in NOT_FOR_GNUPG and not gnupg.verifies(path)) or gnupg.verifies(wrong)):
        fail(f"{name}: gpgsm")
    for fault in structure_faults(path.read_bytes(), (directory / "content").read_bytes()):
        fail(f"{name}: structure: {fault}")


def main():
    with tempfile.TemporaryDirectory(prefix="eonay-interop-") as temporary:
        directory = Path(temporary)
        subprocess.run([sys.argv[1], directory], check=True, timeout=120)
        # The issuing authority is not in the message, and none of the tools takes it as an untrusted helper.
        (directory / "both.pem").write_bytes((directory / "root.pem").read_bytes() + (directory / "ca.pem").read_bytes())
        gnupg = GnuPG(directory) if shutil.which("gpgsm") else None
        try:
            samples = sorted(directory.glob("*.p7s"))
            for path in samples:
                sample_check(directory, path, gnupg)
        finally:
            if gnupg:
                gnupg.close()
    print(f"{len(samples)} signatures, {len(failures)} failures" + ("" if gnupg else ", no gpgsm"))
    return 1 if failures or len(samples) != 12 else 0


sys.exit(main())
