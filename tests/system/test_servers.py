# SPDX-License-Identifier: Apache-2.0
"""What an administrator sets up beyond a card at a desk, under the units as they are installed: time stamps over the network, a
portal with its keys in credentials, a server that signs with a PIN in a credential, a module that makes code."""
import hashlib
import json
import os
import pwd
import re
import ssl
import subprocess
import unittest
import urllib.request

import dbus

import house
from house import CITIZEN, HERE, NAME, TCKN, call, configure, hosts, objects, prop, put, sh, wait_until
from people import active, add_user
from responders import POLICY
from softhsm import SoftHsm
from test_use import new_code
from test_walls import inside, probe
from tls import TlsAuthority

ACCOUNT, ACCOUNT_PASSWORD = "900123", "hesap-parolasi"
PORTAL_KEY = "portal-anahtari-0123456789abcdef"
PORTAL = "/etc/eonay/eonay-portal.conf"
URL = "https://127.0.0.1:8443"
HSM_PIN = "86420975"

CONFIG = f"""
[Fetch]
Internal=yes

[Timestamp first]
Url=%s/tsa
Policy={POLICY}
Identity=tsa-account

[Backend stamped]
Plugin=ca-local
Database=/var/lib/eonay-ca/stamped.db
TrustAnchors=/etc/eonay/anchors.pem
Intermediates=/etc/eonay/intermediates.pem
Level=B-T

[Backend portal]
Plugin=ca-rest
Url={URL}
CaFile=/etc/eonay/portal-ca.pem
ClientCertificate=/etc/eonay/us.pem
ClientKeyCredential=our-key
ApiKeyCredential=portal-key

[Token hsm]
Plugin=token-pkcs11
Module=/usr/lib/softhsm/libsofthsm2.so
Environment=SOFTHSM2_CONF=/etc/softhsm/softhsm2.conf
ReadPaths=/etc/softhsm
WritePaths=/var/lib/softhsm/tokens
PinCredential=hsm-pin
PinCredentialUsers=%s
"""

PORTAL_CONFIG = """[Portal]
TrustAnchors=/etc/eonay/anchors.pem
Intermediates=/etc/eonay/intermediates.pem
Clients=/etc/eonay/portal-clients
RequireClient=yes
AllowRepeats=yes
"""

ALONE = """Listen=127.0.0.1:8443
Certificate=/etc/eonay/portal.pem
PrivateKey=/run/credentials/eonay-portal.service/tls.key
"""

BEHIND = f"""Listen=unix:/run/eonay-portal/http
PlainHttp=yes
TrustedProxy=yes
PublicUrl={URL}
"""

NGINX = """upstream eonay {
    server unix:/run/eonay-portal/http;
    keepalive 32;
}
server {
    listen 127.0.0.1:8443 ssl http2;
    server_name localhost;
    ssl_certificate /etc/eonay/portal.pem;
    ssl_certificate_key /etc/eonay/portal.key;
    ssl_client_certificate /etc/eonay/portal-ca.pem;
    ssl_verify_client on;
    location / {
        proxy_pass http://eonay;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host $host;
        proxy_set_header X-Forwarded-For $remote_addr;
    }
}
"""

# As docs/permissions.md has it, for one user.
RULE = """polkit.addRule(function(action, subject) {
    var everyday = ["get-code", "list-certificates", "sign"];
    if (action.id.indexOf("org.eonay.eonay1.") == 0 && subject.user == "robot" &&
        everyday.indexOf(action.id.substring(17)) >= 0)
        return polkit.Result.YES;
});
"""


def read(path):
    with open(path, encoding="ascii") as file:
        return file.read()


def drop_in(unit, *lines):
    put(f"/etc/systemd/system/{unit}.d/test.conf", "[Service]\n" + "".join(line + "\n" for line in lines))


def owner(pid):
    return pwd.getpwuid(os.stat(f"/proc/{pid}").st_uid).pw_name


