/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* plan_mstack: plan the parts of a directory NAME.mstack. */

#include "plan_mstack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/path.h"
#include "../base/sys.h"
#include "mstack.h"

static bool has_type(const struct mount_options *o)
{
	return o->type && !strcmp(o->type, "mstack");
}

bool plan_mstack_is_meant(const struct mount_request *q)
{
	struct stat st;

	if (q->layers)
		return false;
	if (has_type(q->options))
		return true;
	return mstack_is_name(q->source) &&
		!mount_options_first(q->options, OPTION_BIND | OPTION_FS) &&
		(path_stat(q->source, true, &st) < 0 || S_ISDIR(st.st_mode));
}

struct mstack_plan {
	const struct mount_request *q;
	char *dir, *target; /* without slashes at the end */
	int fd;             /* the directory */
	struct mstack m;
	struct mount_flags flags; /* of all parts */
};

static void mstack_plan_done(struct mstack_plan *w)
{
	free(w->dir);
	free(w->target);
	cleanup_fd(&w->fd);
	mstack_done(&w->m);
}

static char *trimmed(const char *path)
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	return strndup(path, n);
}

/* NULL: out of memory */
static char *join(const char *dir, const char *name)
{
	scoped_buf struct buf b = BUF_INIT;

	buf_printf(&b, "%s%s%s", dir, strcmp(dir, "/") ? "/" : "", name);
	return buf_get(&b) ? buf_take(&b) : NULL;
}

/*
 * --- the stack ---------------------------------------------------------------------------------
 */

/* The directories of the stack, for the options of its plan. */
struct stack_dirs {
	VEC(struct lower_option) lowers; /* topmost first */
	VEC(struct stat) seen;
	char *upper, *work;
};

static void stack_dirs_done(struct stack_dirs *d)
{
	for (size_t i = 0; i < d->lowers.len; i++)
		free(d->lowers.items[i].dir);
	VEC_DONE(&d->lowers);
	VEC_DONE(&d->seen);
	free(d->upper);
	free(d->work);
}

static int add_dir(struct stack_dirs *d, char *path, bool image, struct stat st, struct err *e)
{
	if (path && VEC_ADD(&d->seen, st) == 0 &&
		VEC_ADD(&d->lowers, (struct lower_option){ .dir = path, .image = image }) == 0)
		return 0;
	free(path);
	return err_nomem(e);
}

/*
 * Read-only, what rw/ has kept is the topmost layer, and nothing is written there. Before the first
 * use there is nothing.
 */
static int add_kept(const struct mstack_plan *w, struct stack_dirs *d, struct err *e)
{
	scoped_fd int fd = -1;
	struct err own = ERR_INIT;
	struct stat st;
	int r = path_open_in(w->fd, "rw/data", O_PATH | O_DIRECTORY | O_NOFOLLOW,
		"cannot open what was written before", &fd, &own);

	if (r == -ENOENT)
		return 0;
	if (r == 0 && fstat(fd, &st) < 0)
		r = err_set(&own, errno, w->dir, "cannot stat rw/data");
	if (r < 0) {
		*e = own;
		return r;
	}
	return add_dir(d, join(w->dir, "rw/data"), false, st, e);
}

static int find_dirs(const struct mstack_plan *w, bool keep, struct stack_dirs *d, struct err *e)
{
	int r = 0;

	if (keep && w->flags.set & MOUNT_ATTR_RDONLY) {
		r = add_kept(w, d, e);
	} else if (keep) {
		d->upper = join(w->dir, "rw/data");
		d->work = join(w->dir, "rw/work");
		r = d->upper && d->work ? 0 : err_nomem(e);
	}
	for (size_t i = w->m.entries.len; i-- > 0 && r == 0;) {
		const struct mstack_entry *x = &w->m.entries.items[i];

		if (x->kind == MSTACK_LAYER)
			r = add_dir(d, join(w->dir, x->name), x->image,
				(struct stat){ .st_dev = x->dev, .st_ino = x->ino }, e);
	}
	return r;
}

