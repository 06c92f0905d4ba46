#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The scripted PKCS#11 module under pkcs11-tool: it signs for real, and it misbehaves as it is told."""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import cards

MODULE = os.environ.get("EONAY_SCRIPTED_MODULE_SO") or os.path.join(
    os.environ.get("EONAY_CARD_TOOLS") or os.path.join(os.environ.get("EONAY_BUILD", "build"), "tests", "cards"),
    "scripted-module", "eonay-scripted-module.so")
PIN, PUK = "123456", "12345678"


class ModuleTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.keys = tempfile.TemporaryDirectory(prefix="module.")
        cls.addClassCleanup(cls.keys.cleanup)
        cards.make_card(cls.keys.name, s9a="rsa2048", s9c="p256", s9d="p384")

    def setUp(self):
        self.work = tempfile.TemporaryDirectory()
        self.addCleanup(self.work.cleanup)
        self.script_path = os.path.join(self.work.name, "module.script")

    def script(self, fault="", module="", slot="", key=""):
        folder = self.keys.name
        with open(self.script_path + ".new", "w") as file:
            file.write(f"[module]\nstate={self.work.name}/state\n{module}\n[slot 0]\n{slot}\n"
                       f"[key 0]\nkey={folder}/9a-key.pem\ncert={folder}/9a-cert.pem\nid=0a\nlabel=RSA\n{key}\n"
                       f"[key 0]\nkey={folder}/9c-key.pem\ncert={folder}/9c-cert.pem\nid=0c\nlabel=curve\n{key}\n"
                       f"[slot 1]\n[key 1]\nkey={folder}/9d-key.pem\ncert={folder}/9d-cert.pem\nid=0d\n[fault]\n{fault}\n")
        os.rename(self.script_path + ".new", self.script_path)

    def run_tool(self, *arguments, timeout=60, module=MODULE):
        environment = dict(os.environ, EONAY_SCRIPTED_MODULE=self.script_path)
        return subprocess.run(["pkcs11-tool", "--module", module, *arguments], capture_output=True, timeout=timeout,
                              env=environment, errors="replace")

    def sign(self, identity="0c", mechanism="ECDSA", pin=PIN, *more, slot="0"):
        with open(f"{self.work.name}/digest", "wb") as file:
            file.write(b"\x11" * 32)
        return self.run_tool("--slot", slot, "--login", "--pin", pin, "--sign", "--id", identity, "-m", mechanism, *more,
                             "-i", f"{self.work.name}/digest", "-o", f"{self.work.name}/signature")

    def verify(self, name, *options):
        public = f"{self.work.name}/public"
        with open(public, "wb") as file:
            file.write(subprocess.run(["openssl", "x509", "-in", f"{self.keys.name}/{name}-cert.pem", "-pubkey", "-noout"],
                                      capture_output=True, check=True).stdout)
        done = subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", public, "-in",
                               f"{self.work.name}/digest", "-sigfile", f"{self.work.name}/signature", *options],
                              capture_output=True, text=True)
        self.assertIn("Verified Successfully", done.stdout, done.stderr)

    def signature(self):
        with open(f"{self.work.name}/signature", "rb") as file:
            return file.read()


class Good(ModuleTest):
    def test_slots_and_objects(self):
        self.script()
        listing = self.run_tool("-L").stdout
        self.assertIn("Scripted 0", listing)
        self.assertIn("Scripted 1", listing)
        self.assertIn("curve", self.run_tool("--slot", "0", "-O").stdout)

    def test_curve_as_two_numbers(self):
        self.script()
        self.assertEqual(self.sign("0c", "ECDSA", PIN, "--signature-format", "openssl").returncode, 0)
        self.verify("9c")
        self.sign()
        self.assertEqual(len(self.signature()), 64)

    def test_curve_as_der(self):
        self.script(slot="ecdsa-der=yes")
        self.assertEqual(self.sign().returncode, 0)
        self.verify("9c")

    def test_rsa(self):
        self.script()
        self.assertEqual(self.sign("0a", "RSA-PKCS").returncode, 0)
        self.verify("9a", "-pkeyopt", "rsa_padding_mode:pkcs1")

    def test_pss(self):
        self.script()
        done = self.sign("0a", "RSA-PKCS-PSS", PIN, "--hash-algorithm", "SHA256", "--mgf", "MGF1-SHA256", "--salt-len", "32")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.verify("9a", "-pkeyopt", "rsa_padding_mode:pss", "-pkeyopt", "rsa_pss_saltlen:32", "-pkeyopt", "digest:sha256")

    def test_always_authenticate(self):
        self.script(key="always-authenticate=yes")
        self.assertEqual(self.sign("0c", "ECDSA", PIN, "--signature-format", "openssl").returncode, 0)
        self.verify("9c")

    def test_script_beside_the_module(self):
        self.script()
        copy = f"{self.work.name}/copy.so"
        shutil.copy(MODULE, copy)
        os.rename(self.script_path, f"{self.work.name}/copy.script")
        environment = {k: v for k, v in os.environ.items() if k != "EONAY_SCRIPTED_MODULE"}
        done = subprocess.run(["pkcs11-tool", "--module", copy, "-L"], capture_output=True, text=True, env=environment)
        self.assertIn("Scripted 1", done.stdout, done.stderr)


