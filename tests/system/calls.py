# SPDX-License-Identifier: Apache-2.0
"""Run by a user of the booted machine: calls every method and reads every property of every object that can be seen, and of those
whose paths are given, and prints what came back, a line of JSON each: [path, member, "ok" or the error's name, answer].

    calls.py [PATH...]
"""
import json
import os
import sys
import xml.etree.ElementTree as ET

import dbus

NAME = "org.eonay.EOnay1"
ROOT = "/org/eonay/EOnay1"
SAMPLE = {"s": "local", "o": "/", "h": None, "b": False, "u": dbus.UInt32(1), "t": dbus.UInt64(1), "ay": dbus.ByteArray(bytes(32)),
          "a{sv}": dbus.Dictionary({}, signature="sv")}


def arguments(method):
    for argument in method.findall("arg"):
        if argument.get("direction", "in") == "in":
            kind = argument.get("type")
            yield dbus.types.UnixFd(os.open("/dev/null", os.O_RDONLY)) if kind == "h" else SAMPLE[kind]


def call(bus, path, interface, member, signature, values):
    try:
        answer = bus.call_blocking(NAME, path, interface, member, signature, values, timeout=20)
        return "ok", repr(answer)
    except dbus.DBusException as error:
        return error.get_dbus_name(), error.get_dbus_message()


def visit(bus, path):
    outcome, text = call(bus, path, "org.freedesktop.DBus.Introspectable", "Introspect", "", ())
    yield path, "Introspect", outcome, text
    if outcome != "ok":
        return
    tree = ET.fromstring(str(bus.call_blocking(NAME, path, "org.freedesktop.DBus.Introspectable", "Introspect", "", ())))
    for interface in tree.findall("interface"):
        name = interface.get("name")
        yield path, name + " (properties)", *call(bus, path, "org.freedesktop.DBus.Properties", "GetAll", "s", (name,))
        for method in interface.findall("method") if name.startswith(NAME) else ():
            signature = "".join(a.get("type") for a in method.findall("arg") if a.get("direction", "in") == "in")
            yield path, f"{name}.{method.get('name')}", *call(bus, path, name, method.get("name"), signature,
                                                             tuple(arguments(method)))
    for node in tree.findall("node"):
        yield from visit(bus, f"{path}/{node.get('name')}")


def main():
    bus = dbus.SystemBus()
    yield from visit(bus, ROOT)
    yield ROOT, "GetManagedObjects", *call(bus, ROOT, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", "", ())
    for path in sys.argv[1:]:
        yield from visit(bus, path)
        for member, signature, values in (("GetTexts", "a{sv}", (SAMPLE["a{sv}"],)), ("GetDetails", "a{sv}", (SAMPLE["a{sv}"],)),
                                          ("Cancel", "a{sv}", (SAMPLE["a{sv}"],)), ("Close", "a{sv}", (SAMPLE["a{sv}"],)),
                                          ("GetSignature", "a{sv}", (SAMPLE["a{sv}"],)),
                                          ("GetReceipt", "a{sv}", (SAMPLE["a{sv}"],)), ("Sign", "oa{sv}", ("/", SAMPLE["a{sv}"]))):
            yield path, member, *call(bus, path, NAME + ".Consent", member, signature, values)


if __name__ == "__main__":
    for line in main():
        print(json.dumps(line), flush=True)
