/* SPDX-License-Identifier: Apache-2.0 */
/* Every statement on the records, for both databases: X(ID, SQL). What may happen to them can be read there. */
#ifndef PORTAL_STATEMENTS_H
#define PORTAL_STATEMENTS_H

#include "statements-core.h"
#include "statements-web.h"

#define STATEMENT_TABLE(X) STATEMENT_CORE_TABLE(X) STATEMENT_WEB_TABLE(X)

typedef enum StatementId {
#define STATEMENT_ENUM_(id, sql) STATEMENT_##id,
    STATEMENT_TABLE(STATEMENT_ENUM_)
#undef STATEMENT_ENUM_
        STATEMENT_COUNT,
} StatementId;

#endif
