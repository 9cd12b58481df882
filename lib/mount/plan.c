/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* plan: make a plan from SOURCE, TARGET and options. */

#include "plan.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/fd.h"
#include "../base/path.h"
#include "../base/suggest.h"
#include "../base/sys.h"
#include "../idmap/userns.h"
#include "internal_fs.h"
#include "overlay_settings.h"
#include "via_libblkid.h"
#include "view.h"

static int build_map(const char *const *texts, size_t n, const struct idmap_context *ctx,
	struct mount_map *ret, struct err *e)
{
	scoped_idmap struct idmap map = { 0 };
	int r;

	if (!n) {
		ret->wish = MAP_KEEP;
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		if (strcmp(texts[i], "none"))
			continue;
		if (n > 1)
			return err_usage_try(e, "omit it, or the others",
				"the map 'none' cannot be joined with others");
		ret->wish = MAP_NONE;
		return 0;
	}
	r = idmap_parse(texts, n, ctx, &map, e);
	if (r < 0)
		return r;
	/*
	 * In a user namespace, the identity maps the ids of that namespace: this is how the map is
	 * read back from the mount.
	 */
	r = userns_fit(&map, &ret->map, e);
	if (r < 0)
		return r;

	ret->wish = MAP_SET;
	return 0;
}

static int set_str(char **dst, const char *s, struct err *e)
{
	*dst = strdup(s);
	return *dst ? 0 : err_nomem(e);
}

/*
 * The layer whose owner a map is made from must be the one that is mounted: open_layer() of
 * overlay.c compares them.
 */
static int see_layer(struct mount_layer *l, int *ret_fd, struct err *e)
{
	struct stat st;
	int r = path_open(l->dir, O_PATH | O_DIRECTORY, "cannot open the layer to see its owner",
		NULL, ret_fd, e);

	if (r < 0)
		return r;
	if (fstat(*ret_fd, &st) < 0)
		return err_set(e, errno, l->dir, "cannot see the owner of the layer");
	l->seen = true;
	l->dev = st.st_dev;
	l->ino = st.st_ino;
	return 0;
}

static int add_layer(struct mount_plan *p, const char *dir, const char *map,
	const struct mount_request *q, struct err *e)
{
	struct idmap_context ctx = { .source = dir, .strict = q->strict, .known = q->known };
	struct mount_layer l = { .own_map = !!map };
	scoped_fd int fd = -1;
	char path[32];
	int r = 0;

	l.dir = strdup(dir);
	if (!l.dir)
		return err_nomem(e);
	if (map && strstr(map, "owner:"))
		r = see_layer(&l, &fd, e);
	if (fd >= 0)
		ctx.source = fd_proc_path(fd, path);
	if (r == 0 && map)
		r = build_map(&map, 1, &ctx, &l.map, e);
	if (r < 0) {
		err_prefix(e, "the map of layer '%s'", dir);
	} else if (VEC_ADD(&p->layers, l) < 0) {
		idmap_done(&l.map.map);
		r = err_nomem(e);
	}
	if (r < 0)
		free(l.dir);
	return r;
}

static int add_layers(struct mount_plan *p, const struct mount_request *q, struct err *e)
{
	const struct mount_options *o = q->options;
	int r = 0;

	for (size_t i = 0; q->layers && i < q->layers->len && r == 0; i++)
		r = add_layer(p, q->layers->items[i], NULL, q, e);
	for (size_t i = 0; i < o->lowers.len && r == 0; i++)
		r = add_layer(p, o->lowers.items[i].dir, o->lowers.items[i].map, q, e);
	for (size_t i = 0; i < o->lowers.len && r == 0 && !q->layers; i++)
		p->layers.items[i].image = o->lowers.items[i].image;
	return r;
}

