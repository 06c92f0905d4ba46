# SPDX-License-Identifier: Apache-2.0
"""The manual pages name every verb, option and configuration key there is; bash, zsh and fish complete those of eonayctl; and
nothing else."""
import itertools
import os
import re
import shlex
import signal
import subprocess
import tempfile
import time
import unittest

from ctl_harness import PATIENCE, Screen

BUILD = os.environ["EONAY_BUILD"]
SOURCE = os.environ["EONAY_SOURCE"]
CTL = os.path.join(BUILD, "client-examples/eonayctl/eonayctl")
COMPLETIONS = os.path.join(SOURCE, "client-examples/eonayctl/completion")
COMPLETION = os.path.join(COMPLETIONS, "eonayctl.bash")
FISH = os.path.join(COMPLETIONS, "eonayctl.fish")
ZSH = os.path.join(COMPLETIONS, "_eonayctl")
MANUAL = os.path.join(SOURCE, "docs/man/eonayctl.1.scd")
MANUAL_TR = os.path.join(SOURCE, "docs/man/tr/eonayctl.1.scd")
ENVIRONMENT = {**os.environ, "LC_ALL": "C.UTF-8", "LANGUAGE": ""}


def help_of(*verb):
    return subprocess.run([CTL, *verb, "--help"], env=ENVIRONMENT, text=True, capture_output=True, check=True).stdout


def options_of(*verb):
    """{long: short or None} as --help shows them."""
    return {long: short for short, long in re.findall(r"^  (?:(-\w), )?(--[a-z-]+)", help_of(*verb), re.MULTILINE)}


VERBS = re.findall(r"^  ([a-z]+) +\S", help_of().partition("Verbs:")[2], re.MULTILINE)
COMMON = options_of()


