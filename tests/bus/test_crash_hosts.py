# SPDX-License-Identifier: Apache-2.0
"""A plugin host dies or hangs in the middle, the authority cannot be reached, the daemon is asked to end: each has its
documented error, can be tried again when nothing was signed, and never leads to a second signature or a lost one."""
import os
import re
import signal
import time

import dbus
from gi.repository import GLib

from client import Client, options
from crash_scene import CrashTest, wait_until
from processes import reap
from testing import ERROR, run



def host_pid(sandbox, purpose):
    """The process that serves "softhsm, sign", "local, authority" …, as the daemon's log has it."""
    instance, what = purpose.split(", ")
    found = re.findall(rf"plugin host (\d+) started for {instance} \({what}\)", sandbox.daemon.log())
    return int(found[-1]) if found else None


class Scene(CrashTest):
    def started(self, spy=False, **sections):
        sandbox = self.scene(spy=spy)
        for name, keys in sections.items():
            sandbox.set_section(name.replace("_", " "), **keys)
        sandbox.start_daemon()
        client = Client(sandbox)
        return sandbox, client

    def opened(self, client, backend=""):
        code, _ = client.get_code(backend)
        return code, client.open(code, backend=backend)

    def until_state(self, consent, state):
        context = GLib.MainContext.default()

        def seen():
            while context.iteration(False):
                pass
            return state in consent.states
        self.assertTrue(wait_until(seen), f"never {state}: {consent.states}")

    def until_logged(self, sandbox, words):
        self.assertTrue(wait_until(lambda: words in sandbox.daemon.log()), f"never logged: {words}")

    def sign_once(self, sandbox, client, certificate):
        """A whole signature: afterwards every host that takes part runs."""
        _, consent = self.opened(client)
        self.sign(sandbox, consent, certificate)
        self.assertTrue(consent.wait()[0])

    def hold(self, sandbox, purpose):
        """Stops a host: what is sent to it stays unread."""
        pid = host_pid(sandbox, purpose)
        os.kill(pid, signal.SIGSTOP)
        return pid


