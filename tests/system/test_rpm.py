# SPDX-License-Identifier: Apache-2.0
"""Test: packaging/eonay.spec names every file that is installed, once, and no file that is not."""
import fnmatch
import json
import os
import re
import subprocess
import sys

BUILD = os.environ["EONAY_BUILD"]
SOURCE = os.environ["EONAY_SOURCE"]


def option(name):
    options = json.loads(subprocess.run(["meson", "introspect", "--buildoptions", BUILD], capture_output=True, check=True).stdout)
    return next(o["value"] for o in options if o["name"] == name)


def installed():
    """Where things go, as on a system whose prefix is /usr; translations have a macro of their own."""
    prefix, libdir = option("prefix"), option("libdir")
    found = json.loads(subprocess.run(["meson", "introspect", "--installed", BUILD], capture_output=True, check=True).stdout)
    for path in found.values():
        if path.startswith(prefix):
            path = "/usr" + path[len(prefix):]
        path = path.replace(f"/usr/{libdir}/", "/usr/lib64/", 1)
        if "/locale/" not in path:
            yield path


MACROS = {"_sysconfdir": "/etc", "_libexecdir": "/usr/libexec", "_bindir": "/usr/bin", "_sbindir": "/usr/sbin", "_libdir": "/usr/lib64",
          "_unitdir": "/usr/lib/systemd/system", "_userunitdir": "/usr/lib/systemd/user", "_datadir": "/usr/share",
          "_presetdir": "/usr/lib/systemd/system-preset", "_sysusersdir": "/usr/lib/sysusers.d",
          "_tmpfilesdir": "/usr/lib/tmpfiles.d", "_mandir": "/usr/share/man", "_includedir": "/usr/include"}


def patterns():
    with open(os.path.join(SOURCE, "packaging", "eonay.spec"), encoding="utf-8") as file:
        parts = re.split(r"^%files.*$", file.read().split("\n%changelog")[0], flags=re.M)[1:]
    for line in "\n".join(parts).splitlines():
        line = re.sub(r"^%config\(\w+\) ", "", line)
        if line and not line.startswith(("%license", "%doc", "%dir")):
            yield re.sub(r"%\{(\w+)\}", lambda m: MACROS[m.group(1)], line)


def main():
    files, wanted = list(installed()), list(patterns())
    wrong = [f"in no package: {path}" for path in files
             if not any(fnmatch.fnmatchcase(path, p) or path.startswith(p + "/") for p in wanted)]
    wrong += [f"is not installed: {p}" for p in wanted
              if not any(fnmatch.fnmatchcase(path, p) or path.startswith(p.rstrip("*") if p.endswith("*") else p + "/") for path in files)]
    print("\n".join(wrong))
    return 1 if wrong or not files else 0


if __name__ == "__main__":
    sys.exit(main())
