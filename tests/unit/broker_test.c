/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The broker and chown, mount and umount, and the calls that the filter itself refuses. */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "broker_box.h"
#include "test.h"

static int around(void)
{
	char params[256] = { 0 };

	if (syscall(SYS_io_uring_setup, 8, params) >= 0 || errno != ENOSYS)
		return 1;
	if (syscall(SYS_fsopen, "tmpfs", 0) >= 0 || errno != ENOSYS)
		return 2;
	if (syscall(SYS_open_tree, AT_FDCWD, "/", 0) >= 0 || errno != ENOSYS)
		return 3;
	return syscall(467, AT_FDCWD, "/", 0, NULL, 0) >= 0 || errno != ENOSYS ? 4 : 0;
}

TEST(calls_that_would_bypass_the_filter_do_not_exist)
{
	static const char *const rules[] = { "mount:ext4:/dev/null", NULL };

	CHECK_INT(box_run(rules, NULL, around, NULL, 0), 0);
}

/* --- chown --- */

/* Does the file have this record, or with NULL none? */
static bool has_record(const char *path, const char *want)
{
	char value[64] = "";
	ssize_t n = getxattr(path, "user.containers.override_stat", value, sizeof(value) - 1);

	return want ? n > 0 && strcmp(value, want) == 0 : n < 0;
}

static int record_owners(void)
{
	int fd = open("f", O_CREAT | O_RDWR, 0640);

	if (fd < 0 || chown("f", 33, 33) < 0)
		return 1; /* mapped: the kernel's */
	if (fchown(fd, 70000, 70001) < 0 || !has_record("f", "70000:70001:0640"))
		return 2;
	if (chown("f", 80000, (gid_t)-1) < 0 || !has_record("f", "80000:70001:0640"))
		return 4;
	/* The owner becomes one that has a mapping: the record must not contradict that. */
	if (chown("f", 33, (gid_t)-1) < 0 || !has_record("f", "33:70001:0640"))
		return 9;
	if (close(open("g", O_CREAT | O_WRONLY, 0640)) < 0 || chown("g", 33, 33) < 0 ||
		!has_record("g", NULL))
		return 11;
	/* The type in another tool's record stays. */
	if (setxattr("f", "user.containers.override_stat", "0:6:0660:block-8-17", 19, 0) < 0 ||
		chown("f", 70000, (gid_t)-1) < 0 || !has_record("f", "70000:6:0640:block-8-17"))
		return 15;
	return 0;
}

static int own(void)
{
	static const gid_t groups[257];
	int failed = record_owners();

	if (failed)
		return failed;
	if (symlink("f", "s") < 0 || lchown("s", 70000, 70000) < 0)
		return 6; /* skipped: a link carries no record */
	if (fchownat(AT_FDCWD, "none", 70000, 1, 0) == 0 || errno != ENOENT)
		return 7;
	if (chown("unreachable", 70000, 1) == 0 || errno != EACCES)
		return 8;
	if (fchown(open("f", O_PATH), 70000, 1) == 0 || errno != EBADF)
		return 12;
	if (fchownat(AT_FDCWD, "f", 70000, 1, 0x40000000) == 0 || errno != EINVAL)
		return 13;
	/* A caller with more groups than the broker can set is refused. */
	if (setgroups(257, groups) < 0 || chown("f", 90000, 1) == 0 || errno != EPERM)
		return 14;
	return 0;
}

TEST(owners_without_a_mapping_are_recorded_where_the_caller_may_write)
{
	static const char *const rules[] = { "chown:emulate", NULL };
	char said[4096];
	struct stat st;

	if (geteuid() != 0)
		SKIP("needs root");
	box_make_dir();
	REQUIRE(close(open(box_at("unreachable"), O_CREAT | O_WRONLY, 0600)) == 0);
	CHECK_INT(box_run(rules, NULL, own, said, sizeof(said)), 0);
	CHECK_HAS(said, "\"uid\":70000");
	CHECK(stat(box_at("f"), &st) == 0 && st.st_uid == BOX_BASE + 33 &&
		st.st_gid == BOX_BASE + 33);
	CHECK(getxattr(box_at("unreachable"), "user.containers.override_stat", NULL, 0) < 0);
}

static int want(void)
{
	if (close(open("f", O_CREAT | O_RDWR, 0640)) < 0)
		return 1;
	if (chown("f", 70000, 5) == 0 || errno != EINVAL)
		return 2;
	return chown("f", 1, 2) < 0 ? 3 : 0;
}

TEST(a_report_leaves_the_decision_to_the_kernel_and_shows_what_was_requested)
{
	static const char *const rules[] = { "chown:report", NULL };
	char said[4096], audit[128];

	if (geteuid() != 0)
		SKIP("needs root");
	box_make_dir();
	(void)snprintf(audit, sizeof(audit), "%s", box_at("audit"));
	CHECK_INT(box_run(rules, audit, want, said, sizeof(said)), 0);
	CHECK_HAS(said, "\"uid\":70000");
	CHECK_HAS(said, "\"mapping\":\"none\"");
	CHECK_HAS(said, "\"uids_needed\":70001");
}

/* --- mount and umount --- */

