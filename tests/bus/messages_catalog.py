# SPDX-License-Identifier: Apache-2.0
"""Every warning and error has a message id, and every id an entry in the journal's catalog, in English and in Turkish, as
journalctl itself reads it.

Usage: messages_catalog.py SOURCE_ROOT
"""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

CATALOGS = {"C": "eonay.catalog", "tr": "eonay.tr.catalog"}
HARMLESS = {"LOG_NOTICE", "LOG_INFO", "LOG_DEBUG"}
CALL = re.compile(r"\blog_event\(")
# Fields that may stand in a text: those that log calls pass.
FIELD = re.compile(r"@([A-Z_]+)@")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def sources(root):
    for area in ("daemon", "lib", "plugins", "portal"):
        yield from glob.glob(os.path.join(root, area, "**", "*.c"), recursive=True)


def split_arguments(text):
    """The beginning of a call, cut at the commas that are in no parentheses."""
    found, depth, start = [], 0, 0
    for n, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            found.append(text[start:n].strip())
            start = n + 1
    return found


def calls(root):
    """(place, priority, id, fields argument) of each log call, macros and the function itself left out."""
    for path in sources(root):
        text = read(path)
        for match in CALL.finditer(text):
            arguments = split_arguments(text[match.end():match.end() + 400])
            if arguments[0].startswith("int "):
                continue
            place = f"{os.path.relpath(path, root)}:{text.count(chr(10), 0, match.start()) + 1}"
            yield (place, *arguments[:3])


def call_faults(root, known):
    used = {}
    for place, priority, message, fields in calls(root):
        if message == "NULL":
            if priority not in HARMLESS:
                yield f"{place}: {priority} without a message id"
        elif message not in known:
            yield f"{place}: {message} is not in messages.h"
        else:
            used.setdefault(message, []).append((place, fields))
    if sum(map(len, used.values())) < 20:
        yield "hardly any log call was found: does this test still read them?"


def entries(text):
    """{id: (headers, body)} of a catalog."""
    found = {}
    for part in re.split(r"^-- ", text, flags=re.MULTILINE)[1:]:
        identity, _, rest = part.partition("\n")
        headers, _, body = rest.partition("\n\n")
        found[identity.strip()] = (dict(line.split(": ", 1) for line in headers.splitlines()), body.strip())
    return found


def catalog_faults(root, ids):
    catalogs = {language: entries(read(os.path.join(root, "systemd", name))) for language, name in CATALOGS.items()}
    for language, found in catalogs.items():
        for name, identity in ids.items():
            headers, body = found.get(identity, ({}, ""))
            if not headers.get("Subject") or headers.get("Defined-By") != "eonayd" or len(body) < 40:
                yield f"{CATALOGS[language]}: {name} has no entry, or one without subject, origin and text"
        for identity in found.keys() - set(ids.values()):
            yield f"{CATALOGS[language]}: {identity} is no message of ours"
    for name, identity in ids.items():
        english, turkish = (catalogs[language].get(identity, ({}, "")) for language in ("C", "tr"))
        if english[0].get("Subject") == turkish[0].get("Subject") or english[1] == turkish[1]:
            yield f"{name} is not translated"
        if set(FIELD.findall(english[1])) != set(FIELD.findall(turkish[1])):
            yield f"{name}: the languages name different fields"


def field_faults(root, ids):
    """What a text names, the lines of that message carry."""
    text_of = entries(read(os.path.join(root, "systemd", CATALOGS["C"])))
    for path in sources(root):
        text = read(path)
        for name, identity in ids.items():
            wanted = FIELD.findall(text_of.get(identity, ({}, ""))[1])
            if f", {name}, " in text and [field for field in wanted if f'"{field}=' not in text]:
                yield f"{os.path.relpath(path, root)}: {name} lacks one of {wanted}"


def journalctl(folder, *arguments, language="C"):
    return subprocess.run(["journalctl", f"--root={folder}", *arguments], capture_output=True, text=True, check=False, timeout=60,
                          env={**os.environ, "LC_ALL": "", "LANG": f"{language}.UTF-8", "SYSTEMD_PAGER": "cat"})


def journalctl_faults(root, ids):
    with tempfile.TemporaryDirectory(prefix="eonay-catalog-") as folder:
        place = os.path.join(folder, "usr/lib/systemd/catalog")
        os.makedirs(place)
        os.makedirs(os.path.join(folder, "var/lib/systemd/catalog"))
        for name in CATALOGS.values():
            shutil.copy(os.path.join(root, "systemd", name), place)
        made = journalctl(folder, "--update-catalog")
        if made.returncode != 0 or made.stderr:
            yield f"journalctl --update-catalog: {made.stderr}"
        listed = journalctl(folder, "--list-catalog").stdout
        for name, identity in ids.items():
            if identity not in listed:
                yield f"journalctl does not find {name}"


def main():
    root = sys.argv[1]
    defined = re.findall(r'#define (MESSAGE_\w+)\s+"([0-9a-f]{32})"', read(os.path.join(root, "daemon/common/messages.h")))
    ids = dict(defined)
    faults = [] if len(set(ids.values())) == len(defined) else ["two messages have one id"]
    faults += [*call_faults(root, ids), *catalog_faults(root, ids), *field_faults(root, ids), *journalctl_faults(root, ids)]
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
