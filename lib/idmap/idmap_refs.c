/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* idmap_refs: parse entries of a map that refer to users, grants, namespaces or files. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/num.h"
#include "../base/path.h"
#include "map_parser.h"
#include "names.h"
#include "subid_index.h"
#include "subid_unused.h"
#include "userns.h"

/*
 * The maximum size of @FILE. The kernel allows 340 extents of a kind, but neighbours are merged,
 * and comments do not count.
 */
enum { MAP_FILE_SIZE_MAX = 1 << 20 };

/* Say which entry refers to what failed. Returns r. */
static int ref_fault(const struct map_parser *p, const struct word *w, int r)
{
	if (w->len < 256)
		err_prefix(p->e, "%.*s (byte %zu of the map)", (int)w->len, w->s, w->at.pos);
	return r;
}

static char *word_dup(const struct word *w)
{
	return memchr(w->s, '\0', w->len) ? NULL : strndup(w->s, w->len);
}

/* name: the empty place after the ':' of the entry w */
static int user_missing(const struct map_parser *p, const struct word *w, const struct word *name)
{
	(void)word_fault(p->e, EINVAL, name, "USER is missing");
	err_try(p->e, "write a name or a number after ':', as in %.*s1000", (int)w->len, w->s);
	return -EINVAL;
}

static bool is_known(const struct idmap_known *known, const char *word)
{
	uint32_t uid;

	return known &&
		(!strcmp(word, known->word) ||
			(num_u32(word, &uid) == 0 && uid == known->user->uid));
}

static int no_user(const struct map_parser *p, const struct word *name, const char *s)
{
	const char *file = p->ctx->subuid ? p->ctx->subuid : SUBUID_FILE;
	struct user user = { .uid = SUBID_NO_ACCOUNT };

	(void)word_fault(p->e, ENOENT, name, "there is no user of this name");
	if (strlen(s) < sizeof(user.name))
		memcpy(user.name, s, strlen(s) + 1);
	if (!*user.name || !subid_has(file, &user)) {
		names_say_try(p->e);
		return -ENOENT;
	}
	err_why(p->e, "%s names %s, and no account has that name", file, s);
	err_try(p->e, "create the account, or, for the granted ids alone: subid:%s", s);
	return -ENOENT;
}

static int no_group(const struct map_parser *p, const struct word *w, const struct user *user)
{
	(void)word_fault(
		p->e, ENOENT, w, "the user has no passwd entry, which would give the group");
	err_try(p->e, "write both ids, with DISK for those on disk: u:DISK:%u:1;g:DISK:GID:1",
		user->uid);
	return -ENOENT;
}

/* Look up the user that follows the first ':' of the entry. */
static int entry_user(const struct map_parser *p, struct word w,
	int (*look_up)(const char *name, struct user *ret, struct err *e), struct user *ret)
{
	const char *colon = memchr(w.s, ':', w.len);
	struct word name = word_from(w, (size_t)(colon - w.s) + 1);
	scoped_free char *s = NULL;
	int r;

	if (!name.len)
		return user_missing(p, &w, &name);
	if (memchr(name.s, ':', name.len)) {
		r = word_fault(p->e, EINVAL, &name, "a user name cannot have a ':' in it");
		err_try(p->e, "write %.*s alone; numbers of ids are written DISK:SEEN:COUNT",
			(int)((const char *)memchr(name.s, ':', name.len) - w.s), w.s);
		return r;
	}
	s = word_dup(&name);
	if (!s)
		return err_nomem(p->e);
	if (is_known(p->ctx->known, s)) {
		*ret = *p->ctx->known->user;
		return 0;
	}
	r = look_up(s, ret, p->e);
	return r == -ENOENT ? no_user(p, &name, s) : r;
}

static int read_grants(const struct map_parser *p, const char *file, const struct user *user,
	unsigned kind, struct grants *ret)
{
	const struct subid_files *files = p->ctx->known ? p->ctx->known->grants : NULL;
	const struct subid_index *x = !files ? NULL : kind == KIND_UID ? files->uid : files->gid;

	return x ? subid_index_get(x, user, ret, p->e) : subid_read(file, user, ret, p->e);
}

bool map_is_grant(const struct map_parser *p, const struct word f[static 3])
{
	scoped_free char *name = word_dup(&f[0]);
	struct grants grants = { 0 };
	struct user user;
	uint64_t start, count;
	bool is = false;

	if (!name || num_u64_n(f[0].s, f[0].len, &start) == 0 ||
		num_u64_n(f[1].s, f[1].len, &start) < 0 ||
		num_u64_n(f[2].s, f[2].len, &count) < 0 || subid_user(name, &user, NULL) < 0)
		return false;
	/* A file that cannot be read has no such line. */
	if (subid_read(p->ctx->subuid ? p->ctx->subuid : SUBUID_FILE, &user, &grants, NULL) == 0)
		for (size_t i = 0; i < grants.len; i++)
			is |= grants.items[i].start == start && grants.items[i].count == count;
	VEC_DONE(&grants);
	return is;
}

