/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* via_libmount: the only file that uses libmount. */

#include "via_libmount.h"

#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libmount/libmount.h>

#include "../base/buf.h"
#include "../base/fd.h"
#include "../base/path.h"
#include "../base/sys.h"
#include "../base/vec.h"

enum { MOUNTINFO_MAX = 64 << 20, FSTAB_MAX = 64 << 20 };

#define FUNCTIONS(X) \
	X(mnt_new_table) \
	X(mnt_new_table_from_file) \
	X(mnt_table_set_parser_errcb) \
	X(mnt_table_set_userdata) \
	X(mnt_table_get_userdata) \
	X(mnt_table_parse_fstab) \
	X(mnt_get_fstab_path) \
	X(mnt_unref_table) \
	X(mnt_new_iter) \
	X(mnt_free_iter) \
	X(mnt_table_next_fs) \
	X(mnt_fs_get_id) \
	X(mnt_fs_get_parent_id) \
	X(mnt_fs_get_devno) \
	X(mnt_fs_get_root) \
	X(mnt_fs_get_target) \
	X(mnt_fs_get_fstype) \
	X(mnt_fs_get_source) \
	X(mnt_fs_get_vfs_options) \
	X(mnt_fs_get_fs_options) \
	X(mnt_fs_get_propagation) \
	X(mnt_fs_get_options) \
	X(mnt_optstr_get_option)

/* The types come from libmount's header, so that wrong calls do not compile. */
static struct {
	bool loaded;
#define MEMBER(f) __typeof__(f) *f;
	FUNCTIONS(MEMBER)
#undef MEMBER
} lm;

static int load(struct err *e)
{
	static const struct {
		const char *name;
		size_t off;
	} table[] = {
#define ROW(f) { #f, offsetof(__typeof__(lm), f) },
		FUNCTIONS(ROW)
#undef ROW
	};
	void *so;

	if (lm.loaded)
		return 0;
	assert(sys_is_home());
	so = dlopen("libmount.so.1", RTLD_NOW | RTLD_LOCAL);
	if (!so) {
		(void)err_say(e, ELIBACC, NULL, "cannot load libmount: %s", dlerror());
		err_try(e, "install it: apt-get install libmount1");
		return -ELIBACC;
	}
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		void *f = dlsym(so, table[i].name);

		if (!f)
			return err_say(e, ELIBACC, NULL, "this libmount is too old: it has no %s()",
				table[i].name);
		memcpy((char *)&lm + table[i].off, &f, sizeof(f));
	}
	lm.loaded = true; /* it stays loaded: unloading gains nothing */
	return 0;
}

static const char *text(const char *s)
{
	return s ? s : "";
}

/* An fstab that is being parsed. */
struct parsing {
	int fd; /* O_PATH: a file, or a directory of such files */
	bool dir;
	struct stat *st;
	int (*bad)(const struct lm_bad *b, void *arg);
	void *arg;
	int r; /* what bad returned */
	VEC(unsigned) bad_lines;
	char *name;      /* the file that text is from */
	struct buf text; /* of a regular file */
	unsigned line;   /* the number of the line at pos */
	size_t pos;
};

static void parsing_done(struct parsing *p)
{
	cleanup_fd(&p->fd);
	free(p->name);
	buf_done(&p->text);
	VEC_DONE(&p->bad_lines);
}

#define scoped_parsing __attribute__((cleanup(parsing_done)))

/* libmount tells the number of a line alone, so the file is read again. */
static void find_text(struct parsing *p, const char *file, struct lm_bad *b)
{
	char opened[32];
	const char *end;

	if (!p->name || strcmp(p->name, file) || p->line > b->line) {
		free(p->name);
		p->name = strdup(file);
		buf_reset(&p->text);
		p->line = 1;
		p->pos = 0;
		if (fd_read_file(p->dir ? p->fd : AT_FDCWD,
			    p->dir ? file : fd_proc_path(p->fd, opened), FSTAB_MAX, &p->text,
			    NULL) < 0)
			buf_reset(&p->text);
	}
	if (!buf_get(&p->text))
		return;
	for (; p->line < b->line && p->pos < p->text.len; p->line++) {
		end = memchr(p->text.data + p->pos, '\n', p->text.len - p->pos);
		p->pos = end ? (size_t)(end + 1 - p->text.data) : p->text.len;
	}
	if (p->pos == p->text.len)
		return;
	b->text = p->text.data + p->pos;
	end = memchr(b->text, '\n', p->text.len - p->pos);
	b->len = end ? (size_t)(end - b->text) : p->text.len - p->pos;
}

