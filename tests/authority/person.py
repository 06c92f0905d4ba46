# SPDX-License-Identifier: Apache-2.0
"""One program of a person on the system bus, told by lines of JSON on its standard input what to do; it answers each with
one line. It calls, hears signals, and serves org.eonay.EOnay1.Agent and polkit's authentication agent."""
import json
import os
import sys

from gi.repository import Gio, GLib

AGENT = """<node><interface name="org.eonay.EOnay1.Agent">
  <method name="ConfirmText"><arg type="o" direction="in"/><arg type="a(sssay)" direction="in"/>
    <arg type="a{sv}" direction="in"/><arg type="b" direction="out"/></method>
  <method name="RequestPin"><arg type="o" direction="in"/><arg type="a{sv}" direction="in"/><arg type="h" direction="out"/></method>
  <method name="Cancel"><arg type="o" direction="in"/><arg type="a{sv}" direction="in"/></method>
</interface></node>"""
DIALOG = """<node><interface name="org.freedesktop.PolicyKit1.AuthenticationAgent">
  <method name="BeginAuthentication"><arg type="s" direction="in"/><arg type="s" direction="in"/><arg type="s" direction="in"/>
    <arg type="a{ss}" direction="in"/><arg type="s" direction="in"/><arg type="a(sa{sv})" direction="in"/></method>
  <method name="CancelAuthentication"><arg type="s" direction="in"/></method>
</interface></node>"""


class Person:
    def __init__(self, address):
        self.address = address
        self.connection = None
        self.signals = []
        self.asked = []    # by the daemon
        self.dialogs = []  # by polkit
        self.pin = None

    def connect(self):
        flags = Gio.DBusConnectionFlags
        self.connection = Gio.DBusConnection.new_for_address_sync(
            self.address, flags.AUTHENTICATION_CLIENT | flags.MESSAGE_BUS_CONNECTION, None, None)
        self.connection.set_exit_on_close(False)
        self.connection.signal_subscribe("org.eonay.EOnay1", None, None, None, None, Gio.DBusSignalFlags.NONE,
                                         self.on_signal)
        answer({"ok": self.connection.get_unique_name()})

    def on_signal(self, _connection, _sender, path, interface, signal, parameters):
        self.signals.append([path, interface, signal, parameters.print_(False)])

    def call(self, order):
        descriptors = Gio.UnixFDList.new()
        for text in order.get("pipes", []):  # the read end of a pipe that holds this
            reader, writer = os.pipe()
            os.write(writer, text.encode())
            os.close(writer)
            descriptors.append(reader)
            os.close(reader)
        message = Gio.DBusMessage.new_method_call(order["destination"], order["path"], order["interface"], order["member"])
        body = GLib.Variant.parse(None, order["arguments"], None, None)
        if body.n_children():
            message.set_body(body)
        if descriptors.get_length():
            message.set_unix_fd_list(descriptors)
        if order.get("interactive"):
            message.set_flags(Gio.DBusMessageFlags.ALLOW_INTERACTIVE_AUTHORIZATION)
        self.connection.send_message_with_reply(message, Gio.DBusSendMessageFlags.NONE, order.get("timeout", 60) * 1000,
                                                None, self.on_reply, order)

    def on_reply(self, connection, result, order):
        try:
            reply = connection.send_message_with_reply_finish(result)
        except GLib.Error as error:
            outcome = {"error": "timeout", "message": error.message}
        else:
            body = reply.get_body()
            if reply.get_message_type() == Gio.DBusMessageType.ERROR:
                outcome = {"error": reply.get_error_name(), "message": body.unpack()[0] if body else ""}
            else:
                outcome = {"ok": body.print_(False) if body else "()"}
        if order["op"] == "begin":
            self.signals.append(["reply", order["member"], "", json.dumps(outcome)])
        else:
            answer(outcome)

    def agent(self, pin):
        self.pin = pin
        self.connection.register_object("/agent", Gio.DBusNodeInfo.new_for_xml(AGENT).interfaces[0], self.on_agent, None,
                                        None)
        answer({"ok": ""})

    def on_agent(self, _connection, sender, _path, _interface, method, arguments, invocation):
        self.asked.append([method, arguments.print_(False), sender])
        if method == "ConfirmText":
            invocation.return_value(GLib.Variant("(b)", (True,)))
        elif method == "RequestPin":
            reader, writer = os.pipe()
            os.write(writer, self.pin.encode())
            os.close(writer)
            descriptors = Gio.UnixFDList.new_from_array([reader])
            invocation.return_value_with_unix_fd_list(GLib.Variant("(h)", (0,)), descriptors)
        else:
            invocation.return_value(None)

    def dialog(self, session, language):
        """An authentication agent for polkit that notes what it should ask, and leaves it unanswered."""
        self.connection.register_object("/dialog", Gio.DBusNodeInfo.new_for_xml(DIALOG).interfaces[0], self.on_dialog, None,
                                        None)
        subject = ("unix-session", {"session-id": GLib.Variant("s", session)})
        self.connection.call_sync("org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority",
                                  "org.freedesktop.PolicyKit1.Authority", "RegisterAuthenticationAgent",
                                  GLib.Variant("((sa{sv})ss)", (subject, language, "/dialog")), None,
                                  Gio.DBusCallFlags.NONE, 10000, None)
        answer({"ok": ""})

    def on_dialog(self, _connection, _sender, _path, _interface, method, arguments, invocation):
        values = arguments.unpack()
        self.dialogs.append({"method": method, "values": values[:2], "cookie": values[4] if len(values) > 4 else values[0],
                             "details": values[3] if len(values) > 3 else {}})
        if method == "CancelAuthentication":
            invocation.return_value(None)
            self.finish_dialogs(None)
        else:
            self.dialogs[-1]["invocation"] = invocation

    def finish_dialogs(self, _unused):
        for entry in self.dialogs:
            invocation = entry.pop("invocation", None)
            if invocation:
                invocation.return_value(None)

    def obey(self, order):
        operation = order["op"]
        if operation == "connect":
            self.connect()
        elif operation == "call":
            self.call(order)
        elif operation == "begin":
            self.call(order)
            answer({"ok": ""})
        elif operation == "agent":
            self.agent(order["pin"])
        elif operation == "dialog":
            self.dialog(order["session"], order["language"])
        elif operation == "dialogs":
            answer({"ok": [{key: value for key, value in entry.items() if key != "invocation"} for entry in self.dialogs]})
        elif operation == "close-dialogs":
            self.finish_dialogs(None)
            answer({"ok": ""})
        elif operation == "signals":
            answer({"ok": self.signals})
        elif operation == "asked":
            answer({"ok": self.asked})


def answer(what):
    print(json.dumps(what), flush=True)


def main():
    person = Person(sys.argv[1])
    loop = GLib.MainLoop()
    channel = GLib.IOChannel.unix_new(0)

    def on_line(_channel, _condition):
        line = sys.stdin.readline()
        if not line:
            loop.quit()
            return False
        try:
            person.obey(json.loads(line))
        except GLib.Error as error:  # of the test's own making
            answer({"error": "not sent", "message": error.message})
        return True

    GLib.io_add_watch(channel, GLib.PRIORITY_DEFAULT, GLib.IOCondition.IN | GLib.IOCondition.HUP, on_line)
    loop.run()


if __name__ == "__main__":
    main()
