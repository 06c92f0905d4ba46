# SPDX-License-Identifier: Apache-2.0
"""What an ASN.1 parser that is not OpenSSL sees: DER throughout, and exactly the attributes of the level."""
import hashlib

from asn1crypto import cms, core, tsp, x509

assert tsp  # imported because it teaches cms what signing-certificate-v2 is

SMIME = "1.2.840.113549.1.9.16.2."
FOUR = {"content_type", "signing_time", "message_digest", "signing_certificate_v2"}
POLICY = "signature_policy_identifier"
STAMP, ARCHIVE = "signature_time_stamp_token", "0.4.0.1733.2.4"
LONG = {SMIME + "21", SMIME + "22", SMIME + "23", SMIME + "24"}
UNSIGNED = {"B-B": set(), "B-T": {STAMP}, "B-LT": {STAMP}, "B-LTA": {STAMP, ARCHIVE}, "X-L": {STAMP} | LONG,
            "X-L+A": {STAMP, ARCHIVE} | LONG}
WITH_MATERIAL = {"B-LT", "B-LTA"}  # in SignedData's own fields


def faults(der, content, level, profile):
    """Against EN 319 122-1 (baseline) or TS 101 733 (X-L). Yields what is wrong."""
    info = cms.ContentInfo.load(der, strict=True)
    data = info["content"]
    yield from order_faults(der)
    signers = data["signer_infos"]
    if len(signers) != 1 or signers[0]["version"].native != "v1":
        yield "number of signers or version of the signer"
        return
    if data["encap_content_info"]["content_type"].native != "data":
        yield "content type"
    if data["encap_content_info"]["content"].native != content:
        yield "content"
    yield from material_faults(data, level)
    yield from signer_faults(data, signers[0], content, profile)
    yield from unsigned_faults(signers[0], level)


def elements(der):
    """(class and tag octet, contents, whole) of a run of elements; ValueError for what is no DER."""
    at = 0
    while at < len(der):
        start, tag, length = at, der[at], der[at + 1]
        at += 2
        if tag & 0x1f == 0x1f or length == 0x80:
            raise ValueError("high tag or indefinite length")
        if length & 0x80:
            n = length & 0x7f
            octets = der[at:at + n]
            length = int.from_bytes(octets, "big")
            at += n
            if len(octets) < n or octets[0] == 0 or length < 0x80:
                raise ValueError("length not minimal")
        if at + length > len(der):
            raise ValueError("longer than what is there")
        at += length
        yield tag, der[at - length:at], der[start:at]


def order_faults(der):
    """SET OF in DER's order at every depth, but inside what others encoded and we only carry."""
    pending = [der]
    try:
        while pending:
            inside = list(elements(pending.pop()))
            for tag, contents, _whole in inside:
                if tag == 0x31:
                    order = [whole for _t, _c, whole in elements(contents)]
                    if order != sorted(order):
                        yield "a SET OF is not in DER's order"
                if tag & 0x20:
                    pending.append(contents)
    except (ValueError, IndexError) as error:
        yield f"not DER: {error}"


def material_faults(data, level):
    material = not absent(data["crls"])
    if material != (level in WITH_MATERIAL):
        yield "revocation values in SignedData do not go with the level"
    if data["version"].native not in ("v1", "v5"):
        yield "version"
    certificates = data["certificates"]
    if not all(isinstance(one.chosen, x509.Certificate) for one in certificates):
        yield "something other than certificates"
    if level in WITH_MATERIAL and len(certificates) < 2:
        yield "no certificates of authorities"


def absent(field):
    """An OPTIONAL that is not there; looking at `native` would decode values that asn1crypto has no type for."""
    return isinstance(field, core.Void)


def signer_certificate(data, signer):
    sid = signer["sid"].chosen
    for one in data["certificates"]:
        certificate = one.chosen
        if sid["issuer"].dump() == certificate.issuer.dump() and sid["serial_number"].native == certificate.serial_number:
            return certificate
    return None


def signer_faults(data, signer, content, profile):
    certificate = signer_certificate(data, signer)
    if certificate is None:
        yield "signer identifier"
        return
    digest = signer["digest_algorithm"]["algorithm"].native
    if [a["algorithm"].native for a in data["digest_algorithms"]] != [digest]:
        yield "digest algorithms"
    attributes = {a["type"].native: a["values"] for a in signer["signed_attrs"]}
    wanted = FOUR | ({POLICY} if profile in ("P2", "P3", "P4") else set())
    named = {POLICY if name == SMIME + "15" else name for name in attributes}
    if named != wanted or len(signer["signed_attrs"]) != len(wanted) or any(len(v) != 1 for v in attributes.values()):
        yield "signed attributes: " + " ".join(sorted(named))
        return
    if attributes["message_digest"][0].native != hashlib.new(digest, content).digest():
        yield "message digest"
    if not isinstance(attributes["signing_time"][0].chosen, core.UTCTime):
        yield "signing time"
    yield from identifier_faults(attributes["signing_certificate_v2"][0], certificate)
    algorithm = signer["signature_algorithm"]
    if algorithm.signature_algo == "rsassa_pss":
        yield from pss_faults(algorithm["parameters"], digest)
    elif algorithm.hash_algo != digest:
        yield "signature algorithm's hash"


def identifier_faults(value, certificate):
    if len(value["certs"]) != 1 or value["policies"].native is not None:
        yield "certificate identifiers"
    identifier = value["certs"][0]
    if identifier["hash_algorithm"]["algorithm"].native != "sha256":
        yield "identifier's hash algorithm"
    if identifier["cert_hash"].native != hashlib.sha256(certificate.dump()).digest():
        yield "identifier's hash"
    if identifier["issuer_serial"].native is not None:
        yield "issuerSerial is there"


def pss_faults(parameters, digest):
    mgf = parameters["mask_gen_algorithm"]
    if parameters["hash_algorithm"]["algorithm"].native != digest or mgf["algorithm"].native != "mgf1":
        yield "PSS hash or mask"
    if mgf["parameters"]["algorithm"].native != digest:
        yield "MGF1 hash"
    if parameters["salt_length"].native != hashlib.new(digest).digest_size:
        yield "salt length"


def unsigned_faults(signer, level):
    attributes = [] if absent(signer["unsigned_attrs"]) else list(signer["unsigned_attrs"])
    found = [attribute["type"].native for attribute in attributes]
    if set(found) != UNSIGNED[level]:
        yield "unsigned attributes: " + " ".join(sorted(found))
