#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tokens that are pulled, put in again, and changed for others, between any two steps of a signature."""
from containing import PIN, ContainTest, gives, never, run, wait_until


class Pulled(ContainTest):
    deadline = 5000

    def pull(self):
        self.vendor.write(slot={"present": "no"})
        self.refresh()

    def begin(self, **behaviour):
        """A consent that waits for the agent."""
        agent = self.agent(**behaviour)
        consent = self.open()
        consent.code = self.last_code
        consent.sign(self.vendor_certificate())
        wait_until(lambda: "awaiting-pin" in consent.states or agent.asked, 60, "the agent")
        return consent, agent

    def test_while_the_pin_is_asked(self):
        consent, agent = self.begin(pin=never)
        wait_until(lambda: "RequestPin" in agent.asked, 60, "the prompt")
        tries = self.count("C_Login")
        self.pull()
        self.assert_finished(consent, "TokenRemoved", retriable=True)
        wait_until(lambda: agent.cancelled, 60, "Cancel")
        self.assertEqual(agent.cancelled, [consent.path])
        self.assertEqual(self.paths("vendor-0"), [])
        self.assertEqual(self.count("C_Login"), tries)
        self.vendor.write()
        self.refresh()
        self.assert_signs(consent, pin=PIN.encode(), certificate=self.vendor_certificate())

    def test_while_the_text_is_shown(self):
        consent, agent = self.begin(confirm=never)
        self.pull()
        self.assert_finished(consent, "TokenRemoved", retriable=True)
        wait_until(lambda: agent.cancelled, 60, "Cancel")

    def test_a_pin_that_comes_too_late_goes_nowhere(self):
        answers = []
        consent, agent = self.begin(pin=lambda details, reply, refuse: answers.append((details, reply, refuse)))
        wait_until(lambda: answers, 60, "the prompt")
        tries = self.count("C_Login")
        self.pull()
        self.vendor.write()
        self.refresh()  # the same card is back before the user has typed
        gives(PIN.encode())(*answers[0])
        self.assert_finished(consent, "TokenRemoved", retriable=True)
        self.assert_neighbour_signs()
        self.assertEqual(self.count("C_Login"), tries)
        self.assertEqual(agent.cancelled, [consent.path])

    def test_in_the_login_and_in_the_signature(self):
        """Once the order to sign is sent behind the login, nobody but the card knows whether it has signed: the code is
        spent."""
        for function in ("C_Login", "C_Sign"):
            with self.subTest(function=function):
                self.vendor.write(f"{function}=hang")
                before = self.count(function)
                consent = self.vendor_start()
                self.wait_for_call(function, before)
                self.pull()
                self.assert_finished(consent, "TokenRemoved", retriable=None if function == "C_Login" else False)
                self.vendor.write()
                self.refresh()
                self.assert_vendor_signs()

    def test_the_same_card_again_is_the_same_certificate(self):
        before = self.vendor_certificate()
        self.pull()
        with self.assertDBusError("NotFound"):
            self.sign(self.open(), pin=PIN.encode(), certificate=before)
        self.vendor.write()
        self.refresh()
        self.assertEqual(self.vendor_certificate(), before)
        self.assert_vendor_signs()


class Changed(ContainTest):
    """Another card in the same slot. The certificate named is of the one before."""

    def start_with(self, certificate):
        consent = self.open()
        self.sign(consent, pin=PIN.encode(), certificate=certificate)
        return consent

    def test_known_to_be_another(self):
        before = self.vendor_certificate()
        self.vendor.write(slot={"serial": "OTHER"})
        self.refresh()
        after = self.vendor_certificate()
        self.assertNotEqual(before, after)
        with self.assertDBusError("NotFound"):
            self.start_with(before)

    def test_not_known_yet(self):
        """The PIN of one card is not tried on another."""
        before = self.vendor_certificate()
        tries = self.count("C_Login")
        self.vendor.write(slot={"serial": "OTHER"})
        self.assert_finished(self.start_with(before), "TokenRemoved", retriable=True)
        self.assertEqual(self.count("C_Login"), tries)

    def test_between_login_and_signature(self):
        before = self.vendor_certificate()
        signed = self.count("C_Sign")
        self.vendor.write("C_FindObjectsInit=slow 500")
        consent = self.start_with(before)
        self.wait_for_call("C_FindObjectsInit", self.count("C_FindObjectsInit"))
        self.vendor.write(slot={"present": "no"})
        self.vendor.write(slot={"serial": "OTHER"})
        success, _error, result = consent.wait(60)
        self.assertFalse(success and self.count("C_Sign") - signed != 1, result)

    def test_the_same_name_and_another_key(self):
        """A card that was made anew, or a fake one: nothing is signed with the other key."""
        before = self.vendor_certificate()
        other = self.shared.pki.issue("other")
        signed = self.count("C_Sign")
        self.vendor.write(key={"key": other.key, "cert": other.certificate})
        consent = self.start_with(before)
        self.assert_finished(consent, "NoCertificate")
        self.assertEqual(self.count("C_Sign"), signed)
        self.assert_nothing_left(consent)

    def test_the_certificate_with_another_key(self):
        other = self.shared.pki.issue("fake")
        self.vendor.write(key={"key": other.key})
        consent = self.start_with(self.vendor_certificate())
        success, error, _result = consent.wait(60)
        self.assertFalse(success)
        self.assertIn(error.rsplit(".", 1)[1], ("NoCertificate", "SignatureInvalid"))
        self.assert_nothing_left(consent)


if __name__ == "__main__":
    run()
