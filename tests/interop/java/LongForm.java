// SPDX-License-Identifier: Apache-2.0
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1Sequence;
import org.bouncycastle.asn1.esf.CompleteRevocationRefs;
import org.bouncycastle.asn1.esf.CrlOcspRef;
import org.bouncycastle.asn1.esf.CrlValidatedID;
import org.bouncycastle.asn1.esf.OcspResponsesID;
import org.bouncycastle.asn1.esf.OtherHash;
import org.bouncycastle.asn1.esf.RevocationValues;
import org.bouncycastle.asn1.ocsp.BasicOCSPResponse;
import org.bouncycastle.asn1.x509.Certificate;
import org.bouncycastle.asn1.x509.CertificateList;
import org.bouncycastle.cert.X509CertificateHolder;

/** ES-X Long (TS 101 733 sections 6.2 and 6.3): references and values as unsigned attributes, one against the other. */
final class LongForm {
    final List<X509CertificateHolder> certificates = new ArrayList<>();
    final List<CertificateList> crls = new ArrayList<>();
    final List<BasicOCSPResponse> ocsps = new ArrayList<>();
    private final Message message;

    LongForm(Message message) throws Exception {
        this.message = message;
        for (ASN1Encodable one : ASN1Sequence.getInstance(only(Oids.CERTIFICATE_VALUES, "certificate-values")))
            certificates.add(new X509CertificateHolder(Certificate.getInstance(one)));
        RevocationValues values = RevocationValues.getInstance(only(Oids.REVOCATION_VALUES, "revocation-values"));
        crls.addAll(Arrays.asList(values.getCrlVals()));
        ocsps.addAll(Arrays.asList(values.getOcspVals()));
    }

    /** All four or none is the form; one of them alone is neither X-L nor a baseline level. */
    static boolean present(Message message) throws Refused {
        int n = 0;
        for (var type : List.of(Oids.CERTIFICATE_REFS, Oids.REVOCATION_REFS, Oids.CERTIFICATE_VALUES, Oids.REVOCATION_VALUES))
            n += message.unsignedValues(type).isEmpty() ? 0 : 1;
        Refused.unless(n == 0 || n == 4, "X-L: only some of the four attributes are there");
        return n == 4;
    }

    private ASN1Encodable only(org.bouncycastle.asn1.ASN1ObjectIdentifier type, String name) throws Refused {
        List<ASN1Encodable> values = message.unsignedValues(type);
        Refused.unless(values.size() == 1, "X-L: " + name + " is not there once");
        return values.get(0);
    }

    private static boolean matches(OtherHash reference, byte[] value) throws Exception {
        return Arrays.equals(Message.hash(reference.getHashAlgorithm().getAlgorithm(), value), reference.getHashValue());
    }

    /** References name all of the chain above the signer, and nothing that is not there. */
    void check(List<X509CertificateHolder> chain) throws Exception {
        List<byte[]> known = new ArrayList<>();
        for (X509CertificateHolder one : certificates)
            known.add(one.getEncoded());
        ASN1Sequence references = ASN1Sequence.getInstance(only(Oids.CERTIFICATE_REFS, "complete-certificate-references"));
        List<OtherHash> hashes = new ArrayList<>();
        for (ASN1Encodable one : references)
            hashes.add(OtherHash.getInstance(ASN1Sequence.getInstance(one).getObjectAt(0)));
        for (OtherHash hash : hashes)
            Refused.unless(anyMatches(hash, known), "X-L: a referenced certificate is not among the values");
        for (X509CertificateHolder one : chain.subList(1, chain.size()))
            Refused.unless(referenced(hashes, one.getEncoded()), "X-L: no reference to " + one.getSubject());
        revocationCheck(chain.size() - 1);
    }

    private static boolean anyMatches(OtherHash hash, List<byte[]> values) throws Exception {
        for (byte[] value : values)
            if (matches(hash, value))
                return true;
        return false;
    }

    private static boolean referenced(List<OtherHash> hashes, byte[] value) throws Exception {
        for (OtherHash hash : hashes)
            if (matches(hash, value))
                return true;
        return false;
    }

    /** The values may hold more than is referenced, such as those of the time-stamp authority (section 6.3.4). */
    private void revocationCheck(int wanted) throws Exception {
        List<byte[]> lists = new ArrayList<>();
        List<byte[]> responses = new ArrayList<>();
        for (CertificateList one : crls)
            lists.add(one.getEncoded(ASN1Encoding.DER));
        for (BasicOCSPResponse one : ocsps)
            responses.add(one.getEncoded(ASN1Encoding.DER));
        CompleteRevocationRefs all = CompleteRevocationRefs.getInstance(only(Oids.REVOCATION_REFS, "complete-revocation-references"));
        int n = 0;
        for (CrlOcspRef reference : all.getCrlOcspRefs())
            n += referenceCheck(reference, lists, responses);
        Refused.unless(n >= wanted, "X-L: fewer revocation references than certificates");
    }

    private static int referenceCheck(CrlOcspRef reference, List<byte[]> lists, List<byte[]> responses) throws Exception {
        int n = 0;
        if (reference.getCrlids() != null)
            for (CrlValidatedID id : reference.getCrlids().getCrls()) {
                Refused.unless(anyMatches(id.getCrlHash(), lists), "X-L: a referenced list is not among the values");
                n++;
            }
        if (reference.getOcspids() != null)
            for (OcspResponsesID id : reference.getOcspids().getOcspResponses()) {
                Refused.unless(id.getOcspRepHash() != null && anyMatches(id.getOcspRepHash(), responses),
                    "X-L: a referenced OCSP response is not among the values");
                n++;
            }
        return n;
    }
}