class Pin(ModuleTest):
    def test_low_final_locked_unblocked(self):
        self.script()
        for flag in ("user PIN count low", "final user PIN try", "user PIN locked"):
            self.assertIn("CKR_PIN_INCORRECT", self.sign(pin="000000").stderr)
            self.assertIn(flag, self.run_tool("-L").stdout)
        self.assertIn("CKR_PIN_LOCKED", self.sign().stderr)
        done = self.run_tool("--slot", "0", "--login", "--login-type", "so", "--so-pin", PUK, "--init-pin", "--pin", "777777")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("locked", self.run_tool("-L").stdout)

    def test_length_costs_no_try(self):
        self.script()
        self.assertIn("CKR_PIN_LEN_RANGE", self.sign(pin="1").stderr)
        self.assertNotIn("low", self.run_tool("-L").stdout)

    def test_flags_by_script(self):
        self.script(slot="flags=USER_PIN_FINAL_TRY")
        self.assertIn("final user PIN try", self.run_tool("-L").stdout)
        self.script(slot="flags=none\ntries=1")
        self.assertNotIn("final", self.run_tool("-L").stdout)

    def test_locks_at_once(self):
        self.script(slot="lock-at-once=yes\ntries=1")
        self.assertIn("CKR_PIN_LOCKED", self.sign(pin="000000").stderr)

    def test_locked_in_the_middle(self):
        self.script("C_SignInit=return CKR_PIN_LOCKED")
        self.assertIn("CKR_PIN_LOCKED", self.sign().stderr)

    def protected(self, answer):
        self.script(slot=f"protected=yes\nprotected-delay=50\nprotected-answer={answer}")
        with open(f"{self.work.name}/digest", "wb") as file:
            file.write(b"\x11" * 32)
        return self.run_tool("--slot", "0", "--login", "--sign", "--id", "0c", "-m", "ECDSA", "-i",
                             f"{self.work.name}/digest", "-o", f"{self.work.name}/signature")

    def test_keypad(self):
        self.assertEqual(self.protected("accept").returncode, 0)
        self.assertIn("CKR_FUNCTION_CANCELED", self.protected("cancel").stderr)
        self.assertIn("CKR_PIN_INCORRECT", self.protected("wrong").stderr)
        self.assertIn("PIN count low", self.run_tool("-L").stdout)


