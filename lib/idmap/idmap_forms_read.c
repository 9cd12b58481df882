/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* idmap_forms_read: parse a map in the forms of other tools. */

#include "idmap_forms.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "../base/log.h"
#include "../base/num.h"
#include "../base/vec.h"
#include "forms_reader.h"

#define BLANKS " \t\r\n"

enum { WORD_MAX = FORM_WORD_MAX, NSPAWN_COUNT = 65536 };

static bool is_kind(const char *word)
{
	return strchr("ugb", *word) && *word && !word[1];
}

/* Parse lines "[u|g|b] DISK SEEN COUNT". */
static int read_kernel(struct form_reader *r)
{
	int x = 0;

	while (x == 0 && form_next_word(r))
		x = form_three_numbers(r, is_kind(r->word) ? *r->word : 'b', !is_kind(r->word));
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
	while (form_next_word(r)) {
		char kind = !strcmp(r->word, "both") ? 'b' :
			!strcmp(r->word, "uid")      ? 'u' :
			!strcmp(r->word, "gid")      ? 'g' :
						       0;
		struct idrange x = { .count = 0 };

		if (!kind)
			return form_wrong(r, "a line begins with both, uid or gid");
		x.count = form_next_word(r) ? span(r->word, &x.seen) : 0;
		if (!x.count || !form_next_word(r) || span(r->word, &x.disk) != x.count)
			return form_wrong(r, "two ranges of the same length follow");
		if (form_add(r, kind, &x) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Parse "--private-users=SEEN[:COUNT]", and options for the ownership of the tree. */
static int read_nspawn(struct form_reader *r)
{
	static const char key[] = "--private-users=", ownership[] = "--private-users-ownership=map";

	while (form_next_word(r)) {
		struct idrange x = { .count = NSPAWN_COUNT };
		char *colon = strchr(r->word, ':');

		if (!strcmp(r->word, ownership))
			continue;
		if (colon)
			*colon = '\0';
		if (strncmp(r->word, key, strlen(key)) != 0 ||
			num_u32(r->word + strlen(key), &x.seen) < 0 ||
			(colon && num_u32(colon + 1, &x.count) < 0))
			return form_wrong(r, "it is --private-users=FIRST:COUNT");
		if (form_add(r, 'b', &x) < 0)
			return -ENOMEM;
	}
	return 0;
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
	{ "{", "the OCI specification", form_read_oci },
	{ "[", "Incus", form_read_incus_json },
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
	static const struct form lxc = { "", "LXC or Proxmox", form_read_lxc };
	static const struct form options = { "", "an option of another command",
		form_read_options };
	size_t digits = strspn(text, "0123456789");

	if (form_has_lxc(text))
		return &lxc;
	if (form_has_option(text))
		return &options;

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
		x = form_wrong(&r, "it has no range");
	if (x == 0)
		x = idmap_from_ranges(r.uid.items, r.uid.len, r.gid.items, r.gid.len, ret, e);
	if (x == 0 && ret->gid_assumed)
		log_info("the map is for %s ids only: %s ids are left as they are",
			r.uid.len ? "user" : "group", r.uid.len ? "group" : "user");
	VEC_DONE(&r.uid);
	VEC_DONE(&r.gid);
	return x;
}
