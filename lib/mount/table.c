/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* table: read the lines of an fstab, and sort them for mounting. */

#include "table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/log.h"
#include "../base/path.h"
#include "table_bad.h"
#include "table_device.h"
#include "table_swallowed.h"
#include "table_type.h"
#include "via_libmount.h"

/* ".." is kept: where it leads depends on symbolic links. */
char *table_path(const char *path)
{
	scoped_buf struct buf b = BUF_INIT;

	if (*path != '/')
		return strdup(path);
	for (const char *p = path; *p;) {
		size_t n = strcspn(p, "/");

		if (n && !(n == 1 && *p == '.')) {
			buf_char(&b, '/');
			buf_add(&b, p, n);
		}
		p += n;
		p += strspn(p, "/");
	}
	if (!b.len)
		buf_char(&b, '/');
	return buf_take(&b);
}

/*
 * --- an index of targets: open addressing, at most half full ------------------------------------
 */

struct index {
	const struct table_need *needs;
	size_t *slots; /* 1 + the number of a line; 0: free */
	size_t size;
};

static void index_done(struct index *x)
{
	free(x->slots);
}

static size_t *slot_of(const struct index *x, const char *path, size_t n)
{
	uint64_t h =
		0xcbf29ce484222325u; /* FNV-1a: the author of an fstab does not attack its reader */
	size_t i;

	for (size_t k = 0; k < n; k++)
		h = (h ^ (unsigned char)path[k]) * 0x100000001b3u;
	for (i = (h ^ h >> 32) & (x->size - 1); x->slots[i]; i = (i + 1) & (x->size - 1)) {
		const char *other = x->needs[x->slots[i] - 1].target;

		if (!strncmp(other, path, n) && !other[n])
			break;
	}
	return &x->slots[i];
}

static int index_fill(struct index *x, const struct table_need *needs, size_t n, struct err *e)
{
	x->needs = needs;
	for (x->size = 16; x->size < n * 2; x->size *= 2)
		;
	x->slots = calloc(x->size, sizeof(*x->slots));
	if (!x->slots)
		return err_nomem(e);

	for (size_t i = 0; i < n; i++) {
		size_t *slot = slot_of(x, needs[i].target, strlen(needs[i].target));

		if (*slot) {
			const unsigned first = needs[*slot - 1].line, second = needs[i].line;

			if (first && second)
				(void)err_say(e, EEXIST, needs[i].target,
					"lines %u and %u have this target", first, second);
			else
				(void)err_say(
					e, EEXIST, needs[i].target, "two lines have this target");
			err_try(e, "remove one of the lines, or give it another target");
			return -EEXIST;
		}
		*slot = i + 1;
	}
	return 0;
}

/*
 * --- reading -----------------------------------------------------------------------------------
 */

static void line_done(struct table_line *l)
{
	free(l->source);
	free(l->target);
	free(l->type);
	free(l->options);
}

void table_place(const char *path, unsigned number, const char *target, struct err *e)
{
	const bool named = e && !strcmp(e->on, target);

	if (number)
		err_place(e, "%s, line %u%s%s%s", path, number, named ? "" : ", '",
			named ? "" : target, named ? "" : "'");
	else
		err_place(e, "%s, the line of '%s'", path, target);
	if (e)
		e->usage = false;
}

struct fstab_reading {
	const char *path;
	enum table_faults faults;
	struct fstab *table;
	struct err *e;
	size_t good, ignored; /* lines that libmount can parse, and that it cannot */
	bool not_text;        /* the first of these has a NUL byte */
	struct buf first;     /* what is wrong with the first of those that are ignored */
};

/* A line of ours is faulty, for the reason in r->e. */
static int faulty(const struct fstab_reading *r)
{
	if (!r->e->place[0])
		err_prefix(r->e, "%s", r->path);
	if (r->faults == TABLE_STRICT)
		return -EINVAL;
	if (r->faults == TABLE_WARN || r->faults == TABLE_UNDO)
		log_warn_err(r->e);
	*r->e = ERR_INIT;
	return 0;
}

