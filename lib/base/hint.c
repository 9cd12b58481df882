/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hint: hints for failed steps. */

#include "hint.h"

#include <errno.h>
#include <string.h>

#include "buf.h"

static const struct {
	const char *op;
	int num;
	const char *hint; /* %s: what it failed on */
} hints[] = {
	/* op "" matches any step */
	{ "", ENOSPC,
		"free space on that filesystem (df -h, df -i), then run the command again: it "
		"starts clean" },
	{ "", EDQUOT, "the quota on that filesystem is used up: raise it or remove something" },
	{ "", EFBIG,
		"raise the limit of the size of files (ulimit -f shows it; ulimit -f unlimited), "
		"or write to a filesystem that allows larger files" },
	{ "", EROFS,
		"the filesystem is mounted read-only: mount it read-write, or choose another "
		"place" },
	{ "", EMFILE, "raise the limit of open files: ulimit -n 4096" },
	{ "", ENFILE,
		"the system's table of open files is full; as root: sysctl -w fs.file-max=NUMBER" },
	{ "open", ENOENT, "check the name: namei %s shows how much of it exists" },
	{ "open", ENOTDIR, "check the name: namei %s shows which part is not a directory" },
	{ "open", EISDIR, "specify a file" },
	{ "open", ENAMETOOLONG,
		"use a shorter one: a name has at most 255 bytes, and a path 4095" },
	{ "open", ELOOP, "mend its symbolic links: namei %s shows where each leads" },
	{ "open", EACCES,
		"run as root, or as a user with access: namei -l %s shows the permissions" },
	{ "fork", EAGAIN,
		"raise the limit of processes: ulimit -u of the user, or pids.max of the cgroup" },
	{ "userns", ENOSPC,
		"as root of the machine, raise the limit of user namespaces: sysctl -w "
		"user.max_user_namespaces=15000" },
	{ "userns", EPERM,
		"run as root, or allow unprivileged user namespaces: sysctl "
		"kernel.unprivileged_userns_clone=1" },
	{ "mount_setattr", ENOSYS, "ID-mapped mounts need Linux 5.12 or newer" },
	{ "mount_setattr", EPERM, "run as root of the user namespace that mounted the filesystem" },
	{ "open_tree", EPERM,
		"run as root of the machine; in a user namespace (unshare -Urm --map-auto) only "
		"what was mounted there can be ID-mapped; userns-run gives a command mapped ids" },
	{ "move_mount", ENOENT, "create the target first, or use -o mkdir" },
	{ "umount", EPERM,
		"run as root, or as root of the user namespace that this mount namespace belongs "
		"to" },
	{ "umount", EBUSY, "find the processes that use it: fuser -vm TARGET" },
	{ "exec", ENOENT, "specify an existing program, by its path or in a directory of PATH" },
	{ "exec", EACCES, "specify an executable file: chmod +x, and not on a mount with noexec" },
};

void hint_try(struct err *e, const char *text)
{
	enum { MAX_WORD = 512 }; /* so that the text fits, too */
	scoped_buf struct buf word = BUF_INIT;
	const char *at = strstr(text, "%s");
	bool known = e && e->on[0] && strlen(e->on) <= MAX_WORD;

	if (!at) {
		err_try(e, "%s", text);
		return;
	}
	if (known) {
		buf_str(&word, e->on[0] == '-' ? "./" : "");
		buf_shell_word(&word, e->on);
	}
	err_try(e, "%.*s%s%s", (int)(at - text), text,
		known && buf_get(&word) ? buf_get(&word) : "PATH", at + 2);
}

void hint_fill(struct err *e)
{
	const char *general = NULL;

	if (e->hint[0] || !e->num)
		return;

	for (size_t i = 0; i < ARRAY_LEN(hints); i++) {
		if (hints[i].num != e->num)
			continue;
		if (!hints[i].op[0]) {
			general = hints[i].hint;
		} else if (!strcmp(hints[i].op, e->op)) {
			hint_try(e, hints[i].hint);
			return;
		}
	}
	if (general)
		hint_try(e, general);
}
