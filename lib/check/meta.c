/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* meta: read the owner, mode, ACLs and capabilities of an inode. */

#include "meta.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "../base/cleanup.h"
#include "../base/log.h"
#include "../base/sys.h"

/* VALUE_MAX: the kernel's limit for one value and for a list of names, xattr(7). */
enum { VALUE_MAX = 65536, SMALL = 1024 };

static const struct {
	const char *name;
	unsigned bit;
} attributes[] = {
	{ "system.posix_acl_access", META_HAS_ACCESS },
	{ "system.posix_acl_default", META_HAS_DEFAULT },
	{ "security.capability", META_HAS_CAP },
};

int meta_stat(int dirfd, const char *name, struct meta *ret)
{
	const unsigned want = STATX_TYPE | STATX_MODE | STATX_UID | STATX_GID | STATX_INO;
	struct statx x;

	if (statx(dirfd, name,
		    AT_SYMLINK_NOFOLLOW | (*name ? 0 : AT_EMPTY_PATH) | AT_NO_AUTOMOUNT |
			    AT_STATX_DONT_SYNC,
		    want | STATX_MNT_ID, &x) < 0)
		return -errno;
	if ((x.stx_mask & want) != want)
		return -ENODATA;

	*ret = (struct meta){
		.known = META_STAT,
		.mode = x.stx_mode,
		.uid = x.stx_uid,
		.gid = x.stx_gid,
		.rdev_major = x.stx_rdev_major,
		.rdev_minor = x.stx_rdev_minor,
		.dev_major = x.stx_dev_major,
		.dev_minor = x.stx_dev_minor,
		.ino = x.stx_ino,
		.mount = x.stx_mask & STATX_MNT_ID ? x.stx_mnt_id : 0,
	};
	return 0;
}

/*
 * --- extended attributes by descriptor and name ----------------------------------------------
 */

/*
 * "/proc/self/fd/N/NAME": the only way before Linux 6.13. NAME is one component, so that no
 * directory is resolved again.
 */
struct proc_path {
	char s[32 + 256];
};

static int proc_path(int dirfd, const char *name, struct proc_path *ret)
{
	int n = snprintf(ret->s, sizeof(ret->s), *name ? "/proc/self/fd/%d/%s" : "/proc/self/fd/%d",
		dirfd, name);

	return n < 0 || (size_t)n >= sizeof(ret->s) ? -ENAMETOOLONG : 0;
}

/* Does the kernel have the *xattrat() calls (Linux 6.13)? A seccomp filter may return EPERM. */
static bool have_xattrat(void)
{
	static _Atomic int state; /* 0: not tried yet, 1: yes, 2: no */
	int s = atomic_load_explicit(&state, memory_order_relaxed);
	char list[SMALL];

	if (!s) {
		s = sys_listxattrat(AT_FDCWD, "/", AT_SYMLINK_NOFOLLOW, list, sizeof(list)) >= 0 ||
				(errno != ENOSYS && errno != EPERM) ?
			1 :
			2;
		if (s == 2)
			log_verbose("listxattrat(2) is not available (Linux 6.13): attributes are "
				    "read through /proc/self/fd");
		atomic_store_explicit(&state, s, memory_order_relaxed);
	}
	return s == 1;
}

static ssize_t list_at(int dirfd, const char *name, char *buf, size_t size)
{
	struct proc_path path;
	int r;

	/* The attributes of an O_PATH descriptor itself can only be listed through /proc. */
	if (*name && have_xattrat())
		return sys_listxattrat(dirfd, name, AT_SYMLINK_NOFOLLOW, buf, size);
	r = proc_path(dirfd, name, &path);
	if (r < 0) {
		errno = -r;
		return -1;
	}
	return *name ? llistxattr(path.s, buf, size) : listxattr(path.s, buf, size);
}

static ssize_t get_at(int dirfd, const char *name, const char *attr, void *buf, size_t size)
{
	struct proc_path path;
	int r;

	if (*name && have_xattrat())
		return sys_getxattrat(dirfd, name, AT_SYMLINK_NOFOLLOW, attr, buf, size);
	r = proc_path(dirfd, name, &path);
	if (r < 0) {
		errno = -r;
		return -1;
	}
	return *name ? lgetxattr(path.s, attr, buf, size) : getxattr(path.s, attr, buf, size);
}

static unsigned find_names(const char *list, size_t len)
{
	unsigned has = 0;

	for (size_t at = 0; at < len; at += strnlen(list + at, len - at) + 1)
		for (size_t i = 0; i < ARRAY_LEN(attributes); i++)
			if (strlen(attributes[i].name) == strnlen(list + at, len - at) &&
				!memcmp(list + at, attributes[i].name, strlen(attributes[i].name)))
				has |= attributes[i].bit;
	return has;
}

int meta_list_xattrs(int dirfd, const char *name)
{
	char small[SMALL];
	scoped_free char *large = NULL;
	ssize_t n = list_at(dirfd, name, small, sizeof(small));

	if (n >= 0)
		return (int)find_names(small, (size_t)n);
	if (errno == EOPNOTSUPP)
		return 0;
	if (errno != ERANGE)
		return -errno;

	large = malloc(VALUE_MAX);
	if (!large)
		return -ENOMEM;
	n = list_at(dirfd, name, large, VALUE_MAX);
	return n < 0 ? -errno : (int)find_names(large, (size_t)n);
}

static int store_value(unsigned bit, const void *value, size_t size, struct meta *m)
{
	switch (bit) {
	case META_HAS_ACCESS:
		return acl_parse(value, size, &m->access);
	case META_HAS_DEFAULT:
		return acl_parse(value, size, &m->dflt);
	default:
		return filecap_parse(value, size, &m->cap);
	}
}

static int read_one(int dirfd, const char *name, size_t i, void *buf, struct meta *m)
{
	ssize_t n = get_at(dirfd, name, attributes[i].name, buf, VALUE_MAX);

	if (n >= 0)
		return store_value(attributes[i].bit, buf, (size_t)n, m);
	if (errno == ENODATA || errno == EOPNOTSUPP)
		return 0;
	if (errno == EOVERFLOW && attributes[i].bit == META_HAS_CAP) {
		/* The kernel does not return a capability whose root id has no mapping here. */
		m->cap = (struct filecap){ .present = true, .root_unmapped = true };
		return 0;
	}
	return -errno;
}

int meta_read_xattrs(int dirfd, const char *name, unsigned which, struct meta *m)
{
	scoped_free void *buf = NULL;

	for (size_t i = 0; i < ARRAY_LEN(attributes); i++) {
		int r;

		if (!(which & attributes[i].bit))
			continue;
		if (!buf)
			buf = malloc(VALUE_MAX);
		if (!buf)
			return -ENOMEM;
		r = read_one(dirfd, name, i, buf, m);
		if (r < 0)
			return r;
	}
	m->known |= META_XATTRS;
	return 0;
}

void meta_done(struct meta *m)
{
	acl_done(&m->access);
	acl_done(&m->dflt);
}
