/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* explain_caller: the credentials that verdicts are computed for. */

#include "explain_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/caps.h"
#include "../base/num.h"
#include "../idmap/names.h"
#include "../idmap/userns.h"
#include "../idmap/userns_self.h"
#include "../mount/probe.h"

static unsigned own_caps(void)
{
	static const struct {
		int cap;
		unsigned bit;
	} all[] = {
		{ CAP_DAC_OVERRIDE, PERM_CAP_DAC_OVERRIDE },
		{ CAP_DAC_READ_SEARCH, PERM_CAP_DAC_READ_SEARCH },
		{ CAP_FOWNER, PERM_CAP_FOWNER },
		{ CAP_CHOWN, PERM_CAP_CHOWN },
		{ CAP_FSETID, PERM_CAP_FSETID },
	};
	unsigned caps = 0;

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (caps_has(all[i].cap))
			caps |= all[i].bit;
	return caps;
}

static int look_at_self(struct explain_caller *w, struct err *e)
{
	int n = getgroups(0, NULL);
	scoped_free gid_t *list = n > 0 ? calloc((size_t)n, sizeof(*list)) : NULL;

	if (n > 0 && !list)
		return err_nomem(e);
	n = n > 0 ? getgroups(n, list) : n;
	for (int i = 0; i < n; i++)
		if (VEC_ADD(&w->self_groups, list[i]) < 0)
			return err_nomem(e);
	w->self = (struct perm_cred){
		.uid = geteuid(),
		.gid = getegid(),
		.groups = w->self_groups.items,
		.n_groups = w->self_groups.len,
		.caps = own_caps(),
		.userns = w->initial ? NULL : &w->own,
	};
	return 0;
}

static int become_self(struct explain_caller *w, struct err *e)
{
	w->uid = w->self.uid;
	w->gid = w->self.gid;
	w->cred.no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
	for (size_t i = 0; i < w->self_groups.len; i++)
		if (VEC_ADD(&w->groups, w->self_groups.items[i]) < 0)
			return err_nomem(e);
	return 0;
}

/* A user name without a list of groups stands for the user with all its groups. */
static int groups_of(const struct user *u, struct explain_caller *w, struct err *e)
{
	gid_t list[256];
	int n = ARRAY_LEN(list);

	if (names_groups(u->name, u->gid, list, &n) < 0)
		return err_say(
			e, E2BIG, u->name, "is in too many groups: specify them, UID:GID,GID...");
	for (int i = 0; i < n; i++)
		if (list[i] != u->gid && VEC_ADD(&w->groups, list[i]) < 0)
			return err_nomem(e);
	return 0;
}

static int parse_groups(const char *list, struct explain_caller *w, struct err *e)
{
	bool first = true;

	for (const char *p = list; p; first = false) {
		size_t len = strcspn(p, ",");
		scoped_free char *name = strndup(p, len);
		uint32_t gid;
		int r;

		if (!name)
			return err_nomem(e);
		if (strchr(name, ':'))
			return err_usage_try(e,
				"separate groups with commas, as in --as 1000:1000,27",
				"'%s' is not a valid list of groups: GID[,GID...]", list);
		if (!*name)
			return err_usage_try(e,
				*list ? "write one GID between commas, as in --as 1000:1000,27" :
					"a group is missing after ':': write --as USER, or --as "
					"USER:GROUP",
				"'%s' is not a valid list of groups: GID[,GID...]", list);
		r = num_u32(name, &gid);
		if (r < 0)
			r = names_gid(name, &gid, e);
		if (r < 0)
			return r;
		if (gid == UINT32_MAX)
			return err_usage(e, "%u is not a valid id", gid);
		if (first)
			w->gid = gid;
		else if (VEC_ADD(&w->groups, gid) < 0)
			return err_nomem(e);
		p = p[len] ? p + len + 1 : NULL;
	}
	return 0;
}

static int parse_as(const char *as, struct explain_caller *w, struct err *e)
{
	size_t len = strcspn(as, ":");
	scoped_free char *name = strndup(as, len);
	struct user u = { .uid = 0 };
	int r;

	if (!name)
		return err_nomem(e);
	if (!*name)
		return err_usage_try(e, "write a name or a number before ':', as in 1000:100",
			"'%s' does not name a user: USER[:GROUP[,GROUP...]]", as);
	r = names_user(name, &u, e);
	if (r < 0)
		return r;
	if (u.uid == UINT32_MAX)
		return err_usage(e, "%u is not a valid id", u.uid);
	w->uid = u.uid;
	w->gid = u.has_gid && !w->userns ? u.gid : u.uid;
	if (as[len])
		return parse_groups(as + len + 1, w, e);
	return u.has_gid && *u.name && !w->userns ? groups_of(&u, w, e) : 0;
}

