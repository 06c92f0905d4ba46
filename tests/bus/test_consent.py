# SPDX-License-Identifier: Apache-2.0
"""Who confirms, who may look, and who leaves: texts that were not shown are not signed, a consent is its opener's alone,
and callers and agents may vanish in every state without anything accepted being lost."""
import hashlib
import json
import os
import signal

import dbus

from bus import BUS_NAME
from client import read_memfd
from test_crash_hosts import host_pid
from test_parts import (AGENT_PATH, CONSENT, FAKE_TEXT, NO_CERTIFICATE, OPTIONS, Call, DaemonTest, OpenPipe, fake_ca,
                        fake_token, gives, manager_call, memfd, never, options, pin_pipe, run_for, says_no, wait_until)
from testing import ERROR, run

UNKNOWN = ("org.freedesktop.DBus.Error.UnknownObject", "org.freedesktop.DBus.Error.UnknownMethod",
           "org.freedesktop.DBus.Error.UnknownInterface", ERROR + "NotFound")
ANY_CODE = "200000000000000"


def strings(values):
    return dbus.Array(values, signature="s")


class AcceptedTexts(DaemonTest):
    @classmethod
    def prepare(cls, sandbox):
        fake_ca(sandbox, "three", Texts=3, Numbered=1)

    def test_other_hashes_than_those_of_the_texts(self):
        consent = self.client.open(ANY_CODE, backend="three")
        right = [str(digest) for digest in self.hashes(consent)]
        self.assertEqual(len(set(right)), 3)
        foreign = hashlib.sha256(b"another text").hexdigest()
        for name, accepted in (("none", []), ("too few", right[:2]), ("too many", right + right[:1]),
                               ("other order", right[::-1]), ("the first three times", right[:1] * 3),
                               ("a wrong one", right[:2] + [foreign]), ("empty ones", [""] * 3),
                               ("cut", [digest[:-1] for digest in right]), ("longer", [digest + "0" for digest in right]),
                               ("many", right * 1000), ("huge", ["0" * 1_000_000] * 3)):
            with self.subTest(name):
                with self.assertDBusError("TextMismatch"):
                    consent.sign(self.certificate(), accept_text_sha256=strings(accepted), pin=self.shared.pin_pipe())
                with self.assertDBusError("TextMismatch"):
                    manager_call(self.client.connection, "SignConsent", ANY_CODE, NO_CERTIFICATE,
                                 options(accept_text_sha256=strings(accepted), pin=self.shared.pin_pipe(),
                                         backend="three")).wait()
        self.assertEqual(consent.details()["State"], "reviewing")

    def test_all_texts_under_one_pin(self):
        consent = self.client.open(ANY_CODE, backend="three")
        texts = consent.texts()
        receipt = self.assert_signs(consent)
        self.assertEqual(receipt["TextSha256"], [digest for _title, _media, digest, _content in texts])
        for index, (_title, _media, digest, content) in enumerate(texts):
            self.assertEqual(hashlib.sha256(content).hexdigest(), digest)
            report = self.client.manager.VerifySignature(memfd(consent.signature(index)), options(content=memfd(content)))
            self.assertTrue(report["Valid"], report)
        with self.assertDBusError("NotFound"):
            consent.signature(3)
        with self.assertDBusError("CodeUsed"):
            self.sign(consent)

    def test_hashes_in_capitals_are_the_same_hashes(self):
        consent = self.client.open(ANY_CODE, backend="three")
        consent.sign(self.certificate(), pin=self.shared.pin_pipe(),
                     accept_text_sha256=strings([digest.upper() for digest in self.hashes(consent)]))
        self.assertTrue(consent.wait()[0])


