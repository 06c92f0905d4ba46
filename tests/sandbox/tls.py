# SPDX-License-Identifier: Apache-2.0
"""A throw-away authority for TLS: servers, clients, and certificates that are wrong in one way each."""
import base64
import hashlib
import os
import ssl
import subprocess

from processes import run_tool

CONFIG = """
[ca]
default_ca = own
[own]
new_certs_dir = {folder}
database = {folder}/index
serial = {folder}/serial
certificate = {folder}/ca.pem
private_key = {folder}/ca.key
default_md = sha256
default_days = 30
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
[req]
distinguished_name = name
prompt = no
[name]
commonName = placeholder
"""


class Certificate:
    def __init__(self, certificate, key):
        self.certificate = certificate
        self.key = key

    def pin(self):
        """As CURLOPT_PINNEDPUBLICKEY and PinnedPublicKey= take it."""
        public = run_tool(["openssl", "x509", "-in", self.certificate, "-noout", "-pubkey"])
        der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=public, stdout=subprocess.PIPE,
                             check=True).stdout
        return "sha256//" + base64.b64encode(hashlib.sha256(der).digest()).decode()

    def server_context(self, client_ca=None, alpn=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        if client_ca:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(client_ca)
        if alpn:
            context.set_alpn_protocols(alpn)
        return context


class TlsAuthority:
    """`ca` is what a client has to trust."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, mode=0o700, exist_ok=True)
        self.ca = os.path.join(folder, "ca.pem")
        self.config = os.path.join(folder, "openssl.cnf")
        with open(self.config, "w", encoding="ascii") as file:
            file.write(CONFIG.format(folder=folder))
        with open(os.path.join(folder, "index"), "w", encoding="ascii"):
            pass
        with open(os.path.join(folder, "serial"), "w", encoding="ascii") as file:
            file.write("01\n")
        run_tool(["openssl", "req", "-config", self.config, "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                  "-nodes", "-keyout", os.path.join(folder, "ca.key"), "-out", self.ca, "-days", "30",
                  "-subj", "/CN=Throw-away TLS authority", "-addext", "basicConstraints=critical,CA:TRUE",
                  "-addext", "keyUsage=critical,keyCertSign,cRLSign"])

    def issue(self, name, hosts="IP:127.0.0.1,DNS:localhost", start=None, end=None, usage="serverAuth"):
        """start and end: YYMMDDHHMMSSZ."""
        base = os.path.join(self.folder, name)
        run_tool(["openssl", "req", "-config", self.config, "-new", "-newkey", "ec", "-pkeyopt",
                  "ec_paramgen_curve:P-256", "-nodes", "-keyout", base + ".key", "-out", base + ".csr",
                  "-subj", "/CN=" + name, "-addext", "subjectAltName=" + hosts,
                  "-addext", "extendedKeyUsage=" + usage])
        dates = [*(["-startdate", start] if start else []), *(["-enddate", end] if end else [])]
        run_tool(["openssl", "ca", "-config", self.config, "-batch", "-notext", "-in", base + ".csr", "-out", base + ".pem",
                  *dates])
        return Certificate(base + ".pem", base + ".key")

    def expired(self, name="expired"):
        return self.issue(name, start="200101000000Z", end="210101000000Z")
