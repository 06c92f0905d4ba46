# SPDX-License-Identifier: Apache-2.0
"""The plugin ca-rest against a server that says exactly what a test wants: what it sends, what it makes of each answer, whom
it trusts, how much it takes, and how long it waits."""
import base64
import hashlib
import os
import threading
import time

import dbus

from middleman import Answer, Cut, Flood, Late, Middleman, Raw, Trickle, problem
from test_crash_hosts import host_pid
from test_parts import DaemonTest, manager_call, options, plain, run_for, wait_until
from testing import ERROR, run
from tls import TlsAuthority

TEXT = "Onaylıyorum.\n".encode()
CODE = "168857414351237"
TRANSACTION = "5" * 64
API_KEY = "anahtar-4711-anahtar"
REDEEM, TOKEN, DEVICE = "POST /v1/redemptions", "POST /v1/token", "POST /v1/device_authorization"
SUBMIT, STATUS, CANCEL = "POST /v1/transaction/signatures", "GET /v1/transaction", "DELETE /v1/transaction"
APPROVAL, CAPABILITIES = "POST /v1/approvals/query", "GET /v1/capabilities"
FUNCTIONS = ["get-code", "regenerate", "status", "approval", "cancel", "poll", "fly"]


def now():
    return int(time.time() * 1_000_000)


def redemption(**changes):
    at = now()
    text = {"title": "İmzalanacak Metin 1", "media_type": "text/plain;charset=utf-8",
            "sha256": hashlib.sha256(TEXT).hexdigest(), "bytes": base64.b64encode(TEXT).decode()}
    return {"transaction": TRANSACTION, "requester": "Sınama Kurumu", "purpose": "e-onay.nes-application", "level": "B-B",
            "created_at": at, "expires_at": at + 300_000_000, "now": at, "texts": [{**text, **changes.pop("text", {})}],
            **changes}


def redeemed(**changes):
    return Answer(200, redemption(**changes))


def capabilities():
    return Answer(200, {"name": "Sınama Kurumu", "functions": FUNCTIONS, "purposes": ["e-onay.nes-application"],
                        "code_length": 15, "code_lifetime": 300, "levels": ["B-B"], "limits": {}, "now": now()})


class RestTest(DaemonTest):
    @classmethod
    def prepare(cls, sandbox):
        cls.tls = TlsAuthority(sandbox.file("tls"))
        cls.certificate = cls.tls.issue("server")
        cls.between = Middleman(cls.certificate)
        cls.addClassCleanup(cls.between.close)
        os.mkdir(sandbox.file("credentials"), 0o700)
        with open(sandbox.file("credentials", "portal-key"), "w", encoding="ascii") as file:
            file.write(API_KEY + "\n")
        sandbox.daemon_env["CREDENTIALS_DIRECTORY"] = sandbox.file("credentials")
        cls.backend("rest")
        cls.prepare_more()

    @classmethod
    def prepare_more(cls):
        pass

    @classmethod
    def backend(cls, name, url=None, **keys):
        usual = {"Plugin": "ca-rest", "Url": url or cls.between.url, "CaFile": cls.tls.ca}
        cls.shared.set_section("Backend " + name, **{**usual, **keys})

    def setUp(self):
        super().setUp()
        self.between.orders.clear()
        self.between.always.clear()
        self.between.seen.clear()
        self.between.every(CAPABILITIES, capabilities())

    def opens(self, backend="rest"):
        return self.client.open(CODE, backend=backend)

    def refused(self, error, backend="rest", says=None):
        """Redeeming fails with this error; `says` is a part of the message."""
        with self.assertDBusError(error) as raised:
            self.opens(backend)
        if says:
            self.assertIn(says, raised.exception.get_dbus_message())


