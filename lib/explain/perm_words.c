/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* perm_words: the words for operations and rules. */

#include "perm.h"

static const char *const op_words[PERM_OPS] = {
	"read",
	"write",
	"exec",
	"create",
	"unlink",
	"rename",
	"chmod",
	"utimes",
	"touch",
	"chown",
};

static const char *const rule_words[PERM_RULES] = {
	[RULE_BITS_ALL] = "bits-all",
	[RULE_BITS_OWNER] = "bits-owner",
	[RULE_BITS_GROUP] = "bits-group",
	[RULE_BITS_OTHER] = "bits-other",
	[RULE_ACL_USER] = "acl-user",
	[RULE_ACL_GROUP_OBJ] = "acl-owning-group",
	[RULE_ACL_GROUP] = "acl-group",
	[RULE_ACL_OTHER] = "acl-other",
	[RULE_CAP_DAC_READ_SEARCH] = "cap-dac-read-search",
	[RULE_CAP_DAC_OVERRIDE] = "cap-dac-override",
	[RULE_CAP_FOWNER] = "cap-fowner",
	[RULE_CAP_CHOWN] = "cap-chown",
	[RULE_OWNER] = "owner",
	[RULE_NOT_OWNER] = "not-owner",
	[RULE_STICKY] = "sticky",
	[RULE_RO_MOUNT] = "read-only-mount",
	[RULE_RO_FS] = "read-only-filesystem",
	[RULE_UNMAPPED_INODE] = "unmapped-inode",
	[RULE_UNMAPPED_CALLER] = "unmapped-caller",
	[RULE_NOEXEC] = "noexec",
	[RULE_NODEV] = "nodev",
	[RULE_TYPE] = "type",
	[RULE_IMMUTABLE] = "immutable",
	[RULE_APPEND] = "append-only",
	[RULE_KERNEL_FS] = "kernel-filesystem",
	[RULE_REMOVED] = "removed",
	[RULE_NO_CAP_CHOWN] = "no-cap-chown",
	[RULE_NO_SUCH_ID] = "no-such-id",
	[RULE_UNMAPPED_NEW] = "unmapped-new-owner",
	[RULE_MOUNTER] = "mounter",
	[RULE_COPY_UP] = "copy-up",
	[RULE_CAP_ROOT] = "capability-root",
	[RULE_LOWER_DIR] = "lower-directory",
	[RULE_EFFECT_NONE] = "none",
	[RULE_EFFECT_TAKEN] = "taken",
	[RULE_NOSUID] = "nosuid",
	[RULE_FOREIGN_MOUNT] = "foreign-mount",
	[RULE_FS_USERNS] = "filesystem-userns",
	[RULE_NO_NEW_PRIVS] = "no-new-privs",
	[RULE_UNMAPPED_USERNS] = "unmapped-userns",
	[RULE_ROOT_ELSEWHERE] = "root-elsewhere",
};

const char *perm_op_word(enum perm_op op)
{
	return op_words[op];
}

const char *perm_rule_word(enum perm_rule rule)
{
	return rule_words[rule];
}
