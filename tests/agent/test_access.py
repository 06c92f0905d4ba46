# SPDX-License-Identifier: Apache-2.0
"""The window for those who do not see it or have no mouse: every control has a name, and the keyboard leads from the first page to
the last."""
from client import OPTIONS, Client
from scene import CANCEL, CLOSE, NEXT, PIN, SIGN, SUCCESS, WindowTest, wait_until, words
from test_parts import fake_ca
from testing import run

CONTROLS = {"push button", "toggle button", "check box", "combo box", "text", "entry", "password text"}
CLEAR, BACK = words("Clear", "Temizle"), words("Delete the last digit", "Son rakamı sil")
SHUFFLE = words("Shuffle the keys", "Tuşları karıştır")
CERTIFICATE = words("Certificate", "Sertifika Seçimi")


class Access(WindowTest):
    def assert_all_named(self, *expected):
        """What GTK calls a control that nobody named begins with the name of its class."""
        controls = [(role, name) for role, name, _node in self.desktop.nodes() if role in CONTROLS]
        self.assertEqual([], [control for control in controls if not control[1] or control[1].startswith("Gtk")])
        for control in expected:
            self.assertIn(control, controls)

    def assert_tab_leads_to(self, *names, key="Tab"):
        for name in names:
            self.desktop.keys(key)
            wait_until(lambda wanted=name: self.desktop.focused_name() == wanted, f"the keyboard's arrival at {name!r}")

    def test_every_control_has_a_name(self):
        def prepare(sandbox):
            fake_ca(sandbox, "second")
            sandbox.add_token(label="old card")
            sandbox.add_token(label="new card")
        sandbox = self.started(prepare)
        self.menu(sandbox)
        self.desktop.wait("combo box")
        self.assert_all_named(("push button", NEXT), ("push button", CANCEL))
        self.to_contract(sandbox)
        self.desktop.wait("combo box", CERTIFICATE)
        self.assert_all_named(("password text", PIN), ("push button", SIGN), ("push button", "7"), ("push button", CLEAR),
                              ("push button", BACK), ("check box", SHUFFLE))

    def test_the_keyboard_alone(self):
        sandbox = self.started()
        client = Client(sandbox)
        window = self.menu(sandbox)
        desktop = self.desktop
        desktop.type(client.get_code()[0])
        desktop.wait_state("push button", NEXT, "SENSITIVE")
        desktop.keys("Return")
        desktop.wait("password text", PIN)
        wait_until(lambda: desktop.focused_name().startswith("Kamu SM"), "the keyboard's being at the text")
        self.assert_tab_leads_to(PIN)
        desktop.type(sandbox.pin)
        desktop.wait_state("push button", SIGN, "SENSITIVE")
        self.assert_tab_leads_to("1", "2")
        desktop.keys("alt+p")
        desktop.wait_focus("password text")
        desktop.keys("shift+Tab")
        wait_until(lambda: desktop.focused_name().startswith("Kamu SM"), "the keyboard's being at the text again")
        self.assert_tab_leads_to(SIGN, CANCEL, SHUFFLE, BACK, "0", CLEAR, "9", key="shift+Tab")
        desktop.keys("alt+p")
        desktop.wait_focus("password text")
        desktop.keys("Return")
        desktop.wait_text(SUCCESS)
        desktop.wait("push button", CLOSE)
        desktop.keys("Return")
        self.assertEqual(window.wait(20), 0)
        self.assertEqual(str(client.manager.ListConsents(OPTIONS)[0]["State"]), "done")


if __name__ == "__main__":
    run()