static int check_options(const struct mstack_plan *w, bool keep, struct err *e)
{
	const struct mount_options *o = w->q->options;
	const char *extra = o->upper ? "upper" :
		o->work              ? "work" :
		o->ephemeral         ? "ephemeral" :
				       NULL;

	if (o->lowers.len)
		return err_usage_try(e, "omit lower=, or add a link layer@ID to the directory",
			"option 'lower' is for the source overlay: '%s' has layers of its own",
			w->dir);
	if (keep && extra)
		return err_usage_try(e, "omit one of them",
			"option '%s' excludes rw/ in '%s', which keeps what is written", extra,
			w->dir);
	if (o->flags.clear & MOUNT_ATTR_RDONLY && !keep && !extra)
		return err_usage_try(e,
			"create the directory rw in it (mode 0700), or specify -o ephemeral",
			"option 'rw': '%s' has no rw/, which keeps what is written", w->dir);
	if (o->metacopy || o->redirect_dir)
		return err_usage_try(e, "omit it",
			"option '%s' excludes 'userxattr', with which '%s' is mounted",
			o->metacopy ? "metacopy" : "redirect_dir", w->dir);
	return 0;
}

/* Note what the paths of the plan led to, since they are looked up again when it is mounted. */
static void note_seen(
	const struct mstack_plan *w, const struct stack_dirs *d, bool keep, struct mount_plan *p)
{
	const struct mstack_entry *rw = mstack_find(&w->m, MSTACK_RW);

	for (size_t i = 0; i < p->layers.len; i++) {
		p->layers.items[i].seen = true;
		p->layers.items[i].dev = d->seen.items[i].st_dev;
		p->layers.items[i].ino = d->seen.items[i].st_ino;
	}
	if (!keep || p->upper_kind != UPPER_DIR)
		return;
	p->upper_seen = true;
	p->upper_dev = rw->dev;
	p->upper_ino = rw->ino;
}

/* part: with the map and the place of another plan, of which this is a part */
static int plan_stack(const struct mstack_plan *w, const char *target, bool part,
	struct mount_plan *ret, struct err *e)
{
	__attribute__((cleanup(stack_dirs_done))) struct stack_dirs d = { .upper = NULL };
	struct mount_options o = *w->q->options; /* what it points to is borrowed */
	struct mount_request q = *w->q;
	bool keep = mstack_find(&w->m, MSTACK_RW);
	char type[] = "overlay";
	int r = check_options(w, keep, e);

	if (r == 0)
		r = find_dirs(w, keep, &d, e);
	if (r < 0)
		return r;
	o.type = type;
	o.flags = w->flags;
	o.userxattr = true;
	o.lowers.items = d.lowers.items;
	o.lowers.len = d.lowers.len;
	if (keep) {
		o.upper = d.upper;
		o.work = d.work;
	}
	if (part) {
		o.maps.len = 0;
		o.mkdir = o.set_mode = false;
	}
	q.options = &o;
	q.source = w->dir;
	q.target = target;
	r = mount_plan_build(ret, &q, e);
	if (r < 0)
		return r;
	ret->mstack = true;
	note_seen(w, &d, keep, ret);
	return 0;
}

/*
 * --- binds -------------------------------------------------------------------------------------
 */

/* The options of a bind of x. A part has no map yet, and its place is given. */
static struct mount_options bind_options(
	const struct mstack_plan *w, const struct mstack_entry *x, bool part)
{
	const struct mount_options *all = w->q->options;
	struct mount_options o = MOUNT_OPTIONS_INIT;

	o.flags = w->flags;
	o.public_ = all->public_;
	o.bind = !x->image;
	o.loop = x->image;
	if (x->kind == MSTACK_ROBIND) {
		o.flags.set |= MOUNT_ATTR_RDONLY;
		o.flags.clear &= ~(uint64_t)MOUNT_ATTR_RDONLY;
	}
	if (part)
		return o;
	o.maps = all->maps;
	o.mkdir = all->mkdir;
	o.mkdir_mode = all->mkdir_mode;
	o.follow = all->follow;
	o.set_mode = all->set_mode;
	o.root_mode = all->root_mode;
	return o;
}

static int plan_bind(const struct mstack_plan *w, const struct mstack_entry *x, const char *target,
	struct mount_plan *ret, struct err *e)
{
	const struct mount_options o = bind_options(w, x, x->kind != MSTACK_ROOT);
	scoped_free char *source = join(w->dir, x->name);
	struct mount_request q = *w->q;
	int r;

	if (!source)
		return err_nomem(e);
	q.options = &o;
	q.source = source;
	q.target = target;
	r = mount_plan_build(ret, &q, e);
	if (r < 0)
		return r;
	ret->mstack = ret->source_seen = true;
	ret->source_dev = x->dev;
	ret->source_ino = x->ino;
	return mount_plan_open_source(ret, e);
}

