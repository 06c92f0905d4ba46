# SPDX-License-Identifier: Apache-2.0
"""The demo: one E-Onay consent, signed end to end in a sandbox. `./demo` at the top builds, installs and starts this."""
import argparse
import getpass
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time

import dbus

import demo_card
import demo_portal
import responders
from client import Client
from processes import ProcessError, bound_to_us, end_descendants, run_guarded
from programs import Programs
from sandbox import Sandbox, TOKEN_LABEL, remove_abandoned

MANAGER_CALL = "busctl call org.eonay.EOnay1 /org/eonay/EOnay1 org.eonay.EOnay1.Manager"
SHELL_HELP = f"""
You are inside the live sandbox. An agent confirms every text and gives the PIN. Try:

    {MANAGER_CALL} GetCode 'sa{{sv}}' local 0
    {MANAGER_CALL} ListCertificates 'a{{sv}}' 0
    busctl --timeout=300 call org.eonay.EOnay1 /org/eonay/EOnay1 org.eonay.EOnay1.Manager \\
        SignConsent 'soa{{sv}}' CODE / 0
    eonayctl certs

The PIN is in $EONAY_SANDBOX/pin, the daemon's log in $EONAY_SANDBOX/eonayd-1.log. `exit` ends everything.
"""


YES, NO = ("yes", "y", "evet", "e"), ("no", "n", "hayır", "hayir", "h")


class DemoFailed(Exception):
    """A step did not do what it should."""


class Declined(Exception):
    """The person did not want to sign: the demo did what it should."""


class NobodyReads(Exception):
    """What is told cannot be written: the reader has gone (`./demo --yes | head`), or the disk is full."""


class Narrator:
    """Tells the reader what happens; waits for Enter between steps when there is a person to ask."""

    def __init__(self, stream, ask):
        self.stream = stream
        self.ask = ask
        self.step = 0
        self.bold, self.plain = ("\033[1m", "\033[0m") if stream.isatty() else ("", "")
        self.width = 100 if not stream.isatty() else max(40, min(100, shutil.get_terminal_size().columns))

    def heading(self, text):
        self.step += 1
        self.say(f"\n{self.bold}{self.step}. {text}{self.plain}")

    def explain(self, text):
        self.say(textwrap.fill(" ".join(text.split()), self.width, initial_indent="   ", subsequent_indent="   "))

    def command(self, text):
        self.say(f"   $ {text}")

    def fact(self, name, value):
        self.say(f"   {name + ':':<14} {value}")

    def say(self, text):
        try:
            print(text, file=self.stream, flush=True)
        except OSError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.stream.fileno())  # for what is in the buffer still
            raise NobodyReads(error.strerror) from error

    def confirmed(self, question):
        """Whether a person says yes; an answer that is neither is asked for again."""
        while (answer := input(f"   {question} [yes/no] ").strip().lower()) not in YES + NO:
            self.say("   Please answer yes or no.")
        return answer in YES

    def pause(self):
        if self.ask:
            input("   [Enter] ")


def local_time(microseconds):
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(microseconds / 1_000_000))


def introduce_portal(tell, world):
    tell.heading("The authority")
    tell.explain("""A portal as an authority runs it, with an identity provider that plays the e-Devlet Kapısı, both on loopback with
        TLS. The daemon knows the portal by its certificate and reaches it through the plugin ca-rest.""")
    tell.fact("portal", world.address)
    tell.fact("log in as", f"{demo_portal.PERSON}, password {demo_portal.PASSWORD}")


def introduce(tell, sandbox):
    tell.heading("A throw-away world")
    where = demo_card.WHERE if demo_card.inside() else "in a SoftHSM token, a software stand-in for a card"
    tell.explain(f"""A certificate authority of our own has issued one qualified certificate (NES) to a person who does not
        exist. Certificate and private key are {where}. A private
        dbus-daemon plays the system bus and eonayd serves it. Nothing of it touches your system.""")
    tell.fact("folder", sandbox.folder)
    tell.fact("bus", sandbox.bus.address)
    tell.fact("token", "a PIV card" if demo_card.inside() else TOKEN_LABEL)
    tell.fact("PIN", sandbox.pin)
    tell.pause()


