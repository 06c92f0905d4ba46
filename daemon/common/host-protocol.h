/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wire between eonayd and eonay-plugin-host: sd-bus peer to peer over one socket, the host being the server
 * (sd_bus_set_server, anonymous). All methods are on HOST_PATH, HOST_INTERFACE. The host serves one call at a time, in
 * order, except for authorities whose plugin is concurrent. When the socket closes, the host ends.
 *
 * Every reply starts with the outcome, HOST_OUTCOME = (i code, i tries_left, t native_code, s text): code 0 is success,
 * a positive one an EonayError; the payload after it has the same types in both cases (empty when failed). A D-Bus
 * error reply, or a closed socket, means that the host itself is of no use any more.
 *
 * Before each plugin call the host arms a SIGKILL timer with the deadline of that kind of call.
 */
#ifndef EONAY_HOST_PROTOCOL_H
#define EONAY_HOST_PROTOCOL_H

#define HOST_PATH      "/org/eonay/Host1"
#define HOST_INTERFACE "org.eonay.Host1"

#define HOST_OUTCOME "iits"

/*
 * Open: the first call, once. Confines the process, loads the plugin, calls its open().
 *   s kind            "token", "ca", "fetch" or "reader"
 *   s plugin          the plugin's name, as in the manifest; must equal EonayPlugin.name
 *   s library         absolute path of the plugin's shared object
 *   s instance        the configuration section's name, for logs
 *   as needs          "network", "card", "files", "jit": what confinement must leave open
 *   a{ss} config      the instance's configuration keys
 *   a{sh} files       descriptors the daemon passes in place of a path, by configuration key
 *   as read_paths     files or folders the plugin may read
 *   as write_paths    files or folders it may also write
 *   a{sas} libraries  shared objects the plugin will load itself (PKCS#11 modules), by configuration key: candidates,
 *                     best first. The first one that passes (there, owner and mode, ELF class and machine, everything
 * it needs is there too) becomes the key's value. When none does, Open fails with MODULE_MISSING if all are missing,
 * else with the first other condition; the text names each one and what is wrong
 *   as environment    NAME=VALUE, set before loading
 *   a{su} deadlines   milliseconds by HOST_DEADLINE_*
 *   ah leash          none, or one datagram socket: anything that is sent on it ends the host at once (host/leash.h)
 *   s credential      name of a file in $CREDENTIALS_DIRECTORY with the PIN for Logins with HOST_LOGIN_CREDENTIAL; or
 * "" Reply: outcome, s name, s version
 */
#define HOST_METHOD_OPEN "Open"
#define HOST_OPEN_IN     "ssssasa{ss}a{sh}asasa{sas}asa{su}ahs"
#define HOST_OPEN_OUT    HOST_OUTCOME "ss"

#define HOST_DEADLINE_OPEN   "open"   /* loading and open() */
#define HOST_DEADLINE_LIST   "list"   /* list(), inspect() */
#define HOST_DEADLINE_LOGIN  "login"  /* login() with a secret */
#define HOST_DEADLINE_PINPAD "pinpad" /* login() on the reader's keypad */
#define HOST_DEADLINE_SIGN   "sign"   /* sign(), change_pin(), unblock_pin() */
#define HOST_DEADLINE_CA     "ca"     /* every authority call */

/* ------------------------------------------------------------------------------------------------- tokens -- */

/* A token on the wire: a{sv} with Key s, Label s, Serial s, Manufacturer s, Model s, Reader s, State s (empty strings
 * for NULL), Flags u (EONAY_TOKEN_*), PinMin u, PinMax u, Mechanisms u. */
#define HOST_TOKEN "a{sv}"
/* A certificate: ay DER, and a{sv} with Label s, Id ay, Flags u (EONAY_CERT_*). */
#define HOST_CERTIFICATE "(aya{sv})"

/* List: ah secret (none or one pipe) → outcome, a(a{sv}a(aya{sv})) */
#define HOST_METHOD_LIST "List"
#define HOST_LIST_IN     "ah"
#define HOST_LIST_OUT    HOST_OUTCOME "a(" HOST_TOKEN "a" HOST_CERTIFICATE ")"

/*
 * Login: t request, s token key, ah secret (none: reader's keypad), u flags (EONAY_LOGIN_*, HOST_LOGIN_CREDENTIAL) →
 * outcome, a{sv} the token as it is afterwards (empty when it cannot be told, or was not asked for). The secret is read
 * without ever blocking: what is not in the pipe, closed by its writers, does not count. It stays in locked memory
 * until Sign or Abort of the same request, or the next Login.
 */
#define HOST_LOGIN_CREDENTIAL (1u << 31) /* the secret is the credential of Open */
#define HOST_LOGIN_QUIET      (1u << 30) /* after a right secret nobody asks how the token is: it need not be looked at */
#define HOST_METHOD_LOGIN     "Login"
#define HOST_LOGIN_IN         "tsahu"
#define HOST_LOGIN_OUT        HOST_OUTCOME HOST_TOKEN

/*
 * Sign: t request, s token key, ay certificate, u mechanism, aay digests → outcome, aay signatures in the same order.
 * The request must be the one of the successful Login before; the daemon may send it right behind Login without
 * waiting: after a failed Login it fails with CANCELLED. Logs out and erases the secret whatever the outcome.
 */
