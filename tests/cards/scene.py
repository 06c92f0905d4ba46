# SPDX-License-Identifier: Apache-2.0
"""What tests of eonayd with cards share: cards with qualified certificates, and a sandbox whose daemon watches the
private pcscd that this script runs beside.

    def make(folder):
        authority = scene.authority(folder)
        yield authority.card("ali", s9c="p256")

    class Listing(CardTest): ...

    if __name__ == "__main__":
        main(make)
"""
import os
import sys
import time

import dbus
import dbus.service
from gi.repository import GLib

import cards
from bus import BUS_NAME
from card_sandbox import DEFINITIONS, PIN, PUK, Authority, CardSandbox  # noqa: F401: for the tests too
from client import OPTIONS, Client, plain
from programs import Programs
from testing import BUILD, WORK, BusTest, run

ROOT_PATH = "/org/eonay/EOnay1"
READER, TOKEN, CERTIFICATE = (f"{BUS_NAME}.{name}" for name in ("Reader", "Token", "Certificate"))
AGENT = BUS_NAME + ".Agent"


def authority(folder):
    return Authority(Programs(BUILD).mkpki, folder)


class Watcher:
    """What the ObjectManager and the properties of one connection have told, with the time of each."""

    def __init__(self, connection):
        self.events = []
        self.connection = connection
        connection.add_signal_receiver(self._added, "InterfacesAdded", path=ROOT_PATH)
        connection.add_signal_receiver(self._removed, "InterfacesRemoved", path=ROOT_PATH)
        connection.add_signal_receiver(self._changed, "PropertiesChanged", path_keyword="path")

    def _added(self, path, interfaces):
        self.events.append((time.monotonic(), "added", str(path), plain(interfaces)))

    def _removed(self, path, interfaces):
        self.events.append((time.monotonic(), "removed", str(path), plain(interfaces)))

    def _changed(self, interface, values, _invalidated, path):
        self.events.append((time.monotonic(), "changed", str(path), {str(interface): plain(values)}))

    def find(self, what, kind, start=0):
        """The events of that sort about objects of that kind (reader, token, certificate), from number `start` on."""
        return [event for event in self.events[start:] if event[1] == what and f"/{kind}/" in event[2]]


def iterate(condition, seconds=60):
    """Runs the main loop until the condition holds; returns what it gave."""
    context = GLib.MainContext.default()
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError("it did not come to pass")
        timer = GLib.timeout_add(10, lambda: GLib.SOURCE_REMOVE)
        context.iteration(True)
        del timer
    return result


class Agent(dbus.service.Object):
    """Confirms every text; the PIN is given when the test says so."""

    PATH = "/agent"

    def __init__(self, connection):
        super().__init__(connection, self.PATH)
        self.asked = []      # details of each RequestPin
        self.cancelled = []  # (time, consent path)
        self.reply = self.refuse = None

    @dbus.service.method(AGENT, in_signature="oa(sssay)a{sv}", out_signature="b")
    def ConfirmText(self, _consent, _texts, _details):
        return True

    @dbus.service.method(AGENT, in_signature="oa{sv}", out_signature="h", async_callbacks=("reply", "refuse"))
    def RequestPin(self, _consent, details, reply, refuse):
        self.asked.append(plain(details))
        self.reply, self.refuse = reply, refuse

    @dbus.service.method(AGENT, in_signature="oa{sv}", out_signature="")
    def Cancel(self, consent, _options):
        self.cancelled.append((time.monotonic(), str(consent)))


