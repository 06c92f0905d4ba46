/* SPDX-License-Identifier: Apache-2.0 */
/* The data objects every host asks for: who the card is (CHUID, CCC), what its PIN is (discovery) and the certificates.
 * Anything else, the key history and the printed information among them, is not on this card. */
#include "card.h"

#include <string.h>

static const uint8_t piv_identifier[] = {0xA0, 0, 0, 0x03, 0x08, 0, 0, 0x10, 0, 0x01, 0};
enum { RID_SIZE = 5, TRUNCATED_SIZE = 9 };

bool card_application_matches(Bytes identifier) {
    if (identifier.size < RID_SIZE || identifier.size > sizeof(piv_identifier))
        return false;
    if (identifier.size != sizeof(piv_identifier) && identifier.size != TRUNCATED_SIZE && identifier.size != RID_SIZE)
        return false;
    return memcmp(identifier.data, piv_identifier, identifier.size) == 0;
}

void card_application(Buffer *answer) {
    _cleanup_buffer_ Buffer authority = {0}, template = {0};
    buffer_add_tlv(&authority, 0x4F, (Bytes){piv_identifier, RID_SIZE});
    buffer_add_tlv(&template, 0x4F, (Bytes){piv_identifier + RID_SIZE, sizeof(piv_identifier) - RID_SIZE});
    buffer_add_tlv(&template, 0x79, buffer_bytes(&authority));
    buffer_add_tlv(&template, 0x50, (Bytes){(const uint8_t *)"Eonay test card", 15});
    buffer_add_tlv(answer, 0x61, buffer_bytes(&template));
}

static uint16_t object_discovery(const Card *card, Buffer *answer) {
    static const uint8_t policy[] = {0x40, 0x00}; /* the application's own PIN, no global one */
    _cleanup_buffer_ Buffer template = {0};
    (void)card;
    buffer_add_tlv(&template, 0x4F, BYTES(piv_identifier));
    buffer_add_tlv(&template, 0x5F2F, BYTES(policy));
    buffer_add_tlv(answer, 0x7E, buffer_bytes(&template));
    return SW_OK;
}

static uint16_t object_chuid(const Card *card, Buffer *answer) {
    /* A FASC-N of agency 9999 says that the GUID is what identifies the card. */
    static const uint8_t fasc_n[25] = {0xD4, 0xE7, 0x39, 0xDA, 0x73, 0x9C, 0xED, 0x39, 0xCE, 0x73, 0x9D, 0x83, 0x68,
                                       0x58, 0x21, 0x08, 0x42, 0x10, 0x84, 0x21, 0xC8, 0x42, 0x10, 0xC3, 0xEB};
    _cleanup_buffer_ Buffer content = {0};
    buffer_add_tlv(&content, 0x30, BYTES(fasc_n));
    buffer_add_tlv(&content, 0x34, BYTES(card->guid));
    buffer_add_tlv(&content, 0x35, (Bytes){(const uint8_t *)"20991231", 8});
    buffer_add_tlv(&content, 0x3E, (Bytes){0});
    buffer_add_tlv(&content, 0xFE, (Bytes){0});
    buffer_add_tlv(answer, 0x53, buffer_bytes(&content));
    return SW_OK;
}

static uint16_t object_capability(const Card *card, Buffer *answer) {
    static const uint8_t version = 0x21, none = 0x00, model = 0x10;
    static const uint8_t empty[] = {0xF6, 0xF7, 0xFA, 0xFB, 0xFC, 0xFD, 0xFE};
    _cleanup_buffer_ Buffer content = {0}, identifier = {0};
    buffer_add(&identifier, (Bytes){piv_identifier, RID_SIZE});
    buffer_add(&identifier, BYTES(card->guid));
    buffer_add_tlv(&content, 0xF0, buffer_bytes(&identifier));
    buffer_add_tlv(&content, 0xF1, (Bytes){&version, 1});
    buffer_add_tlv(&content, 0xF2, (Bytes){&version, 1});
    buffer_add_tlv(&content, 0xF3, (Bytes){0});
    buffer_add_tlv(&content, 0xF4, (Bytes){&none, 1});
    buffer_add_tlv(&content, 0xF5, (Bytes){&model, 1});
    for (size_t i = 0; i < sizeof(empty); i++)
        buffer_add_tlv(&content, empty[i], (Bytes){0});
    buffer_add_tlv(answer, 0x53, buffer_bytes(&content));
    return SW_OK;
}

static uint16_t object_certificate(const Card *card, SlotName name, Buffer *answer) {
    static const uint8_t uncompressed = 0;
    _cleanup_buffer_ Buffer content = {0};
    if (card->slots[name].certificate.size == 0)
        return SW_NOT_FOUND;
    buffer_add_tlv(&content, 0x70, buffer_bytes(&card->slots[name].certificate));
    buffer_add_tlv(&content, 0x71, (Bytes){&uncompressed, 1});
    buffer_add_tlv(&content, 0xFE, (Bytes){0});
    buffer_add_tlv(answer, 0x53, buffer_bytes(&content));
    return SW_OK;
}

uint16_t card_object(const Card *card, Bytes tag, Buffer *answer) {
    uint32_t number = 0;
    if (tag.size == 0 || tag.size > 3)
        return SW_WRONG_DATA;
    for (size_t i = 0; i < tag.size; i++)
        number = number << 8 | tag.data[i];
    switch (number) {
    case 0x7E:
        return object_discovery(card, answer);
    case 0x5FC102:
        return object_chuid(card, answer);
    case 0x5FC107:
        return object_capability(card, answer);
    case 0x5FC105:
        return object_certificate(card, SLOT_9A, answer);
    case 0x5FC10A:
        return object_certificate(card, SLOT_9C, answer);
    case 0x5FC10B:
        return object_certificate(card, SLOT_9D, answer);
    case 0x5FC101:
        return object_certificate(card, SLOT_9E, answer);
    default:
        return SW_NOT_FOUND;
    }
}
