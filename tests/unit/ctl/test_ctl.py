# SPDX-License-Identifier: Apache-2.0
"""eonayctl against a scripted service: exit codes, what is shown, what is asked, what leaves the program."""
import json
import os
import signal
import stat
import subprocess
import tempfile
import time
import unittest

import dbus

from ctl_harness import CTL, Place

TURKISH = os.environ.get("LC_ALL", "").startswith("tr_TR")
ASKS = "[e/H] " if TURKISH else "[y/N] "
YES = "evet\n" if TURKISH else "yes\n"


def words(english, turkish):
    return turkish if TURKISH else english


class CtlTest(unittest.TestCase):
    def place(self, **script):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        place = Place(folder.name, **script)
        self.addCleanup(place.stop)
        return place


class CommandLine(CtlTest):
    def test_wrong_use_is_told_before_anything_is_connected(self):
        place = self.place(service=False)
        place.env["DBUS_SYSTEM_BUS_ADDRESS"] = "unix:path=/nonexistent"
        for arguments in ([], ["nonsense"], ["certs", "more"], ["export", "x"], ["verify"], ["sign", "--agent", "--yes"],
                          ["certs", "--token", "x"], ["certs", "--nonsense"], ["--timeout=0", "certs"], ["agent", "--"],
                          ["agent", "--background"], ["sign", "--pin-fd", "x"], ["verify", "--level=b-b", "x"], ["code", "--language=de"]):
            with self.subTest(arguments):
                result = place.run(*arguments)
                self.assertEqual((result.returncode, result.stdout), (2, ""), result.stderr)
                self.assertIn("--help", result.stderr)

    def test_no_days_are_not_the_two_steps(self):
        self.assertIn("3650", self.place(service=False).run("renew", "--within=0", "x").stderr)

    def test_no_bus_and_no_service_are_three(self):
        place = self.place(service=False)
        result = place.run("certs", "--json")
        self.assertEqual(result.returncode, 3)
        self.assertEqual(json.loads(result.stdout)["Error"], "org.freedesktop.DBus.Error.ServiceUnknown")
        self.assertIn(words("is not running", "çalışmıyor"), result.stderr)
        self.assertEqual(place.run("--bus=unix:path=/nonexistent", "certs").returncode, 3)

    def test_version_and_help(self):
        place = self.place(service=False)
        self.assertRegex(place.run("--version").stdout, r"^eonayctl \d+\.\d+")
        for verb in ("certs", "import"):  # one with options of its own, one without
            result = place.run(verb, "--help")
            self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_words_behind_two_dashes_are_arguments(self):
        place = self.place()
        self.assertEqual(place.run("export", "--output", place.file("e"), "--", "-x").returncode, 0)

    def test_an_error_is_told_by_its_name_in_the_language_of_the_user(self):
        message = ("The verification code has expired. (it was 301 s old) "
                   "Get a new code; it must be used while its remaining time runs.")
        place = self.place(errors={"OpenConsent": ["CodeExpired", message]})
        result = place.run("sign", "--yes", "--json", "-", stdin="1\n")
        self.assertEqual(result.returncode, 6)
        told = json.loads(result.stdout)
        self.assertEqual(told["Error"], "org.eonay.EOnay1.Error.CodeExpired")
        self.assertEqual(told["Detail"], "it was 301 s old")
        self.assertEqual(told["Text"], words("The verification code has expired.", "Doğrulama kodunun süresi doldu."))
        self.assertEqual(result.stderr.count(told["Text"]), 1)

    def test_refused_is_four(self):
        place = self.place(errors={"ExportEvidence": ["org.freedesktop.DBus.Error.AccessDenied", "no"]})
        self.assertEqual(place.run("export", "x", "-o", place.file("e")).returncode, 4)