class Answers(RestTest):
    def test_what_is_sent_and_what_is_taken(self):
        self.between.on(REDEEM, redeemed(subject="10000000146", members_of_tomorrow=[1]))
        consent = self.opens()
        [seen] = self.between.of(REDEEM)
        self.assertEqual(seen.json(), {"code": CODE, "operations": ["sign"]})
        self.assertNotIn(CODE, seen.what)
        self.assertRegex(seen.headers["Idempotency-Key"], "^[0-9a-f]{64}$")
        self.assertEqual(consent.texts()[0][3], TEXT)
        details = consent.details()
        self.assertEqual((details["Requester"], details["Purpose"]), ("Sınama Kurumu", "e-onay.nes-application"))
        self.between.on(CANCEL, Answer(204))
        consent.close()
        wait_until(lambda: self.between.of(CANCEL))
        self.assertEqual(self.between.of(CANCEL)[0].headers["Eonay-Transaction"], TRANSACTION)

    def test_the_servers_clock_counts(self):
        at = now() - 10 * 365 * 86_400_000_000  # a server ten years behind
        self.between.on(REDEEM, redeemed(created_at=at - 100_000_000, expires_at=at + 200_000_000, now=at))
        consent = self.opens()
        left = consent.details()["RemainingUSec"]
        self.assertLess(left, 200_000_001)
        self.assertGreater(left, 150_000_000)
        consent.close()

    def test_documented_conditions(self):
        for status, code in ((400, "CodeInvalid"), (404, "CodeUnknown"), (409, "CodeUsed"), (410, "CodeExpired"),
                             (410, "CodeSuperseded"), (429, "RateLimited"), (401, "BackendRejected")):
            with self.subTest(code):
                self.between.on(REDEEM, problem(status, code))
                self.refused(code)

    def test_conditions_that_are_none_of_an_authoritys(self):
        """Nobody out there may say that a PIN is wrong."""
        for code in ("PinLocked", "TokenRemoved", "NoSuchName", "", "PinIncorrect\n", "StorageFailed"):
            with self.subTest(code):
                self.between.on(REDEEM, problem(403, code))
                self.refused("BackendProtocol")

    def test_an_authority_in_trouble_is_no_authority(self):
        for status, code in ((500, "PluginFailed"), (503, "StorageFailed"), (503, "Busy"), (408, "TimedOut")):
            with self.subTest(f"{status} {code}"):
                self.between.every(REDEEM, problem(status, code, Retry_After=1))
                self.refused("BackendUnreachable", says=f"HTTP {status}")
        self.between.every(REDEEM, Answer(502, b"<html>", "text/html"))
        self.refused("BackendUnreachable", says="HTTP 502")

    def test_garbage(self):
        spoiled = {
            "no JSON": Answer(200, b"<html>", "text/html"), "half of it": Answer(200, b'{"transaction": "5'),
            "an array": Answer(200, b"[]"), "nothing": Answer(200, b""), "no content": Answer(204),
            "no UTF-8": Answer(200, b'{"transaction": "\xff"}'),
            "two of one": Answer(200, b'{"now": 1, "now": 2}'),
            "no texts": redeemed(texts=[]), "too many": redeemed(texts=[{}] * 17), "no array": redeemed(texts={"0": 1}),
            "time as text": redeemed(now="1"), "negative": redeemed(now=-1), "fraction": redeemed(expires_at=1.5),
            "another hash": redeemed(text={"sha256": "0" * 64}), "no base64": redeemed(text={"bytes": "%%%%"}),
            "base64 with blanks": redeemed(text={"bytes": " " + base64.b64encode(TEXT).decode() + "\n  "}),
            "empty text": redeemed(text={"bytes": "", "sha256": hashlib.sha256(b"").hexdigest()}),
            "no title": redeemed(text={"title": None}), "a NUL inside": redeemed(transaction="55\0" + "5" * 61),
            "subject as number": redeemed(subject=10000000146), "long secret": redeemed(transaction="5" * 300),
            "no HTTP": Raw(b"220 mail.example ESMTP\r\n"), "a condition in a success": Answer(200, {"code": "CodeUsed"}),
            "a refusal without a condition": Answer(404, b"{}", "application/problem+json"),
            "a page for a refusal": Answer(404, b"<html>", "text/html"), "early data": Answer(201, redemption()),
        }
        for name, order in spoiled.items():
            with self.subTest(name):
                self.between.every(REDEEM, order)
                self.refused("BackendProtocol")

    def test_redirects_are_not_followed(self):
        with Middleman(self.certificate) as elsewhere:
            for status in (301, 302, 303, 307, 308):
                with self.subTest(status):
                    self.between.on(REDEEM, Answer(status, b"", Location=elsewhere.url + "/v1/redemptions"))
                    self.refused("BackendProtocol", says="redirects")
            self.assertEqual(elsewhere.seen, [])

    def test_too_much(self):
        for order in (Flood(), Flood(announce=True)):
            self.between.on(REDEEM, order)
            self.refused("BackendProtocol", says="too large")

    def test_lost_answers_do_not_lose_the_code(self):
        self.between.on(REDEEM, Cut(), Cut(), redeemed())
        self.opens().close()
        keys = {seen.headers["Idempotency-Key"] for seen in self.between.of(REDEEM)}
        self.assertEqual((len(self.between.of(REDEEM)), len(keys)), (3, 1))
        self.between.on(REDEEM, redeemed())
        self.opens().close()
        self.assertEqual(len({seen.headers["Idempotency-Key"] for seen in self.between.of(REDEEM)}), 2)

    def test_whoever_asks_for_a_pause_gets_it(self):
        self.between.on(REDEEM, problem(503, "Busy", Retry_After=30))
        self.refused("BackendUnreachable")
        self.assertEqual(len(self.between.of(REDEEM)), 1)

    def test_codes_for_a_card_are_not_for_signing(self):
        self.between.on(REDEEM, redeemed(purpose="pin.create", level="none", texts=[]))
        self.refused("Unsupported")
        self.assertEqual(self.between.of(REDEEM)[-1].json()["operations"], ["sign"])
        self.between.on(REDEEM, problem(422, "Unsupported"))
        self.refused("Unsupported")

    def test_approvals(self):
        self.between.on(APPROVAL, Answer(200, {"approved": True, "receipt_id": "R-1", "text_version": "1", "approved_at": 5,
                                               "now": 6}), Answer(200, {"approved": False, "now": 6}),
                        problem(401, "BackendRejected"), Answer(200, {"approved": True}))
        ask = lambda: plain(self.client.manager.GetApproval("rest", options(subject="10000000146")))  # noqa: E731
        self.assertEqual(ask(), {"Approved": True, "ReceiptId": "R-1", "TextVersion": "1", "ApprovedAt": 5})
        self.assertEqual(self.between.of(APPROVAL)[0].json(), {"subject": "10000000146"})
        self.assertEqual(ask(), {"Approved": False})
        for error in ("BackendRejected", "BackendProtocol"):
            with self.assertDBusError(error):
                ask()

    def test_many_at_once(self):
        """None is answered before all have come: they must be under way together."""
        together = threading.Barrier(12, timeout=30)

        class Meet:
            def __call__(self, handler, seen):
                together.wait()
                redeemed()(handler, seen)
        self.between.on(REDEEM, *[Meet()] * 12)
        calls = [manager_call(self.client.connection, "OpenConsent", CODE, options(backend="rest")) for _n in range(12)]
        for call in calls:
            path = call.wait()[0]
            self.client.connection.get_object("org.eonay.EOnay1", path, introspect=False).Close(
                options(), dbus_interface="org.eonay.EOnay1.Consent")

    def test_at_rest_nothing_runs(self):
        self.between.every(REDEEM, redeemed())
        self.opens().close()
        wait_until(lambda: self.between.of(CANCEL))
        pid = host_pid(self.shared, "rest, authority")

        def woken():
            total = 0
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/status", encoding="ascii") as status:
                    total += sum(int(line.split()[1]) for line in status if "ctxt_switches" in line)
            return total
        for _ in range(5):
            run_for(1)  # what the last call left to do, which takes longer on a busy machine
            before = woken()
            run_for(3.5)
            times = woken() - before
            if not times:
                break
        self.assertEqual(times, 0)

    def test_connections_are_kept(self):
        self.between.every(REDEEM, redeemed())
        self.opens().close()
        before = self.between.connections
        for _n in range(10):
            self.opens().close()
        self.assertLessEqual(self.between.connections - before, 2)  # cancelling goes along


