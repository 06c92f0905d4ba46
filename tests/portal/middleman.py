# SPDX-License-Identifier: Apache-2.0
"""A server on loopback that stands between the plugin and a portal, or in a portal's place, and does what a test tells it to.

    with Middleman(certificate, upstream="http://127.0.0.1:8080") as between:
        between.on("POST /v1/transaction/signatures", LoseAnswer(), Status(503, retry_after=2))

Requests without an order left are forwarded, or refused with 599 when there is no portal behind. Every request is noted in
`seen`, in the order in which it came.
"""
import collections
import contextlib
import http.client
import http.server
import json
import socket
import ssl
import struct
import threading
import time
import urllib.parse

BODY_MAX = 1 << 22
HOP = ("connection", "transfer-encoding", "content-length", "keep-alive", "host", "date", "server")


class Seen:
    def __init__(self, what, headers, body, peer):
        self.what = what
        self.headers = headers
        self.body = body
        self.peer = peer
        self.at = time.monotonic()

    def json(self):
        return json.loads(self.body)

    def form(self):
        return dict(urllib.parse.parse_qsl(self.body.decode()))


class Reply:
    def __init__(self, status, body=b"", content_type="application/json", **headers):
        self.status = status
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.headers = {"Content-Type": content_type, **{name.replace("_", "-"): str(value) for name, value in
                                                           headers.items()}}


# -- orders: each gets (handler, seen) and answers, or does not ------------------------------------------------------

class Forward:
    def __call__(self, handler, seen):
        handler.reply(handler.forward(seen))


class Answer:
    """This answer, from us."""

    def __init__(self, status=200, body=b"", content_type="application/json", **headers):
        self.made = Reply(status, body, content_type, **headers)

    def __call__(self, handler, _seen):
        handler.reply(self.made)


def problem(status, code, **headers):
    """A refusal as the portal makes it."""
    return Answer(status, {"type": "urn:eonay:error:" + code, "title": code, "status": status, "code": code},
                  "application/problem+json", **headers)


class Cut:
    """The connection breaks before the portal has heard anything."""

    def __call__(self, handler, _seen):
        handler.cut()


class LoseAnswer:
    """The portal hears and answers; the answer is lost."""

    def __call__(self, handler, seen):
        handler.forward(seen)
        handler.cut()