/* A positive value skips the line. */
static int bad_line(struct libmnt_table *table, const char *path, int line)
{
	struct parsing *p = lm.mnt_table_get_userdata(table);
	struct lm_bad b = { .file = p->dir ? path : NULL, .line = (unsigned)line };

	if (VEC_ADD(&p->bad_lines, b.line) < 0)
		return -ENOMEM;
	if (!p->bad)
		return 1;
	find_text(p, p->dir ? path : "", &b);
	p->r = p->bad(&b, p->arg);
	return p->r ? -EINVAL : 1;
}

/* libmount opens the file or directory of the descriptor, not what the path may lead to by then. */
static int parse_fstab(
	struct libmnt_table *table, const char *path, struct parsing *p, struct err *e)
{
	struct stat st;
	char opened[32];
	int r = path_open(path, O_PATH, "cannot read the fstab", NULL, &p->fd, e);

	if (r < 0)
		return r;
	if (fstat(p->fd, &st) < 0)
		return err_set(e, errno, path, "cannot stat the fstab");
	p->dir = S_ISDIR(st.st_mode);
	*p->st = st;
	lm.mnt_table_set_userdata(table, p);
	lm.mnt_table_set_parser_errcb(table, bad_line);
	r = lm.mnt_table_parse_fstab(table, fd_proc_path(p->fd, opened));
	if (p->r)
		return p->r;
	if (r == 0)
		return 0;
	r = err_path(e, -r, path, "cannot read the fstab");
	if (r == -EINVAL) /* libmount has no other word for it */
		err_try(e, "name a regular file, or a directory of files NAME.fstab");
	return r;
}

/*
 * The number of the next line that libmount has taken, in the order of the file: it skips blank
 * lines, remarks, and what bad_line() has seen.
 */
static unsigned next_number(struct parsing *p, unsigned last, size_t *bad)
{
	struct lm_bad line = { .line = last + 1 };

	if (p->dir)
		return 0;
	for (;; line.line++) {
		find_text(p, "", &line);
		if (!line.text)
			return 0;
		if (*bad < p->bad_lines.len && p->bad_lines.items[*bad] == line.line) {
			++*bad;
		} else {
			size_t blank = 0;

			while (blank < line.len && strchr(" \t\r", line.text[blank]))
				blank++;
			if (blank < line.len && line.text[blank] != '#')
				break;
		}
		line.text = NULL;
	}
	return line.line;
}

static bool has_option(const struct lm_line *l, const char *name)
{
	return lm.mnt_optstr_get_option(l->options, name, NULL, NULL) == 0;
}

/*
 * Is there a map=, with a value that is one of this program's? (iso9660 has an option of that
 * name: map=off.)
 */
static bool has_map(const struct lm_line *l)
{
	char *value = NULL;
	size_t n = 0;

	if (lm.mnt_optstr_get_option(l->options, "map", &value, &n) != 0 || !value)
		return false;
	return memchr(value, ':', n) || (n && strchr("+\"0123456789", *value));
}

int lm_fstab_path(const char **ret, struct err *e)
{
	int r = load(e);

	if (r == 0)
		*ret = lm.mnt_get_fstab_path();
	return r;
}

int lm_fstab(const char *path, int (*bad)(const struct lm_bad *b, void *arg),
	int (*fn)(const struct lm_line *l, void *arg), void *arg, struct err *e)
{
	struct stat st;

	return lm_fstab_stat(path, bad, fn, arg, &st, e);
}

int lm_fstab_stat(const char *path, int (*bad)(const struct lm_bad *b, void *arg),
	int (*fn)(const struct lm_line *l, void *arg), void *arg, struct stat *ret, struct err *e)
{
	scoped_parsing struct parsing p = {
		.fd = -1, .st = ret, .bad = bad, .arg = arg, .text = BUF_INIT
	};
	struct libmnt_table *table;
	struct libmnt_iter *iter;
	struct libmnt_fs *fs;
	unsigned number = 0;
	size_t bad_before = 0;
	int r = load(e);

	if (r < 0)
		return r;
	table = lm.mnt_new_table();
	iter = lm.mnt_new_iter(MNT_ITER_FORWARD);
	r = table && iter ? parse_fstab(table, path, &p, e) : err_nomem(e);
	while (r == 0 && lm.mnt_table_next_fs(table, iter, &fs) == 0) {
		struct lm_line l = {
			.source = text(lm.mnt_fs_get_source(fs)),
			.target = text(lm.mnt_fs_get_target(fs)),
			.type = text(lm.mnt_fs_get_fstype(fs)),
			.options = text(lm.mnt_fs_get_options(fs)),
		};

		number = next_number(&p, number, &bad_before);
		l.number = number;
		l.idmap = has_option(&l, "X-mount.idmap");
		l.map = has_map(&l);
		r = fn(&l, arg);
	}
	lm.mnt_free_iter(iter);
	lm.mnt_unref_table(table);
	return r;
}

