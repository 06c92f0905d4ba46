# SPDX-License-Identifier: Apache-2.0
"""What a daemon could answer to eonayctl, scripted, for states that the real one is never in: texts that lie about their
hash, a service that vanishes, questions that are taken back. Run as a program: mock_daemon.py ADDRESS SCRIPT LOG, where
SCRIPT is a JSON object and every call is written to LOG as one JSON line."""
import hashlib
import json
import os
import sys
import time

import dbus
import dbus.bus
import dbus.service
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib

NAME = "org.eonay.EOnay1"
ROOT = "/org/eonay/EOnay1"
MANAGER = NAME + ".Manager"
CONSENT = NAME + ".Consent"
AGENT = NAME + ".Agent"
PROPERTIES = "org.freedesktop.DBus.Properties"
TOKEN_PATH = ROOT + "/token/t1"
CONSENT_PATH = ROOT + "/consent/c1"


class Mock:
    def __init__(self, address, script, log):
        self.bus = dbus.bus.BusConnection(address, mainloop=DBusGMainLoop())
        self.script = script
        self.log_file = open(log, "a", encoding="utf-8")
        self.signs = 0
        self.loop = GLib.MainLoop()

    def log(self, what, **details):
        print(json.dumps({"call": what, **details}), file=self.log_file, flush=True)

    def get(self, key, default=None):
        return self.script.get(key, default)

    def fail(self, member):
        """Raises the error the script has for this member."""
        error = self.get("errors", {}).get(member)
        if error:
            raise dbus.DBusException(error[1], name=NAME + ".Error." + error[0] if "." not in error[0] else error[0])

    def later(self, milliseconds, function, *arguments):
        GLib.timeout_add(milliseconds, lambda: function(*arguments) and False)

    def unicast(self, destination, path, interface, member, signature, *arguments):
        message = dbus.lowlevel.SignalMessage(path, interface, member)
        message.set_destination(destination)
        message.append(*arguments, signature=signature)
        self.bus.send_message(message)

    def vanish(self):
        self.bus.release_name(NAME)
        self.loop.quit()


def usec(seconds):
    return dbus.UInt64(int((time.time() + seconds) * 1e6))


def read_descriptor(descriptor):
    with os.fdopen(descriptor.take(), "rb") as file:
        return file.read().decode()


