/* SPDX-License-Identifier: Apache-2.0 */
/* GENERAL AUTHENTICATE: a dynamic authentication template with a challenge (sign) or a point (agree) in it, and an
 * empty response element that asks for the answer. Which PIN state a key needs is the slot's matter. */
#include "card.h"

static bool slot_allowed(const Card *card, SlotName name) {
    switch (name) {
    case SLOT_9C:
        return card->fresh;
    case SLOT_9E:
        return true;
    default:
        return card->verified;
    }
}

typedef struct Template {
    Bytes challenge;
    Bytes point;
} Template;

static bool template_parse(Bytes data, Template *ret) {
    unsigned tag;
    Bytes content, value;
    Template template = {0};
    if (!tlv_next(&data, &tag, &content) || tag != 0x7C || data.size != 0)
        return false;
    while (content.size > 0) {
        if (!tlv_next(&content, &tag, &value))
            return false;
        if (tag == 0x81)
            template.challenge = value;
        else if (tag == 0x85)
            template.point = value;
        else if (tag != 0x82)
            return false;
    }
    *ret = template;
    return template.challenge.size || template.point.size;
}

uint16_t card_authenticate(Card *card, const Apdu *apdu, Buffer *answer) {
    SlotName name;
    Template template;
    if (!card_slot(apdu->p2, &name) || !card->slots[name].key)
        return SW_REFERENCE_NOT_FOUND;
    EVP_PKEY *key = card->slots[name].key;
    if (apdu->p1 != key_algorithm(key))
        return SW_WRONG_P1P2;
    if (!slot_allowed(card, name))
        return SW_SECURITY_STATUS;
    if (!template_parse(apdu->data, &template))
        return SW_WRONG_DATA;
    if (name == SLOT_9C)
        card->fresh = false;
    _cleanup_buffer_ Buffer result = {0}, inner = {0};
    uint16_t status =
        template.challenge.size ? key_sign(key, template.challenge, &result) : key_agree(key, template.point, &result);
    if (status != SW_OK)
        return status;
    card->signatures++;
    buffer_add_tlv(&inner, 0x82, buffer_bytes(&result));
    buffer_add_tlv(answer, 0x7C, buffer_bytes(&inner));
    return SW_OK;
}
