/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mtree: read mtree(5) specifications through libarchive, in several threads. */

#include "mtree.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "mtree_text.h"

enum { STACK_SIZE = 256 << 10, FILE_BUFFER = 64 << 10, PARTS_PER_THREAD = 4 };

/* An entry that waits for delivery. */
struct mtree_held {
	struct mtree_entry s; /* its strings are not set */
	size_t path, link;    /* offsets of the strings in mtree_part.strings */
	bool has_link;
};

/* A part of the text and the entries read from it. */
struct mtree_part {
	struct mtree_part *next;
	uint64_t number;
	struct buf text;
	size_t drop; /* so many entries at the beginning are not in the file */
	VEC(struct mtree_held) entries;
	struct buf strings;
	int r;
	struct err err;
};

/*
 * Each thread takes the next part of the text and reads it independently. The thread that has read
 * the part whose turn it is delivers its entries, and those of the following parts that other
 * threads have read meanwhile, so that the entries arrive in the order of the file.
 */
struct mtree_run {
	mtree_receive *fn;
	void *arg;
	pthread_mutex_t text_lock; /* protects the next three members, but not text.name,
	                              text.want and text.comment_first, which are constant
	                              once a part was taken */
	struct mtree_text text;
	uint64_t parts;       /* number of parts taken */
	bool ended;           /* no parts are left */
	pthread_mutex_t lock; /* protects the members below */
	pthread_cond_t freed;
	struct mtree_part *free;
	struct mtree_part *read; /* parts that wait for delivery, in order */
	uint64_t turn;           /* number of the part to deliver next */
	bool delivering;         /* a thread is delivering entries */
	bool stop;
	int r;
	struct err err;
};

/*
 * --- entries -------------------------------------------------------------------------------------
 */

static int broken(struct archive *a, const char *name, struct err *e)
{
	const char *text = archive_error_string(a);

	return err_say(e, EBADMSG, name, "cannot read the specification: %s",
		text ? text : "unknown error");
}

/* Remove a leading "./" or "/"; "." becomes "". Returns NULL for a path that leaves the root. */
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

static void convert(
	struct archive_entry *ae, enum type type, enum mtree_want want, struct mtree_entry *s)
{
	unsigned perm = archive_entry_perm(ae);

	*s = (struct mtree_entry){
		.type = archive_entry_filetype(ae),
		.has_type = type != TYPE_UNSET,
		.has_size = want == MTREE_ALL && S_ISREG(archive_entry_filetype(ae)) &&
			archive_entry_size(ae) != MTREE_NO_SIZE,
		.has_time = archive_entry_mtime_is_set(ae),
		.has_mode = !(perm & MTREE_NO_MODE),
		.mode = perm & 07777,
		.rdev = makedev(archive_entry_rdevmajor(ae), archive_entry_rdevminor(ae)),
	};
	if (type != TYPE_KNOWN)
		s->type = type == TYPE_SOCKET ? S_IFSOCK : 0;
	s->has_uid = get_id(archive_entry_uid(ae), &s->uid);
	s->has_gid = get_id(archive_entry_gid(ae), &s->gid);
	s->has_rdev = s->rdev != 0;
	s->size = s->has_size ? (uint64_t)archive_entry_size(ae) : 0;
	s->sec = s->has_time ? archive_entry_mtime(ae) : 0;
	s->nsec = s->has_time ? archive_entry_mtime_nsec(ae) : 0;
}

/* Keep the entry until its part is delivered. */
static int keep_entry(
	struct mtree_part *p, struct archive_entry *ae, enum type type, const struct mtree_text *t)
{
	const char *whole = archive_entry_pathname(ae), *path = whole ? strip(whole) : NULL, *link;
	struct mtree_held h = { .path = p->strings.len };

