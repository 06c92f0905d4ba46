/* SPDX-License-Identifier: Apache-2.0 */
/* The command set and the state between commands. Long commands arrive in a chain (class bit 0x10) or with extended
 * lengths; long answers leave through GET RESPONSE. Every refusal is a status word; no input ends the program. */
#include "card.h"

#include <stdlib.h>
#include <string.h>

enum {
    CLA_CHAIN = 0x10,
    KEY_PIN = 0x80,
    KEY_PUK = 0x81,
    VERIFY_FORGET = 0xFF,
    CHAIN_MAXIMUM = 16384,
    HISTORY_MAXIMUM = 15,
};

void card_init(Card *card) {
    *card = (Card){.application = true};
    references_init(&card->references);
    card_set_history(card, (Bytes){(const uint8_t *)"EONAY", 5});
}

void card_free(Card *card) {
    for (int i = 0; i < SLOT_COUNT; i++) {
        EVP_PKEY_free(card->slots[i].key);
        buffer_free(&card->slots[i].certificate);
    }
    references_free(&card->references);
    buffer_free(&card->atr);
    buffer_free(&card->chain);
    buffer_free(&card->rest);
}

bool card_slot(uint8_t reference, SlotName *ret) {
    static const uint8_t references[SLOT_COUNT] = {0x9A, 0x9C, 0x9D, 0x9E};
    for (int i = 0; i < SLOT_COUNT; i++) {
        if (references[i] != reference)
            continue;
        *ret = (SlotName)i;
        return true;
    }
    return false;
}

void card_set_history(Card *card, Bytes history) {
    uint8_t check = 0;
    size_t size = history.size < HISTORY_MAXIMUM ? history.size : HISTORY_MAXIMUM;
    card->atr.size = 0;
    buffer_add_byte(&card->atr, 0x3B);
    buffer_add_byte(&card->atr, (uint8_t)(0x80 | size));
    buffer_add_byte(&card->atr, 0x01);
    buffer_add(&card->atr, (Bytes){history.data, size});
    for (size_t i = 1; i < card->atr.size; i++)
        check ^= card->atr.data[i];
    buffer_add_byte(&card->atr, check);
}

static void card_forget_pin(Card *card) {
    card->verified = card->fresh = false;
}

void card_reset(Card *card) {
    card_forget_pin(card);
    card->selected = false;
    card->chain.size = card->rest.size = 0;
}

static uint16_t command_select(Card *card, const Apdu *apdu, Buffer *answer) {
    if (apdu->p1 != 0x04)
        return SW_NOT_FOUND;
    if (!card->application || !card_application_matches(apdu->data))
        return SW_NOT_FOUND;
    /* Selecting the selected application again keeps the PIN (SP 800-73-4, part 2, 3.1.1). */
    if (!card->selected)
        card_forget_pin(card);
    card->selected = true;
    card_application(answer);
    return SW_OK;
}

static uint16_t command_get_data(Card *card, const Apdu *apdu, Buffer *answer) {
    Bytes rest = apdu->data, tag_list;
    unsigned tag;
    if (apdu->p1 != 0x3F || apdu->p2 != 0xFF)
        return SW_WRONG_P1P2;
    if (!tlv_next(&rest, &tag, &tag_list) || tag != 0x5C || rest.size != 0)
        return SW_WRONG_DATA;
    return card_object(card, tag_list, answer);
}

static uint16_t command_verify(Card *card, const Apdu *apdu, Buffer *answer) {
    (void)answer;
    if (apdu->p2 != KEY_PIN)
        return SW_REFERENCE_NOT_FOUND;
    if (apdu->p1 == VERIFY_FORGET && apdu->data.size == 0) {
        card_forget_pin(card);
        return SW_OK;
    }
    if (apdu->p1 != 0)
        return SW_WRONG_P1P2;
    if (apdu->data.size == 0)
        return card->verified ? SW_OK : reference_status(&card->references, REFERENCE_PIN);
    card->verifies++;
    uint16_t status = reference_verify(&card->references, REFERENCE_PIN, apdu->data);
    card->verified = card->fresh = status == SW_OK;
    if (status != SW_OK)
        card->verifies_failed++;
    return status;
}

static bool two_codes(Bytes data, Bytes *ret_first, Bytes *ret_second) {
    if (data.size != 2 * REFERENCE_LENGTH)
        return false;
    *ret_first = (Bytes){data.data, REFERENCE_LENGTH};
    *ret_second = (Bytes){data.data + REFERENCE_LENGTH, REFERENCE_LENGTH};
    return true;
}

