# SPDX-License-Identifier: Apache-2.0
"""Libraries and plugins that are not what they should be: each says what is wrong in Health, none takes anything with it,
and what can come back comes back."""
import os
import re
import shutil
import signal

import dbus

from bus import BUS_NAME
from softhsm import find_module
from test_parts import (OPTIONS, DaemonTest, Call, fake_ca, fake_token, manager_call, options, plain, run_for,
                        wait_until)
from testing import ERROR, run

TOKEN = BUS_NAME + ".Token"
ELF_MACHINE_AT = 18
DEADLINE_MS = 1500


class HealthTest(DaemonTest):
    def problems(self):
        """part: (code, detail)"""
        self.client.manager.Refresh(OPTIONS, timeout=60)
        return {entry["part"]: (entry["code"], entry["detail"]) for entry in self.property("Health")
                if entry["part"].startswith(("Token ", "Backend "))}

    def tokens(self):
        """Name of the configuration's section: [(certificate, label, serial)]"""
        found = {}
        for path, properties in self.client.certificates():
            described = self.describe(properties["Token"])
            found.setdefault(described["Module"], []).append((path, described["Label"], described["Serial"]))
        return found

    def describe(self, token):
        return plain(Call(self.client.connection, token, TOKEN, "Describe", OPTIONS).wait()[0])

    def assert_good_one_signs(self):
        [(path, _label, _serial)] = self.tokens()["softhsm"]
        self.assert_signs(self.open(), certificate=path)


