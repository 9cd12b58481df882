/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* accounts: find ids that belong to users and groups of the host. */

#include "accounts.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>

#include "../base/cleanup.h"
#include "../base/vec.h"
#include "names.h"

/*
 * The ids of a file from ACCOUNTS_LOW on. If it cannot be read, or memory runs out, some are
 * missing.
 */
struct account_ids {
	VEC(uint32_t) items;
	bool read;
};

static void add(struct account_ids *ids, uint32_t id)
{
	if (id >= ACCOUNTS_LOW)
		(void)VEC_ADD(&ids->items, id);
}

static void read_file(bool group, struct account_ids *ids)
{
	FILE *f = fopen(group ? "/etc/group" : "/etc/passwd", "re");
	const struct passwd *pw;
	const struct group *gr;

	ids->read = true;
	if (!f)
		return;
	if (group)
		while ((gr = fgetgrent(f)))
			add(ids, gr->gr_gid);
	else
		while ((pw = fgetpwent(f)))
			add(ids, pw->pw_uid);
	(void)fclose(f); /* only read from */
}

static bool in_file(bool group, uint32_t first, uint32_t count, uint32_t *ret)
{
	static struct account_ids of_users, of_groups;
	struct account_ids *ids = group ? &of_groups : &of_users;

	if (!ids->read)
		read_file(group, ids);
	for (size_t i = 0; i < ids->items.len; i++) {
		if (ids->items.items[i] < first || ids->items.items[i] - first >= count)
			continue;
		*ret = ids->items.items[i];
		return true;
	}
	return false;
}

/* Cache one answer for each remainder: lines of a table often share a few ids. */
static bool known_by_name(bool group, uint32_t id)
{
	enum { KEPT = 64 };
	static struct {
		bool asked, known;
		uint32_t id;
	} answers[2][KEPT];
	bool fresh = answers[group][id % KEPT].asked && answers[group][id % KEPT].id == id;

	if (!fresh) {
		answers[group][id % KEPT].known = group ? names_has_gid(id) : names_has_uid(id);
		answers[group][id % KEPT].id = id;
		answers[group][id % KEPT].asked = true;
	}
	return answers[group][id % KEPT].known;
}

bool account_in(bool group, uint32_t first, uint32_t count, uint32_t *ret)
{
	if (first < ACCOUNTS_LOW) {
		*ret = first;
		return true;
	}
	if (in_file(group, first, count, ret))
		return true;
	*ret = first;
	return count == 1 && known_by_name(group, first);
}
