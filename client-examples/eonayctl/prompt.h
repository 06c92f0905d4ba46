/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One question on the terminal, answered by a line, in the event loop: the bus is served meanwhile, so that a prompt
 * can be taken back.
 */
#ifndef EONAYCTL_PROMPT_H
#define EONAYCTL_PROMPT_H

#include "ctl.h"
#include "pin.h"
#include "terminal.h"

typedef struct Prompt Prompt;

/* answer: owned by the prompt; NULL when there is none (end of file, or a line that is far too long). */
typedef void (*PromptHandler)(Prompt *p, Pin *answer, void *userdata);

/* Asks; secret: without echo. Returns 0 or a negative errno (-ENOTTY when there is no terminal). */
int prompt_new(sd_event *event, Terminal *terminal, const char *question, bool secret, PromptHandler handler,
               void *userdata, Prompt **ret);
/* Takes the question back when it is still open; puts the echo back, erases the answer. */
Prompt *prompt_free(Prompt *p);

/*
 * Asks and waits. Returns 1 with the answer (release it), 0 when there is none, or a negative errno: -EINTR after a
 * signal, -ENOTTY, -ESTALE when *stop became true, -ENOTCONN when the daemon went.
 */
int prompt_ask(Ctl *ctl, Terminal *terminal, const char *question, bool secret, const bool *stop, Pin **ret);
/* Whether the answer is yes, in English or in the user's language; an empty one is no. */
bool prompt_is_yes(const char *answer);
/* Asks for yes or no. Returns 1, 0, or a negative errno as above. */
int prompt_confirm(Ctl *ctl, Terminal *terminal, const char *question, const bool *stop);

static inline void prompt_freep(Prompt **p) {
    prompt_free(*p);
}

#endif
