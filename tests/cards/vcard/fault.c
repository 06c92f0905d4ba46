/* SPDX-License-Identifier: Apache-2.0 */
/* Several faults may match one command: delays add up, and one that removes, silences or replaces does so as well. */
#include "fault.h"

#include <stdlib.h>
#include <string.h>

bool faults_add(Faults *faults, Fault fault) {
    if (faults->count == FAULTS_MAXIMUM)
        return false;
    faults->entry[faults->count++] = fault;
    return true;
}

void faults_clear(Faults *faults) {
    faults->count = 0;
}

static bool fault_matches(const Fault *fault, Bytes message) {
    if (fault->ins == FAULT_ANY_INS)
        return true;
    bool chained = message.size > 0 && (message.data[0] & 0x10);
    return message.size > 1 && message.data[1] == fault->ins && !chained;
}

static void answer_garbage(Verdict *verdict, unsigned size) {
    for (unsigned i = 0; i < size; i++)
        buffer_add_byte(&verdict->answer, (uint8_t)(0xA5 + 31 * i));
}

static void fault_apply(const Fault *fault, Verdict *verdict) {
    switch (fault->kind) {
    case FAULT_PULL:
        verdict->pull = true;
        verdict->pull_after = fault->value;
        break;
    case FAULT_MUTE:
        verdict->mute = true;
        break;
    case FAULT_SLOW:
        verdict->delay += fault->value;
        break;
    case FAULT_STATUS:
        verdict->replaced = true;
        buffer_add_status(&verdict->answer, (uint16_t)fault->value);
        break;
    case FAULT_GARBAGE:
        verdict->replaced = true;
        answer_garbage(verdict, fault->value);
        break;
    }
}

static void faults_remove(Faults *faults, size_t i) {
    memmove(&faults->entry[i], &faults->entry[i + 1], (faults->count - i - 1) * sizeof(Fault));
    faults->count--;
}

Verdict faults_judge(Faults *faults, Bytes message) {
    Verdict verdict = {0};
    size_t i = 0;
    while (i < faults->count) {
        Fault *fault = &faults->entry[i];
        if (!fault_matches(fault, message)) {
            i++;
        } else if (fault->skip > 0) {
            fault->skip--;
            i++;
        } else {
            fault_apply(fault, &verdict);
            if (fault->times > 0 && --fault->times == 0)
                faults_remove(faults, i);
            else
                i++;
        }
    }
    return verdict;
}

bool fault_ins(const char *name, int *ret) {
    static const struct {
        const char *name;
        int ins;
    } names[] = {
        {"any", FAULT_ANY_INS},       {"sign", INS_GENERAL_AUTHENTICATE}, {"verify", INS_VERIFY},
        {"select", INS_SELECT},       {"get-data", INS_GET_DATA},         {"change", INS_CHANGE_REFERENCE},
        {"unblock", INS_RESET_RETRY}, {"get-response", INS_GET_RESPONSE},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(name, names[i].name) != 0)
            continue;
        *ret = names[i].ins;
        return true;
    }
    char *end;
    unsigned long number = strtoul(name, &end, 16);
    if (end == name || *end || number > 0xFF)
        return false;
    *ret = (int)number;
    return true;
}