class Times(RestTest):
    @classmethod
    def prepare_more(cls):
        cls.backend("brisk", TimeoutMs=1500, ConnectTimeoutMs=500)

    def test_no_answer(self):
        for order in (Late(30, then=redeemed()), Trickle()):
            self.between.on(REDEEM, order)
            begun = time.monotonic()
            self.refused("BackendUnreachable", "brisk", says="in time")
            self.assertLess(time.monotonic() - begun, 15)
        self.between.on(REDEEM, redeemed())
        self.opens("brisk").close()


class Codes(RestTest):
    PENDING = {"device_code": "d" * 64, "user_code": "BCDF-GHJK", "verification_uri": "https://portal.example/device",
               "verification_uri_complete": "https://portal.example/device?user_code=BCDF-GHJK", "expires_in": 600,
               "interval": 1}

    def setUp(self):
        super().setUp()
        self.ready, self.failed = {}, {}
        manager = "org.eonay.EOnay1.Manager"
        for match in (
                self.client.connection.add_signal_receiver(lambda handle, code, details: self.ready.setdefault(
                    str(handle), (str(code), plain(details))), "CodeReady", manager),
                self.client.connection.add_signal_receiver(lambda handle, error, message: self.failed.setdefault(
                    str(handle), (str(error), str(message))), "CodeFailed", manager)):
            self.addCleanup(match.remove)

    def ask(self, pending=None, **values):
        self.between.on(DEVICE, Answer(200, {**self.PENDING, **(pending or {})}))
        code, details = self.client.get_code("rest", **values)
        self.assertEqual((code, details["Pending"]), ("", True))
        return details

    def error(self, name, **more):
        return Answer(400, {"error": name, **more})

    def code(self):
        at = now()
        return Answer(200, {"access_token": CODE, "token_type": "verification_code", "expires_in": 300,
                            "purpose": "e-onay.nes-application", "created_at": at, "expires_at": at + 300_000_000, "now": at})

    def test_device_grant(self):
        details = self.ask(subject="10000000146", language="en")
        form = self.between.of(DEVICE)[0].form()
        self.assertEqual(form, {"client_id": "eonayd", "scope": "e-onay.nes-application", "subject": "10000000146"})
        self.assertEqual(self.between.of(DEVICE)[0].headers["Accept-Language"], "en")
        self.assertEqual(details["UserCode"], "BCDF-GHJK")
        self.assertEqual(details["VerificationUriComplete"], self.PENDING["verification_uri_complete"])
        self.between.on(TOKEN, self.error("authorization_pending"), self.error("authorization_pending"), self.code())
        wait_until(lambda: details["Handle"] in self.ready, 60)
        code, answer = self.ready[details["Handle"]]
        self.assertEqual(code, CODE)
        self.assertGreater(answer["RemainingUSec"], 290_000_000)
        polls = self.between.of(TOKEN)
        self.assertEqual(polls[0].form(), {"grant_type": "urn:ietf:params:oauth:grant-type:device_code",
                                           "device_code": "d" * 64, "client_id": "eonayd"})
        self.assertEqual(len(polls), 3)
        for earlier, later in zip(polls, polls[1:]):
            self.assertGreater(later.at - earlier.at, 0.9)  # the interval

    def test_slow_down_adds_five_seconds(self):
        details = self.ask()
        self.between.on(TOKEN, self.error("slow_down"), self.code())
        wait_until(lambda: details["Handle"] in self.ready, 60)
        first, second = self.between.of(TOKEN)
        self.assertGreater(second.at - first.at, 5.8)

    def test_ends(self):
        ends = {"access_denied": "CodeDenied", "expired_token": "CodeExpired", "invalid_grant": "CodeExpired",
                "invalid_client": "BackendRejected"}
        for name, error in ends.items():
            with self.subTest(name):
                details = self.ask()
                self.between.on(TOKEN, self.error(name))
                wait_until(lambda d=details: d["Handle"] in self.failed, 60)
                self.assertEqual(self.failed[details["Handle"]][0], ERROR + error)

    def test_the_network_comes_and_goes(self):
        details = self.ask()
        self.between.on(TOKEN, Cut(), Answer(503, b"", Retry_After=1), self.code())
        wait_until(lambda: details["Handle"] in self.ready, 60)

    def test_refusals_at_once(self):
        for order, error in ((self.error("invalid_scope"), "Unsupported"),
                             (self.error("invalid_request", code="SubjectInvalid"), "SubjectInvalid"),
                             (problem(429, "RateLimited", Retry_After=7), "RateLimited"),
                             (self.error("another"), "BackendProtocol"), (Answer(200, {}), "BackendProtocol"),
                             (Answer(200, {**self.PENDING, "verification_uri": "javascript:alert(1)"}), "BackendProtocol")):
            self.between.on(DEVICE, order)
            with self.subTest(error), self.assertDBusError(error):
                self.client.get_code("rest")

    def test_garbled_code(self):
        details = self.ask()
        self.between.on(TOKEN, Answer(200, {"access_token": "123", "purpose": "x", "created_at": 1, "expires_at": 2, "now": 1}))
        wait_until(lambda: details["Handle"] in self.failed, 60)
        self.assertEqual(self.failed[details["Handle"]][0], ERROR + "BackendProtocol")


