/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* spec: read mtree(5) through libarchive. */

#include "spec.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/vec.h"

/*
 * libarchive keeps all that it is given in memory, some hundred bytes a line. So it gets one part of the file after
 * the other, each beginning with what holds there: the values of "/set", and, since a name without '/' is one in the
 * directory of the lines before, lines that lead into that directory, whose entries are dropped.
 */
enum { LINE_LIMIT = 1 << 20, PART_SIZE = 128 << 10, DEPTH_LIMIT = 1 << 15 };
#define SIZE_LIMIT ((uint64_t)2 << 30)

/*
 * libarchive does not tell an id of 0 from one that is not given, and so on. "/set" lines of our own
 * give every entry values that no entry can have, first of all and after each "/unset" of the file's.
 * The type's is one that libarchive warns of.
 */
#define NO_ID "4294967295"
#define NO_MODE 04000000
#define NO_SIZE INT64_MAX
#define NO_TYPE "\"unset\""

/* The words that we ask libarchive for (it would warn of others, and of that only once), and the values of ours. */
static const struct { const char *word, *none; } keys[] = {
	{ "type", "unset" }, { "mode", "04000000" }, { "uid", NO_ID }, { "gid", NO_ID }, { "size", "9223372036854775807" },
	{ "time", NULL }, { "link", NULL }, { "device", NULL },
};

enum { KEYS = 8 };
_Static_assert(ARRAY_LEN(keys) == KEYS, "the number of words");

struct reader {
	struct archive *a;
	FILE *f;
	const char *name;
	char *line;
	size_t cap;
	uint64_t size, part;     /* bytes read of the file, and of this part of it */
	bool started;            /* this part has its first line */
	bool continued;          /* the line before ended with a backslash (and is one line with this one to libarchive) */
	enum line { LINE_OTHER, LINE_SET, LINE_NAME } kind; /* ... and was of this kind */
	bool ended;              /* the file has */
	struct strv dirs;        /* the directory that relative names are in, as written */
	char *entry;             /* LINE_NAME: such a name, */
	bool entry_is_dir;       /* which is a directory's */
	size_t drop;             /* how many entries of this part are not the file's */
	struct buf sets[KEYS];   /* what holds: "uid=0", or nothing */
	struct buf plain;        /* the line, rewritten */
	struct buf after;        /* what we have to say before the next line */
	struct buf given;        /* what libarchive holds */
	struct err err;
};

static bool has_word(const char *line, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = line; (p = strstr(p, word)); p += len)
		if ((p[-1] == ' ' || p[-1] == '\t') && strchr(" \t\r\n\\", p[len]))
			return true;
	return false;
}

/* Index of the key that starts the word, or KEYS. */
static size_t find_key(const char *word)
{
	size_t len = strcspn(word, "= \t\r\n\\"), i = 0;

	while (i < KEYS && (len != strlen(keys[i].word) || memcmp(word, keys[i].word, len) != 0))
		i++;
	return i;
}

static void set_none(struct reader *r, size_t i)
{
	buf_reset(&r->sets[i]);
	if (keys[i].none)
		buf_printf(&r->sets[i], "%s=%s", keys[i].word, keys[i].none);
}

static void put_set(struct reader *r, size_t i)
{
	r->after.oom |= r->sets[i].oom;
	if (r->sets[i].len)
		buf_printf(&r->after, "/set %s\n", buf_get(&r->sets[i]));
}

static void note_unset(struct reader *r, const char *line)
{
	for (size_t i = 0; i < KEYS; i++)
		if (has_word(line, "all") || has_word(line, keys[i].word)) {
			set_none(r, i);
			put_set(r, i);
		}
}

/* The words of a "/set" line, of which nothing but ours is left. */
static void note_set(struct reader *r, const char *p)
{
	for (p += strspn(p, " \t\r\n\\"); *p; p += strspn(p, " \t\r\n\\")) {
		size_t len = strcspn(p, " \t\r\n\\"), i = find_key(p);

		if (i < KEYS) {
			buf_reset(&r->sets[i]);
			buf_add(&r->sets[i], p, len);
		}
		p += len;
	}
}