/* Is the parent of the process's user namespace another one than that of this process? */
static bool is_deep(pid_t pid)
{
	scoped_fd int ns = -1, parent = -1;
	struct stat theirs, ours;
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid); /* fits */
	ns = open(path, O_RDONLY | O_CLOEXEC);
	parent = ns < 0 ? -1 : ioctl(ns, NS_GET_PARENT);
	if (parent < 0 || fstat(parent, &theirs) < 0 || stat("/proc/self/ns/user", &ours) < 0)
		return true;
	return theirs.st_ino != ours.st_ino || theirs.st_dev != ours.st_dev;
}

static int look_at_userns(const char *userns, struct explain_caller *w, struct err *e)
{
	uint32_t pid;
	int r;

	const char *number = strncmp(userns, "pid:", 4) ? userns : userns + 4;

	if (num_u32(number, &pid) < 0 || pid == 0 || pid > INT32_MAX)
		return err_usage_try(e,
			"name a process of the namespace by its number, as pid:4020 (pgrep finds "
			"it)",
			"'%s' is not a valid user namespace: pid:N", userns);
	w->userns = (pid_t)pid;
	w->deep |= is_deep(w->userns);
	r = userns_map_of_pid(w->userns, &w->userns_map, e);
	if (r < 0)
		err_prefix(e, "--userns %s", userns);
	return r;
}

/* Set own_map: the ids that exist in the user namespace of this process, as the identity. */
static int look_at_own(struct explain_caller *w, struct err *e)
{
	struct idmap all = { 0 };
	int r;

	w->initial = userns_is_initial();
	if (w->initial)
		return 0;
	r = idmap_identity(&all, e);
	if (r == 0)
		r = userns_fit(&all, &w->own_map, e);
	idmap_done(&all);
	w->own.map = &w->own_map;
	if (r == 0)
		r = userns_map_own(&w->outer_map, e);
	w->deep = true; /* the kernel does not show whether there are any */
	w->own.has_outer_root = r == 0 && idmap_uid_disk(&w->outer_map, 0, &w->own.outer_root);
	return r;
}

static int to_ids(struct explain_caller *w, struct err *e)
{
	const struct idmap *m = w->userns ? &w->userns_map : NULL;
	uint32_t uid = w->uid, gid = w->gid;

	if (m && !idmap_uid_seen(m, w->uid, &uid))
		return err_say(e, EINVAL, NULL,
			"user %u does not exist in the user namespace of process %d", w->uid,
			(int)w->userns);
	if (m && !idmap_gid_seen(m, w->gid, &gid))
		return err_say(e, EINVAL, NULL,
			"group %u does not exist in the user namespace of process %d", w->gid,
			(int)w->userns);
	for (size_t i = 0; i < w->groups.len; i++) {
		uint32_t id = w->groups.items[i];

		if (m && !idmap_gid_seen(m, id, &id))
			return err_say(e, EINVAL, NULL,
				"group %u does not exist in the user namespace of process %d",
				w->groups.items[i], (int)w->userns);
		if (VEC_ADD(&w->group_ids, id) < 0)
			return err_nomem(e);
	}
	w->ns = (struct perm_userns){ .map = &w->userns_map,
		.parent = w->initial ? NULL : &w->own };
	w->cred.uid = uid;
	w->cred.gid = gid;
	w->cred.groups = w->group_ids.items;
	w->cred.n_groups = w->group_ids.len;
	w->cred.userns = w->userns ? &w->ns : w->initial ? NULL : &w->own;
	return 0;
}

int explain_caller_look(const char *as, const char *userns, struct explain_caller *w, struct err *e)
{
	int r = look_at_own(w, e);

	if (r == 0)
		r = look_at_self(w, e);
	if (r == 0 && userns)
		r = look_at_userns(userns, w, e);
	if (r == 0 && as)
		r = parse_as(as, w, e);
	if (r == 0 && !as && !userns)
		r = become_self(w, e);
	/* The root user of a namespace is assumed to have all its capabilities, other users none.
	 */
	w->cred.caps = !as && !userns ? w->self.caps : w->uid == 0 ? PERM_CAPS_ALL : 0;
	return r < 0 ? r : to_ids(w, e);
}
