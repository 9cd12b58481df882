/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMD_MOUNT_OPERANDS_H
#define CMD_MOUNT_OPERANDS_H

#include "mount_idmapped.h"

/* Refuse more, or fewer, than SOURCE and TARGET: -EINVAL, with what may have been meant. */
MUST_CHECK int mount_too_many(const struct mount_args *a, const struct operands *o, struct err *e);
MUST_CHECK int mount_too_few(
	const struct mount_args *a, const struct operands *o, bool verbose, struct err *e);

/* Is the first operand the target, and the second one the source? -EINVAL if so. */
MUST_CHECK int mount_check_swapped(char **operands, struct err *e);

/* "-m 1000 1001 SRC DST": if the map is written in several words, say so in e. */
bool mount_advise_map(const struct mount_args *a, char **operands, struct err *e);

/* "SRC DST:ro": if the target is missing because of such an option, say so in e. */
void mount_advise_target(char **operands, struct err *e);

/* "-v SRC:DST" is the volume of docker and podman: if word is one, say so in e. */
bool mount_advise_volume(const char *word, bool verbose, struct err *e);

#endif
