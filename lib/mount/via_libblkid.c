/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* via_libblkid: the only file that uses libblkid. */

#include "via_libblkid.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <blkid/blkid.h>

#include "../base/buf.h"

enum { PARTITIONS_SHOWN = 4 };

static void free_probe(blkid_probe *p)
{
	blkid_free_probe(*p);
}

#define scoped_probe __attribute__((cleanup(free_probe)))

static const char *value_of(blkid_probe p, const char *name)
{
	const char *v = NULL;

	return blkid_probe_lookup_value(p, name, &v, NULL) == 0 && v ? v : "";
}

static int start(const struct blk_area *a, blkid_probe *ret)
{
	errno = 0;
	*ret = blkid_new_probe();
	if (!*ret)
		return -ENOMEM;
	if (blkid_probe_set_device(*ret, a->fd, (blkid_loff_t)a->offset, (blkid_loff_t)a->size) < 0)
		return errno ? -errno : -EIO;
	return 0;
}

/*
 * --- what else there is ------------------------------------------------------------------------
 */

static int add_partition(blkid_partition part, bool file, uint64_t offset, struct buf *b)
{
	uint64_t from = offset + (uint64_t)blkid_partition_get_start(part) * 512,
		 n = (uint64_t)blkid_partition_get_size(part) * 512;
	const char *name = blkid_partition_get_name(part);

	if (!n || blkid_partition_is_extended(part))
		return 0;
	buf_printf(b, "%s%d", b->len ? "; " : "", blkid_partition_get_partno(part));
	if (name && *name)
		buf_printf(b, " '%s'", name);
	if (file)
		buf_printf(b, ": -o offset=%llu,sizelimit=%llu", (unsigned long long)from,
			(unsigned long long)n);
	else
		buf_printf(b, ": %llu bytes", (unsigned long long)n);
	return 1;
}

/* 1: there is a partition table, and e is filled. */
static int look_for_table(const struct blk_area *a, struct err *e)
{
	scoped_probe blkid_probe p = NULL;
	scoped_buf struct buf b = BUF_INIT;
	blkid_partlist list;
	int n, shown = 0;

	if (start(a, &p) < 0)
		return 0;
	(void)blkid_probe_enable_superblocks(p, 0);
	(void)blkid_probe_enable_partitions(p, 1);
	list = blkid_probe_get_partitions(p);
	if (!list || !blkid_partlist_get_table(list))
		return 0;

	n = blkid_partlist_numof_partitions(list);
	for (int i = 0; i < n && shown < PARTITIONS_SHOWN; i++)
		shown += add_partition(
			blkid_partlist_get_partition(list, i), a->file, a->offset, &b);
	(void)err_say(e, EINVAL, a->name,
		"contains a table of partitions (%s) instead of a filesystem",
		blkid_parttable_get_type(blkid_partlist_get_table(list)));
	err_op(e, "probe");
	if (!shown)
		err_why(e, "there are no partitions in it");
	else
		err_try(e, "%s partition %s%s",
			a->file ? "mount one of them by its offset:" :
				  "name the device of one of them (lsblk shows which):",
			buf_get(&b) ? buf_get(&b) : "?", n > shown ? "; ..." : "");
	return 1;
}

/* "ext4, swap". Returns how many there are. */
static unsigned list_signatures(blkid_probe p, struct buf *b)
{
	unsigned n = 0;

	blkid_reset_probe(p);
	for (; blkid_do_probe(p) == 0 && b->len < 512; n++)
		buf_printf(b, "%s%s", b->len ? ", " : "", value_of(p, "TYPE"));
	return n;
}

/* libblkid 2.41 returns -1 where others return -2, for several signatures; errno stays 0. */
static bool is_ambivalent(blkid_probe p, int r)
{
	scoped_buf struct buf b = BUF_INIT;

	return r == -2 || (r == -1 && errno == 0 && list_signatures(p, &b) > 1);
}