/* Blank the other ones out, all but the line's first, which is a name or a command. */
static void blank_others(char *p, bool has_first)
{
	static const char tar_time[] = "tar_time=";

	if (*p == '#' || !strncmp(p, "/unset", 6))
		return;
	if (has_first)
		p += strcspn(p, " \t\r\n");
	for (p += strspn(p, " \t\r\n"); *p; p += strspn(p, " \t\r\n")) {
		size_t len = strcspn(p, " \t\r\n");

		/* A backslash before the newline stays: the line goes on. */
		len -= len && p[len - 1] == '\\' && p[len] == '\n';
		if (!strncmp(p, tar_time, strlen(tar_time)))
			memset(p, ' ', strlen("tar_")); /* go-mtree's: the same in whole seconds */
		else if (find_key(p) == KEYS)
			memset(p, ' ', len);
		p += len + (p[len] == '\\');
	}
}

/* The byte that vis(3) writes as "M-x", "M^X", "^X" or "#" after a backslash, and how long that is. 0: something else. */
static size_t unvis(const char *p, unsigned char *ret)
{
	size_t n = *p == 'M';
	unsigned char high = n ? 0x80 : 0;

	if (p[n] == '^' && p[n + 1] >= '?' && p[n + 1] <= '_') {
		*ret = high | (unsigned char)(p[n + 1] ^ 0x40);
		return n + 2;
	}
	if (n && p[1] == '-' && p[2] > ' ') {
		*ret = high | (unsigned char)p[2];
		return 3;
	}
	*ret = '#';
	return *p == '#';
}

/* NetBSD's mtree writes bytes in ways that libarchive does not read: give it all of them in octal. */
static bool rewrite(struct reader *r, ssize_t *n)
{
	size_t len = 0;

	buf_reset(&r->plain);
	for (const char *p = r->line; *p; p += len) {
		unsigned char c = 0;

		len = *p == '\\' ? unvis(p + 1, &c) : 0;
		if (len++)
			buf_printf(&r->plain, "\\%03o", c);
		else
			buf_add(&r->plain, p, len = *p == '\\' && p[1] ? 2 : 1);
	}
	if (!buf_get(&r->plain))
		return false;
	if (r->plain.len >= r->cap) {
		char *line = realloc(r->line, r->plain.len + 1);

		if (!line)
			return false;
		r->line = line;
		r->cap = r->plain.len + 1;
	}
	memcpy(r->line, r->plain.data, r->plain.len + 1);
	*n = (ssize_t)r->plain.len;
	return true;
}

/* The type that a line tells of its entry. */
static void note_type(struct reader *r, const char *p)
{
	static const char type[] = "type=", dir[] = "type=dir";

	for (p += strspn(p, " \t\r\n\\"); *p; p += strspn(p, " \t\r\n\\")) {
		size_t len = strcspn(p, " \t\r\n\\");

		if (!strncmp(p, type, strlen(type)))
			r->entry_is_dir = len == strlen(dir) && !memcmp(p, dir, len);
		p += len;
	}
}

/* The last line of an entry was read: what comes next may be in it, or behind it. */
static int end_entry(struct reader *r)
{
	int x = 0;

	if (r->entry && !strcmp(r->entry, "..")) {
		if (r->dirs.len)
			free(r->dirs.items[--r->dirs.len]);
	} else if (r->entry && r->entry_is_dir) {
		if (r->dirs.len >= DEPTH_LIMIT)
			return err_say(&r->err, EFBIG, r->name, "the specification has too many directories in each other");
		x = strv_add(&r->dirs, r->entry) == 0 ? 0 : err_nomem(&r->err);
	}
	free(r->entry);
	r->entry = NULL;
	return x;
}

/* What a line means for those that follow it, whoever reads them. False: no memory. */
static bool note_line(struct reader *r, const char *p)
{
	static const char set[] = "/set", unset[] = "/unset", dir[] = "type=dir";
	size_t len = strcspn(p, " \t\r\n");

	if (!r->continued) {
		r->kind = LINE_OTHER;
		if (len == strlen(set) && !memcmp(p, set, len)) {
			r->kind = LINE_SET;
		} else if (!strncmp(p, unset, strlen(unset))) {
			note_unset(r, p);
		} else if (len && *p != '#' && !memchr(p, '/', len) && !(len == 1 && *p == '.')) {
			r->kind = LINE_NAME;
			r->entry = strndup(p, len);
			r->entry_is_dir = r->sets[0].len && !strcmp(buf_get(&r->sets[0]), dir);
			if (!r->entry)
				return false;
		}
		p += len;
	}
	if (r->kind == LINE_SET)
		note_set(r, p);
	if (r->kind == LINE_NAME)
		note_type(r, p);
	return true;
}

