# SPDX-License-Identifier: Apache-2.0
"""Eight clients sign as fast as they can; the daemon is killed at random moments, or asked to end, and started again; or
its plugin hosts are killed.

What must hold in the end: every consent has an end; what a client was told is done is done; the journal and the authority
name the same receipts; the token never signed more often than consents had come that far.
"""
import contextlib
import json
import os
import random
import re
import signal
import time
import traceback

import dbus

from bus import BUS_NAME
from client import CONSENT, Client, options, plain
from crash_scene import FINAL, GONE, CrashTest, wait_until
from processes import children_of, wait_for
from testing import ERROR, run

CLIENTS = 8
LEAVES, MOSTLY_LEAVES = 0.2, 0.8  # how often a client leaves in the middle
ROUNDS = 8
ENOUGH = 8  # results
UP_SECONDS = (0.1, 0.8)


class Worker:
    """One client in a process of its own, since the D-Bus library has one main loop a process."""

    def __init__(self, sandbox, number, leaves):
        self.sandbox = sandbox
        self.leaves = leaves
        self.path = sandbox.file(f"worker-{number}")
        self.pid = os.fork()
        if self.pid == 0:
            signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
            try:
                self.work()
            finally:
                traceback.print_exc()
                os._exit(1)

    def work(self):
        random.seed(os.getpid())
        client = None
        with open(self.path, "a", encoding="ascii") as results:
            while True:
                try:
                    client = client or Client(self.sandbox)
                    if random.random() < self.leaves:
                        self.leave_in_the_middle()
                    result = self.sign(client)
                except dbus.exceptions.DBusException as error:
                    gone = error.get_dbus_name() in GONE or self.forgotten(error)
                    result = None if gone else ["refused", error.get_dbus_name()]
                    client = None if gone else client  # its proxies know the daemon that has gone
                    time.sleep(0.01)
                if result:
                    print(json.dumps(result), file=results, flush=True)

    def leave_in_the_middle(self):
        """Opens a consent, perhaps signs, and is gone."""
        client = Client(self.sandbox)
        try:
            consent, certificate = self.opened(client)
            if random.random() < 0.5:
                self.order(consent, certificate)
        finally:
            client.close()

    @staticmethod
    def forgotten(error):
        """The consent was one of the daemon before."""
        return error.get_dbus_name() == "org.freedesktop.DBus.Error.UnknownObject"

    @staticmethod
    def opened(client):
        certificate = client.certificates(usable=True)[0][0]
        path = client.manager.OpenConsent(client.get_code()[0], options())
        return dbus.Interface(client.connection.get_object(BUS_NAME, path, introspect=False), CONSENT), certificate

    def order(self, consent, certificate):
        hashes = dbus.Array([text[2] for text in consent.GetTexts(options())], signature="s")
        consent.Sign(dbus.ObjectPath(certificate), options(accept_text_sha256=hashes, pin=self.sandbox.pin_pipe()))

    def sign(self, client):
        consent, certificate = self.opened(client)
        self.order(consent, certificate)
        while True:
            state = str(consent.GetDetails(options())["State"])
            if state in FINAL:
                break
            if state == "reviewing":  # a Sign() that came to nothing
                state = "refused"
                break
            time.sleep(0.002)
        result = [state, plain(consent.GetReceipt(options())) if state == "done" else {}]
        consent.Close(options())
        return result

    def end(self):
        os.kill(self.pid, signal.SIGTERM)
        return wait_for(self.pid)

    def results(self):
        with open(self.path, encoding="ascii") as results:
            return [json.loads(line) for line in results if line.endswith("\n")]


