#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A module that never returns, in each function that the plugin calls: the documented error at the deadline, the other
token undisturbed meanwhile, and the next request served by a new host."""
import os
import signal
import time

from containing import DEADLINE, PIN, ContainTest, Vendor, run, wait_until

# Before C_Sign can have been called the consent goes back to reviewing; from the search for the key on, its code is spent.
BEFORE = ("C_GetTokenInfo", "C_OpenSession", "C_Login")
AFTER = ("C_FindObjectsInit", "C_FindObjects", "C_FindObjectsFinal", "C_GetAttributeValue", "C_SignInit", "C_Sign")
LISTING = ("C_GetSlotList", "C_GetSlotInfo", "C_GetTokenInfo", "C_GetMechanismList", "C_GetMechanismInfo", "C_OpenSession",
           "C_GetSessionInfo", "C_FindObjectsInit", "C_FindObjects", "C_FindObjectsFinal", "C_GetAttributeValue",
           "C_CloseSession")
HOW = ("hang", "hang-blocked", "spin")
RECOVERY = 500  # ms beyond the deadline


class Hang(ContainTest):
    def hang(self, function, how="hang", prepare=None):
        """A signature that hangs in `function`, and the neighbour's, begun later and done sooner. (Twice in a row is allowed
        to be slow on a busy machine.) What was signed before is counted in `signed`."""
        for _ in range(3):
            self.assert_vendor_signs()
            if prepare:
                prepare()
            self.signed = self.count("C_Sign")
            stuck, waited = self.hang_once(function, how)
            if not waited:
                return stuck
        return self.fail("the neighbour had to wait")

    def hang_once(self, function, how):
        self.vendor.write(f"{function}={how}")
        before = self.count(function)
        begun = time.monotonic()
        stuck = self.vendor_start()
        self.wait_for_call(function, before)
        neighbour = self.neighbour_start()
        success, error, _result = neighbour.wait(60)
        self.assertTrue(success, error)
        waited = stuck.outcome is not None
        stuck.wait(60)
        self.took = (time.monotonic() - begun) * 1000
        self.vendor.write()
        return stuck, waited

    def test_before_the_signature(self):
        for function in BEFORE:
            with self.subTest(function=function):
                consent = self.hang(function)
                self.assert_finished(consent, "PluginTimeout", retriable=True)
                self.assertEqual(self.count("C_Sign"), self.signed)
                self.assert_signs(consent, certificate=self.vendor_certificate(), pin=PIN.encode())

    def test_from_the_key_on(self):
        for function in AFTER:
            with self.subTest(function=function):
                consent = self.hang(function)
                self.assert_finished(consent, "PluginTimeout", retriable=False)
                self.assert_spent(consent)
                self.assert_nothing_left(consent)
                self.assertEqual(self.count("C_Sign") - self.signed, 1 if function == "C_Sign" else 0)
                self.assert_vendor_signs()

    def test_with_every_signal_blocked_and_busy(self):
        for how in HOW[1:]:
            with self.subTest(how=how):
                self.assert_finished(self.hang("C_Sign", how), "PluginTimeout", retriable=False)
                self.assert_vendor_signs()

    def test_at_the_start_of_the_host(self):
        """The PIN has not been read then, so the daemon tries once more by itself before it gives up."""
        consent = self.hang("C_Initialize", prepare=self.kill_signer)
        self.assert_finished(consent, "PluginTimeout", retriable=True)
        wait_until(lambda: self.signs(consent), 60, "the signature after all")

    def test_after_the_signature_it_is_not_lost(self):
        for function in ("C_Logout", "C_CloseSession"):
            with self.subTest(function=function):
                self.assert_vendor_signs()
                consent = self.hang_after(function)
                success, error, _result = consent.wait(60)
                self.assertTrue(success, error)
                self.wait_for_end_of(self.calls(function)[-1][0])
                self.assert_vendor_signs()

    def hang_after(self, function):
        before = self.count(function)
        self.vendor.write(f"{function}=hang")
        consent = self.vendor_start()
        self.wait_for_call(function, before)
        self.vendor.write()
        return consent

    def wait_for_end_of(self, pid):
        wait_until(lambda: not os.path.exists(f"/proc/{pid}"), 60, "the end of the host")

    def test_back_within_half_a_second_of_the_deadline(self):
        """Once in three; on a busy machine, where a signature by a new host alone takes long, within four times as long."""
        times = []
        for _ in range(3):
            self.hang("C_Login", prepare=self.kill_signer)
            recovered = self.took - DEADLINE + self.time_of_a_signature()
            self.kill_signer()
            allowed = max(RECOVERY, 4 * self.time_of_a_signature())
            times.append((recovered, allowed))
            if recovered <= allowed:
                break
        print(f"recovered {times[-1][0]:.0f} ms after the deadline")
        self.assertLessEqual(*times[-1], times)

    def time_of_a_signature(self):
        begun = time.monotonic()
        wait_until(self.signs, 60, "a signature")
        return (time.monotonic() - begun) * 1000


class HangWhileListing(ContainTest):
    def test_every_function(self):
        for function in LISTING:
            with self.subTest(function=function):
                self.repair()
                if not self.count(function):
                    continue  # not one that listing calls
                self.vendor.write(f"{function}=hang")
                before = self.count(function)
                self.client.manager.Refresh({}, signature="a{sv}", reply_handler=lambda: None,
                                            error_handler=lambda _error: None)
                self.wait_for_call(function, before)
                self.assert_neighbour_signs()
                wait_until(lambda: any("did not answer in time" in problem for problem in self.health()), 60, "Health")
                self.assertTrue(self.paths("vendor-0"), "what was listed is not forgotten")

    def test_which_functions_listing_calls(self):
        self.repair()
        called = {name for _pid, name in self.calls()}
        self.assertGreaterEqual(called & set(LISTING), set(LISTING) - {"C_GetSessionInfo", "C_GetMechanismInfo"})


class HangAtTheStart(ContainTest):
    """Before the first listing: the daemon is up at once, and the neighbour is listed without waiting for the deadline."""
    deadline = 5000

    @classmethod
    def make_vendor(cls, sandbox):
        vendor = Vendor(sandbox)
        vendor.write("C_Initialize=hang")
        return vendor

    def repair(self):
        pass

    def test_neighbour_first(self):
        wait_until(lambda: self.paths("eonay-demo"), 60, "the neighbour")
        self.assertEqual(self.paths("vendor-0"), [])
        self.assert_neighbour_signs()
        self.vendor.write()
        wait_until(lambda: self.refresh() or self.paths("vendor-0"), 60, "the token")


class HangAtTheEnd(ContainTest):
    """C_Finalize is called when a host ends; one that hangs there is ended by its deadline, and keeps nobody waiting."""
    deadline = 8000

    def tearDown(self):
        pass  # the daemon was ended by the test

    def test_the_daemon_ends_at_once_and_the_hosts_by_themselves(self):
        self.assert_vendor_signs()
        hosts = {pid for pid, _name in self.calls() if os.path.exists(f"/proc/{pid}")}
        self.assertEqual(len(hosts), 2)
        self.vendor.write("C_Finalize=hang-blocked")
        self.shared.daemon.signal(signal.SIGTERM)
        self.assertEqual(self.shared.daemon.wait(self.deadline / 1000 * 0.9), 0)
        self.wait_until_gone(hosts)

    def wait_until_gone(self, hosts):
        def alive():
            for pid in hosts:
                try:
                    os.waitpid(pid, os.WNOHANG)
                except ChildProcessError:
                    pass
            return [pid for pid in hosts if os.path.exists(f"/proc/{pid}")]
        wait_until(lambda: not alive(), 20, f"the end of {hosts}")
        self.assertGreaterEqual(self.count("C_Finalize"), 2)


if __name__ == "__main__":
    run()
