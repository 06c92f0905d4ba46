# SPDX-License-Identifier: Apache-2.0
"""eonayctl doctor finds each fault where it is made: with the real service, on a bus, with modules, certificates and files that
are really as bad as it says. Readers and cards are in test_doctor_cards.py."""
import datetime
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

import bus
from ctl_harness import BUILD, Place
from programs import Programs
from sandbox import Sandbox
from softhsm import find_module

E_MACHINE = 18  # of an ELF header; 40 is 32-bit ARM
OPENSSL = b"libcrypto.so."


class Broken(Sandbox):
    """Without readers; sections may be left out."""

    left_out = ()

    def default_sections(self):
        sections = {name: keys for name, keys in super().default_sections().items() if name not in self.left_out}
        return {**sections, "Daemon": {"DefaultBackend": "local", "Readers": "no"}}


class DoctorCase(unittest.TestCase):
    def make(self, *left_out, **sections):
        """A sandbox that is not started; keyword names have '_' where sections have a blank."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        sandbox = Broken(Programs(BUILD), folder.name)
        self.addCleanup(sandbox.stop)
        sandbox.left_out = left_out
        if "Token softhsm" in left_out:
            sandbox.tokens.count = 1  # start() is to make none
        for name, keys in sections.items():
            sandbox.set_section(name.replace("_", " "), **keys)
        return sandbox

    def start(self, *left_out, **sections):
        sandbox = self.make(*left_out, **sections)
        sandbox.start()
        return sandbox

    def run_ctl(self, env, *arguments, ctl=None, **more):
        return subprocess.run([ctl or os.path.join(BUILD, "client-examples/eonayctl/eonayctl"), *arguments], text=True,
                              input="", capture_output=True, check=False, timeout=60, start_new_session=True,
                              env={**env, "TEXTDOMAINDIR": os.path.join(BUILD, "po"), "LC_ALL": "C.UTF-8", "TZ": "UTC", **more})

    def faults(self, place, *arguments, **options):
        """{name: fault} of what it found; the exit status and the text for people must agree with it."""
        env = place if isinstance(place, dict) else place.environment()
        result = self.run_ctl(env, "--json", "doctor", *arguments, **options)
        found = json.loads(result.stdout)["Faults"]
        self.assertEqual(result.returncode, 1 if found else 0, result.stderr)
        self.assertEqual(result.stderr, "")
        for fault in found:
            self.assertEqual(set(fault), {"Fault", "Text", "Advice", "Command", "Detail"})
            self.assertTrue(fault["Command"] and fault["Advice"].strip())
        return {fault["Fault"]: fault for fault in found}

    def only(self, name, *arguments, ignore=("no-agent",), **options):
        """It finds this and nothing else."""
        found = self.faults(*arguments, **options)
        self.assertEqual(set(found) - set(ignore), {name}, found)
        return found[name]


class TheWay(DoctorCase):
    def test_nothing_is_wrong(self):
        sandbox = self.make()
        sandbox.start(agent=True)
        self.assertEqual(self.faults(sandbox), {})
        result = self.run_ctl(sandbox.environment(), "doctor")
        self.assertEqual((result.returncode, result.stdout), (0, "Nothing is wrong.\n"))

    def test_for_people(self):
        result = self.run_ctl(self.start().environment(), "doctor")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stdout.count("\n1. "), 0)
        self.assertTrue(result.stdout.startswith("1. Nobody in your session"))
        self.assertTrue(result.stdout.endswith("\n      eonayctl agent\n"))

    def test_in_turkish(self):
        result = self.run_ctl(self.start().environment(), "doctor", LC_ALL="tr_TR.UTF-8", LOCPATH=os.path.join(BUILD, "locale"))
        self.assertIn("   Onay yardımcısını başlatın ve açık bırakın.\n      eonayctl agent\n", result.stdout)

    def test_no_agent(self):
        self.assertEqual(self.only("no-agent", self.start(), ignore=())["Command"], "eonayctl agent")

    def test_no_bus(self):
        env = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent"}
        self.only("bus-unreachable", env)
        fault = self.only("sandboxed", env, FLATPAK_ID="org.example.App")
        self.assertEqual(fault["Command"], "flatpak override --user --system-talk-name=org.eonay.EOnay1 org.example.App")

    def test_no_service(self):
        sandbox = self.make()
        sandbox.start_bus()
        self.assertEqual(self.only("service-stopped", sandbox)["Command"], "sudo systemctl enable --now eonayd")

    def test_service_that_does_not_answer(self):
        sandbox = self.start()
        os.kill(sandbox.daemon.pid, signal.SIGSTOP)
        self.only("service-silent", sandbox, "--timeout=1")
        os.kill(sandbox.daemon.pid, signal.SIGCONT)

    def with_bus(self, old, new):
        self.addCleanup(setattr, bus, "CONFIG", bus.CONFIG)
        bus.CONFIG = bus.CONFIG.replace(old, new)

    def test_bus_that_does_not_let_us(self):
        self.with_bus('<allow send_destination="{name}"/>', '<deny send_destination="{name}"/>')
        sandbox = self.start()
        self.only("service-denied", sandbox)

    def test_service_that_cannot_start(self):
        sandbox = self.make()
        services = sandbox.file("services")
        os.makedirs(services)
        with open(os.path.join(services, "org.eonay.EOnay1.service"), "w", encoding="ascii") as file:
            file.write("[D-BUS Service]\nName=org.eonay.EOnay1\nExec=/bin/false\n")
        self.with_bus("<auth>", f"<servicedir>{services}</servicedir><auth>")
        sandbox.start_bus()
        self.only("service-broken", sandbox)

    def test_polkit_that_is_silent(self):
        """Then nothing is told of a session that may not. With the real polkit gone: tests/system."""
        with tempfile.TemporaryDirectory() as folder:
            place = Place(folder, errors={"ListCertificates": ["org.freedesktop.DBus.Error.AccessDenied", "no"]}, health="PolkitSilent")
            self.addCleanup(place.stop)
            found = self.faults(place.env)
            self.assertEqual(found["polkit-silent"]["Command"], "sudo systemctl restart polkit")
            self.assertNotIn("not-authorised", found)

    def test_polkit_and_another_version(self):
        """Of a scripted service: there is no polkit on a private bus, and only one version."""
        with tempfile.TemporaryDirectory() as folder:
            place = Place(folder, errors={"ListCertificates": ["org.freedesktop.DBus.Error.AccessDenied", "no"]})
            self.addCleanup(place.stop)
            found = self.faults(place.env)
            self.assertIn("pkcheck", found["not-authorised"]["Command"])
            self.assertEqual(found["version-differs"]["Command"], "sudo systemctl restart eonayd")


class TheService(DoctorCase):
    def test_configuration(self):
        sandbox = self.start(Daemon={"DefaultBackend": "local", "Readers": "no", "Wrong": "1"})
        fault = self.only("configuration", sandbox)
        self.assertEqual(fault["Command"], f"sudoedit {sandbox.file('eonayd.conf')} && sudo systemctl restart eonayd")
        self.assertIn(":5: unknown key Wrong", fault["Detail"])

    def test_authorities(self):
        self.only("no-authority", self.start("Backend local"))
        fault = self.only("no-default-authority", self.start(Daemon={"DefaultBackend": "far", "Readers": "no"}))
        self.assertEqual(fault["Detail"], "far")

    def test_authority_out_of_reach(self):
        sandbox = self.start(Backend_local={"Plugin": "fake-ca", "Script": "get-code error BackendUnreachable"})
        self.run_ctl(sandbox.environment(), "code")
        self.only("authority-unreachable", sandbox)

    def test_another_in_the_authoritys_place(self):
        sandbox = self.start(Backend_local={"Plugin": "fake-ca", "Script": "get-code error BackendUntrusted"})
        self.run_ctl(sandbox.environment(), "code")
        self.only("authority-untrusted", sandbox)

    def test_authority_that_talks_nonsense(self):
        sandbox = self.start(Backend_local={"Plugin": "fake-ca", "Script": "get-code error BackendProtocol"})
        self.run_ctl(sandbox.environment(), "code")
        self.only("authority-fails", sandbox)

    def test_damaged_records(self):
        sandbox = self.make()
        os.makedirs(sandbox.file("state"), mode=0o700)
        with open(sandbox.file("state", "journal.sqlite"), "wb") as file:
            file.write(b"no database" * 1000)
        sandbox.start()
        self.only("storage", sandbox)

    def test_full_disk(self):
        sandbox = self.make()
        state = sandbox.file("state")
        spaces = ["-m"] if os.geteuid() == 0 else ["-m", "-U", "--map-current-user", "--keep-caps"]
        wrapper = sandbox.file("eonayd-on-a-small-disk")
        with open(wrapper, "w", encoding="utf-8") as script:
            script.write(f"#!/bin/sh\nexec unshare {' '.join(spaces)} sh -c 'mount -t tmpfs -o size=2M,mode=0700 tmpfs "
                         f"{state} && exec \"$0\" \"$@\"' {sandbox.programs.daemon} \"$@\"\n")
        os.chmod(wrapper, 0o700)
        sandbox.programs.daemon = wrapper
        sandbox.start()
        self.assertEqual(self.only("disk-nearly-full", sandbox)["Command"], f"df -h {state}")


    def test_readers_whose_process_keeps_ending(self):
        sandbox = self.make("Token softhsm", Daemon={"DefaultBackend": "local", "Readers": "yes"})
        sandbox.programs.host = shutil.which("false")
        sandbox.start()
        deadline = time.monotonic() + 60
        while "readers-unwatched" not in (found := self.faults(sandbox)) and time.monotonic() < deadline:
            time.sleep(0.2)
        self.assertEqual(set(found), {"no-agent", "readers-unwatched"})


class Modules(DoctorCase):
    def module(self, change=lambda content: content, mode=0o644):
        """A section for a changed copy of SoftHSM's module, and its path."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, "module.so")
        with open(find_module(), "rb") as source, open(path, "wb") as copy:
            copy.write(change(source.read()))
        os.chmod(path, mode)
        return {"Plugin": "token-pkcs11", "Module": path, "Needs": "files"}, path

    def test_missing(self):
        self.only("module-missing", self.start(Token_bad={"Plugin": "token-pkcs11", "Module": "/nonexistent/module.so"}))
        self.only("module-missing", self.start(Token_bad={"Plugin": "no-such-plugin"}))

    def test_of_another_architecture(self):
        section, path = self.module(lambda c: c[:E_MACHINE] + struct.pack("<H", 40) + c[E_MACHINE + 2:])
        self.assertEqual(self.only("module-architecture", self.start(Token_bad=section))["Command"],
                         f"file -L {path}; dpkg --print-architecture")

    def test_no_module(self):
        section, path = self.module(lambda _: b"#!/bin/sh\n")
        self.assertEqual(self.only("module-invalid", self.start(Token_bad=section))["Command"], f"file -L {path}")

    def test_that_others_can_change(self):
        section, path = self.module(mode=0o666)
        command = self.only("module-untrusted", self.start(Token_bad=section))["Command"]
        self.assertEqual(command, f"sudo chown root:root {path} && sudo chmod go-w {path} && sudo systemctl restart eonayd")

    def test_that_needs_another_library(self):
        section, _ = self.module(lambda c: c.replace(OPENSSL, b"libcrypta.so."))
        fault = self.only("module-needs-library", self.start(Token_bad=section))
        self.assertRegex(fault["Command"], r"apt-file search libcrypta\.so\.\d$")

    def test_that_crashes(self):
        sandbox = self.start(Token_bad={"Plugin": "fake-token", "Script": "list crash"})
        self.only("module-crashes", sandbox)
        for _ in range(8):  # until it is left alone
            self.run_ctl(sandbox.environment(), "tokens", "--refresh")
        self.only("module-crashes", sandbox)

    def test_that_hangs(self):
        sandbox = self.start(Token_bad={"Plugin": "fake-token", "Script": "list hang"}, Limits={"ListDeadlineMs": 200})
        self.only("module-hangs", sandbox)

    def test_that_fails(self):
        self.only("module-fails", self.start(Token_bad={"Plugin": "fake-token", "Script": "list error PluginFailed,-1,0x30"}))

    def test_a_card_that_no_module_reads(self):
        sandbox = self.start(Token_card={"Plugin": "fake-token", "State": "no module knows this card"})
        self.assertEqual(self.only("card-unread", sandbox)["Detail"], "no module knows this card")


