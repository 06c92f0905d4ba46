#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Signs a consent through eonayd with busctl:   sign.sh [CODE]
#
# Without a code, one is asked for at the default authority. The agent of the session shows the texts and asks for the PIN.
set -eu
manager="org.eonay.EOnay1 /org/eonay/EOnay1 org.eonay.EOnay1.Manager"

# shellcheck disable=SC2086  # three words
call() {
    busctl --system --timeout=300 --json=short call $manager "$@"
}

# One value is wanted of busctl's JSON: sed is enough; a real script uses jq.
code=${1:-}
if [ -z "$code" ]; then
    answer=$(call GetCode 'sa{sv}' "" 0)
    code=$(echo "$answer" | sed 's/.*"data":\["\([0-9]*\)".*/\1/')
fi
call ListCertificates 'a{sv}' 1 usable b true
receipt=$(call SignConsent 'soa{sv}' "$code" / 0)
echo "$receipt" | sed 's/.*"ReceiptId":{"type":"s","data":"\([^"]*\)"}.*/receipt: \1/'