static int ambivalent(blkid_probe p, const char *name, struct err *e)
{
	scoped_buf struct buf b = BUF_INIT;

	(void)list_signatures(p, &b);
	(void)err_say(e, EINVAL, name,
		"cannot tell which filesystem this is, since it has several signatures");
	err_op(e, "probe");
	err_why(e, "there are %s", buf_get(&b) ? buf_get(&b) : "?");
	err_try(e, "specify the right one with -t TYPE, and remove the others: wipefs shows them");
	return -EINVAL;
}

static int nothing(const struct blk_area *a, struct err *e)
{
	if (look_for_table(a, e) == 1)
		return -EINVAL;
	(void)err_say(e, ENODATA, a->name, "contains no known filesystem");
	err_op(e, "probe");
	err_why(e, "libblkid finds no signature%s", a->offset ? " at this offset" : "");
	if (a->file)
		err_try(e,
			"name the type if you know better (-t TYPE, or type=TYPE in a line of an "
			"fstab), or, to bind the file itself, a file as TARGET");
	else
		err_try(e,
			"name the type if you know better (-t TYPE, or type=TYPE in a line of an "
			"fstab)");
	return -ENODATA;
}

/* The contents are known, but are not a filesystem. */
static int no_filesystem(const char *name, const char *type, const char *usage, struct err *e)
{
	static const struct {
		const char *type, *what, *hint;
	} known[] = {
		{ "swap", "swap space", "it is used with swapon(8)" },
		{ "swsuspend", "the image of a suspended system", "resume that system first" },
		{ "crypto_LUKS", "encrypted data (LUKS)",
			"open it first (cryptsetup open), and mount the device of /dev/mapper" },
		{ "BitLocker", "encrypted data (BitLocker)",
			"open it first (cryptsetup bitlkOpen), and mount the device of "
			"/dev/mapper" },
		{ "LVM2_member", "a physical volume of LVM",
			"activate its group (vgchange -ay), and mount a logical volume" },
		{ "LVM1_member", "a physical volume of LVM",
			"activate its group (vgchange -ay), and mount a logical volume" },
		{ "linux_raid_member", "a member of a RAID",
			"assemble it (mdadm --assemble), and mount the device /dev/md*" },
		{ "zfs_member", "a member of a ZFS pool", "import the pool (zpool import)" },
		{ "DM_verity_hash", "the hashes of dm-verity",
			"open it with its data (veritysetup open)" },
	};
	const char *what = NULL, *hint = "mount the device that is made of it";

	for (size_t i = 0; i < ARRAY_LEN(known) && !what; i++) {
		if (strcmp(known[i].type, type))
			continue;
		what = known[i].what;
		hint = known[i].hint;
	}
	if (what)
		(void)err_say(e, EINVAL, name, "contains %s, which is not a filesystem", what);
	else
		(void)err_say(e, EINVAL, name, "contains '%s' (%s), which is not a filesystem",
			type, *usage ? usage : "of unknown use");
	err_op(e, "probe");
	err_try(e, "%s", hint);
	return -EINVAL;
}

int blk_probe(const struct blk_area *a, struct blk_found *ret, struct err *e)
{
	scoped_probe blkid_probe p = NULL;
	struct blk_found found = { .damaged = false };
	int r = start(a, &p);

	if (r < 0)
		return err_set(e, -r, a->name, "cannot look for a filesystem");
	(void)blkid_probe_enable_superblocks(p, 1);
	/*
	 * Superblocks with a wrong checksum are found, too, so that the kernel's error can be
	 * attributed to damage.
	 */
	(void)blkid_probe_set_superblocks_flags(p,
		BLKID_SUBLKS_TYPE | BLKID_SUBLKS_USAGE | BLKID_SUBLKS_UUID | BLKID_SUBLKS_BADCSUM);
	errno = 0;
	r = blkid_do_safeprobe(p);
	if (is_ambivalent(p, r))
		return ambivalent(p, a->name, e);
	if (r == 1)
		return nothing(a, e);
	if (r != 0)
		return err_set(
			e, errno ? errno : EIO, a->name, "cannot read it to look for a filesystem");

	(void)snprintf(found.type, sizeof(found.type), "%s",
		value_of(p, "TYPE")); /* no kernel knows a longer one */
	(void)snprintf(found.uuid, sizeof(found.uuid), "%s", value_of(p, "UUID"));
	found.damaged = blkid_probe_has_value(p, "SBBADCSUM");
	if (strcmp(value_of(p, "USAGE"), "filesystem"))
		return no_filesystem(a->name, found.type, value_of(p, "USAGE"), e);
	*ret = found;
	return 0;
}