def memfd(data):
    fd = os.memfd_create("mock", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
    os.write(fd, data)
    import fcntl
    fcntl.fcntl(fd, 1033, 0x1 | 0x2 | 0x4 | 0x8)  # F_ADD_SEALS
    return dbus.types.UnixFd(fd)


class Manager(dbus.service.Object):
    def __init__(self, mock):
        super().__init__(mock.bus, ROOT)
        self.mock = mock

    @dbus.service.method(MANAGER, "sa{sv}", "sa{sv}", sender_keyword="sender")
    def GetCode(self, backend, options, sender=None):
        mock = self.mock
        mock.log("GetCode", backend=backend, **{k: str(v) for k, v in options.items()})
        mock.fail("GetCode")
        pending = mock.get("pending")
        if not pending:
            return "168857414351237", {"ExpiresAt": usec(mock.get("life", 300)), "CreatedAt": usec(0), "Backend": "local"}
        if pending == "ready":
            mock.later(300, mock.unicast, sender, ROOT, MANAGER, "CodeReady", "ssa{sv}", "h1", "999999999999999",
                       {"ExpiresAt": usec(300)})
        elif pending == "denied":
            mock.later(300, mock.unicast, sender, ROOT, MANAGER, "CodeFailed", "sss", "h1", NAME + ".Error.CodeDenied", "no")
        return "", {"Pending": True, "Handle": "h1", "UserCode": "ABCD", "VerificationUri": "https://x.test",
                    "VerificationUriComplete": "https://x.test/ABCD", "ExpiresAt": usec(300)}

    @dbus.service.method(MANAGER, "sa{sv}", "")
    def CancelCode(self, handle, options):
        self.mock.log("CancelCode", handle=handle)

    @dbus.service.method(MANAGER, "sa{sv}", "o", sender_keyword="sender")
    def OpenConsent(self, code, options, sender=None):
        self.mock.log("OpenConsent", code=code)
        self.mock.fail("OpenConsent")
        self.mock.opener = sender
        return dbus.ObjectPath(CONSENT_PATH)

    @dbus.service.method(MANAGER, "a{sv}", "a(oa{sv})")
    def ListCertificates(self, options):
        self.mock.log("ListCertificates", **{k: str(v) for k, v in options.items()})
        self.mock.fail("ListCertificates")
        return [(dbus.ObjectPath(path), certificate) for path, certificate in certificates(self.mock)
                if "usable" not in options or certificate["Usable"] == options["usable"]]

    @dbus.service.method(MANAGER, "ha{sv}", "o")
    def AddFile(self, file, options):
        pin = read_descriptor(options["pin"]) if "pin" in options else None
        self.mock.log("AddFile", pin=pin)
        if pin is None:
            raise dbus.DBusException("", name=NAME + ".Error.PinRequired")
        return dbus.ObjectPath(TOKEN_PATH)

    @dbus.service.method(MANAGER, "ha{sv}", "a{sv}")
    def VerifySignature(self, signature, options):
        self.mock.log("VerifySignature", signature=read_descriptor(signature),
                      content=read_descriptor(options["content"]) if "content" in options else None)
        if self.mock.get("invalid"):
            return {"Valid": False, "FailedCheck": "signature", "FailedText": "x", "ChainChecked": False}
        return {"Valid": True, "FailedCheck": "", "ChainChecked": True, "Subject": "CN=A\033[31mB,C=TR",
                "SigningTime": dbus.UInt64(1566893437000000)}

    @dbus.service.method(MANAGER, "oa{sv}", "", sender_keyword="sender")
    def RegisterAgent(self, path, options, sender=None):
        self.mock.log("RegisterAgent")
        self.mock.fail("RegisterAgent")
        for number, question in enumerate(self.mock.get("agent", [])):
            self.mock.later(200 + 50 * number, self.ask, sender, path, question)

    def ask(self, sender, path, question):
        agent = dbus.Interface(self.mock.bus.get_object(sender, path, introspect=False), AGENT)
        member = question["member"]
        details = {"Requester": question.get("requester", "Kamu SM"), "Caller": question.get("caller", "busctl"),
                   "TokenLabel": question.get("token", "kart"), "CertificateSubject": question.get("subject", "CN=Ayşe,C=TR"),
                   "TriesLeft": dbus.Int32(question.get("tries", -1)), "FinalTry": question.get("final", False),
                   "Reason": question.get("reason", "first"), "ExpiresAt": usec(300), "CreatedAt": usec(0)}
        consent = dbus.ObjectPath(CONSENT_PATH)

        def answered(value=None):
            value = read_descriptor(value) if isinstance(value, dbus.types.UnixFd) else bool(value) if value is not None else None
            self.mock.log("answer", to=member, value=value)

        def refused(error):
            self.mock.log("refused", to=member, error=error.get_dbus_name())
        arguments = {"ConfirmText": (consent, texts(self.mock), details), "RequestPin": (consent, details),
                     "Cancel": (consent, dbus.Dictionary({}, signature="sv"))}[member]
        signature = {"ConfirmText": "oa(sssay)a{sv}", "RequestPin": "oa{sv}", "Cancel": "oa{sv}"}[member]
        agent.get_dbus_method(member)(*arguments, signature=signature, reply_handler=answered, error_handler=refused,
                                      timeout=60)

    @dbus.service.method(MANAGER, "a{sv}", "aa{sv}")
    def ListConsents(self, options):
        self.mock.log("ListConsents", **{k: int(v) for k, v in options.items()})
        return dbus.Array([{"ConsentId": "e1", "State": "failed", "Error": NAME + ".Error.CodeExpired", "Backend": "local",
                            "OpenedAt": dbus.UInt64(1566893421000000)}], signature="a{sv}")

    @dbus.service.method(MANAGER, "sa{sv}", "h")
    def ExportEvidence(self, consent, options):
        self.mock.fail("ExportEvidence")
        return memfd(b"evidence of " + consent.encode())

    @dbus.service.method(MANAGER, "sa{sv}", "a{sv}")
    def GetApproval(self, backend, options):
        self.mock.log("GetApproval", subject=str(options["subject"]))
        return {"Approved": True, "ReceiptId": "R-1", "TextVersion": "2019-1", "ApprovedAt": dbus.UInt64(1566893437000000)}

    @dbus.service.method(PROPERTIES, "s", "a{sv}")
    def GetAll(self, interface):
        return {"Version": "9.9.9", "Backends": dbus.Array([], signature="o"), "DefaultBackend": "",
                "Limits": dbus.Dictionary({"Secret": dbus.UInt32(256)}, signature="sv"),
                "Health": dbus.Array([{"problem": "p", "hint": "h", "code": self.mock.get("health", "PcscAbsent"), "part": "readers",
                                      "detail": ""}], signature="a{sv}")}

    @dbus.service.method("org.freedesktop.DBus.ObjectManager", "", "a{oa{sa{sv}}}")
    def GetManagedObjects(self):
        reader = dbus.ObjectPath(ROOT + "/reader/r1")
        token = {"Reader": reader, "Model": "M", "PinState": "final-try", "State": "ready", "PinPad": False}
        return {dbus.ObjectPath(TOKEN_PATH): {NAME + ".Token": token},
                reader: {NAME + ".Reader": {"Name": "ACR39", "TokenPresent": True}},
                dbus.ObjectPath(ROOT + "/reader/r2"): {NAME + ".Reader": {"Name": "Boş okuyucu", "TokenPresent": False}}}


class Token(dbus.service.Object):
    def __init__(self, mock):
        super().__init__(mock.bus, TOKEN_PATH)
        self.mock = mock

    @dbus.service.method(PROPERTIES, "s", "a{sv}")
    def GetAll(self, interface):
        return {"PinPad": bool(self.mock.get("pinpad")), "PinState": self.mock.get("pin-state", "ok")}

    @dbus.service.method(NAME + ".Token", "a{sv}", "a{sv}")
    def Describe(self, options):
        raise dbus.DBusException("", name="org.freedesktop.DBus.Error.AccessDenied")


class Consent(dbus.service.Object):
    def __init__(self, mock):
        super().__init__(mock.bus, CONSENT_PATH)
        self.mock = mock

    @dbus.service.method(CONSENT, "a{sv}", "a(sssay)")
    def GetTexts(self, options):
        if self.mock.get("expire"):
            self.mock.later(700, self.finish, False, "CodeExpired", {})
        if self.mock.get("vanish"):
            self.mock.later(700, self.mock.vanish)
        return texts(self.mock)

    @dbus.service.method(CONSENT, "a{sv}", "a{sv}")
    def GetDetails(self, options):
        return {"ConsentId": "e1", "Requester": "Kamu SM", "Purpose": "e-onay.nes-application", "ExpiresAt": usec(300),
                "CreatedAt": usec(0), "State": "reviewing"}

    def finish(self, success, error, result):
        mock = self.mock
        mock.unicast(mock.opener, CONSENT_PATH, CONSENT, "Finished", "bsa{sv}", success,
                     NAME + ".Error." + error if error else "", dbus.Dictionary(result, signature="sv"))

    @dbus.service.method(CONSENT, "oa{sv}", "")
    def Sign(self, certificate, options):
        mock = self.mock
        pin = read_descriptor(options["pin"]) if "pin" in options else None
        mock.log("Sign", certificate=certificate, pin=pin, accept=[str(h) for h in options.get("accept-text-sha256", [])],
                 final=bool(options.get("allow-final-try", False)))
        mock.fail("Sign")
        if mock.get("hang"):
            return
        outcomes = mock.get("outcomes", [["ok"]])
        outcome = outcomes[min(mock.signs, len(outcomes) - 1)]
        mock.signs += 1
        mock.unicast(mock.opener, CONSENT_PATH, CONSENT, "StateChanged", "sa{sv}", "signing",
                     dbus.Dictionary({}, signature="sv"))
        if outcome[0] == "ok":
            mock.later(100, self.finish, True, "", {"State": "done"})
        else:
            mock.later(100, self.finish, False, outcome[0], {"State": "reviewing", "Retriable": True,
                                                             "TriesLeft": dbus.Int32(outcome[1])})

    @dbus.service.method(CONSENT, "a{sv}", "")
    def Cancel(self, options):
        self.mock.log("Cancel")

    @dbus.service.method(CONSENT, "a{sv}", "h")
    def GetSignature(self, options):
        return memfd(b"signature %d" % options.get("index", 0))

    @dbus.service.method(CONSENT, "a{sv}", "a{sv}")
    def GetReceipt(self, options):
        return {"ConsentId": "e1", "ReceiptId": "R-7", "SignedAt": dbus.UInt64(1566893437000000)}


def texts(mock):
    found = []
    for title, text in mock.get("texts", [["Onay", "KABUL EDİYORUM.\n"]]):
        data = text.encode()
        digest = hashlib.sha256(data).hexdigest() if not mock.get("wrong-hash") else "0" * 64
        found.append((title, "text/plain;charset=utf-8", digest, dbus.ByteArray(data)))
    return dbus.Array(found, signature="(sssay)")


def certificates(mock):
    for number in range(mock.get("certificates", 1)):
        yield f"{ROOT}/certificate/k{number}", {
            "Fingerprint": f"{number}abc" * 16, "Subject": f"CN=Ayşe Yılmaz {number},C=TR", "Issuer": "CN=Kök\\, A.Ş.,C=TR",
            "NotBefore": dbus.UInt64(1566893437000000), "NotAfter": dbus.UInt64(1966893437000000), "KeyType": "rsa-2048",
            "Usable": True, "Reasons": dbus.Array([], signature="s"), "Token": dbus.ObjectPath(TOKEN_PATH),
            "Der": dbus.ByteArray(b"\x30\x82")}
    yield ROOT + "/certificate/bad", {
        "Fingerprint": "f" * 64, "Subject": "CN=Eski", "Issuer": "CN=x", "Usable": False,
        "Reasons": dbus.Array(["expired", "brand-new-reason"], signature="s"), "Token": dbus.ObjectPath(TOKEN_PATH)}


def main():
    address, script, log = sys.argv[1:]
    mock = Mock(address, json.loads(script), log)
    objects = [Manager(mock), Token(mock), Consent(mock)]
    mock.bus.request_name(NAME)
    mock.loop.run()
    del objects


if __name__ == "__main__":
    main()
