/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The last steps of the process that becomes the command. */

#include "run_priv.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/env.h"
#include "../base/log.h"
#include "../base/path.h"
#include "../base/subprocess.h"
#include "../base/sys.h"
#include "../broker/broker.h"
#include "../broker/broker_creds.h"

static _Noreturn void give_up(int sock, int status, struct err *e)
{
	struct run_msg msg = { .kind = RUN_MSG_FAILED, .value = status };

	msg.e = *e;
	(void)run_proto_send(sock, &msg, -1); /* if this fails, nothing is left to try */
	_exit(status);
}

/* --- descriptors, signals, the terminal --- */

/*
 * Start a session, and replace each of stdin, stdout and stderr that is a terminal by the command's
 * own, which becomes the controlling terminal.
 */
static int take_tty(int tty, struct err *e)
{
	if (setsid() < 0)
		return err_set(e, errno, NULL, "cannot start a session");
	if (tty < 0)
		return 0;
	if (ioctl(tty, TIOCSCTTY, 0) < 0)
		return err_set(
			e, errno, NULL, "cannot set the controlling terminal of the command");
	for (int fd = 0; fd <= 2; fd++)
		if (isatty(fd) && dup2(tty, fd) < 0)
			return err_set(e, errno, NULL, "cannot pass the terminal to the command");
	return 0;
}

/* Undo what main() (signals are ignored) and the supervisor (signals are blocked) have set. */
static int restore_signals(const sigset_t *mask, struct err *e)
{
	signals_default();
	if (sigprocmask(SIG_SETMASK, mask, NULL) < 0)
		return err_set(e, errno, NULL, "cannot restore the signal mask");
	return 0;
}

/* --- credentials --- */

/*
 * Without privileges, the flags of mounts are not locked (container.h), so root of the namespace
 * must lack CAP_SYS_ADMIN, which could clear them. In a descendant user namespace they are locked.
 */
static bool must_not_mount(const struct run_spec *s)
{
	bool read_only = s->read_only;

	for (size_t i = 0; i < s->binds.len; i++)
		read_only |= s->binds.items[i].read_only;
	return read_only && !s->privileged;
}

static int limit(const struct run_spec *s, struct err *e)
{
	if (must_not_mount(s)) {
		log_verbose("the command has no CAP_SYS_ADMIN, so that read-only mounts stay "
			    "read-only; it cannot mount");
		if (prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN, 0, 0, 0) < 0)
			return err_set(e, errno, NULL, "cannot drop a capability");
	}
	if (!s->new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(e, errno, NULL, "cannot set no_new_privs");
	return 0;
}

static int take_groups(const struct run_user *u, struct err *e)
{
	gid_t groups[RUN_GROUPS_MAX];

	if (!u->n_groups)
		return 0; /* init has dropped the caller's groups, or has logged why not */
	for (size_t i = 0; i < u->n_groups; i++)
		groups[i] = u->groups[i];
	if (setgroups(u->n_groups, groups) == 0)
		return 0;
	return err_set(e, errno, NULL, "cannot set the supplementary groups of the user");
}

static int cannot_become(const char *kind, uint32_t id, struct err *e)
{
	int r = err_set(e, errno, NULL, "cannot become %s %u", kind, id);

	if (r == -EINVAL) {
		err_why(e, "the map has no %s id %u", kind, id);
		err_try(e, "extend the map, or run the command as another user: --user USER:GROUP");
	}
	return r;
}

static int take_user(const struct run_user *u, struct err *e)
{
	int r;

	r = take_groups(u, e);
	if (r < 0)
		return r;
	if (setresgid(u->gid, u->gid, u->gid) < 0)
		return cannot_become("group", u->gid, e);
	if (setresuid(u->uid, u->uid, u->uid) < 0)
		return cannot_become("user", u->uid, e);
	return 0;
}

/* --- environment, directory, program --- */

