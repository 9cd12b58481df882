/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shift-check host: the answers in three lines. */

#include "shift_check_host.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../lib/idmap/userns_self.h"

static const char users[] = "unprivileged user namespaces", helpers[] = "newuidmap, newgidmap",
		  maps[] = "ID-mapped mounts", layers[] = "ID-mapped layers",
		  writable[] = "writable under an ID-mapped mount";

/* What is needed for the common uses, and what to do if the answer is no. */
static const struct host_need {
	const char *section, *name, *remedy;
} needs[] = {
	{ "namespaces", users, "allow them: the table has the settings that forbid them" },
	{ "namespaces", helpers, "shift-check subid reports what to do" },
	{ "kernel", maps, "use Linux 5.12 or newer, and allow mount_setattr(2) in a sandbox" },
	{ "kernel", "reading the map of a mount",
		"use Linux 6.15 or newer; before, shift-check list infers maps" },
	{ "overlay", "stacking directories", "load the module: modprobe overlay" },
	{ "overlay", layers, "use Linux 5.19 or newer" },
	{ "overlay", writable, "use Linux 5.19 or newer" },
};

static const struct host_row *find(
	const struct host_rows *rows, const char *section, const char *name)
{
	for (size_t i = 0; i < rows->len; i++)
		if (!strcmp(rows->items[i].section, section) && !strcmp(rows->items[i].name, name))
			return &rows->items[i];
	return NULL;
}

static bool works(const struct host_rows *rows, const char *section, const char *name)
{
	const struct host_row *r = find(rows, section, name);

	return r && r->answer == HOST_YES;
}

/* Append the types of filesystems that can be ID-mapped. Returns their number. */
static size_t add_types(const struct host_rows *rows, struct buf *b)
{
	size_t n = 0;

	for (size_t i = 0; i < rows->len; i++) {
		const struct host_row *r = &rows->items[i];

		if (strcmp(r->section, "filesystem") != 0 || r->answer != HOST_YES ||
			find(rows, r->section, r->name) != r)
			continue; /* a type is named once */
		buf_printf(b, "%s%s", n++ ? ", " : "", r->name);
	}
	return n;
}

static void add_mounts(const struct host_rows *rows, struct buf *b)
{
	scoped_buf struct buf types = BUF_INIT;
	const size_t n = add_types(rows, &types);

	if (n && buf_get(&types))
		buf_printf(b, "ID-mapped mounts of %s; ", buf_get(&types));
	else
		buf_str(b, "no ID-mapped mounts; ");
	buf_str(b,
		works(rows, "overlay", writable)       ? "writable stacks of mapped layers" :
			works(rows, "overlay", layers) ? "read-only stacks of mapped layers" :
							 "no stacks of mapped layers");
}

static enum host_answer describe_users(const struct host_rows *rows, struct buf *b)
{
	if (!works(rows, "namespaces", users)) {
		buf_str(b, "no user namespaces, so neither containers nor mounts");
		return HOST_NO;
	}
	if (!works(rows, "namespaces", helpers)) {
		buf_str(b, "user namespaces with a single id, the user's own");
		return HOST_NO;
	}
	buf_str(b, "user namespaces with the ids that /etc/subuid and /etc/subgid grant");
	return HOST_YES;
}

static void describe_missing(const struct host_rows *rows, struct buf *b)
{
	for (size_t i = 0; i < ARRAY_LEN(needs); i++) {
		const struct host_row *r = find(rows, needs[i].section, needs[i].name);

		if (r && r->answer == HOST_NO)
			buf_printf(b, "%s%s (%s)", b->len ? "; " : "", r->name, needs[i].remedy);
	}
	if (!b->len)
		buf_str(b, "nothing that the commands need");
}

static int put(const char *name, enum host_answer answer, struct buf *detail,
	int (*fn)(const struct host_row *r, void *arg), void *arg)
{
	if (!buf_get(detail))
		return -ENOMEM;
	return fn(&(struct host_row){ "summary", name, answer, "", buf_get(detail) }, arg);
}

int check_host_summary(
	const struct host_rows *rows, int (*fn)(const struct host_row *r, void *arg), void *arg)
{
	scoped_buf struct buf root = BUF_INIT, user = BUF_INIT, missing = BUF_INIT;
	const bool is_root = geteuid() == 0 && userns_is_initial();
	enum host_answer answer = HOST_NOT_TRIED;
	int r;

	if (is_root) {
		answer = works(rows, "kernel", maps) ? HOST_YES : HOST_NO;
		add_mounts(rows, &root);
	} else {
		buf_str(&root, "not tried: run it as root, outside of user namespaces");
	}
	r = put("root", answer, &root, fn, arg);
	answer = describe_users(rows, &user);
	if (!is_root && answer == HOST_YES) {
		buf_str(&user, "; there, ");
		add_mounts(rows, &user);
	}
	if (r == 0)
		r = put("users", answer, &user, fn, arg);
	describe_missing(rows, &missing);
	return r == 0 ? put("missing", HOST_INFO, &missing, fn, arg) : r;
}