/* Where the granted ids go: from a disk id on, one after the other. No id goes to hole. */
struct grant_place {
	uint64_t disk, hole;
};

#define NO_HOLE UINT64_MAX

/* Add one grant, in two parts if the hole is inside. */
static int add_grant(struct map_parser *p, const struct grant *g, const char *file, unsigned kind,
	struct grant_place *at)
{
	const struct word_place place = { .file = file, .pos = g->line };
	uint64_t done = 0;

	while (done < g->count) {
		uint64_t n = g->count - done;
		int r;

		if (at->disk == at->hole)
			at->disk++;
		if (at->disk < at->hole && n > at->hole - at->disk)
			n = at->hole - at->disk;
		r = draft_add(&p->draft, kind,
			&(struct draft_entry){ at->disk, g->start + done, n, kind, place }, p->e);
		if (r < 0)
			return r;
		done += n;
		at->disk += n;
	}
	return 0;
}

static int add_grants(struct map_parser *p, struct word w, const struct user *user, unsigned kind,
	struct grant_place at)
{
	const char *uids = p->ctx->subuid ? p->ctx->subuid : SUBUID_FILE;
	const char *gids = p->ctx->subgid ? p->ctx->subgid : SUBGID_FILE;
	const char *file = kind == KIND_UID ? uids : gids;
	struct grants grants = { 0 };
	int r;

	r = read_grants(p, file, user, kind, &grants);
	if (r == -ENOENT && user->uid != SUBID_NO_ACCOUNT)
		subid_try_grant(user->name[0] ? user->name : "USER", p->e);
	if (r < 0)
		r = ref_fault(p, &w, r);
	for (size_t i = 0; i < grants.len && r == 0; i++)
		r = add_grant(p, &grants.items[i], file, kind, &at);
	VEC_DONE(&grants);
	return r;
}

static int add_both_grants(struct map_parser *p, struct word w, const struct user *user)
{
	const struct grant_place at = { 0, NO_HOLE };
	int r = add_grants(p, w, user, KIND_UID, at);

	return r == 0 ? add_grants(p, w, user, KIND_GID, at) : r;
}

/* Map the owner uid and gid on disk to the user and the user's group. */
static int add_owner(
	struct map_parser *p, struct word w, uint32_t uid, uint32_t gid, const struct user *user)
{
	int r;

	r = draft_add_ranges(
		&p->draft, KIND_UID, &(struct idrange){ uid, user->uid, 1 }, 1, w.at, p->e);
	if (r == 0)
		r = draft_add_ranges(
			&p->draft, KIND_GID, &(struct idrange){ gid, user->gid, 1 }, 1, w.at, p->e);
	return r;
}

/* The caller is the real user id, as for newuidmap(1). */
int map_parse_auto(struct map_parser *p, struct word w)
{
	struct user user;
	int r;

	r = names_user_of(getuid(), &user, p->e);
	if (r < 0)
		return ref_fault(p, &w, r);
	r = add_both_grants(p, w, &user);
	if (r == -ENOENT && user.uid == 0)
		subid_try_range(p->e);
	return r;
}

int map_parse_subid(struct map_parser *p, struct word w)
{
	struct user user;
	int r;

	r = entry_user(p, w, subid_user, &user);
	if (r < 0)
		return r;
	return add_both_grants(p, w, &user);
}

/* A user with an account, which gives the group. */
static int entry_account(
	const struct map_parser *p, struct word w, struct word of_user, struct user *ret)
{
	int r = entry_user(p, of_user, names_user, ret);

	if (r == 0 && !ret->has_gid)
		r = word_fault(p->e, ENOENT, &w,
			"the user has no passwd entry, which would give the group");
	return r;
}

/* The user is uid and gid on disk, and the granted ids fill up the others from 0 on. */
static int add_account(
	struct map_parser *p, struct word w, const struct user *user, uint32_t uid, uint32_t gid)
{
	int r = add_owner(p, w, uid, gid, user);

	if (r == 0)
		r = add_grants(p, w, user, KIND_UID, (struct grant_place){ 0, uid });
	return r == 0 ? add_grants(p, w, user, KIND_GID, (struct grant_place){ 0, gid }) : r;
}

