# SPDX-License-Identifier: Apache-2.0
"""The window on Wayland, from the menu. Everything else is tested on X11, where a keyboard can be had."""
from client import OPTIONS, Client
from desktop import WaylandDesktop
from scene import CLOSE, NEXT, PIN, SIGN, SUCCESS, WindowTest
from testing import run


class Wayland(WindowTest):
    kind = WaylandDesktop

    def test_from_the_menu(self):
        sandbox = self.started()
        client = Client(sandbox)
        window = self.menu(sandbox)
        with open(f"/proc/{window.pid}/environ", "rb") as file:
            self.assertNotIn(b"\0DISPLAY=", file.read())
        self.assertFalse(self.desktop.is_sensitive("push button", NEXT))
        self.to_contract(sandbox, client)
        self.desktop.wait("password text", PIN).get_editable_text_iface().set_text_contents(sandbox.pin)
        self.desktop.press(SIGN)
        self.desktop.wait_text(SUCCESS)
        self.desktop.press(CLOSE)
        self.assertEqual(window.wait(20), 0)
        self.assertEqual(str(client.manager.ListConsents(OPTIONS)[0]["State"]), "done")


if __name__ == "__main__":
    run()