	if (!path)
		return err_say(&p->err, EBADMSG, t->name,
			"the specification names '%s', which is not a path below its root",
			whole ? whole : "");
	convert(ae, type, t->want, &h.s);
	/* A line of any text is the name of an entry about which the specification says nothing. */
	if (*path && !t->comment_first && !h.s.has_type && !h.s.has_uid && !h.s.has_gid &&
		!h.s.has_mode && !h.s.has_size && !h.s.has_time) {
		(void)err_say(&p->err, EBADMSG, t->name,
			"is not an mtree(5) specification: it does not begin with #mtree, and "
			"'%.200s' has no keywords",
			path);
		err_try(&p->err, "make one with: bsdtar -cf FILE --format=mtree -C DIR .");
		return -EBADMSG;
	}
	link = h.s.type == S_IFLNK ? archive_entry_symlink(ae) : NULL;
	buf_add(&p->strings, path, strlen(path) + 1);
	h.has_link = link;
	h.link = p->strings.len;
	if (link)
		buf_add(&p->strings, link, strlen(link) + 1);
	return p->strings.oom || VEC_ADD(&p->entries, h) < 0 ? err_nomem(&p->err) : 0;
}

/* Which unknown type a warning is about; -1: the warning must not be ignored. */
static int warned_of(struct archive *a)
{
	const char *text = archive_error_string(a);

	if (!text || !strstr(text, "Unrecognized file type"))
		return -1;
	if (strstr(text, MTREE_NO_TYPE))
		return TYPE_UNSET;
	return strstr(text, "\"socket\"") ? TYPE_SOCKET : -1;
}

static int read_entries(struct mtree_part *p, struct archive *a, const struct mtree_text *t)
{
	struct archive_entry *ae;
	int r = 0;

	/* With "checkfs", libarchive would stat the files that the specification names. */
	if (archive_read_support_format_mtree(a) != ARCHIVE_OK ||
		archive_read_set_options(a, "mtree:!checkfs") != ARCHIVE_OK ||
		archive_read_open_memory(a, p->text.data, p->text.len) != ARCHIVE_OK)
		return broken(a, t->name, &p->err);
	for (size_t drop = p->drop; r == 0;) {
		int x = archive_read_next_header(a, &ae), type;

		if (x == ARCHIVE_EOF)
			return 0;
		if (drop && x == ARCHIVE_OK) {
			drop--;
			continue;
		}
		type = x == ARCHIVE_OK ? TYPE_KNOWN : x == ARCHIVE_WARN ? warned_of(a) : -1;
		r = type < 0 ? broken(a, t->name, &p->err) : keep_entry(p, ae, (enum type)type, t);
	}
	return r;
}

/*
 * --- threads -------------------------------------------------------------------------------------
 */

/* Take the next part of the text. Returns 1, 0 if there is none, or -errno. */
static int take(struct mtree_run *u, struct mtree_part *p)
{
	int r = 0;

	p->entries.len = 0;
	buf_reset(&p->strings);
	pthread_mutex_lock(&u->text_lock);
	if (!u->ended) {
		p->number = u->parts++;
		p->r = r = mtree_text_part(&u->text, &p->text, &p->drop);
		u->ended = r <= 0;
		if (r < 0)
			p->err = u->text.err;
	}
	pthread_mutex_unlock(&u->text_lock);
	return r;
}

static void read_part(const struct mtree_run *u, struct mtree_part *p)
{
	struct archive *a = archive_read_new();

	p->r = a ? read_entries(p, a, &u->text) : err_nomem(&p->err);
	if (a)
		(void)archive_read_free(a); /* opened for reading: no error matters now */
}

/* Deliver the entries of a part. */
static int deliver(const struct mtree_run *u, struct mtree_part *p)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < p->entries.len; i++) {
		struct mtree_held *h = &p->entries.items[i];

		h->s.path = p->strings.data + h->path;
		h->s.link = h->has_link ? p->strings.data + h->link : NULL;
		r = u->fn(&h->s, u->arg);
	}
	return r;
}

/* Deliver all parts whose turn has come. The lock is held. */
static void deliver_ready(struct mtree_run *u)
{
	while (!u->delivering && !u->stop && u->read && u->read->number == u->turn) {
		struct mtree_part *p = u->read;
		int r;

		u->read = p->next;
		u->delivering = true;
		pthread_mutex_unlock(&u->lock);
		r = deliver(u, p);
		pthread_mutex_lock(&u->lock);
		u->delivering = false;
		u->turn++;
		u->r = r ? r : p->r;
		u->stop = u->r;
		if (!r && p->r)
			u->err = p->err;
		p->next = u->free;
		u->free = p;
		pthread_cond_broadcast(&u->freed);
	}
}

