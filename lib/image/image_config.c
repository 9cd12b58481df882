/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image_config: read how an image is to be run. */

#include "image_config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/json.h"
#include "../base/log.h"
#include "../base/plural.h"

#define DOC "config.json"
#define PREFIX "org.opencontainers.image."

/* Docker writes null for members without a value. */
static bool given(const struct json *object, const char *key)
{
	return doc_has(object, key) && !doc_is_null(object, key);
}

static int read_strings(const struct json *config, const char *key, struct strv *ret, struct err *e)
{
	const struct json *array = NULL;
	int r = given(config, key) ? doc_array(config, key, DOC, true, &array, e) : 0;

	for (size_t i = 0; r == 0 && array && i < doc_len(array); i++) {
		const char *s = NULL;

		r = doc_item_str(array, i, key, DOC, &s, e);
		if (r == 0 && strv_add(ret, s) < 0)
			r = err_nomem(e);
	}
	return r;
}

static int read_string(const struct json *object, const char *key, const char **ret, struct err *e)
{
	*ret = "";
	return given(object, key) ? doc_str(object, key, DOC, true, ret, e) : 0;
}

static int copy_string(const struct json *object, const char *key, char **ret, struct err *e)
{
	const char *s;
	int r = read_string(object, key, &s, e);

	if (r < 0)
		return r;
	*ret = strdup(s);
	return *ret ? 0 : err_nomem(e);
}

/* A variable of the list, and the length of its name. */
struct variable {
	const char *text;
	size_t name, at;
};

static int by_name(const void *a, const void *b)
{
	const struct variable *x = a, *y = b;
	size_t n = x->name < y->name ? x->name : y->name;
	int r = memcmp(x->text, y->text, n);

	if (r)
		return r;
	if (x->name != y->name)
		return x->name < y->name ? -1 : 1;
	return x->at < y->at ? -1 : x->at != y->at;
}

static bool same_name(const struct variable *x, const struct variable *y)
{
	return x->name == y->name && !memcmp(x->text, y->text, x->name);
}

/* Mark in keep the last variable of each name, by its index in the list. */
static int find_last(const struct strv *all, bool *keep, struct err *e)
{
	scoped_free struct variable *v = calloc(all->len + 1, sizeof(*v));
	size_t n = 0, bad = 0;

	if (!v)
		return err_nomem(e);
	for (size_t i = 0; i < all->len; i++) {
		size_t name = strcspn(all->items[i], "=");

		if (name && all->items[i][name])
			v[n++] = (struct variable){ all->items[i], name, i };
		else
			bad++;
	}
	if (bad)
		log_warn("the image's configuration has %zu %s not NAME=VALUE: "
			 "omitted",
			bad, plural(bad, "variable that is", "variables that are"));
	qsort(v, n, sizeof(*v), by_name);
	for (size_t i = 0; i < n; i++)
		keep[v[i].at] = i + 1 == n || !same_name(&v[i], &v[i + 1]);
	return 0;
}

/* Programs use the last variable of a name, so only that is kept. */
static int read_env(const struct json *config, struct strv *ret, struct err *e)
{
	scoped_strv struct strv all = { 0 };
	scoped_free bool *keep = NULL;
	int r = read_strings(config, "Env", &all, e);

	if (r < 0)
		return r;
	keep = calloc(all.len + 1, sizeof(*keep));
	r = keep ? find_last(&all, keep, e) : err_nomem(e);
	for (size_t i = 0; r == 0 && i < all.len; i++)
		if (keep[i] && strv_add(ret, all.items[i]) < 0)
			r = err_nomem(e);
	return r;
}

/* Read a set: docker writes an object whose keys are the elements. */
static int read_set(const struct json *config, const char *key, struct strv *ret, struct err *e)
{
	const struct json *set = NULL;
	int r = given(config, key) ? doc_object(config, key, DOC, true, &set, e) : 0;

	return r == 0 && set ? doc_keys(set, ret, e) : r;
}

/* --- Annotations --- */

