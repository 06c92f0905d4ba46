# SPDX-License-Identifier: Apache-2.0
"""eonay-agent and its window when another program asks: confirmation, PIN, the end, and everything that takes it back."""
import os
import secrets
import signal
import subprocess

import dbus

from client import OPTIONS, Client
from memory_scan import filled_pipes, places
from processes import bound_to_us, children_of
from scene import CANCEL, CLOSE, FAILURE, PIN, SIGN, SUCCESS, WindowTest, wait_until, words
from test_crash_hosts import host_pid
from test_parts import fake_ca, fake_token
from testing import run

MANAGER = ["org.eonay.EOnay1", "/org/eonay/EOnay1", "org.eonay.EOnay1.Manager"]


def ask_with_busctl(test, sandbox, client=None, backend="", code=None, certificate="/", options=("0",)):
    """As in the manual."""
    code = code or (client or Client(sandbox)).get_code(backend)[0]
    if backend:
        options = ("1", "backend", "s", backend)
    program = subprocess.Popen(
        bound_to_us(["busctl", f"--address={sandbox.bus.address}", "--timeout=300", "call", *MANAGER, "SignConsent", "soa{sv}",
                     code, certificate, *options]),
        text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "LC_ALL": "C.UTF-8"})
    test.addCleanup(end, program)
    return program


def end(program):
    program.kill()
    program.communicate()


