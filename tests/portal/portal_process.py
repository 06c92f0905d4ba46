# SPDX-License-Identifier: Apache-2.0
"""eonay-portal as a process of ours, on loopback with TLS, and a client of its interface."""
import base64
import contextlib
import hashlib
import http.client
import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import sqlite3
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.parse

from pki import Pki
from tls import TlsAuthority

BUILD = pathlib.Path(os.environ["EONAY_BUILD"])
PROGRAM = str(BUILD / "portal" / "eonay-portal")
TOOL = str(BUILD / "tests" / "portal" / "portal-tool")
MKPKI = str(BUILD / "tests" / "fixtures" / "mkpki")
DEADLINE = 60
AYSE = "10000000146"
MEHMET = "12345678950"
NES = "e-onay.nes-application"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
CLIENT_KEY = "musteri-anahtari-0123456789abcdef"


CRL_CONFIG = """
[ca]
default_ca = own
[own]
database = {folder}/index
crlnumber = {folder}/number
default_md = sha384
default_crl_days = 1
"""


class Scene:
    """A folder with what all portals of a test share: authorities, citizens, the key of the portal."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="eonay-portal-")
        self.stack = contextlib.ExitStack()
        self.stack.callback(shutil.rmtree, self.folder, True)
        self.tls = TlsAuthority(self.path("tls"))
        self.server = self.tls.issue("server")
        self.pki = Pki(MKPKI, self.folder)
        self.ayse = self.pki.issue("ayse", key="p256", tckn=AYSE)
        self.mehmet = self.pki.issue("mehmet", key="p256", tckn=MEHMET, name="MEHMET ÖZ")
        with open(self.path("clients"), "w", encoding="ascii") as file:
            file.write("# made by a test\ndeneme " + hashlib.sha256(CLIENT_KEY.encode()).hexdigest() + "\n")

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def revocation_list(self, name, *entries, days=1, start=None):
        """A revocation list of the issuing authority; entries: (credential, reason or None)."""
        folder = self.path("crl-" + name)
        os.makedirs(folder, exist_ok=True)
        lines = []
        for credential, reason in entries:
            shown = subprocess.run(["openssl", "x509", "-in", credential.certificate, "-noout", "-serial"], capture_output=True,
                                   text=True, check=True, timeout=DEADLINE).stdout.strip().partition("=")[2]
            lines.append(f"R\t391231235959Z\t250101000000Z{',' + reason if reason else ''}\t{shown}\tunknown\t/CN=x\n")
        for file, text in (("index", "".join(lines)), ("number", "01\n"), ("cnf", CRL_CONFIG.format(folder=folder))):
            with open(os.path.join(folder, file), "w", encoding="ascii") as target:
                target.write(text)
        span = ["-crl_lastupdate", start[0], "-crl_nextupdate", start[1]] if start else ["-crldays", str(days)]
        made = os.path.join(folder, "made.pem")
        subprocess.run(["openssl", "ca", "-config", os.path.join(folder, "cnf"), "-gencrl", "-cert", self.pki.issuing, "-keyfile",
                        os.path.join(self.pki.folder, "ca-key.pem"), *span, "-out", made], check=True, timeout=DEADLINE,
                       stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        path = self.path(name + ".crl")
        os.replace(made, path)
        return path

    def sqlite(self, name="portal"):
        return "sqlite:" + self.path(name + ".db")

    def portal(self, database, **keys):
        portal = Portal(self, database, **keys)
        self.stack.callback(portal.close)
        return portal

    def close(self):
        self.stack.close()


class Portal:
    """One instance. Keys are of the section [Portal]; a value of None leaves one out."""
    count = 0

    def __init__(self, scene, database, **keys):
        Portal.count += 1
        self.scene, self.database = scene, database
        self.name = f"portal-{Portal.count}"
        self.config = scene.path(self.name + ".conf")
        self.log = scene.path(self.name + ".log")
        self.address = "127.0.0.1:0"
        self.keys = {"Certificate": scene.server.certificate, "PrivateKey": scene.server.key, "Database": database,
                     "KeyFile": scene.path("portal.key"), "TrustAnchors": scene.pki.root,
                     "Intermediates": scene.pki.issuing, "Clients": scene.path("clients"), **keys}
        self.process = None
        self.start()

    def start(self):
        lines = [f"{key}={value}" for key, value in {"Listen": self.address, **self.keys}.items() if value is not None]
        with open(self.config, "w", encoding="utf-8") as file:
            file.write("\n".join(["[Portal]", *lines, ""]))
        with open(self.log, "ab") as log:
            begin = log.tell()
            self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", PROGRAM, "--config", self.config], stderr=log,
                                            stdin=subprocess.DEVNULL, start_new_session=True,
                                            env={**os.environ, "EONAY_LOCALE_DIR": str(BUILD / "po")})
        where = self.wait_log(r"listening on (\S+)", begin)
        parts = urllib.parse.urlsplit(where)
        if parts.port:
            self.port = parts.port
            self.address = self.keys.get("Listen", f"127.0.0.1:{self.port}")

    def wait_log(self, pattern, begin=0):
        until = time.monotonic() + DEADLINE
        while time.monotonic() < until:
            text = pathlib.Path(self.log).read_bytes()[begin:].decode()
            found = re.search(pattern, text)
            if found:
                return found.group(1) if found.groups() else found.group(0)
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} ended: {text}")
            time.sleep(0.01)
        raise RuntimeError(f"{self.name} says no {pattern}")

    def api(self, **options):
        return Api(self, **options)

    def tool(self, *arguments, stdin="", check=True):
        return subprocess.run([TOOL, self.config, *arguments], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=isinstance(stdin, str), check=check, timeout=DEADLINE)

    def issue(self, subject=AYSE, purpose=NES, account=None):
        return self.issue_many([(subject, purpose, account)])[0]

    def issue_many(self, rows):
        lines = "".join(f"{subject or '-'} {purpose} {account or ''}\n" for subject, purpose, account in rows)
        return self.tool("issue", stdin=lines).stdout.split()

    def evidence(self, receipt):
        return json.loads(self.tool("evidence", receipt).stdout)

    def register(self, credential, state):
        with open(credential.certificate_der, "rb") as file:
            self.tool("register", state, stdin=file.read())

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.terminate()
        return self.process.wait(DEADLINE)

    def close(self):
        if self.process and self.process.poll() is None:
            self.kill()


def rows(database, statement, postgres=None):
    """One number from the records, whichever database they are in."""
    if database.startswith("sqlite:"):
        with contextlib.closing(sqlite3.connect(database[7:], timeout=DEADLINE)) as db:
            return db.execute(statement).fetchone()[0]
    return int(postgres.sql(database.split("/")[3].split("?")[0], statement))


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.raw = status, headers, body
        kind = headers.get("Content-Type", "")
        self.body = json.loads(body) if "json" in kind else None
        self.code = (self.body or {}).get("code")

    def __repr__(self):
        return f"{self.status} {self.raw[:300]}"


class Api:
    """One client with a connection of its own, which stays open."""

    def __init__(self, portal, key=None, timeout=DEADLINE):
        self.portal, self.key, self.timeout = portal, key, timeout
        self.context = ssl.create_default_context(cafile=portal.scene.tls.ca)
        self.connection = None
        self.lock = threading.Lock()

    def connect(self):
        return http.client.HTTPSConnection("127.0.0.1", self.portal.port, context=self.context, timeout=self.timeout)

    def call(self, method, path, body=None, **headers):
        """A dict goes as JSON, a list of pairs as a form, anything else as it is. Header names: _ for -."""
        names = {name.replace("_", "-"): value for name, value in headers.items() if value is not None}
        if isinstance(body, dict):
            body = json.dumps(body)
            names.setdefault("Content-Type", "application/json")
        elif isinstance(body, list):
            body = urllib.parse.urlencode(body)
            names.setdefault("Content-Type", "application/x-www-form-urlencoded")
        if self.key:
            names.setdefault("Authorization", "Bearer " + self.key)
        if not self.connection:
            self.connection = self.connect()
        try:
            self.connection.request(method, path, body, names)
            response = self.connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        except BaseException:
            self.close()
            raise

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    __del__ = close

    def redeem(self, code, key=None, operations=None, **headers):
        body = {"code": code, **({} if operations is None else {"operations": operations})}
        return self.call("POST", "/v1/redemptions", body, Idempotency_Key=key, **headers)

    def submit(self, transaction, signatures, key, **headers):
        body = {"signatures": [base64.b64encode(cms).decode() for cms in signatures]}
        return self.call("POST", "/v1/transaction/signatures", body, Eonay_Transaction=transaction, Idempotency_Key=key,
                         **headers)

    def status(self, transaction):
        return self.call("GET", "/v1/transaction", Eonay_Transaction=transaction)

    def cancel(self, transaction):
        return self.call("DELETE", "/v1/transaction", Eonay_Transaction=transaction)

    def device(self, client="deneme-programi", **fields):
        return self.call("POST", "/v1/device_authorization", [("client_id", client), *fields.items()])

    def poll(self, device_code, client="deneme-programi"):
        return self.call("POST", "/v1/token", [("grant_type", DEVICE_GRANT), ("client_id", client), ("device_code", device_code)])

    def opened(self, code, credential, **options):
        """Redeems the code and signs its text: (transaction, signatures)."""
        answer = self.redeem(code, new_key())
        assert answer.status == 200, answer
        return answer.body["transaction"], [sign(base64.b64decode(text["bytes"]), credential, **options)
                                            for text in answer.body["texts"]]


def sign(text, credential, seconds=0):
    return subprocess.run([TOOL, "-", "sign", credential.certificate_der, credential.key, str(seconds)], input=text,
                          stdout=subprocess.PIPE, check=True, timeout=DEADLINE).stdout


def new_key():
    return secrets.token_hex(16)