/* The map of a rootless container: root is the user, and all other ids are granted ones. */
int map_parse_user(struct map_parser *p, struct word w)
{
	struct user user;
	int r = entry_account(p, w, w, &user);

	return r == 0 ? add_account(p, w, &user, 0, 0) : r;
}

/*
 * keep-id:USER[:UID[:GID]], the map of podman's --userns=keep-id: as user:USER, but USER is UID
 * (GID) in the container, by default the same number, and the granted ids fill up the others from 0
 * on.
 */
int map_parse_keep_id(struct map_parser *p, struct word w)
{
	struct word f[5], of_user = w;
	size_t n = word_split(w, ':', f, ARRAY_LEN(f));
	uint64_t uid, gid;
	struct user user;
	int r;

	if (n > 4)
		return word_fault(p->e, EINVAL, &w,
			"is not a valid map: keep-id:USER[:UID[:GID]] has no more fields");
	of_user.len = (size_t)(f[1].s - w.s) + f[1].len;
	r = entry_account(p, w, of_user, &user);
	if (r < 0)
		return r;
	uid = user.uid;
	gid = user.gid;
	if (n > 2)
		r = map_parse_id(&f[2], "UID", KIND_UID, &uid, p->e);
	if (r == 0 && n > 3)
		r = map_parse_id(&f[3], "GID", KIND_GID, &gid, p->e);
	if (r == 0 && (uid >= UINT32_MAX || gid >= UINT32_MAX))
		r = word_fault(p->e, ERANGE, &w, "an id is beyond the last one, 4294967294");
	return r == 0 ? add_account(p, w, &user, (uint32_t)uid, (uint32_t)gid) : r;
}

/* Map the uid and the gid of the source separately: they may be different numbers. */
int map_parse_owner(struct map_parser *p, struct word w)
{
	scoped_fd int fd = -1;
	struct user user;
	struct stat st;
	int r;

	if (!p->ctx->source)
		return word_fault(
			p->e, EINVAL, &w, "there is no source here whose owner could be used");
	r = entry_user(p, w, names_user, &user);
	if (r < 0)
		return r;
	if (!user.has_gid)
		return no_group(p, &w, &user);
	r = path_open(
		p->ctx->source, O_PATH, "cannot open the source to see its owner", NULL, &fd, p->e);
	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0)
		return err_set(p->e, errno, p->ctx->source, "cannot see the owner of the source");
	return add_owner(p, w, st.st_uid, st.st_gid, &user);
}

static int add_map(struct map_parser *p, struct word w, const struct idmap *m)
{
	int r;

	r = draft_add_ranges(&p->draft, KIND_UID, m->uid.items, m->uid.len, w.at, p->e);
	if (r == 0)
		r = draft_add_ranges(&p->draft, KIND_GID, m->gid.items, m->gid.len, w.at, p->e);
	return r;
}

static int not_pid(struct map_parser *p, const struct word *number)
{
	(void)word_fault(p->e, EINVAL, number, "is not a process id");
	err_try(p->e, "write the number of a process, as pid:4020 (pgrep finds it)%s",
		word_is(number, "self") ? "; the map of your own namespace would change nothing" :
					  "");
	return -EINVAL;
}

static int add_pid(struct map_parser *p, struct word w, struct word number)
{
	scoped_idmap struct idmap m = { 0 };
	uint64_t pid;
	int r;

	if (num_u64_n(number.s, number.len, &pid) < 0 || pid == 0 || pid > INT_MAX)
		return not_pid(p, &number);
	r = userns_map_of_pid((pid_t)pid, &m, p->e);
	if (r < 0)
		return ref_fault(p, &w, r);
	return add_map(p, w, &m);
}

int map_parse_pid(struct map_parser *p, struct word w)
{
	return add_pid(p, w, word_from(w, strlen("pid:")));
}

/*
 * A path to a user namespace. /proc/N/ns/user is read from the files of the process, which requires
 * no capability.
 */
int map_parse_path(struct map_parser *p, struct word w)
{
	scoped_idmap struct idmap m = { 0 };
	scoped_free char *path = NULL;
	struct word rest = w;
	int r;

	if (word_starts(&w, "/proc/")) {
		bool more;
		struct word number;
		uint64_t pid;

		rest = word_from(w, strlen("/proc/"));
		number = word_until(&rest, '/', &more);
		if (word_is(&rest, "ns/user") && num_u64_n(number.s, number.len, &pid) == 0)
			return add_pid(p, w, number);
	}
	path = word_dup(&w);
	if (!path)
		return err_nomem(p->e);
	r = userns_map_of_path(path, &m, p->e);
	if (!strcmp(path, SUBUID_FILE) || !strcmp(path, SUBGID_FILE))
		err_try(p->e, "write subid:NAME or user:NAME for the ids that %s grants", path);
	else if (r == -ENOENT || r == -ENOTDIR)
		err_try(p->e,
			"a map is DISK:SEEN:COUNT, +BASE, user:NAME, or the path of a user "
			"namespace such as /proc/N/ns/user");
	if (r < 0)
		return ref_fault(p, &w, r);
	return add_map(p, w, &m);
}