class Code(CtlTest):
    def test_code_alone_for_a_pipe(self):
        place = self.place()
        result = place.run("code", "--subject-file=-", "--supersede-file", place.file("old", " 123 \n"), stdin="10000000146\n")
        self.assertEqual((result.returncode, result.stdout), (0, "168857414351237\n"))
        call = place.calls("GetCode")[0]
        self.assertEqual((call["subject"], call["superseded-code"]), ("10000000146", "123"))

    def test_json(self):
        told = json.loads(self.place().run("code", "--json").stdout)
        self.assertEqual(told["Code"], "168857414351237")
        self.assertGreater(told["ExpiresAt"], time.time() * 1e6)

    def test_login_in_the_browser_first(self):
        result = self.place(pending="ready").run("code")
        self.assertEqual((result.returncode, result.stdout), (0, "999999999999999\n"))
        self.assertIn("https://x.test/ABCD", result.stderr)
        self.assertIn("ABCD", result.stderr)

    def test_login_refused(self):
        self.assertEqual(self.place(pending="denied").run("code").returncode, 6)

    def test_a_stranger_cannot_deliver_a_code(self):
        place = self.place(pending="never")
        screen = place.screen("code", "--no-wait")
        place.wait_call("GetCode")
        stranger = place.bus.connect()
        driver = stranger.get_object("org.freedesktop.DBus", "/org/freedesktop/DBus")
        for name in driver.ListNames(dbus_interface="org.freedesktop.DBus"):
            if name.startswith(":"):
                message = dbus.lowlevel.SignalMessage("/org/eonay/EOnay1", "org.eonay.EOnay1.Manager", "CodeReady")
                message.set_destination(name)
                message.append("h1", "666666666666666", {"ExpiresAt": dbus.UInt64(1)}, signature="ssa{sv}")
                stranger.send_message(message)
        stranger.flush()
        time.sleep(0.5)
        screen.type("\x03")
        self.assertEqual(screen.wait(), 10)
        self.assertNotIn("666", screen.seen)
        self.assertEqual(place.calls("CancelCode")[0]["handle"], "h1")

    def test_counts_down_and_renews_on_enter(self):
        place = self.place(life=60)
        screen = place.screen("code")
        screen.expect("168857414351237")
        first = screen.expect(words(" s", " saniye"))
        self.assertIn(words("Remaining time: ", "Kalan süre: "), first)
        screen.type("\n")
        self.assertEqual(place.wait_call("GetCode", 2)["superseded-code"], "168857414351237")
        screen.expect("168857414351237")
        screen.type("\x03")
        self.assertEqual(screen.wait(), 0)

    def test_ends_with_the_code(self):
        screen = self.place(life=2).screen("code")
        self.assertEqual(screen.wait(), 6)


