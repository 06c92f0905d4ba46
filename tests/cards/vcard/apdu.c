/* SPDX-License-Identifier: Apache-2.0 */
/* The length of an APDU alone tells its case: header; header and Le; header, Lc and data; all of them. A zero where Lc
 * would stand announces extended lengths of two bytes. */
#include "apdu.h"

static size_t length_or(size_t value, size_t when_zero) {
    return value ? value : when_zero;
}

static bool body_short(Bytes body, Apdu *apdu) {
    if (body.size == 1) {
        apdu->expected = length_or(body.data[0], 256);
        return true;
    }
    size_t lc = body.data[0];
    if (body.size != 1 + lc && body.size != 2 + lc)
        return false;
    apdu->data = (Bytes){body.data + 1, lc};
    if (body.size == 2 + lc)
        apdu->expected = length_or(body.data[1 + lc], 256);
    return true;
}

static size_t two_bytes(const uint8_t *at) {
    return (size_t)at[0] << 8 | at[1];
}

static bool body_extended(Bytes body, Apdu *apdu) {
    if (body.size < 3)
        return false;
    size_t first = two_bytes(body.data + 1);
    if (body.size == 3) {
        apdu->expected = length_or(first, 65536);
        return true;
    }
    if (first == 0 || (body.size != 3 + first && body.size != 5 + first))
        return false;
    apdu->data = (Bytes){body.data + 3, first};
    if (body.size == 5 + first)
        apdu->expected = length_or(two_bytes(body.data + 3 + first), 65536);
    return true;
}

bool apdu_parse(Bytes message, Apdu *ret) {
    if (message.size < 4)
        return false;
    const uint8_t *m = message.data;
    Apdu apdu = {.cla = m[0], .ins = m[1], .p1 = m[2], .p2 = m[3]};
    Bytes body = {m + 4, message.size - 4};
    bool good = true;
    if (body.size > 1 && body.data[0] == 0)
        good = body_extended(body, &apdu);
    else if (body.size > 0)
        good = body_short(body, &apdu);
    if (good)
        *ret = apdu;
    return good;
}
