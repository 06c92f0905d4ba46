# SPDX-License-Identifier: Apache-2.0
"""Codes that come after a login in the browser, and approvals on record."""
import dbus

from sandbox import MANAGER
from test_parts import OPTIONS, DaemonTest, fake_ca, options, plain, run_for, wait_until
from testing import ERROR, run

SUBJECT = "10000000146"  # fits the checksum, belongs to nobody
STRANGER = "98765432150"


class Pending(DaemonTest):
    @classmethod
    def prepare(cls, sandbox):
        fake_ca(sandbox, "login", PendingPolls=2)
        fake_ca(sandbox, "denied", "poll-code error CodeDenied", PendingPolls=9)
        fake_ca(sandbox, "pending", PendingPolls=1000)
        fake_ca(sandbox, "short", PendingPolls=1000, Life=2)
        fake_ca(sandbox, "crash", "poll-code crash", PendingPolls=9)
        fake_ca(sandbox, "hang", "poll-code hang", PendingPolls=9)
        fake_ca(sandbox, "rubbish", "poll-code garbage null", PendingPolls=1)
        fake_ca(sandbox, "nothing", "get-code garbage null", PendingPolls=1)
        fake_ca(sandbox, "away", "poll-code:1 error BackendUnreachable", PendingPolls=1)
        sandbox.limits["BackendDeadlineMs"] = 1000

    def setUp(self):
        super().setUp()
        self.ready = {}
        self.failed = {}
        self.listen(self.client, self.ready, self.failed)

    def listen(self, client, ready, failed):
        connection = client.connection
        for match in (
                connection.add_signal_receiver(lambda handle, code, details: ready.setdefault(str(handle), []).append(
                    (str(code), plain(details))), "CodeReady", MANAGER),
                connection.add_signal_receiver(lambda handle, error, message: failed.setdefault(str(handle), []).append(
                    (str(error), str(message))), "CodeFailed", MANAGER)):
            self.addCleanup(match.remove)

    def ask(self, backend, client=None):
        """The handle of a pending answer."""
        code, details = (client or self.client).get_code(backend)
        self.assertEqual((code, details["Pending"], details["Backend"]), ("", True, backend))
        self.assertEqual(details["UserCode"], "FAKE-CODE")
        self.assertTrue(details["VerificationUri"].startswith("https://"))
        self.assertEqual(details["Interval"], 1)
        self.assertTrue(details["Handle"])
        self.assertNotIn("fake-handle", details["Handle"])  # the authority's stays with the daemon
        return details["Handle"]

    def test_ready_after_the_login(self):
        others = {}, {}
        self.listen(self.new_client(), *others)
        handle = self.ask("login")
        wait_until(lambda: handle in self.ready)
        [(code, details)] = self.ready[handle]
        self.assertRegex(code, "^2[0-9]{14}$")
        self.assertGreater(details["RemainingUSec"], 290_000_000)  # its life starts now
        self.client.open(code, backend="login").close()
        run_for(0.2)
        self.assertEqual(others, ({}, {}))
        with self.assertDBusError("NotFound"):
            self.client.manager.CancelCode(handle, OPTIONS)

    def test_each_failure_is_told_once(self):
        expected = {"denied": "CodeDenied", "short": "CodeExpired", "crash": "PluginCrashed", "hang": "PluginTimeout"}
        handles = {backend: self.ask(backend) for backend in expected}
        wait_until(lambda: set(handles.values()) <= set(self.failed))
        run_for(1.2)
        for backend, error in expected.items():
            with self.subTest(backend):
                [(name, message)] = self.failed[handles[backend]]
                self.assertEqual(name, ERROR + error)
                self.assertTrue(message)
        self.assertEqual(self.ready, {})

    def test_rubbish_instead_of_a_code(self):
        handle = self.ask("rubbish")
        wait_until(lambda: handle in self.failed)
        self.assertIn(self.failed[handle][0][0], (ERROR + "BackendProtocol", ERROR + "PluginFailed"))
        with self.assertRaises(dbus.DBusException) as raised:
            self.client.get_code("nothing")
        self.assertIn(raised.exception.get_dbus_name(), (ERROR + "BackendProtocol", ERROR + "PluginFailed"))

    def test_unreachable_for_a_moment(self):
        handle = self.ask("away")
        wait_until(lambda: handle in self.ready)

    def test_cancelled(self):
        handle = self.ask("login")
        with self.assertDBusError("NotFound"):
            self.new_client().manager.CancelCode(handle, OPTIONS)  # somebody else's
        self.client.manager.CancelCode(handle, OPTIONS)
        with self.assertDBusError("NotFound"):
            self.client.manager.CancelCode(handle, OPTIONS)
        for wrong in ("", "fake-handle", "x" * 70000):
            with self.assertDBusError("NotFound"):
                self.client.manager.CancelCode(wrong, OPTIONS)
        run_for(2.5)
        self.assertEqual((self.ready, self.failed), ({}, {}))

    def test_caller_leaves(self):
        """Nobody asks the authority any more."""
        leaver = self.new_client()
        self.ask("pending", leaver)
        leaver.close()
        run_for(1.5)
        self.assertNotIn("CodeReady", self.log())

    def test_other_codes_meanwhile(self):
        handle = self.ask("pending")
        self.assertTrue(self.client.get_code("local")[0])
        self.assertNotIn(handle, self.ready)


class Approvals(DaemonTest):
    @classmethod
    def prepare(cls, sandbox):
        once = {**sandbox.default_sections()["Backend local"], "AllowRepeats": "no",
                "Database": sandbox.file("authority", "once.db")}
        sandbox.set_section("Backend once", **once)
        fake_ca(sandbox, "knows", Approved=1)
        fake_ca(sandbox, "refuses", "get-code error AlreadyApproved")

    def approval(self, backend, **values):
        return plain(self.client.manager.GetApproval(backend, options(**values)))

    def test_approved_once(self):
        self.assertEqual(self.approval("once", subject=SUBJECT), {"Approved": False})
        first, second = (self.client.open(self.client.get_code("once", subject=SUBJECT)[0], backend="once")
                         for _n in range(2))
        receipt = self.assert_signs(first)
        approval = self.approval("once", subject=SUBJECT)
        self.assertEqual((approval["Approved"], approval["ReceiptId"]), (True, receipt["ReceiptId"]))
        self.assertTrue(approval["TextVersion"])
        self.assertEqual(self.approval("once"), approval)  # the one whose certificate is there
        self.assertEqual(self.approval("once", subject=STRANGER), {"Approved": False})
        with self.assertDBusError("AlreadyApproved"):
            self.client.get_code("once", subject=SUBJECT)
        self.sign(second)
        self.assert_finished(second, "AlreadyApproved", retriable=False)

    def test_number_of_nobody(self):
        for number in ("", "12345678901", "1000000014", "1" * 70000, "1000000014x"):
            with self.subTest(number[:12]), self.assertDBusError("SubjectInvalid"):
                self.approval("once", subject=number)

    def test_other_authorities(self):
        self.assertEqual(self.approval("knows", subject=SUBJECT)["ReceiptId"], "FAKE-APPROVAL")
        with self.assertDBusError("AlreadyApproved"):
            self.client.get_code("refuses")


if __name__ == "__main__":
    run()
