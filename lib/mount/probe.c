/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* probe: find the causes of failed calls. */

#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/caps.h"
#include "../base/fd.h"
#include "../base/num.h"
#include "../base/sys.h"
#include "../idmap/userns.h"
#include "../idmap/userns_self.h"
#include "clone.h"
#include "image_source.h"
#include "info.h"
#include "mount_attr.h"
#include "newfs.h"

#define NFS_WHY "no kernel can ID-map NFS"
#define NFS_HINT \
	"on the server, chown the files to the ids that are to be seen here, and bind them " \
	"without a map; or keep a " \
	"filesystem in a file on NFS, which mount-idmapped maps; see \"NFS\" in mount-idmapped(8)"

/*
 * The filesystems that can be ID-mapped, with the first Linux release: mount_setattr(2), NOTES. 0,
 * 0: none so far.
 */
static const struct filesystem {
	const char *type;
	unsigned major, minor;
	const char *why, *hint;
} filesystems[] = {
	{ "ext4", 5, 12, NULL, NULL },
	{ "xfs", 5, 12, NULL, NULL },
	{ "vfat", 5, 12, NULL, NULL },
	{ "msdos", 5, 12, NULL, NULL },
	{ "btrfs", 5, 15, NULL, NULL },
	{ "ntfs3", 5, 15, NULL, NULL },
	{ "f2fs", 5, 18, NULL, NULL },
	{ "erofs", 5, 19, NULL, NULL },
	{ "squashfs", 6, 2, NULL, NULL },
	{ "tmpfs", 6, 3, NULL, NULL },
	{ "ceph", 6, 7, NULL, NULL },
	{ "hugetlbfs", 6, 9, NULL, NULL },
	{ "fuse", 6, 12,
		"a FUSE filesystem can be ID-mapped since Linux 6.12, if its daemon asks for it "
		"(FUSE_ALLOW_IDMAP) and it is mounted with default_permissions",
		"map the filesystem that the daemon serves from, or use the daemon's own id "
		"options" },
	{ "virtiofs", 6, 12,
		"virtiofs can be ID-mapped since Linux 6.12, if its daemon asks for it "
		"(FUSE_ALLOW_IDMAP)",
		"let virtiofsd translate: --translate-uid, --translate-gid" },
	{ "overlay", 0, 0, "no kernel can ID-map an overlay; its layers can be", NULL },
	{ "ext2", 0, 0, "the ext2 driver cannot; the ext4 driver can, and reads ext2 and ext3",
		"mount it with: mount -t ext4" },
	{ "ext3", 0, 0, "the ext3 driver cannot; the ext4 driver can, and reads ext2 and ext3",
		"mount it with: mount -t ext4" },
	{ "ramfs", 0, 0, NULL, "use tmpfs, which can be ID-mapped since Linux 6.3" },
	{ "proc", 0, 0, NULL,
		"mount it inside the user namespace: it shows the ids of the namespace that it is "
		"mounted in" },
	{ "sysfs", 0, 0, NULL,
		"mount it inside the user namespace: it shows the ids of the namespace that it is "
		"mounted in" },
	{ "devpts", 0, 0, NULL, "mount it inside the user namespace, with -o newinstance,gid=" },
	{ "9p", 0, 0, "no kernel can ID-map 9p",
		"share the directory by virtiofs, or map it on the side that serves it" },
	{ "nfs", 0, 0, NFS_WHY, NFS_HINT },
	{ "nfs4", 0, 0, NFS_WHY, NFS_HINT },
};

bool probe_kernel_at_least(unsigned major, unsigned minor)
{
	struct utsname u;
	uint64_t have[2] = { 0, 0 };
	const char *p;

	if (uname(&u) < 0)
		return false;
	p = u.release;
	for (int i = 0; i < 2; i++) {
		size_t n = strspn(p, "0123456789");

		if (num_u64_n(p, n, &have[i]) < 0)
			return false;
		p += n + (p[n] == '.');
	}
	return have[0] > major || (have[0] == major && have[1] >= minor);
}

static bool has_sys_admin(void)
{
	struct caps c;

	return caps_get(&c) < 0 || c.effective & CAP_BIT(CAP_SYS_ADMIN);
}

