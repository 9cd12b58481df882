/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* json_shape: check the types of a document's values, as a program in Go does. */

#include "json_shape.h"

#include <errno.h>
#include <string.h>

#include <jansson.h>

/*
 * --- texts -------------------------------------------------------------------------------------
 */

/* Two digits, of which the caller knows that they are there. */
static int two(const char *s)
{
	return (s[0] - '0') * 10 + s[1] - '0';
}

static bool has_form(const char *text, const char *form)
{
	for (; *form; form++, text++)
		if (*form == 'd' ? *text < '0' || *text > '9' : *text != *form)
			return false;
	return true;
}

static int days_of(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

static bool is_zone(const char *text)
{
	if (!strcmp(text, "Z"))
		return true;
	return (*text == '+' || *text == '-') && has_form(text + 1, "dd:dd") && !text[6] &&
		two(text + 1) < 24 && two(text + 4) < 60;
}

bool json_is_time(const char *text)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd";
	const char *rest = text + strlen(form);
	int month, day;

	if (!has_form(text, form))
		return false;
	month = two(text + 5);
	day = two(text + 8);
	if (month < 1 || month > 12 || day < 1 ||
		day > days_of(two(text) * 100 + two(text + 2), month) || two(text + 11) > 23 ||
		two(text + 14) > 59 || two(text + 17) > 59)
		return false;
	if (*rest == '.') {
		const size_t n = strspn(rest + 1, "0123456789");

		if (!n)
			return false;
		rest += 1 + n;
	}
	return is_zone(rest);
}

static bool is_base64(const char *text)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const size_t n = strlen(text), k = strspn(text, letters);

	return n % 4 == 0 && n - k <= 2 && strspn(text + k, "=") == n - k;
}

/*
 * --- keys --------------------------------------------------------------------------------------
 */

/* The letter at *s, as encoding/json compares it; advances *s. */
static char next_folded(const char **s)
{
	static const struct {
		const char *text;
		char letter;
	} others[] = { { "\xc5\xbf", 's' }, { "\xe2\x84\xaa", 'k' } }; /* long s, Kelvin sign */
	char c;

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (!strncmp(*s, others[i].text, strlen(others[i].text))) {
			*s += strlen(others[i].text);
			return others[i].letter;
		}
	c = *(*s)++;
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same_folded(const char *a, const char *b)
{
	while (*a && *b)
		if (next_folded(&a) != next_folded(&b))
			return false;
	return *a == *b;
}

/* Find the member that Go takes the key for. Returns 1, 0, or -EINVAL for another spelling. */
static int find(const struct json_shape *shape, const char *key, const struct json_member **ret,
	const char *doc, struct err *e)
{
	const struct json_member *like = NULL;

	for (const struct json_member *m = shape->members; m && m->key; m++) {
		if (!strcmp(m->key, key)) {
			*ret = m;
			return 1;
		}
		if (same_folded(m->key, key))
			like = m;
	}
	if (!like)
		return 0;
	return err_say(e, EINVAL, doc, "\"%s\" can be mistaken for \"%s\"", key, like->key);
}

/*
 * --- values ------------------------------------------------------------------------------------
 */

static const struct {
	json_type type;
	const char *name;
	bool (*is_good)(const char *text); /* of a text */
} kinds[] = {
	[JSON_KIND_OBJECT] = { JSON_OBJECT, "an object", NULL },
	[JSON_KIND_MAP] = { JSON_OBJECT, "an object", NULL },
	[JSON_KIND_LIST] = { JSON_ARRAY, "an array", NULL },
	[JSON_KIND_STR] = { JSON_STRING, "a string", NULL },
	[JSON_KIND_BOOL] = { JSON_TRUE, "true or false", NULL },
	[JSON_KIND_INT] = { JSON_INTEGER, "an integer", NULL },
	[JSON_KIND_TIME] = { JSON_STRING, "a time", json_is_time },
	[JSON_KIND_BYTES] = { JSON_STRING, "in base64", is_base64 },
	[JSON_KIND_NONE] = { JSON_NULL, "null", NULL },
};

struct shape_check {
	const char *doc;
	struct err *e;
};

static int check(
	const struct shape_check *c, json_t *j, const struct json_shape *shape, const char *key);

static int check_members(const struct shape_check *c, json_t *j, const struct json_shape *shape)
{
	int r = 0;

	for (void *i = json_object_iter(j); i && r >= 0; i = json_object_iter_next(j, i)) {
		const struct json_member *m = NULL;
		const char *key = json_object_iter_key(i);

		r = find(shape, key, &m, c->doc, c->e);
		if (r > 0)
			r = check(c, json_object_iter_value(i), m->shape, key);
	}
	return r < 0 ? r : 0;
}

static int check_values(
	const struct shape_check *c, json_t *j, const struct json_shape *shape, const char *key)
{
	int r = 0;

	for (void *i = json_object_iter(j); i && r == 0; i = json_object_iter_next(j, i))
		r = check(c, json_object_iter_value(i), shape->of, key);
	for (size_t i = 0; i < json_array_size(j) && r == 0; i++)
		r = check(c, json_array_get(j, i), shape->of, key);
	return r;
}

/* The depth is that of the shape. */
static int check(
	const struct shape_check *c, json_t *j, const struct json_shape *shape, const char *key)
{
	const json_type is = json_typeof(j) == JSON_FALSE ? JSON_TRUE : json_typeof(j);

	if (is == JSON_NULL)
		return 0;
	if (is != kinds[shape->kind].type ||
		(kinds[shape->kind].is_good && !kinds[shape->kind].is_good(json_string_value(j))))
		return err_say(c->e, EINVAL, c->doc, "the value of \"%s\", or one in it, is not %s",
			key, kinds[shape->kind].name);
	return shape->of ? check_values(c, j, shape, key) : check_members(c, j, shape);
}

int doc_check_shape(
	const struct json *object, const struct json_shape *shape, const char *doc, struct err *e)
{
	const struct shape_check c = { doc, e };

	return check_members(&c, (json_t *)(uintptr_t)object, shape);
}
