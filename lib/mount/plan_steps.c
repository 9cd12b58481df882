/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* plan_steps: describe what a plan will do. */

#include "plan.h"

#include "../base/cleanup.h"
#include "../base/sys.h"
#include "device.h"

static int add_step(struct strv *v, struct buf *b, struct err *e)
{
	int r = buf_get(b) && strv_add(v, buf_get(b)) == 0 ? 0 : err_nomem(e);

	buf_reset(b);
	return r;
}

static void add_path(struct buf *b, const char *path)
{
	buf_printf(b, "'%s'", path);
}

static int stack_steps(const struct mount_plan *p, struct strv *ret, struct buf *b, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < p->layers.len && r == 0; i++) {
		buf_printf(b, "layer %zu of %zu: %s", i + 1, p->layers.len,
			p->layers.items[i].image ? "the filesystem in " : "");
		add_path(b, p->layers.items[i].dir);
		buf_str(b, ", ");
		mount_map_print_words(mount_plan_layer_map(p, i), b);
		r = add_step(ret, b, e);
	}
	if (r < 0 || p->upper_kind == UPPER_NONE)
		return r;
	buf_str(b, "changes: ");
	if (p->upper_kind == UPPER_DIR) {
		add_path(b, p->upper);
		buf_str(b, ", work directory ");
		add_path(b, p->work);
	} else {
		buf_str(b, "in memory");
		if (p->ephemeral_size)
			buf_printf(
				b, ", at most %llu bytes", (unsigned long long)p->ephemeral_size);
	}
	buf_str(b,
		p->upper_plain || p->map.wish != MAP_SET ? ", stored as seen" :
							   ", stored as disk ids");
	return add_step(ret, b, e);
}

struct mount_flags mount_plan_flags(const struct mount_plan *p)
{
	struct mount_flags flags = p->flags;

	if (p->kind == MOUNT_OVERLAY && p->upper_kind == UPPER_NONE)
		flags.set |= MOUNT_ATTR_RDONLY;
	return flags;
}

/* How what is mounted is made, before it is attached. b: empty, for its use. */
static int make_steps(const struct mount_plan *p, struct mount_flags *flags, struct strv *ret,
	struct buf *b, struct err *e)
{
	if (p->kind == MOUNT_FS)
		return device_steps(p, flags, ret, e);
	if (p->kind == MOUNT_OVERLAY)
		return stack_steps(p, ret, b, e);
	buf_str(b, "bind ");
	add_path(b, p->source);
	if (p->recursive)
		buf_printf(b, " and what is mounted below it%s",
			p->skip_unsupported ? ", but for what cannot be mapped" : "");
	buf_str(b, ": ");
	mount_map_print_words(&p->map, b);
	return add_step(ret, b, e);
}

static int inside_steps(
	const struct mount_inside *in, struct strv *ret, struct buf *b, struct err *e)
{
	struct mount_flags flags = mount_plan_flags(in->plan);
	int r = make_steps(in->plan, &flags, ret, b, e);

	if (r < 0)
		return r;
	buf_str(b, "attach ");
	if (in->plan->subdir) {
		add_path(b, in->plan->subdir);
		buf_str(b, " of ");
	}
	buf_printf(b, "it inside, at '%s': ", in->place);
	mount_flags_print(&flags, b);
	return add_step(ret, b, e);
}

int mount_plan_steps(
	const struct mount_plan *p, struct mount_flags *flags, struct strv *ret, struct err *e)
{
	scoped_buf struct buf b = BUF_INIT;
	int r = make_steps(p, flags, ret, &b, e);

	for (size_t i = 0; i < p->inside.len && r == 0; i++)
		r = inside_steps(&p->inside.items[i], ret, &b, e);
	if (r < 0)
		return r;
	if (p->mkdir) {
		buf_str(&b, "create ");
		add_path(&b, p->target);
		buf_printf(&b, " if it is missing, mode %04o", p->mkdir_mode);
		r = add_step(ret, &b, e);
	}
	if (r < 0)
		return r;
	buf_str(&b, "attach it at ");
	add_path(&b, p->target);
	buf_str(&b, ": ");
	mount_flags_print(flags, &b);
	r = add_step(ret, &b, e);
	if (r < 0 || !p->set_mode)
		return r;
	buf_printf(&b, "change the mode of its root to %04o", p->root_mode);
	return add_step(ret, &b, e);
}