static int set_env(const struct run_spec *s, const struct run_user *u)
{
	const char *term = env_get("TERM");
	scoped_free char *old_term = term ? strdup(term) : NULL;

	if (!s->env_keep) {
		if (clearenv() != 0 ||
			setenv("PATH",
				"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
				1) < 0 ||
			setenv("container", "shiftbox", 1) < 0 ||
			setenv("HOME", u->home[0] ? u->home : "/", 1) < 0 ||
			(old_term && setenv("TERM", old_term, 1) < 0))
			return -1;
	}
	for (size_t i = 0; i < s->env.len; i++)
		if (putenv(s->env.items[i]) != 0)
			return -1;
	return 0;
}

/*
 * Name the directory on the way of path that is closed to the command, and the user that the
 * command is for the caller. Returns false if there is none.
 */
static bool find_closed(const struct run_spec *s, const char *path, struct buf *ret)
{
	uint32_t seen;

	if (!path_closed(path, ret))
		return false;
	buf_printf(ret, " is closed to user %u of the command", (unsigned)geteuid());
	if (idmap_uid_seen(&s->map, geteuid(), &seen))
		buf_printf(ret, ", who is %u outside", seen);
	return buf_get(ret);
}

static int enter_workdir(const struct run_spec *s, struct err *e)
{
	struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_NO_MAGICLINKS };
	scoped_buf struct buf closed = BUF_INIT;
	scoped_fd int fd = -1;
	int num;

	if (!s->workdir)
		return 0;
	fd = sys_openat2(AT_FDCWD, s->workdir, &how);
	if (fd >= 0 && fchdir(fd) == 0)
		return 0;
	num = errno;
	if (num == EACCES)
		(void)find_closed(s, s->workdir, &closed); /* else it is not told */
	if (!s->workdir_asked) {
		log_warn("the command cannot enter the working directory '%s' (%s): it starts in /",
			s->workdir, closed.len ? closed.data : strerrordesc_np(num));
		return 0;
	}
	(void)err_set(e, num, s->workdir, "cannot enter the working directory");
	if (num == ENOENT) {
		err_why(e, "it is looked for in the root of the command");
		err_try(e, "name a directory of that root, or create this one (-w / is the root)");
	} else if (closed.len) {
		err_why(e, "%s", closed.data);
	} else if (num == ENOTDIR) {
		err_try(e, "name a directory of that root (-w / is the root)");
	}
	return -num;
}

/* Find the first file of this name in PATH that access(2) grants for mode. */
static bool find_in_path(const char *name, int mode, struct buf *ret)
{
	const char *p = env_get("PATH");

	for (bool more = p; more;) {
		scoped_buf struct buf b = BUF_INIT;
		size_t n = strcspn(p, ":");

		buf_add(&b, n ? p : ".", n ? n : 1);
		buf_printf(&b, "/%s", name);
		if (buf_get(&b) && faccessat(AT_FDCWD, b.data, mode, AT_EACCESS) == 0) {
			buf_str(ret, b.data);
			return buf_get(ret);
		}
		more = p[n];
		p += n + more;
	}
	return false;
}

static bool is_in_path(const char *name)
{
	scoped_buf struct buf path = BUF_INIT;

	return find_in_path(name, F_OK, &path);
}

/* Find the first directory of PATH that is closed to the command, for a program found in none. */
static bool find_closed_in_path(const struct run_spec *s, struct buf *ret)
{
	const char *p = env_get("PATH");

	for (bool more = p; more;) {
		size_t n = strcspn(p, ":");
		scoped_free char *dir = n ? strndup(p, n) : strdup(".");

		if (dir && find_closed(s, dir, ret))
			return true;
		more = p[n];
		p += n + more;
	}
	return false;
}

static bool is_on_noexec(const char *path)
{
	struct statvfs fs;

	return statvfs(path, &fs) == 0 && fs.f_flag & ST_NOEXEC;
}

/* Why the kernel may not execute the file. */
static void explain_refusal(const struct run_spec *s, const char *path, struct err *e)
{
	scoped_buf struct buf closed = BUF_INIT;
	struct stat st;

	if (find_closed(s, path, &closed)) {
		err_why(e, "%s", closed.data);
		err_try(e, "open the directory to that user, or move the program");
	} else if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		err_why(e, "it is a directory");
		err_try(e, "specify a program, by its path or in a directory of PATH");
	} else if (is_on_noexec(path))
		err_why(e, "it is on a mount with noexec");
	else if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0)
		err_why(e, "the file is executable, but its interpreter cannot be run");
}