class Load(CrashTest):
    def under_load(self, disturb, leaves=LEAVES):
        """Rounds of load that `disturb` disturbs; returns the sandbox at rest and what the clients were told."""
        sandbox = self.scene(spy=True)
        sandbox.start_daemon()
        seed = random.randrange(1 << 32)
        print(f"seed {seed}", flush=True)
        chance = random.Random(seed)
        workers = [Worker(sandbox, number, leaves) for number in range(CLIENTS)]
        try:
            for _ in range(ROUNDS):
                time.sleep(chance.uniform(*UP_SECONDS))
                disturb(sandbox, chance)
            wait_until(lambda: sum(len(worker.results()) for worker in workers) >= ENOUGH)
            self.assertTrue(sandbox.daemon.running(), sandbox.daemon.log_tail())
        finally:
            ends = [worker.end() for worker in workers]
        self.assertEqual(ends, [0] * CLIENTS)
        return sandbox, [result for worker in workers for result in worker.results()]

    def assert_all_is_well(self, sandbox, results):
        open_sql = f"SELECT id, state FROM consent WHERE state NOT IN {FINAL}"
        wait_until(lambda: not self.journal(sandbox, open_sql))
        self.assertEqual(self.journal(sandbox, open_sql), [], "consents without an end")
        consents, receipts = self.assert_invariants(sandbox)
        done = {receipt for _, state, receipt, _, _ in consents if state == "done"}
        self.assertEqual(done, set(receipts), "the journal and the authority disagree")
        told = {details["ReceiptId"] for state, details in results if state == "done"}
        self.assertLessEqual(told, done)
        self.assertGreaterEqual(len(told), ENOUGH // 4, "hardly any load")
        came_far = self.journal(sandbox, "SELECT count(*) FROM consent WHERE fingerprint<>''")[0][0]
        self.assertLessEqual(self.calls_of_module(sandbox, "C_Sign"), came_far, "signed more often than recorded")
        for consent_id, state, _, signatures, _ in consents:
            self.assertEqual(state == "done", bool(signatures), f"{consent_id} is {state}")
        return [result for result in results if result[0] != "done"]

    def test_killed(self):
        def kill(sandbox, _chance):
            sandbox.kill_daemon()
            sandbox.start_daemon()

        sandbox, results = self.under_load(kill)
        self.assertEqual(self.assert_all_is_well(sandbox, results), [])

    def test_asked_to_end(self):
        def end(sandbox, _chance):
            self.assertEqual(sandbox.stop_daemon(), 0, sandbox.daemon.log_tail())
            self.assertEqual(self.journal(sandbox, "PRAGMA integrity_check"), [("ok",)])
            sandbox.start_daemon()

        sandbox, results = self.under_load(end, MOSTLY_LEAVES)
        self.assertEqual(self.assert_all_is_well(sandbox, results), [])

    def test_hosts_killed(self):
        def done(sandbox):
            return self.authority(sandbox, "SELECT count(*) FROM approval")[0][0]

        def victims(sandbox):
            """Not the signing host: SoftHSM empties and rewrites its token at every login, and would lose it."""
            signing = re.findall(r"plugin host (\d+) started for softhsm \(sign\)", sandbox.daemon.log())
            return sorted(set(children_of(sandbox.daemon.pid)) - set(map(int, signing)))

        def kill_host(sandbox, chance):
            before = done(sandbox)  # what dies time and again without having done anything is left alone for a minute
            hosts = wait_until(lambda: done(sandbox) > before and victims(sandbox))
            with contextlib.suppress(ProcessLookupError):
                os.kill(chance.choice(hosts), signal.SIGKILL)

        sandbox, results = self.under_load(kill_host)
        failures = self.assert_all_is_well(sandbox, results)
        self.assertLessEqual({tuple(map(str, failure)) for failure in failures},
                             {("refused", ERROR + "PluginCrashed"), ("refused", "{}"), ("failed", "{}")})
        errors = self.journal(sandbox, "SELECT DISTINCT state, error FROM consent WHERE state NOT IN ('done', 'cancelled')")
        self.assertLessEqual(set(errors), {("failed", "PluginCrashed")})


if __name__ == "__main__":
    run()