#define HOST_METHOD_SIGN "Sign"
#define HOST_SIGN_IN     "tsayuaay"
#define HOST_SIGN_OUT    HOST_OUTCOME "aay"

/* Abort: t request → outcome. Logs out and erases the secret. */
#define HOST_METHOD_ABORT "Abort"
#define HOST_ABORT_IN     "t"
#define HOST_ABORT_OUT    HOST_OUTCOME

/* ChangePin: s token, h old, h new; UnblockPin: s token, h puk, h new → outcome, a{sv} token. */
#define HOST_METHOD_CHANGE_PIN  "ChangePin"
#define HOST_METHOD_UNBLOCK_PIN "UnblockPin"
#define HOST_CHANGE_PIN_IN      "shh"
#define HOST_CHANGE_PIN_OUT     HOST_OUTCOME HOST_TOKEN

/* -------------------------------------------------------------------------------------------- authorities -- */

/* Capabilities: → outcome, a{sv}: Name s, Flags u (EONAY_CA_*), CodeLength u, CodeLifetime u */
#define HOST_METHOD_CAPABILITIES "Capabilities"
#define HOST_CAPABILITIES_OUT    HOST_OUTCOME "a{sv}"

/* GetCode: a{ss} (purpose, subject, language, superseded-code) → outcome, a{sv}: Pending b, Code s, Purpose s,
 * CreatedAt t, ExpiresAt t, Now t, Handle s, UserCode s, VerificationUri s, VerificationUriComplete s, Interval u.
 * PollCode: s handle → the same. */
#define HOST_METHOD_GET_CODE  "GetCode"
#define HOST_GET_CODE_IN      "a{ss}"
#define HOST_GET_CODE_OUT     HOST_OUTCOME "a{sv}"
#define HOST_METHOD_POLL_CODE "PollCode"
#define HOST_POLL_CODE_IN     "s"

/* Redeem: s code → outcome, a{sv}: Transaction s, Requester s, Purpose s, Level s, Subject s (empty: whoever signs),
 * CreatedAt t, ExpiresAt t, Now t; then a(ssay) texts: title, media type, bytes. */
#define HOST_METHOD_REDEEM "Redeem"
#define HOST_REDEEM_IN     "s"
#define HOST_REDEEM_OUT    HOST_OUTCOME "a{sv}a(ssay)"

/* Submit: s transaction, s idempotency key, aay signatures → outcome, a{sv}: ReceiptId s, SubmittedAt t */
#define HOST_METHOD_SUBMIT "Submit"
#define HOST_SUBMIT_IN     "ssaay"
#define HOST_SUBMIT_OUT    HOST_OUTCOME "a{sv}"

/* Status: s transaction → outcome, a{sv}: State u (EonayTransactionState), ReceiptId s, SubmittedAt t */
#define HOST_METHOD_STATUS "Status"
#define HOST_STATUS_IN     "s"
#define HOST_STATUS_OUT    HOST_OUTCOME "a{sv}"

/* Approval: s subject → outcome, a{sv}: Approved b, ReceiptId s, TextVersion s, ApprovedAt t */
#define HOST_METHOD_APPROVAL "Approval"
#define HOST_APPROVAL_IN     "s"
#define HOST_APPROVAL_OUT    HOST_OUTCOME "a{sv}"

/* Cancel: s transaction → outcome */
#define HOST_METHOD_CANCEL "Cancel"
#define HOST_CANCEL_IN     "s"
#define HOST_CANCEL_OUT    HOST_OUTCOME

/* ----------------------------------------------------------------------------------------------- fetching -- */

/* Fetch: s url, s content type ("": GET), ay body, u largest answer, u milliseconds, s identity credential ("": none),
 * ay imprint, b the address may lead into the own network → outcome, u HTTP status, ay body. Many at once. */
#define HOST_METHOD_FETCH "Fetch"
#define HOST_FETCH_IN     "ssayuusayb"
#define HOST_FETCH_OUT    HOST_OUTCOME "uay"

/* ------------------------------------------------------------------------------------------------ readers -- */

/*
 * A host of kind "reader" loads no plugin (plugin "reader", library empty) and is the only one that watches PC/SC.
 * After Open it sends the signal Readers whenever something has changed, the first one as soon as it knows: s state
 * "ok", "no-service" (pcscd does not run), "refused" (polkit does not let us) a(sbayb)     every reader: its PC/SC
 * name, whether a card is present, the card's ATR, whether it has a keypad It never polls: it waits in
 * SCardGetStatusChange() without a time limit, and for pcscd's socket with inotify. Rescan: → outcome. Tries pcscd
 * again at once; Readers follows.
 */
#define HOST_SIGNAL_READERS "Readers"

/* Signal of any host with a plugin, "": between two requests, its module has left so much behind that another process
 * should serve the next. The daemon closes the connection unless a call is on its way. */
#define HOST_SIGNAL_ENOUGH "Enough"
#define HOST_READERS       "sa(sbayb)"
#define HOST_METHOD_RESCAN "Rescan"

#endif
