# SPDX-License-Identifier: Apache-2.0
"""The daemon, nginx with TLS and HTTP/2, and the portal behind it: one connection carries many calls at once. And a way out through
a proxy that wants a login."""
import base64
import contextlib
import os
import re
import select
import socket
import threading

from client import Client, options
from portal import Portal, free_port
from processes import Child
from test_parts import DaemonTest, manager_call
from testing import SOURCE, run

MANY = 12
NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log;
events {{ worker_connections 256; }}
http {{
    log_format told '$server_protocol $connection $request_method $uri $status';
    access_log {folder}/nginx-access.log told;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
{site}
}}
"""


def documented_site(portal, port):
    """The example of docs/portal.md as it stands there, with the addresses and files of this place."""
    with open(os.path.join(SOURCE, "docs/portal.md"), encoding="utf-8") as file:
        block = re.search(r"\n    upstream eonay \{\n.*?\n    \}\n    server \{\n.*?\n    \}\n", file.read(), re.S).group(0)
    for ours, theirs in ((r"unix:/run/eonay-portal/http;", f"unix:{portal.socket};"), (r"listen 443 ", f"listen 127.0.0.1:{port} "),
                         (r"ssl_certificate …;", f"ssl_certificate {portal.certificate.certificate};"),
                         (r"ssl_certificate_key …;", f"ssl_certificate_key {portal.certificate.key};")):
        assert block.count(ours) == 1, (ours, block)
        block = block.replace(ours, theirs)
    return block


class Nginx:
    """As docs/portal.md says it."""

    def __init__(self, sandbox, portal, port):
        self.folder = sandbox.file("nginx")
        os.mkdir(self.folder, 0o700)
        config = os.path.join(self.folder, "nginx.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(NGINX.format(folder=self.folder, site=documented_site(portal, port)))
        self.child = Child("nginx", ["/usr/sbin/nginx", "-c", config, "-e", os.path.join(self.folder, "nginx-error.log")],
                           sandbox.file("nginx.log"))

    def told(self):
        """[(protocol, connection, rest)] of all requests so far."""
        with open(os.path.join(self.folder, "nginx-access.log"), encoding="ascii") as log:
            return [tuple(line.strip().split(" ", 2)) for line in log]


class ConnectProxy:
    """CONNECT and nothing else, for whoever knows the password."""

    def __init__(self, login):
        self.wanted = b"Proxy-Authorization: Basic " + base64.b64encode(login.encode())
        self.asked = []
        self.refused = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _address = self.listener.accept()
                threading.Thread(target=self.serve, args=[connection], daemon=True).start()

    def serve(self, connection):
        head = b""
        while b"\r\n\r\n" not in head:
            more = connection.recv(4096)
            if not more:
                return
            head += more
        method, target, _version = head.split(b"\r\n")[0].split(b" ")
        if method != b"CONNECT" or self.wanted not in head:
            self.refused += 1
            connection.sendall(b"HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            connection.close()
            return
        self.asked.append(target.decode())
        host, port = target.decode().split(":")
        with contextlib.suppress(OSError), socket.create_connection((host, int(port))) as other:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            pair = {connection: other, other: connection}
            while True:
                for ready in select.select(list(pair), [], [])[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    pair[ready].sendall(data)

    def close(self):
        self.listener.close()


class Behind(DaemonTest):
    @classmethod
    def prepare(cls, sandbox):
        port = free_port()
        cls.portal = Portal(sandbox, plain=True, public_url=f"https://127.0.0.1:{port}", socket_path=sandbox.file("http"),
                            TrustedProxy="yes")
        cls.portal.start()
        cls.addClassCleanup(cls.portal.stop)
        cls.nginx = Nginx(sandbox, cls.portal, port)
        cls.addClassCleanup(cls.nginx.child.end)
        cls.proxy = ConnectProxy("kullanici:parola")
        cls.addClassCleanup(cls.proxy.close)
        os.mkdir(sandbox.file("credentials"), 0o700)
        for name, login in (("proxy", "kullanici:parola"), ("wrong", "kullanici:yanlis")):
            with open(sandbox.file("credentials", name), "w", encoding="ascii") as file:
                file.write(login)
        sandbox.daemon_env["CREDENTIALS_DIRECTORY"] = sandbox.file("credentials")
        sandbox.daemon_env["https_proxy"] = sandbox.daemon_env["ALL_PROXY"] = "http://127.0.0.1:1"  # is nobody's business
        url = f"https://127.0.0.1:{port}"
        way = f"http://127.0.0.1:{cls.proxy.port}"
        sandbox.set_section("Backend direct", **cls.portal.section(url))
        sandbox.set_section("Backend proxied", **cls.portal.section(url, Proxy=way, ProxyCredential="proxy"))
        sandbox.set_section("Backend refused", **cls.portal.section(url, Proxy=way, ProxyCredential="wrong"))
        sandbox.set_section("Backend around", **cls.portal.section(url, Proxy=way, NoProxy="127.0.0.1"))

    def test_one_connection_for_many_calls(self):
        codes = [self.portal.code() for _n in range(MANY)]
        self.client.open(self.portal.code(), backend="direct").close()
        before = len(self.nginx.told())
        calls = [manager_call(self.client.connection, "OpenConsent", code, options(backend="direct")) for code in codes]
        for call in calls:
            self.client.connection.get_object("org.eonay.EOnay1", call.wait()[0], introspect=False).Close(
                options(), dbus_interface="org.eonay.EOnay1.Consent")
        told = self.nginx.told()[before:]
        self.assertGreaterEqual(len([rest for _p, _c, rest in told if rest == "POST /v1/redemptions 200"]), MANY)
        self.assertEqual({protocol for protocol, _c, _rest in told}, {"HTTP/2.0"})
        self.assertEqual(len({connection for _p, connection, _rest in told}), 1, told)

    def test_a_signature_through_it(self):
        consent = self.client.open(self.portal.code(), backend="direct")
        self.assertIn(self.assert_signs(consent)["ReceiptId"], self.portal.receipts())

    def test_through_a_proxy(self):
        consent = self.client.open(self.portal.code(), backend="proxied")
        receipt = self.assert_signs(consent)
        self.assertIn(receipt["ReceiptId"], self.portal.receipts())
        self.assertEqual(set(self.proxy.asked), {self.nginx_address()})

    def nginx_address(self):
        return self.shared.sections["Backend direct"]["Url"].removeprefix("https://")

    def test_a_proxy_that_refuses(self):
        with self.assertDBusError("BackendUnreachable"):
            self.client.open(self.portal.code(), backend="refused")
        self.assertGreater(self.proxy.refused, 0)

    def test_around_the_proxy(self):
        before = len(self.proxy.asked)
        Client(self.shared).open(self.portal.code(), backend="around").close()
        self.assertEqual(len(self.proxy.asked), before)


if __name__ == "__main__":
    run()
