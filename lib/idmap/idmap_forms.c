/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* idmap_forms: print a map in the forms of other tools. */

#include "idmap_forms.h"

#include <errno.h>
#include <inttypes.h>

#include "../base/json.h"

static bool alike(const struct idmap *m)
{
	return idranges_equal(&m->uid, &m->gid);
}

/* How to print a range: before DISK between SEEN between COUNT after; sep separates ranges. */
struct layout {
	const char *before, *between, *after, *sep;
};

static void put_ranges(const struct idranges *r, const struct layout *l, struct buf *b)
{
	for (size_t i = 0; i < r->len; i++)
		buf_printf(b, "%s%s%" PRIu32 "%s%" PRIu32 "%s%" PRIu32 "%s", i ? l->sep : "",
			l->before, r->items[i].disk, l->between, r->items[i].seen, l->between,
			r->items[i].count, l->after);
}

/*
 * user_namespaces(7): the first column is the id in the namespace, which is the disk id for the
 * namespace of a mount. If users and groups differ, each line begins with its kind, as @FILE reads
 * it.
 */
static int print_kernel(const struct idmap *m, struct buf *b, struct err *e)
{
	static const struct layout both = { "", " ", "\n", "" }, uid = { "u ", " ", "\n", "" },
				   gid = { "g ", " ", "\n", "" };

	(void)e;
	put_ranges(&m->uid, alike(m) ? &both : &uid, b);
	if (!alike(m))
		put_ranges(&m->gid, &gid, b);
	return 0;
}

/*
 * mount(8), X-mount.idmap: the columns are passed to the kernel as they are. Both kinds are always
 * specified: a kind that is not would have no mapping.
 */
static int print_util_linux(const struct idmap *m, struct buf *b, struct err *e)
{
	static const struct layout both = { "b:", ":", "", " " }, uid = { "u:", ":", "", " " },
				   gid = { "g:", ":", "", " " };

	(void)e;
	buf_str(b, "X-mount.idmap=");
	put_ranges(&m->uid, alike(m) ? &both : &uid, b);
	if (!alike(m)) {
		buf_char(b, ' ');
		put_ranges(&m->gid, &gid, b);
	}
	buf_char(b, '\n');
	return 0;
}

static void put_oci_kind(const struct idranges *r, const char *key, struct json_writer *w)
{
	json_write_array(w, key);
	for (size_t i = 0; i < r->len; i++) {
		json_write_object(w, NULL);
		json_write_i64(w, "containerID", r->items[i].disk);
		json_write_i64(w, "hostID", r->items[i].seen);
		json_write_i64(w, "size", r->items[i].count);
		json_write_end(w);
	}
	json_write_end(w);
}

void idmap_write_oci(const struct idmap *m, struct json_writer *w)
{
	put_oci_kind(&m->uid, "uidMappings", w);
	put_oci_kind(&m->gid, "gidMappings", w);
}

/*
 * OCI runtime specification, config.md, mounts: the mappings are "the same as user namespace
 * mappings", from the source filesystem to the mount point. So containerID is the disk id, and
 * hostID the seen id.
 */
static int print_oci(const struct idmap *m, struct buf *b, struct err *e)
{
	struct json_writer w = { .depth = 0 };

	json_write_object(&w, NULL);
	idmap_write_oci(m, &w);
	json_write_end(&w);
	if (json_writer_print(&w, JSON_PRETTY, b) < 0)
		return err_nomem(e);
	buf_char(b, '\n');
	return 0;
}

/* crun(1), podman-run(1): the id of the backing filesystem, the id on the host, the count. */
static int print_crun(const struct idmap *m, struct buf *b, struct err *e)
{
	static const struct layout each = { "", "-", "", "#" };

	(void)e;
	buf_str(b, "idmap=uids=");
	put_ranges(&m->uid, &each, b);
	buf_str(b, ";gids=");
	put_ranges(&m->gid, &each, b);
	buf_char(b, '\n');
	return 0;
}

/* systemd-nspawn(1): the first id on the host, and the count; ids in the tree start at 0. */
static int print_nspawn(const struct idmap *m, struct buf *b, struct err *e)
{
	const struct idrange *r = &m->uid.items[0];

	if (!alike(m) || m->uid.len > 1 || r->disk) {
		(void)err_say(e, ENOTSUP, NULL,
			"this map cannot be expressed in the form of systemd-nspawn");
		err_why(e,
			"--private-users= allows one range, which starts at disk id 0 and is the "
			"same for users and groups");
		err_try(e,
			"mount the tree with shiftbox mount-idmapped and this map, and start "
			"systemd-nspawn on it");
		return -ENOTSUP;
	}
	buf_printf(b, "--private-users=%" PRIu32 ":%" PRIu32 " --private-users-ownership=map\n",
		r->seen, r->count);
	return 0;
}

/*
 * lxc.container.conf(5): the id in the container, which its unshifted tree has on disk; the host
 * id.
 */
static int print_lxc(const struct idmap *m, struct buf *b, struct err *e)
{
	static const struct layout uid = { "lxc.idmap = u ", " ", "\n", "" },
				   gid = { "lxc.idmap = g ", " ", "\n", "" };

	(void)e;
	put_ranges(&m->uid, &uid, b);
	put_ranges(&m->gid, &gid, b);
	return 0;
}

static void put_span(uint32_t start, uint32_t count, struct buf *b)
{
	if (count == 1)
		buf_printf(b, " %" PRIu32, start);
	else
		buf_printf(b, " %" PRIu32 "-%" PRIu32, start, start + (count - 1));
}

static void put_incus_kind(const struct idranges *r, const char *kind, struct buf *b)
{
	for (size_t i = 0; i < r->len; i++) {
		buf_str(b, kind);
		put_span(r->items[i].seen, r->items[i].count, b);
		put_span(r->items[i].disk, r->items[i].count, b);
		buf_char(b, '\n');
	}
}

/* Incus and LXD, "Idmaps for user namespace": host ids come first, ids of the instance second. */
static int print_incus(const struct idmap *m, struct buf *b, struct err *e)
{
	(void)e;
	put_incus_kind(&m->uid, alike(m) ? "both" : "uid", b);
	if (!alike(m))
		put_incus_kind(&m->gid, "gid", b);
	return 0;
}

static int print_fstab(const struct idmap *m, struct buf *b, struct err *e)
{
	(void)e;
	buf_str(b, "map=");
	idmap_print(m, b);
	buf_char(b, '\n');
	return 0;
}

int idmap_print_form(const struct idmap *m, enum idmap_form form, struct buf *b, struct err *e)
{
	static int (*const print[])(const struct idmap *m, struct buf *b, struct err *e) = {
		[FORM_KERNEL] = print_kernel,
		[FORM_UTIL_LINUX] = print_util_linux,
		[FORM_OCI] = print_oci,
		[FORM_CRUN] = print_crun,
		[FORM_PODMAN] = print_crun,
		[FORM_NSPAWN] = print_nspawn,
		[FORM_LXC] = print_lxc,
		[FORM_INCUS] = print_incus,
		[FORM_FSTAB] = print_fstab,
	};

	return print[form](m, b, e);
}