/*
 * --- tags --------------------------------------------------------------------------------------
 */

static const char *const tags[] = { "UUID", "LABEL", "PARTUUID", "PARTLABEL" };

/* The length of the tag's name, or 0. */
static size_t tag_length(const char *source)
{
	for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
		size_t n = strlen(tags[i]);

		if (!strncmp(source, tags[i], n) && source[n] == '=')
			return n;
	}
	return 0;
}

bool blk_is_tag(const char *source)
{
	return tag_length(source) > 0;
}

static void put_cache(blkid_cache *c)
{
	if (*c)
		blkid_put_cache(*c);
}

/*
 * Fail if several devices have the tag, of which libblkid returns any. When it returns one,
 * libblkid has looked at all devices.
 */
static int check_alone(
	blkid_cache cache, const char *tag, const char *name, const char *value, struct err *e)
{
	blkid_dev_iterate it = blkid_dev_iterate_begin(cache);
	scoped_buf struct buf b = BUF_INIT;
	blkid_dev dev;
	int n = 0;

	if (!it)
		return err_nomem(e);
	(void)blkid_dev_set_search(it, (char *)name, (char *)value); /* which are not changed */
	while (blkid_dev_next(it, &dev) == 0) {
		scoped_free char *type = blkid_get_tag_value(cache, "TYPE", blkid_dev_devname(dev));

		/* All devices of one btrfs have its UUID and label. */
		if (type && !strcmp(type, "btrfs"))
			continue;
		buf_printf(&b, "%s%s", n++ ? ", " : "", blkid_dev_devname(dev));
	}
	blkid_dev_iterate_end(it);
	if (n < 2)
		return 0;
	(void)err_say(e, EEXIST, tag, "cannot tell which device is meant: several have it");
	err_op(e, "probe");
	err_why(e, "found: %s", buf_get(&b) ? buf_get(&b) : "?");
	err_try(e, "name the device itself");
	return -EEXIST;
}

int blk_find(const char *tag, char **ret, struct err *e)
{
	__attribute__((cleanup(put_cache))) blkid_cache cache = NULL;
	scoped_free char *name = NULL, *value = NULL, *path = NULL;
	size_t n = tag_length(tag);
	int r;

	if (!n || !tag[n + 1])
		return err_usage_try(e,
			"write a value after '=', as in LABEL=data: lsblk -f shows the devices "
			"with theirs",
			"'%s' is not a valid tag of a device", tag);
	/*
	 * fstab(5) allows quotes, which the call removes. /dev/null: no cache file is read or
	 * written.
	 */
	if (blkid_parse_tag_string(tag, &name, &value) < 0 ||
		blkid_get_cache(&cache, "/dev/null") < 0)
		return err_nomem(e);
	path = blkid_evaluate_tag(name, value, &cache);
	if (!path) {
		(void)err_say(e, ENOENT, tag, "no device has this %s", name);
		err_op(e, "probe");
		err_try(e, "lsblk -f shows the devices with their names");
		return -ENOENT;
	}
	r = check_alone(cache, tag, name, value, e);
	if (r < 0)
		return r;

	*ret = TAKE_PTR(path);
	return 0;
}
