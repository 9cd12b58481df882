/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* json: strict parsing, and writing, of small JSON documents. */

#include "json.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include <jansson.h>

static struct json *wrap(json_t *j)
{
	return (struct json *)j;
}

/* Getters of jansson take pointers to const, but reference counts make its types mutable. */
static json_t *unwrap(const struct json *j)
{
	return (json_t *)(uintptr_t)j;
}

/* Is any value nested deeper than max brackets? Brackets in strings do not count. */
static bool too_deep(const char *s, size_t n, size_t max)
{
	size_t depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < n; i++) {
		if (quoted) {
			if (s[i] == '\\')
				i++;
			else if (s[i] == '"')
				quoted = false;
		} else if (s[i] == '"') {
			quoted = true;
		} else if (s[i] == '[' || s[i] == '{') {
			if (++depth > max)
				return true;
		} else if ((s[i] == ']' || s[i] == '}') && depth) {
			depth--;
		}
	}
	return false;
}

static const char *const type_names[] = {
	[JSON_OBJECT] = "an object",
	[JSON_ARRAY] = "an array",
	[JSON_STRING] = "a string",
	[JSON_INTEGER] = "an integer",
};

static int parse(const char *text, size_t n, const char *doc, json_type type, struct json **ret,
	struct err *e)
{
	json_error_t fault;
	json_t *j = NULL;

	if (n > JSON_MAX_BYTES)
		return err_say(e, EFBIG, doc, "is larger than %d bytes", (int)JSON_MAX_BYTES);
	if (too_deep(text, n, JSON_MAX_DEPTH))
		return err_say(
			e, EINVAL, doc, "is nested deeper than %d levels", (int)JSON_MAX_DEPTH);

	j = json_loadb(text, n, JSON_REJECT_DUPLICATES, &fault);
	/* jansson 2.14 sets neither a text nor this code for some failed allocations. */
	if (!j && (!fault.text[0] || json_error_code(&fault) == json_error_out_of_memory))
		return err_nomem(e);
	if (!j)
		return err_say(
			e, EBADMSG, doc, "is not valid JSON: line %d: %s", fault.line, fault.text);
	if (json_typeof(j) != type) {
		json_decref(j);
		return err_say(
			e, EINVAL, doc, "is not a JSON %s", strchr(type_names[type], ' ') + 1);
	}

	*ret = wrap(j);
	return 0;
}

int doc_parse(const char *text, size_t n, const char *doc, struct json **ret, struct err *e)
{
	return parse(text, n, doc, JSON_OBJECT, ret, e);
}

int doc_parse_array(const char *text, size_t n, const char *doc, struct json **ret, struct err *e)
{
	return parse(text, n, doc, JSON_ARRAY, ret, e);
}

void doc_free(struct json *doc)
{
	json_decref(unwrap(doc));
}

bool doc_has(const struct json *object, const char *key)
{
	return json_object_get(unwrap(object), key) != NULL;
}

bool doc_is_null(const struct json *object, const char *key)
{
	return json_is_null(json_object_get(unwrap(object), key));
}

static json_t *member(const struct json *object, const char *key)
{
	return json_object_get(unwrap(object), key);
}

/* Is the member j, which may be NULL, of this type? */
static int check_member(const json_t *j, const char *key, const char *doc, bool required,
	json_type type, struct err *e)
{
	if (!j && required)
		return err_say(e, EINVAL, doc, "has no \"%s\"", key);
	if (j && json_typeof(j) != type)
		return err_say(e, EINVAL, doc, "\"%s\" is not %s", key, type_names[type]);
	return 0;
}

int doc_str(const struct json *object, const char *key, const char *doc, bool required,
	const char **ret, struct err *e)
{
	json_t *j = member(object, key);
	int r = check_member(j, key, doc, required, JSON_STRING, e);

	if (r == 0)
		*ret = json_string_value(j);
	return r;
}

int doc_object(const struct json *object, const char *key, const char *doc, bool required,
	const struct json **ret, struct err *e)
{
	json_t *j = member(object, key);
	int r = check_member(j, key, doc, required, JSON_OBJECT, e);

	if (r == 0)
		*ret = wrap(j);
	return r;
}

int doc_array(const struct json *object, const char *key, const char *doc, bool required,
	const struct json **ret, struct err *e)
{
	json_t *j = member(object, key);
	int r = check_member(j, key, doc, required, JSON_ARRAY, e);

	if (r == 0)
		*ret = wrap(j);
	return r;
}

