/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* grants: check the subordinate ids of a user, and the programs that map them. */

#include "grants.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "../base/fd.h"
#include "../base/num.h"
#include "../base/path.h"
#include "../base/subprocess.h"
#include "../check/meta.h"
#include "../idmap/subid_unused.h"
#include "../idmap/userns_self.h"

/* The ids that a container with Debian or Fedora needs: 0 to 65535, with nobody and nogroup. */
enum { WANTED = 65536 };

enum { NSSWITCH_MAX = 1 << 20, MEND_SIZE = 512 };

void grants_report(struct grants_check *c, enum grant_fault class, const char *file, size_t line,
	const char *fmt, ...)
{
	char detail[1024];
	struct grant_finding f = { .class = class, .file = file, .line = line, .detail = detail };
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(detail, sizeof(detail), fmt, ap); /* truncated if long */
	va_end(ap);
	c->found++;
	c->fn(&f, c->arg);
}

void grants_check_done(struct grants_check *c)
{
	VEC_DONE(&c->uid);
	VEC_DONE(&c->gid);
}

/*
 * --- the files -------------------------------------------------------------------------------
 */

/* One of the two files of grants. */
struct file {
	struct grants_check *c;
	const char *path;
	struct grants *mine;
	uint32_t own;
	const char *kind; /* "user", "group" */
	const char *text;
};

/*
 * Write to text the command that gives the user count new ids, in place of those of old (or NULL).
 * "" if the grants come from another source, or no ids are free.
 */
static const char *mend(
	const struct file *f, const struct grant *old, uint32_t count, char text[static MEND_SIZE])
{
	const char *name = f->c->user.name;
	char del[64] = "";
	uint32_t start;

	text[0] = '\0';
	if (!name[0] || f->c->user.uid == SUBID_NO_ACCOUNT || strcmp(f->c->source, "files") != 0 ||
		!subid_unused(SUBUID_FILE, SUBGID_FILE, count, &start))
		return text;
	if (old) /* fits: 2 x 10 digits */
		(void)snprintf(del, sizeof(del), " --del-sub%cids %u-%u", f->kind[0], old->start,
			old->start + (old->count - 1));
	(void)snprintf(text, MEND_SIZE, "; as root%s: usermod%s --add-sub%cids %u-%u %s",
		old ? ", if no files have these ids yet" : "", del, f->kind[0], start,
		start + (count - 1), name); /* truncated if long */
	return text;
}

/* How many ids should replace a grant: as many, but enough for an image. */
static uint32_t new_count(const struct grant *g)
{
	return g->count > WANTED ? g->count : WANTED;
}

static bool meet(const struct grant *a, const struct grant *b)
{
	return a->start - b->start < b->count || b->start - a->start < a->count;
}

static void report_line(const struct file *f, const struct subid_line *l)
{
	int n = l->len < 200 ? (int)l->len : 200;

	grants_report(f->c, subid_is_meant_for(l, &f->c->user) ? GRANT_IGNORED : GRANT_LINE,
		f->path, l->grant.line, "'%.*s' %s; the line does not count", n, l->text,
		l->reversed ? "has its fields in the wrong order: it must be USER:START:COUNT" :
			      l->fault);
}

static int report_ignored(const struct subid_line *l, void *arg)
{
	const struct file *f = arg;

	if (l->fault && subid_is_meant_for(l, &f->c->user))
		report_line(f, l);
	return 0;
}

void grants_check_ignored(struct grants_check *c)
{
	static const char *const paths[] = { SUBUID_FILE, SUBGID_FILE };

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		scoped_buf struct buf text = BUF_INIT;
		struct file f = { .c = c, .path = paths[i] };

		if (subid_text(f.path, &text, NULL) == 0)
			(void)subid_each(buf_get(&text), report_ignored, &f); /* always 0 */
	}
}

/* Were the fields exchanged? Then START is a usual count, and COUNT a usual start. */
static bool exchanged(const struct grant *g)
{
	return g->start == WANTED && g->count > WANTED;
}

