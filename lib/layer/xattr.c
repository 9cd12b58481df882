/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xattr: decide which extended attributes a layer may set, set them, and read them. */

#include "xattr.h"

#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/xattr.h>

#include "../base/acl.h"
#include "../base/buf.h"
#include "../base/fd.h"
#include "../base/filecap.h"
#include "../base/log.h"
#include "../base/vec.h"
#include "layer_tally.h"

/* linux/limits.h: XATTR_NAME_MAX, XATTR_SIZE_MAX */
enum { NAME_LIMIT = 255, VALUE_LIMIT = 65536 };

enum xattr_action { KEEP, ESCAPE, HOSTS, USERS, ACL, CAPS, FOREIGN };

/* The first prefix that matches decides. */
static const struct {
	const char *prefix;
	enum xattr_action action;
} rules[] = {
	{ "trusted.overlay.", ESCAPE },
	{ "user.overlay.", ESCAPE },
	{ "security.selinux", HOSTS },
	{ "security.ima", HOSTS },
	{ "security.evm", HOSTS },
	{ "security.SMACK64", HOSTS },
	{ "security.apparmor", HOSTS },
	{ FILECAP_XATTR, CAPS },
	{ "security.", KEEP },
	{ "trusted.", KEEP },
	{ "user.", USERS },
	{ ACL_XATTR_ACCESS, ACL },
	{ ACL_XATTR_DEFAULT, ACL },
	{ "", FOREIGN },
};