/* DIR.work beside DIR is on the same filesystem and, above all, on the same mount. */
static int default_work(const char *upper, char **ret, struct err *e)
{
	scoped_buf struct buf b = BUF_INIT;
	size_t n = strlen(upper);

	while (n > 1 && upper[n - 1] == '/')
		n--;
	buf_add(&b, upper, n);
	buf_str(&b, ".work");
	*ret = buf_take(&b);
	return *ret ? 0 : err_nomem(e);
}

static int add_upper(struct mount_plan *p, const struct mount_options *o, struct err *e)
{
	int r;

	p->upper_plain = o->upper_plain;
	p->ephemeral_size = o->ephemeral_size;
	if (o->ephemeral)
		p->upper_kind = UPPER_EPHEMERAL;
	if (!o->upper)
		return 0;

	p->upper_kind = UPPER_DIR;
	r = set_str(&p->upper, o->upper, e);
	if (r == 0)
		r = o->work ? set_str(&p->work, o->work, e) : default_work(o->upper, &p->work, e);
	return r;
}

static int check_stack_options(const struct mount_options *o, bool image, struct err *e)
{
	const char *bind = mount_options_first(o, OPTION_BIND);
	int r = overlay_settings_check(o->fs.items, o->fs.len, o->sloppy, e);

	if (r < 0)
		return r;
	if (bind)
		return err_usage_try(e, "omit it",
			"option '%s' is for directories and files, not for stacks", bind);
	if (image && o->lowers.len)
		return err_usage_try(e, "omit lower=, or write overlay in place of the image",
			"option 'lower' is for the source overlay: an image has layers of its own");
	if (!image && !o->lowers.len)
		return err_usage_try(e, "-o lower=TOPMOST,lower=NEXT overlay TARGET",
			"the source overlay needs its layers: -o lower=DIR, topmost first");
	if (o->upper && o->ephemeral)
		return err_usage_try(e,
			"omit one of them: upper keeps what is written, and ephemeral does not",
			"options 'upper' and 'ephemeral' exclude each other");
	if (o->work && !o->upper)
		return err_usage_try(
			e, "add upper=DIR, or omit work=", "option 'work' needs 'upper'");
	if (!o->upper && !o->ephemeral && (o->upper_plain || o->volatile_))
		return err_usage_try(e, "add upper=DIR or ephemeral, or omit it",
			"option '%s' needs 'upper' or 'ephemeral'",
			o->volatile_ ? "volatile" : "upper-map");
	/*
	 * Documentation/filesystems/overlayfs.rst: with userxattr, redirect_dir and metacopy are
	 * disabled, since both need trusted.* attributes.
	 */
	if (o->userxattr && (o->metacopy || o->redirect_dir))
		return err_usage_try(e, "omit one of them",
			"option 'userxattr' excludes 'metacopy' and 'redirect_dir'");
	/* fs/overlayfs/params.c, ovl_fs_params_verify(): its reason is in the kernel's log alone.
	 */
	if (overlay_settings_have(o->fs.items, o->fs.len, "nfs_export", "on") &&
		(o->metacopy || overlay_settings_have(o->fs.items, o->fs.len, "index", "off")))
		return err_usage_try(e, "omit one of them", "option 'nfs_export=on' excludes '%s'",
			o->metacopy ? "metacopy" : "index=off");
	return 0;
}

static bool names_overlay(const struct mount_options *o)
{
	return o->type && !strcmp(o->type, "overlay");
}

/* The first option that is for filesystems alone: the type overlay is not. */
static const char *first_fs_option(const struct mount_options *o)
{
	struct mount_options others = *o; /* nothing of it is freed */

	if (names_overlay(o))
		others.type = NULL;
	return mount_options_first(&others, OPTION_FS);
}

