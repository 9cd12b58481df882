/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * store_in_use: which layers are mounted. An overlay of ours shows them by name in mountinfo (lib/mount/overlay.c), and
 * so does one that somebody else made of their paths, or a bind mount of one. A name is that of its content, so that
 * the layer of another store counts for ours, too: it is spared without need, which does no harm.
 */

#include "store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../mount/everywhere.h"

enum { NAME = 71, VARIANT = 88 }; /* sha256-DIFF_ID, and with .HASH */

struct search {
	const struct store *store;
	struct store_in_use *ret;
	struct err *e;
};

/* The names of layers in a text. Returns how many, or -ENOMEM. */
static int add_names(struct store_in_use *u, const char *text)
{
	int n = 0;

	for (const char *p = text; (p = strstr(p, "sha256-")); p += strlen("sha256-")) {
		char name[VARIANT + 1];

		(void)snprintf(name, sizeof(name), "%s", p); /* what follows is cut off */
		if (strlen(name) < VARIANT || !store_layer_name_ok(name))
			name[NAME] = '\0';
		if (!store_layer_name_ok(name))
			continue;
		n++;
		if (!strv_has(&u->names, name) && strv_add(&u->names, name) < 0)
			return -ENOMEM;
	}
	return n;
}

/*
 * Could a mount that does not tell its layers (an older program's, or of more than an older kernel takes by name) be of an
 * image of this store? Not if there is none by that name, since none that is mounted is removed.
 */
static bool is_ours(const struct store *s, const char *source)
{
	return !strncmp(source, "image:", 6) && store_name_check(source + 6, NULL) == 0 &&
	       faccessat(s->images, source + 6, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int look(const struct mount_info *i, pid_t pid, void *arg)
{
	const struct search *s = arg;
	int n = add_names(s->ret, i->root), k = 0;

	(void)pid;
	if (n >= 0 && !strcmp(i->type, "overlay"))
		k = add_names(s->ret, i->options);
	if (n < 0 || k < 0)
		return err_nomem(s->e);
	if (!strcmp(i->type, "overlay") && !k && is_ours(s->store, i->source) && !s->ret->untold.len)
		buf_str(&s->ret->untold, i->target);
	return 0;
}

int store_find_in_use(const struct store *store, struct store_in_use *ret, struct err *e)
{
	struct search s = { store, ret, e };

	return mount_info_everywhere(look, &s, e);
}

void store_in_use_done(struct store_in_use *u)
{
	strv_done(&u->names);
	buf_done(&u->untold);
}
