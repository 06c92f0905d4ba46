# SPDX-License-Identifier: Apache-2.0
"""What the processes can reach, proved from inside: by a plugin that tries, and by looking from within their namespaces."""
import os
import socket
import subprocess
import unittest

import dbus

from house import HERE, NAME, call, configure, hosts, objects, prop, put, sh, wait_until
from people import active

POLICY = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE policyconfig PUBLIC "-//freedesktop//DTD PolicyKit Policy Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/PolicyKit/1/policyconfig.dtd">
<policyconfig>""" + "".join(f"""<action id="org.debian.pcsc-lite.{name}"><description>{name}</description><message>{name}</message>
<defaults><allow_any>no</allow_any><allow_inactive>no</allow_inactive><allow_active>yes</allow_active></defaults>
</action>""" for name in ("access_pcsc", "access_card")) + "</policyconfig>"

PROBE = f"""
[Token probe]
Plugin=probe
Needs=card
Bus=/run/dbus/system_bus_socket
Abstract=eonay-test
Outside=/etc/eonay/anchors.pem
"""


def probe(needs="card"):
    """The section of a plugin that tries to get out."""
    put(os.path.join(HERE, "probe.plugin"), "[Plugin]\nName=probe\nKind=token\nModule=probe.so\nPriority=0\nNeeds=card\n")
    return PROBE.replace("Needs=card", f"Needs={needs}")


def wait_for_action(action, pid):
    """polkit's answer; it takes a moment until it has noticed a new file of actions."""
    answers = []

    def known():
        answers.append(sh("pkcheck", "--action-id", action, "--process", str(pid)))
        return "not registered" not in answers[-1].stderr

    wait_until(known, "polkit knows the action")
    return answers[-1]


def inside(pid, *command):
    """A command in the namespaces of a process, its root folder included."""
    return sh("nsenter", f"--target={pid}", "--mount", "--net", "--ipc", "--root", "--wd", "--", *command)


class Walls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.listener = socket.socket(socket.AF_UNIX)
        cls.listener.bind("\0eonay-test")
        cls.listener.listen()
        configure(probe())
        sh("systemctl", "restart", "eonayd", check=True)
        wait_until(lambda: len(objects("token")) > 10 and objects("certificate"), "the probe has told and the card is read")

    @classmethod
    def tearDownClass(cls):
        cls.listener.close()
        configure()
        sh("systemctl", "restart", "eonayd", check=True)
        wait_until(lambda: objects("certificate"), "the card's certificate is listed")

    def attempts(self):
        """{attempt: what came of it}"""
        found = {}
        for path in objects("token"):
            told = call(path, NAME + ".Token", "Describe", "a{sv}", dbus.Dictionary({}, signature="sv"))
            found[str(told["Serial"])] = str(told["Label"])
        return found

    def test_token_host_from_inside(self):
        told = self.attempts()
        print("token host:", ", ".join(f"{name} {result}" for name, result in sorted(told.items())))
        for name in ("connect-bus", "connect-abstract", "connect-tcp", "socket-inet", "socket-inet6", "socket-netlink", "socket-packet",
                     "read-outside", "read-passwd", "make-in-write-path", "chmod-outside", "execve", "fork", "ptrace",
                     "unshare", "mount", "bpf", "keyctl", "map-made-code", "protect-made-code", "set-dumpable"):
            self.assertIn(name, told)
            self.assertNotEqual(told[name], "done", name)
        for name in ("private-run", "undumpable", "no-capabilities", "thread"):
            self.assertEqual(told[name], "done", name)

    def test_token_and_reader_hosts_have_no_network(self):
        for kind in ("token", "reader"):
            for pid in hosts(kind).values():
                self.assertEqual([line.split(":")[1].strip() for line in inside(pid, "ip", "-o", "link").stdout.splitlines()], ["lo"])
                sockets = inside(pid, "find", "/", "-path", "/proc", "-prune", "-o", "-type", "s", "-print").stdout
                self.assertEqual(sockets.split(), ["/run/pcscd/pcscd.comm"])
                self.assertNotEqual(inside(pid, "test", "-e", "/run/dbus/system_bus_socket").returncode, 0)

    def test_authority_host_has_no_card(self):
        for pid in self.authority_hosts():
            self.assertEqual(inside(pid, "ls", "/var/lib").stdout.split(), ["eonay-ca"])
            for path in ("/run/pcscd", "/run/dbus", "/run/eonay", "/var/lib/eonay", "/home/citizen", "/root/.bashrc"):
                self.assertNotEqual(inside(pid, "test", "-e", path).returncode, 0, path)

    def authority_hosts(self):
        active("citizen", "eonayctl", "code", "--no-wait")
        running = hosts("ca").values()
        self.assertTrue(running)
        return running

    def test_credentials_reach_one_kind(self):
        """A key to an authority, given by the administrator's drop-in."""
        put("/etc/eonay/portal.key", "a key\n", 0o600)
        put("/etc/systemd/system/eonay-ca@.service.d/key.conf", "[Service]\nLoadCredential=portal-key:/etc/eonay/portal.key\n")
        sh("systemctl", "daemon-reload", check=True)
        for kind in ("ca", "token", "reader"):
            for pid in hosts(kind).values():
                os.kill(pid, 9)
        wait_until(lambda: hosts("token") and hosts("reader") and objects("certificate"), "the processes are back")
        for pid in self.authority_hosts():
            self.assertEqual(inside(pid, "find", "/run/credentials", "-name", "portal-key").stdout.count("portal-key"), 1)
        for pid in [*hosts("token").values(), *hosts("reader").values(), prop("eonayd", "MainPID")]:
            self.assertEqual(inside(pid, "find", "/run", "-name", "portal-key").stdout, "")

    def test_polkit_lets_card_hosts_in(self):
        """Debian's pcscd asks nobody; one that asks finds the rule. Its actions are put there for the question."""
        put("/usr/share/polkit-1/actions/test.policy", POLICY)
        for user, allowed in (("eonay-token", True), ("eonay-relaxed", True), ("eonay-reader", True), ("eonay-ca", False),
                              ("eonay-fetch", False), ("eonay", False)):
            for action in ("access_pcsc", "access_card"):
                sleeper = subprocess.Popen(["sleep", "30"], user=user, group=user, extra_groups=[])
                answer = wait_for_action(f"org.debian.pcsc-lite.{action}", sleeper.pid)
                sleeper.kill()
                sleeper.wait()
                self.assertEqual(answer.returncode == 0, allowed, (user, action, answer.stderr))

    def test_daemon_has_no_network_and_no_files(self):
        pid = prop("eonayd", "MainPID")
        self.assertEqual([line.split(":")[1].strip() for line in inside(pid, "ip", "-o", "link").stdout.splitlines()], ["lo"])
        self.assertEqual(inside(pid, "ls", "/var/lib").stdout.split(), ["eonay"])
        for path in ("/run/pcscd", "/var/lib/eonay-ca", "/home/citizen"):
            self.assertNotEqual(inside(pid, "test", "-e", path).returncode, 0, path)
        self.assertEqual(inside(pid, "ls", "/sys").stdout, "")
        status = open(f"/proc/{pid}/status", encoding="ascii").read()
        for line in ("CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2", "Threads:\t1"):
            self.assertIn(line, status)