static int each_mount(struct libmnt_table *table, int (*fn)(const struct lm_mount *m, void *arg),
	void *arg, struct err *e)
{
	struct libmnt_iter *iter = lm.mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *fs;
	int r = 0;

	if (!iter)
		return err_nomem(e);
	while (r == 0 && lm.mnt_table_next_fs(table, iter, &fs) == 0) {
		struct lm_mount m = {
			.id = lm.mnt_fs_get_id(fs),
			.parent = lm.mnt_fs_get_parent_id(fs),
			.dev = lm.mnt_fs_get_devno(fs),
			.root = text(lm.mnt_fs_get_root(fs)),
			.target = text(lm.mnt_fs_get_target(fs)),
			.type = text(lm.mnt_fs_get_fstype(fs)),
			.source = text(lm.mnt_fs_get_source(fs)),
			.vfs_options = text(lm.mnt_fs_get_vfs_options(fs)),
			.fs_options = text(lm.mnt_fs_get_fs_options(fs)),
		};

		if (lm.mnt_fs_get_propagation(fs, &m.propagation) != 0)
			m.propagation = 0;
		r = fn(&m, arg);
	}
	lm.mnt_free_iter(iter);
	return r;
}

static int read_table(const char *path, struct libmnt_table **ret, struct err *e)
{
	int r = load(e);

	if (r < 0)
		return r;
	*ret = lm.mnt_new_table_from_file(path);
	return *ret ? 0 : err_set(e, errno ? errno : EIO, path, "cannot read the table of mounts");
}

int lm_mountinfo(int (*fn)(const struct lm_mount *m, void *arg), void *arg, struct err *e)
{
	struct libmnt_table *table;
	int r = read_table("/proc/self/mountinfo", &table, e);

	if (r < 0)
		return r;
	r = each_mount(table, fn, arg, e);
	lm.mnt_unref_table(table);
	return r;
}

/*
 * The file is read below the directory of the process, since its number may belong to another
 * process by now. The owner of a user namespace decides how long the lines are (100,000 mounts with
 * roots of several MB): the copy has a limit, which libmount has not.
 */
static int copy_mountinfo(int proc, int *ret)
{
	scoped_fd int from = openat(proc, "mountinfo", O_RDONLY | O_CLOEXEC);
	scoped_fd int to = from < 0 ? -1 : memfd_create("mountinfo", MFD_CLOEXEC);
	char some[16 << 10];
	size_t all = 0;
	ssize_t n;

	if (to < 0)
		return -errno;
	while ((n = read(from, some, sizeof(some))) > 0) {
		int r = fd_write_all(to, some, (size_t)n);

		all += (size_t)n;
		if (r < 0 || all > MOUNTINFO_MAX)
			return r < 0 ? r : -EFBIG;
	}
	if (n < 0)
		return -errno;
	*ret = TAKE_FD(to);
	return 0;
}

int lm_mountinfo_of(int proc, ino_t ns, int (*fn)(const struct lm_mount *m, void *arg), void *arg,
	struct err *e)
{
	scoped_fd int copy = -1;
	struct libmnt_table *table;
	struct stat st;
	char path[32];
	int r = copy_mountinfo(proc, &copy);

	if (r < 0)
		return err_set(e, -r, "mountinfo", "cannot read the mounts of a process");
	/*
	 * The data belongs to ns if the process is still in it: a process can leave a namespace,
	 * but it can return only to one that its user owns.
	 */
	if (fstatat(proc, "ns/mnt", &st, 0) < 0 || st.st_ino != ns)
		return err_say(e, ESTALE, "mountinfo",
			"the process has ended, or gone to another mount namespace");
	r = read_table(fd_proc_path(copy, path), &table, e);
	if (r < 0)
		return r;
	r = each_mount(table, fn, arg, e);
	lm.mnt_unref_table(table);
	return r;
}