class TokenHost(Scene):
    def test_killed_before_it_signs(self):
        sandbox, client = self.started(spy=True)
        certificate = client.certificates(usable=True)[0][0]
        self.sign_once(sandbox, client, certificate)
        before = self.calls_of_module(sandbox, "C_Sign")
        # at once: perhaps even before the order to sign is sent; or when both orders lie in its queue
        for pause in (0, 0.2, 0, 0):
            _, consent = self.opened(client)
            pid = self.hold(sandbox, "softhsm, sign")
            self.sign(sandbox, consent, certificate)
            self.until_state(consent, "signing")
            time.sleep(pause)
            os.kill(pid, signal.SIGKILL)
            # it has not read the PIN, which therefore goes to another host: nobody notices
            self.assertTrue(consent.wait()[0], consent.outcome)
        self.assertEqual(self.calls_of_module(sandbox, "C_Sign"), before + 4)
        self.assert_invariants(sandbox)

    def fake_token(self, script, **limits):
        sandbox = self.scene()
        sandbox.limits.update(limits)
        certificate = sandbox.pki.issue("fake").certificate_der
        sandbox.set_section("Token fake", Plugin="fake-token", Label="fake", Certificate=certificate, Script=script)
        sandbox.start_daemon()
        client = Client(sandbox)
        [path] = [path for path, entry in client.certificates() if entry["Token"] and self.is_fake(client, entry)]
        return sandbox, client, path

    @staticmethod
    def is_fake(client, entry):
        token = client.connection.get_object("org.eonay.EOnay1", entry["Token"], introspect=False)
        return token.Get("org.eonay.EOnay1.Token", "Plugin",
                         dbus_interface="org.freedesktop.DBus.Properties") == "fake-token"

    def ends_in_the_middle(self, sandbox, client, certificate, error, in_the_middle):
        code, consent = self.opened(client)
        self.sign(sandbox, consent, certificate)
        self.until_state(consent, "signing")
        in_the_middle()
        self.assertEqual(consent.wait()[:2], (False, ERROR + error))
        self.assertEqual(consent.details()["State"], "failed")
        self.assertEqual(self.settled(sandbox, consent.path.rsplit("/", 1)[1])["Error"], error)
        with self.assertDBusError("CodeUsed"):
            self.sign(sandbox, consent, certificate)
        self.assert_code_is_spent(sandbox, code)

    def test_killed_while_it_signs(self):
        sandbox, client, certificate = self.fake_token("sign slow 25000")

        def kill():
            self.until_logged(sandbox, "slow now")
            os.kill(host_pid(sandbox, "fake, sign"), signal.SIGKILL)
        self.ends_in_the_middle(sandbox, client, certificate, "PluginCrashed", kill)
        self.assert_invariants(sandbox)

    def test_hangs_while_it_signs(self):
        sandbox, client, certificate = self.fake_token("sign hang-signals-blocked", SignDeadlineMs=300)
        self.ends_in_the_middle(sandbox, client, certificate, "PluginTimeout", lambda: None)
        self.assert_invariants(sandbox)

    def test_hangs_while_it_logs_in(self):
        sandbox, client, certificate = self.fake_token("login hang-signals-blocked", LoginDeadlineMs=300)
        code, consent = self.opened(client)
        self.sign(sandbox, consent, certificate)
        self.assertEqual(consent.wait()[:2], (False, ERROR + "PluginTimeout"))
        self.assertEqual(consent.details()["State"], "reviewing")
        self.assert_invariants(sandbox)

    def test_the_daemon_sleeps_through_the_deadlines(self):
        """The token has signed, and the daemon learns of it when all deadlines are over. The answer counts, not the
        deadline: otherwise it would believe that nothing was signed. (This token's signature is worth nothing.)"""
        sandbox, client, certificate = self.fake_token("login slow 300", LoginDeadlineMs=1500, SignDeadlineMs=1500)

        def freeze():
            self.until_logged(sandbox, "slow now")
            os.kill(sandbox.daemon.pid, signal.SIGSTOP)
            time.sleep(6)
            os.kill(sandbox.daemon.pid, signal.SIGCONT)
        self.ends_in_the_middle(sandbox, client, certificate, "SignatureInvalid", freeze)

    def test_daemon_ends_while_the_token_signs(self):
        sandbox, client, certificate = self.fake_token("sign slow 8000")
        code, consent = self.opened(client)
        self.sign(sandbox, consent, certificate)
        self.until_state(consent, "signing")
        self.until_logged(sandbox, "slow now")
        host = host_pid(sandbox, "fake, sign")
        started = time.monotonic()
        self.assertEqual(sandbox.stop_daemon(), 0)
        self.assertLess(time.monotonic() - started, 7, "it waits for the signature")
        self.assertTrue(wait_until(lambda: reap() or not os.path.exists(f"/proc/{host}")), "the token's host stays behind")
        self.assertEqual(self.journal(sandbox, "PRAGMA integrity_check"), [("ok",)])
        sandbox.start_daemon()
        record = self.settled(sandbox, consent.path.rsplit("/", 1)[1])
        self.assertEqual((record["State"], record["Error"]), ("failed", "Interrupted"))
        self.assert_code_is_spent(sandbox, code)


class Listing(Scene):
    def test_daemon_ends_while_tokens_are_listed(self):
        """Whoever waits for the list learns that the service is gone, not that there are no certificates."""
        slow = {"Plugin": "fake-token", "Script": "list slow 3000"}
        sandbox, client = self.started(Token_one=slow, Token_two=slow, Token_three=slow)
        answers, loop = [], GLib.MainLoop()

        def answered(answer):
            answers.append(answer)
            loop.quit()
        client.manager.ListCertificates(options(), reply_handler=answered, error_handler=answered)
        client.connection.flush()
        time.sleep(0.2)
        self.assertEqual(sandbox.stop_daemon(), 0)
        loop.run()
        self.assertIsInstance(answers[0], dbus.exceptions.DBusException, f"an answer after the end: {answers[0]}")
        self.assertEqual(answers[0].get_dbus_name(), "org.freedesktop.DBus.Error.NoReply")


