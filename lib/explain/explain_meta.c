/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* explain_meta: read the ids of a file, and invert them. */

#include "explain_priv.h"

#include <errno.h>
#include <linux/posix_acl.h>
#include <string.h>

#include "../base/log.h"

int explain_read_meta(int fd, const char *path, struct meta *ret, struct err *e)
{
	int r = meta_stat(fd, "", ret), has;

	if (r < 0)
		return err_set(e, -r, path, "cannot stat");
	has = S_ISLNK(ret->mode) ? 0 : meta_list_xattrs(fd, "");
	if (has > 0)
		has = meta_read_xattrs(fd, "", (unsigned)has, ret);
	if (has < 0)
		log_verbose(
			"%s: its ACL and capabilities cannot be read: %s", path, strerror(-has));
	return 0;
}

void explain_infer_acl(const struct idmap *m, struct acl *a)
{
	for (size_t i = 0; i < a->len; i++) {
		struct acl_entry *x = &a->items[i];
		bool user = x->tag == ACL_USER, group = x->tag == ACL_GROUP;

		if ((user || group) && !(user ? idmap_uid_disk : idmap_gid_disk)(m, x->id, &x->id))
			x->id = ACL_NO_ID;
	}
}
