/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shift-check explain: the command that asks again outside of the caller's user namespace. */

#include "shift_check.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/explain/explain.h"

/* PROC_PID_INIT_INO of include/linux/proc_ns.h; include/uapi/linux/nsfs.h makes it ABI. */
enum { INITIAL_PID_INO = 0xeffffffcU };

/*
 * The number that a process of this user namespace has outside, or 0. The numbers are those of
 * outside only in the initial pid namespace, and this process itself ends soon: it is its parent,
 * if that is in the same user namespace.
 */
static pid_t pid_outside(const struct stat *own)
{
	char path[48];
	struct stat st;
	const pid_t parent = getppid();

	if (stat("/proc/self/ns/pid", &st) < 0 || st.st_ino != INITIAL_PID_INO || parent < 2)
		return 0;
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)parent); /* fits */
	return stat(path, &st) == 0 && st.st_ino == own->st_ino && st.st_dev == own->st_dev ?
		parent :
		0;
}

void check_quote_path(const char *path, struct buf *ret)
{
	for (const char *p = path; *p; p++)
		if ((unsigned char)*p < ' ' || *p == '\\' || *p == 0x7f) {
			buf_str(ret, "FILE");
			return;
		}
	buf_char(ret, '\'');
	for (const char *p = path; *p; p++)
		buf_str(ret, *p == '\'' ? "'\"'\"'" : (const char[]){ *p, '\0' });
	buf_char(ret, '\'');
}

void check_outside_command(const struct explanation *x, struct buf *ret)
{
	const struct explain_caller *w = &x->caller;
	struct stat own = { .st_ino = 0 };
	const bool known = stat("/proc/self/ns/user", &own) == 0;
	const pid_t pid = known ? pid_outside(&own) : 0;

	buf_str(ret, "shiftbox shift-check explain --userns pid:");
	if (pid)
		buf_printf(ret, "%d", (int)pid);
	else
		buf_str(ret, "PID");
	if (w->uid || w->gid)
		buf_printf(ret, " --as %u:%u", w->uid, w->gid);
	buf_char(ret, ' ');
	check_quote_path(explain_file(x)->path, ret);
	if (!pid && known)
		buf_printf(ret,
			"; PID is a process of this user namespace, listed there by: "
			"lsns -t user -o NS,PID | grep -w %llu",
			(unsigned long long)own.st_ino);
	else if (!pid)
		buf_str(ret,
			"; PID is a process of this user namespace, listed there by: lsns -t user");
}

void check_put_outside_note(struct out *o, const struct explanation *x, bool hidden)
{
	const struct explain_inode *n = explain_file(x);
	scoped_buf struct buf command = BUF_INIT;

	if (!hidden && !n->uid_lost && !n->gid_lost && !n->uid_shown && !n->gid_shown)
		return;
	check_outside_command(x, &command);
	if (buf_get(&command))
		out_safe_line(o,
			"  %-11s %s in this user namespace cannot be read here; outside "
			"of it, this shows all: %s",
			"note", hidden ? "lines of the map without an id" : "ids without a number",
			command.data);
}