class AuthorityHost(Scene):
    def test_killed_while_it_redeems(self):
        sandbox, client = self.started()
        for pause in (200, 1000, 5000):
            code, _ = client.get_code()
            answer = self.redeemed_by_a_host_that_ends(sandbox, client, code, pause)
            if isinstance(answer, dbus.exceptions.DBusException):
                break  # else it was ended before it was asked, on a busy machine, and another one was
        self.assertIsInstance(answer, dbus.exceptions.DBusException)
        self.assertEqual(answer.get_dbus_name(), ERROR + "PluginCrashed")
        self.assertTrue(client.open(code).texts(), "nothing was redeemed, so it can be tried again")

    def redeemed_by_a_host_that_ends(self, sandbox, client, code, pause):
        pid = self.hold(sandbox, "local, authority")
        answers, loop = [], GLib.MainLoop()

        def answered(answer):
            answers.append(answer)
            loop.quit()
        client.manager.OpenConsent(code, options(), reply_handler=answered, error_handler=answered)
        GLib.timeout_add(pause, lambda: os.kill(pid, signal.SIGKILL))
        loop.run()
        return answers[0]

    def test_killed_while_it_records(self):
        sandbox, client = self.started(spy=True)
        certificate = client.certificates(usable=True)[0][0]
        _, consent = self.opened(client)
        pid = self.hold(sandbox, "local, authority")
        self.sign(sandbox, consent, certificate)
        self.until_state(consent, "submitting")
        os.kill(pid, signal.SIGKILL)
        self.assertTrue(consent.wait()[0], consent.outcome)
        _, receipts = self.assert_invariants(sandbox)
        self.assertEqual(receipts, [consent.receipt()["ReceiptId"]])
        self.assertEqual(self.calls_of_module(sandbox, "C_Sign"), 1)


class Unreachable(Scene):
    """The fake authority: a network that comes and goes."""
    AWAY = "error BackendUnreachable"

    def test_comes_back(self):
        sandbox, client = self.started(
            spy=True, Backend_away={"Plugin": "fake-ca", "Script": "; ".join(f"submit:{n} {self.AWAY}" for n in (1, 2, 3))})
        _, consent = self.opened(client, "away")
        started = time.monotonic()
        self.sign(sandbox, consent, client.certificates(usable=True)[0][0])
        self.assertTrue(consent.wait()[0], consent.outcome)
        self.assertGreater(time.monotonic() - started, 1.3, "pauses of 0.2, 0.4 and 0.8 s")
        self.assertEqual(self.records(sandbox)[consent.path.rsplit("/", 1)[1]]["State"], "done")
        self.assertEqual(self.calls_of_module(sandbox, "C_Sign"), 1)

    def test_away_until_the_code_is_dead(self):
        """Asked then: one authority had it all the time and lost its answers, the other never got it."""
        keys = {"Plugin": "fake-ca", "Life": 10, "Script": "submit " + self.AWAY}
        sandbox, client = self.started(Backend_had={**keys, "State": 1}, Backend_lost={**keys, "State": 0})
        certificate = client.certificates(usable=True)[0][0]
        had, lost = [self.opened(client, name)[1] for name in ("had", "lost")]
        for consent in (had, lost):
            self.sign(sandbox, consent, certificate)
        self.assertTrue(had.wait()[0], had.outcome)
        self.assertEqual(lost.wait()[:2], (False, ERROR + "BackendUnreachable"))
        records = self.records(sandbox)
        self.assertEqual([records[consent.path.rsplit("/", 1)[1]]["State"] for consent in (had, lost)],
                         ["done", "failed"])

    def test_opener_leaves_meanwhile(self):
        sandbox, client = self.started(
            Backend_away={"Plugin": "fake-ca", "Script": f"submit:1 {self.AWAY}; submit:2 {self.AWAY}"})
        _, consent = self.opened(client, "away")
        self.sign(sandbox, consent, client.certificates(usable=True)[0][0])
        self.until_state(consent, "submitting")
        client.close()
        self.assertEqual(self.settled(sandbox, consent.path.rsplit("/", 1)[1])["State"], "done")


if __name__ == "__main__":
    run()