class Lists(CtlTest):
    def test_certificates_for_people(self):
        result = self.place().run("certs")
        self.assertIn("Ayşe Yılmaz 0", result.stdout)
        self.assertIn("Kök, A.Ş.", result.stdout)
        self.assertIn(words("usable", "kullanılabilir"), result.stdout)
        self.assertNotIn("Eski", result.stdout)
        self.assertNotIn("\033", result.stdout)

    def test_reasons_in_words(self):
        for script, arguments in (({}, ["certs", "--all"]), ({"certificates": 0}, ["certs"])):
            result = self.place(**script).run(*arguments)
            self.assertIn(words("it has expired, brand-new-reason", "süresi dolmuş, brand-new-reason"), result.stdout)

    def test_certificates_for_programs(self):
        place = self.place(certificates=2)
        found = json.loads(place.run("--json", "certs").stdout)
        self.assertEqual([c["Path"][-2:] for c in found], ["k0", "k1"])
        self.assertEqual(found[0]["Der"], "MII=")
        self.assertEqual(found[0]["NotAfter"], 1966893437000000)
        self.assertEqual(len(json.loads(place.run("certs", "--all", "--json").stdout)), 3)

    def test_columns_of_a_terminal(self):
        screen = self.place().screen("certs", "--all")
        self.assertEqual(screen.wait(), 0)
        for line in screen.seen.split("\r\n"):
            self.assertLessEqual(len(line), 80)

    def test_tokens(self):
        place = self.place()
        result = place.run("tokens")
        for part in (words("one try is left", "tek deneme hakkı kaldı"), "ACR39", "Boş okuyucu"):
            self.assertIn(part, result.stdout)
        self.assertEqual(json.loads(place.run("tokens", "--json").stdout)["Tokens"][0]["PinState"], "final-try")

    def test_consents(self):
        place = self.place()
        result = place.run("consents")
        self.assertIn(words("2019-08-27 08:10:21", "27.08.2019 08:10:21"), result.stdout)
        self.assertIn(words("Failed: The verification code has expired.", "Başarısız: Doğrulama kodunun süresi doldu."), result.stdout)
        place.run("consents", "--all", "--uid=5", "--json")
        self.assertEqual([{k: v for k, v in c.items() if k != "call"} for c in place.calls("ListConsents")],
                         [{"limit": 20}, {"uid": 5}])

    def test_export_is_for_its_owner_only(self):
        place = self.place()
        self.assertEqual(place.run("export", "e1", "--output", place.file("out")).returncode, 0)
        self.assertEqual(stat.S_IMODE(os.stat(place.file("out")).st_mode), 0o600)
        self.assertEqual(place.run("export", "e1", "-o", "-").stdout, "evidence of e1")
        self.assertEqual(place.run("export", "e1", "-o", place.file("no/such")).returncode, 1)
        self.assertEqual(place.screen("export", "e1", "-o", "-").wait(), 1)

    def test_what_is_no_file_is_written_into_and_stays(self):
        place = self.place()
        pipe, link = place.file("pipe"), place.file("link")
        os.mkfifo(pipe)
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        self.assertEqual(place.run("export", "x", "-o", pipe).returncode, 0)
        os.symlink(place.file("target", "old"), link)
        self.assertEqual(place.run("export", "x", "-o", link).returncode, 0)
        self.assertTrue(os.path.islink(link))
        with open(link, "rb") as file:
            self.assertEqual(os.read(reader, 65536), file.read())
        self.assertEqual(place.run("export", "x", "-o", place.folder).returncode, 1)

    def test_output_that_is_lost_is_a_failure(self):
        place = self.place()
        for arguments in (["certs"], ["certs", "--json"]):
            with open("/dev/full", "w", encoding="utf-8") as full:
                status = subprocess.run([CTL, *arguments], stdout=full, stderr=subprocess.DEVNULL, env=place.env, check=False,
                                        timeout=60).returncode
            self.assertEqual(status, 1, arguments)

    def test_status_and_approval(self):
        place = self.place()
        result = place.run("status", "--subject-file=-", stdin="10000000146\n")
        for part in ("9.9.9", "p\n", "h\n", "Secret=256", "R-1"):
            self.assertIn(part, result.stdout)
        self.assertEqual(place.calls("GetApproval")[0]["subject"], "10000000146")
        told = json.loads(place.run("status", "--json").stdout)
        self.assertEqual((told["Version"], told["Backends"], told["Limits"]), ("9.9.9", [], {"Secret": 256}))

    def test_verify(self):
        place = self.place()
        signature, content = place.file("s", "sig"), place.file("c", "con")
        result = place.run("verify", signature, "--content", content)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("CN=A\ufffd[31mB", result.stdout)
        self.assertEqual((place.calls("VerifySignature")[0]["signature"], place.calls("VerifySignature")[0]["content"]),
                         ("sig", "con"))
        self.assertEqual(place.run("verify", place.file("missing")).returncode, 1)
        self.assertEqual(place.run("verify", "-", stdin="x").returncode, 0)
        self.assertEqual(place.run("verify", "-").returncode, 1)

    def test_an_invalid_signature_is_one(self):
        place = self.place(invalid=True)
        result = place.run("verify", "-", stdin="x")
        self.assertEqual(result.returncode, 1)
        self.assertIn(words("the signature value is right (signature)", "imza değeri doğru (signature)"), result.stdout)
        self.assertFalse(json.loads(place.run("verify", "-", "--json", stdin="x").stdout)["Valid"])


