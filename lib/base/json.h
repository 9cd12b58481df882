/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "vec.h"

/*
 * JSON documents from outside, read strictly: UTF-8, no key twice in one object, nothing after the
 * value. Values belong to their document and are valid as long as it. doc is the name of the
 * document, and key that of the value, for messages.
 */
struct json;

enum {
	JSON_MAX_BYTES = 4 << 20, /* the limit of registries and other tools for a manifest */
	JSON_MAX_DEPTH = 64,      /* real documents need 6 */
};

/*
 * Parse a document whose value is an object. Size and depth are checked before the parser, which is
 * recursive, sees the text. Returns -EFBIG, -EINVAL or -ENOMEM, with e filled. Free it with
 * doc_free().
 */
MUST_CHECK int doc_parse(
	const char *text, size_t n, const char *doc, struct json **ret, struct err *e);

/* Parse a document whose value is an array. */
MUST_CHECK int doc_parse_array(
	const char *text, size_t n, const char *doc, struct json **ret, struct err *e);
void doc_free(struct json *doc);

static inline void cleanup_json(struct json **j)
{
	doc_free(*j);
}

#define scoped_json __attribute__((cleanup(cleanup_json)))

/* Does the object have this member? */
bool doc_has(const struct json *object, const char *key);

/* Does the object have this member, and is it null? */
bool doc_is_null(const struct json *object, const char *key);

/*
 * Get the member key of an object. -EINVAL if it has another type, or if it is missing and
 * required. If it is missing and not required, *ret is NULL (0 for numbers) and the call succeeds.
 */
MUST_CHECK int doc_str(const struct json *object, const char *key, const char *doc, bool required,
	const char **ret, struct err *e);
MUST_CHECK int doc_object(const struct json *object, const char *key, const char *doc,
	bool required, const struct json **ret, struct err *e);
MUST_CHECK int doc_array(const struct json *object, const char *key, const char *doc, bool required,
	const struct json **ret, struct err *e);

/* Get an integer from 0 to INT64_MAX, written without a fraction or exponent. */
MUST_CHECK int doc_u64(const struct json *object, const char *key, const char *doc, bool required,
	uint64_t *ret, struct err *e);

/* Does the object have this member, and is it true? */
bool doc_is_true(const struct json *object, const char *key);

/* Append the keys of an object to ret, in their order. Returns 0 or -ENOMEM. */
MUST_CHECK int doc_keys(const struct json *object, struct strv *ret, struct err *e);

/* Get the members of an array; i is less than doc_len(). key is that of the array, for messages. */
size_t doc_len(const struct json *array);
MUST_CHECK int doc_item_object(const struct json *array, size_t i, const char *key, const char *doc,
	const struct json **ret, struct err *e);
MUST_CHECK int doc_item_str(const struct json *array, size_t i, const char *key, const char *doc,
	const char **ret, struct err *e);

/*
 * --- writing -----------------------------------------------------------------------------------
 */

enum { JSON_OPEN_MAX = 16 }; /* objects and arrays within each other */

/*
 * A document that is being written. Zero-initialise it, and free it with json_writer_done(). key is
 * the key of the new value; arrays and the outermost value ignore it. Strings must be UTF-8. A
 * value with the key of an earlier one replaces that. json_writer_print() reports errors (out of
 * memory).
 */
struct json_writer {
	struct json *open[JSON_OPEN_MAX]; /* the outermost is first, and owns the others */
	size_t depth;
	struct json *root; /* the value that is complete */
	bool failed;
};

void json_write_object(struct json_writer *w, const char *key);
void json_write_array(struct json_writer *w, const char *key);
void json_write_end(struct json_writer *w); /* of the innermost object or array */

void json_write_str(struct json_writer *w, const char *key, const char *value);
void json_write_strn(struct json_writer *w, const char *key, const char *value, size_t n);
void json_write_strs(
	struct json_writer *w, const char *key, const char *const *values); /* to NULL */
void json_write_i64(struct json_writer *w, const char *key, int64_t value);
void json_write_bool(struct json_writer *w, const char *key, bool value);

/* Is the innermost open value an array? */
bool json_writer_in_array(const struct json_writer *w);

enum json_form {
	JSON_ASCII,  /* one line, with \u escapes for all beyond ASCII */
	JSON_LINE,   /* one line of UTF-8 */
	JSON_PRETTY, /* UTF-8, indented by 2 */
};

/*
 * Append the complete document to ret, without a newline, and free it. The writer can then be used
 * again. Returns 0 or -ENOMEM.
 */
MUST_CHECK int json_writer_print(struct json_writer *w, enum json_form form, struct buf *ret);

void json_writer_done(struct json_writer *w);

#endif