/* The next line of the file: its length, 0 at the end, -errno. */
static ssize_t next_line(struct reader *r)
{
	ssize_t n;
	char *p;
	int x;

	errno = 0;
	n = getline(&r->line, &r->cap, r->f);
	if (n < 0 && ferror(r->f))
		return err_set(&r->err, errno ? errno : EIO, r->name, "cannot read the specification");
	if (n < 0) {
		r->ended = true;
		return errno == ENOMEM ? err_nomem(&r->err) : 0;
	}
	r->size += (uint64_t)n;
	r->part += (uint64_t)n;
	if (n > LINE_LIMIT || r->size > SIZE_LIMIT)
		return err_say(&r->err, EFBIG, r->name, "the specification is too large, or one of its lines is");
	if (memchr(r->line, '\0', (size_t)n))
		return err_say(&r->err, EBADMSG, r->name, "the specification holds a NUL");

	if ((strstr(r->line, "\\M") || strstr(r->line, "\\^") || strstr(r->line, "\\#")) && !rewrite(r, &n))
		return err_nomem(&r->err);
	for (p = r->line; *p == ' ' || *p == '\t'; p++)
		;
	blank_others(p, !r->continued);
	if (!note_line(r, p))
		return err_nomem(&r->err);
	r->continued = n >= 2 && r->line[n - 1] == '\n' && r->line[n - 2] == '\\';
	/* libarchive (3.6) reads a backslash at the end of what it has at once as a word: let it see one long line. */
	if (r->continued)
		r->line[n - 1] = r->line[n - 2] = ' ';
	x = r->continued ? 0 : end_entry(r);
	return x < 0 ? x : n;
}

static la_ssize_t read_block(struct archive *a, void *arg, const void **ret)
{
	struct reader *r = arg;
	ssize_t n;

	if (!r->started) {
		/* The signature comes first: without it nothing is an mtree file to libarchive. */
		r->started = true;
		r->part = 0;
		buf_reset(&r->after);
		for (size_t i = 0; i < r->dirs.len; i++)
			buf_printf(&r->after, "%s type=dir\n", r->dirs.items[i]);
		for (size_t i = 0; i < KEYS; i++)
			put_set(r, i);
		r->drop = r->dirs.len;
		*ret = "#mtree\n";
		return (la_ssize_t)strlen(*ret);
	}
	if (r->after.oom) {
		archive_set_error(a, -err_nomem(&r->err), "out of memory");
		return ARCHIVE_FATAL;
	}
	if (r->after.len && !r->continued) {
		struct buf swap = r->given;

		r->given = r->after;
		r->after = swap;
		buf_reset(&r->after);
		*ret = buf_get(&r->given);
		return (la_ssize_t)r->given.len;
	}
	if (r->part >= PART_SIZE && !r->continued)
		return 0;
	n = next_line(r);
	if (n < 0) {
		archive_set_error(a, r->err.num, "cannot read");
		return ARCHIVE_FATAL;
	}
	*ret = r->line;
	return n;
}

static int broken(struct reader *r, struct err *e)
{
	const char *text = archive_error_string(r->a);

	if (r->err.set) {
		if (e)
			*e = r->err;
		return r->err.num ? -r->err.num : -EBADMSG;
	}
	return err_say(e, EBADMSG, r->name, "cannot read the specification: %s", text ? text : "unknown error");
}

/* "./a/b" and "a/b" are "a/b"; "." is "". NULL for a path that leaves the root. */
static const char *strip(const char *path)
{
	while (*path == '/' || (path[0] == '.' && (path[1] == '/' || !path[1])))
		path++;
	for (const char *p = path; *p; p = strchrnul(p, '/'), p += *p == '/')
		if (p[0] == '.' && p[1] == '.' && (p[2] == '/' || !p[2]))
			return NULL;
	return path;
}

static bool get_id(int64_t id, uint32_t *ret)
{
	if (id < 0 || id > 4294967294)
		return false;
	*ret = (uint32_t)id;
	return true;
}

enum type { TYPE_KNOWN, TYPE_UNSET, TYPE_SOCKET };

