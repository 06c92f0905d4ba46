# SPDX-License-Identifier: Apache-2.0
"""Parts that the tests of inputs share: a sandbox for a whole class, descriptors of every kind, agents of every temper,
and calls that are under way while something else happens."""
import contextlib
import fcntl
import itertools
import os
import time

import dbus
import dbus.service
from gi.repository import GLib

from bus import BUS_NAME
from client import CONSENT, OPTIONS, Client, options, plain  # noqa: F401: for those who import it from here
from programs import Programs
from sandbox import MANAGER, ROOT_PATH, Sandbox
from testing import BUILD, ERROR, WORK, BusTest

AGENT = BUS_NAME + ".Agent"
AGENT_PATH = "/agent"
PROPERTIES = "org.freedesktop.DBus.Properties"
NO_CERTIFICATE = dbus.ObjectPath("/")
SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
CLIENTS = []
ENDS = itertools.count()
FAKE_TEXT = "Deneme metni: bu metin yalnız sınama içindir.\n".encode()


# -- time -----------------------------------------------------------------------------------------------------------

def wait_until(condition, timeout=60.0, what="the condition"):
    """Runs the main loop until condition() holds and returns its value."""
    context = GLib.MainContext.default()
    deadline = time.monotonic() + timeout
    tick = GLib.timeout_add(10, lambda: True)
    try:
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what} did not come true within {timeout} s")
            context.iteration(True)
    finally:
        GLib.source_remove(tick)


def run_for(seconds):
    """Runs the main loop for a time: for what must not happen."""
    end = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() >= end, seconds + 5)


# -- descriptors ----------------------------------------------------------------------------------------------------

def as_argument(descriptor):
    """A descriptor for D-Bus; ours is closed."""
    wrapped = dbus.types.UnixFd(descriptor)
    os.close(descriptor)
    return wrapped


