/* SPDX-License-Identifier: Apache-2.0 */
/* The statements of the web pages. */
#ifndef PORTAL_STATEMENTS_WEB_H
#define PORTAL_STATEMENTS_WEB_H

/* clang-format off */
#define STATEMENT_WEB_TABLE(X)
/* clang-format on */

#endif
