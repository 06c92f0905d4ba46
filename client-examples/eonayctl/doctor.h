/* SPDX-License-Identifier: Apache-2.0 */
/* What eonayctl doctor knows of: one row a fault, in the order in which things depend on each other. */
#ifndef EONAYCTL_DOCTOR_H
#define EONAYCTL_DOCTOR_H

#include <jansson.h>

#include "ctl.h"

/*
 * X(ID, NAME, TEXT, ADVICE, COMMAND)
 *   NAME     for programs, never changed
 *   TEXT     what is wrong
 *   ADVICE   what to do, in words
 *   COMMAND  what to type; %s is the path, token or program that is meant
 */
/* clang-format off */
#define DOCTOR_TABLE(X) \
    /* the way to the service */ \
    X(SANDBOXED, "sandboxed", \
        N_("This program runs in a Flatpak sandbox that does not let it reach the E-Onay service."), \
        N_("Allow it to talk to this one name of the system bus; nothing else is needed."), \
        "flatpak override --user --system-talk-name=org.eonay.EOnay1 %s") \
    X(BUS_UNREACHABLE, "bus-unreachable", \
        N_("The message bus cannot be reached."), \
        N_("Start it, or correct the address given with --bus or in DBUS_SYSTEM_BUS_ADDRESS."), \
        "sudo systemctl start dbus.socket") \
    X(SERVICE_STOPPED, "service-stopped", \
        N_("The E-Onay service is not running."), \
        N_("Start it, and let it start with the computer."), \
        "sudo systemctl enable --now eonayd") \
    X(SERVICE_BROKEN, "service-broken", \
        N_("The E-Onay service could not be started."), \
        N_("Its messages tell why."), \
        "sudo journalctl -u eonayd -n 50") \
    X(SERVICE_DENIED, "service-denied", \
        N_("You are not allowed to use the E-Onay service on this bus."), \
        N_("The service's rule for the bus is missing or was not read: install it again and let the bus read it."), \
        "sudo apt install --reinstall eonayd && sudo systemctl reload dbus") \
    X(SERVICE_SILENT, "service-silent", \
        N_("The E-Onay service does not answer."), \
        N_("Restart it."), \
        "sudo systemctl restart eonayd") \
    X(VERSION_DIFFERS, "version-differs", \
        N_("The running service and this program are of different versions."), \
        N_("Restart the service, so that the installed one runs."), \
        "sudo systemctl restart eonayd") \
    X(POLKIT_SILENT, "polkit-silent", \
        N_("polkit, which decides what you may do, does not answer, so nothing is allowed."), \
        N_("Install it (package polkitd), and start it again."), \
        "sudo systemctl restart polkit") \
    X(NOT_AUTHORISED, "not-authorised", \
        N_("polkit does not let you see certificates in this session."), \
        N_("Work in your own session at this computer, not through ssh or sudo; this shows what polkit says:"), \
        "pkcheck --action-id org.eonay.eonay1.list-certificates --process $$ --allow-user-interaction") \
    X(NO_AGENT, "no-agent", \
        N_("Nobody in your session would show a text and ask for the PIN when another program wants a signature."), \
        N_("Start the agent and leave it running."), \
        "eonayctl agent") \
    /* the service itself */ \
    X(CONFIGURATION, "configuration", \
        N_("The configuration has a mistake."), \
        N_("Correct the line, then restart the service; eonayd.conf(5) lists the keys."), \
        "sudoedit %s && sudo systemctl restart eonayd") \
    X(STORAGE, "storage", \
        N_("The records cannot be written or read, so nothing can be signed."), \
        N_("Free some disk space, or see which file is damaged."), \
        "sudo journalctl -u eonayd -p err -n 20") \
    X(DISK_NEARLY_FULL, "disk-nearly-full", \
        N_("The disk with the records is nearly full; without a record nothing is signed."), \
        N_("Free some disk space."), \
        "df -h %s") \
    /* readers */ \
    X(PCSCD_MISSING, "pcscd-missing", \
        N_("The smart card service pcscd is not installed."), \
        N_("Install it."), \
        "sudo apt install pcscd") \
    X(PCSCD_STOPPED, "pcscd-stopped", \
        N_("The smart card service pcscd is not running."), \
        N_("Start it, and let it start with the computer."), \
        "sudo systemctl enable --now pcscd.socket") \
    X(PCSCD_REFUSES, "pcscd-refuses", \
        N_("The smart card service pcscd does not let the E-Onay service in."), \
        N_("The service's rule for polkit is missing or was not read: install it again."), \
        "sudo apt install --reinstall eonayd && sudo systemctl restart polkit pcscd") \
    X(PROC_HIDDEN, "proc-hidden", \
        N_("The processes of others are hidden (hidepid), so pcscd cannot see who asks and refuses everybody."), \
        N_("Show them, or let the group of pcscd see them."), \
        "sudo mount -o remount,hidepid=0 /proc") \
    X(READERS_UNWATCHED, "readers-unwatched", \
        N_("The process that watches the card readers keeps ending."), \
        N_("Restart the service; its messages tell why it ended."), \
        "sudo systemctl restart eonayd") \
    X(NO_READER, "no-reader", \
        N_("There is no card reader and no token."), \
        N_("Plug the reader in, into another socket if need be; it must be in this list:"), \
        "lsusb") \
    X(READER_EMPTY, "reader-empty", \
        N_("The reader is empty."), \
        N_("Insert the card, chip first, until it stops; then look again."), \
        "eonayctl tokens --refresh") \
    /* modules */ \
    X(CARD_UNREAD, "card-unread", \
        N_("A card or token is there, but it cannot be read."), \
        N_("Install what its maker offers for Linux, or a library that reads many kinds of cards."), \
        "sudo apt install opensc-pkcs11") \
    X(MODULE_MISSING, "module-missing", \
        N_("A library that this token or authority needs is not installed."), \
        N_("Install the package of its maker, or correct the path in the configuration."), \
        "sudoedit /etc/eonay/eonayd.conf") \
    X(MODULE_NEEDS_LIBRARY, "module-needs-library", \
        N_("A configured library needs another library that is not installed."), \
        N_("Install the package that has it; this finds it:"), \
        "sudo apt install apt-file && sudo apt-file update && apt-file search %s") \
    X(MODULE_ARCHITECTURE, "module-architecture", \
        N_("A configured library was built for another kind of computer."), \
        N_("Install the maker's package for this kind; this shows both:"), \
        "file -L %s; dpkg --print-architecture") \
    X(MODULE_INVALID, "module-invalid", \
        N_("A configured library is not what it should be."), \
        N_("Install it again, or correct the path in the configuration; this shows what the file is:"), \
        "file -L %s") \
    X(MODULE_UNTRUSTED, "module-untrusted", \
        N_("A configured library could be changed by others and was not loaded."), \
        N_("It must belong to root and be writable by nobody else."), \
        "sudo chown root:root %s && sudo chmod go-w %s && sudo systemctl restart eonayd") \
    X(MODULE_CRASHES, "module-crashes", \
        N_("The process that talks to the token or authority keeps ending unexpectedly."), \
        N_("Update the library of its maker; this tries it again:"), \
        "eonayctl tokens --refresh") \
    X(MODULE_HANGS, "module-hangs", \
        N_("The token's library or the authority's plugin did not answer in time and was ended."), \
        N_("Take the card out and insert it again; this tries it again:"), \
        "eonayctl tokens --refresh") \
    X(MODULE_FAILS, "module-fails", \
        N_("The plugin or the token's library reports a failure."), \
        N_("Take the card out and insert it again; the messages have the library's own error number."), \
        "sudo journalctl -u eonayd -n 50") \
    /* the PIN */ \
    X(PIN_LOCKED, "pin-locked", \
        N_("The PIN of this token is locked."), \
        N_("Unlock it with its PUK, or through the authority; the 15-digit verification code is not a PUK."), \
        "eonayctl pin unblock %s") \
    X(PIN_FINAL_TRY, "pin-final-try", \
        N_("Only one try is left before the PIN locks itself."), \
        N_("Use it only if you are sure; else set a new PIN with the PUK."), \
        "eonayctl pin unblock %s") \
    X(PIN_LOW, "pin-low", \
        N_("A wrong PIN was entered for this token."), \
        N_("Type the PIN with care the next time; a right one brings all tries back, when signing or here:"), \
        "eonayctl pin change %s") \
    /* certificates */ \
    X(CERTIFICATE_EXPIRED, "certificate-expired", \
        N_("The certificate has expired."), \
        N_("Apply to the authority for a new one; this shows all that there are:"), \
        "eonayctl certs --all") \
    X(CERTIFICATE_EXPIRES, "certificate-expires", \
        N_("The certificate expires within 60 days."), \
        N_("Apply for a new one now, while this one can still sign the application."), \
        "eonayctl certs") \
    X(CERTIFICATE_EARLY, "certificate-not-yet-valid", \
        N_("The certificate is not valid yet."), \
        N_("Wait for its first day; if that is past, the clock of this computer is wrong. This sets it:"), \
        "sudo timedatectl set-ntp true") \
    X(CERTIFICATE_REFUSED, "certificate-refused", \
        N_("A qualified certificate cannot be used."), \
        N_("The reasons are these:"), \
        "eonayctl certs --all") \
    X(NO_QUALIFIED, "no-qualified-certificate", \
        N_("There is no qualified certificate of a person on your tokens."), \
        N_("Insert the card of your qualified certificate (NES); this shows what was found and why it does not do:"), \
        "eonayctl certs --all") \
    /* authorities */ \
    X(NO_AUTHORITY, "no-authority", \
        N_("No authority is configured."), \
        N_("Add a section [Backend NAME]; eonayd.conf(5) has an example."), \
        "sudoedit /etc/eonay/eonayd.conf && sudo systemctl restart eonayd") \
    X(NO_DEFAULT_AUTHORITY, "no-default-authority", \
        N_("The default authority is not among the configured ones."), \
        N_("Correct DefaultBackend in the section [Daemon]."), \
        "sudoedit /etc/eonay/eonayd.conf && sudo systemctl restart eonayd") \
    X(AUTHORITY_UNREACHABLE, "authority-unreachable", \
        N_("The authority could not be reached when it was asked last."), \
        N_("Check the network connection, and a proxy if there is one."), \
        "nmcli networking connectivity check") \
    X(AUTHORITY_UNTRUSTED, "authority-untrusted", \
        N_("Another server answered in the authority's place, or its certificate is not accepted."), \
        N_("Check the date, and whether the network wants a login; the messages of the service name the check that failed."), \
        "sudo journalctl -u eonayd -n 50") \
    X(AUTHORITY_FAILS, "authority-fails", \
        N_("The authority cannot be used."), \
        N_("The messages of the service tell why."), \
        "sudo journalctl -u eonayd -n 50") \
    /* this computer */ \
    X(CLOCK_BEHIND, "clock-behind", \
        N_("The clock of this computer is behind: there are files that are newer than now."), \
        N_("Set it by the network."), \
        "sudo timedatectl set-ntp true") \
    X(TIME_ZONE, "time-zone", \
        N_("The time zone is not known, so times are shown in UTC."), \
        N_("Set it, and take the variable TZ out of your environment."), \
        "sudo timedatectl set-timezone Europe/Istanbul") \
    X(LOCALE, "locale", \
        N_("The language set for your session is not installed."), \
        N_("Install it, or choose another in LANG."), \
        "sudo locale-gen %s") \
    X(OTHER, "other", \
        N_("The service reports a problem."), \
        N_("Its messages tell more."), \
        "sudo journalctl -u eonayd -n 50")
/* clang-format on */

typedef enum DoctorFault {
#define DOCTOR_ID_(id, name, text, advice, command) DOCTOR_##id,
    DOCTOR_TABLE(DOCTOR_ID_)
#undef DOCTOR_ID_
        DOCTOR_N_FAULTS,
} DoctorFault;

typedef struct Doctor {
    Ctl *ctl;
    json_t *found; /* objects with Fault, Text, Advice, Command, Detail, in the order of the table */
} Doctor;

/* detail: particulars for people, made harmless here; argument: for %s of the command. Both may be NULL. */
void doctor_found(Doctor *d, DoctorFault fault, const char *detail, const char *argument);
bool doctor_has_found(const Doctor *d, DoctorFault fault);

/* This computer, without the service. */
void doctor_check_system(Doctor *d);
/* Connects and asks the service about itself, once it has looked at the tokens. Returns whether it can be asked more.
 */
bool doctor_check_service(Doctor *d);
/* Readers, tokens, certificates; after the service, which explains what is missing. */
void doctor_check_tokens(Doctor *d);

#endif