class Trust(RestTest):
    """Whom it believes. Each server is wrong in one way, and none of them hears a code."""

    @classmethod
    def prepare_more(cls):
        other = TlsAuthority(cls.shared.file("other-tls"))
        cls.wrong = {"expired": cls.tls.expired(), "name": cls.tls.issue("name", "DNS:somebody.example"),
                     "stranger": other.issue("stranger"), "client": cls.tls.issue("client", usage="clientAuth")}
        cls.servers = {}
        for name, certificate in cls.wrong.items():
            cls.servers[name] = Middleman(certificate)
            cls.addClassCleanup(cls.servers[name].close)
            cls.backend(name, cls.servers[name].url)
        old = Middleman(cls.certificate)
        cls.addClassCleanup(old.close)
        old.context.set_ciphers("DEFAULT:@SECLEVEL=0")
        old.context.maximum_version = __import__("ssl").TLSVersion.TLSv1_1
        cls.servers["old"] = old
        cls.backend("old", old.url)
        cls.backend("pinned", PinnedPublicKey=cls.wrong["name"].pin() + ";" + cls.certificate.pin())
        cls.backend("mispinned", PinnedPublicKey=cls.wrong["name"].pin())
        cls.mutual = Middleman(cls.certificate, client_ca=cls.tls.ca)
        cls.addClassCleanup(cls.mutual.close)
        client = cls.tls.issue("daemon", usage="clientAuth")
        with open(client.key, "rb") as key, open(cls.shared.file("credentials", "tls-key"), "wb") as credential:
            credential.write(key.read())
        cls.backend("mutual", cls.mutual.url, ClientCertificate=client.certificate, ClientKeyCredential="tls-key",
                    ApiKeyCredential="portal-key")
        cls.backend("nobody", cls.mutual.url)
        cls.backend("named", cls.between.url.replace("127.0.0.1", "localhost"))
        cls.backend("nameless", "https://portal.invalid", TimeoutMs=8000, ConnectTimeoutMs=6000)
        system = {"Plugin": "ca-rest", "Url": cls.between.url}
        cls.shared.set_section("Backend system", **system)

    def test_servers_that_are_not_the_authority(self):
        says = {"expired": "expired", "name": "127.0.0.1", "stranger": "issuer", "client": "unsuitable"}
        for name, server in self.servers.items():
            if name == "old":
                continue
            with self.subTest(name):
                self.refused("BackendUntrusted", name, says=says[name])
                self.assertEqual(server.seen, [])
        self.refused("BackendUntrusted", "system", says="TLS")

    def test_names_are_resolved_behind_the_walls(self):
        self.between.on(REDEEM, redeemed())
        self.opens("named").close()
        self.refused("BackendUnreachable", "nameless")

    def test_old_protocols(self):
        self.refused("BackendUnreachable", "old", says="TLS")
        self.assertEqual(self.servers["old"].seen, [])

    def test_pinned_key(self):
        self.between.on(REDEEM, redeemed())
        self.opens("pinned").close()
        before = len(self.between.seen)
        self.refused("BackendUntrusted", "mispinned", says="PinnedPublicKey=")
        self.assertEqual(len(self.between.of(REDEEM)), 1, before)

    def test_client_certificate_and_key_of_the_api(self):
        self.mutual.on(REDEEM, redeemed())
        self.opens("mutual").close()
        [seen] = self.mutual.of(REDEEM)
        self.assertEqual(seen.headers["Authorization"], "Bearer " + API_KEY)
        self.refused("BackendUnreachable", "nobody")
        self.assertEqual(len(self.mutual.of(REDEEM)), 1)
        log = self.shared.logs()
        self.assertNotIn(API_KEY, log)

    def test_nothing_of_the_key_without_being_asked_for(self):
        self.between.on(REDEEM, redeemed())
        self.opens().close()
        self.assertNotIn("Authorization", self.between.of(REDEEM)[0].headers)


