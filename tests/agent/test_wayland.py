# SPDX-License-Identifier: Apache-2.0
"""The window on Wayland: from the menu, and when a program asks. Everything else is tested on X11, where a keyboard can be had."""
from client import OPTIONS, Client
from desktop import WaylandDesktop
from scene import CLOSE, NEXT, PIN, SIGN, SUCCESS, WindowTest, wait_until
from test_prompt import ask_with_busctl
from testing import run


class Wayland(WindowTest):
    kind = WaylandDesktop

    def enter_pin_and_sign(self, sandbox):
        self.desktop.wait("password text", PIN).get_editable_text_iface().set_text_contents(sandbox.pin)
        self.desktop.press(SIGN)
        self.desktop.wait_text(SUCCESS)

    def test_from_the_menu(self):
        sandbox = self.started()
        client = Client(sandbox)
        window = self.menu(sandbox)
        with open(f"/proc/{window.pid}/environ", "rb") as file:
            self.assertNotIn(b"\0DISPLAY=", file.read())
        self.assertFalse(self.desktop.is_sensitive("push button", NEXT))
        self.to_contract(sandbox, client)
        self.enter_pin_and_sign(sandbox)
        self.desktop.press(CLOSE)
        self.assertEqual(window.wait(20), 0)
        self.assertEqual(str(client.manager.ListConsents(OPTIONS)[0]["State"]), "done")

    def test_when_a_program_asks(self):
        sandbox = self.started()
        self.agent(sandbox)
        busctl = ask_with_busctl(self, sandbox)
        self.enter_pin_and_sign(sandbox)
        self.assertIn("ReceiptId", busctl.communicate(timeout=60)[0])
        self.desktop.press(CLOSE)
        wait_until(lambda: self.desktop.find("frame") is None, "the window's end")


if __name__ == "__main__":
    run()
