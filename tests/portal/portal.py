# SPDX-License-Identifier: Apache-2.0
"""The real portal in a sandbox, beside a daemon that reaches it through ca-rest. Codes come from portal-tool, which does on the
records what the pages do after a login."""
import concurrent.futures
import os
import signal
import socket
import sqlite3
import time

from processes import Child, ProcessError, run_tool
from testing import BUILD
from tls import TlsAuthority

AYSE = "10000000146"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Portal:
    """with TLS of its own, or plain behind a proxy (`plain`). `url` is where programs reach it."""

    def __init__(self, sandbox, plain=False, public_url=None, socket_path=None, **keys):
        self.sandbox = sandbox
        self.folder = sandbox.file("portal")
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        self.tls = TlsAuthority(sandbox.file("portal-tls"))
        self.certificate = self.tls.issue("portal")
        self.port = free_port()
        self.plain = plain
        self.socket = socket_path  # in place of the port
        self.url = f"{'http' if plain else 'https'}://127.0.0.1:{self.port}"
        self.database = os.path.join(self.folder, "portal.db")
        self.config = os.path.join(self.folder, "eonay-portal.conf")
        self.child = None
        self.starts = 0
        self.starter = concurrent.futures.ThreadPoolExecutor(max_workers=1)
        self.write_config(public_url or self.url, keys)

    def write_config(self, public_url, more):
        transport = {"PlainHttp": "yes"} if self.plain else {"Certificate": self.certificate.certificate,
                                                             "PrivateKey": self.certificate.key}
        keys = {"Listen": f"unix:{self.socket}" if self.socket else f"127.0.0.1:{self.port}",
                "PublicUrl": public_url, "Name": "Örnek Sertifikasyon Merkezi",
                "Database": "sqlite:" + self.database, "KeyFile": os.path.join(self.folder, "portal.key"),
                "TrustAnchors": self.sandbox.pki.root, "Intermediates": self.sandbox.pki.issuing, "AllowRepeats": "yes",
                **transport, **more}
        with open(self.config, "w", encoding="utf-8") as file:
            file.write("[Portal]\n" + "".join(f"{key}={value}\n" for key, value in keys.items()))

    def start(self, wait=True):
        """From any thread: it ends with the thread that starts it, so one that stays does."""
        self.starter.submit(self.start_here, wait).result()

    def start_here(self, wait):
        self.starts += 1
        self.child = Child("eonay-portal", [os.path.join(BUILD, "portal", "eonay-portal"), "--config", self.config],
                           self.sandbox.file(f"portal-{self.starts}.log"),
                           env={**os.environ, "EONAY_LOCALE_DIR": os.path.join(BUILD, "po")})
        if wait:
            self.wait()

    def wait(self, timeout=30):
        until = time.monotonic() + timeout
        while True:
            try:
                self.connect()
                return
            except OSError:
                if not self.child.running() or time.monotonic() > until:
                    raise ProcessError("the portal did not start:\n" + self.child.log_tail()) from None
                time.sleep(0.02)

    def connect(self):
        if not self.socket:
            socket.create_connection(("127.0.0.1", self.port), timeout=20).close()
            return
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.socket)

    def stop(self):
        if self.child:
            self.child.end()
            self.child = None

    def kill(self):
        self.child.signal(signal.SIGKILL)
        self.child.end()

    def restart_killed(self):
        self.kill()
        self.start()

    # -- what its pages would do ---------------------------------------------------------------------------------

    def tool(self, *arguments, text=""):
        reader, writer = os.pipe()
        os.write(writer, text.encode())
        os.close(writer)
        with os.fdopen(reader) as stdin:
            return run_tool([os.path.join(BUILD, "tests/portal/portal-tool"), self.config, *arguments],
                            redirected=stdin).decode().strip()

    def code(self, subject=AYSE, purpose="e-onay.nes-application"):
        return self.tool("issue", text=f"{subject} {purpose}\n")

    def decide(self, user_code, answer="yes", subject=AYSE):
        return self.tool("decide", user_code, answer, subject)

    # -- witnesses ------------------------------------------------------------------------------------------------

    def rows(self, sql, *values):
        database = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=30)
        try:
            return database.execute(sql, values).fetchall()
        finally:
            database.close()

    def receipts(self):
        return [receipt for receipt, in self.rows("SELECT receipt_id FROM approval")]

    def section(self, url=None, ca=None, **more):
        """The daemon's section for it."""
        return {"Plugin": "ca-rest", "Url": url or self.url, "CaFile": ca or self.tls.ca, **more}
