/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one table of every documented condition.
 *
 * Each row is X(NUMBER, ID, "Name", TEXT, HINT, CKR...):
 *   NUMBER  value of EONAY_ERROR_<ID>, part of the plugin ABI: never reused, never changed
 *   ID      C identifier
 *   Name    last element of the D-Bus error name org.eonay.EOnay1.Error.<Name>
 *   TEXT    what happened, in English, one sentence (translated through gettext domain "eonay")
 *   HINT    the next step to take, one sentence (translated likewise)
 *   CKR...  PKCS#11 return values (PKCS#11 v2.40, section 11.1) that mean this condition; may be empty
 *
 * A return value of 0 is success, a positive one is a row of this table, a negative one is an errno and fatal.
 */
#ifndef EONAY_ERROR_TABLE_H
#define EONAY_ERROR_TABLE_H

#ifndef N_
#define N_(s) s
#endif

/* clang-format off */
#define EONAY_ERROR_TABLE(X) \
    /* the verification code */ \
    X(1, CODE_INVALID, "CodeInvalid", \
        N_("This is not a verification code: it must have exactly 15 digits."), \
        N_("Copy the code again from the page of the authority and paste it whole.")) \
    X(2, CODE_UNKNOWN, "CodeUnknown", \
        N_("The authority does not know this verification code."), \
        N_("Check the digits, or get a new code.")) \
    X(3, CODE_EXPIRED, "CodeExpired", \
        N_("The verification code has expired."), \
        N_("Get a new code; it must be used while its remaining time runs.")) \
    X(4, CODE_USED, "CodeUsed", \
        N_("The verification code has already been used."), \
        N_("Get a new code; each code opens one consent only.")) \
    X(5, CODE_SUPERSEDED, "CodeSuperseded", \
        N_("A newer verification code has replaced this one."), \
        N_("Use the newest code shown on the page of the authority.")) \
    X(6, CODE_PENDING, "CodePending", \
        N_("The verification code is not ready yet: the login in the browser is still open."), \
        N_("Finish the login in the browser and wait for the code.")) \
    X(7, CODE_DENIED, "CodeDenied", \
        N_("The login or the approval in the browser was refused."), \
        N_("Ask for a code again and accept the text in the browser.")) \
    X(8, RATE_LIMITED, "RateLimited", \
        N_("Too many attempts in a short time."), \
        N_("Wait a minute and try again.")) \
    X(9, ALREADY_APPROVED, "AlreadyApproved", \
        N_("The authority already holds this approval."), \
        N_("Nothing needs to be signed again; see the approval with 'eonayctl status'.")) \
    /* the text */ \
    X(10, TEXT_UNSAFE, "TextUnsafe", \
        N_("The text to be signed cannot be shown safely: it is not valid UTF-8 or contains hidden characters."), \
        N_("Do not sign it; tell the authority.")) \
    X(11, TEXT_MISMATCH, "TextMismatch", \
        N_("The confirmed text is not the text that would be signed."), \
        N_("Show the texts of this consent again and pass their SHA-256 values.")) \
    /* the certificate */ \
    X(12, NO_CERTIFICATE, "NoCertificate", \
        N_("No usable certificate was found."), \
        N_("Insert your card; 'eonayctl certs' shows each certificate and why it cannot be used.")) \
    X(13, CERTIFICATE_NOT_SUITABLE, "CertificateNotSuitable", \
        N_("This certificate cannot be used for an E-Onay consent."), \
        N_("Choose the qualified certificate of a person; 'eonayctl certs' shows the reasons.")) \
    X(14, CERTIFICATE_EXPIRED, "CertificateExpired", \
        N_("The certificate has expired."), \
        N_("Apply to the authority for a new certificate.")) \
    X(15, CERTIFICATE_NOT_YET_VALID, "CertificateNotYetValid", \
        N_("The certificate is not valid yet."), \
        N_("Use your previous card until the new certificate's first day, and check the clock of this computer.")) \
    X(16, CERTIFICATE_REVOKED, "CertificateRevoked", \
        N_("The certificate has been revoked."), \
        N_("Apply to the authority for a new certificate.")) \
    X(17, CERTIFICATE_SUSPENDED, "CertificateSuspended", \
        N_("The certificate is suspended."), \
        N_("Reactivate it on the page of the authority, then try again.")) \
    X(18, IDENTITY_MISMATCH, "IdentityMismatch", \
        N_("The certificate belongs to somebody other than the person the code was given to."), \
        N_("Sign with your own certificate and a code you asked for yourself.")) \
    /* the token and its PIN */ \
    X(19, TOKEN_REMOVED, "TokenRemoved", \
        N_("The card or token was removed."), \
        N_("Insert it again and start over."), \
        0x00000032 /* CKR_DEVICE_REMOVED */, 0x000000E0 /* CKR_TOKEN_NOT_PRESENT */, \
        0x000000E1 /* CKR_TOKEN_NOT_RECOGNIZED */, 0x00000003 /* CKR_SLOT_ID_INVALID */, \
        0x000000B3 /* CKR_SESSION_HANDLE_INVALID */, \
        0x000000B0 /* CKR_SESSION_CLOSED */) \
    X(20, PIN_REQUIRED, "PinRequired", \
        N_("A PIN is needed."), \
        N_("Pass the PIN through a pipe, or register an agent that asks for it."), \
        0x00000101 /* CKR_USER_NOT_LOGGED_IN */, 0x00000102 /* CKR_USER_PIN_NOT_INITIALIZED */) \
    X(21, PIN_INCORRECT, "PinIncorrect", \
        N_("The PIN is wrong."), \
        N_("Type it again with care: a card locks itself after a few wrong PINs."), \
        0x000000A0 /* CKR_PIN_INCORRECT */, 0x000000A1 /* CKR_PIN_INVALID */) \
    X(22, PIN_FEW_TRIES_LEFT, "PinFewTriesLeft", \
        N_("You have already entered a wrong PIN for this token, so no further try is spent."), \
        N_("If the card is yours, take it out, insert it again and type the PIN with care.")) \
    X(23, PIN_FINAL_TRY, "PinFinalTry", \
        N_("Only one try is left before the token locks itself."), \
        N_("If you are sure of the PIN, try again and allow the final try.")) \
    X(24, PIN_LOCKED, "PinLocked", \
        N_("The PIN of this token is locked."), \
        N_("Unlock it with the token's PUK or through the authority; the 15-digit verification code is not a PUK."), \
        0x000000A4 /* CKR_PIN_LOCKED */) \
    X(25, PIN_FORMAT, "PinFormat", \
        N_("This cannot be the PIN: its length or its characters do not fit the token."), \
        N_("Type the PIN without spaces; no try was spent."), \
        0x000000A2 /* CKR_PIN_LEN_RANGE */) \
    X(26, PIN_PAD_REQUIRED, "PinPadRequired", \
        N_("The PIN of this token is entered on its reader or phone, not in the program."), \
        N_("Start again without a PIN and look at the reader.")) \
    /* the conversation */ \
    X(27, NO_AGENT, "NoAgent", \
        N_("No agent is there to show the text and ask for the PIN."), \
        N_("Start 'eonayctl agent' in your session, or pass the confirmed texts and the PIN with the call.")) \
    X(28, CANCELLED, "Cancelled", \
        N_("The consent was cancelled."), \
        N_("Nothing was signed; get a new code to begin again."), \
        0x00000050 /* CKR_FUNCTION_CANCELED */) \
    X(29, BUSY, "Busy", \
        N_("The token is busy with other signatures."), \
        N_("Try again in a moment.")) \
    X(30, TIMED_OUT, "TimedOut", \
        N_("It took too long."), \
        N_("Try again; a PIN pipe must be written and closed at once.")) \
    X(31, DESCRIPTOR_INVALID, "DescriptorInvalid", \
        N_("The file descriptor passed is not of the kind this call needs."), \
        N_("A PIN is the read end of a pipe; every other content is a sealed memfd.")) \
    X(32, FILE_INVALID, "FileInvalid", \
        N_("The file cannot be read as what it should be."), \
        N_("Check that it is a whole, undamaged file of the right kind.")) \
    /* modules and plugins */ \
    X(33, MECHANISM_UNSUPPORTED, "MechanismUnsupported", \
        N_("The token offers no signature method that may be used."), \
        N_("Use another certificate; its key type or the token does not support a permitted algorithm."), \
        0x00000070 /* CKR_MECHANISM_INVALID */, 0x00000071 /* CKR_MECHANISM_PARAM_INVALID */, \
        0x00000063 /* CKR_KEY_TYPE_INCONSISTENT */, 0x00000068 /* CKR_KEY_FUNCTION_NOT_PERMITTED */) \
    X(34, MODULE_MISSING, "ModuleMissing", \
        N_("A library that this token or authority needs is not installed."), \
        N_("Install the package of its maker, or correct the path in the configuration.")) \
    X(35, MODULE_INVALID, "ModuleInvalid", \
        N_("A configured library is not what it should be: wrong architecture, or not such a module."), \
        N_("Install the right package for this machine, or correct the path in the configuration.")) \
    X(36, MODULE_UNTRUSTED, "ModuleUntrusted", \
        N_("A configured library could be changed by others and was not loaded."), \
        N_("It must belong to root and be writable by nobody else, and so must its folders.")) \
    X(37, PLUGIN_FAILED, "PluginFailed", \
        N_("The plugin or the token's library reported a failure."), \
        N_("Take the card out and insert it again; the journal has the library's own error number."), \
        0x00000005 /* CKR_GENERAL_ERROR */, 0x00000006 /* CKR_FUNCTION_FAILED */, \
        0x00000030 /* CKR_DEVICE_ERROR */, 0x00000031 /* CKR_DEVICE_MEMORY */, \
        0x00000002 /* CKR_HOST_MEMORY */, 0x00000054 /* CKR_FUNCTION_NOT_SUPPORTED */) \
    X(38, PLUGIN_CRASHED, "PluginCrashed", \
        N_("The process that talks to the token or authority ended unexpectedly."), \
        N_("Try again; if it happens again, the journal names the library that fails.")) \
    X(39, PLUGIN_TIMEOUT, "PluginTimeout", \
        N_("The token's library or the authority's plugin did not answer in time and was ended."), \
        N_("Take the card out, insert it again and try once more.")) \
    /* the authority */ \
    X(40, BACKEND_UNKNOWN, "BackendUnknown", \
        N_("No authority of this name is configured."), \
        N_("See the configured ones with 'eonayctl status'.")) \
    X(41, BACKEND_UNREACHABLE, "BackendUnreachable", \
        N_("The authority cannot be reached."), \
        N_("Check the network connection and try again.")) \
    X(42, BACKEND_REJECTED, "BackendRejected", \
        N_("The authority refused the signature."), \
        N_("Get a new code and try again; if it happens again, ask the authority.")) \
    X(43, BACKEND_PROTOCOL, "BackendProtocol", \
        N_("The authority gave an answer that makes no sense."), \
        N_("Tell the administrator; the journal has the details.")) \
    /* ourselves */ \
    X(44, STORAGE_FAILED, "StorageFailed", \
        N_("The records cannot be written or read."), \
        N_("Free some disk space, or see the journal for the damaged file; nothing was signed without a record.")) \
    X(45, NOT_FOUND, "NotFound", \
        N_("There is no such thing, or it is not yours."), \
        N_("List what there is with 'eonayctl consents', 'certs' or 'tokens'.")) \
    X(46, SIGNATURE_INVALID, "SignatureInvalid", \
        N_("The signature did not pass verification and was discarded."), \
        N_("Try another token; the journal names the check that failed.")) \
    X(47, SUBJECT_INVALID, "SubjectInvalid", \
        N_("This is not a valid T.C. identity number."), \
        N_("Check its eleven digits.")) \
    X(48, UNSUPPORTED, "Unsupported", \
        N_("This token or authority does not offer this function."), \
        N_("Use the tool of the token's maker or the page of the authority.")) \
    X(49, INTERRUPTED, "Interrupted", \
        N_("The service was stopped in the middle of a signature, so the code is spent and nothing was sent."), \
        N_("Get a new code and sign again.")) \
    X(50, BACKEND_UNTRUSTED, "BackendUntrusted", \
        N_("The server that answered could not prove that it is the authority, so nothing was sent to it."), \
        N_("Check this computer's date and the network's login page; if both are right, tell the administrator.")) \
    /* what stands behind a signature */ \
    X(51, LEVEL_UNREACHABLE, "LevelUnreachable", \
        N_("The signature level that the authority asks for cannot be reached here, so nothing was signed."), \
        N_("Tell the administrator: time-stamp authorities, trust anchors and the network decide what can be reached.")) \
    X(52, REVOCATION_UNKNOWN, "RevocationUnknown", \
        N_("It could not be found out whether the certificate has been revoked."), \
        N_("Check the network connection and try again; the detail names what did not answer.")) \
    X(53, TIMESTAMP_FAILED, "TimestampFailed", \
        N_("No time-stamp authority gave a good time stamp."), \
        N_("Get a new code and try again; the journal names each authority and what was wrong."))
/* clang-format on */

#endif
