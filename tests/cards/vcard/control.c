/* SPDX-License-Identifier: Apache-2.0 */
/* A line is words: a command, its arguments, and for faults options in pairs (at WHAT, times N, skip N, after MS). */
#include "control.h"

#include <stdlib.h>
#include <string.h>

enum { WORDS_MAXIMUM = 12, MS_MAXIMUM = 600000 };

typedef struct Line {
    char *word[WORDS_MAXIMUM];
    size_t count;
} Line;

static bool line_split(char *text, Line *line) {
    char *rest = NULL;
    line->count = 0;
    for (char *word = strtok_r(text, " \t\r\n", &rest); word; word = strtok_r(NULL, " \t\r\n", &rest)) {
        if (line->count == WORDS_MAXIMUM)
            return false;
        line->word[line->count++] = word;
    }
    return true;
}

static bool number_parse(const char *text, int base, unsigned maximum, unsigned *ret) {
    char *end;
    unsigned long value = strtoul(text, &end, base);
    if (end == text || *end || *text == '-' || value > maximum)
        return false;
    *ret = (unsigned)value;
    return true;
}

static bool fault_option(Fault *fault, const char *name, const char *value) {
    if (strcmp(name, "at") == 0)
        return fault_ins(value, &fault->ins);
    if (strcmp(name, "times") == 0)
        return number_parse(value, 10, 1000000, &fault->times);
    if (strcmp(name, "skip") == 0)
        return number_parse(value, 10, 1000000, &fault->skip);
    if (strcmp(name, "after") == 0 && fault->kind == FAULT_PULL)
        return number_parse(value, 10, MS_MAXIMUM, &fault->value);
    return false;
}

static const char *fault_line(Link *link, const Line *line, FaultKind kind) {
    Fault fault = {.kind = kind, .ins = FAULT_ANY_INS};
    size_t at = 1;
    if (kind == FAULT_PULL)
        fault.times = 1;
    if (kind == FAULT_SLOW || kind == FAULT_STATUS || kind == FAULT_GARBAGE) {
        int base = kind == FAULT_STATUS ? 16 : 10;
        unsigned maximum = kind == FAULT_STATUS ? 0xFFFF : kind == FAULT_SLOW ? MS_MAXIMUM : 4096;
        if (line->count < 2 || !number_parse(line->word[1], base, maximum, &fault.value))
            return "error a number is wanted";
        at = 2;
    }
    if ((line->count - at) % 2 != 0)
        return "error options come in pairs";
    for (; at < line->count; at += 2)
        if (!fault_option(&fault, line->word[at], line->word[at + 1]))
            return "error unknown option or value";
    return faults_add(&link->faults, fault) ? NULL : "error too many faults";
}

static const char *command_pull(Link *link, const Line *line) {
    if (line->count > 1)
        return fault_line(link, line, FAULT_PULL);
    link_pull(link);
    return NULL;
}

static const char *command_insert(Link *link, const Line *line) {
    (void)line;
    link_insert(link);
    return NULL;
}

static const char *command_mute(Link *link, const Line *line) {
    return fault_line(link, line, FAULT_MUTE);
}

static const char *command_slow(Link *link, const Line *line) {
    return fault_line(link, line, FAULT_SLOW);
}

static const char *command_status(Link *link, const Line *line) {
    return fault_line(link, line, FAULT_STATUS);
}

static const char *command_garbage(Link *link, const Line *line) {
    return fault_line(link, line, FAULT_GARBAGE);
}

static const char *command_clear(Link *link, const Line *line) {
    (void)line;
    faults_clear(&link->faults);
    return NULL;
}

static bool reference_named(const char *name, int *ret) {
    if (strcmp(name, "pin") != 0 && strcmp(name, "puk") != 0)
        return false;
    *ret = strcmp(name, "pin") == 0 ? REFERENCE_PIN : REFERENCE_PUK;
    return true;
}

