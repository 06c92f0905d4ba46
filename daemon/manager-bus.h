/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EONAY_MANAGER_BUS_H
#define EONAY_MANAGER_BUS_H

#include "client.h"

int manager_export(Manager *m);
/* SignConsent, in a file of its own (sign-consent-bus.c). Client handlers. */
int manager_open_consent(Client *client, sd_bus_message *m, sd_bus_error *error);
int manager_sign_consent(Client *client, sd_bus_message *m, sd_bus_error *error);
/* audit-bus.c */
int audit_export(Manager *m);
AuditCall *audit_call_free(AuditCall *c);
/* records-bus.c */
int manager_list_consents(Client *client, sd_bus_message *m, sd_bus_error *error);
int manager_export_evidence(Client *client, sd_bus_message *m, sd_bus_error *error);
int manager_get_approval(Client *client, sd_bus_message *m, sd_bus_error *error);
/* extend-bus.c */
int manager_extend_signature(Client *client, sd_bus_message *m, sd_bus_error *error);
void extension_free(gpointer extension);
/* import-bus.c */
int manager_import_evidence(Client *client, sd_bus_message *m, sd_bus_error *error);
/* stamp-evidence-bus.c */
#define EONAY_STAMPS_PER_USER 10u /* in a row; one more each minute */
int manager_stamp_evidence(Client *client, sd_bus_message *m, sd_bus_error *error);
EvidenceStamps *evidence_stamps_free(EvidenceStamps *s);
/* Puts the call off until the first look at the tokens is over; then the handler gets it, at its beginning. */
int manager_wait_for_tokens(Client *client, sd_bus_message *m, ClientHandler handler, sd_bus_error *error);
/* Works on those that were put off. */
void manager_answer_waiting(Manager *m);
void waiting_call_free(gpointer call);

#endif
