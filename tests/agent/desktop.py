# SPDX-License-Identifier: Apache-2.0
"""A desktop of its own, without a screen: Xvfb, a session bus, and the accessibility bus, through which a test finds
what a screen reader would find, presses buttons, and types keys as a keyboard does."""
import os
import select
import subprocess
import time
import warnings

from processes import Child, ProcessError, bound_to_us

LAUNCHER = "/usr/libexec/at-spi-bus-launcher"
PATIENCE = 40  # seconds; a window needs two, on a busy machine more


class Desktop:
    def __init__(self, folder, size="1280x960"):
        self.folder = folder
        self.children = []
        self.screen = self._open_screen(size)
        reader, writer = os.pipe()
        self._start("session-bus", ["dbus-daemon", "--session", "--nofork", "--nopidfile", "--nosyslog",
                                    "--address=unix:path=" + os.path.join(folder, "session"),
                                    f"--print-address={writer}"], pass_fds=[writer])
        os.close(writer)
        self.session_bus = self._line(reader, "dbus-daemon")
        os.environ.update(self.variables())  # for the accessibility library in this process
        self._start("accessibility", [LAUNCHER, "--launch-immediately"])
        self.atspi = self._accessibility()

    def _open_screen(self, size):
        """The variables through which a program finds it."""
        reader, writer = os.pipe()
        # -nolisten tcp: unix sockets alone
        self._start("Xvfb", ["Xvfb", "-displayfd", str(writer), "-screen", "0", size + "x24", "-nolisten", "tcp", "-noreset"],
                    pass_fds=[writer])
        os.close(writer)
        return {"DISPLAY": ":" + self._line(reader, "Xvfb"), "GDK_BACKEND": "x11"}

    def variables(self):
        return {**self.screen, "DBUS_SESSION_BUS_ADDRESS": self.session_bus,
                "GSK_RENDERER": "cairo", "GTK_A11Y": "atspi", "XDG_RUNTIME_DIR": self.folder, "GTK_THEME": "Adwaita",
                "GSETTINGS_BACKEND": "memory", "XDG_CONFIG_HOME": self.folder, "XDG_CACHE_HOME": self.folder}

    def _start(self, name, argv, **options):
        env = {**os.environ, **(self.variables() if hasattr(self, "session_bus") else {})}
        env.pop("WAYLAND_DISPLAY", None)
        child = Child(name, argv, os.path.join(self.folder, name + ".log"), env=env, **options)
        self.children.append(child)
        return child

    def _line(self, reader, name):
        with os.fdopen(reader, encoding="ascii") as pipe:
            line = pipe.readline().strip() if select.select([reader], [], [], PATIENCE)[0] else ""
        if not line:
            raise ProcessError(f"{name} did not start:\n" + self.children[-1].log_tail())
        return line

    def _accessibility(self):
        import gi  # pylint: disable=import-outside-toplevel
        gi.require_version("Atspi", "2.0")
        from gi.repository import Atspi  # pylint: disable=import-outside-toplevel
        deadline = time.monotonic() + PATIENCE
        ask = ["gdbus", "call", "--session", "--dest", "org.a11y.Bus", "--object-path", "/org/a11y/bus", "--method",
               "org.a11y.Bus.GetAddress"]
        while subprocess.run(ask, capture_output=True, check=False).returncode != 0:
            if time.monotonic() > deadline:
                raise ProcessError("no accessibility bus:\n" + self.children[-1].log_tail())
            time.sleep(0.05)
        warnings.simplefilter("ignore", DeprecationWarning)  # of the library's own names
        Atspi.init()
        Atspi.set_timeout(2000, 5000)
        return Atspi

    def stop(self):
        for child in reversed(self.children):
            child.end()

    # -- what is on the screen --------------------------------------------------------------------------------------

    def _root(self):
        """Asked anew each time: what the library keeps of it misses a program now and then that comes as another goes."""
        root = self.atspi.get_desktop(0)
        root.set_cache_mask(self.atspi.Cache.NONE)
        root.clear_cache()
        return root

    def nodes(self):
        """Every accessible object that is showing: (role name, name, object)."""
        found = []
        root = self._root()
        for i in range(root.get_child_count()):
            application = root.get_child_at_index(i)
            if application is not None:
                application.set_cache_mask(self.atspi.Cache.NONE)
                self._walk(application, found, 0)
        return found

    def _walk(self, node, found, depth):
        try:
            states = node.get_state_set()
            if depth > 0 and not states.contains(self.atspi.StateType.VISIBLE):
                return
            found.append((node.get_role_name(), node.get_name() or "", node))
            for i in range(node.get_child_count()):
                child = node.get_child_at_index(i)
                if child is not None and depth < 40:
                    self._walk(child, found, depth + 1)
        except Exception:  # pylint: disable=broad-except  # it went away while we looked
            pass

    def texts(self):
        return [name for _role, name, _node in self.nodes() if name]

    def find(self, role, name=None):
        for its_role, its_name, node in self.nodes():
            if its_role == role and (name is None or name in its_name):
                return node
        return None

    def wait(self, role, name=None, gone=False):
        """The object, once it is there (or None once it is gone)."""
        deadline = time.monotonic() + PATIENCE
        while True:
            node = self.find(role, name)
            if (node is None) == gone:
                return node
            if time.monotonic() > deadline:
                raise AssertionError(f"{role} {name!r} is {'still' if gone else 'not'} there:\n{self.tree()}")
            time.sleep(0.05)

    def wait_text(self, text):
        """Once some label says it."""
        deadline = time.monotonic() + PATIENCE
        while not any(text in name for name in self.texts()):
            if time.monotonic() > deadline:
                raise AssertionError(f"{text!r} is not shown:\n{self.tree()}")
            time.sleep(0.05)

    def wait_state(self, role, name, state, wanted=True):
        deadline = time.monotonic() + PATIENCE
        number = getattr(self.atspi.StateType, state)
        while True:
            node = self.find(role, name)
            if node is not None and node.get_state_set().contains(number) == wanted:
                return node
            if time.monotonic() > deadline:
                raise AssertionError(f"{role} {name!r} is not {'' if wanted else 'un'}{state}:\n{self.tree()}")
            time.sleep(0.05)

    def wait_focus(self, role):
        """Once what has the keyboard is of this role, or directly within such a thing."""
        deadline = time.monotonic() + PATIENCE
        while True:
            focused = [node for _role, _name, node in self.nodes()
                       if node.get_state_set().contains(self.atspi.StateType.FOCUSED)]
            roles = [(node.get_role_name(), node.get_parent().get_role_name()) for node in focused]
            if any(role in pair for pair in roles):
                return
            if time.monotonic() > deadline:
                raise AssertionError(f"the keyboard is at {roles}, not at {role}:\n{self.tree()}")
            time.sleep(0.05)

    def focused_name(self):
        """Of what has the keyboard; of a field's inner part, the field's. "" while nothing has it."""
        root = self._root()
        for i in range(root.get_child_count()):
            node = self._focused(root.get_child_at_index(i))
            if node is not None:
                return node.get_name() or node.get_parent().get_name() or ""
        return ""

    def _focused(self, node):
        try:
            states = node.get_state_set()
            if states.contains(self.atspi.StateType.FOCUSED):
                return node
            for i in range(node.get_child_count()):
                found = self._focused(node.get_child_at_index(i))
                if found is not None:
                    return found
        except Exception:  # pylint: disable=broad-except  # it went away while we looked
            pass
        return None

    def is_sensitive(self, role, name):
        node = self.wait(role, name)
        return node.get_state_set().contains(self.atspi.StateType.SENSITIVE)

    def tree(self):
        return "\n".join(f"{role}: {name}" for role, name, _node in self.nodes())

    # -- what a person does -----------------------------------------------------------------------------------------

    def press(self, name, role="push button"):
        """Through the accessibility interface, as a switch or a voice does."""
        node = self.wait_state(role, name, "SENSITIVE")
        action = node.get_action_iface()
        action.do_action(0)

    def keys(self, *names):
        """By their names, as xdotool has them."""
        subprocess.run(bound_to_us(["xdotool", "key", "--clearmodifiers", "--delay", "20", *names]), check=True, timeout=60)

    def type(self, text):
        subprocess.run(bound_to_us(["xdotool", "type", "--clearmodifiers", "--delay", "20", "--file", "-"]),
                       input=text.encode(), check=True, timeout=60)

    def focus_window(self):
        """There is no window manager to do it."""
        deadline = time.monotonic() + PATIENCE
        search = ["xdotool", "search", "--onlyvisible", "--name", "E-Onay"]
        while True:
            found = subprocess.run(search, capture_output=True, text=True, check=False).stdout.split()
            if found and subprocess.run(["xdotool", "windowfocus", "--sync", found[-1]], check=False).returncode == 0:
                return found[-1]
            if time.monotonic() > deadline:
                raise AssertionError("there is no window")
            time.sleep(0.05)

    def screenshot(self, path):
        subprocess.run(bound_to_us(["import", "-window", self.focus_window(), path]), check=True, timeout=60)


class WaylandDesktop(Desktop):
    """The same with a Wayland compositor, weston. It takes no keys from xdotool: things are pressed through the accessibility
    interface."""

    def _open_screen(self, size):
        width, height = size.split("x")
        os.environ["XDG_RUNTIME_DIR"] = self.folder
        os.environ.pop("DISPLAY", None)
        weston = self._start("weston", ["weston", "--backend=headless-backend.so", "--use-pixman", "--socket=eonay-test",
                                        "--no-config", "--idle-time=0", "--width=" + width, "--height=" + height])
        deadline = time.monotonic() + PATIENCE
        while not os.path.exists(os.path.join(self.folder, "eonay-test")):
            if time.monotonic() > deadline or not weston.running():
                raise ProcessError("weston did not start:\n" + weston.log_tail())
            time.sleep(0.05)
        return {"WAYLAND_DISPLAY": "eonay-test", "GDK_BACKEND": "wayland"}
