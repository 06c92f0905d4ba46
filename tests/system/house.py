# SPDX-License-Identifier: Apache-2.0
"""The booted machine as its administrator sees it: packages, configuration, card, and what the tests ask of it."""
import glob
import hashlib
import json
import os
import re
import subprocess
import time
import types

import dbus

from responders import Responders

HERE = os.path.dirname(os.path.abspath(__file__))
NAME, ROOT = "org.eonay.EOnay1", "/org/eonay/EOnay1"
MANAGER = NAME + ".Manager"
PIN = "123456"  # of every new virtual card
CITIZEN, TCKN = "AYŞE YILMAZ", "10000000146"
CONFIG = f"""[Daemon]
LogLevel=debug
PluginDirectories=%s;{HERE}

[Backend local]
Plugin=ca-local
Database=/var/lib/eonay-ca/authority.db
TrustAnchors=/etc/eonay/anchors.pem
Intermediates=/etc/eonay/intermediates.pem
AllowRepeats=yes
"""


def sh(*command, check=False, timeout=60, **rest):
    return subprocess.run(command, text=True, capture_output=True, check=check, timeout=timeout, **rest)


def put(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, mode), "w", encoding="utf-8") as file:
        file.write(text)


def packages():
    return sorted(glob.glob(os.path.join(HERE, "packages", "*.deb")))


def install():
    """As an administrator does it. This machine's own rule against starting services is of its image, not of Debian; and not all
    of its manual pages need to be indexed anew."""
    for name in ("/usr/sbin/policy-rc.d", "/var/lib/man-db/auto-update"):
        if os.path.exists(name):
            os.unlink(name)
    result = sh("apt-get", "install", "--yes", *packages(), env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
                timeout=120)
    if result.returncode != 0:
        print(result.stdout, result.stderr)
        raise SystemExit("the packages cannot be installed")


def configure(extra=""):
    plugins = glob.glob("/usr/lib/*/eonay/plugins")[0]
    put("/etc/eonay/eonayd.conf.d/test.conf", CONFIG.replace("%s", plugins) + extra)


def wait_until(condition, what, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"within {seconds} s it did not come to pass: {what}")
        time.sleep(0.02)


def call(path, interface, member, signature="", *values, timeout=30):
    return dbus.SystemBus().call_blocking(NAME, path, interface, member, signature, values, timeout=timeout)


def version():
    return str(call(ROOT, "org.freedesktop.DBus.Properties", "Get", "ss", MANAGER, "Version"))


def objects(kind):
    found = call(ROOT, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
    return {str(path): interfaces for path, interfaces in found.items() if f"/{kind}/" in path}


def prop(unit, name):
    return sh("systemctl", "show", "--value", "--property", name, unit).stdout.strip()


def hosts(kind):
    """{unit: process id} of the running hosts of a kind."""
    units = sh("systemctl", "list-units", "--plain", "--no-legend", "--state=running", f"eonay-{kind}@*.service").stdout
    return {unit: int(prop(unit, "MainPID")) for unit in re.findall(r"^\S+", units, re.M)}


def log_of(*match):
    """The journal's entries as dictionaries."""
    text = sh("journalctl", "--boot", "--no-pager", "--output=json", "--all", *match).stdout
    return [json.loads(line) for line in text.splitlines()]


class Card:
    """The citizen's card, a process that answers as a PIV card in the virtual reader of the machine's pcscd."""

    def __init__(self, credential):
        with open(credential.certificate_der, "rb") as file:
            self.fingerprint = hashlib.sha256(file.read()).hexdigest()
        self.process = subprocess.Popen(
            [os.path.join(HERE, "eonay-vcard"), "--key", f"9c={credential.key}", "--cert", f"9c={credential.certificate}",
             "--control", "/run/card", "--script", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def report(self):
        return {key: int(value) for key, value in (pair.split("=") for pair in self.tell("report").split())}


services = None  # what the authorities of certificates and time stamps offer, on loopback
card = None  # of the citizen, once it is there
codes = []  # all that he has got


def issue(name):
    """A certificate of the citizen, which the authorities answer for."""
    credential = services.pki.issue(name, name=CITIZEN, tckn=TCKN, **services.locations)
    services.know(credential)
    return credential


def begin():
    """The card is inserted, the authority configured, the citizen ready."""
    global card, services
    services = Responders(types.SimpleNamespace(mkpki=os.path.join(HERE, "mkpki"), trust="/usr/sbin/eonay-trust"), HERE)
    root, issuing = (open(name, encoding="ascii").read() for name in (services.pki.root, services.pki.issuing))
    put("/etc/eonay/anchors.pem", root)
    put("/etc/eonay/intermediates.pem", issuing)
    put(os.path.join(HERE, "chain.pem"), root + issuing)
    card = Card(issue("citizen"))
    configure()
    sh("systemctl", "restart", "eonayd", check=True)
    wait_until(lambda: objects("certificate"), "the card's certificate is listed")
    put("/home/citizen/pin", PIN, 0o600)
    os.chown("/home/citizen/pin", os.stat("/home/citizen").st_uid, -1)


def secrets():
    """What nobody else may learn, and no log may hold."""
    return [CITIZEN, TCKN, *codes]