class NobodyConfirms(DaemonTest):
    def test_a_pin_is_no_consent(self):
        consent = self.open()
        with self.assertDBusError("TextMismatch"):
            consent.sign(self.certificate(), pin=self.shared.pin_pipe())
        code, _details = self.client.get_code("local")
        with self.assertDBusError("TextMismatch"):
            self.client.manager.SignConsent(code, NO_CERTIFICATE, options(pin=self.shared.pin_pipe()))
        self.client.open(code).close()  # not spent on it
        self.assert_signs(consent)

    def test_no_agent(self):
        consent = self.open()
        with self.assertDBusError("NoAgent"):
            consent.sign(self.certificate())
        with self.assertDBusError("NoAgent"):
            consent.sign(self.certificate(), accept_text_sha256=self.hashes(consent))
        code, _details = self.client.get_code("local")
        with self.assertDBusError("NoAgent"):
            self.client.manager.SignConsent(code, NO_CERTIFICATE, OPTIONS)
        self.client.open(code).close()
        self.assert_signs(consent)

    def test_no_agent_after_it_was_unregistered(self):
        agent = self.agent(pin=gives(self.shared.pin.encode()))
        self.forget_agent(self.client, agent)
        with self.assertDBusError("NoAgent"):
            self.open().sign(self.certificate())
        with self.assertDBusError("NotFound"):
            self.client.manager.UnregisterAgent(dbus.ObjectPath(AGENT_PATH), OPTIONS)