class Libraries(HealthTest):
    @classmethod
    def prepare(cls, sandbox):
        real = find_module()
        cls.expected = {}

        def library(name, code, path, owner_only=True):
            cls.expected[name] = (code, path)
            if owner_only and os.path.isfile(path):
                os.chmod(path, 0o755)
            softhsm = sandbox.default_sections()["Token softhsm"]
            sandbox.set_section(f"Token {name}", **{**softhsm, "Module": path})

        def copy(name):
            path = sandbox.file(name + ".so")
            shutil.copyfile(real, path)
            return path

        library("missing", "ModuleMissing", sandbox.file("nothing.so"))
        library("nowhere", "ModuleMissing", sandbox.file("no-folder", "nothing.so"))
        library("relative", "ModuleInvalid", "softhsm/libsofthsm2.so")
        library("folder", "ModuleInvalid", sandbox.folder)
        os.mkfifo(sandbox.file("fifo.so"), 0o600)
        library("fifo", "ModuleInvalid", sandbox.file("fifo.so"), owner_only=False)
        library("device", "ModuleUntrusted", "/dev/null", owner_only=False)
        text = sandbox.file("text.so")
        with open(text, "w", encoding="ascii") as file:
            file.write("This is no library.\n" * 100)
        library("text", "ModuleInvalid", text)
        with open(sandbox.file("empty.so"), "wb"):
            library("empty", "ModuleInvalid", sandbox.file("empty.so"))
        library("program", "ModuleInvalid", sandbox.programs.host)
        other = copy("other-machine")
        with open(other, "r+b") as file:
            file.seek(ELF_MACHINE_AT)
            file.write(b"\x08\x00")  # EM_MIPS
        library("machine", "ModuleInvalid", other)
        small = copy("other-class")
        with open(small, "r+b") as file:
            file.seek(4)
            file.write(b"\x01")  # ELFCLASS32
        library("class", "ModuleInvalid", small)
        cut = copy("cut")
        os.truncate(cut, os.path.getsize(cut) // 2)
        library("cut", "ModuleInvalid", cut)
        open_to_all = copy("writable")
        library("writable", "ModuleUntrusted", open_to_all)
        os.chmod(open_to_all, 0o666)
        group = copy("group-writable")
        library("group", "ModuleUntrusted", group)
        os.chmod(group, 0o775)
        folder = sandbox.file("open-folder")
        os.mkdir(folder)
        shutil.copy(real, folder)
        library("place", "ModuleUntrusted", os.path.join(folder, os.path.basename(real)))
        os.chmod(folder, 0o777)
        os.symlink(open_to_all, sandbox.file("link.so"))
        library("link", "ModuleUntrusted", sandbox.file("link.so"), owner_only=False)
        os.symlink("loop.so", sandbox.file("loop.so"))
        library("loop", "ModuleInvalid", sandbox.file("loop.so"))
        plugin = os.path.join(next(path for path in sandbox.programs.plugin_dirs if path.endswith("fake")), "fake-ca.so")
        library("stranger", "ModuleInvalid", plugin, owner_only=False)
        sandbox.set_section("Token unknown", Plugin="no-such-plugin")
        sandbox.set_section("Token other-kind", Plugin="ca-local")
        sandbox.set_section("Token nothing")
        sandbox.set_section("Backend unknown", Plugin="no-such-plugin")
        sandbox.set_section("Backend bad-key", Plugin="ca-local", Database="relative.db", TrustAnchors=sandbox.pki.root)
        sandbox.set_section("Backend bad-anchors", Plugin="ca-local", Database=sandbox.file("authority", "a.db"),
                            TrustAnchors=text)

    def test_each_says_what_is_wrong(self):
        problems = self.problems()
        for name, (code, path) in self.expected.items():
            with self.subTest(name):
                found, detail = problems.get(f"Token {name}", ("nothing", ""))
                self.assertEqual(found, code, detail)
                self.assertTrue(detail)
                if name not in ("link", "place", "nowhere", "stranger"):  # these name the one of many that is to blame
                    self.assertIn(path, detail)
        for part in ("Token unknown", "Token other-kind", "Token nothing"):
            self.assertEqual(problems[part][0], "ModuleMissing")
        self.assertNotIn("Token softhsm", problems)
        self.assert_good_one_signs()

    def test_nothing_of_them_is_listed(self):
        self.assertEqual(list(self.tokens()), ["softhsm"])

    def test_asked_again_while_it_looks(self):
        """Each that asks is answered, also those whose question comes in the middle of another one's answer."""
        calls = []
        for _n in range(10):
            calls.append(manager_call(self.new_client().connection, "Refresh", OPTIONS))
            run_for(0.02)
        for call in calls:
            call.wait(20)

    def test_authorities(self):
        for name, error in (("unknown", "ModuleMissing"), ("bad-key", "PluginFailed"), ("bad-anchors", "FileInvalid")):
            with self.subTest(name):
                for call in (lambda: self.client.get_code(name),  # pylint: disable=cell-var-from-loop
                             lambda: self.client.open("200000000000000", backend=name)):
                    with self.assertDBusError(error):
                        call()
                self.assertEqual(self.problems()[f"Backend {name}"][0], error)


class Listing(HealthTest):
    """Faults while a plugin is loaded, opened, or lists."""

    ENDS = {"hang": "PluginTimeout", "hang-signals-blocked": "PluginTimeout", "spin": "PluginTimeout",
            "crash": "PluginCrashed", "abort": "PluginCrashed", "exit 0": "PluginCrashed", "exit 3": "PluginCrashed",
            "errno 5": "PluginCrashed", "code 9999": "PluginFailed", "code -5": "PluginCrashed",
            "error Busy": "Busy", "fork": None, "stdout": None, "slow 100": None}
    RUBBISH = {"utf8": 1, "control": 1, "huge": 1, "null": 1, "many": 64, "key": 0, "size": 0, "no-token": 0, "nothing": 0,
               "der-huge": 0, "der-null": 0, "der-empty": 0}

    @classmethod
    def prepare(cls, sandbox):
        sandbox.add_token()
        sandbox.limits.update(OpenDeadlineMs=DEADLINE_MS, ListDeadlineMs=DEADLINE_MS)
        holder = sandbox.pki.issue("holder", profile="nes", key="rsa2048")
        cls.expected = {}
        for operation in ("open", "list"):
            for action, code in cls.ENDS.items():
                name = f"{operation}-{action.replace(' ', '')}"
                cls.expected[name] = code
                fake_token(sandbox, name, f"{operation} {action}", certificate=holder)
        for action in ("hang", "crash", "exit"):
            cls.expected["load-" + action] = cls.ENDS[action + (" 0" if action == "exit" else "")]
            fake_token(sandbox, "load-" + action, certificate=holder, Environment="EONAY_FAKE_LOAD=" + action)
        fake_token(sandbox, "script", "list sing", certificate=holder)
        cls.expected["script"] = "PluginFailed"
        for kind in cls.RUBBISH:
            fake_token(sandbox, "rubbish-" + kind, f"list garbage {kind}", certificate=holder)

    def test_each_ends_alone(self):
        problems = self.problems()
        for name, code in self.expected.items():
            with self.subTest(name):
                told = problems.get(f"Token {name}", (None, ""))[0]
                # what ends its process is tried again by itself, and after a few times left alone
                ends_process = code in ("PluginCrashed", "PluginTimeout")
                self.assertEqual(code if told == "Quarantined" and ends_process else told, code)
        listed = self.tokens()
        for name, code in self.expected.items():
            with self.subTest(name + " is listed"):
                self.assertEqual(name in listed, code is None)
        self.assert_good_one_signs()

    def test_rubbish_does_not_get_through(self):
        self.problems()
        listed = self.tokens()
        for kind, count in self.RUBBISH.items():
            with self.subTest(kind):
                found = listed.get("rubbish-" + kind, [])
                self.assertLessEqual(len(found), max(count, 1) if count else 0)
                self.assertEqual(bool(found), bool(count))
                for _path, label, serial in found:
                    self.assertLessEqual(len(label), 1024)
                    for character in label + serial:
                        self.assertTrue(character.isprintable() or character == "\ufffd", repr(label))

    def test_one_that_hangs_does_not_keep_the_others_back(self):
        """ListCertificates from the cache is answered while a look at the tokens is under way."""
        refresh = manager_call(self.client.connection, "Refresh", OPTIONS)
        self.assertTrue(any(properties["Usable"] for _path, properties in self.new_client().certificates()))
        self.assertFalse(refresh.ended())
        refresh.wait()


class Signing(HealthTest):
    """Faults while a token signs. The private key's part is played by plugins/fake: nothing it signs is ever valid."""

    # script: (error, may Sign be called again)
    FAULTS = {
        "login hang": ("PluginTimeout", True), "login hang-signals-blocked": ("PluginTimeout", True),
        "login spin": ("PluginTimeout", True), "login crash": ("PluginCrashed", True),
        "login exit 0": ("PluginCrashed", True), "login errno 5": ("PluginCrashed", True),
        "login code 9999": ("PluginFailed", True), "login error PluginFailed": ("PluginFailed", True),
        "login error PinRequired": ("PinRequired", True),
        "sign hang": ("PluginTimeout", False), "sign hang-signals-blocked": ("PluginTimeout", False),
        "sign crash": ("PluginCrashed", False), "sign abort": ("PluginCrashed", False),
        "sign exit 3": ("PluginCrashed", False), "sign errno 12": ("PluginCrashed", False),
        "sign code -7": ("PluginCrashed", False), "sign code 500": ("PluginFailed", False),
        "sign error MechanismUnsupported": ("MechanismUnsupported", False), "sign stdout": ("SignatureInvalid", False),
        "sign fork": ("SignatureInvalid", False), "sign garbage null": (None, False), "sign garbage zero": (None, False),
        "sign garbage size": (None, False), "sign garbage foreign": (None, False),
        "logout crash": ("SignatureInvalid", False), "logout hang": ("SignatureInvalid", False),
        "inspect crash": ("PluginCrashed", None), "inspect garbage huge": ("SignatureInvalid", False),
    }
    ANY = {ERROR + name for name in ("PluginFailed", "SignatureInvalid", "PluginCrashed")}

    @classmethod
    def prepare(cls, sandbox):
        sandbox.add_token()
        sandbox.limits.update(LoginDeadlineMs=DEADLINE_MS, SignDeadlineMs=DEADLINE_MS)
        holder = sandbox.pki.issue("holder", profile="nes", key="rsa2048")
        for n, script in enumerate(cls.FAULTS):
            # a token whose PIN was in order before is not looked at after a right one
            flags = {"Flags": "low"} if script.startswith("inspect") else {}
            fake_token(sandbox, f"fault-{n}", script, certificate=holder, **flags)
        fake_token(sandbox, "dying", "login crash", certificate=holder)

    def test_each_costs_its_own_request_only(self):
        tokens = self.tokens()
        under_way = []
        for n, (script, expected) in enumerate(self.FAULTS.items()):
            consent = self.open()
            self.sign(consent, b"123456", certificate=tokens[f"fault-{n}"][0][0])
            under_way.append((script, expected, consent))
        self.assert_good_one_signs()
        for script, (error, again), consent in under_way:
            with self.subTest(script):
                success, name, result = consent.wait()
                self.assertFalse(success)
                self.assertIn(name, {ERROR + error} if error else self.ANY)
                if again is None:  # the PIN was right, and what followed is told in either order
                    continue
                self.assertEqual(result["Retriable"], again, name)
                if again:  # and with another token all is well
                    self.assert_signs(consent, certificate=tokens["softhsm"][0][0])
                with self.assertRaises(dbus.DBusException) if not again else self.subTest("signature"):
                    consent.signature()
        self.assert_good_one_signs()

    def sign_with(self, name):
        consent = self.open()
        self.sign(consent, b"123456", certificate=self.tokens()[name][0][0])
        _success, error, _result = consent.wait()
        consent.close()
        return error.rsplit(".", 1)[-1]

    def hosts(self, name, purpose):
        return [int(pid) for pid in
                re.findall(rf"plugin host (\d+) started for {name} \({purpose}\)", self.shared.daemon.log())]

    def test_killed_from_outside_and_back(self):
        for purpose in ("sign", "list"):
            self.assert_good_one_signs()
            before = self.hosts("softhsm", purpose)
            os.kill(before[-1], signal.SIGKILL)
            wait_until(lambda pid=before[-1]: f"plugin host {pid} (softhsm, {purpose}) was ended" in self.shared.daemon.log())
            self.client.manager.Refresh(OPTIONS)
            self.assert_good_one_signs()
            self.assertEqual(len(self.hosts("softhsm", purpose)), len(before) + 1)
        kill = self.hosts("local", "authority")[-1]
        os.kill(kill, signal.SIGKILL)
        wait_until(lambda: f"plugin host {kill} (local, authority) was ended" in self.shared.daemon.log())
        self.assert_good_one_signs()

    def test_what_keeps_dying_is_left_alone_until_somebody_asks(self):
        wait_until(lambda: (self.sign_with("dying"), self.dying_is_left_alone())[1], 20, "quarantine")
        deaths = len(self.hosts("dying", "sign"))
        self.assertGreaterEqual(deaths, 5)
        for _n in range(3):
            self.assertEqual(self.sign_with("dying"), "PluginCrashed")
        self.assertEqual(len(self.hosts("dying", "sign")), deaths)  # no further one
        self.assert_good_one_signs()
        self.client.manager.Refresh(OPTIONS)
        self.assertFalse(self.dying_is_left_alone())
        self.assertEqual(self.sign_with("dying"), "PluginCrashed")
        self.assertGreater(len(self.hosts("dying", "sign")), deaths)

    def dying_is_left_alone(self):
        entries = [entry for entry in self.property("Health") if entry["part"] == "Token dying"]
        return [entry["code"] for entry in entries] == ["Quarantined"] and "refresh" in entries[0]["hint"]


class Authorities(HealthTest):
    # script of one operation: errors that may be told
    FAULTS = {
        "hang": ("PluginTimeout",), "hang-signals-blocked": ("PluginTimeout",), "spin": ("PluginTimeout",),
        "crash": ("PluginCrashed",), "abort": ("PluginCrashed",), "exit 0": ("PluginCrashed",), "errno 5": ("PluginCrashed",),
        "code 9999": ("PluginFailed", "BackendProtocol"), "error BackendUnreachable": ("BackendUnreachable",),
        "error BackendRejected": ("BackendRejected",),
    }
    RUBBISH = ("null", "utf8", "huge", "unterminated", "foreign")
    REFUSED = ("BackendProtocol", "PluginFailed", "PluginCrashed")

    @classmethod
    def prepare(cls, sandbox):
        sandbox.limits.update(OpenDeadlineMs=5000, BackendDeadlineMs=DEADLINE_MS)
        cls.expected = {}
        for operation in ("get-code", "redeem", "approval"):
            for action, errors in cls.FAULTS.items():
                cls.add(sandbox, operation, action, errors)
            for kind in cls.RUBBISH[operation == "approval":]:  # no receipt number is no rubbish
                cls.add(sandbox, operation, "garbage " + kind, cls.REFUSED)
        for kind in ("count", "text-size"):
            cls.add(sandbox, "redeem", "garbage " + kind, cls.REFUSED)
        for action in ("crash", "hang", "garbage unterminated", "error Busy"):
            name = "capabilities-" + action.replace(" ", "-")
            fake_ca(sandbox, name, "capabilities " + action)
        for action in ("error BackendRejected", "error IdentityMismatch", "garbage null", "code 77"):
            fake_ca(sandbox, "submit-" + action.replace(" ", "-"), "submit " + action)
        for action in ("crash", "hang", "error BackendUnreachable", "error StorageFailed"):
            fake_ca(sandbox, "once-" + action.replace(" ", "-"), "submit:1 " + action, Life=6)
        fake_ca(sandbox, "down", "submit error BackendUnreachable", Life=6)
        fake_ca(sandbox, "lost", "submit error BackendUnreachable", Life=6, State=1)
        fake_ca(sandbox, "foreign", "submit garbage foreign", Life=6)

    @classmethod
    def add(cls, sandbox, operation, action, errors):
        name = f"{operation}-{action}".replace(" ", "-")
        cls.expected[name] = (operation, errors)
        fake_ca(sandbox, name, f"{operation} {action}", Approved=1)

    def call(self, operation, name):
        connection = self.client.connection
        if operation == "get-code":
            return manager_call(connection, "GetCode", name, OPTIONS)
        if operation == "redeem":
            return manager_call(connection, "OpenConsent", "200000000000000", options(backend=name))
        return manager_call(connection, "GetApproval", name, options(subject="10000000146"))

    def test_each_has_its_error_and_others_go_on(self):
        calls = {name: self.call(operation, name) for name, (operation, _errors) in self.expected.items()}
        self.assert_signs(self.open(self.new_client()))
        for name, (operation, errors) in self.expected.items():
            with self.subTest(name):
                with self.assertRaises(dbus.DBusException) as raised:
                    calls[name].wait()
                self.assertIn(raised.exception.get_dbus_name(), [ERROR + error for error in errors])
        health = {entry["part"] for entry in self.property("Health")}
        self.assertNotIn("Backend local", health)

    def test_capabilities(self):
        """What an authority can do is asked aside; a fault there shows in Health, and the code comes nevertheless, or not."""
        for name in ("capabilities-crash", "capabilities-hang", "capabilities-garbage-unterminated",
                     "capabilities-error-Busy"):
            with self.subTest(name):
                code, _details = self.client.get_code(name)
                self.assertRegex(code, "^2[0-9]{14}$")
        wait_until(lambda: {"Backend capabilities-crash", "Backend capabilities-hang", "Backend capabilities-error-Busy"}
                   <= {entry["part"] for entry in self.property("Health")})

    def submit(self, name):
        consent = self.client.open("200000000000000", backend=name)
        self.sign(consent)
        return consent

    def test_submission_refused(self):
        for name, error in (("error-BackendRejected", "BackendRejected"), ("error-IdentityMismatch", "IdentityMismatch"),
                            ("garbage-null", "BackendProtocol"), ("code-77", None)):
            with self.subTest(name):
                consent = self.submit("submit-" + name)
                consent_id = consent.details()["ConsentId"]
                success, told, result = consent.wait()
                self.assertEqual((success, result["Retriable"]), (False, False))
                if error:
                    self.assertEqual(told, ERROR + error)
                    self.assertEqual(self.state_on_record(consent_id), ("failed", error))
                with self.assertDBusError("NotFound"):
                    consent.receipt()

    def test_submission_repeated(self):
        """A crash, a lost connection: the same signature is sent again while the code lives."""
        for name in ("error-BackendUnreachable", "error-StorageFailed"):
            with self.subTest(name):
                consent = self.submit("once-" + name)
                success, error, _result = consent.wait()
                self.assertTrue(success, error)
                self.assertEqual(consent.states.count("signing"), 1)

    def test_submission_that_never_succeeds(self):
        """Until the code is dead; then the authority is asked once what it knows."""
        plugins = ("down", "lost", "foreign", "once-crash", "once-hang")  # a new process counts anew: these never succeed either
        consents = {name: self.submit(name) for name in plugins}
        errors = {}
        for name, consent in consents.items():
            success, error, result = consent.wait(40)
            errors[name] = (success, error.rsplit(".", 1)[-1], result["State"])
        self.assertEqual(errors["down"], (False, "BackendUnreachable", "failed"))
        self.assertEqual(errors["lost"][0::2], (True, "done"))
        for name in ("foreign", "once-crash", "once-hang"):
            self.assertFalse(errors[name][0])
            self.assertIn(errors[name][1], ("PluginCrashed", "PluginTimeout", "CodeExpired"))


if __name__ == "__main__":
    run()
