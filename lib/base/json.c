/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* json: strict reading of small documents that nobody vouches for. */

#include "json.h"

#include <errno.h>
#include <limits.h>

#include <jansson.h>

static struct json *wrap(json_t *j)
{
	return (struct json *)j;
}

/* jansson's getters take pointers to const, but reference counts make its types impure. */
static json_t *unwrap(const struct json *j)
{
	return (json_t *)(uintptr_t)j;
}

/* Does any value lie deeper than max brackets? Brackets in strings do not count. */
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

static int parse(const char *text, size_t n, const char *doc, json_type type, const char *type_name,
	struct json **ret, struct err *e)
{
	json_error_t fault;
	json_t *j = NULL;

	if (n > JSON_MAX_BYTES)
		return err_say(e, EFBIG, doc, "is larger than %d bytes", (int)JSON_MAX_BYTES);
	if (too_deep(text, n, JSON_MAX_DEPTH))
		return err_say(
			e, EINVAL, doc, "is nested deeper than %d levels", (int)JSON_MAX_DEPTH);

	j = json_loadb(text, n, JSON_REJECT_DUPLICATES, &fault);
	if (!j && json_error_code(&fault) == json_error_out_of_memory)
		return err_nomem(e);
	if (!j)
		return err_say(
			e, EINVAL, doc, "is not valid JSON: line %d: %s", fault.line, fault.text);
	if (json_typeof(j) != type) {
		json_decref(j);
		return err_say(e, EINVAL, doc, "is not a JSON %s", type_name);
	}

	*ret = wrap(j);
	return 0;
}

int doc_parse(const char *text, size_t n, const char *doc, struct json **ret, struct err *e)
{
	return parse(text, n, doc, JSON_OBJECT, "object", ret, e);
}

int doc_parse_array(const char *text, size_t n, const char *doc, struct json **ret, struct err *e)
{
	return parse(text, n, doc, JSON_ARRAY, "array", ret, e);
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

static int typed(const struct json *object, const char *key, const char *doc, bool required,
	json_type type, const char *type_name, json_t **ret, struct err *e)
{
	json_t *j = json_object_get(unwrap(object), key);

	if (!j && required)
		return err_say(e, EINVAL, doc, "has no \"%s\"", key);
	if (j && json_typeof(j) != type)
		return err_say(e, EINVAL, doc, "\"%s\" is not %s", key, type_name);

	*ret = j;
	return 0;
}

int doc_str(const struct json *object, const char *key, const char *doc, bool required,
	const char **ret, struct err *e)
{
	json_t *j = NULL;
	int r;

	r = typed(object, key, doc, required, JSON_STRING, "a string", &j, e);
	if (r == 0)
		*ret = json_string_value(j);
	return r;
}

int doc_object(const struct json *object, const char *key, const char *doc, bool required,
	const struct json **ret, struct err *e)
{
	json_t *j = NULL;
	int r;

	r = typed(object, key, doc, required, JSON_OBJECT, "an object", &j, e);
	if (r == 0)
		*ret = wrap(j);
	return r;
}

int doc_array(const struct json *object, const char *key, const char *doc, bool required,
	const struct json **ret, struct err *e)
{
	json_t *j = NULL;
	int r;

	r = typed(object, key, doc, required, JSON_ARRAY, "an array", &j, e);
	if (r == 0)
		*ret = wrap(j);
	return r;
}

int doc_u64(const struct json *object, const char *key, const char *doc, bool required,
	uint64_t *ret, struct err *e)
{
	json_t *j = NULL;
	int r;

	r = typed(object, key, doc, required, JSON_INTEGER, "an integer", &j, e);
	if (r < 0)
		return r;
	if (json_integer_value(j) < 0)
		return err_say(e, EINVAL, doc, "\"%s\" is negative", key);

	*ret = (uint64_t)json_integer_value(j);
	return 0;
}

int doc_keys(const struct json *object, struct strv *ret, struct err *e)
{
	const char *key;
	json_t *value;

	json_object_foreach(
		unwrap(object), key, value) if (strv_add(ret, key) < 0) return err_nomem(e);
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
