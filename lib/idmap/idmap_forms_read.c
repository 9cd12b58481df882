/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* idmap_forms_read: parse a map in the forms of other tools. */

#include "idmap_forms.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "../base/json.h"
#include "../base/log.h"
#include "../base/num.h"
#include "../base/vec.h"

#define BLANKS " \t\r\n"

enum { WORD_MAX = 64, JSON_LIMIT = 1 << 20, NSPAWN_COUNT = 65536 };

struct form_reader {
	const char *tool;
	const char *at;      /* the rest of the text */
	char word[WORD_MAX]; /* the last word that was read */
	VEC(struct idrange) uid, gid;
	struct err *e;
};

static int wrong(struct form_reader *r, const char *what)
{
	int x = err_usage(r->e, "this is not a valid map in the form of %s: %s", r->tool, what);

	err_try(r->e, "see \"map\" in shift-check(8) for the forms that can be read");
	return x;
}

/*
 * Read the next word into r->word. Returns false at the end. A word that is longer than any number
 * or name is cut, and refused when it is parsed.
 */
static bool next_word(struct form_reader *r)
{
	size_t len;

	r->at += strspn(r->at, BLANKS);
	len = strcspn(r->at, BLANKS);
	(void)snprintf(r->word, sizeof(r->word), "%.*s", len < WORD_MAX ? (int)len : WORD_MAX - 1,
		r->at); /* cut, as said above */
	r->at += len;
	return len > 0;
}

/* kind: 'u', 'g', or 'b' for both. */
static int add(struct form_reader *r, char kind, const struct idrange *x)
{
	if (kind != 'g' && VEC_ADD(&r->uid, *x) < 0)
		return err_nomem(r->e);
	return kind != 'u' && VEC_ADD(&r->gid, *x) < 0 ? err_nomem(r->e) : 0;
}

/* Parse "DISK SEEN COUNT"; the first word may have been read already. */
static int three_numbers(struct form_reader *r, char kind, bool first_read)
{
	struct idrange x = { 0 };
	uint32_t *const fields[] = { &x.disk, &x.seen, &x.count };

	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if ((!(first_read && !i) && !next_word(r)) || num_u32(r->word, fields[i]) < 0)
			return wrong(r, "a line has three numbers");
	return add(r, kind, &x);
}

static bool is_kind(const char *word)
{
	return strchr("ugb", *word) && *word && !word[1];
}

/* Parse lines "[u|g|b] DISK SEEN COUNT". */
static int read_kernel(struct form_reader *r)
{
	int x = 0;

	while (x == 0 && next_word(r))
		x = three_numbers(r, is_kind(r->word) ? *r->word : 'b', !is_kind(r->word));
	return x;
}

/* Parse lines "lxc.idmap = u DISK SEEN COUNT". */
static int read_lxc(struct form_reader *r)
{
	static const char key[] = "lxc.idmap", key_old[] = "lxc.id_map";
	int x = 0;

	while (x == 0 && next_word(r)) {
		size_t len = strcspn(r->word, "=");
		const char *rest = r->word + len;

		if ((strncmp(r->word, key, len) != 0 || len != strlen(key)) &&
			(strncmp(r->word, key_old, len) != 0 || len != strlen(key_old)))
			return wrong(r, "each line begins with lxc.idmap");
		if (!*rest && (!next_word(r) || r->word[0] != '='))
			return wrong(r, "'=' is missing");
		rest = *rest ? rest + 1 : r->word + 1;
		if (!*rest)
			rest = next_word(r) ? r->word : "";
		if (!is_kind(rest) || *rest == 'b')
			return wrong(r, "the kind is u or g");
		x = three_numbers(r, *rest, false);
	}
	return x;
}

/* Parse FIRST or FIRST-LAST. Returns the number of ids, or 0 if it is neither. */
static uint32_t span(const char *word, uint32_t *ret_first)
{
	char first[WORD_MAX];
	size_t len = strcspn(word, "-");
	uint32_t last;

	(void)snprintf(first, sizeof(first), "%.*s", (int)len, word); /* fits: a part of it */
	if (num_u32(first, ret_first) < 0)
		return 0;
	if (!word[len])
		return 1;
	return num_u32(word + len + 1, &last) < 0 || last < *ret_first || last == UINT32_MAX ?
		0 :
		last - *ret_first + 1;
}

