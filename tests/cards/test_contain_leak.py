#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A module that leaks. Between two requests its host ends and another takes over, so that no signature suffers; what a
single call may take is limited by the kernel."""
import os

from containing import ContainTest, run, run_for, wait_until

MEMORY_ENOUGH = 256  # MiB, daemon/host/usage.h
MEMORY_MAX = 1024
DESCRIPTORS_ENOUGH = 64
DESCRIPTORS_MAX = 256
STEP = 48  # MiB


def limits(pid):
    with open(f"/proc/{pid}/limits", encoding="ascii") as file:
        return {line[:26].strip(): line[26:].split()[1] for line in file}


class Leak(ContainTest):
    deadline = 10000  # memory is touched as it is taken

    def sign_until_replaced(self):
        """Signatures until another process makes them: how many the first made."""
        first = None
        for made in range(100):
            self.assert_vendor_signs().close()
            signer = self.calls("C_Sign")[-1][0]
            first = first or signer
            if signer != first:
                self.assertFalse(os.path.exists(f"/proc/{first}") and not self.is_zombie(first))
                return made
        self.fail("one process made them all")

    @staticmethod
    def is_zombie(pid):
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] == "Z"

    def test_memory(self):
        self.kill_signer()
        self.vendor.write(f"C_Sign=leak {STEP << 10}")
        made = self.sign_until_replaced()
        self.assertIn(made, range(MEMORY_ENOUGH // STEP // 2, MEMORY_ENOUGH // STEP + 2))
        self.assertIn("left too much behind", self.log())

    def test_descriptors(self):
        self.kill_signer()
        self.vendor.write("C_Sign=leak-descriptor")
        self.assertIn(self.sign_until_replaced(), range(DESCRIPTORS_ENOUGH // 2, DESCRIPTORS_ENOUGH))

    def test_of_the_one_that_lists(self):
        self.vendor.write(f"C_GetTokenInfo=leak {STEP << 10}")
        pids = set()

        def replaced():
            self.refresh()
            self.assertEqual(self.health(), [])
            pids.add(self.calls("C_GetTokenInfo")[-1][0])
            return len(pids) > 2
        wait_until(replaced, 60, "another process")

    def test_what_one_call_may_take(self):
        """More than there may be is not given; the module hears of it from malloc(), and goes on or dies."""
        signer = self.calls("C_Sign")[-1][0]
        self.assertEqual(limits(signer)["Max open files"], str(DESCRIPTORS_MAX))
        self.assertEqual(limits(signer)["Max core file size"], "0")
        if limits(signer)["Max data size"] == "unlimited":
            return  # built with a sanitizer, whose own data is more
        self.assertEqual(limits(signer)["Max data size"], str(MEMORY_MAX << 20))
        self.vendor.write(f"C_Sign=leak {2 * MEMORY_MAX << 10}")
        self.assert_vendor_signs()
        with open(f"/proc/{signer}/status", encoding="ascii") as file:
            peak = next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
        self.assertLess(peak >> 10, MEMORY_MAX)

    def test_a_good_module_stays(self):
        before = self.calls("C_Sign")[-1][0]
        for _ in range(20):
            self.assert_vendor_signs().close()
        run_for(0.2)
        self.assertEqual({pid for pid, _name in self.calls("C_Sign")}, {before})


if __name__ == "__main__":
    run()
