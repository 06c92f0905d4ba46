/* SPDX-License-Identifier: Apache-2.0 */
/* What was found good lately: neither the path nor the answers need be verified again for the next signature. */
#ifndef EONAY_MATERIAL_MEMO_H
#define EONAY_MATERIAL_MEMO_H

#include "material.h"

/* For five minutes, or until the first of its answers ends. One without an end is not kept, nor one that was asked for
 * as of a moment. */
void material_memo_keep(Manager *m, const MaterialWish *wish, const Material *material);
/* NULL: nothing is known, or the trust store is another by now. Valid until something is kept. */
const Material *material_memo_find(Manager *m, const MaterialWish *w);

#endif