class CardTest(BusTest):
    """A test case with one daemon for all its tests when they do not ask for their own."""

    def start(self, **sections):
        """A sandbox with a daemon that has looked at the readers; `sections` change its configuration."""
        sandbox = CardSandbox(Programs(BUILD), WORK)
        self.sandboxes.append(sandbox)
        self.addCleanup(sandbox.stop)
        for name, keys in sections.items():
            sandbox.set_section(name, **keys)
        sandbox.start_bus()
        sandbox.start_daemon()
        self.use(sandbox)
        return sandbox

    def use(self, sandbox):
        self.box = sandbox
        self.client = Client(sandbox)
        self.connection = self.client.connection
        self.watcher = Watcher(self.connection)

    def setUp(self):
        """All cards as new, and none out of its place."""
        self.pcscd = cards.Pcscd()
        for name in sorted(os.listdir(os.environ["EONAY_PCSC_SANDBOX"])):
            if name.startswith("card"):
                card = cards.Card(int(name[4:]))
                for line in ("clear", f"code pin {PIN}", f"code puk {PUK}", "tries pin 3", "tries puk 3", "application on"):
                    card.tell(line)

    @staticmethod
    def put_in(*inserted):
        """Cards into their readers, and back there for those whose absence pcscd may not have noticed yet."""
        if any(card.report()["inserted"] == 0 or card.report()["power-ups"] == 0 for card in inserted):
            for card in inserted:
                if card.report()["power-ups"] == 0:
                    card.tell("pull")
            time.sleep(1)  # it looks every 0.4 s
        for card in inserted:
            card.tell("insert")
        for card in inserted:
            card.wait_seen()

    # -- what is on the bus -------------------------------------------------------------------------------------

    def managed(self):
        proxy = self.connection.get_object(BUS_NAME, ROOT_PATH, introspect=False)
        found = dbus.Interface(proxy, "org.freedesktop.DBus.ObjectManager").GetManagedObjects()
        return {str(path): plain(interfaces) for path, interfaces in found.items()}

    def objects(self, interface):
        """{path: properties} of all objects with that interface."""
        return {path: interfaces[interface] for path, interfaces in self.managed().items() if interface in interfaces}

    def readers(self):
        return self.objects(READER)

    def tokens(self):
        return self.objects(TOKEN)

    def token_in(self, reader_number):
        """(path, properties) of the one token in reader N, or None."""
        readers = [path for path, r in self.readers().items() if f"({reader_number:04})" in r["Name"]]
        found = [(path, t) for path, t in self.tokens().items() if t["Reader"] in readers]
        return found[0] if len(found) == 1 else None

    def wait_token(self, reader_number, seconds=60, **properties):
        """Until reader N holds a token with these properties."""
        def there():
            found = self.token_in(reader_number)
            return found if found and all(found[1][key] == value for key, value in properties.items()) else None
        return iterate(there, seconds)

    def wait_empty(self, reader_number):
        """Until pcscd has noticed that reader N holds no card: from then on one that comes is seen as another."""
        iterate(lambda: any(f"({reader_number:04})" in r["Name"] and not r["TokenPresent"] for r in self.readers().values()))
        iterate(lambda: self.token_in(reader_number) is None)

    def certificate_of(self, token, seconds=60):
        """(path, properties) of the token's one certificate."""
        def there():
            return [(path, c) for path, c in self.client.certificates() if c["Token"] == token]
        return iterate(there, seconds)[0]

    def certificate_in(self, reader_number):
        return self.certificate_of(self.wait_token(reader_number, State="ready")[0])

    def token_methods(self, path):
        return dbus.Interface(self.connection.get_object(BUS_NAME, path, introspect=False), TOKEN)

    def health(self):
        proxy = self.connection.get_object(BUS_NAME, ROOT_PATH, introspect=False)
        return plain(dbus.Interface(proxy, dbus.PROPERTIES_IFACE).Get(BUS_NAME + ".Manager", "Health"))

    # -- signing ------------------------------------------------------------------------------------------------

    def open_consent(self):
        return self.client.open(self.client.get_code("local")[0])

    def begin(self, consent, certificate, pin=PIN, **values):
        """Sign() with the texts confirmed; pin None leaves it to the agent."""
        if pin is not None:
            values["pin"] = self.box.pin_pipe(pin)
        digests = dbus.Array([digest for _title, _media, digest, _content in consent.texts()], signature="s")
        consent.sign(certificate, accept_text_sha256=digests, **values)

    def sign(self, certificate, pin=PIN, **values):
        """A whole consent; returns it with its outcome."""
        consent = self.open_consent()
        self.begin(consent, certificate, pin, **values)
        consent.wait()
        return consent

    def assertSigned(self, consent):
        self.assertTrue(consent.outcome[0], consent.outcome)
        self.assertGreater(len(consent.signature()), 100)

    def assertFailed(self, consent, name, retriable=None):
        success, error, result = consent.outcome
        self.assertFalse(success)
        self.assertEqual(error.rsplit(".", 1)[-1], name, consent.outcome)
        if retriable is not None:
            self.assertEqual(bool(result.get("Retriable")), retriable, result)

    def register_agent(self):
        agent = Agent(self.connection)
        self.addCleanup(agent.remove_from_connection)
        self.client.manager.RegisterAgent(dbus.ObjectPath(Agent.PATH), OPTIONS)
        return agent


def main(make, *arguments):
    """Outside: into the sandbox. Inside: the tests."""
    if not cards.opensc_module():
        print("OpenSC's PKCS#11 module is missing", file=sys.stderr)
        sys.exit(cards.SKIP)
    cards.enter(make, *arguments)
    run()