static int take_bad(const struct lm_bad *b, void *arg)
{
	struct fstab_reading *r = arg;
	scoped_buf struct buf file = BUF_INIT;
	const char *path = r->path;
	struct table_bad bad;

	if (b->file) {
		buf_printf(&file, "%s/%s", r->path, b->file);
		path = buf_get(&file);
		if (!path)
			return err_nomem(r->e);
	}
	table_bad_line(b->text, b->len, &bad);
	(void)err_say(r->e, EINVAL, path, "line %u is not a valid line of an fstab", b->line);
	err_why(r->e, "%s", bad.why);
	err_try(r->e, "%s", bad.hint ? bad.hint : "SOURCE TARGET TYPE OPTIONS 0 0: see fstab(5)");
	if (bad.own && r->faults == TABLE_STRICT)
		return -EINVAL;
	if (bad.own && r->faults != TABLE_QUIET)
		log_warn("'%s': line %u is not a valid line of an fstab, and is ignored (%s); try: "
			 "%s",
			path, b->line, bad.why, r->e->hint);
	if (!bad.own && !r->ignored)
		r->not_text = b->text && memchr(b->text, '\0', b->len);
	if (!bad.own && !r->ignored++)
		buf_printf(&r->first,
			"'%s': line %u is not a valid line of an fstab, and is ignored (%s)", path,
			b->line, bad.why);
	*r->e = ERR_INIT;
	return 0;
}

/* One warning for all of them: a file that is not an fstab may have thousands. */
static void warn_of_ignored(const struct fstab_reading *r)
{
	scoped_buf struct buf more = BUF_INIT;

	if (!r->ignored || r->faults == TABLE_QUIET)
		return;
	if (r->ignored > 1)
		buf_printf(&more, "; so %s %zu more of its lines", r->ignored == 2 ? "is" : "are",
			r->ignored - 1);
	if (!r->good)
		buf_str(&more,
			r->not_text ? "; it has no valid line" :
				      "; it has no valid line: name an fstab with -T");
	log_warn("%s%s", buf_get(&r->first) ? buf_get(&r->first) : r->path,
		buf_get(&more) ? buf_get(&more) : "");
	r->table->warned |= !r->good;
}

/*
 * mount(8) binds without a map if the option has the name that our own lines use. With other
 * options, it hands it to a driver that does not know it.
 */
static void warn_of_map(const struct fstab_reading *r, const struct lm_line *l)
{
	if (!l->map || r->faults == TABLE_QUIET || r->faults == TABLE_UNDO)
		return;
	r->table->warned = true;
	log_warn("'%s': %s: map= has no effect in a line of type '%s', which is not "
		 "mounted by this command; try: write %sthe type shiftbox without bind",
		l->target, r->path, l->type,
		strcmp(l->type, "mstack") != 0 ? "X-mount.idmap=, or " : "");
}

/*
 * A line with a field too few has what belongs to a later field in an earlier one: libmount parses
 * it, and its type is no longer the third field.
 */
static int check_fields(const struct fstab_reading *r, const struct lm_line *l)
{
	const bool early = table_type_is_own(l->target);

	if (!early && !strstr(l->type, "map="))
		return 0;
	(void)err_say(r->e, EINVAL, early ? l->target : l->type,
		early ? "is where the TARGET belongs, in the second field" :
			"is where the TYPE belongs, in the third field");
	err_why(r->e, "%s is missing", early ? "SOURCE or TARGET" : "a field before it");
	err_try(r->e, "write SOURCE TARGET shiftbox OPTIONS 0 0");
	if (l->number)
		err_place(r->e, "%s, line %u", r->path, l->number);
	return -EINVAL;
}