def show_code(tell, client):
    tell.heading("The verification code")
    tell.explain("""On the authority's page the citizen accepts E-Onay and gets a code of 15 digits that lives for 300
        seconds. Here the embedded authority gives it to a local program.""")
    tell.command(f"{MANAGER_CALL} GetCode 'sa{{sv}}' local 0")
    code, details = client.get_code("local")
    tell.fact("code", code)
    tell.fact("valid until", local_time(details["ExpiresAt"]))
    tell.pause()
    return code


def choose_certificate(tell, client):
    tell.heading("The certificates")
    tell.explain("""The daemon lists what is on the tokens, without a PIN, and says of each certificate whether it may sign a
        consent, and if not, why.""")
    tell.command(f"{MANAGER_CALL} ListCertificates 'a{{sv}}' 0")
    usable = []
    for path, properties in client.certificates():
        tell.fact("certificate", properties["Subject"])
        tell.fact("issuer", properties["Issuer"])
        tell.fact("key", properties["KeyType"])
        tell.fact("valid until", local_time(properties["NotAfter"]))
        tell.fact("usable", "yes" if properties["Usable"] else "no: " + ", ".join(properties["Reasons"]))
        tell.say("")
        if properties["Usable"]:
            usable.append(path)
    if len(usable) != 1:
        raise DemoFailed(f"one usable certificate expected, {len(usable)} found")
    tell.pause()
    return usable[0]


def show_text(tell, client, code):
    tell.heading("The consent text")
    tell.explain("""OpenConsent spends the code and brings the text. What is shown is byte for byte what will be signed; its
        SHA-256 value goes back with the order to sign.""")
    consent = client.open(code)
    details = consent.details()
    texts = consent.texts()
    tell.fact("asked by", details["Requester"])
    for title, _media, digest, content in texts:
        tell.fact("title", title)
        tell.fact("SHA-256", digest)
        tell.say("")
        tell.say(textwrap.indent(content.decode("utf-8").rstrip("\n"), "   | ", lambda _line: True))
    tell.say("")
    if tell.ask and not tell.confirmed("Do you confirm this text?"):
        consent.close()
        raise Declined("You did not confirm the text: nothing was signed, and the code is spent.")
    return consent, texts


def sign(tell, sandbox, consent, certificate, texts):
    tell.heading("The PIN and the signature")
    tell.explain("""The PIN goes through a pipe that the daemon passes on unread to the process that holds the token; that
        process has no network. The daemon builds the CAdES signature, verifies it, records it, and only then
        hands it to the authority.""")
    digests = dbus.Array([digest for _title, _media, digest, _content in texts], signature="s")
    while True:
        pin = getpass.getpass(f"   PIN (the sandbox's is {sandbox.pin}): ") if tell.ask else sandbox.pin
        consent.sign(certificate, accept_text_sha256=digests, pin=sandbox.pin_pipe(pin))
        success, error, result = consent.wait()
        if success or not (tell.ask and result.get("Retriable")):
            break
        tell.say(f"   {error.rsplit('.', 1)[-1]}: {result.get('Hint', '')}")
    tell.fact("states", " → ".join(consent.states))
    if not success:
        raise DemoFailed(f"the consent was not signed: {error} {result.get('Hint', '')}")
    tell.pause()


def keep_results(tell, sandbox, consent, texts, folder):
    tell.heading("The results")
    receipt = consent.receipt()
    with open(os.path.join(folder, "consent.txt"), "wb") as file:
        file.write(texts[0][3])
    with open(os.path.join(folder, "consent.p7s"), "wb") as file:
        file.write(consent.signature())
    with open(os.path.join(folder, "receipt.json"), "w", encoding="utf-8") as file:
        json.dump(receipt, file, indent=2, ensure_ascii=False)
        file.write("\n")
    with open(os.path.join(folder, "ca.pem"), "wb") as file:
        for path in (sandbox.pki.root, sandbox.pki.issuing):
            with open(path, "rb") as certificate:
                file.write(certificate.read())
    tell.fact("consent.txt", "the text, the very bytes that were signed")
    tell.fact("consent.p7s", f"the signature, CAdES of the level {receipt['Level']} with the text inside, DER")
    tell.fact("ca.pem", "the root and the issuing authority, to verify against")
    tell.fact("receipt.json", f"the authority's receipt {receipt['ReceiptId']}")
    tell.fact("in", folder)