class Agents(DaemonTest):
    @classmethod
    def prepare(cls, sandbox):
        fake_ca(sandbox, "short", Life=8)

    def test_says_no(self):
        """By false or by an error: cancelled, and the consent stays open for another thought."""
        consent = self.open()
        refusal = dbus.DBusException("no", name=ERROR + "Cancelled")
        for behaviour in ({"confirm": says_no}, {"confirm": lambda _d, _reply, refuse: refuse(refusal)},
                          {"pin": lambda _d, _reply, refuse: refuse(refusal)},
                          {"confirm": lambda _d, _reply, refuse: refuse(ValueError("broken"))}):
            agent = self.agent(**behaviour)
            consent.sign(self.certificate())
            self.assert_finished(consent, "Cancelled", retriable=True)
            self.forget_agent(self.client, agent)
        self.assert_signs(consent)

    def test_hears_how_it_ended(self):
        """Once for each attempt it was asked in, and where the PIN will come from."""
        agent = self.agent(self.new_client(), pin=gives(self.shared.pin.encode()))
        consent = self.open()
        consent.sign(self.certificate(), pin=self.shared.pin_pipe(b"wrong".decode()))
        self.assert_finished(consent, "PinIncorrect", retriable=True)
        self.assertEqual(agent.details["PinEntry"], "caller")
        consent.sign(self.certificate())
        self.assertTrue(consent.wait()[0])
        wait_until(lambda: len(agent.finished) == 2, what="Finished at the agent")
        self.assertEqual(agent.finished[0][:3], (consent.path, False, ERROR + "PinIncorrect"))
        self.assertTrue(agent.finished[0][3]["Retriable"])
        self.assertEqual(agent.finished[1][:3], (consent.path, True, ""))
        self.assertIn("ReceiptId", agent.finished[1][3])
        self.assertEqual(agent.details["PinEntry"], "agent")
        self.assertTrue(0 < agent.details["RemainingUSec"] <= 300_000_000)
        self.assert_signs(self.open())  # without it
        self.assertEqual(len(agent.finished), 2)

    def test_is_not_asked_for_what_the_caller_brings(self):
        agent = self.agent(pin=gives(self.shared.pin.encode()))
        consent = self.open()
        self.assert_signs(consent)
        self.assertEqual(agent.asked, [])
        self.confirmed(consent, "caller")
        consent = self.open()
        consent.sign(self.certificate(), accept_text_sha256=self.hashes(consent))
        self.assertTrue(consent.wait()[0])
        self.assertEqual(agent.asked, ["RequestPin"])
        self.confirmed(consent, "caller")
        consent = self.open()
        consent.sign(self.certificate(), pin=self.shared.pin_pipe())
        self.assertTrue(consent.wait()[0])
        self.assertEqual(agent.asked, ["RequestPin", "ConfirmText"])
        self.confirmed(consent, "caller-agent")
        self.forget_agent(self.client, agent)
        self.agent(self.new_client(), pin=gives(self.shared.pin.encode()))
        consent = self.open()
        consent.sign(self.certificate())
        self.assertTrue(consent.wait()[0])
        self.confirmed(consent, "agent")

    def confirmed(self, consent, where):
        """The record and the evidence say when and where the texts were confirmed: between opening and signing."""
        identity = consent.receipt()["ConsentId"]
        record = self.record(consent_id=identity)[0]
        self.assertEqual(record["ConfirmedBy"], where)
        self.assertLess(record["OpenedAt"], record["ConfirmedAt"])
        self.assertLess(record["ConfirmedAt"], record["SignedAt"] + 1_000_000)  # signing time is in whole seconds
        evidence = json.loads(read_memfd(self.client.manager.ExportEvidence(identity, OPTIONS)))
        self.assertEqual((evidence["confirmed_at"], evidence["confirmed_by"]), (record["ConfirmedAt"], where))

    def test_own_agent_before_others_and_the_last_one_before_those_before(self):
        others = [self.new_client(), self.new_client()]
        agents = [self.agent(client, pin=gives(self.shared.pin.encode())) for client in others]
        call = manager_call(self.client.connection, "SignConsent", self.client.get_code("local")[0], NO_CERTIFICATE,
                            OPTIONS)
        self.assertIn("ReceiptId", call.wait()[0])
        self.assertEqual([agent.asked for agent in agents], [[], ["ConfirmText", "RequestPin"]])
        own = self.agent(pin=gives(self.shared.pin.encode()))
        self.agent(self.new_client(), pin=never, confirm=never)
        consent = self.open()
        consent.sign(self.certificate())
        self.assertTrue(consent.wait()[0])
        self.assertEqual(own.asked, ["ConfirmText", "RequestPin"])

    def never_answers(self, state, **behaviour):
        """The consent ends with its code, and the agent is told to take the question off the screen."""
        agent = self.agent(self.new_client(), **behaviour)
        consent = self.client.open(ANY_CODE, backend="short")
        consent.sign(self.certificate())
        wait_until(lambda: agent.asked and consent.states[-1:] == [state], what=f"{state} at the agent")
        result = self.assert_finished(consent, "CodeExpired", retriable=False)
        self.assertEqual(result["State"], "expired")
        wait_until(lambda: agent.cancelled, what="Cancel at the agent")
        self.assertEqual(agent.cancelled, [consent.path])

    def test_never_confirms(self):
        self.never_answers("confirming", confirm=never)

    def test_never_gives_a_pin(self):
        self.never_answers("awaiting-pin", pin=never)

    def vanishes(self, how, **behaviour):
        """NoAgent, and the consent can be signed by other means."""
        holder = self.new_client()
        agent = self.agent(holder, **behaviour)
        consent = self.open()
        consent.sign(self.certificate())
        wait_until(lambda: agent.asked and agent.asked[-1] == ("ConfirmText" if "confirm" in behaviour else "RequestPin"))
        how(holder, agent)
        self.assert_finished(consent, "NoAgent", retriable=True)
        self.assert_signs(consent)

    def test_leaves_the_bus_while_it_confirms(self):
        self.vanishes(lambda holder, _agent: holder.close(), confirm=never)

    def test_leaves_the_bus_while_it_asks_for_the_pin(self):
        self.vanishes(lambda holder, _agent: holder.close(), pin=never)

    def test_unregisters_while_it_confirms(self):
        self.vanishes(self.forget_agent, confirm=never)

    def test_unregisters_while_it_asks_for_the_pin(self):
        self.vanishes(self.forget_agent, pin=never)

    def test_registered_but_not_there(self):
        self.client.manager.RegisterAgent(dbus.ObjectPath("/nothing/here"), OPTIONS)
        self.addCleanup(self.client.manager.UnregisterAgent, dbus.ObjectPath("/nothing/here"), OPTIONS)
        consent = self.open()
        consent.sign(self.certificate())
        success, error, result = consent.wait()
        self.assertEqual((success, result["Retriable"]), (False, True))
        self.assertIn(error, (ERROR + "NoAgent", ERROR + "Cancelled"))
        self.assert_signs(consent)

    def test_answers_too_late_for_anybody(self):
        """The consent is cancelled while the agent thinks; its late yes signs nothing."""
        kept = []
        agent = self.agent(self.new_client(), confirm=lambda _d, reply, _refuse: kept.append(reply))
        consent = self.open()
        consent_id = consent.details()["ConsentId"]
        consent.sign(self.certificate())
        wait_until(lambda: kept)
        consent.proxy.Cancel(OPTIONS)
        self.assert_finished(consent, "Cancelled", retriable=False)
        wait_until(lambda: agent.cancelled)
        kept[0](True)
        run_for(0.3)
        self.assertEqual(agent.asked, ["ConfirmText"])
        self.assertEqual(self.state_on_record(consent_id), ("cancelled", "Cancelled"))


