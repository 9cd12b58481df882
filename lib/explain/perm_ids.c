/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* perm_ids: words for operations and rules, and the ids that the rules compare. */

#include "perm.h"

#include "../base/cleanup.h"

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

/*
 * --- ids ----------------------------------------------------------------------------------------
 */

typedef bool translate(const struct idmap *m, uint32_t id, uint32_t *ret);

/*
 * make_vfsuid(): through the filesystem's namespace, then through the mount's map, which replaces
 * it.
 */
static bool to_id(const struct perm_mount *m, uint32_t disk, translate *seen, uint32_t *ret)
{
	uint32_t id = disk;

	if (disk == UINT32_MAX || (m->fs_userns && !seen(m->fs_userns->map, disk, &id)))
		return false;
	if (m->map)
		return seen(m->map, disk, ret);
	*ret = id;
	return true;
}

/* mapped_fsuid() and fsuidgid_has_mapping(). */
static bool to_disk(
	const struct perm_mount *m, uint32_t id, translate *disk, translate *seen, uint32_t *ret)
{
	uint32_t stored = id, back;

	if (m->map) {
		if (!disk(m->map, id, &stored))
			return false;
		if (m->fs_userns && !seen(m->fs_userns->map, stored, &back))
			return false;
	} else if (m->fs_userns && !disk(m->fs_userns->map, id, &stored)) {
		return false;
	}
	*ret = stored;
	return true;
}

bool perm_uid(const struct perm_mount *m, uint32_t disk, uint32_t *ret)
{
	return to_id(m, disk, idmap_uid_seen, ret);
}

bool perm_gid(const struct perm_mount *m, uint32_t disk, uint32_t *ret)
{
	return to_id(m, disk, idmap_gid_seen, ret);
}

bool perm_disk_uid(const struct perm_mount *m, uint32_t id, uint32_t *ret)
{
	return to_disk(m, id, idmap_uid_disk, idmap_uid_seen, ret);
}

bool perm_disk_gid(const struct perm_mount *m, uint32_t id, uint32_t *ret)
{
	return to_disk(m, id, idmap_gid_disk, idmap_gid_seen, ret);
}

bool perm_ns_uid(const struct perm_userns *ns, uint32_t id, uint32_t *ret)
{
	*ret = id;
	return ns ? idmap_uid_disk(ns->map, id, ret) : id != UINT32_MAX;
}

bool perm_ns_gid(const struct perm_userns *ns, uint32_t id, uint32_t *ret)
{
	*ret = id;
	return ns ? idmap_gid_disk(ns->map, id, ret) : id != UINT32_MAX;
}
