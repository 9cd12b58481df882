/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* subid_unused: find ids that can be granted to a user, for advice with numbers in it. */

#include "subid_unused.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "../base/path.h"
#include "accounts.h"
#include "subid.h"

/* What useradd(8) does unless login.defs(5) says otherwise: SUB_UID_MIN and SUB_UID_COUNT. */
enum { USUAL_START = 100000, USUAL_COUNT = 65536 };

static int after(const struct subid_line *l, void *arg)
{
	uint32_t *end = arg;

	if (!l->fault && l->grant.start + l->grant.count > *end)
		*end = l->grant.start + l->grant.count;
	return 0;
}

bool subid_unused(const char *uids, const char *gids, uint32_t count, uint32_t *ret_start)
{
	const char *const files[] = { uids, gids };
	uint32_t start = USUAL_START, taken;

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		scoped_buf struct buf text = BUF_INIT;

		if (subid_text(files[i], &text, NULL) == 0)
			(void)subid_each(buf_get(&text), after, &start); /* always 0 */
	}
	while (count <= UINT32_MAX - start) {
		if (!account_in(false, start, count, &taken) &&
			!account_in(true, start, count, &taken)) {
			*ret_start = start;
			return true;
		}
		start = taken + 1;
	}
	return false;
}

void subid_try_range(struct err *e)
{
	uint32_t start;

	if (subid_unused(SUBUID_FILE, SUBGID_FILE, USUAL_COUNT, &start))
		err_try(e,
			"write +%u for ids that nothing else uses, or grant them: usermod "
			"--add-subuids %u-%u --add-subgids %u-%u root",
			start, start, start + (USUAL_COUNT - 1), start, start + (USUAL_COUNT - 1));
}

/* usermod(8) does not create a file: it refuses the option. */
static void add_touch(const char *file, struct buf *b)
{
	struct stat st;

	if (path_stat(file, true, &st) == -ENOENT)
		buf_printf(b, "touch %s && ", file);
}

void subid_try_grant(const char *user, struct err *e)
{
	struct user named = { .uid = SUBID_NO_ACCOUNT };
	scoped_buf struct buf b = BUF_INIT;
	bool no_uid, no_gid;
	uint32_t start, last;

	if (!subid_unused(SUBUID_FILE, SUBGID_FILE, USUAL_COUNT, &start)) {
		err_try(e, "free a range in /etc/subuid and /etc/subgid: all ids are granted");
		return;
	}
	last = start + (USUAL_COUNT - 1);
	(void)snprintf(named.name, sizeof(named.name), "%s", user); /* a longer one has none */
	no_gid = !subid_has(SUBGID_FILE, &named);
	/* If /etc/subgid names the user, it is /etc/subuid that lacks a range. */
	no_uid = !subid_has(SUBUID_FILE, &named) || !no_gid;
	add_touch(SUBUID_FILE, &b);
	add_touch(SUBGID_FILE, &b);
	buf_str(&b, "usermod");
	if (no_uid)
		buf_printf(&b, " --add-subuids %u-%u", start, last);
	if (no_gid)
		buf_printf(&b, " --add-subgids %u-%u", start, last);
	if (buf_get(&b))
		err_try(e, "as root: %s %s", b.data, user);
}