static int collect(const struct subid_line *l, void *arg)
{
	struct file *f = arg;
	char text[MEND_SIZE];

	if (l->fault) {
		report_line(f, l);
		return 0;
	}
	if (!subid_is_users(l, &f->c->user))
		return 0;
	if (exchanged(&l->grant))
		grants_report(f->c, GRANT_LINE, f->path, l->grant.line,
			"START is %u and COUNT is %u: they look swapped", l->grant.start,
			l->grant.count);
	for (size_t i = 0; i < f->mine->len; i++)
		if (f->mine->items[i].start == l->grant.start &&
			f->mine->items[i].count == l->grant.count)
			return 0; /* a repeated line is one grant */
	for (size_t i = 0; i < f->mine->len; i++)
		if (meet(&f->mine->items[i], &l->grant))
			grants_report(f->c, GRANT_OVERLAP, f->path, l->grant.line,
				"%u-%u overlaps the grant in line %zu, of the same user: a map of "
				"both is refused (EINVAL)%s",
				l->grant.start, l->grant.start + (l->grant.count - 1),
				f->mine->items[i].line,
				mend(f, &l->grant, new_count(&l->grant), text));
	return VEC_ADD(f->mine, l->grant);
}

static int compare_others(const struct subid_line *l, void *arg)
{
	const struct file *f = arg;
	int n = l->user_len < 64 ? (int)l->user_len : 64;
	char text[MEND_SIZE];

	if (l->fault || subid_is_users(l, &f->c->user))
		return 0;
	for (size_t i = 0; i < f->mine->len; i++) {
		const struct grant *g = &f->mine->items[i];

		if (meet(g, &l->grant))
			grants_report(f->c, GRANT_OVERLAP, f->path, g->line,
				"%u-%u overlaps %u-%u of %.*s in line %zu: each could use the "
				"other's files%s",
				g->start, g->start + (g->count - 1), l->grant.start,
				l->grant.start + (l->grant.count - 1), n, l->user, l->grant.line,
				mend(f, g, new_count(g), text));
	}
	return 0;
}

static bool holds(const struct grant *g, uint32_t id)
{
	return id >= g->start && id - g->start < g->count;
}

/* Check the grants themselves, from whatever source. */
/*
 * Does a file belong to a user without an id here? Then it is a file of the host, seen from a user
 * namespace: the caller cannot change it, and its set-uid bit has no effect.
 */
static bool is_of_outside(uint32_t uid)
{
	return userns_is_nested() && uid == userns_overflow_id(false);
}

/* usermod(8) does not create the file: it refuses the option. */
static void report_missing(const struct file *f)
{
	char text[MEND_SIZE];

	grants_report(f->c, GRANT_FILE, f->path, 0, "there is no such file (as root: touch %s)%s",
		f->path, mend(f, NULL, WANTED, text));
}

static void report_none(const struct file *f)
{
	const char *name = f->c->user.name;
	uint32_t start = 0;
	char range[32] = "START-END";
	struct stat st;

	if (path_stat(f->path, true, &st) == 0 && is_of_outside(st.st_uid)) {
		grants_report(f->c, GRANT_NONE, f->path, 0,
			"%s has no %s ids here: this is a user namespace, and the file is that of "
			"the host; run shiftbox shift-check subid outside of the user namespace",
			name[0] ? name : "the user", f->kind);
		return;
	}
	if (subid_unused(SUBUID_FILE, SUBGID_FILE, WANTED, &start)) /* fits: 2 x 10 digits */
		(void)snprintf(range, sizeof(range), "%u-%u", start, start + (WANTED - 1));
	grants_report(f->c, GRANT_NONE, f->path, 0,
		"%s has no %s ids here: usermod --add-sub%cids %s %s", name[0] ? name : "the user",
		f->kind, f->kind[0], range, name[0] ? name : "USER");
}

static void check_ranges(const struct file *f)
{
	char text[MEND_SIZE];
	uint64_t total = 0;

	for (size_t i = 0; i < f->mine->len; i++) {
		const struct grant *g = &f->mine->items[i];

		total += g->count;
		if (holds(g, f->own) && f->own)
			grants_report(f->c, GRANT_OWN_ID, f->path, g->line,
				"%u-%u holds %u, the user's own %s id: a map with both the range "
				"and the user's own id is refused%s",
				g->start, g->start + (g->count - 1), f->own, f->kind,
				mend(f, g, new_count(g), text));
		if (holds(g, 0))
			grants_report(f->c, GRANT_OWN_ID, f->path, g->line,
				"%u-%u holds 0: the user could become root%s", g->start,
				g->start + (g->count - 1), mend(f, g, new_count(g), text));
	}
	if (!f->mine->len && f->c->user.uid == SUBID_NO_ACCOUNT)
		grants_report(f->c, GRANT_NONE, f->path, 0,
			"%s has no %s ids here: add a line %s:START:COUNT", f->c->user.name,
			f->kind, f->c->user.name);
	else if (!f->mine->len)
		report_none(f);
	else if (total < WANTED)
		grants_report(f->c, GRANT_SHORT, f->path, f->mine->items[0].line,
			"%llu %s ids are fewer than the %u that most images need%s",
			(unsigned long long)total, f->kind, WANTED,
			mend(f, NULL, WANTED - (uint32_t)total, text));
}

