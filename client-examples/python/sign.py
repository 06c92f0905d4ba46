#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Signs a consent through eonayd:   sign.py CODE [FILE]

Shows the texts, asks on the terminal, lets the agent of the session ask for the PIN, stores the first signature.
Needs python3-gi alone."""
import os
import sys

from gi.repository import Gio, GLib

NAME, ROOT = "org.eonay.EOnay1", "/org/eonay/EOnay1"
TIMEOUT = 300 * 1000  # a person may be asked


class Daemon:
    def __init__(self):
        self.bus = Gio.bus_get_sync(Gio.BusType.SYSTEM)

    def call(self, path, interface, member, arguments):
        """The answer and its descriptors; a failure is a GLib.Error that tells the next step."""
        answer, descriptors = self.bus.call_with_unix_fd_list_sync(
            NAME, path, f"{NAME}.{interface}", member, arguments, None,
            Gio.DBusCallFlags.ALLOW_INTERACTIVE_AUTHORIZATION, TIMEOUT, None, None)
        return answer.unpack(), descriptors

    def wait_finished(self, consent, start):
        """Calls start(), and returns what the signal Finished says."""
        loop, outcome = GLib.MainLoop(), []

        def on_finished(_bus, _sender, _path, _interface, _signal, parameters):
            outcome.append(parameters.unpack())
            loop.quit()

        match = self.bus.signal_subscribe(NAME, f"{NAME}.Consent", "Finished", consent, None, Gio.DBusSignalFlags.NONE,
                                          on_finished)
        start()
        GLib.timeout_add(TIMEOUT, loop.quit)
        if not outcome:
            loop.run()
        self.bus.signal_unsubscribe(match)
        return outcome[0] if outcome else sys.exit("The service gave no answer.")


def options(**values):
    return {key.replace("_", "-"): value for key, value in values.items()}


def sign(code, file):
    daemon = Daemon()
    (consent,), _ = daemon.call(ROOT, "Manager", "OpenConsent", GLib.Variant("(sa{sv})", (code, {})))
    (texts,), _ = daemon.call(consent, "Consent", "GetTexts", GLib.Variant("(a{sv})", ({},)))
    for title, _media_type, _sha256, content in texts:
        print(f"--- {title}\n{bytes(content).decode()}")
    print("Sign this? [yes/no] ", end="", flush=True)
    if sys.stdin.readline() != "yes\n":
        return 1
    usable = options(usable=GLib.Variant("b", True))
    (certificates,), _ = daemon.call(ROOT, "Manager", "ListCertificates", GLib.Variant("(a{sv})", (usable,)))
    if not certificates:
        sys.exit("There is no certificate that can be used.")
    certificate = certificates[0][0]  # a real program lets the user choose
    shown = options(accept_text_sha256=GLib.Variant("as", [text[2] for text in texts]))
    success, error, result = daemon.wait_finished(
        consent, lambda: daemon.call(consent, "Consent", "Sign", GLib.Variant("(oa{sv})", (certificate, shown))))
    if not success:
        sys.exit(f"{result.get('Message', error)}\n{result.get('Hint', '')}")
    _, descriptors = daemon.call(consent, "Consent", "GetSignature", GLib.Variant("(a{sv})", ({},)))
    with os.fdopen(descriptors.get(0), "rb") as memfd, open(file, "wb") as out:
        memfd.seek(0)
        out.write(memfd.read())
    print(f"signed: {file}\nreceipt: {result['ReceiptId']}")
    return 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: sign.py CODE [FILE]")
    try:
        sys.exit(sign(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "consent.p7s"))
    except GLib.Error as failure:
        sys.exit(failure.message.split(": ", 1)[-1])  # without the error's name: what happened and what to do next
