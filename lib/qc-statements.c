/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SEQUENCE OF SEQUENCE { statementId, statementInfo OPTIONAL }: the identifier says it, the information is needed for
 * one statement only, QcType, which tells a person's signature from a seal and from a web site's certificate.
 */
#include "qc-statements.h"

#include <errno.h>
#include <openssl/asn1.h>
#include <stdlib.h>
#include <string.h>

#include "certificate-text.h"

#define OID_ETSI_QCS(...) DER_BYTES(0x04, 0x00, 0x8e, 0x46, 0x01, __VA_ARGS__)
/* 2.16.792.1.61.0.1.5070 */
#define OID_5070(...) DER_BYTES(0x60, 0x86, 0x18, 0x01, 0x3d, 0x00, 0x01, 0xa7, 0x4e, __VA_ARGS__)

#define QC_COMPLIANCE OID_ETSI_QCS(1)
#define QC_TYPE       OID_ETSI_QCS(6)
#define QC_TYPE_ESIGN OID_ETSI_QCS(6, 1)

static int oid_keep(QcStatements *q, size_t i, const DerElement *oid) {
    const unsigned char *p = oid->whole.p;
    ASN1_OBJECT *object = d2i_ASN1_OBJECT(NULL, &p, (long)oid->whole.n);
    if (!object)
        return 1;
    q->oids[i] = oid_text(object);
    ASN1_OBJECT_free(object);
    return q->oids[i] ? 0 : -ENOMEM;
}

/* QcType ::= SEQUENCE OF OBJECT IDENTIFIER */
static int type_read(DerBytes info, bool *ret_esign) {
    DerBytes types, type;
    *ret_esign = false;
    if (!der_read_value(&info, DER_SEQUENCE, &types) || info.n > 0)
        return 1;
    while (types.n > 0) {
        if (!der_read_value(&types, DER_OID, &type))
            return 1;
        *ret_esign |= der_equal(type, QC_TYPE_ESIGN);
    }
    return 0;
}

static int statement_judge(QcStatements *q, DerBytes oid, DerBytes info) {
    bool esign = true;
    q->compliance |= der_equal(oid, QC_COMPLIANCE);
    q->national |= der_equal(oid, OID_5070(1, 1)) || der_equal(oid, OID_5070(2, 1));
    q->seal |= der_equal(oid, OID_5070(1, 3)) || der_equal(oid, OID_5070(2, 2));
    int r = der_equal(oid, QC_TYPE) ? type_read(info, &esign) : 0;
    q->seal |= r == 0 && !esign;
    return r;
}

int qc_statements_read(DerBytes value, QcStatements *ret) {
    DerBytes statements, statement;
    DerElement oid, info;
    *ret = (QcStatements){0};
    if (!der_read_value(&value, DER_SEQUENCE, &statements) || value.n > 0)
        return 1;
    for (size_t i = 0; statements.n > 0; i++) {
        if (i == QC_STATEMENTS_MAX || !der_read_value(&statements, DER_SEQUENCE, &statement) ||
            !der_read_tag(&statement, DER_OID, &oid))
            return 1;
        DerBytes rest = statement;
        if (rest.n > 0 && (!der_read(&rest, &info) || rest.n > 0))
            return 1;
        int r = oid_keep(ret, i, &oid);
        r = r == 0 ? statement_judge(ret, oid.value, statement) : r;
        if (r != 0)
            return r;
    }
    return 0;
}

void qc_statements_clear(QcStatements *q) {
    for (size_t i = 0; q->oids[i]; i++)
        free(q->oids[i]);
    *q = (QcStatements){0};
}