int doc_u64(const struct json *object, const char *key, const char *doc, bool required,
	uint64_t *ret, struct err *e)
{
	json_t *j = member(object, key);
	int r = check_member(j, key, doc, required, JSON_INTEGER, e);

	if (r < 0)
		return r;
	if (json_integer_value(j) < 0)
		return err_say(e, EINVAL, doc, "\"%s\" is negative", key);

	*ret = (uint64_t)json_integer_value(j);
	return 0;
}

bool doc_is_true(const struct json *object, const char *key)
{
	return json_is_true(member(object, key));
}

int doc_keys(const struct json *object, struct strv *ret, struct err *e)
{
	json_t *j = unwrap(object);

	for (void *i = json_object_iter(j); i; i = json_object_iter_next(j, i))
		if (strv_add(ret, json_object_iter_key(i)) < 0)
			return err_nomem(e);
	return 0;
}

size_t doc_len(const struct json *array)
{
	return json_array_size(unwrap(array));
}

int doc_item_object(const struct json *array, size_t i, const char *key, const char *doc,
	const struct json **ret, struct err *e)
{
	json_t *j = json_array_get(unwrap(array), i);

	if (!json_is_object(j))
		return err_say(e, EINVAL, doc, "item %zu of \"%s\" is not an object", i + 1, key);

	*ret = wrap(j);
	return 0;
}

int doc_item_str(const struct json *array, size_t i, const char *key, const char *doc,
	const char **ret, struct err *e)
{
	json_t *j = json_array_get(unwrap(array), i);

	if (!json_is_string(j))
		return err_say(e, EINVAL, doc, "item %zu of \"%s\" is not a string", i + 1, key);

	*ret = json_string_value(j);
	return 0;
}

/*
 * --- writing -----------------------------------------------------------------------------------
 */

/* Add value to the innermost open object or array, which then owns it. Returns false on failure. */
static bool put(struct json_writer *w, const char *key, json_t *value)
{
	json_t *top = w->depth ? unwrap(w->open[w->depth - 1]) : NULL;
	int r;

	/* jansson frees the value on failure, too, and accepts a NULL value and container. */
	r = json_is_array(top) ? json_array_append_new(top, value) :
				 json_object_set_new(top, key, value);
	w->failed |= r < 0;
	return r == 0;
}

static void open_value(struct json_writer *w, const char *key, json_t *value)
{
	assert(w->depth < JSON_OPEN_MAX && !w->root);
	w->failed |= !value;
	if (w->depth && !put(w, key, value))
		value = NULL;
	w->open[w->depth++] = wrap(value);
}

void json_write_object(struct json_writer *w, const char *key)
{
	open_value(w, key, json_object());
}

void json_write_array(struct json_writer *w, const char *key)
{
	open_value(w, key, json_array());
}

void json_write_end(struct json_writer *w)
{
	assert(w->depth);
	if (--w->depth == 0)
		w->root = w->open[0];
}

void json_write_str(struct json_writer *w, const char *key, const char *value)
{
	(void)put(w, key, json_string(value)); /* w->failed records errors, here and below */
}

void json_write_strn(struct json_writer *w, const char *key, const char *value, size_t n)
{
	(void)put(w, key, json_stringn(value, n));
}

void json_write_strs(struct json_writer *w, const char *key, const char *const *values)
{
	json_write_array(w, key);
	for (; *values; values++)
		json_write_str(w, NULL, *values);
	json_write_end(w);
}

void json_write_i64(struct json_writer *w, const char *key, int64_t value)
{
	(void)put(w, key, json_integer(value));
}

void json_write_bool(struct json_writer *w, const char *key, bool value)
{
	(void)put(w, key, json_boolean(value));
}

bool json_writer_in_array(const struct json_writer *w)
{
	return w->depth && json_is_array(unwrap(w->open[w->depth - 1]));
}

static int add_to_buf(const char *s, size_t n, void *b)
{
	buf_add(b, s, n);
	return 0; /* the buffer records a failure; jansson 2.14 ignores the result for keys */
}

int json_writer_print(struct json_writer *w, enum json_form form, struct buf *ret)
{
	static const size_t flags[] = {
		[JSON_ASCII] = JSON_COMPACT | JSON_ENSURE_ASCII,
		[JSON_LINE] = JSON_COMPACT,
		[JSON_PRETTY] = JSON_INDENT(2),
	};
	bool failed = w->failed;

	assert(w->root || failed);
	if (!failed)
		failed = json_dump_callback(unwrap(w->root), add_to_buf, ret, flags[form]) < 0 ||
			!buf_get(ret);
	json_writer_done(w);
	return failed ? -ENOMEM : 0;
}

void json_writer_done(struct json_writer *w)
{
	doc_free(w->root ? w->root : w->depth ? w->open[0] : NULL);
	*w = (struct json_writer){ .depth = 0 };
}