def manual_sections(path=MANUAL, heading="VERBS", heading_of_common="OPTIONS"):
    """{verb: {long: short or None}} and the common ones under None."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    verbs, options = text.split(f"\n# {heading}\n")[1].split(f"\n# {heading_of_common}\n")
    option = r"^\t*(?:\*(-\w)\*, )?\*(--[a-z-]+)\*(?:=_[^_]+_)?$"
    found = {None: {long: short or None for short, long in re.findall(option, options.split("\n# ")[0], re.MULTILINE)}}
    for part in re.split(r"^(?=\*[a-z]+\*)", verbs, flags=re.MULTILINE)[1:]:
        name = re.match(r"\*([a-z]+)\*", part)[1]
        found[name] = {long: short or None for short, long in re.findall(option, part, re.MULTILINE)}
    return found


def read(*names):
    with open(os.path.join(SOURCE, *names), encoding="utf-8") as file:
        return file.read()


def complete(*words):
    """What bash offers for the last of the words."""
    script = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); compopt() { :; }; '
              '_eonayctl; printf "%s\\n" "${COMPREPLY[@]}"')
    result = subprocess.run(["bash", "-c", script, "bash", COMPLETION, *words], text=True, capture_output=True, check=True,
                            env={**ENVIRONMENT, "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent",
                                 "PATH": os.path.dirname(CTL) + ":" + os.environ["PATH"]})
    return set(result.stdout.splitlines()) - {""}


# A service is not there, and eonayctl is the one that was built.
SHELL_ENVIRONMENT = {**ENVIRONMENT, "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent", "TERM": "dumb",
                     "PATH": os.path.dirname(CTL) + ":" + os.environ["PATH"]}


def complete_in_fish(line):
    with tempfile.TemporaryDirectory() as home:
        script = 'source $argv[1]; complete -C $argv[2]'
        shown = subprocess.run(["fish", "--no-config", "-c", script, FISH, line], text=True, capture_output=True, check=True,
                               env={**SHELL_ENVIRONMENT, "HOME": home, "XDG_CONFIG_HOME": home, "XDG_DATA_HOME": home}).stdout
    return {word.split("\t")[0] for word in shown.splitlines()}


def complete_in_zsh(line, *wanted):
    """What a Tab makes of the line, or shows below it, once it matches all that is wanted."""
    screen = Screen(["zsh", "-f", "-i"], {**SHELL_ENVIRONMENT, "PS1": "", "COLUMNS": "300"})
    screen.type(f"fpath=({shlex.quote(COMPLETIONS)} $fpath); autoload -Uz compinit; compinit -u -D; LISTMAX=9999; unsetopt zle_bracketed_paste; print re''ady\n")
    screen.expect("\nready")
    screen.type(line + "\t\t")
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and not all(re.search(pattern, screen.seen) for pattern in wanted):
        screen.read_some(1)
    shown = screen.seen
    os.kill(screen.pid, signal.SIGKILL)  # an interactive shell does not end by less, whatever it is doing
    screen.wait()
    return [pattern for pattern in wanted if not re.search(pattern, shown)]


class Shells(unittest.TestCase):
    """By the text of the files, and through the shells themselves."""

    def setUp(self):
        self.fish = read("client-examples/eonayctl/completion/eonayctl.fish")
        self.zsh = read("client-examples/eonayctl/completion/_eonayctl")

    def test_text_for_fish(self):
        def options(start):
            return {"--" + name for line in self.fish.splitlines() if line.startswith("complete -c eonayctl" + start)
                    for name in re.findall(r" -l ([a-z-]+)", line)}
        self.assertEqual(options(" -") - options(" -n "), set(COMMON))
        self.assertEqual(re.search(r"__eonayctl_verbs (.*)", self.fish)[1].split(), sorted(VERBS))
        self.assertEqual(re.findall(r"__eonayctl_no_verb -a ([a-z]+) -d '\S", self.fish), sorted(VERBS))
        for verb in VERBS:
            self.assertEqual(options(f" -n '__eonayctl_verb {verb}'"), set(options_of(verb)) - set(COMMON), verb)

    def test_text_for_zsh(self):
        self.assertEqual(re.findall(r"^    '([a-z]+):\S", self.zsh, re.MULTILINE), sorted(VERBS))
        common = self.zsh.split("_eonayctl_common=(")[1].split("\n)")[0]
        self.assertEqual(set(re.findall(r"--[a-z-]+", common)), set(COMMON))
        for verb in VERBS:
            block = (re.search(rf"^    {verb}\) reply=(.*?);;", self.zsh, re.MULTILINE | re.DOTALL) or ["", ""])[1]
            self.assertEqual(set(re.findall(r"--[a-z-]+", block)), set(options_of(verb)) - set(COMMON), verb)

    def test_fish(self):
        self.assertEqual(complete_in_fish("eonayctl "), set(VERBS))
        self.assertEqual(complete_in_fish("eonayctl --json cer"), {"certs"})
        self.assertEqual(complete_in_fish("eonayctl code --language "), {"tr", "en"})
        self.assertEqual(complete_in_fish("eonayctl pin "), {"change", "unblock"})
        self.assertEqual(complete_in_fish("eonayctl sign --certificate "), set())
        for verb in VERBS:
            self.assertEqual(complete_in_fish(f"eonayctl {verb} --"), set(options_of(verb)), verb)

    def test_zsh(self):
        self.assertEqual(complete_in_zsh("eonayctl ", *(rf"\b{verb} +-- \w" for verb in VERBS)), [])
        self.assertEqual(complete_in_zsh("eonayctl pin ", "change   unblock"), [])
        self.assertEqual(complete_in_zsh("eonayctl code --", *options_of("code")), [])
        self.assertEqual(complete_in_zsh("eonayctl sign --allow", "--allow-final-try"), [])


class Documents(unittest.TestCase):
    def test_there_are_verbs(self):
        self.assertEqual(len(VERBS), 15)
        self.assertIn("--json", COMMON)

    def test_manual(self):
        manual = manual_sections()
        self.assertEqual(set(manual) - {None}, set(VERBS))
        self.assertEqual(manual[None], {long: short or None for long, short in COMMON.items()})
        for verb in VERBS:
            with self.subTest(verb):
                own = {long: short or None for long, short in options_of(verb).items() if long not in COMMON}
                self.assertEqual(manual[verb], own)

    def test_manual_has_every_exit_code(self):
        with open(os.path.join(SOURCE, "client-examples/eonayctl/ctl.h"), encoding="utf-8") as file:
            codes = re.findall(r"^    CTL_[A-Z_]+ = (\d+),", file.read(), re.MULTILINE)
        with open(MANUAL, encoding="utf-8") as file:
            table = file.read().split("# EXIT STATUS")[1].split("\n# ")[0]
        self.assertEqual(re.findall(r"^[\[|][- ]+(\d+)$", table, re.MULTILINE), codes)

    def test_manual_has_every_fault(self):
        rows = re.findall(r'^    X\([A-Z_]+, "([a-z-]+)"', read("client-examples/eonayctl/doctor.h"), re.MULTILINE)
        self.assertGreater(len(rows), 15)
        page = read("docs/man/eonayctl.1.scd").split("\n# FAULTS\n")[1].split("\n# ")[0]
        self.assertEqual(re.findall(r"^\*([a-z-]+)\*$", page, re.MULTILINE), rows)

    def test_manual_in_turkish(self):
        """The same verbs, options, exit codes and faults."""
        page = read("docs/man/tr/eonayctl.1.scd")
        self.assertEqual(manual_sections(MANUAL_TR, "KOMUTLAR", "SEÇENEKLER"), manual_sections())
        english = read("docs/man/eonayctl.1.scd")
        for heading, turkish, pattern in (("EXIT STATUS", "ÇIKIŞ DURUMU", r"^[\[|][- ]+(\d+)$"),
                                          ("FAULTS", "SORUNLAR", r"^\*([a-z-]+)\*$")):
            parts = [text.split(f"\n# {title}\n")[1].split("\n# ")[0] for text, title in ((english, heading), (page, turkish))]
            found = [re.findall(pattern, part, re.MULTILINE) for part in parts]
            self.assertGreater(len(found[0]), 10)
            self.assertEqual(found[1], found[0])

    def test_every_fault_is_made_in_a_test(self):
        """Apart from what stands for anything else."""
        rows = re.findall(r'^    X\([A-Z_]+, "([a-z-]+)"', read("client-examples/eonayctl/doctor.h"), re.MULTILINE)
        tests = read("tests/unit/ctl/test_doctor.py") + read("tests/unit/ctl/test_doctor_cards.py")
        self.assertEqual([name for name in rows if f'"{name}"' not in tests], ["other"])

    def test_manual_of_the_service(self):
        shown = subprocess.run([os.path.join(BUILD, "daemon/eonayd"), "--help"], env=ENVIRONMENT, text=True,
                               capture_output=True, check=True).stdout
        options = set(re.findall(r"^  (?:-\w, )?(--[a-z-]+)", shown, re.MULTILINE))
        self.assertIn("--bus", options)
        self.assertEqual(set(re.findall(r"^(?:\*-\w\*, )?\*(--[a-z-]+)\*", read("docs/man/eonayd.8.scd"), re.MULTILINE)), options)

    def test_manual_of_the_agent(self):
        """Both programs; they are there unless the build leaves the window out."""
        folder = os.path.join(BUILD, "client-examples/agent")
        pages = {"# OPTIONS OF %s": read("docs/man/eonay-agent.1.scd"), "# %s SEÇENEKLERİ": read("docs/man/tr/eonay-agent.1.scd")}
        for program, (heading, page) in itertools.product(("eonay-agent", "eonay-agent-window"), pages.items()):
            if not os.path.exists(os.path.join(folder, program)):
                continue
            shown = subprocess.run([os.path.join(folder, program), "--help"], env=ENVIRONMENT, text=True, capture_output=True,
                                   check=True).stdout
            part = page.split("\n" + heading % program.upper() + "\n")[1].split("\n# ")[0]
            documented = set(re.findall(r"^\*(--[a-z-]+)\*", part, re.MULTILINE))
            self.assertEqual(documented, set(re.findall(r"^  (?:-\w, )?(--[a-z-]+)", shown, re.MULTILINE)), program)

    def test_manual_of_the_configuration(self):
        known = re.findall(r'^    ROW\("(\w+)", "(\w+)"', read("daemon/config.c"), re.MULTILINE)
        self.assertGreater(len(known), 15)
        pages = read("docs/man/eonayd.conf.5.scd").split("\n# ")
        for section in ("Daemon", "Limits"):
            page = next(page for page in pages if page.startswith(f"[{section.upper()}]"))
            self.assertEqual(re.findall(r"^\*(\w+)=\*$", page, re.MULTILINE), [key for name, key in known if name == section])

    def test_manual_of_manifests_and_definitions(self):
        for page, source, section in (("eonay.plugin.5", "daemon/manifest.c", "Plugin"), ("eonay.module.5", "daemon/definition.c", "Module")):
            code = read(source)
            known = set(re.findall(rf'"{section}", "(\w+)"', code) + re.findall(r'get_list\(file, "(\w+)"\)', code))
            self.assertGreater(len(known), 7)
            self.assertEqual(set(re.findall(r"^\*(\w+)=\*$", read(f"docs/man/{page}.scd"), re.MULTILINE)), known, page)

    def test_manual_of_the_interface(self):
        page = read("docs/man/org.eonay.EOnay1.5.scd").split("\n# OBJECTS\n")[1].split("\n# ")[0]
        for name in os.listdir(os.path.join(SOURCE, "dbus")):
            if not name.endswith(".xml"):
                continue
            part = " ".join(page.split(f"*{name[:-4]}*")[1].split("\n\n")[0].split())
            members = re.findall(r'<(?:method|signal|property) name="(\w+)"', read("dbus", name))
            self.assertEqual([member for member in members if not re.search(rf"\b{member}\b", part)], [], name)

    def test_manual_of_the_plugins(self):
        page = read("docs/man/eonayd.conf.5.scd").split("\n# [TOKEN NAME]")[1].split("\n# ")[0]
        for plugin in ("token-pkcs11", "token-pkcs12", "ca-local"):
            own = page.split(f"\n## {plugin}\n")[1].split("\n## ")[0]
            table = read("plugins", plugin, "README.md").partition("| key |")[2].partition("\n\n")[0]
            rows = "".join(line.split("|")[1] for line in table.splitlines() if line.startswith("| `"))
            self.assertEqual(set(re.findall(r"\*(\w+)=\*", own)), set(re.findall(r"`(\w+)=", rows)), plugin)

    def test_completion(self):
        self.assertEqual(complete("eonayctl", ""), set(VERBS))
        self.assertEqual(complete("eonayctl", "--"), set(COMMON))
        self.assertEqual(complete("eonayctl", "--json", "cer"), {"certs"})
        for verb in VERBS:
            with self.subTest(verb):
                self.assertEqual(complete("eonayctl", verb, "--"), set(options_of(verb)))
        self.assertEqual(complete("eonayctl", "code", "--language", ""), {"tr", "en"})
        self.assertEqual(complete("eonayctl", "code", "--language", "=", "t"), {"tr"})
        self.assertEqual(complete("eonayctl", "verify", "--content", os.path.join(SOURCE, "meson.bui")),
                         {os.path.join(SOURCE, "meson.build")})
        self.assertEqual(complete("eonayctl", "sign", "--certificate", ""), set())


if __name__ == "__main__":
    unittest.main()