/* What an ordinary user can do with the source instead of mounting it. */
static void hint_command(struct err *e)
{
	const char *image = image_source_name(e->on);
	scoped_buf struct buf word = BUF_INIT;

	buf_shell_word(&word, image ? image : e->on);
	if (image)
		err_try(e,
			"run as root; as an ordinary user, run a command on an image of your own "
			"store: shiftbox userns-run -i %s -- CMD",
			buf_get(&word) ? buf_get(&word) : "NAME");
	else
		err_try(e,
			"run as root; an ordinary user can show the files to a command with the "
			"ids of the user's own namespace: shiftbox userns-run -b %s:/mnt -- "
			"ls -l /mnt",
			buf_get(&word) ? buf_get(&word) : "SOURCE");
}

/*
 * For a clone that is to get a map. A user namespace of the caller's own does not help: there the
 * mount can be cloned, but the map is refused.
 */
static void explain_no_map(int fd, struct err *e)
{
	scoped_mount_info struct mount_info info = { .id = -1 };
	bool known = mount_info_get(fd, &info, NULL) == 0;

	err_why(e,
		"only root of the user namespace that mounted the filesystem%s%s%s can map it, and "
		"the caller lacks CAP_SYS_ADMIN",
		known ? " (" : "", known ? info.type : "", known ? ")" : "");
	hint_command(e);
}

/* Without the capability there is no need to look further: set why and return true. */
static bool lacks_sys_admin(int fd, bool maps, struct err *e)
{
	if (has_sys_admin())
		return false;
	if (maps) {
		explain_no_map(fd, e);
		return true;
	}
	err_why(e, "the caller lacks CAP_SYS_ADMIN");
	hint_command(e);
	return true;
}

/*
 * If the kernel has the call, ENOSYS and EPERM come from a seccomp filter, as container managers
 * install one.
 */
static bool explain_enosys(struct err *e, const char *call, unsigned major, unsigned minor)
{
	if (!e || e->num != ENOSYS)
		return false;
	if (probe_kernel_at_least(major, minor))
		err_why(e, "this kernel has %s(), but a seccomp filter hides it", call);
	else
		err_why(e, "this kernel is too old: %s() needs Linux %u.%u", call, major, minor);
	return true;
}

void probe_clone(int fd, bool maps, struct err *e)
{
	scoped_mount_info struct mount_info info = { .id = -1 };

	if (!e || explain_enosys(e, "open_tree", 5, 2) || lacks_sys_admin(fd, maps, e))
		return;
	if (mount_info_get(fd, &info, NULL) < 0) {
		err_why(e, "it is on a mount of another mount namespace");
	} else if (e->num == EINVAL && info.propagation & MS_UNBINDABLE) {
		err_why(e, "it is on a mount that is marked unbindable");
		err_try(e, "mount --make-private on that mount");
	} else if (e->num == EINVAL && !userns_is_initial()) {
		err_why(e,
			"mounts below it came from the namespace's parent, and a clone must not "
			"uncover what they hide");
		err_try(e, "name a directory that nothing is mounted below");
	}
}

/*
 * The mounts below are included: in a user namespace, a mount cannot be cloned without the mounts
 * that hide parts of it.
 */
static int scratch_setattr(int fd, const struct mount_flags *flags, int userns)
{
	scoped_fd int tree = sys_open_tree(
		fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);

	return tree < 0 ? -errno : mount_attr_set(tree, flags, userns);
}

/*
 * Does the map work on a filesystem that certainly belongs to us and can be mapped? 0: yes; 1:
 * unknown; else -errno.
 */
static int scratch_tmpfs(int userns)
{
	static const struct mount_flags none = { .set = 0 };
	scoped_fd int mnt = -1;

	if (!probe_kernel_at_least(6, 3) || newfs_tmpfs(0, &mnt, NULL) < 0)
		return 1;
	return mount_attr_set(mnt, &none, userns);
}

static const struct filesystem *find_filesystem(const char *type)
{
	for (size_t i = 0; i < ARRAY_LEN(filesystems); i++) {
		size_t n = strlen(filesystems[i].type);

		if (!strncmp(type, filesystems[i].type, n) && (!type[n] || type[n] == '.'))
			return &filesystems[i];
	}
	return NULL;
}

bool probe_known_get(size_t i, struct probe_known *ret)
{
	const struct filesystem *fs = &filesystems[i];

	if (i >= ARRAY_LEN(filesystems))
		return false;
	*ret = (struct probe_known){ .type = fs->type, .why = fs->why };
	if (fs->major)
		(void)snprintf(ret->since, sizeof(ret->since), "%u.%u", fs->major,
			fs->minor); /* fits: small numbers */
	return true;
}

