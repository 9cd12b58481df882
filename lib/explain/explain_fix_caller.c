/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* explain_fix_caller: which other caller may do it, and how one becomes that caller. */

#include "explain_priv.h"

#include <string.h>

#include "../idmap/names.h"
#include "../idmap/subid.h"

/* Give the caller the ids of the inode's owner, or (NULL) those of root. false: it has none. */
static bool become(struct explanation *x, const struct explain_inode *n)
{
	struct explain_caller *c = &x->caller;
	uint32_t uid = 0, gid = 0, shown, ignored;

	if (n &&
		(!perm_uid(n->facts.mount, n->facts.uid, &uid) ||
			!perm_gid(n->facts.mount, n->facts.gid, &gid)))
		return false;
	if (!n && c->userns &&
		(!idmap_uid_seen(&c->userns_map, 0, &uid) ||
			!idmap_gid_seen(&c->userns_map, 0, &gid)))
		return false;
	if (!perm_ns_uid(c->cred.userns, uid, &shown) ||
		!perm_ns_gid(c->cred.userns, gid, &ignored))
		return false;
	c->cred.uid = uid;
	c->cred.gid = gid;
	c->cred.caps = shown == 0 ? PERM_CAPS_ALL : 0;
	c->cred.n_groups = 0;
	return true;
}

/* Is it an id of the host that no user can log in as? */
static bool is_nobodys(const struct explanation *x, uint32_t uid)
{
	return x->caller.initial && !x->caller.cred.userns && uid && !names_has_uid(uid);
}

/*
 * Try it as root of a user namespace that has all ids of the user who holds this subordinate id.
 * self: the caller's uid.
 */
static bool try_container(
	struct explanation *x, struct explain_aim aim, uint32_t id, uint32_t self, struct buf *b)
{
	struct perm_cred *c = &x->caller.cred, saved = *c;
	scoped_idmap struct idmap map = { .gid_assumed = false };
	struct perm_userns ns = { .map = &map };
	char name[SUBID_USER_SIZE], text[SUBID_USER_SIZE + 8];
	const char *word = text;
	struct grant grant;
	struct user user;
	bool ok;

	if (aim.op == PERM_CHOWN || !subid_holder(SUBUID_FILE, id, name, &grant) ||
		names_user(name, &user, NULL) < 0 || !user.name[0])
		return false;
	(void)snprintf(text, sizeof(text), "user:%s", user.name); /* fits */
	if (idmap_parse(&word, 1, NULL, &map, NULL) < 0)
		return false;
	*c = (struct perm_cred){
		.uid = user.uid, .gid = user.gid, .caps = PERM_CAPS_ALL, .userns = &ns
	};
	ok = explain_works(x, aim);
	*c = saved;
	if (!ok)
		return false;
	if (self != user.uid)
		buf_printf(b, "as %s: ", user.name);
	buf_str(b, "shiftbox userns-run -- COMMAND, or podman unshare COMMAND");
	return true;
}

/* Root of the host can act as an id that no account has. */
static void print_caller(const struct explanation *x, struct buf *b)
{
	const struct perm_cred *c = &x->caller.cred;
	uint32_t uid = 0, gid = 0;

	(void)perm_ns_uid(c->userns, c->uid, &uid); /* become() has checked both */
	(void)perm_ns_gid(c->userns, c->gid, &gid);
	if (is_nobodys(x, c->uid))
		buf_printf(b, "as root: setpriv --reuid %u --regid %u --clear-groups COMMAND", uid,
			gid);
	else if (x->caller.initial && !c->userns && uid == 0)
		buf_str(b, "do it as root");
	else
		buf_printf(b, "do it as user %u, group %u", uid, gid);
}

bool explain_fix_caller(struct explanation *x, struct explain_aim aim, struct buf *b)
{
	struct perm_cred *c = &x->caller.cred, saved = *c;
	const struct explain_inode *owners[] = { NULL, explain_file(x), NULL };
	bool ok = false;
	size_t at;

	(void)explain_verdict(x, aim.op, &at); /* only the inode is of interest */
	owners[0] = &x->inodes.items[at];
	for (size_t i = 0; !ok && i < ARRAY_LEN(owners); i++) {
		if (!become(x, owners[i]) || !explain_works(x, aim))
			continue;
		ok = true;
		if (!is_nobodys(x, c->uid) || !try_container(x, aim, c->uid, saved.uid, b))
			print_caller(x, b);
	}
	*c = saved;
	return ok;
}
