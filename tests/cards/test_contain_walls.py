#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a module can reach from inside its host: it tries, and tells the error it met. Each try is also made from outside,
where it must go through, since a wall around nothing proves nothing."""
import errno
import os
import socket
import tempfile

from containing import SOURCE, ContainTest, Vendor, run

WENT_THROUGH = 0


class Scene:
    """Sockets and files of others, in the places where others have them."""

    def __init__(self, sandbox):
        self.closers = []
        self.folders = {name: self.folder(parent) for name, parent in
                        (("tmp", "/tmp"), ("var", "/var/tmp"), ("shm", "/dev/shm"), ("run", self.run_folder())) if parent}
        self.sockets = {name: self.listen(os.path.join(folder, "socket")) for name, folder in self.folders.items()}
        self.sockets["bus"] = sandbox.file("bus")
        self.sockets["abstract"] = "@eonay-test-" + os.urandom(8).hex()
        self.listen("\0" + self.sockets["abstract"][1:])
        tcp = socket.create_server(("127.0.0.1", 0))
        self.closers.append(tcp.close)
        self.port = tcp.getsockname()[1]

    @staticmethod
    def run_folder():
        for parent in (os.environ.get("XDG_RUNTIME_DIR"), "/run"):
            if parent and parent.startswith("/run") and os.access(parent, os.W_OK):
                return parent
        return None

    def folder(self, parent):
        folder = tempfile.TemporaryDirectory(prefix="eonay-walls.", dir=parent)
        self.closers.append(folder.cleanup)
        return folder.name

    def listen(self, path):
        server = socket.socket(socket.AF_UNIX)
        server.bind(path)
        server.listen(64)
        self.closers.append(server.close)
        return path

    def reach(self, path):
        """From outside."""
        with socket.socket(socket.AF_UNIX) as client:
            client.connect("\0" + path[1:] if path.startswith("@") else path)

    def close(self):
        for closer in self.closers:
            closer()


class Walls:
    """What both kinds have."""
    needs = None

    @classmethod
    def make_vendor(cls, sandbox):
        return Vendor(sandbox, needs=cls.needs)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.scene = Scene(cls.shared)
        cls.addClassCleanup(cls.scene.close)

    def probe(self, what, argument):
        """The errno that the host which signs meets, and then the host which lists."""
        self.vendor.write(f"C_SignInit=probe-{what} {argument}")
        result = self.assert_finished(self.vendor_start(), "PluginFailed", retriable=False)
        self.assertRegex(result["Detail"], "C_SignInit answered 0x800000[0-9a-f]{2}")
        signing = int(result["Detail"][-2:], 16)
        self.vendor.write(f"C_GetSlotList=probe-{what} {argument}")
        self.refresh()
        [problem] = [problem for problem in self.health() if "vendor" in problem]
        self.assertRegex(problem, "C_GetSlotList answered 0x800000[0-9a-f]{2}")
        self.assertEqual(int(problem.rsplit("0x", 1)[1][:8], 16) & 0xff, signing, "one host has other walls")
        self.vendor.write()
        return signing

    def assert_refused(self, what, argument, *errors):
        met = self.probe(what, argument)
        self.assertIn(met, errors, f"{what} {argument}: {os.strerror(met) if met else 'went through'}")

    def test_files(self):
        module_state = os.path.join(self.vendor.state, "mine")
        for path in (self.shared.file("eonayd.conf"), self.shared.file("state", "journal.sqlite"), "/etc/passwd",
                     self.shared.tokens.conf, os.path.join(SOURCE, "meson.build"), "/proc/1/environ"):
            with self.subTest(read=path):
                self.assert_refused("read", path, errno.EACCES, errno.ENOENT)
        for path in (self.shared.file("new"), self.vendor.path, "/tmp/eonay-walls-new", "/var/tmp/eonay-walls-new",
                     "/dev/shm/eonay-walls-new", self.vendor.credentials[0].key):
            with self.subTest(write=path):
                self.assert_refused("write", path, errno.EACCES, errno.EROFS, errno.ENOENT)
        self.assertEqual(self.probe("read", self.vendor.credentials[0].key), WENT_THROUGH)
        self.assertEqual(self.probe("write", module_state), WENT_THROUGH)

    def test_programs(self):
        self.assert_refused("exec", "/bin/true", errno.EPERM, errno.EACCES)

    def test_network(self):
        with socket.create_connection(("127.0.0.1", self.scene.port)):
            pass
        self.assert_refused("tcp", str(self.scene.port), errno.EACCES, errno.EAFNOSUPPORT)


class Files(Walls, ContainTest):
    """A host for a token in files has no sockets at all."""
    needs = "files"

    def test_sockets(self):
        for name, path in self.scene.sockets.items():
            with self.subTest(socket=name):
                self.scene.reach(path)
                self.assert_refused("unix", path, errno.EACCES)


class Card(Walls, ContainTest):
    """A host for cards has UNIX sockets, since it must reach pcscd, and there is no other to be found."""
    needs = "card"

    def test_sockets(self):
        for name, path in self.scene.sockets.items():
            with self.subTest(socket=name):
                self.scene.reach(path)
                self.assert_refused("unix", path, errno.ENOENT, errno.ECONNREFUSED if name == "abstract" else errno.ENOENT,
                                    errno.EPERM if name == "abstract" else errno.ENOENT)

    def test_not_by_another_way(self):
        """Through the daemon's root, and along the folder it was started in."""
        bus = self.scene.sockets["bus"]
        for path in (f"/proc/{self.daemon_pid}/root{bus}", f"/proc/{self.daemon_pid}/cwd/{os.path.relpath(bus)}",
                     os.path.relpath(bus), os.path.relpath(bus, self.shared.folder)):
            with self.subTest(path=path):
                self.assert_refused("unix", path, errno.ENOENT, errno.EACCES, errno.EPERM)


if __name__ == "__main__":
    run()