class Pins(DoctorCase):
    def test_states(self):
        for flags, name, command in (("locked", "pin-locked", "eonayctl pin unblock 'my card'"),
                                     ("final", "pin-final-try", "eonayctl pin unblock 'my card'"),
                                     ("low", "pin-low", "eonayctl pin change 'my card'")):
            with self.subTest(flags):
                sandbox = self.start(Token_card={"Plugin": "fake-token", "Flags": flags, "Label": "my card"})
                self.assertEqual(self.only(name, sandbox)["Command"], command)
                sandbox.stop()

    def test_a_real_wrong_pin(self):
        sandbox = self.start()
        code = self.run_ctl(sandbox.environment(), "code").stdout.strip()
        with open(os.open(sandbox.file("wrong"), os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="ascii") as file:
            file.write("000000")
        self.run_ctl(sandbox.environment(), "sign", code, "--yes", "--pin-file", sandbox.file("wrong"))
        self.only("pin-low", sandbox)


class Certificates(DoctorCase):
    def token(self, profile, **issue):
        sandbox = self.make()
        sandbox.add_token(profile=profile, **issue)
        sandbox.start()
        return sandbox

    def test_not_valid_now(self):
        self.assertIn("AYŞE YILMAZ", self.only("certificate-expired", self.token("expired"))["Detail"])
        self.assertIn("timedatectl", self.only("certificate-not-yet-valid", self.token("not-yet-valid"))["Command"])

    def test_not_valid_for_long(self):
        def in_days(days):
            then = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
            return then.strftime("%Y-%m-%dT%H:%M:%SZ")
        self.only("certificate-expires", self.token("nes", not_after=in_days(59)))
        self.assertEqual(set(self.faults(self.token("nes", not_after=in_days(61)))), {"no-agent"})

    def test_an_old_one_beside_its_successor(self):
        sandbox = self.make()
        sandbox.add_token()
        sandbox.add_credential("eonay-demo", "old", "02", profile="expired")
        sandbox.start()
        self.assertEqual(set(self.faults(sandbox)), {"no-agent"})

    def test_none_that_is_qualified(self):
        self.only("no-qualified-certificate", self.token("not-qualified"))

    def test_one_that_is_too_weak(self):
        self.assertIn("too short", self.only("certificate-refused", self.token("weak-key", key=None))["Detail"])

    def test_no_token(self):
        self.assertEqual(self.only("no-reader", self.start("Token softhsm"))["Command"], "lsusb")


class ThisComputer(DoctorCase):
    def setUp(self):
        self.sandbox = self.start()

    def test_clock(self):
        ctl = self.sandbox.file("eonayctl-of-next-month")
        shutil.copyfile(self.sandbox.programs.ctl, ctl)
        os.chmod(ctl, 0o755)
        later = datetime.datetime.now().timestamp() + 30 * 24 * 3600
        os.utime(ctl, (later, later))
        self.assertEqual(self.only("clock-behind", self.sandbox, ctl=ctl)["Command"], "sudo timedatectl set-ntp true")

    def test_time_zone(self):
        self.only("time-zone", self.sandbox, TZ="Europe/Nowhere")
        for zone in ("UTC", "<+03>-3", ""):
            self.assertEqual(set(self.faults(self.sandbox, TZ=zone)), {"no-agent"}, zone)

    def test_locale(self):
        self.assertEqual(self.only("locale", self.sandbox, LC_ALL="xx_XX.UTF-8")["Command"], "sudo locale-gen xx_XX.UTF-8")


if __name__ == "__main__":
    sys.exit(unittest.main())
