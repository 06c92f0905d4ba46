# SPDX-License-Identifier: Apache-2.0
"""A running daemon has exactly the members that dbus/*.xml documents: the root, a token, a certificate, an authority and a
consent, by introspection, by the object manager, and by the properties themselves.

Usage: introspection.py SOURCE_ROOT BUILD_ROOT
       introspection.py SOURCE_ROOT --files INTERFACE DOCUMENT   compares a saved introspection document instead
"""
import os
import sys

from introspection_contract import STANDARD_INTERFACES, contract, differences, parse

NAME = "org.eonay.EOnay1"
ROOT = "/org/eonay/EOnay1"
MANAGED = {"token": "Token", "certificate": "Certificate", "backend": "Backend", "reader": "Reader"}


def compare_document(where, document, documented, *interfaces):
    """An object's introspection document against its interfaces of the contract."""
    live, _ = parse(document)
    expected = {f"{NAME}.{interface}" for interface in interfaces}
    for name in sorted(live.keys() - STANDARD_INTERFACES - expected):
        yield f"{where}: has an interface that does not belong there: {name}"
    for name in sorted(expected):
        if name in live:
            yield from differences(where, documented[name], live[name])
        else:
            yield f"{where}: lacks {name}"



def signature_of(value):
    """The D-Bus type of a value as dbus-python gives it, as far as properties need it."""
    import dbus
    names = {dbus.String: "s", dbus.ObjectPath: "o", dbus.Boolean: "b", dbus.UInt32: "u", dbus.UInt64: "t",
             dbus.Int32: "i"}
    if isinstance(value, dbus.Array):
        return "a" + str(value.signature)
    if isinstance(value, dbus.Dictionary):
        return "a{" + str(value.signature) + "}"
    return names.get(type(value), type(value).__name__)


def compare_properties(where, values, documented):
    """Names and types of an object's properties against its interface."""
    expected = {member.name: member.type for member in documented.values() if member.kind == "property"}
    found = {str(name): signature_of(value) for name, value in values.items()}
    if expected != found:
        yield f"{where}: properties {found}, documented {expected}"


class Live:
    """The objects of a running daemon."""

    def __init__(self, sandbox):
        import dbus
        self.dbus = dbus
        self.connection = sandbox.connect()
        self.other = sandbox.connect()
        self.manager = sandbox.manager(self.connection)

    def introspect(self, path, connection=None):
        target = (connection or self.connection).get_object(NAME, path, introspect=False)
        return target.Introspect(dbus_interface="org.freedesktop.DBus.Introspectable")

    def properties(self, path, interface):
        target = self.connection.get_object(NAME, path, introspect=False)
        return target.GetAll(f"{NAME}.{interface}", dbus_interface="org.freedesktop.DBus.Properties")

    def managed(self):
        target = self.connection.get_object(NAME, ROOT, introspect=False)
        return target.GetManagedObjects(dbus_interface="org.freedesktop.DBus.ObjectManager")

    def consent(self):
        code, _ = self.manager.GetCode("", self.dbus.Dictionary({}, "sv"))
        return self.manager.OpenConsent(code, self.dbus.Dictionary({}, "sv"))


def compare_managed(live, documented):
    """Every object of the object manager: where it is, its one interface, its properties, its introspection."""
    objects = live.managed()
    kinds = set()
    for path, interfaces in objects.items():
        kind = path[len(ROOT) + 1:].split("/")[0]
        kinds.add(kind)
        expected = MANAGED.get(kind)
        own = {str(name) for name in interfaces} - STANDARD_INTERFACES
        if expected is None or own != {f"{NAME}.{expected}"}:
            yield f"{path}: in the object manager with {sorted(own)}"
            continue
        contract_of = documented[f"{NAME}.{expected}"]
        yield from compare_properties(path, interfaces[f"{NAME}.{expected}"], contract_of)
        yield from compare_properties(path, live.properties(path, expected), contract_of)
        yield from compare_document(path, live.introspect(path), documented, expected)
    for kind in {"token", "certificate", "backend"} - kinds:
        yield f"the object manager has no {kind}"


def compare_consent(live, documented):
    consent = live.consent()
    if not consent.startswith(ROOT + "/consent/"):
        yield f"{consent}: not where consents are"
    yield from compare_document(consent, live.introspect(consent), documented, "Consent")
    if consent in live.managed():
        yield "the object manager tells of a consent"
    try:
        interfaces, _ = parse(live.introspect(consent, live.other))
        seen = f"{NAME}.Consent" in interfaces
    except live.dbus.DBusException:
        seen = False
    if seen:
        yield "another connection sees the consent"


def compare_daemon(source_root, build_root):
    sys.path.insert(0, os.path.join(source_root, "tests/sandbox"))
    from programs import Programs
    from sandbox import Sandbox
    documented = contract(source_root)
    with Sandbox(Programs(build_root), os.path.join(build_root, "tests/work")) as sandbox:
        sandbox.start()
        live = Live(sandbox)
        live.manager.ListCertificates(live.dbus.Dictionary({}, "sv"))
        yield from compare_document(ROOT, live.introspect(ROOT), documented, "Manager", "Audit")
        yield from compare_properties(ROOT, live.properties(ROOT, "Manager"), documented[NAME + ".Manager"])
        yield from compare_managed(live, documented)
        yield from compare_consent(live, documented)


def main():
    if sys.argv[2] == "--files":
        with open(sys.argv[4], encoding="utf-8") as file:
            faults = list(compare_document(sys.argv[4], file.read(), contract(sys.argv[1]), sys.argv[3]))
    else:
        faults = list(compare_daemon(sys.argv[1], sys.argv[2]))
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
