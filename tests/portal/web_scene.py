# SPDX-License-Identifier: Apache-2.0
"""A portal with its identity provider for the tests of the pages: both real, on loopback, with TLS."""
import contextlib
import html.parser
import http.client
import os
import pathlib
import re
import secrets
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import types
import urllib.parse

from pki import Pki
from portal_process import Api, new_key

BUILD = pathlib.Path(os.environ["EONAY_BUILD"])
SOURCE = pathlib.Path(os.environ["EONAY_SOURCE"])
START_SECONDS = 60
PASSWORD = "deneme"
AYSE = "10000000146"
MEHMET = "12345678950"
OPERATOR = "11111111110"
EDEVLET_CLIENT = "0d7d1cf2-7f70-4f0f-9f0c-0b6a1d2c3e4f"


def node_modules():
    """The folder with npm's packages, installed once from the lock file into the build tree."""
    folder = BUILD / "tests" / "portal" / "oidc"
    lock = SOURCE / "tests/portal/oidc/package-lock.json"
    stamp = folder / "installed"
    folder.mkdir(parents=True, exist_ok=True)
    if stamp.exists() and stamp.read_bytes() == lock.read_bytes():
        return folder
    for name in ("package.json", "package-lock.json"):
        shutil.copy(lock.parent / name, folder / name)
    subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=folder,
                   check=True, timeout=240, stdin=subprocess.DEVNULL)
    stamp.write_bytes(lock.read_bytes())
    return folder


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Scene:
    """with Scene() as scene: scene.browser() …; everything is gone afterwards."""

    def __init__(self, portal="", web="", port=None, database=None, provider=True):
        self.portal_keys, self.web_keys = portal, web
        self.stack = contextlib.ExitStack()
        self.port = port or free_port()
        self.provider_port = free_port()
        self.origin = f"https://localhost:{self.port}"
        self.with_provider = provider
        self.database = database
        self.process = None

    def __enter__(self):
        try:
            self.folder = pathlib.Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="eonay-web-")))
            self.make_files()
            if self.with_provider:
                self.start_provider()
            self.start_portal()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, *exc):
        if os.environ.get("EONAY_KEEP_LOG"): print(self.log.read_text(encoding="utf-8")[-3000:])
        self.stack.__exit__(*exc)

    def make_files(self):
        self.pki = Pki(str(BUILD / "tests/fixtures/mkpki"), str(self.folder))
        self.certificate, self.key = self.folder / "tls.pem", self.folder / "tls-key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", self.key, "-out", self.certificate, "-subj", "/CN=localhost", "-days", "2",
                        "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
                       check=True, timeout=30, stderr=subprocess.DEVNULL)
        self.secret = secrets.token_urlsafe(24)
        (self.folder / "client-secret").write_text(self.secret + "\n", encoding="ascii")
        (self.folder / "client-secret").chmod(0o600)
        self.write_config()

    def write_config(self):
        self.config = self.folder / "eonay-portal.conf"
        issuer = f"https://localhost:{self.provider_port}"
        self.config.write_text(f"""[Portal]
Listen=127.0.0.1:{self.port}
PublicUrl={self.origin}
TrustedProxy=yes
Certificate={self.certificate}
PrivateKey={self.key}
Name=Örnek Sertifikasyon Merkezi
Database={self.database or f'sqlite:{self.folder}/portal.db'}
KeyFile={self.folder}/portal.key
TrustAnchors={self.pki.root}
Intermediates={self.pki.issuing}
{self.portal_keys}
[Web]
{self.web_keys}
[Login edevlet]
Kind=edevlet
Issuer={issuer}/OAuth2AuthorizationServer
ClientId={EDEVLET_CLIENT}
SecretFile={self.folder}/client-secret
CaFile={self.certificate}
[Login oidc]
Kind=oidc
Issuer={issuer}
ClientId=eonay-portal
SecretFile={self.folder}/client-secret
CaFile={self.certificate}
""", encoding="utf-8")

    def start(self, command, log, **more):
        """A child that ends with this test, whatever happens to it."""
        with open(log, "ab") as out:
            process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", *map(str, command)], stdout=out,
                                       stderr=out, **more)

        self.stack.callback(self.stop, process)
        return process

    @staticmethod
    def stop(process):
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin:
            process.stdin.close()

    def fresh(self, portal="", web=""):
        """The portal begins anew, with no records and with these further keys."""
        self.stop(self.process)
        for path in self.folder.glob("portal.db*"):
            path.unlink()
        self.portal_keys, self.web_keys = portal, web
        self.write_config()
        self.start_portal()

    def wait_for(self, process, port, log):
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=20).close()
                return
            except OSError:
                if process.poll() is not None or time.monotonic() > until:
                    raise AssertionError(f"did not start: {pathlib.Path(log).read_text(encoding='utf-8')}") from None
                time.sleep(0.05)

    def start_provider(self):
        folder = node_modules()
        script = folder / "provider.mjs"
        shutil.copy(SOURCE / "tests/portal/oidc/provider.mjs", script)
        log = self.folder / "provider.log"
        provider = self.start(["node", script, self.provider_port, self.certificate, self.key, self.origin, self.secret],
                              log, stdin=subprocess.PIPE, cwd=folder)
        self.wait_for(provider, self.provider_port, log)

    def start_portal(self):
        self.log = self.folder / "portal.log"
        environment = {**os.environ, "EONAY_LOCALE_DIR": str(BUILD / "po")}
        self.process = self.start([BUILD / "portal/eonay-portal", "--config", self.config], self.log, env=environment)
        self.wait_for(self.process, self.port, self.log)

    def admin(self, *arguments, text=""):
        """eonay-portal-admin with this portal's records."""
        return subprocess.run([BUILD / "portal/eonay-portal-admin", "--config", self.config, *map(str, arguments)],
                              input=text, text=True, capture_output=True, timeout=60, check=False)

    source = SOURCE

    @contextlib.contextmanager
    def silent_provider(self):
        """The portal begins anew with a provider that takes connections and says nothing."""
        with socket.create_server(("127.0.0.1", 0)) as silent:
            text = self.config.read_text(encoding="utf-8")
            self.stop(self.process)
            self.config.write_text(text.replace(f":{self.provider_port}", f":{silent.getsockname()[1]}"), encoding="utf-8")
            self.start_portal()
            yield

    def browser(self, **more):
        return Browser(self, **more)

    def credential(self, base, **options):
        return self.pki.issue(base, key="p256", **options)

    def api(self):
        portal = types.SimpleNamespace(port=self.port, scene=types.SimpleNamespace(tls=types.SimpleNamespace(ca=self.certificate)))
        return Api(portal)

    def sign(self, code, credential):
        """What a signature program does with a code: the receipt's number."""
        api = self.api()
        transaction, signatures = api.opened(code, credential)
        answer = api.submit(transaction, signatures, new_key())
        assert answer.status in (200, 201), answer
        return answer.body["receipt_id"]


