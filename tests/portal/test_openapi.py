# SPDX-License-Identifier: Apache-2.0
"""docs/portal-api.yaml against a running portal: every operation is called and brought to give every answer that is
documented for it, and each answer is held against its schema. An answer that is not documented fails as well."""
import base64
import http.client
import json
import os
import signal
import socket
import threading
import time
import unittest

import jsonschema
import yaml

from portal_process import AYSE, CLIENT_KEY, DEVICE_GRANT, MEHMET, Api, Scene, new_key, sign
from postgres import Postgres

DOCUMENT = os.path.join(os.environ["EONAY_SOURCE"], "docs", "portal-api.yaml")
DIALECT = "https://spec.openapis.org/oas/3.1/schema/2022-10-07"
METHODS = ("get", "post", "delete", "put", "patch")


class Contract:
    def __init__(self):
        with open(DOCUMENT, encoding="utf-8") as file:
            self.document = yaml.safe_load(file)
        self.resolver = jsonschema.RefResolver("", self.document)
        self.operations = {operation["operationId"]: (method.upper(), path, operation)
                           for path, item in self.document["paths"].items()
                           for method, operation in item.items() if method in METHODS}
        self.missing = {(name, status) for name, (_, _, operation) in self.operations.items()
                        for status in operation["responses"]}

    def follow(self, thing):
        """References in OpenAPI objects may have a description beside them."""
        while "$ref" in thing:
            thing = self.resolver.resolve(thing["$ref"])[1]
        return thing

    def validate(self, schema, instance):
        jsonschema.Draft202012Validator(schema, resolver=self.resolver).validate(instance)

    def check(self, name, answer):
        """The answer is one that the document has for this operation."""
        _, _, operation = self.operations[name]
        status = str(answer.status)
        assert status in operation["responses"], f"{name}: {status} is not documented: {answer}"
        response = self.follow(operation["responses"][status])
        for header, definition in response.get("headers", {}).items():
            value = answer.headers[header]
            assert value is not None, f"{name}: {status} without {header}"
            schema = self.follow(definition)["schema"]
            self.validate(schema, int(value) if schema.get("type") == "integer" else value)
        content = response.get("content")
        if not content:
            assert answer.raw == b"", answer
        else:
            kind = answer.headers["Content-Type"]
            assert kind in content, f"{name}: {status} as {kind}"
            self.validate(content[kind]["schema"], answer.body)
        self.missing.discard((name, status))
        return answer


