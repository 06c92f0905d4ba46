/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EONAY_AGENT_LANGUAGE_H
#define EONAY_AGENT_LANGUAGE_H

/* The user's language; texts are UTF-8 even where the locale does not say so. TEXTDOMAINDIR: translations elsewhere. */
void language_set(void);

#endif
