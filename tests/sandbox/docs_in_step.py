# SPDX-License-Identifier: Apache-2.0
"""Test: the documents say what the programs do. Every configuration key and daemon option stands in
docs/administer.md with its default and nothing else does; every key a plugin asks for stands in its README; links lead
somewhere; commands of ./demo and ./check that a document shows exist."""
import os
import re
import subprocess
import sys

SOURCE = os.environ["EONAY_SOURCE"]
BUILD = os.environ["EONAY_BUILD"]
DOCUMENTS = ["README.md", "docs/use.md", "docs/administer.md", "docs/cards.md", "docs/architecture.md", "docs/write-a-plugin.md", "docs/portal.md",
             "docs/evidence.md", "docs/portal-pages.md"]
DOCUMENTS.append("docs/security.md")
PLUGINS = ["token-pkcs11", "token-pkcs12", "ca-local"]
INSTANCE_KEYS = {"Plugin", "ReadPaths", "WritePaths", "Environment", "Needs", "Definition", "PinCredential", "PinCredentialUsers"}


def read(*names):
    with open(os.path.join(SOURCE, *names), encoding="utf-8") as file:
        return file.read()


def documented_keys(text, section):
    """{key: default} of the table under the heading of the section."""
    part = re.search(rf"^### \[{section}[^\n]*\n(.*?)(?=^##|\Z)", text, re.S | re.M).group(1)
    return dict(re.findall(r"^\| `(\w+)=` \| ([^|]*?) \|", part, re.M))


def configuration():
    code, text = read("daemon/config.c"), read("docs/administer.md")
    known = re.findall(r'ROW\("(\w+)", "(\w+)", \w+, (\w+)', code)
    numbers = dict(re.findall(r"c->(\w+) = (\d+);", code))
    for section in ("Daemon", "Journal", "Limits", "Signature"):
        keys = documented_keys(text, section)
        ours = {key: member for name, key, member in known if name == section}
        yield from (f"administer.md: [{section}] {key}= is unknown to the daemon" for key in keys.keys() - ours.keys())
        yield from (f"administer.md: [{section}] {key}= is missing" for key in ours.keys() - keys.keys())
        for key in keys.keys() & ours.keys():
            default = numbers.get(ours[key])
            if default and keys[key] != default:
                yield f"administer.md: default of {key}= is {default}, not {keys[key]}"
    for key in INSTANCE_KEYS ^ set(documented_keys(text, r"Token NAME\]")):
        yield f"administer.md: {key}= of instances is missing or unknown"


def plugin_keys():
    for plugin in PLUGINS:
        folder = os.path.join(SOURCE, "plugins", plugin)
        readme = read("plugins", plugin, "README.md")
        for name in sorted(os.listdir(folder)):
            if name.endswith(".c"):
                for key in re.findall(r'(?:config|open_file|read_\w+|matches|path_of)\([^()"]*,\s*"([A-Z]\w+)"',
                                      read("plugins", plugin, name)):
                    if f"{key}=" not in readme:
                        yield f"plugins/{plugin}/README.md: {key}= is missing"


def portal_keys():
    """Every key of the portal's configuration, with its default, in eonay-portal.conf(5), and no other."""
    page = read("docs", "man", "eonay-portal.conf.5.scd").split("# EXAMPLE")[0]
    documented = set(re.findall(r"\*(\w+)=\*", page))
    code, web = read("portal", "config.c"), read("portal", "web", "web-config.c")
    rows = re.findall(r'X\("(\w+)", \w+(?:, ([^,)]+))?', code)
    known = {key for key, _ in rows}
    for names in re.findall(r"known\[\] = \{(.*?)NULL", web, re.S):
        known |= set(re.findall(r'"(\w+)"', names))
    yield from (f"eonay-portal.conf(5): {key}= is missing" for key in known - documented)
    yield from (f"eonay-portal.conf(5): {key}= is unknown to the portal" for key in documented - known - {"PlainHttp"})
    for key, default in rows:
        if default.isdigit() and not re.search(rf"\*{key}=\*.*?Default: {default}\.", page, re.S):
            yield f"eonay-portal.conf(5): default of {key}= is {default}"


def links():
    for document in DOCUMENTS:
        folder = os.path.dirname(document)
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", read(document)):
            if not os.path.exists(os.path.join(SOURCE, folder, target)):
                yield f"{document}: {target} does not exist"


def options():
    help_of = {
        "./demo": subprocess.run([os.path.join(SOURCE, "demo"), "--help"], capture_output=True, text=True).stdout,
        "./check": subprocess.run([os.path.join(SOURCE, "check"), "--help"], capture_output=True, text=True).stdout,
        "eonayd": subprocess.run([os.path.join(BUILD, "daemon/eonayd"), "--help"], capture_output=True, text=True).stdout,
    }
    for document in DOCUMENTS:
        for program, option in re.findall(r"(\./demo|\./check|\beonayd) (--[a-z][a-z-]*)", read(document)):
            if not re.search(rf"{option}\b", help_of[program]):
                yield f"{document}: {program} has no {option}"


def verbs():
    text = subprocess.run([os.path.join(BUILD, "client-examples/eonayctl/eonayctl"), "--help"], capture_output=True,
                          text=True).stdout
    known = set(re.findall(r"^  ([a-z]+)  ", text, re.M))
    for document in DOCUMENTS:
        for verb in re.findall(r"(?:`|^ {4})eonayctl ([a-z]+)", read(document), re.M):
            if verb not in known:
                yield f"{document}: eonayctl has no {verb}"


def main():
    wrong = [line for check in (configuration, plugin_keys, portal_keys, links, options, verbs) for line in check()]
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
