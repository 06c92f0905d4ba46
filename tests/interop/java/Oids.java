// SPDX-License-Identifier: Apache-2.0
import org.bouncycastle.asn1.ASN1ObjectIdentifier;

/** The identifiers of RFC 5652, RFC 5035, ETSI EN 319 122-1 and ETSI TS 101 733 that are looked at. */
final class Oids {
    private static final String SMIME = "1.2.840.113549.1.9.16.2.";
    static final ASN1ObjectIdentifier DATA = new ASN1ObjectIdentifier("1.2.840.113549.1.7.1");
    static final ASN1ObjectIdentifier CONTENT_TYPE = new ASN1ObjectIdentifier("1.2.840.113549.1.9.3");
    static final ASN1ObjectIdentifier MESSAGE_DIGEST = new ASN1ObjectIdentifier("1.2.840.113549.1.9.4");
    static final ASN1ObjectIdentifier SIGNING_TIME = new ASN1ObjectIdentifier("1.2.840.113549.1.9.5");
    static final ASN1ObjectIdentifier SIGNING_CERTIFICATE = new ASN1ObjectIdentifier(SMIME + "12");
    static final ASN1ObjectIdentifier SIGNING_CERTIFICATE_V2 = new ASN1ObjectIdentifier(SMIME + "47");
    static final ASN1ObjectIdentifier SIGNATURE_TIME_STAMP = new ASN1ObjectIdentifier(SMIME + "14");
    static final ASN1ObjectIdentifier SIGNATURE_POLICY = new ASN1ObjectIdentifier(SMIME + "15");
    static final ASN1ObjectIdentifier CERTIFICATE_REFS = new ASN1ObjectIdentifier(SMIME + "21");
    static final ASN1ObjectIdentifier REVOCATION_REFS = new ASN1ObjectIdentifier(SMIME + "22");
    static final ASN1ObjectIdentifier CERTIFICATE_VALUES = new ASN1ObjectIdentifier(SMIME + "23");
    static final ASN1ObjectIdentifier REVOCATION_VALUES = new ASN1ObjectIdentifier(SMIME + "24");
    static final ASN1ObjectIdentifier ARCHIVE_TIME_STAMP_V3 = new ASN1ObjectIdentifier("0.4.0.1733.2.4");
    static final ASN1ObjectIdentifier ATS_HASH_INDEX_V3 = new ASN1ObjectIdentifier("0.4.0.19122.1.5");
    static final ASN1ObjectIdentifier OCSP_RESPONSE = new ASN1ObjectIdentifier("1.3.6.1.5.5.7.16.2");
    static final ASN1ObjectIdentifier OCSP_NO_CHECK = new ASN1ObjectIdentifier("1.3.6.1.5.5.7.48.1.5");

    private Oids() {
    }
}