class Prompt(WindowTest):
    def sign(self, sandbox, client=None, **choices):
        return ask_with_busctl(self, sandbox, client, **choices)

    def window_of(self, agent):
        wait_until(lambda: children_of(agent.pid), "the window's process")
        return children_of(agent.pid)[0]

    def no_window(self, agent):
        wait_until(lambda: not children_of(agent.pid), "the window's end")

    def test_busctl_signs(self):
        pin = "P!" + secrets.token_hex(8)
        sandbox = self.started(pin=pin)
        agent = self.agent(sandbox)
        busctl = self.sign(sandbox)
        desktop = self.desktop
        field = desktop.wait("password text", PIN)
        window = self.window_of(agent)
        shown = desktop.texts()
        self.assertIn("Yerel E-Onay Kurumu (deneme)", shown)
        self.assertTrue(any("bin/busctl (pid " in text for text in shown), "the program that asks is not named")
        self.assertIn("AYŞE YILMAZ", shown)
        self.assertIn(words("Authority that asks for the consent:", "Onayı isteyen kurum:"), shown)
        self.assertIn(words("Program on this computer:", "Bu bilgisayardaki program:"), shown)
        wrong = "P!" + secrets.token_hex(8)
        self.enter_pin(wrong)
        desktop.wait_text(words("PIN tries left: 2", "Kalan PIN deneme hakkı: 2"))
        field = desktop.wait("password text", PIN)
        self.assertEqual(field.get_text_iface().get_character_count(), 0)
        self.enter_pin(pin)
        desktop.wait_text(SUCCESS)
        for pid in (agent.pid, window):
            for secret in (pin, wrong):
                self.assertEqual(places(pid, secret)[0], [])
            self.assertEqual(filled_pipes(pid), {})
        self.assert_confined(agent.pid, window)
        self.assertIn("ReceiptId", busctl.communicate(timeout=30)[0])
        desktop.press(CLOSE)
        self.no_window(agent)
        self.assertTrue(agent.running())

    def assert_confined(self, *pids):
        for pid in pids:
            with open(f"/proc/{pid}/status", encoding="ascii") as file:
                status = dict(line.split(":", 1) for line in file)
            self.assertEqual((status["Seccomp"].strip(), status["NoNewPrivs"].strip()), ("2", "1"))
            with open(f"/proc/{pid}/limits", encoding="ascii") as file:
                self.assertRegex(file.read(), r"Max core file size +0 +0")

    def test_the_user_cancels(self):
        sandbox = self.started()
        agent = self.agent(sandbox)
        busctl = self.sign(sandbox)
        self.desktop.wait("password text", PIN)
        self.desktop.press(CANCEL)
        self.assertIn("The consent was cancelled", busctl.communicate(timeout=30)[1])
        self.assertEqual(busctl.returncode, 1)
        self.no_window(agent)

    def test_the_program_goes_away(self):
        sandbox = self.started()
        agent = self.agent(sandbox)
        busctl = self.sign(sandbox)
        self.desktop.wait("password text", PIN)
        busctl.send_signal(signal.SIGKILL)
        self.no_window(agent)

    def test_the_code_expires(self):
        sandbox = self.started(lambda s: fake_ca(s, "short", Life=10))
        agent = self.agent(sandbox)
        busctl = self.sign(sandbox, backend="short", code="168857414351237")
        self.desktop.wait("password text", PIN)
        self.desktop.wait_text(FAILURE)
        self.desktop.wait_text(words("The verification code has expired.", "Doğrulama kodunun süresi"))
        self.assertEqual(busctl.wait(60), 1)
        self.desktop.press(CLOSE)
        self.no_window(agent)

    def test_registers_again(self):
        sandbox = self.started()
        agent = self.agent(sandbox)
        self.sign(sandbox)
        self.desktop.wait("password text", PIN)
        sandbox.restart_daemon()
        self.no_window(agent)
        client = Client(sandbox)
        wait_until(lambda: client.manager.HasAgent(OPTIONS), "the agent's return")
        self.sign(sandbox, client)
        self.desktop.wait("password text", PIN)

    def test_without_a_display(self):
        sandbox = self.started()
        self.agent(sandbox, DISPLAY="", WAYLAND_DISPLAY="", GDK_BACKEND="x11")
        errors = self.sign(sandbox).communicate(timeout=60)[1]
        client = Client(sandbox)
        self.assertTrue(errors)
        with self.assertDBusError("NoAgent"):
            client.manager.SignConsent(client.get_code()[0], dbus.ObjectPath("/"), OPTIONS, timeout=60)

    def test_a_reader_with_a_keypad(self):
        """No PIN is asked for here; after "Sign" the window says where to enter it."""
        sandbox = self.sandbox()
        credential = sandbox.pki.issue("pad", profile="nes")
        fake_token(sandbox, "pad", "login slow 3000", certificate=credential, Flags="pinpad")
        sandbox.start()
        agent = self.agent(sandbox)
        client = Client(sandbox)
        pad = next(path for path, details in client.certificates(usable=True) if self.is_on_keypad(client, details["Token"]))
        self.sign(sandbox, client, certificate=pad)
        self.desktop.wait("push button", SIGN)
        self.assertIsNone(self.desktop.find("password text"))
        self.desktop.press(SIGN)
        wait_until(lambda: "slow now" in sandbox.daemon.log(), "the slow login")
        host = host_pid(sandbox, "pad, sign")
        os.kill(host, signal.SIGSTOP)
        self.desktop.wait_text(words("Enter the PIN on the keypad of the reader.", "PIN'i kart okuyucunun tuşlarıyla girin."))
        os.kill(host, signal.SIGCONT)
        self.desktop.wait_text(FAILURE)  # what that token makes is no signature
        self.desktop.press(CLOSE)
        self.no_window(agent)

    @staticmethod
    def is_on_keypad(client, token):
        proxy = client.connection.get_object("org.eonay.EOnay1", token, introspect=False)
        return bool(proxy.Get("org.eonay.EOnay1.Token", "PinPad", dbus_interface="org.freedesktop.DBus.Properties"))

    def test_a_stranger_is_refused(self):
        sandbox = self.started()
        self.agent(sandbox)
        stranger = sandbox.connect()
        driver = dbus.Interface(stranger.get_object("org.freedesktop.DBus", "/"), "org.freedesktop.DBus")
        names = [name for name in driver.ListNames() if name.startswith(":") and name != stranger.get_unique_name()]
        errors = []
        for name in names:
            proxy = stranger.get_object(name, "/org/eonay/EOnay1/agent", introspect=False)
            try:
                proxy.RequestPin(dbus.ObjectPath("/a"), OPTIONS, dbus_interface="org.eonay.EOnay1.Agent", timeout=15)
                self.fail("a stranger was answered")
            except dbus.DBusException as error:
                errors.append(error.get_dbus_name())
        self.assertIn("org.freedesktop.DBus.Error.AccessDenied", errors)
        self.assertIsNone(self.desktop.find("frame"))


if __name__ == "__main__":
    run()
