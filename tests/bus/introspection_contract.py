# SPDX-License-Identifier: Apache-2.0
"""The contract in dbus/*.xml, and introspection data of a running daemon, read into the same form.

An interface is a dictionary from a member's name, such as "method GetCode", to a Member: its shape, everything a client can
see, and its documentation, the comment that stands before it in our own files.
"""
import glob
import os
import re
import xml.sax
import xml.sax.handler

EMITS_CHANGED = "org.freedesktop.DBus.Property.EmitsChangedSignal"
STANDARD_INTERFACES = {
    "org.freedesktop.DBus.Introspectable",
    "org.freedesktop.DBus.ObjectManager",
    "org.freedesktop.DBus.Peer",
    "org.freedesktop.DBus.Properties",
}


class Member:
    """One method, signal or property, or the interface itself."""

    def __init__(self, kind, name, comment):
        self.kind = kind
        self.name = name
        self.comment = comment
        self.args = []  # (direction, name, type)
        self.type = None
        self.access = None
        self.annotations = {}

    def shape(self):
        """What must be equal in the contract and on the bus."""
        annotations = dict(self.annotations)
        if self.kind == "property":
            emits = annotations.pop(EMITS_CHANGED, "true")
            return (self.type, self.access, "emits-changed " + emits, annotations)
        return (tuple(self.args), annotations)


class Interface(dict):
    """Members by "kind name"."""

    def __init__(self, name, comment):
        super().__init__()
        self.name = name
        self.comment = comment


class Reader(xml.sax.handler.ContentHandler):
    """Collects interfaces from one introspection document."""

    def __init__(self):
        super().__init__()
        self.interfaces = {}
        self.children = []
        self.depth = 0
        self.comment = ""
        self.interface = None
        self.member = None

    def comment_taken(self):
        comment, self.comment = self.comment, ""
        return comment

    def startElement(self, name, attrs):
        if name == "node":
            self.depth += 1
            if self.depth > 1:
                self.children.append(attrs["name"])
        elif name == "interface":
            self.interface = Interface(attrs["name"], self.comment_taken())
            self.interfaces[attrs["name"]] = self.interface
        elif name in ("method", "signal", "property"):
            self.member = Member(name, attrs["name"], self.comment_taken())
            self.member.type = attrs.get("type")
            self.member.access = attrs.get("access")
            self.interface[f"{name} {attrs['name']}"] = self.member
        elif name == "arg":
            direction = attrs.get("direction", "out" if self.member.kind == "signal" else "in")
            self.member.args.append((direction, attrs.get("name", ""), attrs["type"]))
        elif name == "annotation" and self.member:
            self.member.annotations[attrs["name"]] = attrs["value"]

    def endElement(self, name):
        if name == "node":
            self.depth -= 1
        elif name in ("method", "signal", "property"):
            self.member = None


class Comments:
    """The lexical half: keeps the last comment for the element that follows."""

    def __init__(self, reader):
        self.reader = reader

    def comment(self, text):
        self.reader.comment = text

    def startDTD(self, name, public_id, system_id):
        pass

    def endDTD(self):
        pass

    def startCDATA(self):
        pass

    def endCDATA(self):
        pass


def parse(document):
    """(interfaces by name, names of child nodes) of an introspection document."""
    reader = Reader()
    parser = xml.sax.make_parser()
    parser.setContentHandler(reader)
    parser.setProperty(xml.sax.handler.property_lexical_handler, Comments(reader))
    parser.setFeature(xml.sax.handler.feature_external_ges, False)
    parser.setFeature(xml.sax.handler.feature_external_pes, False)
    parser.feed(document)
    parser.close()
    return reader.interfaces, reader.children


def contract(source_root):
    """All documented interfaces by name."""
    found = {}
    for path in sorted(glob.glob(os.path.join(source_root, "dbus", "*.xml"))):
        with open(path, encoding="utf-8") as file:
            interfaces, _ = parse(file.read())
        assert list(interfaces) == [os.path.basename(path)[: -len(".xml")]], f"{path}: one interface, named as the file"
        found.update(interfaces)
    return found


def error_names(source_root):
    """The short names of eonay/error-table.h."""
    path = os.path.join(source_root, "plugins/include/eonay/error-table.h")
    with open(path, encoding="utf-8") as file:
        return re.findall(r'^\s*X\(\d+, [A-Z_0-9]+, "(\w+)"', file.read(), re.MULTILINE)


def differences(where, documented, live):
    """Sentences about what differs between two interfaces of one name."""
    found = []
    for member in sorted(documented.keys() | live.keys()):
        if member not in live:
            found.append(f"{where}: {member} is documented but not there")
        elif member not in documented:
            found.append(f"{where}: {member} is there but not documented")
        elif documented[member].shape() != live[member].shape():
            found.append(f"{where}: {member}: documented {documented[member].shape()}, found {live[member].shape()}")
    return found
