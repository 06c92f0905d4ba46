# SPDX-License-Identifier: Apache-2.0
"""The Debian packages of this source, built beside the given tree, once for each state of the source."""
import glob
import hashlib
import os
import shutil
import subprocess

SOURCE = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
LEFT_OUT = {"build", ".git", "__pycache__"}


def files():
    """All files of the source, as a fresh clone would have them, and those not committed yet."""
    for folder, folders, names in os.walk(SOURCE):
        folders[:] = sorted(f for f in folders if f not in LEFT_OUT and not os.path.islink(os.path.join(folder, f)))
        for name in sorted(names):
            if name != ".git":
                yield os.path.relpath(os.path.join(folder, name), SOURCE)


def state():
    """Of what the packages are made of."""
    digest = hashlib.sha256()
    for name in files():
        if name.startswith("tests/"):
            continue
        with open(os.path.join(SOURCE, name), "rb") as file:
            digest.update(f"{name}\0".encode() + hashlib.sha256(file.read()).digest())
    return digest.hexdigest()


def copy_source(target):
    for name in files():
        os.makedirs(os.path.dirname(os.path.join(target, name)), exist_ok=True)
        shutil.copy(os.path.join(SOURCE, name), os.path.join(target, name))


def build(tree):
    """Returns the folder with *.deb and *.changes."""
    folder = os.path.abspath(tree) + ".packages"
    stamp, wanted = os.path.join(folder, "state"), state()
    if os.path.exists(stamp) and open(stamp, encoding="ascii").read() == wanted:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    source = os.path.join(folder, "eonay")
    copy_source(source)
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "DEB_BUILD_OPTIONS": f"nocheck parallel={os.cpu_count()} noautodbgsym"}
    with open(os.path.join(folder, "log"), "w", encoding="utf-8") as log:
        status = subprocess.run(["dpkg-buildpackage", "-us", "-uc", "-b"], cwd=source, env=environment, stdin=subprocess.DEVNULL,
                                stdout=log, stderr=subprocess.STDOUT, timeout=600).returncode
    if status != 0:
        print("".join(open(log.name, encoding="utf-8").readlines()[-40:]))
        raise SystemExit("The packages cannot be built.")
    shutil.rmtree(source)
    with open(stamp, "w", encoding="ascii") as file:
        file.write(wanted)
    return folder


def debs(folder):
    return sorted(glob.glob(os.path.join(folder, "*.deb")))
