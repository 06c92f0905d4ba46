/* SPDX-License-Identifier: Apache-2.0 */
/* Inside lib/ only: the qcStatements extension (RFC 3739 section 3.2.6; ETSI EN 319 412-5; the Turkish profile). */
#ifndef EONAY_LIB_QC_STATEMENTS_H
#define EONAY_LIB_QC_STATEMENTS_H

#include "der.h"

#define QC_STATEMENTS_MAX 32

typedef struct QcStatements {
    char *oids[QC_STATEMENTS_MAX + 1]; /* dotted, NULL-terminated */
    bool compliance;                   /* 0.4.0.1862.1.1 */
    bool national;                     /* 2.16.792.1.61.0.1.5070.1.1 or .2.1 */
    bool seal;                         /* 5070.1.3, 5070.2.2, or a QcType without esign */
} QcStatements;

/* Reads the extension's value: 0, -ENOMEM, or 1 when it is malformed. Release with qc_statements_clear() always. */
int qc_statements_read(DerBytes value, QcStatements *ret);
void qc_statements_clear(QcStatements *q);

#endif