static int mounts(void)
{
	struct stat st;

	if (mkdir("m", 0755) < 0 || mount("t", "m", "tmpfs", MS_NOSUID, "mode=711") < 0 ||
		stat("m", &st) < 0)
		return 1;
	if ((st.st_mode & 07777) != 0711 || st.st_uid != 0)
		return 2;
	if (chdir("m") < 0 || umount2("../m", MNT_DETACH) < 0 || chdir(box_dir) < 0 ||
		umount("m") == 0 || errno != EINVAL)
		return 3;
	if (mount("/dev/vda", "m", "ext4", 0, NULL) == 0 || errno != EPERM)
		return 4;
	if (mount("t", "m", NULL, 0, NULL) == 0 || errno != EINVAL)
		return 5;
	if (mount("m", "m", NULL, MS_BIND, NULL) < 0)
		return 6; /* no new filesystem: the filter does not intercept it */
	/* These would be the descriptors of the process that acts for the program. */
	for (int i = 0; i < 12; i++) {
		char path[32];

		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", i);
		if (mount("t", path, "tmpfs", 0, NULL) == 0 || (errno != ELOOP && errno != ENOENT))
			return 10;
		if (umount2(path, 0) == 0 || (errno != ELOOP && errno != ENOENT))
			return 11;
	}
	/* A user of the namespace without privileges there. */
	if (setresuid(1000, 1000, 1000) < 0)
		return 7;
	if (umount2("m", 0) == 0 || errno != EPERM)
		return 8;
	return mount("t", "m", "tmpfs", 0, NULL) == 0 || errno != EPERM ? 9 : 0;
}

TEST(a_mount_without_a_rule_is_made_with_the_callers_credentials)
{
	static const char *const rules[] = { "mount:ext4:/dev/null", "umount", NULL };

	CHECK_INT(box_run(rules, NULL, mounts, NULL, 0), 0);
}

static char image[128];

static int use_image(void)
{
	struct stat st;

	/* Create a node first: the credentials for that must not be in effect for the mount. */
	if (mknod("null", S_IFCHR | 0600, makedev(1, 3)) < 0)
		return 12;
	if (mkdir("m", 0755) < 0 || mount(image, "m", "ext4", MS_NOSUID, "commit=1") == 0 ||
		errno != EINVAL)
		return 1; /* the rule allows no mount options */
	if (mount(image, "m", "xfs", 0, NULL) == 0)
		return 2;
	if (mount(image, "file", "ext4", 0, NULL) == 0 || errno != ENOENT)
		return 3;
	if (mount(image, "m", "ext4", MS_NOSUID, NULL) < 0)
		return 4;
	if (stat("m/root", &st) < 0 || st.st_uid != 0 || stat("m/www", &st) < 0 ||
		st.st_uid != 33 || st.st_gid != 34)
		return 5;
	/* Root owns this device node here: without nodev, it would open the host's memory. */
	if (open("m/mem", O_RDONLY) >= 0 || errno != EACCES)
		return 6;
	if (mount(NULL, "m", NULL, MS_REMOUNT | MS_BIND | MS_NOSUID, NULL) == 0 || errno != EPERM)
		return 7;
	if (open("m/mem", O_RDONLY) >= 0 || errno != EACCES)
		return 8;
	if (close(open("m/new", O_CREAT | O_WRONLY, 0600)) < 0)
		return 9;
	if (umount("m") < 0 || access("m/root", F_OK) == 0)
		return 10;
	/* Mount it again, for the end of the namespace to clean up. */
	return mount(image, "m", "ext4", MS_RDONLY, NULL) < 0 ? 11 : 0;
}

static int command_output(const char *command, char *ret, size_t size)
{
	FILE *f = popen(command, "r");
	size_t n;

	if (!f)
		return -1;
	n = fread(ret, 1, size - 1, f);
	ret[n] = '\0';
	return pclose(f);
}

TEST(an_image_is_mounted_with_the_namespaces_map_and_locked_flags)
{
	char command[1024], rule[160], said[512];
	const char *rules[] = { rule, "mknod:safe", NULL };

	if (geteuid() != 0)
		SKIP("needs root");
	if (access("/dev/loop-control", F_OK) < 0)
		SKIP("needs loop devices");
	box_make_dir();
	(void)snprintf(image, sizeof(image), "%s", box_at("disk.img"));
	(void)snprintf(rule, sizeof(rule), "mount:ext4:%s", image);
	(void)snprintf(command, sizeof(command),
		"cd %s && mkdir t && echo x >t/root && echo x >t/www && chown 33:34 t/www && mknod "
		"-m 600 t/mem c 1 1 && truncate -s 8M %s && mke2fs -q -F -t ext4 -d t %s && rm -r "
		"t",
		box_dir, image, image);
	REQUIRE(system(command) == 0);
	CHECK_INT(box_run(rules, NULL, use_image, NULL, 0), 0);
	(void)snprintf(command, sizeof(command), "losetup -j %s", image);
	for (int i = 0; i < 50 && command_output(command, said, sizeof(said)) == 0 && said[0]; i++)
		(void)usleep(100 *
			1000); /* the namespace is destroyed after its last process has exited */
	CHECK_STR(said, "");
	(void)snprintf(command, sizeof(command), "debugfs -R 'stat new' %s 2>&1", image);
	CHECK_INT(command_output(command, said, sizeof(said)), 0);
	CHECK_HAS(said, "User:     0   Group:     0");
}
