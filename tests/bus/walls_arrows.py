# SPDX-License-Identifier: Apache-2.0
"""Who may include what: the arrows of docs/architecture.md, read from every #include line of the tree.

    *-bus.c -> logic -> common      daemon -> host protocol <- host -> plugin.h <- plugins      lib -> plugin.h

Checked: includes between the areas of the tree; libraries an area must not touch at all; sockets and the loader in the
daemon; and that objects on the bus have their face in *-bus.c alone.

Usage: walls_arrows.py SOURCE_ROOT
"""
import os
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
TOP_FOLDERS = ("lib", "daemon", "plugins", "client-examples", "portal")
# What a quoted name is looked for in, after the including file's own folder.
SEARCH = ("plugins/include", "daemon/common", "lib", "daemon", "daemon/host")

# Areas by their folder, and the other areas each may include. The longest folder that fits names a file's area.
ARROWS = {
    "plugins/include": set(),
    "lib": {"plugins/include"},
    "daemon/common": {"plugins/include"},
    "daemon/host": {"daemon/common", "plugins/include"},
    "daemon": {"daemon/common", "lib", "plugins/include"},
    "client-examples": {"daemon/common", "lib", "plugins/include"},
    "portal": {"lib", "plugins/include"},
    "plugins/ca-local": {"lib", "plugins/include"},
    "plugins/token-pkcs11": {"lib", "plugins/include"},
    "plugins/token-pkcs12": {"lib", "plugins/include"},
    "plugins": {"plugins/include"},  # every other plugin: the interface alone
}

GLIB = r"glib.*\.h|gio/.*|gmodule\.h|gobject/.*"
SYSTEMD = r"systemd/.*"
TOKEN_LIBRARIES = r"libp11\.h|p11-kit/.*|pkcs11.*\.h"
LOADER = r"dlfcn\.h|gmodule\.h|link\.h"
NETWORK = r"netdb\.h|netinet/.*|arpa/.*|net/.*|curl/.*|openssl/ssl\.h|resolv\.h"
SOCKETS = r"sys/socket\.h|sys/un\.h"
THREADS = r"pthread\.h|threads\.h"
# OpenSSL that reads configuration or loads code.
OPENSSL_LOADS = r"openssl/(conf|engine|provider|store|ui)\.h"

FORBIDDEN = {
    "plugins/include": [GLIB, SYSTEMD, TOKEN_LIBRARIES, LOADER, NETWORK, SOCKETS, THREADS, r"openssl/.*"],
    "lib": [GLIB, SYSTEMD, TOKEN_LIBRARIES, LOADER, NETWORK, SOCKETS, OPENSSL_LOADS, r"sqlite3\.h"],
    "daemon/common": [TOKEN_LIBRARIES, LOADER, NETWORK, SOCKETS, THREADS, r"openssl/(?!crypto\.h).*", r"sqlite3\.h"],
    "daemon": [TOKEN_LIBRARIES, LOADER, NETWORK, SOCKETS, THREADS, OPENSSL_LOADS],
    "daemon/host": [TOKEN_LIBRARIES, r"curl/.*", r"sqlite3\.h"],
    "plugins": [GLIB, SYSTEMD],
    "plugins/ca-local": [GLIB, SYSTEMD, TOKEN_LIBRARIES, LOADER, NETWORK, SOCKETS],
    "plugins/token-pkcs11": [GLIB, SYSTEMD, NETWORK, SOCKETS],
    "plugins/token-pkcs12": [GLIB, SYSTEMD, TOKEN_LIBRARIES, LOADER, NETWORK, SOCKETS],
    "client-examples": [TOKEN_LIBRARIES, NETWORK],
    "portal": [TOKEN_LIBRARIES, LOADER],
}

# A socketpair for each host is made in one place; nothing else in the daemon has to do with sockets.
EXCEPTIONS = {("daemon/host-spawn.c", "sys/socket.h")}

# What makes an object appear on the bus. Logic may announce that something of it changed.
FACE = re.compile(r"\b(SD_BUS_VTABLE_START|SD_BUS_METHOD\w*|SD_BUS_SIGNAL\w*|SD_BUS_PROPERTY|sd_bus_add_object\w*"
                  r"|sd_bus_add_fallback\w*|sd_bus_add_node_enumerator)\b")


def area_of(path):
    fitting = [area for area in ARROWS if path.startswith(area + "/")]
    return max(fitting, key=len) if fitting else None


def source_files(root):
    for top in TOP_FOLDERS:
        for folder, _, names in os.walk(os.path.join(root, top)):
            for name in sorted(names):
                if name.endswith((".c", ".h")):
                    yield os.path.relpath(os.path.join(folder, name), root)


def includes_of(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return INCLUDE.findall(file.read())


def resolve(root, path, name):
    """The file of the tree that a quoted include means, or None."""
    for folder in (os.path.dirname(path), *SEARCH):
        candidate = os.path.normpath(os.path.join(folder, name))
        if os.path.exists(os.path.join(root, candidate)):
            return candidate
    return None


def area_faults(root, path, area):
    for mark, name in includes_of(root, path):
        target = resolve(root, path, name)
        if target is not None:
            other = area_of(target)
            if other != area and other not in ARROWS[area]:
                yield f"{path}: {area} must not include {other} ({name})"
            elif area == "plugins" and other == "plugins" and os.path.dirname(target) != os.path.dirname(path):
                yield f"{path}: a plugin must not include another plugin ({name})"
        elif mark == '"':
            yield f"{path}: where is {name}?"
        if (path, name) not in EXCEPTIONS:
            for pattern in FORBIDDEN[area]:
                if re.fullmatch(pattern, name):
                    yield f"{path}: {area} must not include <{name}>"


def face_faults(root, path):
    """What the bus can call is in the face, one file beside the logic."""
    if os.path.dirname(path) != "daemon" or path.endswith("-bus.c"):
        return
    with open(os.path.join(root, path), encoding="utf-8") as file:
        for name in sorted(set(FACE.findall(file.read()))):
            yield f"{path}: {name} belongs into a face, *-bus.c"


def faults(root):
    paths = list(source_files(root))
    if len(paths) < 10:
        yield "no sources found"
    for path in paths:
        area = area_of(path)
        if area is None:
            yield f"{path}: belongs to no area"
            continue
        yield from area_faults(root, path, area)
        yield from face_faults(root, path)


def main():
    found = list(faults(sys.argv[1]))
    for fault in found:
        print(fault)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