def verify(tell, folder):
    tell.heading("Verification by programs that are not ours")
    run_verifier(tell, folder, ["openssl", "cms", "-verify", "-cades", "-inform", "DER", "-in", "consent.p7s",
                                "-CAfile", "ca.pem", "-out", "consent.verified"])
    with open(os.path.join(folder, "consent.txt"), "rb") as text, \
            open(os.path.join(folder, "consent.verified"), "rb") as verified:
        if text.read() != verified.read():
            raise DemoFailed("the text inside the signature is not the text shown")
    os.unlink(os.path.join(folder, "consent.verified"))
    tell.say("     OpenSSL: the signature is valid and its text is the text shown")
    output = run_verifier(tell, folder, ["certtool", "--p7-verify", "--inder", "--infile", "consent.p7s",
                                         "--load-ca-certificate", "ca.pem"])
    if b"Signature status: ok" not in output:
        raise DemoFailed("certtool found no valid signature: " + output.decode(errors="replace"))
    tell.say("     GnuTLS: the signature is valid")


def run_verifier(tell, folder, argv):
    """Runs a verifier in the folder and returns all it prints."""
    tell.command(" ".join(argv))
    result = subprocess.run(argv, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, check=False)
    if result.returncode != 0:
        raise DemoFailed(f"{argv[0]} did not accept the signature: {result.stdout.decode(errors='replace')}")
    return result.stdout


def walk(tell, sandbox, out, more=None):
    """The whole main job. Results stay in `out`, or for the time of the demo in the sandbox's folder."""
    folder = out or sandbox.file("results")
    os.makedirs(folder, exist_ok=True)
    client = Client(sandbox)
    introduce(tell, sandbox)
    if more:
        more(tell)
    code = show_code(tell, client)
    certificate = choose_certificate(tell, client)
    consent, texts = show_text(tell, client, code)
    sign(tell, sandbox, consent, certificate, texts)
    keep_results(tell, sandbox, consent, texts, folder)
    verify(tell, folder)
    tell.pause()
    consent.close()
    client.close()
    tell.say("\nDone." if out else "\nDone. These files go with the sandbox; --out DIR keeps them.")


def walk_portal(tell, sandbox, world, out):
    """The citizen's whole way: a browser at the portal, and the daemon on his own machine."""
    folder = out or sandbox.file("results")
    os.makedirs(folder, exist_ok=True)
    client = Client(sandbox)
    introduce(tell, sandbox)
    introduce_portal(tell, world)
    with demo_portal.Walker(tell, world, out) as citizen:
        tell.heading("In the browser: logging in")
        citizen.log_in()
        tell.heading("In the browser: accepting, and the code")
        code = citizen.get_code()
        tell.fact("code", code)
        certificate = choose_certificate(tell, client)
        consent, texts = show_text(tell, client, code)
        citizen.see_it_opened()
        sign(tell, sandbox, consent, certificate, texts)
        tell.heading("In the browser: the result")
        citizen.see_the_result()
    keep_results(tell, sandbox, consent, texts, folder)
    verify(tell, folder)
    consent.close()
    client.close()
    tell.say("\nDone." if out else "\nDone. These files go with the sandbox; --out DIR keeps them, and pictures of all pages.")


def run_inside(sandbox, argv):
    """Runs a command with the terminal we have; its exit status as a shell would tell it."""
    previous = signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is the command's; a handler is not inherited
    try:
        status = subprocess.Popen(bound_to_us(argv), env=sandbox.environment()).wait()
    finally:
        signal.signal(signal.SIGINT, previous)
    return status if status >= 0 else 128 - status