static int take_line(const struct lm_line *l, void *arg)
{
	struct fstab_reading *r = arg;
	struct table_line line = { .number = l->number, .own = table_type_is_own(l->type) };

	r->good++;
	if (!line.own && !l->idmap && check_fields(r, l) < 0)
		return faulty(r);
	if (!line.own && !l->idmap)
		warn_of_map(r, l);
	/* mount(8) mounts no swap area, whatever the options are. */
	if (!line.own && (!l->idmap || !strcmp(l->type, "swap")))
		return 0;
	/* What mount(8) does with its options is no matter when it is unmounted. */
	if (line.own && r->faults != TABLE_UNDO &&
		table_check_own(l->target, l->options, r->e) < 0) {
		table_place(r->path, l->number, l->target, r->e);
		return faulty(r);
	}
	if (*l->target != '/') {
		(void)err_say(r->e, EINVAL, l->target, "the target must be an absolute path");
		err_try(r->e, "write the whole path, beginning with /");
		return faulty(r);
	}
	line.source = strdup(l->source);
	line.target = table_path(l->target);
	line.type = strdup(l->type);
	line.options = strdup(l->options);
	if (line.source && line.target && line.type && line.options &&
		VEC_ADD(&r->table->lines, line) == 0)
		return 0;
	line_done(&line);
	return err_nomem(r->e);
}

int table_read(const char *path, enum table_faults faults, struct fstab *ret, struct err *e)
{
	struct err own = ERR_INIT;
	struct fstab_reading reading = {
		.path = path, .faults = faults, .table = ret, .e = &own, .first = BUF_INIT
	};
	int r = lm_fstab_stat(path, take_bad, take_line, &reading, &ret->file, &own);

	warn_of_ignored(&reading);
	buf_done(&reading.first);
	if (r < 0 && e)
		*e = own;
	return r;
}

/*
 * A line of another type than shiftbox is for mount(8) of util-linux 2.39 and newer, and names the
 * filesystem's type. For a line of our type, mount(8) does not call its helper if there is the
 * option bind or rbind.
 */
static int take_type(const struct table_line *l, struct mount_options *o, struct err *e)
{
	if (l->own && (o->bind || o->rbind)) {
		(void)err_say(e, EINVAL, l->target,
			"the option '%s' is not for lines of type shiftbox",
			o->bind ? "bind" : "rbind");
		err_why(e, "mount(8) keeps it to itself, and would bind without the map");
		err_try(e,
			o->bind ? "omit it: directories are bound anyway" :
				  "write 'recursive' instead");
		return -EINVAL;
	}
	if (l->own || o->bind || o->rbind)
		return 0;
	if (!strcmp(l->type, "none") || !strcmp(l->type, "overlay")) {
		(void)err_say(e, EOPNOTSUPP, l->target,
			"X-mount.idmap= on a line of type '%s' is not for this command", l->type);
		if (!strcmp(l->type, "none"))
			err_try(e, "add bind to its options, or write the type shiftbox and map=");
		else
			err_try(e,
				"map the layers: overlay TARGET shiftbox lower=DIR,...,map=MAP 0 "
				"0");
		return -EOPNOTSUPP;
	}
	free(o->type);
	o->type = strdup(l->type);
	return o->type ? 0 : err_nomem(e);
}

int table_line_options(const struct table_line *l, struct mount_options *ret, struct err *e)
{
	int r = *l->options ? mount_options_parse(ret, l->options, e) : 0;

	return r == 0 ? take_type(l, ret, e) : r;
}

static const struct table_line *find_as(
	const struct fstab *t, const char *target, const char *source)
{
	for (size_t i = 0; i < t->lines.len; i++)
		if (!strcmp(t->lines.items[i].target, target))
			return &t->lines.items[i];
	for (size_t i = 0; i < t->lines.len; i++)
		if (!strcmp(t->lines.items[i].source, source))
			return &t->lines.items[i];
	return NULL;
}

