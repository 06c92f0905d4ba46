// SPDX-License-Identifier: Apache-2.0
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Date;
import java.util.Enumeration;
import java.util.List;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1Primitive;
import org.bouncycastle.asn1.ASN1Sequence;
import org.bouncycastle.asn1.ASN1Set;
import org.bouncycastle.asn1.ASN1TaggedObject;
import org.bouncycastle.asn1.cms.Attribute;
import org.bouncycastle.asn1.cms.AttributeTable;
import org.bouncycastle.asn1.cms.ContentInfo;
import org.bouncycastle.asn1.cms.SignedData;
import org.bouncycastle.asn1.cms.Time;
import org.bouncycastle.asn1.ess.ESSCertIDv2;
import org.bouncycastle.asn1.ess.SigningCertificateV2;
import org.bouncycastle.asn1.ocsp.BasicOCSPResponse;
import org.bouncycastle.asn1.ocsp.OCSPResponse;
import org.bouncycastle.asn1.x509.CertificateList;
import org.bouncycastle.asn1.x509.IssuerSerial;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;

/** One CAdES message: what stands in it, and its base signature (EN 319 122-1 sections 4 and 5.1 to 5.2). */
final class Message {
    final CMSSignedData cms;
    final SignedData data;
    final SignerInformation signer;
    final X509CertificateHolder certificate;
    final byte[] content;
    final List<X509CertificateHolder> certificates = new ArrayList<>();
    final List<CertificateList> crls = new ArrayList<>();
    final List<BasicOCSPResponse> ocsps = new ArrayList<>();
    /** The RevocationInfoChoice elements of SignedData.crls, encoded. */
    final List<byte[]> revocationElements = new ArrayList<>();

    Message(byte[] der, byte[] detached) throws Exception {
        ContentInfo info = ContentInfo.getInstance(ASN1Primitive.fromByteArray(der));
        data = SignedData.getInstance(info.getContent());
        boolean attached = data.getEncapContentInfo().getContent() != null;
        Refused.unless(attached || detached != null, "content: neither contained nor given");
        cms = attached ? new CMSSignedData(der) : new CMSSignedData(new CMSProcessableByteArray(detached), der);
        content = attached ? (byte[]) cms.getSignedContent().getContent() : detached;
        Refused.unless(detached == null || Arrays.equals(content, detached), "content: another one is contained");
        Refused.unless(cms.getSignerInfos().size() == 1, "signer: not exactly one");
        signer = cms.getSignerInfos().getSigners().iterator().next();
        certificates.addAll(cms.getCertificates().getMatches(null));
        List<X509CertificateHolder> named = new ArrayList<>();
        for (X509CertificateHolder candidate : certificates)
            if (signer.getSID().match(candidate))
                named.add(candidate);
        Refused.unless(named.size() == 1, "signer: its certificate is not contained once");
        certificate = named.get(0);
        revocationRead();
    }

    static byte[] hash(ASN1ObjectIdentifier algorithm, byte[]... parts) throws Exception {
        MessageDigest digest = MessageDigest.getInstance(algorithm.getId(), "BC");
        for (byte[] part : parts)
            digest.update(part);
        return digest.digest();
    }

    /** SignedData.crls: lists as they are, OCSP responses as OtherRevocationInfoFormat (RFC 5940 section 2.1). */
    private void revocationRead() throws Exception {
        if (data.getCRLs() == null)
            return;
        for (ASN1Encodable element : data.getCRLs()) {
            revocationElements.add(element.toASN1Primitive().getEncoded());
            if (element instanceof ASN1TaggedObject)
                otherRevocationRead(ASN1Sequence.getInstance((ASN1TaggedObject) element, false));
            else
                crls.add(CertificateList.getInstance(element));
        }
    }

    private void otherRevocationRead(ASN1Sequence other) throws Exception {
        Refused.unless(other.getObjectAt(0).equals(Oids.OCSP_RESPONSE), "crls: other revocation information of no known kind");
        OCSPResponse response = OCSPResponse.getInstance(other.getObjectAt(1));
        Refused.unless(response.getResponseStatus().getIntValue() == 0, "crls: an OCSP response that is an error");
        ocsps.add(BasicOCSPResponse.getInstance(response.getResponseBytes().getResponse().getOctets()));
    }

    ASN1Encodable signedValue(ASN1ObjectIdentifier type) throws Refused {
        AttributeTable table = signer.getSignedAttributes();
        Refused.unless(table != null, "signed attributes: there are none");
        Refused.unless(table.getAll(type).size() == 1, "signed attributes: " + type + " is not there once");
        Attribute attribute = table.get(type);
        Refused.unless(attribute.getAttrValues().size() == 1, "signed attributes: " + type + " has not one value");
        return attribute.getAttributeValues()[0];
    }

    boolean hasSigned(ASN1ObjectIdentifier type) {
        return signer.getSignedAttributes() != null && signer.getSignedAttributes().get(type) != null;
    }

    /** All values of all unsigned attributes of that type. */
    List<ASN1Encodable> unsignedValues(ASN1ObjectIdentifier type) {
        List<ASN1Encodable> values = new ArrayList<>();
        ASN1Set attributes = unsignedAttributes();
        for (int i = 0; attributes != null && i < attributes.size(); i++) {
            Attribute attribute = Attribute.getInstance(attributes.getObjectAt(i));
            if (attribute.getAttrType().equals(type))
                values.addAll(Arrays.asList(attribute.getAttributeValues()));
        }
        return values;
    }

    ASN1Set unsignedAttributes() {
        return signer.toASN1Structure().getUnauthenticatedAttributes();
    }

    Date signingTime() throws Refused {
        return Time.getInstance(signedValue(Oids.SIGNING_TIME)).getDate();
    }

    /** Signature value, message digest and content type. The certificate's validity is the chain's business. */
    void baseCheck() throws Exception {
        Enumeration<?> types = signer.toASN1Structure().getAuthenticatedAttributes() == null ? null
            : signer.toASN1Structure().getAuthenticatedAttributes().getObjects();
        Refused.unless(types != null, "signed attributes: there are none");
        Refused.unless(Oids.DATA.equals(ASN1ObjectIdentifier.getInstance(signedValue(Oids.CONTENT_TYPE))), "content type");
        signedValue(Oids.MESSAGE_DIGEST);
        signedValue(Oids.SIGNING_TIME);
        boolean good = signer.verify(new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(Trust.key(certificate)));
        Refused.unless(good, "signature: the value is wrong");
    }

    /** RFC 5035 section 3: exactly this certificate, by hash, and by issuer and serial number where given. */
    void signingCertificateCheck() throws Exception {
        Refused.unless(!hasSigned(Oids.SIGNING_CERTIFICATE), "signing-certificate: the old one is there too");
        SigningCertificateV2 value = SigningCertificateV2.getInstance(signedValue(Oids.SIGNING_CERTIFICATE_V2));
        ESSCertIDv2 id = value.getCerts()[0];
        byte[] right = hash(id.getHashAlgorithm().getAlgorithm(), certificate.getEncoded());
        Refused.unless(Arrays.equals(right, id.getCertHash()), "signing-certificate-v2: another certificate's hash");
        IssuerSerial named = id.getIssuerSerial();
        Refused.unless(named == null || (named.getSerial().getValue().equals(certificate.getSerialNumber())
            && named.getIssuer().getNames()[0].getName().equals(certificate.getIssuer())),
            "signing-certificate-v2: another issuer or serial number");
    }
}
