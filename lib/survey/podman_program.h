/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SURVEY_PODMAN_PROGRAM_H
#define SURVEY_PODMAN_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/err.h"

/* The oldest version that was tried with shared stores. */
enum { PODMAN_TRIED_MAJOR = 4, PODMAN_TRIED_MINOR = 3 };

struct podman_program {
	const char *path; /* static; NULL: podman is not installed */
	char version[32]; /* "4.3.1"; "": not known */
	uint32_t major, minor;
	char why[256]; /* why the version is not known */
};

/*
 * Find podman in the usual directories, and ask it for its version: with the caller's rights, and
 * without the caller's environment. Root runs no program that another user can change. Returns 0 or
 * -ENOMEM.
 */
MUST_CHECK int podman_program_look(struct podman_program *ret, struct err *e);

/*
 * Parse "podman version 4.3.1\n" into version, major and minor; what follows the three numbers
 * ("5.0.0-rc1") is part of the version. Returns false if the text has another form.
 */
bool podman_program_parse(const char *text, struct podman_program *ret);

#endif