class Faults(ModuleTest):
    def ends_by(self, fault, number):
        self.script(f"C_Sign={fault}\nC_SignFinal={fault}")
        self.assertEqual(self.sign().returncode, -number)

    def test_segfault(self):
        self.ends_by("segfault", signal.SIGSEGV)

    def test_abort(self):
        self.ends_by("abort", signal.SIGABRT)

    def test_exit(self):
        self.ends_by("exit 42", -42)

    def hangs(self, fault):
        self.script(f"C_OpenSession@1={fault}")
        self.assertEqual(self.sign().returncode, 0)  # the other token is well
        process = subprocess.Popen(["pkcs11-tool", "--module", MODULE, "--slot", "1", "-O"], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, env=dict(os.environ, EONAY_SCRIPTED_MODULE=self.script_path))
        time.sleep(0.5)
        self.assertIsNone(process.poll())
        process.terminate()
        return process

    def test_hang(self):
        self.assertEqual(self.hangs("hang").wait(60), -signal.SIGTERM)

    def test_hang_with_signals_blocked(self):
        process = self.hangs("hang-blocked")
        with self.assertRaises(subprocess.TimeoutExpired):
            process.wait(0.5)
        process.kill()
        self.assertEqual(process.wait(60), -signal.SIGKILL)

    def test_constructor(self):
        self.script(module="constructor=abort")
        self.assertEqual(self.run_tool("-L").returncode, -signal.SIGABRT)

    def test_any_return_value_on_the_nth_call(self):
        self.script("C_SignFinal=return CKR_DEVICE_REMOVED\nC_Sign=return CKR_DEVICE_REMOVED")
        self.assertIn("CKR_DEVICE_REMOVED", self.sign().stderr)
        self.script("C_GetTokenInfo@0=return CKR_TOKEN_NOT_RECOGNIZED")
        self.assertIn("Scripted 1", self.run_tool("-L").stdout)
        self.script("C_FindObjects=return CKR_SESSION_HANDLE_INVALID skip 1 times 1")
        self.assertIn("CKR_SESSION_HANDLE_INVALID", self.run_tool("--slot", "0", "-O").stderr)
        self.script("C_FindObjects=return 0x80000123")
        self.assertIn("0x80000123", self.run_tool("--slot", "0", "-O").stderr)

    def initialize(self, arguments):
        """C_Initialize's answer to what pkcs11-tool does not give: the first function of the list, after the version."""
        code = ("import ctypes, sys; module = ctypes.CDLL(sys.argv[1]); found = ctypes.c_void_p(); "
                "module.C_GetFunctionList(ctypes.byref(found)); "
                "first = ctypes.cast(found.value + 8, ctypes.POINTER(ctypes.c_void_p))[0]; "
                "arguments = (ctypes.c_char * 48)(); "
                "call = ctypes.CFUNCTYPE(ctypes.c_ulong, ctypes.c_void_p)(first); "
                f"print(call({arguments}))")
        done = subprocess.run([sys.executable, "-c", code, MODULE], capture_output=True, text=True, check=True,
                              env=dict(os.environ, EONAY_SCRIPTED_MODULE=self.script_path))
        return int(done.stdout)

    def test_null_arguments_only(self):
        self.script(module="init-args=null")
        self.assertEqual(self.initialize("None"), 0)
        self.assertEqual(self.initialize("arguments"), 7)  # CKR_ARGUMENTS_BAD
        self.script()
        self.assertEqual(self.initialize("arguments"), 0)

    def test_information_of_every_odd_kind(self):
        for style in ("garbage", "unterminated", "huge", "zero"):
            self.script(module=f"info={style}", slot=f"info={style}")
            self.assertEqual(self.run_tool("-I", "-L").returncode, 0, style)

    def test_signatures_that_are_none(self):
        self.script(slot="signature=garbage")
        self.assertEqual(self.sign().returncode, 0)
        self.assertEqual(self.signature(), b"\x5a" * 64)
        self.script(slot="signature=short")
        self.sign()
        self.assertEqual(len(self.signature()), 32)

    def test_slow(self):
        self.script("C_SignFinal=slow 300\nC_Sign=slow 300")
        before = time.monotonic()
        self.assertEqual(self.sign().returncode, 0)
        self.assertGreater(time.monotonic() - before, 0.3)

    def test_a_card_that_is_gone(self):
        self.script(slot="present=no")
        self.assertIn("(empty)", self.run_tool("-L").stdout)

    def test_probes_answer_with_errno(self):
        self.script(f"C_OpenSession=probe-read {self.work.name}/nothing")
        self.assertIn("0x80000002", self.run_tool("--slot", "0", "-O").stderr)
        self.script(f"C_OpenSession=probe-unix {self.work.name}/nothing")
        self.assertIn("0x80000002", self.run_tool("--slot", "0", "-O").stderr)
        self.script("C_OpenSession=probe-read /etc/passwd")
        self.assertIn("0x80000000", self.run_tool("--slot", "0", "-O").stderr)

    def test_a_script_it_does_not_understand(self):
        for part in ({"module": "nonsense=1"}, {"slot": "tries=many"}, {"slot": "flags=WHAT"}, {"slot": "serial=\\xZZ"},
                     {"key": "id=0"}, {"key": "serial-number=odd"}, {"fault": "C_Sign@x=hang"}, {"fault": "C_Sign="}):
            self.script(**part)
            done = self.run_tool("-L")
            self.assertNotEqual(done.returncode, 0, part)
            self.assertIn("not understood", done.stderr)


if __name__ == "__main__":
    if not shutil.which("pkcs11-tool"):
        print("pkcs11-tool is missing", file=sys.stderr)
        sys.exit(cards.SKIP)
    unittest.main()
