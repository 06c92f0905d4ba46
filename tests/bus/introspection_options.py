# SPDX-License-Identifier: Apache-2.0
"""Every method refuses an option it does not document, and a documented one of another type, and names it in the error.

The methods and their options come from dbus/*.xml, so that a new one is tested as soon as it is documented.

Usage: introspection_options.py SOURCE_ROOT BUILD_ROOT
"""
import os
import re
import sys

import dbus

from introspection_contract import contract

NAME = "org.eonay.EOnay1"
ROOT = "/org/eonay/EOnay1"
INVALID = "org.freedesktop.DBus.Error.InvalidArgs"
UNKNOWN_KEY = "no-such-option"
SHORT_TIMEOUT = 10
# Values of inputs that lead as far as the options; every other string is empty.
STRINGS = {"code": "100000000000009", "handle": "x", "consent_id": "x"}


def documented_keys(member):
    """(key, type) of the options or the filter of a method."""
    match = re.search(r"@(?:options|filter): .*?(?=\n\s*@|\n\s*\n|\Z)", member.comment, re.DOTALL)
    return re.findall(r"^\s*\* ([a-z0-9-]+) \(([^)]*)\):", match[0], re.MULTILINE)


def memfd():
    descriptor = os.memfd_create("test", os.MFD_CLOEXEC)
    wrapped = dbus.types.UnixFd(descriptor)
    os.close(descriptor)
    return wrapped


def pipe():
    reader, writer = os.pipe()
    os.close(writer)
    wrapped = dbus.types.UnixFd(reader)
    os.close(reader)
    return wrapped


def input_value(name, kind, objects):
    if kind == "s":
        return STRINGS.get(name, "")
    if kind == "o":
        return dbus.ObjectPath(objects.get(name, "/x"))
    if kind == "ay":
        return dbus.ByteArray(bytes(32))
    assert kind == "h", f"no value for {name} of type {kind}"
    return memfd() if name in ("file", "signature") else pipe()


def outcome(target, interface, member, objects, key, value):
    """(error name, message) of a call with one option."""
    inputs = [arg for arg in member.args if arg[0] == "in"]
    arguments = [input_value(name, kind, objects) for _, name, kind in inputs[:-1]]
    try:
        target.get_dbus_method(member.name, interface)(
            *arguments, dbus.Dictionary({key: value}, signature="sv"),
            signature="".join(arg[2] for arg in inputs), timeout=SHORT_TIMEOUT)
        return "", "it was accepted"
    except dbus.DBusException as error:
        return error.get_dbus_name(), error.get_dbus_message()


def method_faults(target, interface, member, objects):
    # A byte is the type of no option.
    attempts = [(UNKNOWN_KEY, dbus.Boolean(True))] + [(key, dbus.Byte(1)) for key, _ in documented_keys(member)]
    for key, value in attempts:
        name, message = outcome(target, interface, member, objects, key, value)
        if name != INVALID or key not in message:
            yield f"{interface}.{member.name} with {key}={value!r}: {name} {message}"


def interface_faults(connection, path, interface, documented, objects):
    target = connection.get_object(NAME, path, introspect=False)
    for member in documented[interface].values():
        if member.kind == "method":
            yield from method_faults(target, interface, member, objects)


def faults(source_root, build_root):
    sys.path.insert(0, os.path.join(source_root, "tests/sandbox"))
    from programs import Programs
    from sandbox import Sandbox
    documented = contract(source_root)
    nothing = dbus.Dictionary({}, "sv")
    with Sandbox(Programs(build_root), os.path.join(build_root, "tests/work")) as sandbox:
        sandbox.start()
        connection = sandbox.connect()
        manager = sandbox.manager(connection)
        certificate, details = manager.ListCertificates(nothing)[0]
        consent = manager.OpenConsent(manager.GetCode("", nothing)[0], nothing)
        objects = {"certificate": certificate}
        for path, interface in ((ROOT, "Manager"), (ROOT, "Audit"), (details["Token"], "Token"), (certificate, "Certificate"),
                                (consent, "Consent")):
            yield from interface_faults(connection, path, f"{NAME}.{interface}", documented, objects)


def main():
    found = list(faults(sys.argv[1], sys.argv[2]))
    for fault in found:
        print(fault)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