/* Words that mount(8) and fstab(5) have in the place of a type. */
static int check_type(const char *type, struct err *e)
{
	static const struct habit words[] = {
		{ "none", "omit it: a directory is bound anyway" },
		{ "bind", "omit it: a directory is bound anyway (a file: -o bind)" },
		{ "rbind", "write the option rbind instead" },
		{ "shiftbox", "omit it: the type shiftbox is for mount(8) and for an fstab" },
		{ NULL, NULL },
	};
	const char *say = type ? habit_find(words, type, strlen(type)) : NULL;

	return say ? err_usage_try(e, say, "'%s' is not a type of filesystem", type) : 0;
}

/* Refuse options that contradict each other or the kind of the source: a usage error. */
static int check_options(
	enum mount_kind kind, const struct mount_options *o, bool image, struct err *e)
{
	bool bind = mount_options_first(o, OPTION_BIND);
	const char *name = kind != MOUNT_OVERLAY ? mount_options_first(o, OPTION_STACK) : NULL;
	int r = check_type(o->type, e);

	if (r < 0)
		return r;
	if (name) {
		(void)err_usage_try(e,
			"name a stack as SOURCE: image:NAME, or overlay with lower=DIR",
			"option '%s' needs a stack: the SOURCE overlay or image:NAME, or any other "
			"with type=overlay",
			name);
		err_op(e, "stack");
		return -EINVAL;
	}
	name = kind == MOUNT_OVERLAY || bind ? first_fs_option(o) : NULL;
	if (name)
		return err_usage_try(e, "omit it, or name a device or a file with a filesystem",
			"option '%s' is for filesystems of devices and files, not for %s", name,
			bind ? "binds" : "stacks");
	if (o->noloop && (o->loop || o->offset || o->sizelimit))
		return err_usage_try(e, "omit one of them", "option 'X-mount.noloop' excludes '%s'",
			o->loop           ? "loop" :
				o->offset ? "offset" :
					    "sizelimit");
	if (o->skip_unsupported && !o->rbind && !o->recursive)
		return err_usage_try(
			e, "add rbind, or omit it", "option 'skip-unsupported' needs 'rbind'");
	return kind == MOUNT_OVERLAY ? check_stack_options(o, image, e) : 0;
}

/*
 * --- filesystems -------------------------------------------------------------------------------
 */

static int add_fs(struct mount_plan *p, const struct mount_options *o, struct err *e)
{
	int r = 0;

	p->loop = o->loop;
	p->noloop = o->noloop;
	p->offset = o->offset;
	p->sizelimit = o->sizelimit;
	if (o->type && strcmp(o->type, "auto"))
		r = set_str(&p->type, o->type, e);
	if (r == 0 && o->subdir)
		r = set_str(&p->subdir, o->subdir, e);
	if (r == 0 && o->loop_device)
		r = set_str(&p->loop_device, o->loop_device, e);
	for (size_t i = 0; i < o->fs.len && r == 0; i++) {
		const struct fs_option *from = &o->fs.items[i];
		struct fs_option copy = { strdup(from->name),
			from->value ? strdup(from->value) : NULL };

		if (copy.name && (copy.value || !from->value) && VEC_ADD(&p->fs_options, copy) == 0)
			continue;
		free(copy.name);
		free(copy.value);
		r = err_nomem(e);
	}
	return r;
}

static bool names_owner(const struct mount_options *o)
{
	for (size_t i = 0; i < o->maps.len; i++)
		if (strstr(o->maps.items[i], "owner:"))
			return true;
	return false;
}

static enum mount_kind kind_of(const struct mount_request *q)
{
	const struct mount_options *o = q->options;

	if (q->layers || names_overlay(o) || (!strcmp(q->source, "overlay") && !o->type))
		return MOUNT_OVERLAY;
	if (mount_options_first(o, OPTION_BIND))
		return MOUNT_BIND;
	return blk_is_tag(q->source) || mount_options_first(o, OPTION_FS) ? MOUNT_FS : MOUNT_BIND;
}

