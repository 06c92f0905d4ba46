#!/usr/bin/gjs
// SPDX-License-Identifier: Apache-2.0
// Signs a consent through eonayd:   gjs sign.js CODE
//
// The agent of the session shows the texts and asks for the PIN. Needs gjs alone.
const {Gio, GLib} = imports.gi;
const System = imports.system;

const NAME = 'org.eonay.EOnay1';
const ROOT = '/org/eonay/EOnay1';
const TIMEOUT = 300 * 1000; // a person is asked

const bus = Gio.bus_get_sync(Gio.BusType.SYSTEM, null);

function call(path, iface, member, parameters) {
    const flags = Gio.DBusCallFlags.ALLOW_INTERACTIVE_AUTHORIZATION;
    return bus.call_sync(NAME, path, `${NAME}.${iface}`, member, parameters, null, flags, TIMEOUT, null).recursiveUnpack();
}

function sign(code) {
    const [certificates] = call(ROOT, 'Manager', 'ListCertificates', new GLib.Variant('(a{sv})', [{}]));
    for (const [path, details] of certificates)
        print(`${details.Usable ? 'usable' : details.Reasons.join(', ')}: ${details.Subject} (${path})`);

    const [consent] = call(ROOT, 'Manager', 'OpenConsent', new GLib.Variant('(sa{sv})', [code, {}]));
    const certificate = certificates.find(([, details]) => details.Usable);
    if (!certificate)
        throw new Error('There is no certificate that can be used.');

    const loop = GLib.MainLoop.new(null, false);
    let outcome = null;
    bus.signal_subscribe(NAME, `${NAME}.Consent`, 'StateChanged', consent, null, Gio.DBusSignalFlags.NONE,
        (b, sender, path, iface, signal, parameters) => print(parameters.recursiveUnpack()[0]));
    bus.signal_subscribe(NAME, `${NAME}.Consent`, 'Finished', consent, null, Gio.DBusSignalFlags.NONE,
        (b, sender, path, iface, signal, parameters) => {
            outcome = parameters.recursiveUnpack();
            loop.quit();
        });
    call(consent, 'Consent', 'Sign', new GLib.Variant('(oa{sv})', [certificate[0], {}]));
    GLib.timeout_add(GLib.PRIORITY_DEFAULT, TIMEOUT, () => loop.quit());
    if (!outcome)
        loop.run();
    if (!outcome)
        throw new Error('The service gave no answer.');

    const [success, error, result] = outcome;
    if (!success)
        throw new Error(`${result.Message ?? error}\n${result.Hint ?? ''}`);
    print(`receipt: ${result.ReceiptId}`);
}

if (ARGV.length !== 1) {
    printerr('usage: gjs sign.js CODE');
    System.exit(2);
}
try {
    sign(ARGV[0]);
} catch (failure) {
    if (failure instanceof GLib.Error)
        Gio.DBusError.strip_remote_error(failure); // what happened and what to do next remains
    printerr(failure.message);
    System.exit(1);
}
