# SPDX-License-Identifier: Apache-2.0
"""What a local app does with the D-Bus API, step by step: get a code, open the consent, sign it, take the results."""
import itertools
import os

import dbus
from gi.repository import GLib

from bus import BUS_NAME

CONSENT = BUS_NAME + ".Consent"
OPTIONS = dbus.Dictionary({}, signature="sv")
FINISH_TIMEOUT = 120


def options(**values):
    """An option dictionary; keyword names have '_' where the option has '-'."""
    return dbus.Dictionary({key.replace("_", "-"): value for key, value in values.items()}, signature="sv")


def plain(value):
    """D-Bus types turned into Python's own, for JSON and for comparing."""
    if isinstance(value, dbus.Boolean):
        return bool(value)
    if isinstance(value, (dbus.ByteArray, dbus.Array)) and value.signature == "y":
        return bytes(value)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, str):
        return str(value)
    return int(value) if isinstance(value, int) else value


def read_memfd(descriptor):
    """The bytes of a sealed memfd that came with a reply."""
    with os.fdopen(descriptor.take(), "rb") as file:
        file.seek(0)
        return file.read()


class Consent:
    """An opened consent. Signals are collected from the moment it is opened; `finished` numbers the ends of all in their order."""
    ends = itertools.count(1)

    def __init__(self, connection, path):
        self.path = path
        self.connection = connection
        self.proxy = dbus.Interface(connection.get_object(BUS_NAME, path, introspect=False), CONSENT)
        self.states = []
        self.outcome = None
        self.finished = 0
        self.loop = GLib.MainLoop()
        self.matches = [
            connection.add_signal_receiver(self._state_changed, "StateChanged", CONSENT, path=path),
            connection.add_signal_receiver(self._finished, "Finished", CONSENT, path=path)]

    def _state_changed(self, state, _details):
        self.states.append(str(state))

    def _finished(self, success, error_name, result):
        self.outcome = (bool(success), str(error_name), plain(result))
        self.finished = next(self.ends)
        self.loop.quit()

    def texts(self):
        """[(title, media type, SHA-256 hex, bytes)]"""
        return [(str(title), str(media), str(digest), bytes(content))
                for title, media, digest, content in self.proxy.GetTexts(OPTIONS)]

    def details(self):
        return plain(self.proxy.GetDetails(OPTIONS))

    def sign(self, certificate, **values):
        self.outcome = None
        self.proxy.Sign(dbus.ObjectPath(certificate), options(**values))

    def wait(self, timeout=FINISH_TIMEOUT):
        """Waits for Finished: (success, error name, result)."""
        if self.outcome is None:
            timer = GLib.timeout_add_seconds(timeout, self.loop.quit)
            self.loop.run()
            if self.outcome is not None:
                GLib.source_remove(timer)
        if self.outcome is None:
            raise TimeoutError(f"the consent did not finish within {timeout} s; states: {self.states}")
        return self.outcome

    def signature(self, index=0):
        return read_memfd(self.proxy.GetSignature(options(index=dbus.UInt32(index))))

    def receipt(self):
        return plain(self.proxy.GetReceipt(OPTIONS))

    def close(self):
        for match in self.matches:
            match.remove()
        self.proxy.Close(OPTIONS)


class Client:
    """A local app on a connection of its own."""

    def __init__(self, sandbox):
        self.connection = sandbox.connect()
        self.manager = sandbox.manager(self.connection)

    def get_code(self, backend="", **values):
        code, details = self.manager.GetCode(backend, options(**values))
        return str(code), plain(details)

    def certificates(self, **values):
        """[(object path, properties)]"""
        return [(str(path), plain(properties))
                for path, properties in self.manager.ListCertificates(options(**values))]

    def open(self, code, **values):
        return Consent(self.connection, str(self.manager.OpenConsent(code, options(**values))))

    def close(self):
        self.connection.close()