const struct table_line *table_find(const struct fstab *t, const char *word)
{
	scoped_free char *path = table_path(word);
	const struct table_line *l = path ? find_as(t, path, word) : NULL;
	scoped_buf struct buf real = BUF_INIT;
	scoped_fd int fd = -1;

	if (l)
		return l;
	/* Like mount(8), accept a relative path, or one with symbolic links. */
	if (path_open(word, O_PATH, "cannot open it", NULL, &fd, NULL) == 0)
		path_of_fd(fd, &real);
	if (buf_get(&real) && real.len)
		l = find_as(t, real.data, real.data);
	return l ? l : table_find_device(t, word);
}

void table_done(struct fstab *t)
{
	for (size_t i = 0; i < t->lines.len; i++)
		line_done(&t->lines.items[i]);
	VEC_DONE(&t->lines);
}

/*
 * --- order -------------------------------------------------------------------------------------
 */

struct ordering {
	struct index index;
	enum visit { NEW, WAITING, PLACED } * visits;
	bool *waits;
	VEC(size_t) stack;
};

static void ordering_done(struct ordering *o)
{
	index_done(&o->index);
	free(o->visits);
	VEC_DONE(&o->stack);
}

#define scoped_ordering __attribute__((cleanup(ordering_done)))

/*
 * Find a line that is NEW and is mounted above path, or with `itself` on path; line i does not
 * count. Returns 1 + its number, or 0. *found: there is such a line, NEW or not.
 */
static size_t new_above(
	const struct ordering *o, size_t i, const char *path, bool itself, bool *found)
{
	size_t len = strlen(path);

	for (size_t n = 1; n <= len; n++) {
		size_t line;

		/* "/", and each prefix that ends before a slash, is a directory above path. */
		if (n > 1 && n < len && path[n] != '/')
			continue;
		if (n == len && !itself)
			break;
		line = *slot_of(&o->index, path, n);
		if (!line || line == i + 1)
			continue;
		*found = true;
		if (o->visits[line - 1] == NEW)
			return line;
	}
	return 0;
}

static size_t next_needed(const struct ordering *o, size_t i)
{
	const struct table_need *need = &o->index.needs[i];
	bool found = false;
	size_t line = new_above(o, i, need->target, false, &found);

	for (size_t k = 0; k < need->uses.len && !line; k++) {
		const char *path = need->uses.items[k];

		found = false;
		if (*path == '/')
			line = new_above(o, i, path, true, &found);
		if (found)
			o->waits[i] = true;
	}
	return line;
}

/*
 * Place the line after the lines that it needs. The stack is explicit, since chains can be as long
 * as the table.
 */
static int visit(struct ordering *o, size_t i, size_t *ret_order, size_t *placed, struct err *e)
{
	o->stack.len = 0;
	if (VEC_ADD(&o->stack, i) < 0)
		return err_nomem(e);
	while (o->stack.len) {
		size_t top = o->stack.items[o->stack.len - 1], needed;

		o->visits[top] = WAITING;
		needed = next_needed(o, top);
		if (needed) {
			if (VEC_ADD(&o->stack, needed - 1) < 0)
				return err_nomem(e);
			continue;
		}
		o->visits[top] = PLACED;
		o->stack.len--;
		ret_order[(*placed)++] = top;
	}
	return 0;
}

int table_order(
	const struct table_need *needs, size_t n, size_t *ret_order, bool *ret_waits, struct err *e)
{
	scoped_ordering struct ordering o = { .waits = ret_waits };
	size_t placed = 0;
	int r = index_fill(&o.index, needs, n, e);

	if (r < 0)
		return r;
	o.visits = calloc(n ? n : 1, sizeof(*o.visits));
	if (!o.visits)
		return err_nomem(e);
	memset(ret_waits, 0, n * sizeof(*ret_waits));
	for (size_t i = 0; i < n && r == 0; i++)
		if (o.visits[i] == NEW)
			r = visit(&o, i, ret_order, &placed, e);
	return r;
}
