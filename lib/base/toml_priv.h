/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_TOML_PRIV_H
#define BASE_TOML_PRIV_H

#include <stddef.h>

#include "cleanup.h"

/*
 * The border to toml_cxx.cc, which alone is C++: plain types, and no exception leaves it. For the
 * functions, see toml.h. All return -ENOMEM if memory runs out.
 */
struct toml_doc;

#ifdef __cplusplus
extern "C" {
#endif

enum { TOML_CXX_FAULT = 256 };

/* -EINVAL: fault says what is wrong, and *line where (0: unknown). */
MUST_CHECK int toml_cxx_parse(const char *text, size_t n, struct toml_doc **ret,
	char fault[TOML_CXX_FAULT], unsigned *line);
void toml_cxx_free(struct toml_doc *t);

/* Returns 1 with *ret set, 0 if there is nothing at the path, or -EINVAL. */
MUST_CHECK int toml_cxx_str(const struct toml_doc *t, const char *path, const char **ret);

/*
 * The string with this index in the array at the path. Returns 1 with *ret set, 0 if there is no
 * such item or nothing at the path, or -EINVAL.
 */
MUST_CHECK int toml_cxx_item(
	const struct toml_doc *t, const char *path, size_t i, const char **ret);

/* *ret is of malloc(3). */
MUST_CHECK int toml_cxx_add(
	const struct toml_doc *t, const char *path, const char *value, char **ret, size_t *ret_n);
MUST_CHECK int toml_cxx_replace(const struct toml_doc *t, const char *path, const char *old,
	const char *value, char **ret, size_t *ret_n);

#ifdef __cplusplus
}
#endif

#endif
