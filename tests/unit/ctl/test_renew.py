# SPDX-License-Identifier: Apache-2.0
"""eonayctl renew with OpenSSL as the time-stamp authority: the proof carries on, and a stamp that nobody trusts does not count."""
import os
import subprocess
import tempfile
import unittest

BUILD = os.environ["EONAY_BUILD"]
CTL = os.path.join(BUILD, "client-examples/eonayctl/eonayctl")
MKPKI = os.path.join(BUILD, "tests/fixtures/mkpki")
SAMPLES = os.path.join(BUILD, "tests/unit/lib/level-samples")
JAR = os.path.join(BUILD, "tests/interop/verify.jar")
JARS = ":".join(f"/usr/share/java/{name}.jar" for name in ("bcprov", "bcutil", "bcpkix"))
CONFIG = """[tsa]
default_tsa = t
[t]
serial = {folder}/serial
signer_cert = {base}.crt.pem
signer_key = {base}.key.pem
certs = {ca}
signer_digest = sha256
default_policy = 2.999.1
digests = sha256
ess_cert_id_alg = sha256
"""


class Renew(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="eonay-renew-")
        cls.run_tool(SAMPLES, cls.folder)
        cls.signature = cls.file("p256-B-LTA.p7s")
        with open(cls.file("anchors.pem"), "wb") as anchors:
            for name in ("p256/root.pem", "p256/ca.pem"):
                with open(cls.file(name), "rb") as file:
                    anchors.write(file.read())

    @classmethod
    def tearDownClass(cls):
        subprocess.run(["rm", "-rf", cls.folder], check=True)

    @classmethod
    def file(cls, name):
        return os.path.join(cls.folder, name)

    @staticmethod
    def run_tool(*command):
        subprocess.run(command, check=True, capture_output=True, timeout=120)

    def renew(self, *arguments, status=0):
        result = subprocess.run([CTL, "renew", *arguments], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        return result

    def authority_answers(self, pki, request):
        base = self.file(f"tsa-{pki}")
        self.run_tool(MKPKI, "issue", self.file(pki), "--profile", "tsa", "--out", base)
        with open(self.file("tsa.cnf"), "w", encoding="ascii") as file:
            file.write(CONFIG.format(folder=self.folder, base=base, ca=self.file(f"{pki}/ca.pem")))
        with open(self.file("serial"), "w", encoding="ascii") as file:
            file.write("01\n")
        response = self.file(f"{pki}.tsr")
        self.run_tool("openssl", "ts", "-reply", "-config", self.file("tsa.cnf"), "-queryfile", request, "-out", response)
        return response

    def request(self, signature):
        request = self.file("request.tsq")
        self.renew(signature, "--request", request)
        return request

    def answer(self, signature, response, output, status=0):
        return self.renew(signature, "--response", response, "--anchors", self.file("anchors.pem"), "--output", output,
                          status=status)

    def test_a_proof_is_renewed(self):
        renewed = self.file("renewed.p7s")
        self.answer(self.signature, self.authority_answers("p256", self.request(self.signature)), renewed)
        if os.path.exists(JAR):
            line = subprocess.run(["java", "-cp", f"{JAR}:{JARS}", "Verify", self.file("anchors.pem"), "-", renewed],
                                  capture_output=True, text=True, check=True, timeout=60).stdout
            self.assertEqual(line.split()[1:4], ["B-LTA", "-", "3"])

    def test_a_stamp_of_nobody_trusted_is_refused(self):
        output = self.file("foreign.p7s")
        self.answer(self.signature, self.authority_answers("p384", self.request(self.signature)), output, status=1)
        self.assertFalse(os.path.exists(output))

    def test_an_answer_to_another_request_is_refused(self):
        response = self.authority_answers("p256", self.request(self.file("p256-B-LT.p7s")))
        output = self.file("other.p7s")
        self.answer(self.signature, response, output, status=1)
        self.assertFalse(os.path.exists(output))

    def test_only_what_has_its_material_is_renewed(self):
        for level in ("B-B", "B-T", "P4"):
            self.renew(self.file(f"p256-{level}.p7s"), "--request", self.file("x"), status=1)
        self.renew(self.signature, status=2)
        self.renew(self.signature, "--response", self.file("x"), status=2)


if __name__ == "__main__":
    unittest.main()
