#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A GTK 4 program with a field for the code and a "Sign" button: what an application adds to let its user sign.

The agent of the session shows the texts and asks for the PIN; nothing here sees it. Needs python3-gi and gir1.2-gtk-4.0."""
import sys

import gi

gi.require_version("Gtk", "4.0")
from gi.repository import Gio, GLib, Gtk  # noqa: E402  pylint: disable=wrong-import-position

NAME, ROOT = "org.eonay.EOnay1", "/org/eonay/EOnay1"


class Window(Gtk.ApplicationWindow):
    def __init__(self, application):
        super().__init__(application=application, title="eonay example", default_width=420)
        self.entry = Gtk.Entry(placeholder_text="15-digit code")
        self.button = Gtk.Button(label="Sign")
        self.label = Gtk.Label(wrap=True, label="Enter the code of the authority.")
        self.button.connect("clicked", self.on_clicked)
        box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=12, margin_top=18, margin_bottom=18, margin_start=18,
                      margin_end=18)
        for widget in (self.entry, self.button, self.label):
            box.append(widget)
        self.set_child(box)
        self.bus = Gio.bus_get_sync(Gio.BusType.SYSTEM)

    def on_clicked(self, _button):
        """One call, without a wait in this program: SignConsent opens, confirms, signs and delivers."""
        self.button.set_sensitive(False)
        self.label.set_label("Signing…")
        self.bus.call(NAME, ROOT, f"{NAME}.Manager", "SignConsent", GLib.Variant("(soa{sv})", (self.entry.get_text(), "/", {})),
                      None, Gio.DBusCallFlags.ALLOW_INTERACTIVE_AUTHORIZATION, 300 * 1000, None, self.on_signed)

    def on_signed(self, bus, result):
        self.button.set_sensitive(True)
        try:
            receipt = bus.call_finish(result).unpack()[0]
            self.label.set_label(f"Signed. Receipt: {receipt['ReceiptId']}")
        except GLib.Error as error:
            self.label.set_label(error.message.split(": ", 1)[-1])  # without its name: what happened and what to do next


def main():
    application = Gtk.Application(application_id="org.eonay.Example", flags=Gio.ApplicationFlags.NON_UNIQUE)
    application.connect("activate", lambda app: Window(app).present())
    return application.run(sys.argv)


if __name__ == "__main__":
    sys.exit(main())
