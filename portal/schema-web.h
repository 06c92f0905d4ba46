/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the web pages, as in schema-core.h: X(SQL), a step each. */
#ifndef PORTAL_SCHEMA_WEB_H
#define PORTAL_SCHEMA_WEB_H

/* clang-format off */
#define SCHEMA_WEB(X)
/* clang-format on */

#endif
