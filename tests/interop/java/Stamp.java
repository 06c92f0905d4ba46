// SPDX-License-Identifier: Apache-2.0
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.cms.Attribute;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.tsp.TimeStampToken;

/** One RFC 3161 token: its signature, its authority's certificate (ESS, extended key usage, chain), its imprint. */
final class Stamp {
    final TimeStampToken token;
    final X509CertificateHolder authority;
    final List<X509CertificateHolder> certificates = new ArrayList<>();

    Stamp(ASN1Encodable value, Collection<X509CertificateHolder> around) throws Exception {
        token = new TimeStampToken(new CMSSignedData(value.toASN1Primitive().getEncoded()));
        certificates.addAll(token.getCertificates().getMatches(null));
        certificates.addAll(around);
        X509CertificateHolder found = null;
        for (X509CertificateHolder candidate : certificates)
            if (token.getSID().match(candidate))
                found = candidate;
        Refused.unless(found != null, "time stamp: its authority's certificate is missing");
        authority = found;
        check();
    }

    private void check() throws Exception {
        /* Signature, ESS certificate identifier, and one critical extended key usage, timeStamping (RFC 3161, 2.3). */
        token.validate(new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(authority));
        ExtendedKeyUsage usage = ExtendedKeyUsage.fromExtensions(authority.getExtensions());
        Refused.unless(usage != null && usage.size() == 1 && usage.hasKeyPurposeId(KeyPurposeId.id_kp_timeStamping),
            "time stamp: its certificate is none for time stamps");
    }

    Date time() {
        return token.getTimeStampInfo().getGenTime();
    }

    ASN1ObjectIdentifier algorithm() {
        return token.getTimeStampInfo().getHashAlgorithm().getAlgorithm();
    }

    void imprintCheck(String what, byte[]... stamped) throws Exception {
        byte[] right = Message.hash(algorithm(), stamped);
        Refused.unless(Arrays.equals(right, token.getTimeStampInfo().getMessageImprintDigest()),
            what + ": the time stamp is over other bytes");
    }

    Attribute unsigned(ASN1ObjectIdentifier type) {
        return token.getUnsignedAttributes() == null ? null : token.getUnsignedAttributes().get(type);
    }
}