static bool has_prefix(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

static enum xattr_action action_of(const char *name)
{
	size_t i = 0;

	while (!has_prefix(name, rules[i].prefix))
		i++;
	return rules[i].action;
}

/* Warn that an attribute of an entry is skipped: once for all entries of a layer. */
static void warn_skipped(
	const struct layer_options *o, const char *on, const char *name, const char *text)
{
	if (o->tally)
		layer_tally_add(o->tally, on, name, text);
	else
		log_warn("'%s': %s: %s", on, name, text);
}

static int refuse(struct err *e, int num, const char *on, const char *name, const char *why)
{
	return err_say(e, num, on, "the extended attribute %s %s", name, why);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void keep_name(void *name)
{
	(void)name; /* owned by its item */
}

void xattrs_done(struct xattrs *x)
{
	tdestroy(x->names, keep_name);
	x->names = NULL;
	for (size_t i = 0; i < x->len; i++) {
		free(x->items[i].name);
		free(x->items[i].value);
	}
	VEC_DONE(x);
}

void xattrs_drop(struct xattrs *x, struct xattr *item)
{
	size_t i = (size_t)(item - x->items);

	(void)tdelete(item->name, &x->names, by_name); /* x has it already */
	free(item->name);
	free(item->value);
	memmove(item, item + 1, (--x->len - i) * sizeof(*item));
}

void xattrs_free(struct xattrs *x)
{
	if (!x)
		return;
	xattrs_done(x);
	free(x);
}

bool xattrs_has(const struct xattrs *x, const char *name)
{
	return tfind(name, &x->names, by_name) != NULL;
}

static int append(struct xattrs *x, const char *name, const void *value, size_t size, struct err *e)
{
	struct xattr a = { .name = strdup(name), .value = malloc(size ? size : 1), .size = size };

	if (!a.name || !a.value || VEC_ADD(x, a) < 0) {
		free(a.name);
		free(a.value);
		return err_nomem(e);
	}
	if (!tsearch(a.name, &x->names, by_name)) {
		x->len--;
		free(a.name);
		free(a.value);
		return err_nomem(e);
	}
	if (size)
		memcpy(a.value, value, size);
	return 0;
}

/* Does overlayfs of this kernel understand escaped attributes ("trusted.overlay.overlay.X")? */
static bool escapes_known(void)
{
	struct utsname u;
	char *end;
	long major, minor;

	/* A probe would have to mount an overlay, so the version of the kernel decides. */
	if (uname(&u) < 0)
		return false;
	major = strtol(u.release, &end, 10);
	minor = *end == '.' ? strtol(end + 1, NULL, 10) : 0;
	return major > 6 || (major == 6 && minor >= 7);
}

static int add_escaped(struct xattrs *x, const char *name, const void *value, size_t size,
	const char *on, struct err *e)
{
	scoped_buf struct buf b = BUF_INIT;
	const char *rest = strchr(name, '.') + strlen(".overlay.");

	if (!escapes_known())
		return refuse(e, EOPNOTSUPP, on, name,
			"would be read by overlayfs, which cannot escape it before Linux 6.7");

	buf_add(&b, name, (size_t)(rest - name));
	buf_str(&b, "overlay.");
	buf_str(&b, rest);
	if (!buf_get(&b))
		return err_nomem(e);
	if (b.len > NAME_LIMIT)
		return refuse(e, ENAMETOOLONG, on, name,
			"has a name that is too long to be escaped for overlayfs");
	if (xattrs_has(x, buf_get(&b)))
		return 0;
	return append(x, buf_get(&b), value, size, e);
}

static bool capability_fits(const void *value, size_t size)
{
	struct filecap c;

	return filecap_parse(value, size, &c) == 0 && c.version >= 2 && c.root != ACL_NO_ID;
}

bool xattr_is_rooted_cap(const char *name, size_t size)
{
	return size == FILECAP_SIZE_3 && !strcmp(name, FILECAP_XATTR);
}

/*
 * A capability of version 3 applies in user namespaces whose root is the id that it names, as the
 * mount translates it (security/commoncap.c, get_vfs_caps_from_disk()). Version 2 has no such id,
 * which means disk id 0.
 */
static int add_rebased(struct xattrs *x, const void *value, const char *on, struct err *e)
{
	unsigned char v2[FILECAP_SIZE_2];

	filecap_to_v2(value, v2);
	log_verbose("'%s': %s: converted to one for the image's root", on, FILECAP_XATTR);
	return append(x, FILECAP_XATTR, v2, sizeof(v2), e);
}

int xattrs_add(struct xattrs *x, const char *name, const void *value, size_t size,
	const struct xattr_file *file, struct err *e)
{
	const enum xattr_action action = action_of(name);
	const char *on = file->on;

	if (strlen(name) > NAME_LIMIT)
		return refuse(e, ENAMETOOLONG, on, name, "has a name of more than 255 bytes");
	if (size > VALUE_LIMIT)
		return refuse(e, E2BIG, on, name,
			"is larger than 65536 bytes, the most that Linux can store");
	if (xattrs_has(x, name))
		return 0;

	switch (action) {
	case ESCAPE:
		return add_escaped(x, name, value, size, on, e);
	case HOSTS:
		if (file->o->keep_security)
			break;
		log_verbose("'%s': %s: skipped: it is specific to the machine that built the image",
			on, name);
		return 0;
	case FOREIGN:
		warn_skipped(file->o, on, name, "skipped: Linux has no such extended attribute");
		return 0;
	case CAPS:
		if (!capability_fits(value, size))
			return refuse(e, EINVAL, on, name,
				"is malformed (neither version 2 nor version 3)");
		if (file->o->rebase_caps && xattr_is_rooted_cap(name, size))
			return add_rebased(x, value, on, e);
		break;
	case USERS:
		if (S_ISREG(file->type) || S_ISDIR(file->type))
			break;
		warn_skipped(file->o, on, name,
			"skipped: Linux supports it only on files and directories");
		return 0;
	case ACL:
		if (!S_ISLNK(file->type))
			break;
		warn_skipped(
			file->o, on, name, "skipped: a symbolic link has no access control list");
		return 0;
	case KEEP:
		break;
	}
	return append(x, name, value, size, e);
}

static int set_one(const struct xattr *a, int fd, const char *path)
{
	int r = path ? lsetxattr(path, a->name, a->value, a->size, 0) :
		       fsetxattr(fd, a->name, a->value, a->size, 0);

	return r < 0 ? -errno : 0;
}

static int set_failed(const struct xattr *a, int num, const char *on, struct err *e)
{
	enum xattr_action action = action_of(a->name);

	(void)err_set(e, num, on, "cannot set the extended attribute %s", a->name);
	err_op(e, "setxattr");
	if (num == EOPNOTSUPP)
		err_why(e, "the filesystem does not support such attributes");
	else if (num == ENOSPC)
		err_why(e,
			"the filesystem is full, or has no room for so many extended attributes of "
			"one file: ext4 has one block for them");
	else if (num == EINVAL && (action == ACL || action == CAPS))
		err_why(e, "it is malformed, or names an id that the user namespace does not map");
	return -num;
}

int xattrs_set(const struct xattrs *x, int fd, const char *name, const struct layer_options *o,
	const char *on, struct err *e)
{
	/* setxattrat(2) exists since Linux 6.13 only: use the descriptor's directory in /proc. */
	char dir[32], path[32 + 1 + 256];

	if (name)
		(void)snprintf(path, sizeof(path), "%s/%s", fd_proc_path(fd, dir),
			name); /* fits: 255 bytes */
	for (size_t i = 0; i < x->len; i++) {
		const struct xattr *a = &x->items[i];
		int r = set_one(a, fd, name ? path : NULL);

		if (r == -EPERM && o->user_xattr && action_of(a->name) != CAPS) {
			warn_skipped(o, on, a->name, "skipped: only root of the host may set it");
			continue;
		}
		if (r < 0)
			return set_failed(a, -r, on, e);
	}
	return 0;
}

const char *xattr_overlay(bool user, const char *what, char buf[static 64])
{
	(void)snprintf(buf, 64, "%s.overlay.%s", user ? "user" : "trusted", what);
	return buf;
}

/* Read the value of an attribute into memory that the caller frees. Returns its size, or -errno. */
static ssize_t get_value(const char *path, const char *name, void **ret)
{
	for (;;) {
		ssize_t n = lgetxattr(path, name, NULL, 0);
		scoped_free char *p = n < 0 ? NULL : malloc((size_t)n + 1);

		if (n < 0)
			return -errno;
		if (!p)
			return -ENOMEM;
		n = lgetxattr(path, name, p, (size_t)n + 1);
		if (n < 0 && errno == ERANGE)
			continue;
		if (n < 0)
			return -errno;
		*ret = TAKE_PTR(p);
		return n;
	}
}

/* Does a copy of a file get the attribute? */
static bool copied(const char *name, const struct layer_options *o)
{
	if (action_of(name) == ESCAPE)
		return has_prefix(strchr(name, '.'), ".overlay.overlay.");
	return action_of(name) != HOSTS || o->keep_security;
}

int xattrs_read(struct xattrs *x, int fd, const char *name, const struct layer_options *o,
	const char *on, struct err *e)
{
	char dir[32], path[32 + 1 + 256];
	scoped_free char *list = NULL;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "%s/%s", fd_proc_path(fd, dir), name);
	n = llistxattr(path, NULL, 0);
	if (n == 0 || (n < 0 && errno == EOPNOTSUPP))
		return 0;
	list = n < 0 ? NULL : malloc((size_t)n);
	if (n > 0 && !list)
		return err_nomem(e);
	if (n > 0)
		n = llistxattr(path, list, (size_t)n);
	if (n < 0)
		return err_set(
			e, errno, on, "cannot list the extended attributes in the layer below");

	for (const char *p = list; p < list + n; p += strlen(p) + 1) {
		scoped_free void *value = NULL;
		ssize_t size;
		int r;

		if (!copied(p, o))
			continue;
		size = get_value(path, p, &value);
		if (size < 0)
			return err_set(e, (int)-size, on,
				"cannot read the extended attribute %s in the layer below", p);
		r = append(x, p, value, (size_t)size, e);
		if (r < 0)
			return r;
	}
	return 0;
}
