/* SPDX-License-Identifier: Apache-2.0 */
/* All that is kept of a consent in one ASiC-E, under a time stamp that the daemon fetches. */
#ifndef EONAYCTL_EXPORT_ASICE_H
#define EONAYCTL_EXPORT_ASICE_H

#include <jansson.h>

#include "ctl.h"

/* evidence: of ExportEvidence; record: the same without texts and signatures. Returns a CtlExit after saying why. */
int export_asice(Ctl *ctl, const char *id, const json_t *evidence, GBytes *record, GBytes **ret);

#endif
