# SPDX-License-Identifier: Apache-2.0
"""A time-stamp authority, an OCSP responder and revocation lists behind HTTP, made by the openssl program, and the trust
store that names their root. What each path answers can be replaced, to see what comes of it:

    with Responders(programs, folder) as services:
        services.faults["/tsa"] = lambda request: (200, b"<html>")
"""
import http.server
import os
import subprocess
import threading
import time

from pki import Pki
from processes import run_tool

POLICY = "2.999.3161.1"

TSA_CONFIG = """\
[tsa]
default_tsa = one
[one]
serial = {folder}/tsa.serial
crypto_device = builtin
signer_cert = {base}.crt.pem
certs = {issuing}
signer_key = {base}.key.pem
signer_digest = sha256
default_policy = {policy}
digests = sha256, sha384, sha512
accuracy = secs:1
tsa_name = no
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""

CA_CONFIG = """\
[ca]
default_ca = one
[one]
database = {folder}/{name}.index
crlnumber = {folder}/{name}.number
default_md = sha256
"""


def serial_of(certificate):
    return run_tool(["openssl", "x509", "-in", certificate, "-noout", "-serial"]).decode().strip().split("=")[1]


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """Clients hang up when they have heard enough."""


class Responders:
    def __init__(self, programs, folder):
        self.programs = programs
        self.folder = os.path.join(folder, "services")
        os.makedirs(self.folder, exist_ok=True)
        self.faults = {}  # path → function of the request body, giving (status, body) or a response with headers
        self.asked = []  # paths, in order
        self.probe_too = False  # whether a fault of a time-stamp authority answers GET as well
        self.lock = threading.Lock()
        self.list_life = 86400
        self.states = {}  # serial → index line's state
        self.server = Server(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.pki = Pki(programs.mkpki, folder, crl=self.url + "/root.crl")
        self.locations = {"ocsp": self.url + "/ocsp", "crl": self.url + "/ca.crl", "issuers": self.url + "/ca.der"}
        self.responder = self.pki.issue("ocsp", profile="ocsp", key="p256", name="eonay Test OCSP", tckn="1")
        self._prepare()
        self.add_tsa("tsa")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    # -- what is set up ------------------------------------------------------------------------------------------

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def _prepare(self):
        for name in ("ca", "root"):
            self.write(name + ".index", "")
            self.write(name + ".number", "01")
            self.write(name + ".cnf", CA_CONFIG.format(folder=self.folder, name=name))
        self.write("tsa.serial", "01")
        run_tool(["openssl", "x509", "-in", self.pki.issuing, "-outform", "DER", "-out", self.path("ca.der")])

    def add_tsa(self, name, **issue):
        """A further authority at /NAME."""
        values = {"profile": "tsa", "key": "p256", "name": "eonay Test TSA", "tckn": "1", **self.locations, **issue}
        credential = self.pki.issue(name, **values)
        base = credential.certificate[:-len(".crt.pem")]
        self.write(name + ".cnf", TSA_CONFIG.format(folder=self.folder, base=base, issuing=self.pki.issuing, policy=POLICY))
        self.know(credential)
        return credential

    def know(self, credential, state="V"):
        """Tells the responder of a certificate. state: V, or R and a CRLReason's name: "R,certificateHold"."""
        with self.lock:
            self.states[serial_of(credential.certificate)] = state
            lines = []
            for serial, told in self.states.items():
                kind, _, reason = told.partition(",")
                revoked = time.strftime("%y%m%d%H%M%SZ", time.gmtime(time.time() - 60)) + "," + reason if kind == "R" else ""
                lines.append(f"{kind}\t400101000000Z\t{revoked}\t{serial}\tunknown\t/CN={serial}\n")
            self.write("ca.index", "".join(lines))

    def make_store(self, *anchors, folder=None):
        """A trust store with the root in it, or with what is given; returns its path and that of its key."""
        folder = folder or os.path.join(self.folder, "trust")
        private, public = self.path("trust.key"), self.path("trust.pub")
        if not os.path.exists(private):
            run_tool([self.programs.trust, "init", "--key", private, "--public", public])
        run_tool([self.programs.trust, "import", "--store", folder, "--key", private, "--public", public,
                  *(anchors or [self.pki.root])])
        return os.path.join(folder, "current"), public

    def serve_sandbox(self, sandbox, level, label="eonay-demo"):
        """Everything that a sandbox not started yet needs for signatures of this level by its usual token."""
        sandbox.pki = self.pki
        self.know(sandbox.add_token(label, **self.locations))
        current, public = self.make_store()
        sandbox.set_section("Signature", TrustStore=current, TrustKey=public, GracePeriodSec="0")
        sandbox.set_section("Fetch", Internal="yes")
        sandbox.set_section("Timestamp tsa", Url=self.url + "/tsa", Policy=POLICY)
        sandbox.set_section("Backend local", **sandbox.default_sections()["Backend local"], Level=level)

    # -- what is answered ----------------------------------------------------------------------------------------

    def _stamp(self, name, body):
        with self.lock:
            query, reply = self.path("query"), self.path("reply")
            with open(query, "wb") as file:
                file.write(body)
            subprocess.run(["openssl", "ts", "-reply", "-config", self.path(name + ".cnf"), "-section", "one", "-queryfile",
                            query, "-out", reply], check=False, capture_output=True, timeout=30)
            with open(reply, "rb") as file:
                return file.read()

    def _ocsp(self, body):
        with self.lock:
            query, reply = self.path("query"), self.path("reply")
            with open(query, "wb") as file:
                file.write(body)
            base = self.responder.certificate[:-len(".crt.pem")]
            subprocess.run(["openssl", "ocsp", "-index", self.path("ca.index"), "-CA", self.pki.issuing, "-rsigner",
                            base + ".crt.pem", "-rkey", base + ".key.pem", "-reqin", query, "-respout", reply, "-nmin", "5"],
                           check=True, capture_output=True, timeout=30)
            with open(reply, "rb") as file:
                return file.read()

    def _list(self, name):
        with self.lock:
            issuer = os.path.join(self.pki.folder, name)
            pem, der = self.path(name + ".crl.pem"), self.path(name + ".crl")
            subprocess.run(["openssl", "ca", "-gencrl", "-config", self.path(name + ".cnf"), "-cert", issuer + ".pem",
                            "-keyfile", issuer + "-key.pem", "-crlsec", str(self.list_life), "-out", pem], check=True,
                           capture_output=True, timeout=30)
            subprocess.run(["openssl", "crl", "-in", pem, "-outform", "DER", "-out", der], check=True, capture_output=True,
                           timeout=30)
            with open(der, "rb") as file:
                return file.read()

    def is_tsa(self, path):
        return path not in ("/ca.crl", "/root.crl") and os.path.exists(self.path(path[1:] + ".cnf"))

    def answer(self, path, body):
        """The right answer: (status, body)."""
        if path == "/ocsp":
            return 200, self._ocsp(body)
        if path in ("/ca.crl", "/root.crl"):
            return 200, self._list(path[1:-len(".crl")])
        if path == "/ca.der":
            with open(self.path("ca.der"), "rb") as file:
                return 200, file.read()
        if self.is_tsa(path) and body:
            return 200, self._stamp(path[1:], body)
        return 404, b""

    def _handler(services):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.path = self.path.removeprefix(services.url)  # whole when a proxy passes it on
                services.asked.append((self.command, self.path, dict(self.headers)))
                fault = services.faults.get(self.path)
                wanted = self.command == "POST" or not services.is_tsa(self.path) or services.probe_too
                if fault and wanted:
                    try:
                        answer = fault(body)
                    except ConnectionError:
                        self.close_connection = True
                        return
                else:
                    answer = services.answer(self.path, body)
                status, content, *more = answer
                self.send_response(status)
                for name, value in (more[0] if more else {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = _serve

            def log_message(self, *_):
                pass

        return Handler