bool probe_known_find(const char *type, struct probe_known *ret)
{
	const struct filesystem *fs = find_filesystem(type);

	return fs && probe_known_get((size_t)(fs - filesystems), ret);
}

/* Instead of an overlay, its layers can be mapped. */
static void hint_overlay(const char *source, struct err *e)
{
	if (image_source_name(source))
		err_try(e, "map the layers: shiftbox mount-idmapped -m MAP %s TARGET", source);
	else
		err_try(e,
			"map the layers: shiftbox mount-idmapped -m MAP -o "
			"lower=TOPMOST,lower=NEXT,... overlay TARGET (findmnt shows the layers); "
			"for an unpacked image: shiftbox mount-idmapped -m MAP image:NAME TARGET");
}

void probe_unmappable(const char *type, struct err *e)
{
	const struct filesystem *fs = find_filesystem(type);

	if (!e || !fs || fs->major || !fs->why)
		return;
	err_why(e, "%s", fs->why);
	if (fs->hint)
		err_try(e, "%s", fs->hint);
}

static void explain_type(const struct mount_info *info, struct err *e)
{
	const struct filesystem *fs = find_filesystem(info->type);

	if (fs && !strcmp(fs->type, "overlay")) {
		err_why(e, "%s", fs->why);
		hint_overlay(info->source, e);
		return;
	}
	if (fs && fs->why) {
		err_why(e, "%s", fs->why);
	} else if (fs && fs->major && !probe_kernel_at_least(fs->major, fs->minor)) {
		err_why(e,
			"the filesystem (%s) can be ID-mapped since Linux %u.%u, and this kernel "
			"is older",
			info->type, fs->major, fs->minor);
	} else {
		err_why(e, "the filesystem (%s) does not support ID-mapped mounts in this kernel",
			info->type);
	}
	if (fs && fs->hint)
		err_try(e, "%s", fs->hint);
	else if (!strcmp(info->type, "devtmpfs"))
		err_try(e, "name a directory, a file or a block device with a filesystem");
	if (!e->hint[0])
		err_try(e, "copy the files to a filesystem that does, such as ext4, xfs or btrfs");
}

/* If the namespace that carries the map is the cause, set why and return true. */
static bool explain_userns(int userns, int num, struct err *e)
{
	scoped_idmap struct idmap map = { 0 };
	struct err sub = ERR_INIT;
	struct stat st, own;
	int tmpfs;

	if (fstat(userns, &st) < 0) {
		err_why(e, "the descriptor of the user namespace is not open");
		return true;
	}
	if (ioctl(userns, NS_GET_NSTYPE) != CLONE_NEWUSER) {
		err_why(e, "the descriptor that should carry the map is not a user namespace");
		return true;
	}
	if (userns_stat_is_initial(&st)) {
		err_why(e, "the initial user namespace maps nothing");
		return true;
	}
	tmpfs = scratch_tmpfs(userns);
	if (tmpfs == 0)
		return false; /* it is not the cause */
	if (stat("/proc/self/ns/user", &own) == 0 && same_file(&own, &st)) {
		err_why(e,
			"the map is that of the user namespace that mounted the filesystem, which "
			"shifts nothing there");
		return true;
	}
	if (userns_map_of_fd(userns, &map, &sub) == -ENODATA) {
		err_why(e, "the user namespace lacks a map: %s", sub.what);
		return true;
	}
	if (num == EPERM && tmpfs == -EPERM)
		err_why(e,
			"the caller lacks CAP_SYS_ADMIN over the user namespace that carries the "
			"map, or a security module or a seccomp filter forbids it");
	else if (num == EINVAL && tmpfs == -EINVAL)
		err_why(e, "the kernel refuses the user namespace that carries the map");
	return e->why[0];
}

static void explain_eperm(const struct mount_info *info, struct err *e)
{
	if (info->mapped) {
		err_why(e, "it is ID-mapped already, and this kernel refuses to change the map%s",
			probe_kernel_at_least(6, 15) ? "" : " (Linux 6.15 can)");
		err_try(e, "name the directory by a path that is not under an ID-mapped mount");
	} else if (!userns_is_initial()) {
		err_why(e,
			"the filesystem (%s) was mounted outside of this user namespace, and only "
			"the root of the namespace that mounted it may map it",
			info->type);
		err_try(e,
			"run as root of that namespace, or use a filesystem mounted in this one (a "
			"tmpfs of your own)");
	} else {
		err_why(e, "a security module or a seccomp filter forbids it");
	}
}

/*
 * Causes that the error number alone determines, even if the call would succeed a moment later: set
 * why and return true.
 */
