/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_JSON_SHAPE_H
#define BASE_JSON_SHAPE_H

#include "err.h"
#include "json.h"

/*
 * The types that another program wants in a document: a program in Go, whose encoding/json refuses
 * the whole document for one value of another type. That takes null for every type, ignores
 * members that it does not know, and takes "Created" and "CREATED" for "created".
 */
enum json_kind {
	JSON_KIND_OBJECT, /* with these members, which may be NULL */
	JSON_KIND_MAP,    /* an object with values of one type */
	JSON_KIND_LIST,   /* an array with values of one type */
	JSON_KIND_STR,
	JSON_KIND_BOOL,
	JSON_KIND_INT,   /* of 64 bits, written without a fraction or exponent */
	JSON_KIND_TIME,  /* a text in the form of RFC 3339 */
	JSON_KIND_BYTES, /* a text in base64 */
	JSON_KIND_NONE,  /* no value but null */
};

struct json_member;

struct json_shape {
	enum json_kind kind;
	const struct json_shape *of;       /* of each value of a map or list */
	const struct json_member *members; /* of an object, to one without a key */
};

struct json_member {
	const char *key;
	const struct json_shape *shape;
};

/*
 * Has the object this shape? Returns 0, or -EINVAL with e filled: also if a key differs from a
 * known one in the case of its letters alone, because the two programs would read different values.
 */
MUST_CHECK int doc_check_shape(
	const struct json *object, const struct json_shape *shape, const char *doc, struct err *e);

/* Is the text a time in the form of RFC 3339, on a day of the calendar? */
bool json_is_time(const char *text);

#endif
