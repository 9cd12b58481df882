/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* explain_fix: find the smallest change with which a refused operation works. */

#include "explain_priv.h"

#include <errno.h>
#include <string.h>

/*
 * Flags of the mount or of the filesystem: the operations (ops) that each can make fail, and the
 * option that clears it. effect: the flag makes the kernel ignore set-id bits and capabilities.
 */
static const struct mount_flag {
	size_t off;
	unsigned ops;
	bool effect;
	const char *word;
} flags[] = {
	{ offsetof(struct perm_mount, fs_ro), ~(1U << PERM_READ | 1U << PERM_EXEC), false,
		"remount,rw" },
	{ offsetof(struct perm_mount, ro), ~(1U << PERM_READ | 1U << PERM_EXEC), false,
		"remount,bind,rw" },
	{ offsetof(struct perm_mount, noexec), 1U << PERM_EXEC, false, "remount,bind,exec" },
	{ offsetof(struct perm_mount, nodev), 1U << PERM_READ | 1U << PERM_WRITE, false,
		"remount,bind,dev" },
	{ offsetof(struct perm_mount, nosuid), 1U << PERM_EXEC, true, "remount,bind,suid" },
};

static bool *flag_in(struct perm_mount *m, const struct mount_flag *f)
{
	return (bool *)((char *)m + f->off);
}

/* Clear the flags that could be the cause. */
static void clear_flags(struct perm_mount *m, struct explain_aim aim)
{
	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (flags[i].ops & 1U << aim.op && (!flags[i].effect || aim.effect))
			*flag_in(m, &flags[i]) = false;
}

/* Restore each flag whose removal was not needed. */
static void restore_unneeded(struct explanation *x, struct perm_mount *m,
	const struct perm_mount *saved, struct explain_aim aim)
{
	struct perm_mount had = *saved;

	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		bool *now = flag_in(m, &flags[i]);

		*now = *flag_in(&had, &flags[i]);
		if (*now && !explain_works(x, aim))
			*now = false;
	}
}

static void print_flags(
	const struct explain_mount *m, const struct perm_mount *saved, struct buf *b)
{
	struct perm_mount had = *saved, has = m->facts;
	const bool fs_rw = had.fs_ro && !has.fs_ro;
	/* mount(8) of util-linux 2.39 and newer repeats lowerdir= and so on in fsconfig(2), where
	 * ovl_parse_param() (fs/overlayfs/params.c) refuses them; mount(2) ignores them. */
	const char *overlay =
		strcmp(m->type, "overlay") != 0 ? "" : "LIBMOUNT_FORCE_MOUNT2=always ";

	if (m->only_ro && fs_rw) {
		buf_str(b,
			"put an overlay over it: shiftbox mount-idmapped -o "
			"upper=DIR,work=DIR,lower=");
		buf_escaped(b, m->target, strlen(m->target));
		buf_str(b, " overlay TARGET, and use it there");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		if (!*flag_in(&had, &flags[i]) || *flag_in(&has, &flags[i]))
			continue;
		if (fs_rw && flags[i].off == offsetof(struct perm_mount, ro))
			continue; /* a remount without "bind" changes the mount, too */
		buf_printf(b, "%s%smount -o %s", b->len ? ", and " : "",
			flags[i].off == offsetof(struct perm_mount, fs_ro) ? overlay : "",
			flags[i].word);
		explain_add_path(b, m->target);
	}
}

/* Try every kind of change but that of flags. */
static void try_others(struct explanation *x, struct explain_aim aim, struct buf *ret)
{
	scoped_buf struct buf map = BUF_INIT;

	if ((!aim.effect && explain_fix_search(x, aim, ret)) || explain_fix_swap(x, aim, ret))
		return;
	if (!aim.effect)
		(void)explain_fix_caller(x, aim, ret); /* ret shows whether it worked */
	/* On a mount without a map, another caller is the smaller change: then suggest that alone.
	 */
	if ((!ret->len || x->mounts.items[explain_file(x)->mount].facts.map) &&
		explain_fix_map(x, aim, &map)) {
		ret->oom |= map.oom;
		buf_printf(ret, "%s%s", ret->len ? ", or " : "", map.oom ? "" : buf_get(&map));
	}
	if (!ret->len && !aim.effect)
		(void)explain_fix_mode(x, aim, ret); /* the last one: ret shows whether it worked */
}

int explain_fix(struct explanation *x, enum perm_op op, struct buf *ret)
{
	scoped_buf struct buf others = BUF_INIT;
	struct perm_mount saved;
	struct explain_mount *m;
	size_t at;
	struct perm_verdict d = explain_verdict(x, op, &at);
	const struct explain_aim aim = { .op = op,
		.effect = op == PERM_EXEC && explain_has_ignored(x, &d) };

	if (explain_works(x, aim))
		return 0;
	m = &x->mounts.items[x->inodes.items[at].mount];
	saved = m->facts;
	clear_flags(&m->facts, aim);
	explain_stack_pretend(x, x->inodes.items[at].mount, true);
	if (explain_works(x, aim)) {
		restore_unneeded(x, &m->facts, &saved, aim);
		print_flags(m, &saved, ret);
	}
	m->facts = saved;
	explain_stack_pretend(x, x->inodes.items[at].mount, false);
	if (!ret->len)
		try_others(x, aim, ret);
	if (!ret->len) {
		/* No single change suffices: clear flags and try the others. */
		clear_flags(&m->facts, aim);
		try_others(x, aim, &others);
		if (others.len)
			print_flags(m, &saved, ret);
		if (others.len && buf_get(&others))
			buf_printf(ret, "%s%s", ret->len ? ", and " : "", others.data);
		m->facts = saved;
	}
	return ret->oom || others.oom ? -ENOMEM : 0;
}