class OpenApiTest(unittest.TestCase):
    """The tests run in the order of their letters; the last one looks what was never seen."""

    @classmethod
    def setUpClass(cls):
        cls.contract = Contract()
        cls.scene = Scene()
        cls.addClassCleanup(cls.scene.close)
        cls.postgres = Postgres()
        cls.addClassCleanup(cls.postgres.close)
        cls.portal = cls.scene.portal(cls.postgres.create("portal"))
        cls.api = cls.portal.api()
        cls.slow = [threading.Thread(target=cls.send_slowly, args=[name]) for name in cls.posts()]
        cls.slow_answers = {}
        for thread in cls.slow:
            thread.start()

    @classmethod
    def posts(cls):
        return [name for name, (method, _, _) in cls.contract.operations.items() if method == "POST"]

    @classmethod
    def send_slowly(cls, name):
        """A body that comes byte by byte; what the server says, until it closes."""
        _, path, operation = cls.contract.operations[name]
        kind, = operation["requestBody"]["content"]
        got = b""
        context = cls.api.context
        with socket.create_connection(("127.0.0.1", cls.portal.port)) as plain, \
                context.wrap_socket(plain, server_hostname="127.0.0.1") as tls:
            tls.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: 1000\r\n\r\n".encode())
            tls.settimeout(1)
            until = time.monotonic() + 60
            while time.monotonic() < until:
                try:
                    tls.sendall(b" ")
                    piece = tls.recv(4096)
                    if not piece:
                        break
                    got += piece
                except TimeoutError:
                    continue
                except OSError:
                    break
        cls.slow_answers[name] = got

    def call(self, name, body=None, api=None, **headers):
        method, path, _ = self.contract.operations[name]
        return self.contract.check(name, (api or self.api).call(method, path, body, **headers))

    def opened(self, subject=AYSE, credential=None, **options):
        code = self.portal.issue(subject)
        answer = self.call("redeem", {"code": code}, Idempotency_Key=new_key())
        self.assertEqual(answer.status, 200, answer)
        return answer.body["transaction"], [sign(base64.b64decode(text["bytes"]), credential or self.scene.ayse, **options)
                                            for text in answer.body["texts"]]

    def submit(self, transaction, signatures, key=None, **headers):
        body = {"signatures": [base64.b64encode(cms).decode() for cms in signatures]}
        return self.call("submit", body, Eonay_Transaction=transaction, Idempotency_Key=key or new_key(), **headers)

    def test_a_service(self):
        self.assertEqual(self.call("health").status, 200)
        self.assertEqual(self.call("capabilities").body["code_length"], 15)

    def test_b_requests_are_as_documented(self):
        """What the document takes for right is what these tests send."""
        for name, body in (("redeem", {"code": "1" * 15}), ("submit", {"signatures": ["MAA="]}), ("approval", {"subject": AYSE})):
            schema, = self.contract.operations[name][2]["requestBody"]["content"].values()
            self.contract.validate(schema["schema"], body)

    def test_c_redeem(self):
        self.assertEqual(self.call("redeem", {"code": "1"}).code, "CodeInvalid")
        for body in ({}, {"code": 5}, "[]", "{", '{"code":"1","code":"2"}', b"\xff"):
            self.assertEqual(self.call("redeem", body, Content_Type="application/json").code, "BackendProtocol")
        self.assertEqual(self.call("redeem", {"code": "1" * 15}, Idempotency_Key="short").code, "BackendProtocol")
        self.assertEqual(self.call("redeem", {"code": "1" * 15}).code, "CodeUnknown")
        account = new_key()
        old, code = (self.portal.issue(MEHMET, account=account) for _ in range(2))
        self.assertEqual(self.call("redeem", {"code": old}).code, "CodeSuperseded")
        self.assertEqual(self.call("redeem", {"code": code, "operations": ["pin"]}).code, "Unsupported")
        self.assertEqual(self.call("redeem", {"code": code}).status, 200)
        self.assertEqual(self.call("redeem", {"code": code}).code, "CodeUsed")
        self.assertEqual(self.call("redeem", {"code": self.portal.issue(None, purpose="pin.unblock")}).body["texts"], [])

    def test_d_transaction(self):
        transaction, signatures = self.opened()
        body = {"signatures": [base64.b64encode(signatures[0]).decode()]}
        for wrong in ({}, {"signatures": "x"}, {"signatures": ["*"]}, {"signatures": ["MAA"]}, {"signatures": [1]},
                      {"signatures": ["MAA="] * 9}):
            answer = self.call("submit", wrong, Eonay_Transaction=transaction, Idempotency_Key=new_key())
            self.assertEqual(answer.code, "BackendProtocol", wrong)
        self.assertEqual(self.call("submit", body, Eonay_Transaction=transaction).code, "BackendProtocol")
        self.assertEqual(self.submit("0" * 64, signatures).code, "NotFound")
        self.assertEqual(self.submit(transaction, [b"no signature"]).code, "BackendRejected")
        self.assertEqual(self.call("status", Eonay_Transaction=transaction).body["state"], "open")
        self.assertEqual(self.submit(transaction, signatures).status, 200)
        self.assertEqual(self.submit(transaction, signatures).code, "CodeUsed")
        self.assertEqual(self.call("status", Eonay_Transaction=transaction).body["state"], "done")
        self.assertEqual(self.call("cancel", Eonay_Transaction=transaction).code, "CodeUsed")
        self.assertEqual(self.call("status").code, "NotFound")
        self.assertEqual(self.call("cancel").code, "NotFound")

    def test_e_other_ends(self):
        transaction, signatures = self.opened(MEHMET)
        self.assertEqual(self.submit(transaction, signatures).code, "IdentityMismatch")
        self.assertEqual(self.call("cancel", Eonay_Transaction=transaction).status, 204)
        self.assertEqual(self.submit(transaction, signatures).code, "Cancelled")

    def test_f_approval(self):
        known = self.portal.api(key=CLIENT_KEY)
        self.assertEqual(self.call("approval", {"subject": AYSE}).code, "BackendRejected")
        self.assertEqual(self.call("approval", {"subject": "1"}, known).code, "SubjectInvalid")
        self.assertEqual(self.call("approval", {}, known).code, "BackendProtocol")
        self.assertTrue(self.call("approval", {"subject": AYSE}, known).body["approved"])
        self.assertFalse(self.call("approval", {"subject": MEHMET}, known).body["approved"])

    def test_g_device(self):
        for fields, error in (([], "invalid_request"), ([("client_id", "x y")], "invalid_request"),
                              ([("client_id", "x"), ("scope", "coffee")], "invalid_scope"),
                              ([("client_id", "x"), ("subject", "5")], "invalid_request"),
                              ([("client_id", "x"), ("superseded_code", "5")], "invalid_request")):
            self.assertEqual(self.call("deviceAuthorization", fields or "a=b",
                                       Content_Type="application/x-www-form-urlencoded").body["error"], error)
        start = self.call("deviceAuthorization", [("client_id", "x"), ("scope", "e-onay.nes-application")]).body
        poll = [("grant_type", DEVICE_GRANT), ("client_id", "x"), ("device_code", start["device_code"])]
        self.assertEqual(self.call("token", poll).body["error"], "authorization_pending")
        self.assertEqual(self.call("token", poll).body["error"], "slow_down")
        self.assertEqual(self.call("token", poll[:2]).body["error"], "invalid_request")
        self.assertEqual(self.call("token", [("grant_type", "password"), *poll[1:]]).body["error"], "unsupported_grant_type")
        self.portal.tool("decide", start["user_code"], "yes", MEHMET)
        self.assertEqual(self.call("token", poll).body["token_type"], "verification_code")

    def test_h_strangers(self):
        """Where clients are known, an unknown one gets nowhere; a wrong key does so everywhere."""
        stranger = self.portal.api(key="no such key at all, of any length")
        for name, (method, _, _) in self.contract.operations.items():
            if name in ("health", "capabilities"):
                continue
            body = None if method != "POST" else {} if "redeem submit approval".find(name) >= 0 else [("client_id", "x")]
            self.assertEqual(self.call(name, body, stranger).status, 401)

    def test_i_bodies(self):
        for name in self.posts():
            kind, = self.contract.operations[name][2]["requestBody"]["content"]
            self.assertEqual(self.call(name, "x", Content_Type="text/plain").status, 415)
            limit = 512 * 1024 if name == "submit" else 4096
            # Far too large is answered when the head is there, a little at the end: a client that only sends hears it too.
            answer = self.head_only(name, kind, limit + 70000)
            self.assertTrue(answer.startswith(b"HTTP/1.1 413"), answer)
            self.assertEqual(self.call(name, " " * (limit + 1), Content_Type=kind).status, 413)

    def head_only(self, name, kind, size):
        with socket.create_connection(("127.0.0.1", self.portal.port)) as plain, \
                self.api.context.wrap_socket(plain, server_hostname="127.0.0.1") as tls:
            tls.settimeout(30)
            tls.sendall(f"POST {self.contract.operations[name][1]} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\n"
                        f"Content-Length: {size}\r\n\r\n".encode())
            return tls.recv(4096)

    def test_j_too_many(self):
        keys = {"PlainHttp": "yes", "Certificate": None, "PrivateKey": None, "TotalGuessesPerMinute": "1"}
        narrow = self.scene.portal(self.postgres.create("narrow"), **keys)
        api = PlainApi(narrow)
        self.assertEqual(self.call("redeem", {"code": "1" * 15}, api).code, "CodeUnknown")
        self.assertEqual(self.call("redeem", {"code": "1" * 15}, api).code, "RateLimited")
        self.assertEqual(self.call("deviceAuthorization", [("client_id", "x")], api).status, 200)
        self.assertEqual(self.call("deviceAuthorization", [("client_id", "x")], api).code, "RateLimited")

    def test_k_slow(self):
        for thread in self.slow:
            thread.join()
        for name, answer in self.slow_answers.items():
            head, _, body = answer.partition(b"\r\n\r\n")
            self.assertTrue(head.startswith(b"HTTP/1.1 408 "), answer)
            self.assertEqual(json.loads(body)["code"], "TimedOut")
            self.contract.missing.discard((name, "408"))

    def test_ka_busy(self):
        """A database that is stopped, more requests than the queue holds: the rest hears so at once."""
        keys = {"PlainHttp": "yes", "Certificate": None, "PrivateKey": None, "Workers": "1", "Connections": "1000",
                "ConnectionsPerAddress": "1000"}
        small = self.scene.portal(self.postgres.create("small"), **keys)
        self.postgres.signal(signal.SIGSTOP)
        waiting = [socket.create_connection(("127.0.0.1", small.port)) for _ in range(300)]
        try:
            for one in waiting:
                one.sendall(b"GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertEqual(self.call("capabilities", None, PlainApi(small)).code, "Busy")
        finally:
            self.postgres.signal(signal.SIGCONT)
            for one in waiting:
                one.close()
        self.assertEqual(small.stop(), 0)

    def test_l_records_do_not_answer(self):
        transaction, signatures = self.opened(MEHMET)
        self.postgres.kill()
        poll = [("grant_type", DEVICE_GRANT), ("client_id", "x"), ("device_code", "0" * 64)]
        self.assertEqual(self.submit(transaction, signatures).code, "StorageFailed")
        for name, body in (("health", None), ("redeem", {"code": "1" * 15}), ("deviceAuthorization", [("client_id", "x")]),
                           ("token", poll)):
            self.assertEqual(self.call(name, body).code, "StorageFailed")
        for name in ("status", "cancel"):
            self.assertEqual(self.call(name, Eonay_Transaction=transaction).code, "StorageFailed")
        self.assertEqual(self.call("approval", {"subject": AYSE}, self.portal.api(key=CLIENT_KEY)).code, "StorageFailed")

    def test_z_nothing_documented_was_left_out(self):
        self.assertEqual(self.contract.missing, set())


class PlainApi(Api):
    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.portal.port, timeout=60)


if __name__ == "__main__":
    unittest.main()
