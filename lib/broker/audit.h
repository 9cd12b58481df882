/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BROKER_AUDIT_H
#define BROKER_AUDIT_H

#include "../base/out.h"
#include "notif.h"

/*
 * Append the decision to the audit file: one JSON object on a line of its own, with the keys "time"
 * (RFC 3339, UTC, microseconds), "pid", "tid", "command", "call", "arguments", "rule", "verdict"
 * and "errno". This prints through struct out, which other areas leave to commands: the audit file
 * is the broker's own output. Returns 0 or -errno.
 */
MUST_CHECK int audit_write(struct out *o, const struct notif *n);

#endif
