# SPDX-License-Identifier: Apache-2.0
"""The daemon after a whole signature, seen from outside: what it has mapped, opened and started.

- Executable memory is its link map and nothing else: no plugin, PKCS#11 module, OpenSSL provider, NSS module, gconv module.
- It imports nothing that loads code, opens sockets, resolves names or starts threads.
- Its sockets are local, connected, and none listens; every descriptor is close-on-exec; it has one thread.

Usage: walls_running.py SOURCE_ROOT BUILD_ROOT
"""
import os
import re
import subprocess
import sys

CLOSE_ON_EXEC = 0o2000000
UNIX_LISTENS = 0x10000  # Flags of /proc/PID/net/unix: SO_ACCEPTCON
KERNEL_MAPPINGS = {"[vdso]", "[vsyscall]"}
SIGN_TIMEOUT = 60

FORBIDDEN_IMPORTS = re.compile(
    r"dlopen|dlmopen|g_module_open.*|socket|bind|listen|accept4?|connect|getaddrinfo|gethostby.*|getnameinfo|res_.*"
    r"|getpw.*|getgr.*|getspnam.*|initgroups|iconv_open|g_iconv_open|g_convert.*|g_locale_.*"
    r"|pthread_create|thrd_create|g_thread_(new|try_new)|g_thread_pool_new.*"
    r"|system|popen|g_spawn.*|g_main_context.*|g_main_loop.*"
    r"|OSSL_PROVIDER_load|OSSL_PROVIDER_try_load|CONF_modules_load.*|ENGINE_.*|C_GetFunctionList")


def sign_once(sandbox):
    """One consent from the code to the receipt, with the texts accepted and the PIN in a pipe."""
    import dbus
    from gi.repository import GLib
    connection = sandbox.connect()
    manager = sandbox.manager(connection)
    nothing = dbus.Dictionary({}, "sv")
    code, _ = manager.GetCode("", nothing)
    path = manager.OpenConsent(code, nothing)
    consent = dbus.Interface(connection.get_object("org.eonay.EOnay1", path, introspect=False),
                             "org.eonay.EOnay1.Consent")
    certificates = manager.ListCertificates(dbus.Dictionary({"usable": True}, "sv"))
    hashes = dbus.Array([text[2] for text in consent.GetTexts(nothing)], "s")
    loop = GLib.MainLoop()
    outcome = []
    consent.connect_to_signal("Finished", lambda *result: (outcome.append(result), loop.quit()))
    consent.Sign(certificates[0][0], dbus.Dictionary({"accept-text-sha256": hashes, "pin": sandbox.pin_pipe()}, "sv"))
    GLib.timeout_add_seconds(SIGN_TIMEOUT, loop.quit)
    loop.run()
    assert outcome and outcome[0][0], f"the signature failed: {outcome}"


def link_map(program):
    """The real paths of a program, its loader, and everything it is linked against."""
    output = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return {os.path.realpath(path) for path in [program, *re.findall(r"(/\S+) \(0x", output)]}


def executable_mappings(pid):
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
        for line in maps:
            fields = line.split(maxsplit=5)
            if "x" in fields[1]:
                yield fields[5].strip() if len(fields) > 5 else "(anonymous)"


def map_faults(pid, program):
    expected = link_map(program)
    found = set(executable_mappings(pid)) - KERNEL_MAPPINGS
    for path in sorted(found - expected):
        yield f"executable memory that is not linked: {path}"
    for path in sorted(expected - found):
        yield f"linked but not in memory: {path}"


def import_faults(program):
    output = subprocess.run(["nm", "-D", "--undefined-only", program], capture_output=True, text=True, check=True).stdout
    names = {line.split()[-1].split("@")[0] for line in output.splitlines()}
    if len(names) < 50:
        yield f"only {len(names)} imports read from {program}"
    for name in sorted(names):
        if FORBIDDEN_IMPORTS.fullmatch(name):
            yield f"the daemon imports {name}()"


def unix_sockets(pid):
    """Flags by inode of the UNIX sockets in the process's network namespace."""
    with open(f"/proc/{pid}/net/unix", encoding="utf-8", errors="replace") as table:
        next(table)
        return {int(fields[6]): int(fields[3], 16) for fields in map(str.split, table)}


def descriptor_faults(pid):
    sockets = unix_sockets(pid)
    numbers = [int(name) for name in os.listdir(f"/proc/{pid}/fd")]
    for number in sorted(numbers):
        target = os.readlink(f"/proc/{pid}/fd/{number}")
        with open(f"/proc/{pid}/fdinfo/{number}", encoding="utf-8") as info:
            flags = int(re.search(r"^flags:\s*(\d+)", info.read(), re.MULTILINE)[1], 8)
        if number > 2 and not flags & CLOSE_ON_EXEC:
            yield f"descriptor {number}, {target}, is not close-on-exec"
        match = re.fullmatch(r"socket:\[(\d+)\]", target)
        if match and int(match[1]) not in sockets:
            yield f"descriptor {number} is a socket, and not a local one"
        elif match and sockets[int(match[1])] & UNIX_LISTENS:
            yield f"descriptor {number} listens"


def running_faults(pid, program):
    yield from map_faults(pid, program)
    yield from import_faults(program)
    yield from descriptor_faults(pid)
    threads = os.listdir(f"/proc/{pid}/task")
    if len(threads) != 1:
        yield f"{len(threads)} threads"


def faults(source_root, build_root):
    sys.path.insert(0, os.path.join(source_root, "tests/sandbox"))
    from programs import Programs
    from sandbox import Sandbox
    programs = Programs(build_root)
    with Sandbox(programs, os.path.join(build_root, "tests/work")) as sandbox:
        sandbox.start(env={"EONAY_STAY_DUMPABLE": "1"})
        sign_once(sandbox)
        yield from running_faults(sandbox.daemon.pid, programs.daemon)


def main():
    found = list(faults(sys.argv[1], sys.argv[2]))
    for fault in found:
        print(fault)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
