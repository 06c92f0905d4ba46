# SPDX-License-Identifier: Apache-2.0
"""Time-stamp authorities that are slow, late, behind TLS and a proxy; and a fetch host or the daemon that dies while a signature
is being raised: it reaches its level, or ends with an error that stays on record. Nothing is waited for by the clock alone."""
import http.server
import os
import re
import signal
import socket
import threading
import time

from client import OPTIONS, Client, plain
from crash_scene import wait_until
from responders import Server
from test_levels import LevelTest
from testing import run
from tls import TlsAuthority

DEADLINE_MS = "8000"  # long for openssl on a busy machine, short for somebody who waits for it


def posts(services):
    return [path for method, path, _headers in services.asked if method == "POST" and path != "/ocsp"]


class Slow(LevelTest):
    """One that answers after the deadline, then one that takes its time and is right."""

    TIMESTAMPS = ("late", "slow")
    SIGNATURE = {"FetchDeadlineMs": DEADLINE_MS}

    def prepare(self):
        self.over = threading.Event()
        self.addCleanup(self.over.set)
        for name in self.TIMESTAMPS:
            self.services.add_tsa(name)
        self.services.faults["/late"] = self.late
        self.services.faults["/slow"] = self.slow

    def late(self, body):
        self.over.wait(120)
        return self.services.answer("/late", body)

    def slow(self, body):
        time.sleep(1)
        return self.services.answer("/slow", body)

    def test_the_next_one_is_asked_and_waited_for(self):
        self.signed("B-T")
        self.assertEqual(posts(self.services), ["/late", "/slow"])


class Proxy:
    """CONNECT for whoever asks, and what is not encrypted as it comes; remembers for where."""

    def __init__(self):
        self.asked = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                client, _address = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            part = client.recv(4096)
            if not part:
                return
            head += part
        method, target, _version = head.split(b"\r\n")[0].decode().split(" ")
        self.asked.append((method, target))
        host, port = (target if method == "CONNECT" else target.split("/")[2]).rsplit(":", 1)
        there = socket.create_connection((host, int(port)))
        if method == "CONNECT":
            client.sendall(b"HTTP/1.1 200 here you are\r\n\r\n")
        else:
            there.sendall(head)
        for one, other in ((client, there), (there, client)):
            threading.Thread(target=self._pour, args=(one, other), daemon=True).start()

    @staticmethod
    def _pour(one, other):
        try:
            while part := one.recv(65536):
                other.sendall(part)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def stop(self):
        self.socket.close()


class Secure(LevelTest):
    """https with an authority of its own, through a proxy."""

    def prepare(self):
        self.tls = TlsAuthority(self.shared.file("tls"))
        self.front_asked = []
        self.proxy = Proxy()
        self.addCleanup(self.proxy.stop)
        self.server = Server(("127.0.0.1", 0), self.front())
        self.server.daemon_threads = True
        self.server.socket = self.tls.issue("tsa").server_context().wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.port = self.server.server_address[1]

    def front(self):
        services, asked = self.services, self.front_asked

        class Front(http.server.BaseHTTPRequestHandler):
            def _serve(self):
                asked.append(self.command)
                status, content = services.answer(self.path, self.rfile.read(int(self.headers.get("Content-Length", 0))))
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = _serve

            def log_message(self, *_):
                pass
        return Front

    def configure(self):
        super().configure()
        self.shared.set_section("Fetch", Internal="yes", CaFile=self.tls.ca, Proxy=self.proxy.url)
        self.shared.set_section("Timestamp tsa", Url=f"https://127.0.0.1:{self.port}/tsa")

    def test_stamped_through_both(self):
        self.signed("B-T")
        self.assertIn(("CONNECT", f"127.0.0.1:{self.port}"), self.proxy.asked)
        self.assertEqual(self.front_asked, ["GET", "POST"])  # whether it is there, and to stamp


class SecureOfOthers(Secure):
    """The same with another authority's certificates: nobody is asked to stamp."""

    def configure(self):
        super().configure()
        other = TlsAuthority(self.shared.file("other"))
        self.shared.set_section("Fetch", Internal="yes", CaFile=other.ca, Proxy=self.proxy.url)

    def test_stamped_through_both(self):
        self.refused("B-T", "LevelUnreachable", "tsa")
        self.assertEqual(self.front_asked, [])


class Dies(LevelTest):
    TIMESTAMPS = ("killer", "tsa")

    def prepare(self):
        self.services.add_tsa("killer")
        self.services.faults["/killer"] = self.kill
        self.held = threading.Event()
        self.go_on = threading.Event()
        self.addCleanup(self.go_on.set)

    def hosts(self):
        return [int(pid) for pid in re.findall(r"plugin host (\d+) started for fetch", self.shared.daemon.log())]

    def kill(self, _body):
        os.kill(self.hosts()[-1], signal.SIGKILL)
        raise ConnectionError

    def test_the_fetch_host_in_the_middle(self):
        self.signed("B-T")
        self.assertEqual(posts(self.services), ["/killer", "/tsa"])
        self.assertEqual(len(self.hosts()), 2)

    def hold(self, _body):
        self.held.set()
        self.go_on.wait(120)
        raise ConnectionError

    def test_the_daemon_in_the_middle(self):
        """Signed by the token and not stamped yet: after the restart it is on record as failed, and nothing signs it again."""
        self.services.faults["/killer"] = self.hold
        consent = self.open("B-T")
        identity = str(consent.details()["ConsentId"])
        consent.sign(self.certificate())
        self.assertTrue(self.held.wait(60), consent.states)
        self.shared.kill_daemon()
        self.go_on.set()
        self.shared.start_daemon()
        client = Client(self.shared)
        record = wait_until(lambda: [r for r in plain(client.manager.ListConsents(OPTIONS)) if r["ConsentId"] == identity
                                     and r["State"] == "failed"])
        self.assertTrue(record, plain(client.manager.ListConsents(OPTIONS)))
        self.assertEqual((record[0]["Error"], record[0]["SignedAt"], record[0]["ReceiptId"]), ("Interrupted", 0, ""))


if __name__ == "__main__":
    run()