static int check_file(struct file *f, struct err *e)
{
	scoped_buf struct buf text = BUF_INIT;
	struct err why = ERR_INIT;
	int r = subid_text(f->path, &text, &why);

	if (r == -ENOMEM)
		return err_nomem(e);
	if (r == -ENOENT) {
		report_missing(f);
		return 0;
	}
	if (r < 0) {
		grants_report(f->c, GRANT_FILE, f->path, 0, "%s%s%s%s%s", why.what,
			why.num && r != -EINVAL ? ": " : "",
			why.num && r != -EINVAL ? strerrordesc_np(why.num) : "",
			why.hint[0] ? "; " : "", why.hint);
		return 0;
	}
	if (subid_each(buf_get(&text), collect, f) < 0)
		return err_nomem(e);
	(void)subid_each(buf_get(&text), compare_others, f); /* always 0 */
	check_ranges(f);
	return 0;
}

/*
 * --- other sources ---------------------------------------------------------------------------
 */

/*
 * Set ret to the first word after "subid:" in nsswitch.conf, and return its line; "files" and 0 if
 * there is none. shadow uses one source only.
 */
static size_t read_source(char *ret, size_t size)
{
	scoped_buf struct buf text = BUF_INIT;
	size_t line = 0, len;

	(void)snprintf(ret, size, "files");
	if (fd_read_file(AT_FDCWD, "/etc/nsswitch.conf", NSSWITCH_MAX, &text, NULL) < 0)
		return 0;
	for (const char *p = buf_get(&text); *p; p += len + (p[len] == '\n')) {
		const char *word = p + strspn(p, " \t");
		size_t n;

		line++;
		len = strcspn(p, "\n");
		if (strncmp(word, "subid:", 6) != 0)
			continue;
		word += 6 + strspn(word + 6, " \t");
		n = strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789_-");
		if (!n || n >= size)
			return line;
		memcpy(ret, word, n);
		ret[n] = '\0';
		return line;
	}
	return 0;
}

/* Parse the output of getsubids(1): lines like "0: alice 100000 65536". */
static int parse_answer(char *text, struct grants *ret)
{
	char *save = NULL, *field = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct grant g = { .line = 0 };
		char *words[5] = { NULL };
		size_t n = 0;

		for (char *w = strtok_r(line, " ", &field); w && n < ARRAY_LEN(words);
			w = strtok_r(NULL, " ", &field))
			words[n++] = w;
		if (n == 4 && num_u32(words[2], &g.start) == 0 &&
			num_u32(words[3], &g.count) == 0 && g.count &&
			g.count <= UINT32_MAX - g.start && VEC_ADD(ret, g) < 0)
			return -ENOMEM;
	}
	return 0;
}

/*
 * If the module of the source, libsubid_NAME.so, cannot be loaded or lacks a function, shadow uses
 * the files (lib/nss.c, nss_init()), and getsubids prints a warning like all its programs. Cut the
 * line that names the module out of text; NULL if there is none.
 */
static char *module_fault(char *text)
{
	char *name = strstr(text, "libsubid_"), *start = name;

	if (!name)
		return NULL;
	while (start > text && start[-1] != '\n')
		start--;
	start[strcspn(start, "\n")] = '\0';
	return start;
}

static int use_files(struct file *f, size_t nss_line, const char *fault, struct err *e)
{
	grants_report(f->c, GRANT_NSS, "/etc/nsswitch.conf", nss_line,
		"'%s' is the source of the ids, but its module cannot be used, so newuidmap "
		"reads " SUBUID_FILE " and newgidmap " SUBGID_FILE ": %s",
		f->c->source, fault);
	f->c->source = "files";
	return check_file(f, e);
}

