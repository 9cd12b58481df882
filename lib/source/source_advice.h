/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SOURCE_SOURCE_ADVICE_H
#define SOURCE_SOURCE_ADVICE_H

#include <stdbool.h>

#include "../base/err.h"

/*
 * Add to the error of a source that does not exist what may have been meant: spec is the word of
 * the command line, such as "debian:12", "docker://debian" or "oci:DIR@sha256:...". option, value:
 * what image-unpack is to do with it: "-N" and the name, which is made if value is NULL; or
 * "--scan" and "".
 */
void source_advise_missing(const char *spec, const char *option, const char *value, struct err *e);

/* Say how the image that a registry has by this name is copied and unpacked, if it is a name. */
void source_advise_fetch(const char *name, struct err *e);

/* Can a source without a prefix be read from there: a file, or a directory with an OCI layout? */
bool source_is_there(const char *path);

/* Does the part of the word before a colon exist, as in "debian:12" beside a directory debian? */
bool source_is_partly_there(const char *spec);

#endif