def open_shell(sandbox, help_text=SHELL_HELP):
    print(help_text, flush=True)
    rc = sandbox.file("shell.rc")
    with open(rc, "w", encoding="utf-8") as file:
        file.write('[ -r ~/.bashrc ] && . ~/.bashrc\nPS1="(eonay sandbox) \\w\\$ "\n')
    return run_inside(sandbox, ["bash", "--rcfile", rc, "-i"] if sys.stdin.isatty() else ["bash"])


def introduce_services(tell, services, level):
    tell.heading("What stands behind the signature")
    tell.explain("""A time-stamp authority, an OCSP responder and revocation lists, all by the openssl program, answer at one address.
        The daemon has no network: its fetch host asks them, and the daemon judges what they say by the trust store, which holds
        the root alone. eonay-trust has made it.""")
    tell.fact("level", level)
    tell.fact("services", services.url)


def live_level(args, sandbox):
    """The same with the services that the level needs."""
    with responders.Responders(sandbox.programs, sandbox.folder) as services:
        services.serve_sandbox(sandbox, args.level)
        return live(args, sandbox, lambda tell: introduce_services(tell, services, args.level))


def live(args, sandbox, more=None):
    """Does what the options ask for in a sandbox not started yet; returns the exit status."""
    inside = args.shell or args.command
    sandbox.start(agent=bool(inside))
    if args.out or not inside:
        walk(Narrator(sys.stderr if inside else sys.stdout, ask=not (args.yes or inside)), sandbox, args.out, more)
    if args.command:
        return run_inside(sandbox, args.command)
    return open_shell(sandbox) if args.shell else 0


def live_portal(args, sandbox):
    """The same with the portal; without --yes and a command a person does it all."""
    with demo_portal.PortalWorld(sandbox) as world:
        try:
            sandbox.start(agent=bool(args.command))
            if args.command:
                return run_inside(sandbox, args.command)
            if not args.yes:
                return open_shell(sandbox, demo_portal.shell_help(world, sandbox))
            walk_portal(Narrator(sys.stdout, ask=False), sandbox, world, args.out)
            return 0
        except Exception:
            print(f"The end of the portal's log:\n{world.log_tail()}", file=sys.stderr)
            raise


def parse_arguments():
    parser = argparse.ArgumentParser(prog="./demo", allow_abbrev=False)
    parser.add_argument("--build", required=True, help="the build folder")
    parser.add_argument("--prefix", help="where the build was installed; without it the build tree is used")
    parser.add_argument("--work", required=True, help="where sandboxes are made")
    parser.add_argument("--yes", action="store_true")
    parser.add_argument("--card", action="store_true")
    parser.add_argument("--portal", action="store_true")
    parser.add_argument("--level")
    parser.add_argument("--out")
    parser.add_argument("--shell", action="store_true")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    args = parser.parse_args()
    if args.command[:1] == ["--"]:
        del args.command[0]
    return args


def demo(args):
    try:
        if args.card and not demo_card.inside():
            return demo_card.enter(Programs(args.build, args.prefix), args.work)
        kind = demo_card.sandbox_class() if args.card else Sandbox
        with kind(Programs(args.build, args.prefix), args.work) as sandbox:
            try:
                way = live_portal if args.portal else live_level if args.level else live
                return way(args, sandbox)
            except (DemoFailed, ProcessError, dbus.exceptions.DBusException, TimeoutError, AssertionError) as error:
                print(f"\nThe demo failed: {error}", file=sys.stderr)
                if sandbox.daemon:
                    print(f"The end of eonayd's log:\n{sandbox.daemon.log_tail()}", file=sys.stderr)
                return 1
    except ProcessError as error:
        print(f"The demo could not start: {error}", file=sys.stderr)
        return 1
    except EOFError:
        print("\nNobody is there to answer.", file=sys.stderr)
        return 1
    except Declined as answer:
        print(f"\n{answer}")
        return 1
    except NobodyReads as error:
        print(f"The demo ends early: nobody reads what it tells ({error}).", file=sys.stderr)
        return 1
    except SystemExit:
        if sys.stdin.isatty():
            print()  # Ctrl-C left a question behind
        raise
    finally:
        end_descendants()


if __name__ == "__main__":
    arguments = parse_arguments()
    sys.exit(run_guarded(lambda: demo(arguments), lambda: remove_abandoned(arguments.work)))
