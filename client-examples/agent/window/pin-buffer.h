/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the PIN field holds: on one page, locked in memory, left out of core dumps and children, erased with every
 * character that is deleted and at the end. It leaves only into a pipe. Signals about changes carry bullets in place of
 * the characters, so that nothing that listens (the toolkit, a screen reader) gets a copy.
 */
#ifndef EONAY_AGENT_PIN_BUFFER_H
#define EONAY_AGENT_PIN_BUFFER_H

#include <gtk/gtk.h>

G_DECLARE_FINAL_TYPE(EonayPinBuffer, pin_buffer, EONAY, PIN_BUFFER, GtkEntryBuffer)

/* NULL when no memory can be locked. */
EonayPinBuffer *pin_buffer_new(void);
void pin_buffer_clear(EonayPinBuffer *b);
gsize pin_buffer_size(const EonayPinBuffer *b);
/* Puts it into a new pipe, whose read end is returned, and clears it. Returns 0 or a negative errno. */
int pin_buffer_to_pipe(EonayPinBuffer *b, int *ret_fd);

#endif