static int annotate(struct image_config *c, const char *name, const char *value, struct err *e)
{
	return strv_add(&c->annotations, name) < 0 || strv_add(&c->annotations, value) < 0 ?
		err_nomem(e) :
		0;
}

static int annotate_member(struct image_config *c, const struct json *object, const char *key,
	const char *name, struct err *e)
{
	const char *value;
	int r = read_string(object, key, &value, e);

	return r == 0 && *value ? annotate(c, name, value, e) : r;
}

static int annotate_ports(struct image_config *c, const struct json *config, struct err *e)
{
	scoped_strv struct strv ports = { 0 };
	scoped_buf struct buf b = BUF_INIT;
	int r = read_set(config, "ExposedPorts", &ports, e);

	if (r < 0 || !ports.len)
		return r;
	for (size_t i = 0; i < ports.len; i++) {
		buf_str(&b, i ? "," : "");
		buf_str(&b, ports.items[i]);
	}
	return buf_get(&b) ? annotate(c, PREFIX "exposedPorts", buf_get(&b), e) : err_nomem(e);
}

static int annotate_labels(struct image_config *c, const struct json *config, struct err *e)
{
	scoped_strv struct strv names = { 0 };
	const struct json *labels = NULL;
	int r = read_set(config, "Labels", &names, e);

	if (r == 0 && names.len)
		r = doc_object(config, "Labels", DOC, true, &labels, e);
	for (size_t i = 0; r == 0 && i < names.len; i++) {
		const char *name = names.items[i];

		if (!strncmp(name, PREFIX, strlen(PREFIX))) {
			r = annotate_member(c, labels, name, name, e);
			continue;
		}
		log_verbose(
			"the image's label %s is not made an annotation of the bundle: a runtime "
			"could act on it",
			name);
	}
	return r;
}

static int read_annotations(
	struct image_config *c, const struct json *doc, const struct json *config, struct err *e)
{
	static const struct {
		const char *key, *name;
	} members[] = {
		{ "os", PREFIX "os" },
		{ "architecture", PREFIX "architecture" },
		{ "variant", PREFIX "variant" },
		{ "os.version", PREFIX "os.version" },
		{ "author", PREFIX "author" },
		{ "created", PREFIX "created" },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(members); i++)
		r = annotate_member(c, doc, members[i].key, members[i].name, e);
	if (r == 0 && config)
		r = annotate_member(c, config, "StopSignal", PREFIX "stopSignal", e);
	if (r == 0 && config)
		r = annotate_ports(c, config, e);
	return r == 0 && config ? annotate_labels(c, config, e) : r;
}

/* --- The whole document --- */

static int read_config(const struct json *config, struct image_config *c, struct err *e)
{
	int r = read_strings(config, "Entrypoint", &c->entrypoint, e);

	if (r == 0)
		r = read_strings(config, "Cmd", &c->cmd, e);
	if (r == 0)
		r = read_env(config, &c->env, e);
	if (r == 0)
		r = read_set(config, "Volumes", &c->volumes, e);
	if (r == 0)
		r = copy_string(config, "User", &c->user, e);
	return r == 0 ? copy_string(config, "WorkingDir", &c->cwd, e) : r;
}

int image_config_read(const char *text, size_t n, struct image_config *ret, struct err *e)
{
	scoped_json struct json *doc = NULL;
	const struct json *config = NULL;
	int r = doc_parse(text, n, DOC, &doc, e);

	if (r == 0 && given(doc, "config"))
		r = doc_object(doc, "config", DOC, true, &config, e);
	if (r == 0 && config)
		r = read_config(config, ret, e);
	if (r == 0)
		r = read_annotations(ret, doc, config, e);
	if (r == 0 && !config) {
		ret->user = strdup("");
		ret->cwd = strdup("");
		r = ret->user && ret->cwd ? 0 : err_nomem(e);
	}
	return r;
}

void image_config_done(struct image_config *c)
{
	struct strv *const lists[] = { &c->entrypoint, &c->cmd, &c->env, &c->volumes,
		&c->annotations };

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		strv_done(lists[i]);
	free(c->user);
	free(c->cwd);
	c->user = c->cwd = NULL;
}