class Form(html.parser.HTMLParser):
    """The forms of a page, as action and fields, and its links."""

    def __init__(self, text):
        super().__init__()
        self.forms, self.links, self.text = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        if tag == "form":
            self.forms.append({"action": a.get("action", ""), "method": a.get("method", "get"), "fields": {}})
        elif tag in ("input", "button") and self.forms and a.get("name") and a.get("type") != "checkbox":
            if tag == "input":
                self.forms[-1]["fields"][a["name"]] = a.get("value", "")
        elif tag == "a" and "href" in a:
            self.links.append(a["href"])

    def handle_data(self, data):
        self.text += data


class Answer:
    def __init__(self, response, body, url):
        self.status, self.headers, self.body, self.url = response.status, response.headers, body, url
        self.text = body.decode("utf-8", "replace")

    def header(self, name):
        return self.headers.get(name)

    @property
    def page(self):
        return Form(self.text)

    def form(self, action):
        return next(f for f in self.page.forms if f["action"] == action)


class Browser:
    """A browser's part of HTTP and no more: cookies, redirects when asked, the headers that browsers send."""

    def __init__(self, scene, language="tr", cookies=None, address=None):
        self.scene = scene
        # As a proxy would tell it: limits that count by address must not make tests disturb each other.
        self.address = address or f"2001:db8:{secrets.randbelow(65536):x}:{secrets.randbelow(65536):x}::1"
        self.language = language
        self.cookies = dict(cookies or {})
        self.context = ssl.create_default_context(cafile=str(scene.certificate))

    def begin(self, path, **headers):
        """Sends a request and does not wait for its answer."""
        connection = http.client.HTTPSConnection("localhost", self.scene.port, context=self.context, timeout=60)
        connection.request("GET", path, headers={"X-Forwarded-For": self.address, **headers})
        return connection

    def request(self, method, url, body=None, headers=None):
        parts = urllib.parse.urlsplit(urllib.parse.urljoin(self.scene.origin + "/", url))
        origin = f"{parts.scheme}://{parts.netloc}"
        connection = http.client.HTTPSConnection(parts.hostname, parts.port, context=self.context, timeout=60)
        all_headers = {"Accept-Language": self.language, "Accept": "text/html", "X-Forwarded-For": self.address}
        cookies = self.cookies.get(origin, {})
        if cookies:
            all_headers["Cookie"] = "; ".join(f"{k}={v}" for k, v in cookies.items())
        if isinstance(body, dict):
            body = urllib.parse.urlencode(body)
            all_headers["Content-Type"] = "application/x-www-form-urlencoded"
        all_headers.update(headers or {})
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target, body, {k: v for k, v in all_headers.items() if v is not None})
        response = connection.getresponse()
        answer = Answer(response, response.read(), origin + target)
        connection.close()
        for line in response.headers.get_all("Set-Cookie") or []:
            name, value = line.split(";")[0].split("=", 1)
            gone = "max-age=0" in line.lower() or re.search("expires=Thu, 01 Jan 1970", line)
            self.cookies.setdefault(origin, {})
            if gone:
                self.cookies[origin].pop(name, None)
            else:
                self.cookies[origin][name] = value
        return answer

    def get(self, url, **more):
        return self.request("GET", url, **more)

    def follow(self, answer):
        for _ in range(20):
            if answer.status not in (301, 302, 303, 307, 308):
                return answer
            answer = self.get(urllib.parse.urljoin(answer.url, answer.header("Location")))
        raise AssertionError("redirects without end")

    def submit(self, answer, action, **fields):
        form = answer.form(action)
        return self.request("POST", urllib.parse.urljoin(answer.url, action), {**form["fields"], **fields},
                            headers={"Origin": "{0.scheme}://{0.netloc}".format(urllib.parse.urlsplit(answer.url))})

    def at_provider(self, way):
        """Leaves for the provider and stands at its form."""
        return self.follow(self.get(f"/giris/{way}"))

    def log_in(self, who, way="edevlet", password=PASSWORD):
        form = self.at_provider(way)
        action = form.page.forms[0]["action"]
        return self.follow(self.submit(form, action, login=who, password=password, do="login"))

    def code(self):
        """The fifteen digits on the page of figure 7."""
        found = re.search(r'<output[^>]*>([0-9]{15})</output>', self.get("/kod/e-onay").text)
        return found.group(1) if found else None

    def begin_consent(self):
        """Figures 6 and 7: the code."""
        answer = self.follow(self.submit(self.get("/nes/e-onay"), "/nes/e-onay", kabul="evet"))
        assert answer.url.endswith("/kod/e-onay"), answer.text
        return self.code()

    @property
    def own_cookies(self):
        return self.cookies.get(self.scene.origin, {})
