/* SPDX-License-Identifier: Apache-2.0 */
/* One command APDU (ISO 7816-3 section 12), short or extended, all four cases. */
#ifndef VCARD_APDU_H
#define VCARD_APDU_H

#include "buffer.h"

typedef struct Apdu {
    uint8_t cla;
    uint8_t ins;
    uint8_t p1;
    uint8_t p2;
    Bytes data;      /* points into the message */
    size_t expected; /* 0: no answer data is expected; otherwise at most that many bytes */
} Apdu;

enum {
    INS_VERIFY = 0x20,
    INS_CHANGE_REFERENCE = 0x24,
    INS_RESET_RETRY = 0x2C,
    INS_GENERAL_AUTHENTICATE = 0x87,
    INS_SELECT = 0xA4,
    INS_GET_RESPONSE = 0xC0,
    INS_GET_DATA = 0xCB,
};

enum {
    SW_OK = 0x9000,
    SW_MORE = 0x6100,
    SW_VERIFY_FAILED = 0x63C0,
    SW_MEMORY_FAILURE = 0x6581,
    SW_WRONG_LENGTH = 0x6700,
    SW_SECURITY_STATUS = 0x6982,
    SW_BLOCKED = 0x6983,
    SW_CONDITIONS = 0x6985,
    SW_WRONG_DATA = 0x6A80,
    SW_FUNCTION_NOT_SUPPORTED = 0x6A81,
    SW_NOT_FOUND = 0x6A82,
    SW_WRONG_P1P2 = 0x6A86,
    SW_REFERENCE_NOT_FOUND = 0x6A88,
    SW_INS_NOT_SUPPORTED = 0x6D00,
    SW_CLA_NOT_SUPPORTED = 0x6E00,
};

bool apdu_parse(Bytes message, Apdu *ret);

#endif