static uint16_t command_change_reference(Card *card, const Apdu *apdu, Buffer *answer) {
    Bytes old, new;
    (void)answer;
    if (apdu->p2 != KEY_PIN && apdu->p2 != KEY_PUK)
        return SW_REFERENCE_NOT_FOUND;
    if (apdu->p1 != 0)
        return SW_WRONG_P1P2;
    if (!two_codes(apdu->data, &old, &new))
        return SW_WRONG_LENGTH;
    int which = apdu->p2 == KEY_PIN ? REFERENCE_PIN : REFERENCE_PUK;
    uint16_t status = reference_verify(&card->references, which, old);
    if (status == SW_OK)
        status = reference_replace(&card->references, which, new);
    if (status != SW_OK && which == REFERENCE_PIN)
        card_forget_pin(card);
    return status;
}

static uint16_t command_reset_retry(Card *card, const Apdu *apdu, Buffer *answer) {
    Bytes puk, pin;
    (void)answer;
    if (apdu->p2 != KEY_PIN)
        return SW_REFERENCE_NOT_FOUND;
    if (apdu->p1 != 0)
        return SW_WRONG_P1P2;
    if (!two_codes(apdu->data, &puk, &pin))
        return SW_WRONG_LENGTH;
    uint16_t status = reference_verify(&card->references, REFERENCE_PUK, puk);
    if (status == SW_OK)
        status = reference_replace(&card->references, REFERENCE_PIN, pin);
    card_forget_pin(card);
    return status;
}

static uint16_t card_dispatch(Card *card, const Apdu *apdu, Buffer *answer) {
    static const struct {
        uint8_t ins;
        uint16_t (*run)(Card *, const Apdu *, Buffer *);
    } commands[] = {
        {INS_GET_DATA, command_get_data},
        {INS_VERIFY, command_verify},
        {INS_CHANGE_REFERENCE, command_change_reference},
        {INS_RESET_RETRY, command_reset_retry},
        {INS_GENERAL_AUTHENTICATE, card_authenticate},
    };
    if (apdu->ins == INS_SELECT)
        return command_select(card, apdu, answer);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (commands[i].ins == apdu->ins)
            return card->selected ? commands[i].run(card, apdu, answer) : SW_CONDITIONS;
    return SW_INS_NOT_SUPPORTED;
}

/* Sends what fits and keeps the rest for GET RESPONSE. */
static void card_send(Card *card, size_t expected, uint16_t status, Buffer *answer) {
    size_t limit = expected ? expected : 256;
    size_t now = card->rest.size < limit ? card->rest.size : limit;
    buffer_add(answer, (Bytes){card->rest.data, now});
    buffer_consume(&card->rest, now);
    if (card->rest.size == 0) {
        buffer_add_status(answer, status);
        return;
    }
    uint16_t left = card->rest.size > 0xFF ? 0 : (uint16_t)card->rest.size;
    buffer_add_status(answer, SW_MORE | left);
}

/* Joins the parts of a chain. SW_MORE when the command is whole now, otherwise the status to answer. */
static uint16_t card_chain(Card *card, Apdu *apdu) {
    if (card->chain.size + apdu->data.size > CHAIN_MAXIMUM) {
        card->chain.size = 0;
        return SW_WRONG_LENGTH;
    }
    if (apdu->cla & CLA_CHAIN) {
        buffer_add(&card->chain, apdu->data);
        return SW_OK;
    }
    if (card->chain.size > 0) {
        buffer_add(&card->chain, apdu->data);
        apdu->data = buffer_bytes(&card->chain);
    }
    return SW_MORE;
}

void card_transmit(Card *card, Bytes message, Buffer *answer) {
    Apdu apdu;
    card->apdus++;
    if (!apdu_parse(message, &apdu)) {
        buffer_add_status(answer, SW_WRONG_LENGTH);
        return;
    }
    if ((apdu.cla & ~CLA_CHAIN) != 0) {
        buffer_add_status(answer, SW_CLA_NOT_SUPPORTED);
        return;
    }
    if (apdu.ins == INS_GET_RESPONSE) {
        if (card->rest.size == 0)
            buffer_add_status(answer, SW_CONDITIONS);
        else
            card_send(card, apdu.expected, SW_OK, answer);
        return;
    }
    card->rest.size = 0;
    if (card->strict && apdu.ins != INS_GENERAL_AUTHENTICATE)
        card->fresh = false;
    uint16_t status = card_chain(card, &apdu);
    if (status != SW_MORE) {
        buffer_add_status(answer, status);
        return;
    }
    status = card_dispatch(card, &apdu, &card->rest);
    card->chain.size = 0;
    card_send(card, apdu.expected, status, answer);
}