class Settings(RestTest):
    WRONG = {
        "plain": ({"Url": "http://127.0.0.1/"}, "PluginFailed", "Url="),
        "user": ({"Url": "https://ali:veli@127.0.0.1/"}, "PluginFailed", "Url="),
        "none": ({"Url": "https://"}, "PluginFailed", "Url="),
        "pin": ({"PinnedPublicKey": "sha256//short"}, "PluginFailed", "PinnedPublicKey="),
        "secret": ({"ApiKeyCredential": "gizli/anahtar"}, "PluginFailed", "name of a credential"),
        "lost": ({"ApiKeyCredential": "no-such"}, "FileInvalid", "ApiKeyCredential="),
        "ca": ({"CaFile": "/etc/hosts"}, "FileInvalid", "CaFile="),
        "time": ({"TimeoutMs": "soon"}, "PluginFailed", "TimeoutMs="),
        "half": ({"ClientKeyCredential": "portal-key"}, "PluginFailed", "ClientCertificate="),
        "key": ({"ClientKeyCredential": "portal-key", "ClientCertificate": None}, "FileInvalid", "ClientKeyCredential="),
        "proxy": ({"Proxy": "ftp://127.0.0.1"}, "PluginFailed", "Proxy="),
    }

    @classmethod
    def prepare_more(cls):
        for name, (keys, _error, _says) in cls.WRONG.items():
            cls.backend("wrong-" + name, **{key: value or cls.certificate.certificate for key, value in keys.items()})

    def test_mistakes_are_named(self):
        for name, (_keys, error, says) in self.WRONG.items():
            with self.subTest(name):
                self.refused(error, "wrong-" + name, says=says)
        self.assertEqual(self.between.of(REDEEM), [])


if __name__ == "__main__":
    run()