def memfd(content, seals=SEALS):
    descriptor = os.memfd_create("test", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(descriptor, content) if content else None
    if seals:
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
    return as_argument(descriptor)


def pin_pipe(content):
    """The read end of a pipe whose writer has closed."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 1 << 17)
    os.write(writer, content)
    os.close(writer)
    return as_argument(reader)


class OpenPipe:
    """A pipe whose writer we hold: it delivers when we say so, or never."""

    def __init__(self):
        reader, self.writer = os.pipe()
        self.argument = as_argument(reader)

    def deliver(self, content):
        os.write(self.writer, content)
        self.close()

    def close(self):
        if self.writer >= 0:
            os.close(self.writer)
            self.writer = -1


# -- calls ----------------------------------------------------------------------------------------------------------

class Call:
    """A method call that is under way. `place` is its place among the ends of all of them."""

    def __init__(self, connection, path, interface, method, *arguments, timeout=60.0):
        self.replies = []
        self.errors = []
        self.place = None
        target = connection.get_object(BUS_NAME, path, introspect=False)
        target.get_dbus_method(method, interface)(*arguments, timeout=timeout,
                                                  reply_handler=lambda *values: self._end(self.replies, values),
                                                  error_handler=lambda error: self._end(self.errors, error))

    def _end(self, where, what):
        self.place = next(ENDS)
        where.append(what)

    def ended(self):
        return bool(self.replies or self.errors)

    def wait(self, timeout=60.0):
        """The reply's values, or the error as an exception."""
        wait_until(self.ended, timeout, "an answer")
        if self.errors:
            raise self.errors[0]
        return self.replies[0]


def manager_call(connection, method, *arguments, **keywords):
    return Call(connection, ROOT_PATH, MANAGER, method, *arguments, **keywords)


# -- agents ---------------------------------------------------------------------------------------------------------

class Agent(dbus.service.Object):
    """An agent whose answers the test gives: `confirm` and `pin` are called with (details, reply, refuse)."""

    def __init__(self, connection, confirm=None, pin=None, path=AGENT_PATH):
        super().__init__(connection, path)
        self.connection_used = connection
        self.confirm = confirm or (lambda _details, reply, _refuse: reply(True))
        self.pin = pin
        self.asked = []
        self.texts = None
        self.details = None
        self.cancelled = []
        self.finished = []

    @dbus.service.method(AGENT, in_signature="oa(sssay)a{sv}", out_signature="b",
                         async_callbacks=("reply", "refuse"))
    def ConfirmText(self, _consent, texts, details, reply, refuse):
        self.asked.append("ConfirmText")
        self.texts = [bytes(content) for _title, _media, _digest, content in texts]
        self.details = plain(details)
        self.confirm(self.details, reply, refuse)

    @dbus.service.method(AGENT, in_signature="oa{sv}", out_signature="h", async_callbacks=("reply", "refuse"))
    def RequestPin(self, _consent, details, reply, refuse):
        self.asked.append("RequestPin")
        self.details = plain(details)
        self.pin(self.details, reply, refuse)

    @dbus.service.method(AGENT, in_signature="oa{sv}", out_signature="")
    def Cancel(self, consent, _details):
        self.cancelled.append(str(consent))

    @dbus.service.method(AGENT, in_signature="obsa{sv}", out_signature="")
    def Finished(self, consent, success, error, details):
        self.finished.append((str(consent), bool(success), str(error), plain(details)))


def never(_details, _reply, _refuse):
    """An agent that has gone to lunch."""


def says_no(_details, reply, _refuse):
    reply(False)


def gives(content):
    return lambda _details, reply, _refuse: reply(pin_pipe(content))


# -- the frame ------------------------------------------------------------------------------------------------------

class DaemonTest(BusTest):
    """Tests that share one sandbox, each with a connection of its own. After each the daemon must be the same one, up
    and answering."""


    @classmethod
    def prepare(cls, sandbox):
        """For subclasses: what to configure before the start."""

    @classmethod
    def setUpClass(cls):
        cls.shared = Sandbox(Programs(BUILD), WORK)
        cls.addClassCleanup(cls.shared.stop)
        cls.addClassCleanup(cls.assert_clean_end)
        cls.prepare(cls.shared)
        cls.shared.start()

    @classmethod
    def assert_clean_end(cls):
        """After all that, the daemon ends when it is asked to, and a sanitizer build has found nothing in any process."""
        status = cls.shared.stop_daemon() if cls.shared.daemon else 0
        findings = [line for line in cls.shared.logs().splitlines() if "Sanitizer" in line or "runtime error" in line]
        if status != 0 or findings:
            raise AssertionError(f"the daemon ended with {status}\n" + "\n".join(findings + [cls.shared.daemon.log_tail()]))

    def setUp(self):
        self.sandboxes = [self.shared]
        self.client = self.new_client()
        self.log_at = len(self.shared.daemon.log())

    def tearDown(self):
        self.assert_up()

    def assert_up(self):
        """Same process, and it answers."""
        self.assertTrue(self.shared.daemon.running(), "the daemon has ended")
        self.assertEqual(self.shared.starts, 1)
        self.assertTrue(self.property("Version"))

    # clients

    def new_client(self, sandbox=None):
        client = Client(sandbox or self.shared)
        CLIENTS.append(client)  # dbus-python fails when a closed connection still has calls and is forgotten
        self.addCleanup(client.close)
        return client

    def property(self, name, client=None, path=ROOT_PATH, interface=MANAGER):
        connection = (client or self.client).connection
        target = connection.get_object(BUS_NAME, path, introspect=False)
        return plain(target.Get(interface, name, dbus_interface=PROPERTIES))

    def health(self, client=None):
        """What is wrong, one string a problem."""
        return [problem["problem"] for problem in self.property("Health", client)]

    def log(self):
        """What the daemon has logged since the test began."""
        return self.shared.daemon.log()[self.log_at:]

    # consents

    def certificate(self, client=None, label=None):
        """The object path of the one usable certificate, or of the one with this label."""
        found = [path for path, properties in (client or self.client).certificates()
                 if (properties["Label"] == label if label else properties["Usable"])]
        self.assertEqual(len(found), 1, "one certificate expected")
        return found[0]

    def open(self, client=None, backend="local", **values):
        client = client or self.client
        code, _details = client.get_code(backend, **values)
        return client.open(code, backend=backend)

    def hashes(self, consent):
        return dbus.Array([digest for _title, _media, digest, _content in consent.texts()], signature="s")

    def sign(self, consent, pin=None, certificate=None, client=None, **values):
        """Sign with accepted texts and a PIN that is there; returns at once."""
        if pin is None:
            pin = self.shared.pin.encode()
        consent.sign(certificate or self.certificate(client), accept_text_sha256=self.hashes(consent),
                     pin=pin_pipe(pin) if isinstance(pin, bytes) else pin, **values)

    def assert_signs(self, consent, **values):
        """The consent can be signed, or signed after all."""
        self.sign(consent, **values)
        success, error, _result = consent.wait(60)
        self.assertTrue(success, error)
        return consent.receipt()

    def assert_finished(self, consent, error, retriable=None, timeout=60):
        """Finished tells of this failure; returns its result."""
        success, name, result = consent.wait(timeout)
        self.assertEqual((success, name), (False, ERROR + error), result)
        self.assertTrue(result["Message"])
        self.assertTrue(result["Hint"])
        if retriable is not None:
            self.assertEqual(result["Retriable"], retriable)
            self.assertEqual(result["State"] == "reviewing", retriable)
        return result

    def record(self, client=None, **filter_values):
        """ListConsents."""
        return plain((client or self.client).manager.ListConsents(options(**filter_values)))

    def state_on_record(self, consent_id, client=None):
        records = self.record(client, consent_id=consent_id)
        return (records[0]["State"], records[0]["Error"]) if records else None

    def wait_for_record(self, consent_id, state, error="", client=None, timeout=60):
        try:
            wait_until(lambda: self.state_on_record(consent_id, client) == (state, error), timeout)
        except TimeoutError:
            self.assertEqual(self.state_on_record(consent_id, client), (state, error))

    # agents

    def agent(self, client=None, **behaviour):
        """Registers an agent on the client's connection."""
        client = client or self.client
        agent = Agent(client.connection, **behaviour)
        client.manager.RegisterAgent(dbus.ObjectPath(AGENT_PATH), OPTIONS)
        self.addCleanup(self.forget_agent, client, agent)
        return agent

    @staticmethod
    def forget_agent(client, agent):
        with contextlib.suppress(dbus.DBusException, LookupError):  # it has left already
            client.manager.UnregisterAgent(dbus.ObjectPath(AGENT_PATH), OPTIONS)
        with contextlib.suppress(LookupError):
            agent.remove_from_connection()


def fake_ca(sandbox, name, *script, **keys):
    """Adds an authority of plugins/fake that does what the script says."""
    if script:
        keys["Script"] = ";".join(script)
    sandbox.set_section(f"Backend {name}", Plugin="fake-ca", **keys)


def fake_token(sandbox, name, *script, certificate=None, **keys):
    """Adds a token of plugins/fake, with somebody's certificate on it when one is given."""
    if certificate:
        keys["Certificate"] = keys["ReadPaths"] = certificate.certificate_der
    if script:
        keys["Script"] = ";".join(script)
    sandbox.set_section(f"Token {name}", Plugin="fake-token", Label=name, **keys)
