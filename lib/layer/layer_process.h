/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAYER_LAYER_PROCESS_H
#define LAYER_LAYER_PROCESS_H

#include "../base/err.h"

/*
 * Prepare the process for creating files with other owners: set the umask to 0 and
 * SECBIT_NO_SETUID_FIXUP, with which a thread keeps its capabilities when it changes its filesystem
 * ids (prctl(2), PR_SET_SECUREBITS). Call it once, before threads start. Needs CAP_SETPCAP, and uid
 * and gid 0. Returns 0 or -errno with e filled.
 */
MUST_CHECK int layer_process_prepare(struct err *e);

#endif
