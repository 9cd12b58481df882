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

/* libarchive keeps the whole specification in memory: some hundred bytes a line. */
enum { LINE_LIMIT = 1 << 20 };
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

static const struct { const char *word, *line; } unsets[] = {
	{ "uid", "/set uid=" NO_ID "\n" }, { "gid", "/set gid=" NO_ID "\n" }, { "mode", "/set mode=04000000\n" },
	{ "size", "/set size=9223372036854775807\n" }, { "type", "/set type=unset\n" },
};

struct reader {
	struct archive *a;
	FILE *f;
	const char *name;
	char *line;
	size_t cap;
	uint64_t size;
	bool started, continued; /* the line before ended with a backslash */
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

static void note_unset(struct reader *r, const char *line)
{
	if (strncmp(line, "/unset", 6) != 0 || r->continued)
		return;
	for (size_t i = 0; i < ARRAY_LEN(unsets); i++)
		if (has_word(line, "all") || has_word(line, unsets[i].word))
			buf_str(&r->after, unsets[i].line);
}

/* The words that we ask libarchive for; it would warn of others, and of that only once. */
static bool is_wanted(const char *word, size_t len)
{
	static const char *const keys[] = { "type", "mode", "uid", "gid", "size", "time", "link", "device" };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (len == strlen(keys[i]) && !memcmp(word, keys[i], len))
			return true;
	return false;
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
		else if (!is_wanted(p, strcspn(p, "= \t\r\n\\")))
			memset(p, ' ', len);
		p += len + (p[len] == '\\');
	}
}

/* The next line of the file: its length, 0 at the end, -errno. */
static ssize_t next_line(struct reader *r)
{
	ssize_t n;
	char *p;

	errno = 0;
	n = getline(&r->line, &r->cap, r->f);
	if (n < 0 && ferror(r->f))
		return err_set(&r->err, errno ? errno : EIO, r->name, "cannot read the specification");
	if (n < 0)
		return errno == ENOMEM ? err_nomem(&r->err) : 0;
	r->size += (uint64_t)n;
	if (n > LINE_LIMIT || r->size > SIZE_LIMIT)
		return err_say(&r->err, EFBIG, r->name, "the specification is too large, or one of its lines is");
	if (memchr(r->line, '\0', (size_t)n))
		return err_say(&r->err, EBADMSG, r->name, "the specification holds a NUL");

	for (p = r->line; *p == ' ' || *p == '\t'; p++)
		;
	note_unset(r, p);
	blank_others(p, !r->continued);
	r->continued = n >= 2 && r->line[n - 1] == '\n' && r->line[n - 2] == '\\';
	return n;
}

static la_ssize_t read_block(struct archive *a, void *arg, const void **ret)
{
	struct reader *r = arg;
	ssize_t n;

	if (!r->started) {
		/* The signature comes first: without it nothing is an mtree file to libarchive. */
		r->started = true;
		for (size_t i = 0; i < ARRAY_LEN(unsets); i++)
			buf_str(&r->after, unsets[i].line);
		*ret = "#mtree\n";
		return (la_ssize_t)strlen(*ret);
	}
	if (r->after.len && !r->continued) {
		struct buf swap = r->given;

		r->given = r->after;
		r->after = swap;
		buf_reset(&r->after);
		*ret = buf_get(&r->given);
		return (la_ssize_t)r->given.len;
	}
	n = next_line(r);
	if (n < 0 || r->after.oom) {
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

static int read_all(struct reader *r, int (*fn)(const struct spec_entry *, void *), void *arg, struct err *e)
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
		type = x == ARCHIVE_OK ? TYPE_KNOWN : x == ARCHIVE_WARN ? warned_of(r) : -1;
		if (type < 0)
			return broken(r, e);
		x = give(r, ae, (enum type)type, fn, arg, e);
		if (x)
			return x;
	}
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
	r.a = archive_read_new();
	x = r.a ? read_all(&r, fn, arg, e) : err_nomem(e);
	if (r.a)
		(void)archive_read_free(r.a); /* nothing is left to be lost */
	free(r.line);
	buf_done(&r.after);
	buf_done(&r.given);
	return x;
}
