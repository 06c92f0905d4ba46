# SPDX-License-Identifier: Apache-2.0
"""A machine to be booted: an overlay of this one's files whose changes stay in memory, in a container without network."""
import os
import shutil
import signal
import subprocess
import tempfile

import packages

HERE = os.path.dirname(os.path.abspath(__file__))
PLACE = "/opt/eonay-test"  # in the machine
DEADLINE = 300  # seconds for all that happens in it; half a minute on a quiet machine
PROGRAMS = ("tests/cards/vcard/eonay-vcard", "tests/fixtures/mkpki", "plugins/fake/fake-ca.so", "plugins/fake/fake-ca.plugin",
            "plugins/fake/fake-token.so", "plugins/fake/fake-token.plugin",
            "tests/unit/host/probe.so", "tests/portal/portal-tool")
# Of the other tests, and a client as it is shown to strangers.
MODULES = ("tests/sandbox/pki.py", "tests/sandbox/processes.py", "tests/sandbox/responders.py", "tests/sandbox/softhsm.py",
           "tests/sandbox/tls.py", "client-examples/python/sign.py")

UNIT = f"""[Unit]
Description=The system test
Requires=basic.target dbus.socket
After=basic.target dbus.socket
Wants=dbus.service systemd-logind.service systemd-user-sessions.service pcscd.socket
After=dbus.service systemd-logind.service systemd-user-sessions.service pcscd.socket
SuccessAction=exit-force
FailureAction=exit-force

[Service]
Type=oneshot
WorkingDirectory={PLACE}
ExecStart=/usr/bin/python3 -B {PLACE}/inside.py
StandardOutput=file:{PLACE}/out/log
StandardError=inherit
Environment=LC_ALL=C.UTF-8 PYTHONUNBUFFERED=1
TimeoutStartSec={DEADLINE - 10}
"""


class Impossible(Exception):
    pass


def run(*command):
    result = subprocess.run(command, text=True, capture_output=True, timeout=60)
    if result.returncode != 0:
        raise Impossible(f"{command[0]}: {result.stderr.strip() or result.returncode}")


def lint(folder):
    """The complaints of lintian, printed; their number."""
    changes = [os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".changes")]
    output = subprocess.run(["lintian", "--allow-root", "--fail-on", "none", "--tag-display-limit", "0", "--suppress-tags",
                             "initial-upload-closes-no-bugs,bad-distribution-in-changes-file", *changes], text=True,
                            capture_output=True, timeout=300).stdout
    found = [line for line in output.splitlines() if line[:2] in ("E:", "W:")]
    print(*found, sep="\n")
    print(f"lintian: {len(found)} errors and warnings")
    return len(found)


class Machine:
    def __init__(self, tree):
        self.tree = os.path.abspath(tree)
        if os.geteuid() != 0:
            raise Impossible("this is not root")
        if not shutil.which("systemd-nspawn"):
            raise Impossible("systemd-nspawn is missing (package systemd-container)")
        self.folder = tempfile.mkdtemp(prefix="eonay-system.", dir="/run")
        self.root = os.path.join(self.folder, "root")
        self.mounted = []

    def __enter__(self):
        try:
            run("mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", self.folder)
            self.mounted.append(self.folder)
            for name in ("upper", "work", "root", "out"):
                os.mkdir(os.path.join(self.folder, name))
            run("mount", "-t", "overlay", "-o",
                f"lowerdir=/,upperdir={self.folder}/upper,workdir={self.folder}/work", "overlay", self.root)
            self.mounted.append(self.root)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for place in reversed(self.mounted):
            subprocess.run(["umount", "--lazy", place], timeout=60, check=False)
        os.rmdir(self.folder)

    def path(self, *names):
        return os.path.join(self.root, PLACE[1:], *names)

    def fill(self, folder):
        """The packages, the tests and what they use; the unit that runs them."""
        os.makedirs(self.path("packages"))
        os.makedirs(self.path("out"))
        for deb in packages.debs(folder):
            shutil.copy(deb, self.path("packages"))
        for name in os.listdir(HERE):
            if name.endswith(".py"):
                shutil.copy(os.path.join(HERE, name), self.path())
        for name in MODULES:
            shutil.copy(os.path.join(packages.SOURCE, name), self.path())
        for name in PROGRAMS:
            shutil.copy(os.path.join(self.tree, name), self.path())
        with open(os.path.join(self.root, "etc/systemd/system/eonay-test.service"), "w", encoding="ascii") as file:
            file.write(UNIT)

    def boot(self):
        """Returns how many tests passed and how many failed."""
        out = os.path.join(self.folder, "out")
        child = subprocess.Popen(
            ["systemd-nspawn", "--quiet", f"--directory={self.root}", "--boot", "--register=no", "--keep-unit", "--private-network",
             "--machine=eonay-test", "--system-call-filter=@memlock landlock_create_ruleset landlock_add_rule landlock_restrict_self", "--console=pipe", f"--bind={out}:{PLACE}/out", "systemd.unit=eonay-test.service",
             "systemd.show_status=no", "systemd.log_target=null"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
        try:
            console = child.communicate(timeout=DEADLINE)[0]
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            console = child.communicate()[0] + f"The machine was still at it after {DEADLINE} s.\n"
        return self.tell(out, console)

    def tell(self, out, console):
        log, verdict = os.path.join(out, "log"), os.path.join(out, "verdict")
        print(open(log, encoding="utf-8", errors="replace").read() if os.path.exists(log) else console)
        if os.path.exists(verdict):
            return [int(number) for number in open(verdict, encoding="ascii").read().split()]
        print(console[-4000:])
        print("The machine did not come to a verdict.")
        return [0, 1]
