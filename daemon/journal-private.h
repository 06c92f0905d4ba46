/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EONAY_JOURNAL_PRIVATE_H
#define EONAY_JOURNAL_PRIVATE_H

#include <sqlite3.h>

#include "journal.h"

/* NULL when the database cannot be used. */
sqlite3 *journal_database(Journal *j);

#endif