class CutWithin:
    """Half of the answer comes."""

    def __call__(self, handler, seen):
        reply = handler.forward(seen)
        handler.head(reply, len(reply.body))
        handler.wfile.write(reply.body[:len(reply.body) // 2])
        handler.wfile.flush()
        handler.cut()


class Twice:
    """The portal gets the request two times."""

    def __call__(self, handler, seen):
        first = handler.forward(seen)
        second = handler.forward(seen)
        handler.server.owner.pairs.append((first, second))
        handler.reply(second)


class Garble:
    """A success whose content somebody has spoiled."""

    def __init__(self, change=lambda body: body[:-2] + b"\xff\x00"):
        self.change = change

    def __call__(self, handler, seen):
        reply = handler.forward(seen)
        reply.body = self.change(reply.body)
        handler.reply(reply)


class Late:
    """The answer comes after a time, or when `until` is set."""

    def __init__(self, seconds=0.0, until=None, then=None):
        self.seconds = seconds
        self.until = until
        self.then = then or Forward()

    def __call__(self, handler, seen):
        if self.until:
            self.until.wait(60)
        time.sleep(self.seconds)
        self.then(handler, seen)


class Trickle:
    """Byte after byte, and never all of it."""

    def __init__(self, pause=0.2):
        self.pause = pause

    def __call__(self, handler, _seen):
        handler.head(Reply(200), 1 << 20)
        with contextlib.suppress(OSError):
            while not handler.server.owner.ending.wait(self.pause):
                handler.wfile.write(b" ")
                handler.wfile.flush()


class Flood:
    """More than anybody wants, with or without saying so before."""

    def __init__(self, size=1 << 26, announce=False):
        self.size = size
        self.announce = announce

    def __call__(self, handler, _seen):
        handler.head(Reply(200), self.size if self.announce else None)
        with contextlib.suppress(OSError):
            for _n in range(self.size >> 16):
                handler.wfile.write(b" " * (1 << 16))
        handler.close_connection = True


class Raw:
    """These bytes in place of an HTTP answer."""

    def __init__(self, content):
        self.content = content

    def __call__(self, handler, _seen):
        handler.wfile.write(self.content)
        handler.wfile.flush()
        handler.close_connection = True


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_one(self):
        owner = self.server.owner
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(min(size, BODY_MAX))
        seen = Seen(f"{self.command} {self.path}", dict(self.headers), body, self.client_address)
        owner.order(seen)(self, seen)

    do_GET = do_POST = do_DELETE = do_PUT = handle_one

    def log_message(self, *_arguments):
        pass

    def head(self, reply, size):
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if size is None:
            self.send_header("Connection", "close")
        else:
            self.send_header("Content-Length", str(size))
        self.end_headers()

    def reply(self, reply):
        with contextlib.suppress(OSError):
            if reply.status == 204:
                self.head(reply, 0)
                return
            self.head(reply, len(reply.body))
            self.wfile.write(reply.body)

    def cut(self):
        """RST, so that the other side knows at once."""
        with contextlib.suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            socket.socket.close(self.connection)
        self.close_connection = True

    def forward(self, seen):
        """The portal's answer; 502 when there is none."""
        upstream = self.server.owner.upstream
        if not upstream:
            return Reply(599)
        url = urllib.parse.urlsplit(upstream)
        if url.scheme == "https":
            context = ssl.create_default_context(cafile=self.server.owner.upstream_ca)
            connection = http.client.HTTPSConnection(url.hostname, url.port, timeout=30, context=context)
        else:
            connection = http.client.HTTPConnection(url.hostname, url.port, timeout=30)
        headers = {name: value for name, value in seen.headers.items() if name.lower() not in HOP}
        headers.update(self.server.owner.added_headers)
        headers["Host"] = self.server.owner.host_header or f"{url.hostname}:{url.port}"
        try:
            connection.request(self.command, self.path, seen.body if seen.body else None, headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException):
            return Reply(502, b"bad gateway", "text/plain")
        finally:
            connection.close()
        reply = Reply(response.status, content, response.getheader("Content-Type", ""))
        reply.headers = {name: value for name, value in response.getheaders() if name.lower() not in HOP}
        return reply


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def get_request(self):
        connection, address = super().get_request()
        self.owner.connections += 1
        return connection, address

    def finish_request(self, request, client_address):
        # the handshake here and not in accept(): one slow client holds up nobody
        if self.owner.context:
            request.settimeout(60)
            try:
                request = self.owner.context.wrap_socket(request, server_side=True)
            except OSError:
                self.owner.failed_handshakes += 1
                return
        self.owner.open.append(request)
        super().finish_request(request, client_address)

    def handle_error(self, request, client_address):
        pass  # clients that go away are what this is for


class Middleman:
    def __init__(self, certificate=None, upstream=None, upstream_ca=None, client_ca=None, port=0):
        self.context = certificate.server_context(client_ca) if certificate else None
        self.upstream = upstream
        self.upstream_ca = upstream_ca
        self.added_headers = {}
        self.host_header = None
        self.orders = collections.defaultdict(collections.deque)
        self.always = {}
        self.seen = []
        self.pairs = []
        self.connections = 0
        self.open = []
        self.failed_handshakes = 0
        self.ending = threading.Event()
        self.changed = threading.Condition()
        self.server = Server(("127.0.0.1", port), Handler)
        self.server.owner = self
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f"{'https' if self.context else 'http'}://127.0.0.1:{self.port}"

    def on(self, what, *orders):
        """What to do with the next requests of this kind, one order for each."""
        self.orders[what].extend(orders)

    def every(self, what, order):
        """What to do with all of this kind that have no order of their own; None: forward."""
        self.always[what] = order

    def order(self, seen):
        with self.changed:
            self.seen.append(seen)
            self.changed.notify_all()
            if self.orders[seen.what]:
                return self.orders[seen.what].popleft()
        return self.always.get(seen.what) or self.always.get("*") or Forward()

    def of(self, what):
        return [seen for seen in self.seen if seen.what == what]

    def wait_for(self, what, n=1, timeout=30):
        """Blocks: for tests whose main loop need not run."""
        with self.changed:
            if not self.changed.wait_for(lambda: len(self.of(what)) >= n, timeout):
                raise TimeoutError(f"no {n} × {what}: {[seen.what for seen in self.seen]}")

    def close(self):
        self.ending.set()
        self.server.shutdown()
        for connection in self.open:  # a client that keeps its connection would go on being served
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
        self.server.server_close()
        self.thread.join()

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.close()
