# SPDX-License-Identifier: Apache-2.0
"""Where our programs and plugins are: in an installed prefix, or in a build tree that was never installed."""
import glob
import os

from processes import ProcessError


def first_existing(paths):
    for path in paths:
        if os.path.exists(path):
            return os.path.realpath(path)
    raise ProcessError("not found: " + " or ".join(paths))


class Programs:
    """Paths of eonayd, eonay-plugin-host, eonayctl and mkpki, and the plugin folders."""

    def __init__(self, build, prefix=None):
        self.build = os.path.realpath(build)
        self.prefix = os.path.realpath(prefix) if prefix else None
        self.mkpki = first_existing([os.path.join(self.build, "tests/fixtures/mkpki")])
        self.daemon = self._program("eonayd", "daemon")
        self.host = self._program("eonay-plugin-host", "daemon/host")
        self.ctl = self._program("eonayctl", "client-examples/eonayctl")
        self.trust = self._program("eonay-trust", "client-examples/eonay-trust")
        self.plugin_dirs = self._plugin_dirs()

    def _program(self, name, build_folder):
        if not self.prefix:
            return first_existing([os.path.join(self.build, build_folder, name)])
        folders = ("bin", "sbin", "libexec", "lib/eonay", "libexec/eonay")
        return first_existing([os.path.join(self.prefix, folder, name) for folder in folders])

    def _plugin_dirs(self):
        if self.prefix:
            manifests = glob.glob(os.path.join(self.prefix, "lib*/**/eonay/plugins/*.plugin"), recursive=True)
        else:
            manifests = glob.glob(os.path.join(self.build, "plugins/*/*.plugin"))
        folders = sorted({os.path.dirname(manifest) for manifest in manifests})
        if not folders:
            raise ProcessError(f"no plugin manifests below {self.prefix or self.build}")
        return folders

    def path(self, inherited):
        """A PATH in which our programs come first."""
        folders = {os.path.dirname(self.ctl): None, os.path.dirname(self.daemon): None}
        return os.pathsep.join([*folders, inherited])