static int give(struct reader *r, struct archive_entry *ae, enum type type, int (*fn)(const struct spec_entry *, void *), void *arg,
		struct err *e)
{
	const char *path = archive_entry_pathname(ae);
	unsigned perm = archive_entry_perm(ae);
	struct spec_entry s = {
		.path = path ? strip(path) : NULL, .type = archive_entry_filetype(ae),
		.has_size = S_ISREG(archive_entry_filetype(ae)) && archive_entry_size(ae) != NO_SIZE, .has_time = archive_entry_mtime_is_set(ae),
		.has_mode = !(perm & NO_MODE), .mode = perm & 07777,
		.rdev = makedev(archive_entry_rdevmajor(ae), archive_entry_rdevminor(ae)),
	};

	if (!s.path)
		return err_say(e, EBADMSG, r->name, "the specification names '%s', which is no path below its root",
			       path ? path : "");
	s.has_type = type != TYPE_UNSET;
	if (type != TYPE_KNOWN)
		s.type = type == TYPE_SOCKET ? S_IFSOCK : 0;
	s.has_uid = get_id(archive_entry_uid(ae), &s.uid);
	s.has_gid = get_id(archive_entry_gid(ae), &s.gid);
	s.has_rdev = s.rdev != 0;
	s.size = s.has_size ? (uint64_t)archive_entry_size(ae) : 0;
	s.sec = s.has_time ? archive_entry_mtime(ae) : 0;
	s.nsec = s.has_time ? archive_entry_mtime_nsec(ae) : 0;
	if (s.type == S_IFLNK)
		s.link = archive_entry_symlink(ae);
	return fn(&s, arg);
}

/* What a warning was about; -1 for something that must not be passed over. */
static int warned_of(struct reader *r)
{
	const char *text = archive_error_string(r->a);

	if (!text || !strstr(text, "Unrecognized file type"))
		return -1;
	if (strstr(text, NO_TYPE))
		return TYPE_UNSET;
	return strstr(text, "\"socket\"") ? TYPE_SOCKET : -1;
}

/* What libarchive is given at once. */
static int read_part(struct reader *r, int (*fn)(const struct spec_entry *, void *), void *arg, struct err *e)
{
	struct archive_entry *ae;
	int x, type;

	/* Without "checkfs" libarchive never looks at the files that the specification names. */
	if (archive_read_support_format_mtree(r->a) != ARCHIVE_OK ||
	    archive_read_set_options(r->a, "mtree:!checkfs") != ARCHIVE_OK ||
	    archive_read_open(r->a, r, NULL, read_block, NULL) != ARCHIVE_OK)
		return broken(r, e);
	for (;;) {
		x = archive_read_next_header(r->a, &ae);
		/* libarchive takes a read error for the end. */
		if (x == ARCHIVE_EOF)
			return r->err.set ? broken(r, e) : 0;
		if (r->drop && x == ARCHIVE_OK) {
			r->drop--;
			continue;
		}
		type = x == ARCHIVE_OK ? TYPE_KNOWN : x == ARCHIVE_WARN ? warned_of(r) : -1;
		if (type < 0)
			return broken(r, e);
		x = give(r, ae, (enum type)type, fn, arg, e);
		if (x)
			return x;
	}
}

static int read_all(struct reader *r, int (*fn)(const struct spec_entry *, void *), void *arg, struct err *e)
{
	int x = 0;

	for (size_t i = 0; i < KEYS; i++)
		set_none(r, i);
	while (x == 0 && !r->ended) {
		r->started = false;
		r->a = archive_read_new();
		if (!r->a)
			return err_nomem(e);
		x = read_part(r, fn, arg, e);
		(void)archive_read_free(r->a); /* nothing is left to be lost */
	}
	return x;
}

int spec_read(int fd, const char *name, int (*fn)(const struct spec_entry *, void *), void *arg, struct err *e)
{
	struct reader r = { .name = name };
	scoped_file FILE *f = NULL;
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 0), x;

	if (own >= 0)
		f = fdopen(own, "re");
	if (!f) {
		x = err_set(e, errno, name, "cannot read the specification");
		cleanup_fd(&own);
		return x;
	}
	r.f = f;
	x = read_all(&r, fn, arg, e);
	free(r.line);
	for (size_t i = 0; i < KEYS; i++)
		buf_done(&r.sets[i]);
	strv_done(&r.dirs);
	free(r.entry);
	buf_done(&r.plain);
	buf_done(&r.after);
	buf_done(&r.given);
	return x;
}