static int ask_source(struct file *f, size_t nss_line, struct err *e)
{
	scoped_buf struct buf path = BUF_INIT, text = BUF_INIT;
	char *argv[] = { (char *)"getsubids", f->kind[0] == 'g' ? (char *)"-g" : f->c->user.name,
		f->c->user.name, NULL };
	int r = subprocess_find("getsubids", &path);
	const char *fault;

	if (f->kind[0] != 'g')
		argv[2] = NULL;
	if (r == 0)
		r = subprocess_capture(buf_get(&path), argv, &text);
	if (r == -ENOMEM || !buf_get(&text))
		return err_nomem(e);
	fault = r < 0 || !text.len ? NULL : module_fault(text.data);
	if (fault)
		return use_files(f, nss_line, fault, e);
	if (r == 0 && text.len && parse_answer(text.data, f->mine) < 0)
		return err_nomem(e);
	if (r != 0)
		grants_report(f->c, GRANT_NSS, "/etc/nsswitch.conf", nss_line,
			"%s ids come from '%s' and not from %s, and %s", f->kind, f->c->source,
			f->path,
			r == -ENOENT ? "getsubids, which queries it, is not installed" :
				       "getsubids got no answer from it");
	else
		check_ranges(f);
	return 0;
}

int grants_check_files(struct grants_check *c, struct err *e)
{
	struct file files[] = {
		{ .c = c,
			.path = SUBUID_FILE,
			.mine = &c->uid,
			.own = c->user.uid,
			.kind = "user" },
		{ .c = c,
			.path = SUBGID_FILE,
			.mine = &c->gid,
			.own = c->user.gid,
			.kind = "group" },
	};
	size_t nss_line = read_source(c->source_name, sizeof(c->source_name));
	int r = 0;

	c->source = c->source_name;
	if (!c->user.name[0])
		grants_report(c, GRANT_USER, NULL, 0,
			"no user has the number %u: newuidmap and newgidmap refuse a caller that "
			"they cannot look up, whatever is granted to the number (getent passwd "
			"shows the users)",
			c->user.uid);
	for (size_t i = 0; i < ARRAY_LEN(files) && r == 0; i++)
		r = strcmp(c->source, "files") ? ask_source(&files[i], nss_line, e) :
						 check_file(&files[i], e);
	return r;
}

/*
 * --- the programs ----------------------------------------------------------------------------
 */

static void check_helper(
	struct grants_check *c, const char *path, const char *cap_name, unsigned cap)
{
	scoped_fd int fd = open(path, O_PATH | O_CLOEXEC);
	struct meta m = { .known = 0 };
	struct statvfs fs;
	bool setuid, capable;

	if (fd < 0 || meta_stat(fd, "", &m) < 0) {
		grants_report(
			c, GRANT_HELPER, path, 0, "cannot be examined: %s", strerrordesc_np(errno));
		return;
	}
	if (meta_list_xattrs(fd, "") & META_HAS_CAP)
		(void)meta_read_xattrs(
			fd, "", META_HAS_CAP, &m); /* unreadable: as if there were none */
	setuid = m.mode & S_ISUID && m.uid == 0;
	capable = m.cap.present && m.cap.effective && m.cap.permitted & UINT64_C(1) << cap;
	if (!setuid && !capable && is_of_outside(m.uid))
		grants_report(c, GRANT_HELPER, path, 0,
			"has no privilege in this user namespace, which has no id for its owner: "
			"run shiftbox shift-check subid outside of the user namespace");
	else if (!setuid && !capable)
		grants_report(c, GRANT_HELPER, path, 0,
			"has neither the set-uid bit of root nor the capability %s: chmod u+s %s, "
			"or setcap %s+ep %s",
			cap_name, path, cap_name, path);
	if (!(m.mode & 0001))
		grants_report(c, GRANT_HELPER, path, 0,
			"is not executable for all users (mode %04o)", m.mode & 07777U);
	if (fstatvfs(fd, &fs) == 0 && fs.f_flag & ST_NOSUID)
		grants_report(c, GRANT_HELPER, path, 0,
			"is on a mount with nosuid, which removes its privilege");
	meta_done(&m);
}

int grants_check_helpers(struct grants_check *c, struct err *e)
{
	static const struct {
		const char *name, *cap_name;
		unsigned cap;
	} helpers[] = {
		{ "newuidmap", "cap_setuid", CAP_SETUID },
		{ "newgidmap", "cap_setgid", CAP_SETGID },
	};

	for (size_t i = 0; i < ARRAY_LEN(helpers); i++) {
		scoped_buf struct buf path = BUF_INIT;
		int r = subprocess_find(helpers[i].name, &path);

		if (r == -ENOMEM)
			return err_nomem(e);
		if (r < 0)
			grants_report(c, GRANT_HELPER, helpers[i].name, 0,
				"is not installed: apt-get install uidmap");
		else
			check_helper(c, buf_get(&path), helpers[i].cap_name, helpers[i].cap);
	}
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		grants_report(c, GRANT_HELPER, NULL, 0,
			"no_new_privs is set for this process: set-uid programs run without "
			"their privilege here");
	return 0;
}
