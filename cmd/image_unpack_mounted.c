/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-unpack --remove: is the image mounted? Its mounts are overlays whose source is image:NAME. Of layers that
 * were given as descriptors the kernel tells no paths, so that of two stores with an image of one name it cannot
 * be told whose is mounted: then it counts as this one's. Where it tells the layers' paths, the store is known.
 */

#include "image_unpack.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/base/num.h"
#include "../lib/image/store.h"
#include "../lib/mount/info.h"

struct search {
	const char *image, *store;
	struct buf where;        /* the first mount that was found */
};

/* Do the options name a layer of a store that is there and is another one? */
static bool is_of_another(const char *options, const char *store)
{
	const char *begin = strstr(options, "lowerdir"), *end;
	scoped_free char *path = NULL;
	struct stat theirs, ours;

	begin = begin ? strchr(begin, '=') : NULL;
	end = begin ? strstr(begin, "/layers/sha256-") : NULL;
	if (!end)
		return false;
	path = strndup(begin + 1, (size_t)(end - begin - 1));
	return path && *path == '/' && stat(path, &theirs) == 0 && stat(store, &ours) == 0 &&
	       (theirs.st_dev != ours.st_dev || theirs.st_ino != ours.st_ino);
}

static int look(const struct mount_info *i, void *arg)
{
	struct search *s = arg;

	if (strcmp(i->type, "overlay") || strncmp(i->source, "image:", 6) || strcmp(i->source + 6, s->image) ||
	    is_of_another(i->options, s->store))
		return 0;
	buf_str(&s->where, i->target);
	return 1;
}

static int look_in(struct search *s, pid_t pid, struct err *e)
{
	char table[40];

	(void)snprintf(table, sizeof(table), "/proc/%d/mountinfo", (int)pid);
	return mount_info_each(table, look, s, e);
}

/* The mount namespaces of other processes, each once; those that we may not look into, and what ends meanwhile, are left out. */
static int look_elsewhere(struct search *s, pid_t *ret_pid, struct err *e)
{
	DIR *proc = opendir("/proc");
	VEC(ino_t) seen = { .len = 0 };
	struct dirent *d;
	struct stat st;
	int r = 0;

	if (!proc)
		return err_set(e, errno, "/proc", "cannot look for mounts of the image");
	if (stat("/proc/self/ns/mnt", &st) == 0 && VEC_ADD(&seen, st.st_ino) < 0)
		r = err_nomem(e);
	while (r == 0 && (d = readdir(proc))) {
		char path[64];
		uint32_t pid;
		bool known = false;

		if (num_u32(d->d_name, &pid) < 0)
			continue;
		(void)snprintf(path, sizeof(path), "/proc/%u/ns/mnt", pid);
		if (stat(path, &st) < 0)
			continue;
		for (size_t i = 0; i < seen.len; i++)
			known |= seen.items[i] == st.st_ino;
		if (known)
			continue;
		if (VEC_ADD(&seen, st.st_ino) < 0)
			r = err_nomem(e);
		else if (look_in(s, (pid_t)pid, NULL) > 0)
			r = 1;
		*ret_pid = (pid_t)pid;
	}
	(void)closedir(proc); /* only read from */
	VEC_DONE(&seen);
	return r;
}

int unpack_check_unmounted(const struct store *store, const char *name, struct err *e)
{
	struct search s = { .image = name, .store = store_path(store), .where = BUF_INIT };
	pid_t pid = 0;
	int r = look_in(&s, getpid(), e);

	if (r == 0)
		r = look_elsewhere(&s, &pid, e);
	if (r > 0) {
		const char *where = buf_get(&s.where) ? buf_get(&s.where) : "";

		r = err_say(e, EBUSY, name, "the image is mounted");
		if (pid) {
			err_why(e, "at '%s', in the mount namespace of process %d", where, (int)pid);
			err_try(e, "unmount it there: nsenter -t %d -m umount TARGET", (int)pid);
		} else {
			err_why(e, "at '%s'", where);
			err_try(e, "unmount it: shiftbox mount-idmapped -u TARGET");
		}
	}
	buf_done(&s.where);
	return r;
}
