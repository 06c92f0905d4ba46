# SPDX-License-Identifier: Apache-2.0
"""Verifiers that share no code with lib/. Each answers for a list of files: {path: None or why not}."""
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
# gpgsm's home sits in a short path: its agent's socket has to fit into 108 bytes.
JARS = ":".join(f"/usr/share/java/{name}.jar" for name in ("bcprov", "bcutil", "bcpkix"))


def run(*command, timeout=120, **keywords):
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    return subprocess.run(command, capture_output=True, env=environment, timeout=timeout, check=False, **keywords)


def last_line(result):
    lines = (result.stdout + result.stderr).decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else f"exit status {result.returncode}"


class Party:
    """One verifier. `name` heads its column, `what` says what it looks at."""

    def __init__(self, folder, work):
        self.folder = folder  # anchors.pem, all of them, and below it root.pem and ca.pem of every infrastructure
        self.work = work

    def close(self):
        pass

    def verify(self, paths):
        return {path: self.one(path) for path in paths}

    def one(self, path):
        raise NotImplementedError


class OpenSSL(Party):
    name, what = "openssl", "base signature and signing certificate, `openssl cms -verify -cades`"

    def one(self, path):
        out = self.work / "openssl.out"
        result = run("openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", path, "-out", out,
                     "-CAfile", path.parent / "anchors.pem", "-purpose", "any")
        if result.returncode != 0:
            return last_line(result)
        return None if out.read_bytes() == (path.parent / "content").read_bytes() else "other content"


class GnuTLS(Party):
    name, what = "certtool", "base signature, GnuTLS `certtool --p7-verify`"

    def one(self, path):
        result = run("certtool", "--p7-verify", "--inder", "--infile", path, "--load-ca-certificate",
                     path.parent / "anchors.pem")
        good = result.returncode == 0 and b"Signature status: ok" in result.stdout + result.stderr
        return None if good else last_line(result)


class GnuPG(Party):
    name, what = "gpgsm", "base signature, GnuPG `gpgsm --verify`"

    def __init__(self, folder, work):
        super().__init__(folder, work)
        self.home = Path(tempfile.mkdtemp(prefix="eonay-gpg-"))
        self.home.chmod(0o700)
        trusted = ""
        for root in folder.glob("**/root.pem"):
            printed = run("openssl", "x509", "-in", root, "-noout", "-fingerprint", "-sha1").stdout.decode()
            trusted += printed.split("=")[1].strip() + " S relax\n"
        (self.home / "trustlist.txt").write_text(trusted)
        (self.home / "gpgsm.conf").write_text("disable-crl-checks\ndisable-dirmngr\nno-common-certs-import\n")
        for path in (*folder.glob("**/root.pem"), *folder.glob("**/ca.pem")):
            self.gpgsm("--import", path)

    def gpgsm(self, *arguments):
        return run("gpgsm", "--homedir", self.home, "--batch", "--no-tty", *arguments)

    def one(self, path):
        result = self.gpgsm("--assume-binary", "--status-fd", "1", "--verify", path)
        good = result.returncode == 0 and b"[GNUPG:] GOODSIG" in result.stdout and b"TRUST_FULLY" in result.stdout
        return None if good else last_line(result)

    def close(self):
        run("gpgconf", "--homedir", self.home, "--kill", "all")
        shutil.rmtree(self.home, ignore_errors=True)


class PkiJs(Party):
    name, what = "pkijs", "base signature, pkijs on Node's WebCrypto"

    def __init__(self, folder, work):
        super().__init__(folder, work)
        self.modules = modules_install(work.parent)

    def verify(self, paths):
        result = run("node", HERE / "base.mjs", self.modules, self.folder / "anchors.pem", *paths)
        return lines_read(result, paths, ok=lambda words: words[1:] == ["ok"])


class BouncyCastle(Party):
    name, what = "BouncyCastle", "everything: ESS, time stamps, ats-hash-index-v3, revocation values, X-L, policy"

    def __init__(self, folder, work, classes):
        super().__init__(folder, work)
        self.classes = classes
        self.levels = {}

    def verify(self, paths, content=None):
        result = run("java", "-cp", f"{self.classes}:{JARS}", "Verify", self.folder / "anchors.pem", content or "-", *paths)
        answers = lines_read(result, paths, ok=lambda words: words[-1] == "ok")
        for line in result.stdout.decode().splitlines():
            words = line.split()
            self.levels[words[0]] = words[1:3]
        return answers


def lines_read(result, paths, ok):
    """`FILE word word …` for each file; a file without a line was not verified."""
    answers = {path: last_line(result) for path in paths}
    for line in result.stdout.decode("utf-8", "replace").splitlines():
        words = line.split()
        if words and Path(words[0]) in answers:
            answers[Path(words[0])] = None if ok(words) else " ".join(words[1:])
    return answers


def modules_install(folder):
    """pkijs by npm, once for a build tree. The versions are those that package.json names."""
    modules = folder / "node_modules"
    if not (modules / "pkijs").is_dir():
        shutil.copy(HERE / "package.json", folder / "package.json")
        result = run("npm", "install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", cwd=folder, timeout=300)
        if result.returncode != 0:
            raise SystemExit("npm cannot install pkijs: " + last_line(result))
    return modules