class RightAfterTheStart(DaemonTest):
    @classmethod
    def prepare(cls, sandbox):
        fake_token(sandbox, "late", "list slow 500", certificate=sandbox.pki.issue("late", profile="nes", key="rsa2048"))

    def test_all_tokens_are_waited_for(self):
        """The card that is read first is not the only one, and who has no agent need not wait to hear it."""
        client = self.new_client()
        code = client.get_code("local")[0]
        with self.assertDBusError("NoAgent"):
            client.manager.SignConsent(code, NO_CERTIFICATE, OPTIONS)
        self.agent(client, pin=gives(self.shared.pin.encode()))
        with self.assertDBusError("NoCertificate") as refused:
            client.manager.SignConsent(code, NO_CERTIFICATE, OPTIONS)
        self.assertIn("2 are usable", str(refused.exception))
        self.assertEqual(len(client.certificates(usable=True)), 2)


class CallersLeave(DaemonTest):
    @classmethod
    def prepare(cls, sandbox):
        sandbox.add_token()
        fake_ca(sandbox, "slow-redeem", "redeem slow 2000")
        fake_ca(sandbox, "slow-submit", "submit slow 2500")
        holder = sandbox.pki.issue("slow", profile="nes", key="rsa2048")
        fake_token(sandbox, "slow", "sign slow 300", certificate=holder)
        sandbox.pki.slow = holder

    def slow_certificate(self):
        with open(self.shared.pki.slow.certificate_der, "rb") as file:
            wanted = hashlib.sha256(file.read()).hexdigest()
        return next(path for path, properties in self.client.certificates() if properties["Fingerprint"] == wanted)

    def softhsm_certificate(self):
        slow = self.slow_certificate()
        return next(path for path, _properties in self.client.certificates() if path != slow)

    def test_reviewing(self):
        leaver = self.new_client()
        consent_id = self.open(leaver).details()["ConsentId"]
        self.assertEqual(self.state_on_record(consent_id), ("reviewing", ""))
        leaver.close()
        self.wait_for_record(consent_id, "cancelled", "Cancelled")

    def test_while_the_code_is_redeemed(self):
        before = len(self.record())
        leaver = self.new_client()
        manager_call(leaver.connection, "OpenConsent", ANY_CODE, options(backend="slow-redeem"))
        leaver.connection.flush()
        run_for(0.1)
        leaver.close()
        wait_until(lambda: len(self.record()) == before + 1, what="a record")
        wait_until(lambda: self.record()[0]["State"] == "cancelled", what="its end")

    def test_while_the_code_of_a_script_is_redeemed(self):
        """All is there that a signature needs, but not the one who wanted it."""
        before = len(self.record())
        text = hashlib.sha256(FAKE_TEXT).hexdigest()
        leaver = self.new_client()
        manager_call(leaver.connection, "SignConsent", ANY_CODE, dbus.ObjectPath(self.softhsm_certificate()),
                     options(backend="slow-redeem", accept_text_sha256=strings([text]), pin=self.shared.pin_pipe()))
        leaver.connection.flush()
        run_for(0.1)
        leaver.close()
        wait_until(lambda: len(self.record()) == before + 1, what="a record")
        wait_until(lambda: self.record()[0]["State"] == "cancelled", what="its end")
        self.assertEqual(self.record()[0]["SignedAt"], 0)

    def leaves_at_the_agent(self, question, **behaviour):
        agent = self.agent(**behaviour)
        leaver = self.new_client()
        consent = self.open(leaver)
        consent_id = consent.details()["ConsentId"]
        consent.sign(self.softhsm_certificate())
        wait_until(lambda: question in agent.asked)
        leaver.close()
        self.wait_for_record(consent_id, "cancelled", "Cancelled")
        wait_until(lambda: agent.cancelled)

    def test_confirming(self):
        self.leaves_at_the_agent("ConfirmText", confirm=never)

    def test_awaiting_pin_of_the_agent(self):
        self.leaves_at_the_agent("RequestPin", pin=never)

    def test_awaiting_its_own_pin(self):
        pipe = OpenPipe()
        leaver = self.new_client()
        consent = self.open(leaver)
        consent_id = consent.details()["ConsentId"]
        self.sign(consent, pipe.argument, certificate=self.softhsm_certificate())
        wait_until(lambda: "awaiting-pin" in consent.states)
        leaver.close()
        self.wait_for_record(consent_id, "cancelled", "Cancelled")
        pipe.close()

    def test_waiting_for_the_token(self):
        """Two are with the token, the second sent ahead; whoever leaves behind them gives up the place, and the one
        behind that is served."""
        served = [self.with_the_slow_token()]
        self.assert_finished(served.pop(), "SignatureInvalid")
        host = host_pid(self.shared, "slow, sign")
        os.kill(host, signal.SIGSTOP)
        try:
            served += [self.with_the_slow_token(), self.with_the_slow_token()]
            wait_until(lambda: "signing" in served[0].states)
            leaver = self.new_client()
            waiting = self.with_the_slow_token(leaver)
            waiting_id = waiting.details()["ConsentId"]
            served.append(self.with_the_slow_token())
            self.assertEqual(waiting.details()["State"], "awaiting-pin")
            leaver.close()
            self.wait_for_record(waiting_id, "cancelled", "Cancelled")
        finally:
            os.kill(host, signal.SIGCONT)
        for consent in served:
            self.assert_finished(consent, "SignatureInvalid")

    def with_the_slow_token(self, client=None):
        consent = self.open(client)
        self.sign(consent, b"123456", certificate=self.slow_certificate())
        return consent

    def test_signing(self):
        """The token may have signed: the record says how it ended, and the token serves the next one."""
        leaver = self.new_client()
        consent = self.open(leaver)
        consent_id = consent.details()["ConsentId"]
        self.sign(consent, b"123456", certificate=self.slow_certificate())
        wait_until(lambda: "signing" in consent.states)
        run_for(0.1)
        leaver.close()
        self.wait_for_record(consent_id, "failed", "SignatureInvalid")

    def test_submitting(self):
        leaver = self.new_client()
        consent = leaver.open(ANY_CODE, backend="slow-submit")
        consent_id = consent.details()["ConsentId"]
        self.sign(consent, certificate=self.softhsm_certificate())
        wait_until(lambda: "submitting" in consent.states)
        leaver.close()
        self.assertEqual(self.state_on_record(consent_id), ("submitting", ""))
        self.wait_for_record(consent_id, "done")
        record = self.record(consent_id=consent_id)[0]
        self.assertTrue(record["ReceiptId"].startswith("FAKE-"))
        self.assertGreater(record["SignedAt"], 0)

    def test_closed_while_submitting(self):
        consent = self.client.open(ANY_CODE, backend="slow-submit")
        consent_id = consent.details()["ConsentId"]
        self.sign(consent, certificate=self.softhsm_certificate())
        wait_until(lambda: "submitting" in consent.states)
        with self.assertDBusError("Busy"):
            consent.proxy.Cancel(OPTIONS)
        self.assertTrue(consent.signature())  # on disk before it is sent
        consent.close()
        with self.assertDBusError("NotFound"):
            self.client.manager.ExportEvidence("no such consent", OPTIONS)
        self.wait_for_record(consent_id, "done")

    def test_in_the_middle_of_a_script(self):
        before = len(self.record())
        leaver = self.new_client()
        agent = self.agent(pin=gives(self.shared.pin.encode()))
        manager_call(leaver.connection, "SignConsent", ANY_CODE, dbus.ObjectPath(self.softhsm_certificate()),
                     options(backend="slow-submit"))
        wait_until(lambda: "RequestPin" in agent.asked)
        wait_until(lambda: self.record()[0]["State"] == "submitting")
        leaver.close()
        wait_until(lambda: self.record()[0]["State"] == "done")
        self.assertEqual(len(self.record()), before + 1)

    def test_done_and_gone(self):
        leaver = self.new_client()
        consent = self.open(leaver)
        consent_id = consent.details()["ConsentId"]
        self.assert_signs(consent, certificate=self.softhsm_certificate())
        leaver.close()
        run_for(0.1)
        self.assertEqual(self.state_on_record(consent_id), ("done", ""))