static bool explain_number(int num, struct err *e)
{
	if (num == EBUSY)
		err_why(e, "a file of the clone is open for writing");
	else if (num == E2BIG)
		err_why(e,
			"this kernel does not support all fields of mount_setattr() that are used");
	else
		return false;
	return true;
}

static void explain_refused_map(const struct mount_info *info, int userns, int num, struct err *e)
{
	if (explain_number(num, e) || (num != EPERM && num != EINVAL))
		return;
	if (num == EPERM && info->mapped)
		explain_eperm(info, e);
	else if (userns >= 0 && explain_userns(userns, num, e))
		return;
	else if (num == EPERM)
		explain_eperm(info, e);
	else
		explain_type(info, e);
}

/* The directory of all devices is not what can be replaced by a file of another filesystem. */
static void hint_devices(int fd, const struct mount_info *info, struct err *e)
{
	struct stat st;

	if (!strcmp(info->type, "devtmpfs") && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		err_try(e,
			"bind it without a map: -m none; userns-run makes a /dev of its own for "
			"its command");
}

void probe_idmap(int fd, int userns, const struct mount_flags *flags, struct err *e)
{
	scoped_mount_info struct mount_info info = { .id = -1 };
	int r;

	if (!e || explain_enosys(e, "mount_setattr", 5, 12) || lacks_sys_admin(fd, userns >= 0, e))
		return;
	if (mount_info_get(fd, &info, NULL) < 0 || explain_number(e->num, e))
		return;
	r = scratch_setattr(fd, &mount_flags_private, userns);
	if (r < 0) {
		explain_refused_map(&info, userns, -r, e);
		hint_devices(fd, &info, e);
		return;
	}
	probe_flags(fd, flags, e); /* the map is accepted without the flags */
}

void probe_new(
	int mnt, const char *type, int userns, const struct mount_flags *flags, struct err *e)
{
	struct mount_info info = { .source = (char *)"" };
	int r;

	if (!e || explain_enosys(e, "mount_setattr", 5, 12) || lacks_sys_admin(mnt, false, e))
		return;
	(void)snprintf(info.type, sizeof(info.type), "%s", type); /* long names are truncated */
	r = userns >= 0 ? mount_attr_set(mnt, &mount_flags_private, userns) : 0;
	if (r < 0)
		explain_refused_map(&info, userns, -r, e);
	else if (flags->set & MOUNT_ATTR_NOSYMFOLLOW && !probe_kernel_at_least(5, 14))
		err_why(e, "nosymfollow needs Linux 5.14");
}

void probe_create(int dirfd, struct err *e)
{
	uint32_t uid, gid;
	struct stat st;

	if (!e || e->num != EOVERFLOW)
		return;
	/* Read the ids that new files get: setfsuid(2) with an invalid id changes nothing. */
	uid = (uint32_t)sys_setfsuid(UINT32_MAX);
	gid = (uint32_t)sys_setfsgid(UINT32_MAX);
	err_why(e,
		"it lies on an ID-mapped mount whose map has no disk id for user %u or group %u, "
		"which would own it%s",
		uid, gid,
		fstat(dirfd, &st) == 0 && st.st_uid == IDMAP_OVERFLOW ?
			", nor for the owner of its directory" :
			"");
	err_try(e, "extend the map of that mount, or use a path that is not under it");
}

void probe_flags(int fd, const struct mount_flags *flags, struct err *e)
{
	if (!e || explain_enosys(e, "mount_setattr", 5, 12) || lacks_sys_admin(fd, false, e))
		return;
	if (scratch_setattr(fd, flags, -1) == 0)
		return; /* it succeeds: the flags are not the cause */
	for (unsigned bit = 0; bit < 32; bit++) {
		uint64_t attr = UINT64_C(1) << bit;
		struct mount_flags one = { .clear = attr & flags->clear &
				~(uint64_t)MOUNT_ATTR__ATIME };
		scoped_buf struct buf b = BUF_INIT;

		if (!one.clear || scratch_setattr(fd, &one, -1) == 0)
			continue;
		one.set = attr;
		mount_flags_print(&one, &b);
		err_why(e,
			"the flag is locked: the mount came with it into this user namespace (%s)",
			buf_get(&b) ? buf_get(&b) : "");
		return;
	}
	if (flags->set & MOUNT_ATTR_NOSYMFOLLOW && !probe_kernel_at_least(5, 14))
		err_why(e, "nosymfollow needs Linux 5.14");
}
