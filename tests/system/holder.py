# SPDX-License-Identifier: Apache-2.0
"""Run by a citizen of the booted machine: gets a code, opens its consent, prints one line of JSON (code, path, text), and after a
line on standard input says whether the consent is still there."""
import json
import sys

import dbus

NAME, ROOT = "org.eonay.EOnay1", "/org/eonay/EOnay1"
NONE = dbus.Dictionary({}, signature="sv")

bus = dbus.SystemBus()
manager = dbus.Interface(bus.get_object(NAME, ROOT, introspect=False), NAME + ".Manager")
code, _ = manager.GetCode("", NONE)
path = manager.OpenConsent(code, NONE)
consent = dbus.Interface(bus.get_object(NAME, path, introspect=False), NAME + ".Consent")
texts = consent.GetTexts(NONE)
print(json.dumps({"code": str(code), "path": str(path), "text": bytes(texts[0][3]).decode()}), flush=True)
sys.stdin.readline()
print(str(consent.GetDetails(NONE)["State"]), flush=True)
