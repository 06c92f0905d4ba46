/* SPDX-License-Identifier: Apache-2.0 */
/* MESSAGE_IDs of every warning and error (journalctl MESSAGE_ID=…). Made once with `systemd-id128 new`; never reused.
 */
#ifndef EONAY_MESSAGES_H
#define EONAY_MESSAGES_H

#define MESSAGE_CONFIG_INVALID     "8a3b0d1b9c4f4c0f8f6e2a7d51c0e101"
#define MESSAGE_MANIFEST_REFUSED   "8a3b0d1b9c4f4c0f8f6e2a7d51c0e102"
#define MESSAGE_HOST_ENDED         "8a3b0d1b9c4f4c0f8f6e2a7d51c0e103"
#define MESSAGE_HOST_QUARANTINED   "8a3b0d1b9c4f4c0f8f6e2a7d51c0e104"
#define MESSAGE_HOST_FAILED        "8a3b0d1b9c4f4c0f8f6e2a7d51c0e105"
#define MESSAGE_STORAGE_FAILED     "8a3b0d1b9c4f4c0f8f6e2a7d51c0e106"
#define MESSAGE_CONSENT_DONE       "8a3b0d1b9c4f4c0f8f6e2a7d51c0e107"
#define MESSAGE_CONSENT_FAILED     "8a3b0d1b9c4f4c0f8f6e2a7d51c0e108"
#define MESSAGE_SIGNATURE_REFUSED  "8a3b0d1b9c4f4c0f8f6e2a7d51c0e109"
#define MESSAGE_PIN_INCORRECT      "8a3b0d1b9c4f4c0f8f6e2a7d51c0e10a"
#define MESSAGE_RECOVERED          "8a3b0d1b9c4f4c0f8f6e2a7d51c0e10b"
#define MESSAGE_BUS_FAILED         "8a3b0d1b9c4f4c0f8f6e2a7d51c0e10c"
#define MESSAGE_BACKEND_ANSWER     "8a3b0d1b9c4f4c0f8f6e2a7d51c0e10d"
#define MESSAGE_PCSC_STATE         "8a3b0d1b9c4f4c0f8f6e2a7d51c0e10e"
#define MESSAGE_DEFINITION_REFUSED "8a3b0d1b9c4f4c0f8f6e2a7d51c0e10f"
#define MESSAGE_NOT_AUTHORISED     "8a3b0d1b9c4f4c0f8f6e2a7d51c0e110"
#define MESSAGE_POLKIT_SILENT      "8a3b0d1b9c4f4c0f8f6e2a7d51c0e111"
#define MESSAGE_FETCH_FAILED       "8a3b0d1b9c4f4c0f8f6e2a7d51c0e114"
#define MESSAGE_CONFINEMENT_WEAK   "8a3b0d1b9c4f4c0f8f6e2a7d51c0e120"
#define MESSAGE_CONFINEMENT_FAILED "8a3b0d1b9c4f4c0f8f6e2a7d51c0e121"
#define MESSAGE_PLUGIN_ANSWER      "8a3b0d1b9c4f4c0f8f6e2a7d51c0e122"
#define MESSAGE_PLUGIN_MEMORY      "8a3b0d1b9c4f4c0f8f6e2a7d51c0e123"
#define MESSAGE_PLUGIN_SAYS        "8a3b0d1b9c4f4c0f8f6e2a7d51c0e124"

#endif
