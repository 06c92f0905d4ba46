# SPDX-License-Identifier: Apache-2.0
"""dbus/*.xml documents everything: every member, argument, dictionary key and error, in the shape dbus/README.md gives.

Usage: introspection_document.py SOURCE_ROOT
"""
import os
import re
import shutil
import subprocess
import sys

from introspection_contract import EMITS_CHANGED, contract, error_names

KEY_LINE = re.compile(r"^\s*\* ([A-Za-z0-9-]+) \(([a-z(){}]+)\): \S")
BUS_ERRORS = {
    "org.freedesktop.DBus.Error." + name
    for name in ("AccessDenied", "InvalidArgs", "LimitsExceeded", "InteractiveAuthorizationRequired", "UnknownObject")
}
SIGNATURE = re.compile(r"^(?:[ybnqiuxtdsogvh]|a*\((?:[a-z(){}]+)\)|a+[ybnqiuxtdsogvh]|a\{sv\}|aa\{sv\})$")


def words_outside_parentheses(text):
    while "(" in text:
        text, count = re.subn(r"\([^()]*\)", "", text)
        assert count, "unbalanced parentheses: " + text
    return [word.strip() for word in text.split(",")]


def errors_of(comment):
    match = re.search(r"^\s*Errors: (.*?)(?=\n\s*\n|\n\s*Action:|\n\s*Source:|\Z)", comment, re.MULTILINE | re.DOTALL)
    return words_outside_parentheses(" ".join(match[1].split())) if match else []


def actions_of(comment):
    return re.findall(r"^\s*Action: (\S+)$", comment, re.MULTILINE)


def member_faults(where, member, errors, actions):
    comment = member.comment.strip()
    if not re.match(re.escape(member.name) + r"(\n|:)", comment):
        yield f"{where}: the comment before it must begin with its name"
    for _, name, _ in member.args:
        if not name:
            yield f"{where}: an argument has no name"
        elif not re.search(rf"^\s*@{re.escape(name)}: \S", comment, re.MULTILINE):
            yield f"{where}: argument {name} is not documented"
    for name in re.findall(r"^\s*@(\w+):", comment, re.MULTILINE):
        if name not in [arg[1] for arg in member.args]:
            yield f"{where}: @{name} is documented but is no argument"
    for line in comment.splitlines():
        if line.lstrip().startswith("* "):
            match = KEY_LINE.match(line)
            if not match or not SIGNATURE.match(match[2]):
                yield f"{where}: not of the form '* key (type): text': {line.strip()}"
    for name in errors_of(comment):
        if name not in errors and name not in BUS_ERRORS:
            yield f"{where}: error {name} is in no table"
    for name in actions_of(comment):
        if name not in actions:
            yield f"{where}: action {name} is not in the polkit file"
    if member.kind == "property" and EMITS_CHANGED not in member.annotations:
        yield f"{where}: says nothing about its change signal"


def method_inputs_end_with_options(where, member):
    inputs = [arg for arg in member.args if arg[0] == "in"]
    if not inputs or inputs[-1][2] != "a{sv}":
        yield f"{where}: its last input is not a{{sv}}"


def reasons_of(source_root):
    with open(os.path.join(source_root, "lib/certificate-profile.h"), encoding="utf-8") as file:
        return re.findall(r'^\s*X\(\d+, [A-Z_]+, "([a-z-]+)"', file.read(), re.MULTILINE)


def checks_of(source_root):
    """The checks of one message, and those of all that is around it."""
    names = []
    for header, table in (("lib/cades.h", "CADES_CHECK_TABLE"), ("lib/verify.h", "VERIFY_CHECK_TABLE")):
        with open(os.path.join(source_root, header), encoding="utf-8") as file:
            rows = re.search(rf"#define {table}\(X\)(.*?)\n\n", file.read(), re.S).group(1)
        names += re.findall(r'X\(\w+, "([a-z-]+)",', rows)
    return names


def list_faults(where, comment, names):
    """The names must stand in the comment, in their order, separated by commas."""
    flat = " ".join(comment.split())
    if not names or ", ".join(names) + "." not in flat:
        yield f"{where}: must list, in this order: {', '.join(names)}"


def xmllint_faults(source_root):
    if not shutil.which("xmllint"):
        return
    folder = os.path.join(source_root, "dbus")
    files = [os.path.join(folder, name) for name in os.listdir(folder) if name.endswith((".xml", ".conf", ".policy"))]
    result = subprocess.run(["xmllint", "--noout", "--nonet", *files], capture_output=True, text=True, check=False)
    if result.returncode:
        yield result.stderr
    dtd = "/usr/share/polkit-1/policyconfig-1.dtd"
    if os.path.exists(dtd):
        policy = os.path.join(folder, "org.eonay.eonay1.policy")
        result = subprocess.run(["xmllint", "--noout", "--nonet", "--dtdvalid", dtd, policy], capture_output=True,
                                text=True, check=False)
        if result.returncode:
            yield result.stderr


def faults(source_root):
    errors = error_names(source_root)
    if len(errors) < 40 or len(set(errors)) != len(errors):
        yield "the error table could not be read, or a name is there twice"
    with open(os.path.join(source_root, "dbus/org.eonay.eonay1.policy"), encoding="utf-8") as file:
        actions = re.findall(r'<action id="([^"]+)">', file.read())
    interfaces = contract(source_root)
    documented = set()
    for name, interface in interfaces.items():
        if not interface.comment.strip().startswith(name):
            yield f"{name}: the comment before the interface must begin with its name"
        for key, member in interface.items():
            where = f"{name} {key}"
            yield from member_faults(where, member, errors, actions)
            if member.kind == "method":
                yield from method_inputs_end_with_options(where, member)
            if member.kind == "property" and member.access != "read":
                yield f"{where}: clients change nothing through properties"
            documented.update(errors_of(member.comment))
    for name in errors:
        if name not in documented:
            yield f"error {name} of the table is documented nowhere"
    manager = interfaces["org.eonay.EOnay1.Manager"]
    yield from list_faults("ListCertificates", manager["method ListCertificates"].comment, reasons_of(source_root))
    yield from list_faults("VerifySignature", manager["method VerifySignature"].comment, checks_of(source_root))
    yield from xmllint_faults(source_root)


def main():
    found = list(faults(sys.argv[1]))
    for fault in found:
        print(fault)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
