/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SURVEY_PODMAN_PROGRAM_H
#define SURVEY_PODMAN_PROGRAM_H

#include "../base/err.h"
#include "podman_version.h"

struct podman_program {
	const char *path; /* static; NULL: podman is not installed */
	struct podman_version version;
	char why[256]; /* why the version is not known */
};

/*
 * Find podman in the usual directories, and ask it for its version: with the caller's rights, and
 * without the caller's environment. Root runs no program that another user can change. Returns 0 or
 * -ENOMEM.
 */
MUST_CHECK int podman_program_look(struct podman_program *ret, struct err *e);

#endif
