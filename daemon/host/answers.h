/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an authority's plugin answers: checked, put on the wire, released. A check returns NULL, or in English what is
 * wrong. Appending takes `success`: false appends an empty payload of the same type.
 */
#ifndef EONAY_HOST_ANSWERS_H
#define EONAY_HOST_ANSWERS_H

#include <stdbool.h>
#include <systemd/sd-bus.h>

#include "eonay/plugin.h"

const char *code_fault(const EonayCode *c);
int code_append(const EonayCode *c, bool success, sd_bus_message *reply);
void code_clear(EonayCode *c);

const char *redemption_fault(const EonayRedemption *r);
int redemption_append(const EonayRedemption *r, bool success, sd_bus_message *reply);
void redemption_clear(EonayRedemption *r);

const char *receipt_fault(const EonayReceipt *r);
int receipt_append(const EonayReceipt *r, bool success, sd_bus_message *reply);
int status_append(EonayTransactionState state, const EonayReceipt *r, bool success, sd_bus_message *reply);
void receipt_clear(EonayReceipt *r);

const char *approval_fault(const EonayApproval *a);
int approval_append(const EonayApproval *a, bool success, sd_bus_message *reply);
void approval_clear(EonayApproval *a);

int capabilities_append(const EonayCapabilities *c, bool success, sd_bus_message *reply);

#endif
