/* SPDX-License-Identifier: Apache-2.0 */
/* IANA's registries of special-purpose addresses (RFC 6890 and its successors), as far as something may answer there.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>

#include "fetch.h"

static const struct {
    uint32_t network;
    unsigned bits;
} special[] = {
    {0x00000000, 8},  {0x0a000000, 8},  {0x64400000, 10}, {0x7f000000, 8}, {0xa9fe0000, 16}, {0xac100000, 12},
    {0xc0000000, 24}, {0xc0a80000, 16}, {0xc6120000, 15}, {0xe0000000, 4}, {0xf0000000, 4},
};

static bool v4_is_public(uint32_t address) {
    for (size_t i = 0; i < sizeof special / sizeof special[0]; i++)
        if ((address ^ special[i].network) >> (32 - special[i].bits) == 0)
            return false;
    return true;
}

static bool v6_is_public(const struct in6_addr *a) {
    if (IN6_IS_ADDR_V4MAPPED(a)) {
        uint32_t inner = (uint32_t)a->s6_addr[12] << 24 | (uint32_t)a->s6_addr[13] << 16 |
                         (uint32_t)a->s6_addr[14] << 8 | a->s6_addr[15];
        return v4_is_public(inner);
    }
    return (a->s6_addr[0] & 0xe0) == 0x20; /* 2000::/3, the only part given out */
}

bool address_is_public(const struct sockaddr *address) {
    if (address->sa_family == AF_INET)
        return v4_is_public(ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr));
    if (address->sa_family == AF_INET6)
        return v6_is_public(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
    return false;
}