class Sign(CtlTest):
    def ask_until_pin(self, place, *arguments):
        screen = place.screen("sign", *arguments)
        screen.expect(": ")
        screen.type("168857414351237\n")
        screen.expect(ASKS)
        screen.type(YES)
        screen.wait_echo(False)
        screen.expect("): ")
        return screen

    def test_reads_confirms_signs_keeps(self):
        place = self.place(texts=[["Birinci", "KABUL EDİYORUM.\n"], ["İkinci", "tab\there\r\nend"]])
        screen = place.screen("sign", "--output", place.file("out.p7s"), "--receipt", place.file("receipt.json"))
        screen.expect(": ")
        screen.type("1688-5741 4351237\n")
        shown = screen.expect(ASKS)
        for part in ("Kamu SM", "e-onay.nes-application", "Birinci", "│ KABUL EDİYORUM.", "İkinci", "│ tab\there", "│ end",
                     "2/2" if TURKISH else "2 of 2"):
            self.assertIn(part, shown)
        screen.type(YES)
        screen.wait_echo(False)
        screen.expect("): ")
        screen.type("geheim 1\n")
        self.assertEqual(screen.wait(), 0, screen.seen)
        self.assertNotIn("geheim", screen.seen)
        self.assertIn("R-7", screen.seen)
        call = place.calls("Sign")[0]
        self.assertEqual(call["pin"], "geheim 1")
        self.assertEqual(len(call["accept"]), 2)
        self.assertFalse(call["final"])
        self.assertEqual(place.calls("OpenConsent")[0]["code"], "1688-5741 4351237")
        for number in (1, 2):
            with open(place.file(f"out-{number}.p7s"), encoding="ascii") as file:
                self.assertEqual(file.read(), f"signature {number - 1}")
        with open(place.file("receipt.json"), encoding="utf-8") as file:
            self.assertEqual(json.load(file)["ReceiptId"], "R-7")
        self.assertEqual(stat.S_IMODE(os.stat(place.file("receipt.json")).st_mode), 0o600)

    def test_no_is_no(self):
        for answer in ("n\n", "\n", "evett\n", "\x04"):
            place = self.place()
            screen = place.screen("sign", "1")
            screen.expect(ASKS)
            screen.type(answer)
            self.assertEqual(screen.wait(), 10)
            self.assertEqual(len(place.calls("Cancel")), 1)
            self.assertEqual(place.calls("Sign"), [])

    def test_a_wrong_pin_is_told_and_asked_for_again(self):
        place = self.place(outcomes=[["PinIncorrect", 2], ["PinIncorrect", 1], ["ok"]])
        screen = self.ask_until_pin(place)
        screen.type("1\n")
        screen.expect(words("PIN tries left: 2", "kalan PIN deneme hakkı: 2"))
        screen.expect("): ")
        screen.type("2\n")
        screen.expect(ASKS)  # one try is left
        screen.type(YES)
        screen.expect("): ")
        screen.type("3\n")
        self.assertEqual(screen.wait(), 0, screen.seen)
        self.assertEqual([(c["pin"], c["final"]) for c in place.calls("Sign")], [("1", False), ("2", False), ("3", True)])

    def test_enter_alone_ends_without_a_try(self):
        place = self.place(outcomes=[["PinIncorrect", 2]])
        screen = self.ask_until_pin(place)
        screen.type("1\n")
        screen.expect("): ")
        screen.type("\n")
        self.assertEqual(screen.wait(), 10)
        self.assertEqual(len(place.calls("Sign")), 1)

    def test_the_last_try_is_not_spent_unasked(self):
        place = self.place(**{"pin-state": "final-try"})
        screen = place.screen("sign", "1")
        screen.expect(ASKS)
        screen.type(YES)
        screen.expect(ASKS)
        screen.type("n\n")
        self.assertEqual(screen.wait(), 10)
        self.assertEqual(place.calls("Sign"), [])

    def test_interrupt_at_the_pin_cancels_and_restores_the_echo(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            place = self.place()
            screen = self.ask_until_pin(place)
            os.kill(screen.pid, number)
            screen.wait_echo(True)
            self.assertEqual(screen.wait(), 10)
            self.assertEqual(len(place.calls("Cancel")), 1)

    def test_interrupt_while_it_signs_cancels(self):
        place = self.place(hang=True)
        screen = self.ask_until_pin(place)
        screen.type("1\n")
        place.wait_call("Sign")
        time.sleep(0.2)
        screen.type("\x03")
        self.assertEqual(screen.wait(), 10)
        self.assertEqual(len(place.calls("Cancel")), 1)

    def test_interrupt_at_the_same_instant_as_enter(self):
        """The terminal throws the line away that was just announced: nobody may wait for it then."""
        place = self.place(hang=True)
        for _ in range(20):
            screen = self.ask_until_pin(place)
            screen.type("1\n")
            screen.type("\x03")
            self.assertEqual(screen.wait(), 10)

    def test_stop_key_does_nothing_while_the_echo_is_off(self):
        place = self.place()
        screen = self.ask_until_pin(place)
        screen.type("12\x1a34\n")
        self.assertEqual(screen.wait(), 0)
        self.assertEqual(place.calls("Sign")[0]["pin"], "12\x1a34")

    def test_a_code_that_expires_takes_the_prompt_away(self):
        screen = self.ask_until_pin(self.place(expire=True))
        screen.wait_echo(True)
        self.assertEqual(screen.wait(), 6)

    def test_a_service_that_vanishes_takes_the_prompt_away(self):
        screen = self.ask_until_pin(self.place(vanish=True))
        screen.wait_echo(True)
        self.assertEqual(screen.wait(), 3)

    def test_texts_that_lie_or_hide_are_not_shown(self):
        for script in ({"wrong-hash": True}, {"texts": [["t", "a\033[2Jb"]]}, {"texts": [["t", "a\u202eb"]]},
                       {"texts": [["t", "a\u200bb"]]}, {"texts": [["t", "secret\rshown"]]}, {"texts": []}):
            place = self.place(**script)
            result = place.run("sign", "--yes", "1")
            self.assertEqual(result.returncode, 12, script)
            self.assertNotIn("a\033", result.stderr)
            self.assertEqual((place.calls("Sign"), len(place.calls("Cancel"))), ([], 1))

    def test_a_text_cannot_pretend_to_ask(self):
        result = self.place(texts=[["t", "x\nDo you agree? [y/N] \n"]]).run("sign", "--yes", "1")
        self.assertIn("\n│ Do you agree?", result.stderr)

    def test_unattended(self):
        place = self.place()
        pin = place.file("pin", "1234\n")
        result = place.run("sign", "-", "--yes", "--pin-file", pin, "--json", "-o", place.file("o.p7s"), stdin="1\n")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(json.loads(result.stdout)["ReceiptId"], "R-7")
        self.assertIn("KABUL EDİYORUM.", result.stderr)
        self.assertEqual(place.calls("Sign")[0]["pin"], "1234")
        reader, writer = os.pipe()
        os.write(writer, b"5678\r\n")
        os.close(writer)
        self.assertEqual(place.run("sign", "1", "--yes", f"--pin-fd={reader}", pass_fds=[reader]).returncode, 0)
        os.close(reader)
        self.assertEqual(place.calls("Sign")[1]["pin"], "5678")

    def test_pins_that_are_none(self):
        place = self.place()
        for content, mode in (("", 0o600), ("x" * 257, 0o600), ("a\0b", 0o600), ("1234", 0o644), ("1234", 0o640)):
            result = place.run("sign", "1", "--yes", "--pin-file", place.file("pin", content, mode))
            self.assertEqual(result.returncode, 5, (content, result.stderr))
        self.assertEqual(place.run("sign", "1", "--yes", "--pin-file", place.folder).returncode, 5)
        os.mkfifo(place.file("fifo"), 0o600)
        self.assertEqual(place.run("sign", "1", "--yes", "--pin-file", place.file("fifo")).returncode, 5)
        self.assertEqual(place.calls("OpenConsent"), [])  # the code is still good
        self.assertEqual(place.run("sign", "1", "--yes", "--pin-fd=99").returncode, 5)
        reader, writer = os.pipe()
        result = place.run("--timeout=1", "sign", "1", "--yes", f"--pin-fd={reader}", pass_fds=[reader])
        self.assertEqual(result.returncode, 11)
        os.close(reader)
        os.close(writer)
        self.assertEqual(place.calls("Sign"), [])

    def test_a_wrong_pin_of_a_file_is_not_tried_again(self):
        place = self.place(outcomes=[["PinIncorrect", 2]])
        screen = place.screen("sign", "1", "--pin-file", place.file("pin", "1"))
        screen.expect(ASKS)
        screen.type(YES)
        self.assertEqual(screen.wait(), 5)
        self.assertEqual(len(place.calls("Sign")), 1)

    def test_nobody_to_ask(self):
        place = self.place()
        self.assertEqual(place.run("sign", "1").returncode, 2)
        self.assertEqual(place.calls("OpenConsent"), [])  # the code is still good
        self.assertEqual(place.run("sign", "1", "--yes").returncode, 5)
        self.assertEqual(self.place(certificates=2).run("sign", "1", "--yes").returncode, 2)
        self.assertEqual(self.place(certificates=0).run("sign", "1", "--yes").returncode, 7)
        screen = place.screen("--no-ask-password", "sign", "1", "--yes")
        self.assertEqual(screen.wait(), 5)

    def test_choosing(self):
        place = self.place(certificates=3)
        screen = place.screen("sign", "1", "--agent")
        screen.expect("[1-3] ")
        screen.type("7\n")
        screen.expect("[1-3] ")
        screen.type("2\n")
        self.assertEqual(screen.wait(), 0)
        self.assertTrue(place.calls("Sign")[0]["certificate"].endswith("k1"))
        for name, path in (("2ABC:2abc", "k2"), ("/org/eonay/EOnay1/certificate/bad", "bad")):
            self.assertEqual(place.run("sign", "1", "--agent", "-c", name).returncode, 0)
            self.assertTrue(place.calls("Sign")[-1]["certificate"].endswith(path))
        for name in ("2abc", "2abc2abd", "zzzzzzzzz", "/x"):
            self.assertEqual(place.run("sign", "1", "--agent", "-c", name).returncode, 7)

    def test_agent_and_keypad_need_no_pin_here(self):
        place = self.place()
        self.assertEqual(place.run("sign", "1", "--agent").returncode, 0)
        self.assertEqual((place.calls("Sign")[0]["pin"], place.calls("Sign")[0]["accept"]), (None, []))
        place = self.place(pinpad=True)
        self.assertEqual(place.run("sign", "1", "--yes").returncode, 0)
        self.assertEqual((place.calls("Sign")[0]["pin"], len(place.calls("Sign")[0]["accept"])), (None, 1))

    def test_a_file_whose_passphrase_is_typed_once(self):
        place = self.place()
        pin = place.file("pin", "hunter2")
        result = place.run("sign", "1", "--yes", "--file", place.file("k.p12", "x"), "--pin-file", pin)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual([c["pin"] for c in place.calls("AddFile")], [None, "hunter2"])
        self.assertEqual(place.calls("Sign")[0]["pin"], "hunter2")
        screen = place.screen("sign", "1", "--file", place.file("k.p12"))
        screen.expect("): ")
        screen.type("abc\n")
        screen.expect(ASKS)
        screen.type(YES)
        self.assertEqual(screen.wait(), 0, screen.seen)
        self.assertEqual(place.calls("Sign")[1]["pin"], "abc")

    def test_a_signature_that_cannot_be_written_is_told(self):
        place = self.place()
        result = place.run("sign", "1", "--agent", "-o", place.file("no/such"))
        self.assertEqual(result.returncode, 1)
        self.assertIn("eonayctl export e1", result.stderr)

    def test_a_stranger_cannot_finish_a_consent(self):
        place = self.place(hang=True)
        screen = self.ask_until_pin(place)
        screen.type("1\n")
        place.wait_call("Sign")
        stranger = place.bus.connect()
        driver = stranger.get_object("org.freedesktop.DBus", "/org/freedesktop/DBus")
        for name in driver.ListNames(dbus_interface="org.freedesktop.DBus"):
            if name.startswith(":"):
                message = dbus.lowlevel.SignalMessage("/org/eonay/EOnay1/consent/c1", "org.eonay.EOnay1.Consent", "Finished")
                message.set_destination(name)
                message.append(True, "", dbus.Dictionary({}, signature="sv"), signature="bsa{sv}")
                stranger.send_message(message)
        stranger.flush()
        time.sleep(0.5)
        screen.type("\x03")
        self.assertEqual(screen.wait(), 10)


class AgentOnTerminal(CtlTest):
    def test_shows_asks_and_gives(self):
        place = self.place(agent=[{"member": "ConfirmText"}, {"member": "RequestPin", "tries": 2, "reason": "incorrect"}])
        screen = place.screen("agent")
        screen.expect("ready")
        shown = screen.expect(ASKS)
        self.assertIn("│ KABUL EDİYORUM.", shown)
        screen.type(YES)
        screen.wait_echo(False)
        shown = screen.expect("): ")
        self.assertIn(words("PIN tries left: 2", "Kalan PIN deneme hakkı: 2"), shown)
        screen.type("4321\n")
        self.assertEqual(place.wait_call("answer", 1)["value"], True)
        self.assertEqual(place.wait_call("answer", 2)["value"], "4321")
        self.assertNotIn("4321", screen.seen)
        screen.type("\x03")
        self.assertEqual(screen.wait(), 0)

    def test_what_others_call_themselves_is_made_harmless(self):
        """An escape sequence, a line end or a bidirectional override in a name would make the eye read something else."""
        evil = "a\033[2K\rb\u202ec\u2066d\u200be\nf"
        names = {"requester": "R" + evil, "caller": "P" + evil, "token": "T" + evil, "subject": "CN=C\\1B\\0A" + evil}
        place = self.place(agent=[{"member": "ConfirmText", **names}, {"member": "RequestPin", **names}])
        screen = place.screen("agent")
        shown = screen.expect(ASKS)
        screen.type(YES)
        asked = screen.expect("): ")
        for name, text in (("R", shown), ("P", shown), ("R", asked), ("P", asked), ("T", asked)):
            self.assertIn(name + "a\ufffd[2K b\ufffdc\ufffdd\ufffde f", text)
        self.assertIn("C\ufffd", asked)
        for character in "\033\u202e\u2066\u200b":
            self.assertNotIn(character, shown + asked)
        screen.type("\x03")
        screen.wait()

    def test_a_question_can_be_taken_back(self):
        place = self.place(agent=[{"member": "RequestPin"}, {"member": "RequestPin"}, {"member": "Cancel"}])
        screen = place.screen("agent")
        self.assertEqual(place.wait_call("refused", 2)["error"], "org.eonay.EOnay1.Error.Cancelled")
        screen.wait_echo(True)
        screen.type("\x03")
        self.assertEqual(screen.wait(), 0)

    def test_ending_the_agent_refuses_what_is_open(self):
        place = self.place(agent=[{"member": "RequestPin"}])
        screen = place.screen("agent")
        screen.wait_echo(False)
        screen.type("\x03")
        screen.wait_echo(True)
        self.assertEqual(screen.wait(), 0)
        self.assertEqual(place.wait_call("refused")["error"], "org.eonay.EOnay1.Error.Cancelled")

    def test_an_unsafe_text_is_refused_by_itself(self):
        place = self.place(agent=[{"member": "ConfirmText"}], texts=[["t", "\u202e"]])
        screen = place.screen("agent")
        self.assertEqual(place.wait_call("refused")["error"], "org.eonay.EOnay1.Error.TextUnsafe")
        screen.type("\x03")
        screen.wait()

    def test_a_stranger_gets_nothing(self):
        place = self.place()
        reader, writer = os.pipe()
        os.set_inheritable(writer, True)
        screen = place.screen("agent", f"--ready-fd={writer}")
        os.close(writer)
        self.assertEqual(os.read(reader, 100), b"ready\n")
        os.close(reader)
        stranger = place.bus.connect()
        driver = stranger.get_object("org.freedesktop.DBus", "/org/freedesktop/DBus")
        errors = []
        for name in driver.ListNames(dbus_interface="org.freedesktop.DBus"):
            if name.startswith(":") and name != stranger.get_unique_name():
                agent = stranger.get_object(name, "/org/eonay/EOnay1/agent", introspect=False)
                try:
                    agent.RequestPin(dbus.ObjectPath("/a"), dbus.Dictionary({}, signature="sv"), signature="oa{sv}",
                                     dbus_interface="org.eonay.EOnay1.Agent", timeout=3)
                    self.fail("a stranger was answered")
                except dbus.DBusException as error:
                    errors.append(error.get_dbus_name())
        self.assertIn("org.freedesktop.DBus.Error.AccessDenied", errors)
        screen.type("\x03")
        self.assertEqual(screen.wait(), 0)


class AgentUnattended(CtlTest):
    def test_runs_a_command_and_passes_its_status_on(self):
        place = self.place()
        pin = place.file("pin", "1")
        for command, status in ((["sh", "-c", "exit 7"], 7), (["sh", "-c", "kill -9 $$"], 137), (["/nonexistent"], 127)):
            self.assertEqual(place.run("agent", "--accept", "--pin-file", pin, "--", *command).returncode, status)
        result = place.run("agent", "--accept", "--pin-file", pin, f"--bus={place.bus.address}", "--", "sh", "-c",
                           'echo "$DBUS_SYSTEM_BUS_ADDRESS"; trap "" PIPE; grep -E "^Sig(Blk|Ign)" /proc/self/status')
        self.assertIn(place.bus.address, result.stdout)
        self.assertIn("SigBlk:\t0000000000000000", result.stdout)

    def test_gives_the_pin_once(self):
        place = self.place(agent=[{"member": "ConfirmText"}, {"member": "RequestPin"},
                                  {"member": "RequestPin", "reason": "incorrect"}, {"member": "RequestPin", "final": True}])
        place.run("agent", "--accept", "--pin-file", place.file("pin", "1234\n"), "--", "sleep", "1.5")
        self.assertEqual([c["value"] for c in place.calls("answer")], [True, "1234"])
        self.assertEqual([c["error"].rpartition(".")[2] for c in place.calls("refused")], ["PinIncorrect", "PinFinalTry"])

    def test_needs_a_private_pin_file_and_no_terminal_otherwise(self):
        place = self.place()
        self.assertEqual(place.run("agent", "--accept", "--pin-file", place.file("pin", "1", 0o644)).returncode, 5)
        self.assertEqual(place.run("agent", "--accept").returncode, 2)

    def test_background(self):
        place = self.place()
        result = place.run("agent", "--background", "--accept", "--pin-file", place.file("pin", "1"))
        self.assertEqual(result.returncode, 0, result.stderr)
        word, pid = result.stdout.split()
        self.assertEqual(word, "ready")
        os.kill(int(pid), signal.SIGTERM)
        other = self.place(service=False)
        result = other.run("agent", "--background", "--accept", "--pin-file", other.file("pin", "1"))
        self.assertEqual(result.returncode, 3)

    def test_registers_again_with_a_new_service(self):
        place = self.place()
        screen = place.screen("agent", "--accept", "--pin-file", place.file("pin", "1"))
        screen.expect("ready")
        place.mock.end()
        place.start(agent=[{"member": "RequestPin"}])
        self.assertEqual(place.wait_call("answer")["value"], "1")
        screen.type("\x03")
        self.assertEqual(screen.wait(), 0)


if __name__ == "__main__":
    assert os.path.exists(CTL), CTL
    unittest.main()
