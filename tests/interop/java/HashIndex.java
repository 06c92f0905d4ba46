// SPDX-License-Identifier: Apache-2.0
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.ASN1Sequence;
import org.bouncycastle.asn1.ASN1Set;
import org.bouncycastle.asn1.DERTaggedObject;
import org.bouncycastle.asn1.cms.Attribute;
import org.bouncycastle.asn1.cms.SignerInfo;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;

/**
 * ats-hash-index-v3 (EN 319 122-1 section 5.5.2) computed anew from the message, and the imprint of an
 * archive-time-stamp-v3 (section 5.5.3).
 */
final class HashIndex {
    private final Message message;
    private final ASN1Sequence index;
    private final ASN1ObjectIdentifier algorithm;

    HashIndex(Message message, Stamp stamp) throws Exception {
        this.message = message;
        Attribute attribute = stamp.unsigned(Oids.ATS_HASH_INDEX_V3);
        Refused.unless(attribute != null && attribute.getAttrValues().size() == 1, "archive time stamp: no ats-hash-index-v3");
        index = ASN1Sequence.getInstance(attribute.getAttributeValues()[0]);
        Refused.unless(index.size() == 4, "ats-hash-index-v3: not four fields");
        algorithm = AlgorithmIdentifier.getInstance(index.getObjectAt(0)).getAlgorithm();
        Refused.unless(algorithm.equals(stamp.algorithm()), "ats-hash-index-v3: its hash is not the time stamp's");
    }

    private static List<byte[]> listed(ASN1Encodable field) {
        List<byte[]> hashes = new ArrayList<>();
        for (ASN1Encodable hash : ASN1Sequence.getInstance(field))
            hashes.add(ASN1OctetString.getInstance(hash).getOctets());
        return hashes;
    }

    private static boolean contains(List<byte[]> hashes, byte[] hash) {
        return hashes.stream().anyMatch(one -> Arrays.equals(one, hash));
    }

    /** What is listed has to be there; what is there and not listed came later. The number of those. */
    private int compare(String what, ASN1Encodable field, List<byte[]> present) throws Refused {
        List<byte[]> hashes = listed(field);
        for (byte[] hash : hashes)
            Refused.unless(contains(present, hash), "ats-hash-index-v3: one of the " + what + " is gone or changed");
        int later = 0;
        for (byte[] hash : present)
            later += contains(hashes, hash) ? 0 : 1;
        return later;
    }

    private List<byte[]> hashesOf(ASN1Set set) throws Exception {
        List<byte[]> hashes = new ArrayList<>();
        for (int i = 0; set != null && i < set.size(); i++)
            hashes.add(Message.hash(algorithm, set.getObjectAt(i).toASN1Primitive().getEncoded()));
        return hashes;
    }

    /** The type's octets and those of one value, for each value. */
    private List<byte[]> attributeHashes() throws Exception {
        List<byte[]> hashes = new ArrayList<>();
        ASN1Set attributes = message.unsignedAttributes();
        for (int i = 0; attributes != null && i < attributes.size(); i++) {
            Attribute attribute = Attribute.getInstance(attributes.getObjectAt(i));
            for (ASN1Encodable value : attribute.getAttributeValues())
                hashes.add(Message.hash(algorithm, attribute.getAttrType().getEncoded(), value.toASN1Primitive().getEncoded()));
        }
        return hashes;
    }

    /** Nothing is missing, every certificate and revocation value is covered. The number of later unsigned attributes. */
    int check(boolean newest) throws Exception {
        int certificates = compare("certificates", index.getObjectAt(1), hashesOf(message.data.getCertificates()));
        int revocations = compare("revocation values", index.getObjectAt(2), hashesOf(message.data.getCRLs()));
        int attributes = compare("unsigned attributes", index.getObjectAt(3), attributeHashes());
        Refused.unless(!newest || (certificates == 0 && revocations == 0 && attributes == 1),
            "ats-hash-index-v3: the newest one does not cover all that stands in the message");
        return attributes;
    }

    /** What an archive-time-stamp-v3 is over. */
    byte[] stamped() throws Exception {
        SignerInfo signer = message.signer.toASN1Structure();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(message.data.getEncapContentInfo().getContentType().getEncoded());
        out.write(Message.hash(algorithm, message.content));
        out.write(signer.getVersion().getEncoded());
        out.write(signer.getSID().getEncoded());
        out.write(signer.getDigestAlgorithm().getEncoded());
        out.write(new DERTaggedObject(false, 0, signer.getAuthenticatedAttributes()).getEncoded(ASN1Encoding.DER));
        out.write(signer.getDigestEncryptionAlgorithm().getEncoded());
        out.write(signer.getEncryptedDigest().getEncoded());
        out.write(index.getEncoded());
        return out.toByteArray();
    }
}