/* The members that need nothing but the options. */
static void set_members(struct mount_plan *p, const struct mount_request *q)
{
	const struct mount_options *o = q->options;

	p->kind = kind_of(q);
	p->kind_undecided = p->kind == MOUNT_BIND && !mount_options_first(o, OPTION_BIND);
	p->stored = q->layers != NULL;
	p->flags = o->flags;
	/*
	 * Through the map, the container's root owns the image's devices, and no namespace keeps it
	 * from opening them.
	 */
	if (q->layers && !((o->flags.set | o->flags.clear) & MOUNT_ATTR_NODEV))
		p->flags.set |= MOUNT_ATTR_NODEV;
	if (!p->flags.propagation)
		p->flags.propagation = MS_PRIVATE;
	p->sloppy = o->sloppy;
	p->public_ = o->public_;
	p->link_itself = o->link_itself;
	p->mkdir = o->mkdir;
	p->mkdir_mode = o->mkdir_mode;
	p->set_mode = o->set_mode;
	p->root_mode = o->root_mode;
	p->follow = o->follow;
	p->recursive = o->rbind || o->recursive;
	p->skip_unsupported = o->skip_unsupported;
	p->volatile_ = o->volatile_;
	p->metacopy = o->metacopy;
	p->redirect_dir = o->redirect_dir;
	p->userxattr = o->userxattr;
	p->owner_map = p->kind != MOUNT_OVERLAY && names_owner(o);
}

/*
 * Make the map. "owner:USER" means the owner of the source or, of a stack, of the topmost layer's
 * root, which the stack shows as its own.
 */
static int set_map(struct mount_plan *p, const struct mount_request *q, struct err *e)
{
	const struct strv *maps = &q->options->maps;
	struct idmap_context ctx = { .source = q->source, .strict = q->strict, .known = q->known };
	scoped_fd int layer = -1;
	char opened[32];
	int r = 0;

	if (p->kind == MOUNT_OVERLAY) {
		ctx.source = p->layers.len ? p->layers.items[0].dir : NULL;
		if (ctx.source && names_owner(q->options))
			r = see_layer(&p->layers.items[0], &layer, e);
	}
	if (layer >= 0 || p->source_open)
		ctx.source = fd_proc_path(layer >= 0 ? layer : p->source_fd, opened);
	return r == 0 ? build_map((const char *const *)maps->items, maps->len, &ctx, &p->map, e) :
			r;
}

static int fill(struct mount_plan *p, const struct mount_request *q, struct err *e)
{
	int r;

	if (q->options->each) {
		(void)err_usage(e, "option 'each' is for lines of %s", VIEWS_TABLE);
		err_try(e, "write such a line there, or name one user: map=user:NAME");
		return -EINVAL;
	}
	set_members(p, q);
	r = check_options(p->kind, q->options, p->stored, e);
	if (r == 0)
		r = set_str(&p->source, q->source, e);
	if (r == 0)
		r = set_str(&p->target, q->target, e);
	if (r == 0)
		r = add_layers(p, q, e);
	if (r == 0)
		r = add_upper(p, q->options, e);
	if (r == 0)
		r = add_fs(p, q->options, e);
	if (r == 0)
		r = mount_plan_open_source(p, e);
	if (r == 0)
		r = set_map(p, q, e);
	if (r == 0 && p->source_open && (p->kind == MOUNT_FS || p->map.wish == MAP_SET))
		r = internal_fs_refuse(p->source_fd, p->source, e);
	return r == 0 ? mount_plan_fit(p, e) : r;
}

int mount_plan_build(struct mount_plan *ret, const struct mount_request *q, struct err *e)
{
	scoped_mount_plan struct mount_plan p = { 0 };
	int r;

	r = fill(&p, q, e);
	if (r < 0)
		return r;

	*ret = p;
	p = (struct mount_plan){ 0 };
	return 0;
}

void mount_plan_set_store(struct mount_plan *p, const struct stat *layers)
{
	p->store_seen = true;
	p->store_dev = layers->st_dev;
	p->store_ino = layers->st_ino;
}