def health():
    context = ssl.create_default_context(cafile="/etc/eonay/portal-ca.pem")
    context.load_cert_chain("/etc/eonay/us.pem", "/etc/eonay/us.key")
    with urllib.request.urlopen(URL + "/v1/health", context=context, timeout=20) as answer:
        return answer.status


def portal_code():
    """As the portal's page gives it to a citizen who has logged in."""
    who = pwd.getpwnam("eonay-portal")
    code = sh(os.path.join(HERE, "portal-tool"), PORTAL, "issue", input=f"{TCKN} e-onay.nes-application\n", check=True,
              user=who.pw_uid, group=who.pw_gid, extra_groups=[], cwd="/").stdout.strip()
    house.codes.append(code)
    return code


def sign(code, backend, *more):
    """With the card."""
    return active("citizen", "eonayctl", "sign", code, f"--backend={backend}", f"--certificate={house.card.fingerprint}", "--yes",
                  "--pin-file=pin", *more)


def end_authority_hosts():
    """What they were given is read at their start."""
    for pid in hosts("ca").values():
        os.kill(pid, 9)


class Servers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        add_user("robot")
        cls.stamps()
        cls.portal()
        cls.hsm()
        sh("systemctl", "daemon-reload", check=True)
        configure(CONFIG % (house.services.url, pwd.getpwnam("robot").pw_uid) + probe("card;jit"))
        sh("systemctl", "restart", "eonayd", check=True)
        wait_until(lambda: len(objects("certificate")) == 2 and len(objects("token")) > 10, "card and HSM are read, the probe has told")

    @classmethod
    def stamps(cls):
        """Trust anchors as docs/administer.md has it, and an account at the time-stamp authority."""
        public = "/etc/eonay/trust/key.pub"
        sh("eonay-trust", "init", "--key", "/root/trust.key", "--public", public, check=True)
        sh("eonay-trust", "import", "--key", "/root/trust.key", "--public", public, house.services.pki.root, check=True)
        put("/etc/eonay/tsa.account", f"{ACCOUNT}:{ACCOUNT_PASSWORD}\n", 0o600)
        drop_in("eonay-fetch@.service", "LoadCredential=tsa-account:/etc/eonay/tsa.account")

    @classmethod
    def portal(cls):
        tls = TlsAuthority(os.path.join(HERE, "tls"))
        server, us = tls.issue("portal"), tls.issue("us", usage="clientAuth")
        put("/etc/eonay/portal-ca.pem", read(tls.ca))
        put("/etc/eonay/portal.pem", read(server.certificate))
        put("/etc/eonay/portal.key", read(server.key), 0o600)
        put("/etc/eonay/us.pem", read(us.certificate))
        put("/etc/eonay/us.key", read(us.key), 0o600)
        put("/etc/eonay/our.key", PORTAL_KEY + "\n", 0o600)
        put("/etc/eonay/portal-clients", "daemon " + hashlib.sha256(PORTAL_KEY.encode()).hexdigest() + "\n")
        put(PORTAL, PORTAL_CONFIG + ALONE)
        drop_in("eonay-portal.service", "LoadCredential=tls.key:/etc/eonay/portal.key")
        drop_in("eonay-ca@.service", "LoadCredential=portal-key:/etc/eonay/our.key", "LoadCredential=our-key:/etc/eonay/us.key")

    @classmethod
    def hsm(cls):
        """SoftHSM's folder let in and its PIN a credential, as docs/administer.md has it."""
        token = SoftHsm(HERE, HSM_PIN)
        token.conf = "/etc/softhsm/softhsm2.conf"
        token.add_token("seal")
        token.add_credential("seal", house.issue("seal"))
        sh("chmod", "-R", "g+rwX", "/var/lib/softhsm/tokens", check=True)
        sh("chgrp", "-R", "softhsm", "/var/lib/softhsm/tokens", check=True)
        put("/etc/eonay/hsm.pin", HSM_PIN + "\n", 0o600)
        drop_in("eonay-token@.service", "SupplementaryGroups=softhsm", "BindPaths=/var/lib/softhsm/tokens",
                "LoadCredential=hsm-pin:/etc/eonay/hsm.pin")

    @classmethod
    def tearDownClass(cls):
        for unit in ("eonay-token@.service", "eonay-ca@.service", "eonay-fetch@.service"):
            os.unlink(f"/etc/systemd/system/{unit}.d/test.conf")
        sh("systemctl", "stop", "nginx", "eonay-portal")
        sh("systemctl", "daemon-reload", check=True)
        configure()
        sh("systemctl", "restart", "eonayd", check=True)
        wait_until(lambda: objects("certificate"), "the card's certificate is listed")

    # -- the fetch host -----------------------------------------------------------------------------------------------

    def test_1_time_stamp(self):
        code = json.loads(active("citizen", "eonayctl", "code", "--backend=stamped", "--no-wait", "--json").stdout)["Code"]
        house.codes.append(code)
        house.services.asked.clear()
        result = sign(code, "stamped", "--output=stamped.p7s")
        self.assertEqual(result.returncode, 0, result.stderr + result.stdout)
        shown = sh("openssl", "cms", "-cmsout", "-print", "-inform", "DER", "-in", "/home/citizen/stamped.p7s").stdout
        self.assertIn("id-smime-aa-timeStampToken", shown)
        report = sh("eonayctl", "verify", "/home/citizen/stamped.p7s", "--json", user="citizen").stdout
        self.assertIn("B-T", report)
        self.the_account_was_shown()
        self.the_process_that_fetched()

    def the_account_was_shown(self):
        asked = {path: headers for _, path, headers in house.services.asked}
        self.assertIn("/ocsp", asked)
        self.assertIn("identity", {name.lower() for name in asked["/tsa"]}, asked["/tsa"])
        self.assertNotIn(ACCOUNT_PASSWORD, str(asked))

    def the_process_that_fetched(self):
        running = hosts("fetch")
        self.assertTrue(running)
        for pid in running.values():
            self.assertEqual(owner(pid), "eonay-fetch")
            self.assertEqual(inside(pid, "ls", "/var/lib").stdout, "")
            for path in ("/run/pcscd", "/run/dbus", "/run/eonay", "/var/lib/eonay", "/var/lib/eonay-ca", "/home/citizen"):
                self.assertNotEqual(inside(pid, "test", "-e", path).returncode, 0, path)
            found = inside(pid, "find", "/run/credentials", "-type", "f").stdout.split()
            self.assertEqual([os.path.basename(path) for path in found], ["tsa-account"])

    # -- the portal, and ca-rest with its keys --------------------------------------------------------------------------

    def test_2_portal_over_its_own_tls(self):
        sh("systemctl", "start", "eonay-portal", check=True)
        self.assertEqual(owner(prop("eonay-portal", "MainPID")), "eonay-portal")
        self.assertEqual(health(), 200)
        result = sign(portal_code(), "portal", "--receipt=portal.json")
        self.assertEqual(result.returncode, 0, result.stderr + result.stdout)
        self.assertIn("receipt", read("/home/citizen/portal.json").lower())

    def test_3_without_its_key_nothing(self):
        """The portal knows us by the credential alone."""
        put("/etc/eonay/our.key", "another-key-0123456789abcdef\n", 0o600)
        end_authority_hosts()
        try:
            result = sign(portal_code(), "portal")
            self.assertNotEqual(result.returncode, 0)
            self.assertIn("HTTP 401", result.stderr)
        finally:
            put("/etc/eonay/our.key", PORTAL_KEY + "\n", 0o600)
            end_authority_hosts()

    def test_4_portal_behind_nginx(self):
        """Restarted with another configuration: a code of before counts, and the certificate we show is asked for."""
        before = portal_code()
        put("/etc/nginx/conf.d/eonay.conf", NGINX)
        sh("usermod", "--append", "--groups", "eonay-portal", "www-data", check=True)
        put(PORTAL, PORTAL_CONFIG + BEHIND)
        sh("systemctl", "restart", "eonay-portal", check=True)
        sh("systemctl", "restart", "nginx", check=True)
        self.assertEqual(health(), 200)
        with self.assertRaises(OSError):  # nginx asks for a certificate, and so the daemon's is known to be shown
            urllib.request.urlopen(URL + "/v1/health", context=ssl.create_default_context(cafile="/etc/eonay/portal-ca.pem"),
                                   timeout=20)
        result = sign(before, "portal")
        self.assertEqual(result.returncode, 0, result.stderr + result.stdout)

    def test_5_portal_stops(self):
        sh("systemctl", "stop", "eonay-portal", check=True)
        self.assertEqual((prop("eonay-portal", "Result"), prop("eonay-portal", "ExecMainStatus")), ("success", "0"))
        self.assertFalse(os.path.exists("/run/eonay-portal"))
        self.assertTrue(os.path.exists("/var/lib/eonay-portal/portal.db"))

    # -- a server that signs --------------------------------------------------------------------------------------------

    def test_6_pin_in_a_credential(self):
        """The example for strangers, run by a service's user with no session, signs with the only token left."""
        house.card.tell("pull")
        wait_until(lambda: len(objects("certificate")) == 1, "the card is gone")
        put("/etc/polkit-1/rules.d/50-eonay.rules", RULE)
        try:
            wait_until(lambda: self.robot("eonayctl", "code", "--no-wait").returncode == 0, "polkit knows the rule")
            self.robot_signs()
            self.others_do_not()
        finally:
            os.unlink("/etc/polkit-1/rules.d/50-eonay.rules")
            house.card.tell("insert")
        wait_until(lambda: len(objects("certificate")) == 2, "the card is back")

    def robot(self, *command, **rest):
        who = pwd.getpwnam("robot")
        return sh(*command, user=who.pw_uid, group=who.pw_gid, extra_groups=[], cwd=who.pw_dir,
                  env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": who.pw_dir}, **rest)

    def robot_signs(self):
        code = json.loads(self.robot("eonayctl", "code", "--no-wait", "--json").stdout)["Code"]
        house.codes.append(code)
        result = self.robot("/usr/bin/python3", os.path.join(HERE, "sign.py"), code, "sealed.p7s", input="yes\n")
        self.assertEqual(result.returncode, 0, result.stderr)
        verified = sh("openssl", "cms", "-verify", "-cades", "-inform", "DER", "-in", "/home/robot/sealed.p7s", "-CAfile",
                      os.path.join(HERE, "chain.pem"))
        self.assertEqual(verified.returncode, 0, verified.stderr)

    def others_do_not(self):
        result = active("citizen", "/usr/bin/python3", os.path.join(HERE, "sign.py"), new_code(), stdin="yes\n")
        self.assertNotEqual(result.returncode, 0)
        self.assertRegex(result.stderr, "NoAgent|No agent")

    # -- the relaxed token host -----------------------------------------------------------------------------------------

    def test_7_a_module_that_makes_code(self):
        """Has a process of the relaxed kind, where that is possible and all else is not."""
        running = hosts("token-relaxed")
        self.assertTrue(running)
        for pid in running.values():
            self.assertEqual(owner(pid), "eonay-relaxed")
            self.assertEqual(inside(pid, "find", "/run/credentials", "-type", "f").stdout, "")
        told = {}
        for path in objects("token"):
            found = call(path, NAME + ".Token", "Describe", "a{sv}", dbus.Dictionary({}, signature="sv"))
            told[str(found["Serial"])] = str(found["Label"])
        for name in ("map-made-code", "protect-made-code", "private-run", "undumpable", "no-capabilities"):
            self.assertEqual(told[name], "done", name)
        for name in ("connect-bus", "connect-tcp", "socket-inet", "read-outside", "make-in-write-path", "execve", "fork", "ptrace"):
            self.assertNotEqual(told[name], "done", name)
