/* SPDX-License-Identifier: Apache-2.0 */
#include "cades-level.h"

#include <string.h>

static const CadesLevelTraits rows[CADES_N_LEVELS] = {
#define ROW(id, name, policy, stamp, material, archive, revocation)                                                    \
    {name, policy, stamp, CADES_MATERIAL_##material, archive, CADES_REVOCATION_##revocation},
    CADES_LEVEL_TABLE(ROW)
#undef ROW
};

/* SHA-256 of the guide's policy document, as the Turkish implementations write it. */
const uint8_t cades_policy_hash[CADES_POLICY_HASH_SIZE] = {
    0xff, 0x39, 0xbd, 0x29, 0x46, 0x33, 0x83, 0xf6, 0x9b, 0x20, 0x52, 0xac, 0x47, 0x43, 0x9e, 0x06,
    0xce, 0x7c, 0x3b, 0x86, 0x46, 0xe8, 0x88, 0xb6, 0xe5, 0xae, 0x3e, 0x46, 0xba, 0x08, 0x11, 0x7a,
};

const CadesLevelTraits *cades_level_traits(CadesLevel level) {
    return &rows[level];
}

bool cades_level_find(const char *name, CadesLevel *ret) {
    for (int i = 0; i < CADES_N_LEVELS; i++) {
        if (strcmp(rows[i].name, name) != 0)
            continue;
        *ret = (CadesLevel)i;
        return true;
    }
    return false;
}
