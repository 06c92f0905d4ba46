# SPDX-License-Identifier: Apache-2.0
"""A private PostgreSQL cluster in a temporary folder, on a unix socket alone. It never runs as root."""
import contextlib
import glob
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time

USER = "portal"
DEADLINE = 60


def programs():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda path: int(path.split("/")[4]))
    return pathlib.Path(found[-1]).parent


class Postgres:
    def __init__(self, settings=()):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="eonay-pg-", dir="/tmp"))
        self.data = self.folder / "data"
        self.bin = programs()
        self.settings = ["listen_addresses=", f"unix_socket_directories={self.folder}", *settings]
        self.process = None
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
            os.chmod(self.folder, 0o755)
        try:
            self.run("initdb", "-D", self.data, "-U", USER, "-A", "trust", "-E", "UTF8", "--no-locale", "-N")
            self.start()
        except BaseException:
            self.close()
            raise

    def command(self, program, *arguments):
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
        return [*as_user, str(self.bin / program), *map(str, arguments)]

    def run(self, program, *arguments):
        return subprocess.run(self.command(program, *arguments), cwd="/", check=True, capture_output=True, text=True,
                              timeout=DEADLINE, stdin=subprocess.DEVNULL).stdout

    def start(self):
        """As our own child, so that it can be killed for certain."""
        options = [word for setting in self.settings for word in ("-c", setting)]
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *self.command("postgres", "-D", self.data, *options)],
                                            cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self.wait_ready()

    def wait_ready(self):
        until = time.monotonic() + DEADLINE
        while time.monotonic() < until:
            done = subprocess.run(self.command("pg_isready", "-q", "-h", self.folder, "-U", USER), cwd="/", check=False)
            if done.returncode == 0:
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError("PostgreSQL did not start: " + (self.folder / "log").read_text()[-2000:])

    def create(self, name):
        """A new database; returns what Database= says."""
        self.run("createdb", "-h", self.folder, "-U", USER, name)
        return f"postgresql:///{name}?host={self.folder}&user={USER}"

    def sql(self, database, statement):
        return self.run("psql", "-h", self.folder, "-U", USER, "-d", database, "-Atqc", statement).strip()

    def processes(self):
        """The server and its backends, each of which is in a group of its own."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [self.process.pid, *map(int, children)]

    def kill(self):
        """kill -9 of all of it, as a power cut would."""
        self.signal(signal.SIGKILL)
        self.process.wait()

    def signal(self, number):
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def close(self):
        if self.process and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def main():
    """postgres.py COMMAND…: runs it with a database in PORTAL_TEST_POSTGRES."""
    server = Postgres()
    try:
        os.environ["PORTAL_TEST_POSTGRES"] = server.create("test")
        sys.exit(subprocess.run(sys.argv[1:], check=False).returncode)
    finally:
        server.close()


if __name__ == "__main__":
    main()