/* Wait for an unused part; NULL: reading has stopped. The lock is held. */
static struct mtree_part *get_free(struct mtree_run *u)
{
	struct mtree_part *p;

	while (!u->free && !u->stop)
		pthread_cond_wait(&u->freed, &u->lock);
	if (u->stop)
		return NULL;
	p = u->free;
	u->free = p->next;
	return p;
}

static void *work(void *arg)
{
	struct mtree_run *u = arg;
	struct mtree_part *p, **at;

	pthread_mutex_lock(&u->lock);
	while ((p = get_free(u))) {
		int r;

		pthread_mutex_unlock(&u->lock);
		r = take(u, p);
		if (r > 0)
			read_part(u, p);
		pthread_mutex_lock(&u->lock);
		if (!r)
			break;
		for (at = &u->read; *at && (*at)->number < p->number; at = &(*at)->next)
			;
		p->next = *at;
		*at = p;
		deliver_ready(u);
	}
	pthread_mutex_unlock(&u->lock);
	return NULL;
}

/* Start the other threads and join in. Threads that cannot be started are not needed. */
static void start_all(struct mtree_run *u, unsigned threads)
{
	scoped_free pthread_t *others = calloc(threads, sizeof(*others));
	pthread_attr_t attr;
	unsigned n = 0;

	if (others && threads > 1 && pthread_attr_init(&attr) == 0) {
		(void)pthread_attr_setstacksize(&attr, STACK_SIZE); /* the default would do */
		while (n < threads - 1 && pthread_create(&others[n], &attr, work, u) == 0)
			n++;
		(void)pthread_attr_destroy(&attr);
	}
	(void)work(u);
	while (n)
		(void)pthread_join(others[--n], NULL); /* cannot fail: ours, joined once */
}

/* A short file is not worth a thread. */
static unsigned threads_for(const struct stat *st, unsigned max)
{
	const uint64_t parts = (uint64_t)st->st_size / MTREE_PART_SIZE;

	return parts < max ? (unsigned)parts + 1 : max;
}

static int run(struct mtree_run *u, unsigned threads, struct err *e)
{
	/* With so many parts, no thread waits while another one delivers entries. */
	const size_t n = threads > 1 ? threads * PARTS_PER_THREAD : 1;
	scoped_free struct mtree_part *parts = calloc(n, sizeof(*parts));

	if (!parts)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++) {
		parts[i].next = u->free;
		u->free = &parts[i];
	}
	(void)pthread_mutex_init(&u->text_lock, NULL); /* these cannot fail on Linux */
	(void)pthread_mutex_init(&u->lock, NULL);
	(void)pthread_cond_init(&u->freed, NULL);
	start_all(u, threads);
	(void)pthread_cond_destroy(&u->freed);
	(void)pthread_mutex_destroy(&u->lock);
	(void)pthread_mutex_destroy(&u->text_lock);
	for (size_t i = 0; i < n; i++) {
		buf_done(&parts[i].text);
		buf_done(&parts[i].strings);
		VEC_DONE(&parts[i].entries);
	}
	if (u->err.set && e)
		*e = u->err;
	return u->r;
}

int mtree_read(const struct mtree_input *input, mtree_receive *fn, void *arg, struct err *e)
{
	struct mtree_run u = {
		.fn = fn, .arg = arg, .text = { .name = input->name, .want = input->want }
	};
	scoped_file FILE *f = NULL;
	int own = fcntl(input->fd, F_DUPFD_CLOEXEC, 0), r;
	struct stat st;

	if (own >= 0)
		f = fdopen(own, "re");
	if (!f || fstat(own, &st) < 0) {
		r = err_set(e, errno, input->name, "cannot read the specification");
		if (!f)
			cleanup_fd(&own);
		return r;
	}
	(void)setvbuf(f, NULL, _IOFBF, FILE_BUFFER); /* on failure the default buffer is used */
	u.text.f = f;
	r = run(&u, threads_for(&st, input->threads), e);
	mtree_text_done(&u.text);
	return r;
}