int mount_plan_rebase(struct mount_plan *p, const struct idmap *below, struct err *e)
{
	struct idmap both = { .gid_assumed = false };
	int r;

	(void)idmap_uid_disk(below, 0, &p->root_uid); /* 0 if it is not mapped */
	(void)idmap_gid_disk(below, 0, &p->root_gid);
	if (p->map.wish == MAP_NONE)
		return 0;
	r = p->map.wish == MAP_SET ? idmap_compose(below, &p->map.map, &both, e) :
				     idmap_copy(below, &both, e);
	if (r < 0)
		return r;
	if (p->map.wish == MAP_SET)
		idmap_done(&p->map.map);
	p->map = (struct mount_map){ .wish = MAP_SET, .map = both };
	return 0;
}

static int check_plan(const struct mount_plan *p, struct err *e)
{
	if (!*p->source || !*p->target)
		return err_usage_try(e, "name both; in a script, a variable may be empty",
			"%s must not be empty", *p->source ? "TARGET" : "SOURCE");
	if (p->kind != MOUNT_OVERLAY)
		return 0;
	if (!p->layers.len)
		return err_say(e, EINVAL, p->source, "there are no layers to stack");
	if (p->layers.len > PLAN_LAYERS_MAX) {
		(void)err_say(e, E2BIG, p->source, "cannot stack %zu layers", p->layers.len);
		err_why(e, "OverlayFS accepts at most %d lower layers", PLAN_LAYERS_MAX);
		err_try(e, "merge some of the layers into one");
		return -E2BIG;
	}
	if (p->upper_kind == UPPER_NONE && p->flags.clear & MOUNT_ATTR_RDONLY)
		return err_usage_try(e, "add upper=DIR or ephemeral, or omit rw",
			"option 'rw': a stack is writable only with 'upper' or 'ephemeral'");
	return 0;
}

int mount_plan_check(const struct mount_plan *p, struct err *e)
{
	int r = check_plan(p, e);

	for (size_t i = 0; i < p->inside.len && r == 0; i++)
		r = check_plan(p->inside.items[i].plan, e);
	return r;
}

const struct mount_map *mount_plan_layer_map(const struct mount_plan *p, size_t i)
{
	const struct mount_layer *l = &p->layers.items[i];

	return l->own_map ? &l->map : &p->map;
}

void mount_map_print_words(const struct mount_map *m, struct buf *b)
{
	switch (m->wish) {
	case MAP_KEEP:
		buf_str(b, "ids as the source shows them");
		return;
	case MAP_NONE:
		buf_str(b, "ids as on the disk");
		return;
	case MAP_SET:
		idmap_print_words(&m->map, b);
		return;
	}
}

static void free_map(struct mount_map *m)
{
	if (m->wish == MAP_SET)
		idmap_done(&m->map);
}

void mount_plan_done(struct mount_plan *p)
{
	mount_plan_close_source(p);
	free(p->source);
	free(p->target);
	free(p->upper);
	free(p->work);
	free(p->type);
	free(p->subdir);
	free(p->loop_device);
	for (size_t i = 0; i < p->fs_options.len; i++) {
		free(p->fs_options.items[i].name);
		free(p->fs_options.items[i].value);
	}
	VEC_DONE(&p->fs_options);
	free_map(&p->map);
	for (size_t i = 0; i < p->layers.len; i++) {
		free(p->layers.items[i].dir);
		free_map(&p->layers.items[i].map);
	}
	VEC_DONE(&p->layers);
	for (size_t i = 0; i < p->inside.len; i++) {
		mount_plan_done(p->inside.items[i].plan);
		free(p->inside.items[i].plan);
		free(p->inside.items[i].place);
	}
	VEC_DONE(&p->inside);
	strv_done(&p->misfits);
	*p = (struct mount_plan){ 0 };
}