class Privacy(DaemonTest):
    def test_there_is_no_such_object_for_others(self):
        consent = self.open()
        other = self.new_client()
        calls = (("GetTexts", (OPTIONS,)), ("GetDetails", (OPTIONS,)), ("GetReceipt", (OPTIONS,)),
                 ("GetSignature", (OPTIONS,)), ("Cancel", (OPTIONS,)), ("Close", (OPTIONS,)),
                 ("Sign", (dbus.ObjectPath(self.certificate()),
                           options(pin=self.shared.pin_pipe(), accept_text_sha256=self.hashes(consent)))))
        for method, arguments in calls:
            with self.subTest(method), self.assertRaises(dbus.DBusException) as raised:
                Call(other.connection, consent.path, CONSENT, method, *arguments).wait()
            self.assertIn(raised.exception.get_dbus_name(), UNKNOWN)
        names = [raised.exception.get_dbus_name()]
        with self.assertRaises(dbus.DBusException) as raised:  # the same answer as for what never was
            Call(other.connection, consent.path[:-4] + "0000", CONSENT, "GetTexts", OPTIONS).wait()
        self.assertEqual(names, [raised.exception.get_dbus_name()])
        self.assertEqual(consent.details()["State"], "reviewing")
        self.assert_signs(consent)
        other_path = other.connection.get_object(BUS_NAME, "/org/eonay/EOnay1/consent", introspect=False)
        self.assertNotIn(consent.path.rsplit("/", 1)[1],
                         str(other_path.Introspect(dbus_interface="org.freedesktop.DBus.Introspectable")))

    def test_signals_go_to_the_opener_alone(self):
        other = self.new_client()
        heard = []
        for keywords in ({"dbus_interface": CONSENT}, {"path_keyword": "path", "dbus_interface": None},
                         {"bus_name": BUS_NAME}):
            match = other.connection.add_signal_receiver(lambda *values, **_k: heard.append(values), **keywords)
            self.addCleanup(match.remove)
        consent = self.open()
        self.sign(consent, b"00000000")
        self.assert_finished(consent, "PinIncorrect")
        self.assert_signs(consent)
        consent.close()
        run_for(0.2)
        told = " ".join(map(str, heard))
        self.assertNotIn("PinIncorrect", told)
        self.assertNotIn("submitting", told)
        self.assertIn("submitting", consent.states)

    def test_states_come_in_their_order_and_end_once(self):
        consent = self.open()
        finished = []
        self.client.connection.add_signal_receiver(lambda *values: finished.append(values), "Finished", CONSENT,
                                                   path=consent.path)
        self.assert_signs(consent)
        run_for(0.2)
        self.assertEqual(consent.states, ["authorising", "awaiting-pin", "signing", "verifying", "submitting", "done"])
        self.assertEqual(len(finished), 1)

    def test_records_and_evidence_of_a_consent(self):
        consent = self.open()
        receipt = self.assert_signs(consent)
        record = self.record(consent_id=receipt["ConsentId"])[0]
        self.assertEqual((record["State"], record["ReceiptId"]), ("done", receipt["ReceiptId"]))
        self.assertEqual(self.record(consent_id="' OR 1=1 --"), [])
        self.assertEqual(self.record(state="no such state"), [])
        with self.assertDBusError("NotFound"):
            self.client.manager.ExportEvidence("' OR 1=1 --", OPTIONS)

    def test_closed_is_gone(self):
        consent = self.open()
        consent_id = consent.details()["ConsentId"]
        consent.close()
        with self.assertRaises(dbus.DBusException) as raised:
            consent.details()
        self.assertIn(raised.exception.get_dbus_name(), UNKNOWN)
        self.wait_for_record(consent_id, "cancelled", "Cancelled")


if __name__ == "__main__":
    run()
