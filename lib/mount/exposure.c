/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* exposure: does a writable ID-mapped mount give ids away? */

#include "exposure.h"

#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

#include "../base/log.h"
#include "../base/sys.h"
#include "../idmap/accounts.h"
#include "../idmap/userns_self.h"
#include "probe.h"
#include "reachable.h"

/*
 * --- the verdict -------------------------------------------------------------------------------
 */

static struct exposed_id zero_of(const struct idranges *r)
{
	for (size_t i = 0; i < r->len; i++)
		if (r->items[i].disk == 0 && r->items[i].seen != 0)
			return (struct exposed_id){ true, 0, r->items[i].seen };
	return (struct exposed_id){ .given = false };
}

static struct exposed_id account_of(bool group, const struct idranges *r)
{
	for (size_t i = 0; i < r->len; i++) {
		const struct idrange *x = &r->items[i];
		uint32_t from = x->seen ? 0 : 1,
			 id; /* ids that are seen as root's belong to root anyway */

		if (x->disk != x->seen && from < x->count &&
			account_in(group, x->disk + from, x->count - from, &id))
			return (struct exposed_id){ true, id, x->seen + (id - x->disk) };
	}
	return (struct exposed_id){ .given = false };
}

static bool harmless(const struct exposure_facts *f)
{
	return f->read_only || f->user_ns || f->closed || f->nosuid || f->public_;
}

struct exposure exposure_judge(const struct idmap *m, const struct exposure_facts *f)
{
	struct exposure x = { .verdict = EXPOSURE_NONE };

	if (harmless(f))
		return x;
	x.user = zero_of(&m->uid);
	x.group = zero_of(&m->gid);
	x.by_mode = f->own_mode;
	if (f->own_mode && !x.user.given)
		return (struct exposure){ .verdict = EXPOSURE_NONE };
	if (x.user.given || x.group.given) {
		x.verdict = f->only_warn || f->own_mode ? EXPOSURE_WARN : EXPOSURE_REFUSE;
		return x;
	}
	x.user = account_of(false, &m->uid);
	x.group = account_of(true, &m->gid);
	if (x.user.given || x.group.given)
		x.verdict = EXPOSURE_WARN;
	return x;
}

/*
 * --- words -------------------------------------------------------------------------------------
 */

/* The root directory cannot be moved, and its mount is that of the whole system. */
static void advise(const char *reached, const char *word, struct err *e)
{
	if (!strcmp(reached, "/"))
		err_try(e,
			"mount it read-only, omit disk id 0 from the map, or specify %s if that is "
			"intended",
			word);
	else
		err_try(e,
			"move '%s' below a directory that only root can enter (chmod 0700), mount "
			"it read-only, omit disk id 0 from the map, set nosuid on the mount that "
			"'%s' is on, or specify %s if that is intended",
			reached, reached, word);
}

int exposure_report(const struct exposure *x, const char *name, const char *reached,
	const char *word, struct strv *warnings, struct err *e)
{
	const struct exposed_id *id = x->user.given ? &x->user : &x->group;
	const char *kind = x->user.given ? "user" : "group",
		   *bit = x->user.given ? "set-uid" : "set-gid";

	if (x->verdict == EXPOSURE_NONE)
		return 0;
	if (x->verdict == EXPOSURE_WARN && x->by_mode) {
		log_warn_later(warnings,
			"'%s': only its own mode keeps other users out, and user %u, who owns it "
			"through the mount, can change that: user %u could then create set-uid "
			"files of root, which all users who can reach '%s' could run: close a "
			"directory above it to others (chmod 0700), or specify %s if that is "
			"intended",
			name, id->seen, id->seen, reached, word);
		return 0;
	}
	if (x->verdict == EXPOSURE_WARN) {
		log_warn_later(warnings,
			"'%s': through the mount, %s %u could create %s files of %s %u, which all "
			"users who can reach '%s' could run: close a directory above it to others "
			"(chmod 0700), or specify %s if that is intended",
			name, kind, id->seen, bit, kind, id->disk, reached, word);
		return 0;
	}
	(void)err_say(e, EPERM, name,
		"cannot be mounted writable with a map of disk id 0 where other users can reach "
		"it");
	err_op(e, "public");
	err_why(e,
		"through the mount, %s %u could create %s files of %s 0 (root), which all users "
		"who can reach '%s' could run there; nosuid on the new mount would not prevent "
		"that",
		kind, id->seen, bit, kind, reached);
	advise(reached, word, e);
	return -EPERM;
}

/*
 * --- a bind ------------------------------------------------------------------------------------
 */

/* The new mount is read-only if the source's mount is, unless rw is specified. */
static bool stays_read_only(int fd, const struct mount_flags *flags)
{
	return flags->set & MOUNT_ATTR_RDONLY ||
		(!(flags->clear & MOUNT_ATTR_RDONLY) && reachable_mount_has(fd, ST_RDONLY));
}

static bool is_safe_mount(int fd, const void *arg)
{
	return stays_read_only(fd, arg) || reachable_mount_has(fd, ST_NOSUID);
}

static bool is_closed(const struct exposure_source *s)
{
	bool closed = (s->closed && *s->closed) || reachable_closed_at(s->fd, REACHABLE_NO_GROUP);

	if (s->closed)
		*s->closed = closed;
	return closed;
}

/* Checks that are quick or likely to succeed come first: a table has many lines. */
int exposure_check(const struct exposure_source *s, struct err *e)
{
	struct exposure_facts f = {
		.public_ = s->public_,
		.only_warn = s->only_warn,
		.read_only = s->flags->set & MOUNT_ATTR_RDONLY,
	};
	struct exposure x;

	if (s->map->wish != MAP_SET)
		return 0;
	if (!harmless(&f))
		f.closed = is_closed(s);
	if (!harmless(&f))
		f.user_ns = !userns_is_initial();
	if (!harmless(&f)) /* each mount that is bound, by itself */
		f.nosuid = is_safe_mount(s->fd, s->flags) &&
			(!s->below || rbind_all(s->fd, s->below, is_safe_mount, s->flags));
	f.own_mode =
		s->own_mode_counts && !harmless(&f) && reachable_closes(s->fd, REACHABLE_NO_GROUP);
	x = exposure_judge(&s->map->map, &f);
	return exposure_report(&x, s->name, s->name, s->word, s->warnings, e);
}