int map_parse_fd(struct map_parser *p, struct word w)
{
	struct word number = word_from(w, strlen("fd:"));
	scoped_idmap struct idmap m = { 0 };
	uint64_t fd;
	int r;

	if (num_u64_n(number.s, number.len, &fd) < 0 || fd > INT_MAX)
		return word_fault(p->e, EINVAL, &number, "is not a file descriptor");
	r = userns_map_of_fd((int)fd, &m, p->e);
	if (r < 0)
		return ref_fault(p, &w, r);
	return add_map(p, w, &m);
}

/* Is it a line of subuid(5): USER:START:COUNT? Sets ret_user to USER. */
static bool is_grant_line(struct word line, struct word *ret_user)
{
	bool more = false;
	uint64_t ignored;
	struct word start, count;

	*ret_user = word_until(&line, ':', &more);
	start = word_until(&line, ':', &more);
	count = line;
	return more && ret_user->len && num_u64_n(start.s, start.len, &ignored) == 0 &&
		num_u64_n(count.s, count.len, &ignored) == 0;
}

/* Parse a line of @FILE: the columns of uid_map, after an optional kind. */
static int parse_line(struct map_parser *p, struct word line)
{
	struct word whole = line, f[5], user;
	unsigned kinds = KIND_BOTH;
	size_t n = 0, skip = 0;

	while (n < ARRAY_LEN(f)) {
		f[n] = word_column(&line);
		if (!f[n].len)
			break;
		n++;
	}
	if (n == 0)
		return 0;
	if (n == 4) {
		kinds = map_kind(&f[0]);
		skip = 1;
	}
	if (n != skip + 3) {
		(void)word_fault(
			p->e, EINVAL, &whole, "is not a line of a map: [u|g|b] DISK SEEN COUNT");
		if (n == 1 && is_grant_line(f[0], &user))
			err_try(p->e,
				"for the ids that such a file grants: user:%.*s or subid:%.*s",
				(int)user.len, user.s, (int)user.len, user.s);
		else
			err_try(p->e,
				"write three numbers in a line, separated by blanks: 0 100000 "
				"65536");
		return -EINVAL;
	}
	if (!kinds)
		return word_fault(
			p->e, EINVAL, &f[0], "is not a kind of id: b, u or g (or both, uid, gid)");
	return map_add_fields(p, kinds, whole, f + skip);
}

int map_parse_file(struct map_parser *p, struct word w)
{
	struct word name = word_from(w, 1), rest;
	scoped_buf struct buf text = BUF_INIT;
	scoped_free char *path = NULL;
	scoped_fd int fd = -1;
	size_t before = p->draft.uid.len + p->draft.gid.len, line_no = 0;
	uint64_t number;
	int r;

	if (!name.len) {
		(void)word_fault(p->e, EINVAL, &name, "FILE is missing after '@'");
		err_try(p->e, "name a file with three columns, as in @/etc/my-map");
		return -EINVAL;
	}
	path = word_dup(&name);
	if (!path || strv_add(&p->files, path) < 0)
		return err_nomem(p->e);
	r = path_open_regular(path, &fd, p->e);
	if (r == -ENOENT && num_u64_n(name.s, name.len, &number) == 0)
		err_try(p->e, "@FILE reads a map from a file; for one id, write %s:SEEN:1", path);
	if (r == 0)
		r = fd_read_all(fd, path, MAP_FILE_SIZE_MAX, &text, p->e);
	if (r < 0)
		return ref_fault(p, &w, r);

	rest = (struct word){
		.s = buf_get(&text), .len = text.len, .at.file = p->files.items[p->files.len - 1]
	};
	for (bool more = true; more;) {
		struct word line = word_until(&rest, '\n', &more);
		const char *comment = memchr(line.s, '#', line.len);

		line.at.pos = ++line_no;
		if (comment)
			line.len = (size_t)(comment - line.s);
		r = parse_line(p, line);
		if (r < 0)
			return r;
	}
	if (p->draft.uid.len + p->draft.gid.len == before)
		return word_fault(p->e, EINVAL, &w, "the file has no line of a map");
	return 0;
}