/*
 * --- together ----------------------------------------------------------------------------------
 */

/* A part gets the map of the whole, and what does not fit there is reported for the whole. */
static int share_map(struct mount_plan *p, struct mount_plan *part, struct err *e)
{
	int r = 0;

	part->map.wish = p->map.wish;
	if (p->map.wish == MAP_SET && idmap_copy(&p->map.map, &part->map.map, e) < 0) {
		part->map.wish = MAP_KEEP;
		return -ENOMEM;
	}
	r = mount_plan_fit(part, e);
	for (size_t i = 0; i < part->misfits.len && r == 0; i++)
		if (strv_add(&p->misfits, part->misfits.items[i]) < 0)
			r = err_nomem(e);
	return r;
}

/* x: the bind; NULL: usr/ of the stack */
static int add_inside(const struct mstack_plan *w, const struct mstack_entry *x,
	struct mount_plan *p, struct err *e)
{
	struct mount_inside in = { .place = strdup(x ? x->word : "usr") };
	scoped_free char *target = in.place ? join(w->target, in.place) : NULL;
	int r = 0;

	in.plan = calloc(1, sizeof(*in.plan));
	if (!target || !in.plan || VEC_ADD(&p->inside, in) < 0) {
		free(in.place);
		free(in.plan);
		return err_nomem(e);
	}
	r = x ? plan_bind(w, x, target, in.plan, e) : plan_stack(w, target, true, in.plan, e);
	if (r == 0 && !x && !(in.plan->subdir = strdup("usr")))
		r = err_nomem(e);
	/* The whole gets its propagation at last: unbindable mounts could not be put together. */
	in.plan->flags.propagation = MS_PRIVATE;
	return r == 0 ? share_map(p, in.plan, e) : r;
}

static int no_layers(const struct mstack_plan *w, struct err *e)
{
	(void)err_say(e, EINVAL, w->dir, "has no layer@ID, which a stack needs");
	err_op(e, "mstack");
	err_try(e, "to bind the directory itself, specify -o bind");
	return -EINVAL;
}

static int plan_parts(const struct mstack_plan *w, struct mount_plan *p, struct err *e)
{
	const struct mstack_entry *root = mstack_find(&w->m, MSTACK_ROOT);
	bool layers = mstack_find(&w->m, MSTACK_LAYER), rw = mstack_find(&w->m, MSTACK_RW);
	const char *extra;
	int r;

	if (!layers && (rw || !root))
		return no_layers(w, e);
	extra = mount_options_first(w->q->options, OPTION_STACK);
	if (!layers && extra)
		return err_usage_try(e, "omit it, or add a link layer@ID to the directory",
			"option '%s' is for stacks, and '%s' has no layers", extra, w->dir);
	r = root ? plan_bind(w, root, w->q->target, p, e) :
		   plan_stack(w, w->q->target, false, p, e);
	if (r == 0 && root && layers)
		r = add_inside(w, NULL, p, e);
	for (size_t i = 0; i < w->m.entries.len && r == 0; i++) {
		const struct mstack_entry *x = &w->m.entries.items[i];

		if (x->kind == MSTACK_BIND || x->kind == MSTACK_ROBIND)
			r = add_inside(w, x, p, e);
	}
	return r;
}

int plan_mstack(struct mount_plan *ret, const struct mount_request *q, struct err *e)
{
	__attribute__((cleanup(mstack_plan_done))) struct mstack_plan w = {
		.q = q,
		.dir = trimmed(q->source),
		.target = trimmed(q->target),
		.fd = -1,
		.flags = q->options->flags,
	};
	scoped_mount_plan struct mount_plan p = { 0 };
	int r;

	if (!w.dir || !w.target)
		return err_nomem(e);
	/* As for an image: the map's root owns the devices of the layers. */
	if (!((w.flags.set | w.flags.clear) & MOUNT_ATTR_NODEV))
		w.flags.set |= MOUNT_ATTR_NODEV;
	r = path_open(q->source, O_PATH | O_DIRECTORY, "cannot open the source", NULL, &w.fd, e);
	if (r == 0)
		r = mstack_read(w.fd, w.dir, &w.m, e);
	if (r == 0)
		r = plan_parts(&w, &p, e);
	if (r < 0)
		return r;

	*ret = p;
	p = (struct mount_plan){ 0 };
	return 0;
}
