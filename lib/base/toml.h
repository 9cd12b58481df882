/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_TOML_H
#define BASE_TOML_H

#include <stddef.h>

#include "buf.h"
#include "err.h"
#include "vec.h"

/*
 * TOML documents from outside, parsed by toml++ (toml_cxx.cc). A path has bare keys with dots
 * between them: "storage.options.mount_program". doc is the name of the document, for messages.
 */
struct toml_doc;

enum { TOML_MAX_BYTES = 1 << 20 };

/*
 * Parse a document. Returns -EINVAL, with the line in e, -EFBIG or -ENOMEM; -ENOTSUP in a build
 * without a parser of TOML. Free it with toml_free().
 */
MUST_CHECK int toml_parse(
	const char *text, size_t n, const char *doc, struct toml_doc **ret, struct err *e);
void toml_free(struct toml_doc *t);

static inline void cleanup_toml(struct toml_doc **t)
{
	toml_free(*t);
}

#define scoped_toml __attribute__((cleanup(cleanup_toml)))

/*
 * Get the string at the path, which belongs to the document. NULL: there is no such key. -EINVAL:
 * it is not a string.
 */
MUST_CHECK int toml_str(const struct toml_doc *t, const char *path, const char *doc,
	const char **ret, struct err *e);

/*
 * Append the strings of the array at the path to ret. There is none if there is no such key.
 * -EINVAL: it is not an array of strings.
 */
MUST_CHECK int toml_strs(const struct toml_doc *t, const char *path, const char *doc,
	struct strv *ret, struct err *e);

/*
 * Append the line KEY = "VALUE" to ret. -EINVAL: value has quotes, backslashes or control
 * characters, which this does not escape.
 */
MUST_CHECK int toml_print_str(
	const char *key, const char *value, const char *doc, struct buf *ret, struct err *e);

/*
 * Append to ret the text of the document with value added at the end of the array of strings at the
 * path; the array and the tables above it are added if they do not exist. Everything else of the
 * text stays as it is. The new text is parsed, and compared with the document: it has this value in
 * addition, and differs in nothing else. Returns -EINVAL if that cannot be done: there is something
 * else at the path, or the tables above it are written in a form to which nothing can be added;
 * also if value contains quotes, backslashes or control characters.
 */
MUST_CHECK int toml_add_str(const struct toml_doc *t, const char *path, const char *value,
	const char *doc, struct buf *ret, struct err *e);

struct toml_replacement {
	const char *path, *old, *value;
};

/*
 * As toml_add_str(), but the value takes the place of the old string in the array. -EINVAL: that is
 * not there, or the value cannot be written.
 */
MUST_CHECK int toml_replace_str(const struct toml_doc *t, const struct toml_replacement *with,
	const char *doc, struct buf *ret, struct err *e);

#endif
