/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* perm_map: translate ids between disk, the kernel and user namespaces, as the rules compare them.
 */

#include "perm.h"

typedef bool translate(const struct idmap *m, uint32_t id, uint32_t *ret);

/*
 * make_vfsuid(): translate by the map of the filesystem's user namespace; if the mount has a map,
 * that one is used instead.
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

	if (m->store != PERM_STORE_BY_MAP) {
		*ret = id;
		return m->store == PERM_STORE_ALL;
	}
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

bool perm_make_uid(const struct perm_userns *ns, uint32_t ns_id, uint32_t *ret)
{
	*ret = ns_id;
	return ns ? idmap_uid_seen(ns->map, ns_id, ret) : ns_id != UINT32_MAX;
}

bool perm_make_gid(const struct perm_userns *ns, uint32_t ns_id, uint32_t *ret)
{
	*ret = ns_id;
	return ns ? idmap_gid_seen(ns->map, ns_id, ret) : ns_id != UINT32_MAX;
}