static const char *command_tries(Link *link, const Line *line) {
    int which;
    References *references = &link->card->references;
    if (line->count != 3 || !reference_named(line->word[1], &which))
        return "error tries pin|puk NUMBER";
    if (!number_parse(line->word[2], 10, TRIES_MAXIMUM, &references->entry[which].tries))
        return "error 0 to 15 tries";
    return references_save(references) < 0 ? "error the state cannot be written" : NULL;
}

static const char *command_code(Link *link, const Line *line) {
    int which;
    if (line->count != 3 || !reference_named(line->word[1], &which))
        return "error code pin|puk VALUE";
    return reference_set(&link->card->references, which, line->word[2]) ? NULL : "error not a code of the right length";
}

static const char *command_serial(Link *link, const Line *line) {
    _cleanup_buffer_ Buffer guid = {0};
    if (line->count != 2 || !buffer_add_hex(&guid, line->word[1]) || guid.size != GUID_SIZE)
        return "error serial wants 32 hexadecimal digits";
    memcpy(link->card->guid, guid.data, GUID_SIZE);
    return NULL;
}

static const char *command_atr(Link *link, const Line *line) {
    _cleanup_buffer_ Buffer atr = {0};
    if (line->count != 2 || !buffer_add_hex(&atr, line->word[1]) || atr.size < 2 || atr.size > 33)
        return "error atr wants 2 to 33 bytes in hexadecimal digits";
    link->card->atr.size = 0;
    buffer_add(&link->card->atr, buffer_bytes(&atr));
    return NULL;
}

static const char *switch_line(const Line *line, bool *ret) {
    if (line->count != 2 || (strcmp(line->word[1], "on") != 0 && strcmp(line->word[1], "off") != 0))
        return "error on or off is wanted";
    *ret = strcmp(line->word[1], "on") == 0;
    return NULL;
}

static const char *command_application(Link *link, const Line *line) {
    return switch_line(line, &link->card->application);
}

static const char *command_strict(Link *link, const Line *line) {
    return switch_line(line, &link->card->strict);
}

static void control_report(const Link *link, char reply[static REPLY_MAXIMUM]) {
    const Card *card = link->card;
    snprintf(reply, REPLY_MAXIMUM,
             "inserted=%d connected=%d powered=%d power-ups=%u selected=%d verified=%d pin-tries=%u puk-tries=%u "
             "verifies=%u "
             "verifies-failed=%u signatures=%u apdus=%u faults=%zu",
             link->inserted, link->connected, card->powered, card->power_ups, card->selected, card->verified,
             card->references.entry[REFERENCE_PIN].tries, card->references.entry[REFERENCE_PUK].tries, card->verifies,
             card->verifies_failed, card->signatures, card->apdus, link->faults.count);
}

static const char *control_run(Link *link, const Line *line) {
    static const struct {
        const char *name;
        const char *(*run)(Link *, const Line *);
    } commands[] = {
        {"pull", command_pull},     {"insert", command_insert}, {"mute", command_mute},
        {"slow", command_slow},     {"status", command_status}, {"garbage", command_garbage},
        {"clear", command_clear},   {"tries", command_tries},   {"code", command_code},
        {"serial", command_serial}, {"atr", command_atr},       {"application", command_application},
        {"strict", command_strict},
    };
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(line->word[0], commands[i].name) == 0)
            return commands[i].run(link, line);
    return "error unknown command";
}

bool control_line(Link *link, char *text, char reply[static REPLY_MAXIMUM], bool *ret_exit) {
    Line line;
    const char *error = NULL;
    if (!line_split(text, &line))
        error = "error too many words";
    else if (line.count == 0 || line.word[0][0] == '#')
        error = NULL;
    else if (strcmp(line.word[0], "exit") == 0)
        *ret_exit = true;
    else if (strcmp(line.word[0], "report") == 0) {
        control_report(link, reply);
        return true;
    } else
        error = control_run(link, &line);
    snprintf(reply, REPLY_MAXIMUM, "%s", error ? error : "ok");
    return !error;
}
