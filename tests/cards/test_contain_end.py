#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A module that ends its process, or leaves something behind in it: the documented error, the other token undisturbed,
the next request served; and, when it happens again and again, a host that is left alone for a while."""
import os
import time

from containing import ERROR, ContainTest, Vendor, run, run_for, wait_until

ENDS = ("segfault", "abort", "exit 0", "exit 3", "quick-exit 0")
SIGNING = ("C_FindObjects", "C_SignInit", "C_Sign")
CRASHES_MAX = 5  # daemon/host.c


class End(ContainTest):
    def end_in(self, function, action):
        """A signature in which the process ends, and the neighbour's, begun before that is known."""
        self.vendor.write(f"{function}={action}")
        consent = self.vendor_start()
        neighbour = self.neighbour_start()
        self.assertTrue(neighbour.wait(60)[0])
        consent.wait(60)
        self.vendor.write()
        return consent

    def test_in_the_login(self):
        for action in ENDS:
            with self.subTest(action=action):
                signed = self.count("C_Sign")
                consent = self.end_in("C_Login", action)
                self.assert_finished(consent, "PluginCrashed", retriable=True)
                self.assertEqual(self.count("C_Sign"), signed)
                wait_until(lambda c=consent: self.signs(c), 60, "the signature after all")

    def test_in_the_signature(self):
        for action in ENDS:
            for function in SIGNING:
                with self.subTest(action=action, function=function):
                    signed = self.count("C_Sign")
                    consent = self.end_in(function, action)
                    self.assert_finished(consent, "PluginCrashed", retriable=False)
                    self.assert_spent(consent)
                    self.assert_nothing_left(consent)
                    self.assertEqual(self.count("C_Sign") - signed, 1 if function == "C_Sign" else 0)
                    wait_until(self.signs, 60, "the next signature")

    def test_after_the_signature_it_is_not_lost(self):
        for function in ("C_Logout", "C_CloseSession"):
            with self.subTest(function=function):
                before = self.count(function)
                self.vendor.write(f"{function}=segfault")
                consent = self.vendor_start()
                self.assertTrue(consent.wait(60)[0])
                self.wait_for_call(function, before)
                self.vendor.write()
                wait_until(self.signs, 60, "the next signature")

    def test_while_listing(self):
        """Nobody has to ask: it is listed again at once, and again after pauses, until it is left alone."""
        for action in ENDS:
            with self.subTest(action=action):
                self.vendor.write(f"C_GetTokenInfo={action}")
                self.refresh()
                self.assertTrue(any("unexpectedly" in problem for problem in self.health()), self.health())
                self.assertTrue(self.paths("vendor-0"), "what was listed is not forgotten")
                self.vendor.write()
                wait_until(lambda: not self.health(), 60, "the listing")

    def test_left_alone_when_it_never_lists(self):
        self.vendor.write("C_GetTokenInfo=segfault")
        self.refresh()
        wait_until(lambda: any("left alone" in problem for problem in self.health()), 60, "Health")
        started = self.count("C_Initialize")
        run_for(1)
        self.assertEqual(self.count("C_Initialize"), started)
        self.vendor.write()
        self.refresh()  # lifts it
        self.assertEqual(self.health(), [])

    def test_a_process_killed_while_idle_is_replaced(self):
        self.kill_signer()
        self.assert_vendor_signs()


class Behind(ContainTest):
    """What a module leaves in its process, or in the world."""

    def test_no_child(self):
        """fork() is refused; the module hears of it, and so do we."""
        self.vendor.write("C_SignInit=fork")
        consent = self.vendor_start()
        result = self.assert_finished(consent, "PluginFailed", retriable=False)
        self.assertIn("0x80000001", result["Detail"])  # CKR_VENDOR_DEFINED + EPERM
        for pid, _name in self.calls():
            if os.path.exists(f"/proc/{pid}/task/{pid}/children"):
                with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
                    self.assertEqual(children.read(), "")

    def test_a_thread_nobody_stops(self):
        self.vendor.write("C_SignInit=thread")
        self.assert_vendor_signs()
        host = self.calls("C_Sign")[-1][0]
        with open(f"/proc/{host}/status", encoding="ascii") as status:
            self.assertNotIn("Threads:\t1\n", status.read())
        self.assert_vendor_signs()

    def test_words_on_standard_output_go_nowhere(self):
        self.vendor.write("*=print Merhaba")
        self.assert_vendor_signs()
        self.assertNotIn("Merhaba", self.log())


class Constructor(ContainTest):
    """Code that runs when the module is loaded, before any function of it is called."""
    deadline = 800

    @classmethod
    def make_vendor(cls, sandbox):
        for index, action in enumerate(cls.actions()):
            Vendor(sandbox, f"bad{index}").write(module={"constructor": action})
        return Vendor(sandbox)

    @staticmethod
    def actions():
        return ("segfault", "abort", "exit 0", "quick-exit 7", "hang", "hang-blocked", "spin")

    def listed(self):
        return self.paths("vendor-0")

    def assert_up(self):
        self.assertTrue(self.shared.daemon.running())
        self.assertEqual(self.shared.starts, 1)

    def test_each_is_named_and_the_others_are_listed(self):
        problems = {}

        def all_told():
            problems.update({problem.split(":")[0]: problem for problem in self.health() if "bad" in problem})
            return len(problems) == len(self.actions())
        wait_until(all_told, 60, "Health")
        self.assertTrue(self.paths("vendor-0"))
        for index, action in enumerate(self.actions()):
            problem = next(text for name, text in problems.items() if f"bad{index}" in name)
            late = action in ("hang", "hang-blocked", "spin") and "left alone" not in problem
            self.assertIn("in time" if late else "unexpectedly", problem, action)


class Again(ContainTest):
    """Back-off and quarantine."""

    def crash(self):
        """One signature that costs a process; False while the host is left alone."""
        consent = self.vendor_start()
        success, error, result = consent.wait(60)
        self.assertFalse(success)
        self.assertEqual(error, ERROR + "PluginCrashed")
        consent.close()
        return not result["Retriable"]

    def test_crash_after_crash_at_the_signature(self):
        """The login works each time, which must not hide that the signature never does."""
        self.vendor.write("C_Sign=segfault")
        begun = time.monotonic()
        crashes = 0
        while crashes < CRASHES_MAX:
            crashes += self.crash()
            self.assertLess(time.monotonic() - begun, 120)
        self.assertGreaterEqual(time.monotonic() - begun, 0.1 + 0.2 + 0.4, "there is no pause between the starts")
        signed = self.count("C_Sign")
        self.assertFalse(self.crash(), "it was started again at once")
        self.assertEqual(self.count("C_Sign"), signed)
        self.assertTrue(any("vendor" in problem and "left alone" in problem for problem in self.health()), self.health())
        self.assertIn("left alone for", self.log())
        self.assert_neighbour_signs()


if __name__ == "__main__":
    run()