/* Parse lines "both|uid|gid SEEN[-SEEN] DISK[-DISK]". */
static int read_incus(struct form_reader *r)
{
	while (next_word(r)) {
		char kind = !strcmp(r->word, "both") ? 'b' :
			!strcmp(r->word, "uid")      ? 'u' :
			!strcmp(r->word, "gid")      ? 'g' :
						       0;
		struct idrange x = { .count = 0 };

		if (!kind)
			return wrong(r, "a line begins with both, uid or gid");
		x.count = next_word(r) ? span(r->word, &x.seen) : 0;
		if (!x.count || !next_word(r) || span(r->word, &x.disk) != x.count)
			return wrong(r, "two ranges of the same length follow");
		if (add(r, kind, &x) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Parse "--private-users=SEEN[:COUNT]", and options for the ownership of the tree. */
static int read_nspawn(struct form_reader *r)
{
	static const char key[] = "--private-users=", ownership[] = "--private-users-ownership=map";

	while (next_word(r)) {
		struct idrange x = { .count = NSPAWN_COUNT };
		char *colon = strchr(r->word, ':');

		if (!strcmp(r->word, ownership))
			continue;
		if (colon)
			*colon = '\0';
		if (strncmp(r->word, key, strlen(key)) != 0 ||
			num_u32(r->word + strlen(key), &x.seen) < 0 ||
			(colon && num_u32(colon + 1, &x.count) < 0))
			return wrong(r, "it is --private-users=FIRST:COUNT");
		if (add(r, 'b', &x) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int read_oci_kind(struct form_reader *r, const struct json *root, const char *key, char kind)
{
	static const char *const names[] = { "containerID", "hostID", "size" };
	const struct json *list, *item;

	if (doc_array(root, key, key, true, &list, NULL) < 0)
		return wrong(r, "it has no list uidMappings or gidMappings");
	for (size_t i = 0; i < doc_len(list); i++) {
		int x = doc_item_object(list, i, key, key, &item, NULL);
		uint32_t n[3];

		for (size_t k = 0; k < ARRAY_LEN(names); k++) {
			uint64_t v = 0;

			if (x == 0)
				x = doc_u64(item, names[k], key, true, &v, NULL);
			if (x < 0 || v > UINT32_MAX)
				return wrong(r, "containerID, hostID and size are numbers");
			n[k] = (uint32_t)v;
		}
		if (add(r, kind, &(struct idrange){ n[0], n[1], n[2] }) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int read_oci(struct form_reader *r)
{
	scoped_json struct json *root = NULL;
	int x;

	if (strlen(r->at) > JSON_LIMIT)
		return wrong(r, "it is too long");
	x = doc_parse(r->at, strlen(r->at), r->tool, &root, NULL);
	if (x == -ENOMEM)
		return err_nomem(r->e);
	if (x < 0)
		return wrong(r, "it is not valid JSON");
	x = read_oci_kind(r, root, "uidMappings", 'u');
	if (x == 0)
		x = read_oci_kind(r, root, "gidMappings", 'g');
	return x;
}

/*
 * The beginning of a text selects its form. Those without a function continue with a map for
 * idmap_parse().
 */
static const struct form {
	const char *begins, *tool;
	int (*read)(struct form_reader *r);
} forms[] = {
	{ "X-mount.idmap=", "mount(8)", NULL },
	{ "idmap=", "crun", NULL },
	{ "map=", "fstab", NULL },
	{ "{", "the OCI specification", read_oci },
	{ "lxc.id", "LXC", read_lxc },
	{ "--private-users=", "systemd-nspawn", read_nspawn },
	{ "both ", "Incus", read_incus },
	{ "uid ", "Incus", read_incus },
	{ "gid ", "Incus", read_incus },
	{ "u ", "the kernel", read_kernel },
	{ "g ", "the kernel", read_kernel },
	{ "b ", "the kernel", read_kernel },
};

static const struct form *find_form(const char *text)
{
	static const struct form kernel = { "", "the kernel", read_kernel };
	size_t digits = strspn(text, "0123456789");

	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		if (!strncmp(text, forms[i].begins, strlen(forms[i].begins)))
			return &forms[i];
	return digits && text[digits] && strchr(BLANKS, text[digits]) ? &kernel : NULL;
}

int idmap_parse_form(const char *const *texts, size_t n, struct idmap *ret, struct err *e)
{
	scoped_buf struct buf all = BUF_INIT;
	const char *text;
	const struct form *f;
	struct form_reader r = { .e = e };
	int x;

	for (size_t i = 0; i < n; i++)
		buf_printf(&all, "%s%s", i ? " " : "", texts[i]);
	if (!buf_get(&all))
		return err_nomem(e);
	text = buf_get(&all) + strspn(buf_get(&all), BLANKS);
	f = find_form(text);
	if (!f)
		return idmap_parse(texts, n, NULL, ret, e);
	if (!f->read) {
		text += strlen(f->begins);
		return idmap_parse(&text, 1, NULL, ret, e);
	}
	r.tool = f->tool;
	r.at = text;
	x = f->read(&r);
	if (x == 0 && !r.uid.len && !r.gid.len)
		x = wrong(&r, "it has no range");
	if (x == 0)
		x = idmap_from_ranges(r.uid.items, r.uid.len, r.gid.items, r.gid.len, ret, e);
	if (x == 0 && ret->gid_assumed)
		log_info("the map is for %s ids only: %s ids are left as they are",
			r.uid.len ? "user" : "group", r.uid.len ? "group" : "user");
	VEC_DONE(&r.uid);
	VEC_DONE(&r.gid);
	return x;
}
