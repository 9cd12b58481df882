/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* explain_text: describe the rule that decides, in words. */

#include "explain_priv.h"

#include <errno.h>
#include <string.h>

const char *explain_bits(unsigned bits)
{
	static const char *const words[8] = { "---", "--x", "-w-", "-wx", "r--", "r-x", "rw-",
		"rwx" };

	return words[bits & 7];
}

void explain_add_path(struct buf *b, const char *path)
{
	buf_char(b, ' ');
	buf_escaped(b, path, strlen(path));
}

static void add_lost_caps(const struct perm_verdict *d, struct buf *b)
{
	static const struct {
		unsigned bit;
		const char *name;
	} names[] = {
		{ PERM_CAP_DAC_OVERRIDE, "CAP_DAC_OVERRIDE" },
		{ PERM_CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH" },
		{ PERM_CAP_FOWNER, "CAP_FOWNER" },
		{ PERM_CAP_CHOWN, "CAP_CHOWN" },
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!(d->lost_caps & names[i].bit))
			continue;
		buf_printf(b,
			"; %s does not count: owner or group has no id in the caller's user "
			"namespace",
			names[i].name);
		return;
	}
}

static const char *plain_reason(enum perm_rule rule)
{
	static const char *const texts[PERM_RULES] = {
		[RULE_CAP_DAC_READ_SEARCH] = "CAP_DAC_READ_SEARCH overrides the mode",
		[RULE_CAP_DAC_OVERRIDE] = "CAP_DAC_OVERRIDE overrides the mode",
		[RULE_CAP_FOWNER] = "CAP_FOWNER counts as being the owner",
		[RULE_CAP_CHOWN] = "CAP_CHOWN lets any owner and group be set",
		[RULE_NOT_OWNER] = "only the owner may do this",
		[RULE_STICKY] =
			"the directory is sticky, and the caller owns neither it nor the entry",
		[RULE_RO_MOUNT] = "the mount is read-only",
		[RULE_RO_FS] = "the filesystem is read-only",
		[RULE_UNMAPPED_INODE] =
			"its owner or group is not mapped here, so the kernel refuses changes",
		[RULE_UNMAPPED_CALLER] =
			"the caller's ids are not mapped here, so no file can be created",
		[RULE_NOEXEC] = "the mount is noexec",
		[RULE_NODEV] = "the mount is nodev",
		[RULE_TYPE] = "it is not possible for this type of file",
		[RULE_IMMUTABLE] = ("it is immutable (lsattr shows i), so not even root may change "
				    "it"),
		[RULE_APPEND] = ("it is append-only (lsattr shows a): data and entries can be "
				 "added, but nothing else can be changed, not even by root"),
		[RULE_KERNEL_FS] = ("it is in a filesystem of the kernel, in which files cannot "
				    "be created or removed"),
		[RULE_REMOVED] = "the directory has been removed",
		[RULE_NO_CAP_CHOWN] = ("only CAP_CHOWN may give it this owner or group; an owner "
				       "may choose among the groups that the owner is in"),
		[RULE_NO_SUCH_ID] = ("the new owner or group does not exist in the caller's user "
				     "namespace"),
		[RULE_UNMAPPED_NEW] = ("the new owner or group cannot be stored: no disk id is "
				       "seen as it through this mount"),
		[RULE_MOUNTER] = ("the overlay reaches its layers with the credentials of the "
				  "process that mounted it, and these do not suffice there"),
		[RULE_COPY_UP] = ("it would be copied to the upper directory first, where its "
				  "owner, group, ACL or capability cannot be stored"),
		[RULE_CAP_ROOT] = ("the root id of its capabilities has no id through the mount "
				   "of its layer, and a program on an overlay is then not "
				   "executed"),
		[RULE_LOWER_DIR] = ("a directory of a lower layer cannot be renamed (mv then "
				    "copies it), unless the overlay has redirect_dir=on"),
		[RULE_EFFECT_TAKEN] = "takes effect",
		[RULE_NOSUID] = "is ignored: the mount is nosuid",
		[RULE_FOREIGN_MOUNT] = "is ignored: the mount belongs to another mount namespace",
		[RULE_FS_USERNS] = "is ignored: the filesystem belongs to another user namespace",
		[RULE_NO_NEW_PRIVS] = "is ignored: the caller runs with no_new_privs",
		[RULE_UNMAPPED_USERNS] =
			"is ignored: the owner or group has no id in the caller's user namespace",
		[RULE_ROOT_ELSEWHERE] = ("is ignored: its root id is not root of the caller's user "
					 "namespace or one above"),
	};

	return texts[rule] ? texts[rule] : perm_rule_word(rule);
}

void explain_effect(const struct explanation *x, enum perm_rule rule, struct buf *b)
{
	const struct perm_inode *n = &explain_file(x)->facts;
	uint32_t id;

	if (rule == RULE_UNMAPPED_INODE)
		buf_str(b, "is ignored: its root id has no id through this mount");
	else if (rule == RULE_UNMAPPED_USERNS &&
		(!perm_uid(n->mount, n->uid, &id) || !perm_gid(n->mount, n->gid, &id)))
		buf_str(b, "is ignored: the owner or group has no id through this mount");
	else
		buf_str(b, plain_reason(rule));
}

void explain_reason(
	const struct explanation *x, const struct perm_verdict *d, size_t at, struct buf *b)
{
	static const char *const who[] = {
		[RULE_BITS_ALL] = "owner, group and others",
		[RULE_BITS_OWNER] = "the owner",
		[RULE_BITS_GROUP] = "the group",
		[RULE_BITS_OTHER] = "others",
		[RULE_ACL_USER] = "user",
		[RULE_ACL_GROUP_OBJ] = "the owning group",
		[RULE_ACL_GROUP] = "group",
		[RULE_ACL_OTHER] = "others",
	};

	if (at != x->inodes.len - 1) {
		const char *path = x->inodes.items[at].path;

		buf_escaped(b, path, strlen(path));
		buf_str(b, ": ");
	}
	if (d->num == EBUSY && d->rule == RULE_TYPE) {
		buf_str(b, "a mount point cannot be removed");
	} else if (d->num == EISDIR && d->rule == RULE_TYPE) {
		buf_str(b,
			"a directory cannot be opened for writing; for a directory: --op create");
	} else if (d->rule == RULE_OWNER) {
		uint32_t id = x->caller.cred.uid;

		(void)perm_ns_uid(x->caller.cred.userns, id, &id); /* else it stays that of here */
		buf_printf(b, "user %u is the owner", id);
	} else if (d->rule >= ARRAY_LEN(who)) {
		buf_str(b, plain_reason(d->rule));
	} else if (d->rule == RULE_BITS_ALL) {
		buf_printf(b, "owner, group and others have %s",
			explain_bits(d->want ? d->want : d->have));
	} else {
		bool acl = d->rule >= RULE_ACL_USER;

		buf_printf(b, acl ? "its ACL gives %s" : "its mode gives %s", who[d->rule]);
		if (d->rule == RULE_ACL_USER || d->rule == RULE_ACL_GROUP)
			buf_printf(b,
				x->mounts.items[x->inodes.items[at].mount].kind ==
							MOUNT_MAP_OVERLAY ||
						x->mounts.items[x->inodes.items[at].mount].kind ==
							MOUNT_MAP_HIDDEN ?
					" seen as %u" :
					" with disk id %u",
				d->acl_id);
		buf_printf(b, " %s", explain_bits(d->have));
		if (d->num)
			buf_printf(b, ", %s is required", explain_bits(d->want));
	}
	add_lost_caps(d, b);
}