/* --- files that the kernel does not execute --- */

/* What a file begins with. */
enum exec_format { EXEC_UNREADABLE, EXEC_ELF, EXEC_SCRIPT, EXEC_OTHER };

/* ret_machine: of an ELF file, its EM_*. */
static enum exec_format find_format(const char *path, unsigned *ret_machine)
{
	scoped_fd int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	unsigned char h[offsetof(Elf32_Ehdr, e_version)] = { 0 };
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return EXEC_UNREADABLE;
	n = pread(fd, h, sizeof(h), 0);
	if (n < 0)
		return EXEC_UNREADABLE;
	*ret_machine = h[EI_DATA] == ELFDATA2MSB ? h[18] << 8 | h[19] : h[19] << 8 | h[18];
	return memcmp(h, ELFMAG, SELFMAG) == 0 ? EXEC_ELF :
		memcmp(h, "#!", 2) == 0        ? EXEC_SCRIPT :
						 EXEC_OTHER;
}

/* A name for the machine of an ELF file, whatever its class. */
static const char *machine_word(unsigned machine)
{
	static const struct {
		unsigned machine;
		const char *word;
	} words[] = {
		{ EM_386, "i386" }, { EM_MIPS, "mips" }, { EM_PPC, "ppc" }, { EM_PPC64, "ppc64" },
		{ EM_S390, "s390x" }, { EM_ARM, "arm" }, { EM_X86_64, "x86_64" },
		{ EM_AARCH64, "aarch64" }, { EM_RISCV, "riscv" },
		{ 258, "loongarch64" }, /* EM_LOONGARCH, which glibc 2.36 lacks */
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (words[i].machine == machine)
			return words[i].word;
	return NULL;
}

/* The kernel has refused an ELF file with ENOEXEC. */
static void explain_elf(const struct run_spec *s, unsigned machine, struct err *e)
{
	const char *word = machine_word(machine);
	unsigned own = 0;
	struct utsname u;

	if (find_format("/proc/self/exe", &own) != EXEC_ELF || uname(&u) < 0)
		return;
	if (own == machine || machine == EM_NONE) {
		err_why(e, "it begins with an ELF header, and is damaged");
		return;
	}
	if (word)
		err_why(e, "it is a program for another machine (%s; this is %s)", word, u.machine);
	else
		err_why(e, "it is a program for another machine (ELF number %u; this is %s)",
			machine, u.machine);
	err_try(e,
		s->host_root ? "use a program for this machine" :
			       "unpack the image for this machine (shiftbox image-unpack "
			       "--platform OS/ARCH)");
}

/*
 * execvp(3), which hands what the kernel does not execute (ENOEXEC) to /bin/sh, but without that
 * for ELF files, which no shell can read. Returns only on failure, with the format of the file.
 */
static enum exec_format try_to_execute(const struct run_spec *s, unsigned *ret_machine)
{
	const char *name = s->command[0];
	enum exec_format format = EXEC_UNREADABLE;
	scoped_buf struct buf path = BUF_INIT;
	int num;

	if (strchr(name, '/'))
		buf_str(&path, name);
	else
		(void)find_in_path(name, X_OK, &path); /* else it is not there, as execvp() finds */
	if (path.len && buf_get(&path))
		format = find_format(path.data, ret_machine);
	if (format == EXEC_ELF)
		(void)execv(path.data, s->command);
	else
		(void)execvp(name, s->command);
	num = errno; /* which freeing the path may change */
	buf_done(&path);
	errno = num;
	return format;
}

/* Why there is no such program, and what may have been meant by its name. */
static void explain_absence(const struct run_spec *s, const char *name, struct err *e)
{
	scoped_buf struct buf closed = BUF_INIT;
	bool path = strchr(name, '/');

	if (path && access(name, F_OK) == 0) {
		err_why(e,
			"the file exists, but its interpreter, or the loader of its libraries, "
			"does not");
		return;
	}
	if (!path && find_closed_in_path(s, &closed))
		err_why(e, "%s, and it is in PATH", closed.data);
	else if (!path && !is_in_path("."))
		err_why(e, "the root has no directory of PATH");
	if (strchr(name, ' '))
		err_try(e, "it is one word, with blanks in it: omit the quotes, or use sh -c '%s'",
			strchr(name, '\'') ? "LINE" : name);
	else if (s->binds.len && run_bind_has_word(name))
		err_try(e, "a word of a bind follows a colon: -b SRC:DST:%s", name);
	else if (!path && strchr(name, '='))
		err_try(e, "for a variable: -e %s (each has a -e of its own)", name);
	else if (!path && s->host_root)
		err_try(e,
			"specify an existing program, by its path or in a directory of PATH; if %s "
			"is an image: -i %s CMD...",
			name, name);
	else if (!path && !closed.len && !is_in_path("."))
		err_try(e,
			s->root.kind == MOUNT_BIND ?
				"name the root of a system (shiftbox image-unpack --flat DIR "
				"SOURCE makes one), or a program by its path there" :
				"specify a program by its path in the image");
}

/* Returns only on failure: the exit status. */
static int execute(const struct run_spec *s, struct err *e)
{
	const char *name = s->command[0];
	unsigned machine = 0;
	enum exec_format format;
	int num;

	format = try_to_execute(s, &machine);
	num = errno;
	/* execvp(3) also fails with EACCES if a directory in PATH cannot be searched. */
	if (num == EACCES && !strchr(name, '/') && !is_in_path(name))
		num = ENOENT;
	(void)err_set(e, num, name, "cannot run the command");
	err_op(e, "exec");
	if (num == EACCES && strchr(name, '/'))
		explain_refusal(s, name, e);
	if (num == ENOEXEC && format == EXEC_ELF)
		explain_elf(s, machine, e);
	if (num != ENOENT)
		return RUN_NO_EXEC;
	if (format == EXEC_OTHER) { /* execvp() has looked for /bin/sh */
		(void)err_set(e, ENOEXEC, name, "cannot run the command");
		err_why(e, "it begins with neither #! nor an ELF header, as programs do");
		err_try(e, "run it with its interpreter: PROGRAM %s", name);
		return RUN_NO_EXEC;
	}
	explain_absence(s, name, e);
	return RUN_NO_COMMAND;
}

/* Install the filter, and send its listener to the supervisor. */
static int install_filter(const struct run_init *i, struct err *e)
{
	const struct run_msg msg = { .kind = RUN_MSG_LISTENER };
	scoped_fd int listener = -1;
	int r;

	if (!i->spec->broker)
		return 0;
	r = broker_filter(i->spec->broker, &listener, e);
	if (r < 0)
		return r;
	r = run_proto_send(i->sock, &msg, listener);
	return r < 0 ? err_set(e, -r, NULL, "cannot reach the supervisor") : 0;
}

static int prepare(const struct run_init *i, int tty, struct err *e)
{
	const struct run_spec *s = i->spec;
	const struct run_msg started = { .kind = RUN_MSG_STARTED };
	static struct run_user user;
	int r;

	r = take_tty(tty, e);
	if (r == 0)
		r = run_proto_tell(i->sock, &started, e);
	if (r == 0 && close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		r = err_set(e, errno, NULL, "cannot close descriptors for the command");
	if (r == 0)
		r = broker_creds_leave_keyring(e);
	if (r == 0)
		r = run_user_find(AT_FDCWD, s->user, &user, e);
	if (r == 0 && set_env(s, &user) < 0)
		r = err_nomem(e);
	if (r == 0)
		r = limit(s, e);
	if (r == 0)
		r = install_filter(i, e);
	if (r == 0)
		r = take_user(&user, e);
	if (r == 0)
		r = enter_workdir(s, e);
	return r == 0 ? restore_signals(&i->mask, e) : r;
}

_Noreturn void run_command(const struct run_init *i, int tty)
{
	static struct err e;
	int status = RUN_FAILED;

	if (prepare(i, tty, &e) == 0)
		status = execute(i->spec, &e);
	give_up(i->sock, status, &e);
}
