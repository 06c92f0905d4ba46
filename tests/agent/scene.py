# SPDX-License-Identifier: Apache-2.0
"""The frame of the tests of the window: a desktop without a screen, and a sandbox with the real daemon."""
import os
import re
import tempfile
import time

from client import Client
from desktop import PATIENCE, Desktop
from processes import Child
from testing import BUILD, BusTest

AGENT = os.path.join(BUILD, "client-examples/agent/eonay-agent")
WINDOW = os.path.join(BUILD, "client-examples/agent/eonay-agent-window")
TALKATIVE = {"G_MESSAGES_DEBUG": "all", "SYSTEMD_LOG_LEVEL": "debug", "SYSTEMD_LOG_TARGET": "console", "G_DBUS_DEBUG": "all",
             "GDK_DEBUG": "events", "WAYLAND_DEBUG": "1"}
TURKISH = os.environ.get("LC_ALL", "").startswith("tr_TR")


def words(english, turkish):
    return turkish if TURKISH else english


NEXT, SIGN, CANCEL = words("Next", "İleri"), words("Sign", "İmzala"), words("Cancel", "İptal")
CLOSE = words("Close the application", "Uygulamayı Kapat")
SUCCESS = words("The operation was successful", "İşleminiz Başarılıdır")
FAILURE = words("The operation could not be completed", "İşleminiz tamamlanamadı")
PIN = words("PIN code", "PIN Kodu")
CODE = words("Verification code", "Doğrulama Kodu")


def wait_until(condition, what="it"):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen")
        time.sleep(0.05)


class WindowTest(BusTest):
    """One desktop for a class; each test starts what it needs on a sandbox of its own."""

    kind = Desktop

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.desktop = cls.kind(folder.name)
        cls.addClassCleanup(cls.desktop.stop)

    def started(self, prepare=None, pin=None):
        sandbox = self.sandbox()
        if pin:
            sandbox.pin = sandbox.tokens.pin = pin
        if prepare:
            prepare(sandbox)
        sandbox.start()
        self.addCleanup(self.assert_nothing_written_down, sandbox)
        return sandbox

    def assert_nothing_written_down(self, sandbox):
        """After every test: what the programs of the agent have said, with all that makes libraries talkative switched on."""
        for name in ("window.log", "agent.log"):
            path = sandbox.file(name)
            with open(path if os.path.exists(path) else os.devnull, encoding="utf-8", errors="replace") as file:
                said = file.read()
            self.assertEqual([], re.findall(rf"(?<![0-9]){re.escape(sandbox.pin)}(?![0-9])", said), "PIN in " + name)
            self.assertEqual([], re.findall(r"(?<![0-9])[1-9][0-9]{14}(?![0-9])|KABUL ED|YILMAZ|key press|_keyboard", said),
                             "code, text, name or keys in " + name)

    def environment(self, sandbox):
        return {**os.environ, **TALKATIVE, **sandbox.environment(), **self.desktop.variables(), "TEXTDOMAINDIR": os.path.join(BUILD, "po"),
                "LANGUAGE": ""}

    def child(self, sandbox, name, argv, env=None, **options):
        child = Child(name, argv, sandbox.file(name + ".log"), env=env or self.environment(sandbox), **options)
        self.addCleanup(child.end)
        return child

    def menu(self, sandbox, *options, **changes):
        """The window, as the desktop's menu starts it."""
        child = self.child(sandbox, "window", [WINDOW, *options], env={**self.environment(sandbox), **changes})
        self.desktop.wait("frame", "E-Onay")
        if self.kind is Desktop:
            self.desktop.focus_window()
        return child

    def agent(self, sandbox, *options, **changes):
        """The registrar; ready when the daemon has registered it."""
        reader, writer = os.pipe()
        child = self.child(sandbox, "agent", [AGENT, f"--window={WINDOW}", f"--ready-fd={writer}", *options],
                           env={**self.environment(sandbox), **changes}, pass_fds=[writer])
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            self.assertEqual(pipe.read(), b"ready\n", child.log())
        return child

    def enter_code(self, code):
        desktop = self.desktop
        entry = desktop.wait("entry" if desktop.find("entry") else "text", CODE)
        entry.get_editable_text_iface().set_text_contents(code)

    def enter_pin(self, pin, then="Return"):
        """With the keyboard."""
        self.desktop.wait("password text", PIN)
        self.desktop.focus_window()
        self.desktop.keys("alt+p")
        self.desktop.type(pin)
        if then:
            self.desktop.wait_state("push button", SIGN, "SENSITIVE")
            self.desktop.keys(then)

    def bullets(self):
        return self.desktop.find("password text", PIN).get_text_iface().get_character_count()

    def press_keys(self, digits):
        """Each when the one before has arrived: a button that is pressed down cannot be pressed again."""
        nodes = {(role, name): node for role, name, node in self.desktop.nodes()}
        field = nodes["password text", PIN].get_text_iface()
        for digit in digits:
            there = field.get_character_count() + 1
            nodes["push button", digit].get_action_iface().do_action(0)
            wait_until(lambda wanted=there: field.get_character_count() == wanted, "a digit in the field")

    def to_contract(self, sandbox, client=None, backend="", field=True, **values):
        code, _ = (client or Client(sandbox)).get_code(backend, **values)
        self.desktop.wait("push button", NEXT)
        self.enter_code(code)
        self.desktop.press(NEXT)
        self.desktop.wait(*(("password text", PIN) if field else ("push button", SIGN)))
