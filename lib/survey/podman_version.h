/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SURVEY_PODMAN_VERSION_H
#define SURVEY_PODMAN_VERSION_H

#include <stdbool.h>
#include <stdint.h>

/* The oldest version that was tried with shared stores. */
enum { PODMAN_TRIED_MAJOR = 4, PODMAN_TRIED_MINOR = 3 };

struct podman_version {
	char text[32]; /* "4.3.1"; "": not known */
	uint32_t major, minor;
};

/*
 * Parse "podman version 4.3.1\n"; what follows the numbers ("5.0.0-rc1") is part of the text.
 * Returns false, with *ret undefined but for its empty text, if the text has another form.
 */
bool podman_version_parse(const char *text, struct podman_version *ret);

#endif
