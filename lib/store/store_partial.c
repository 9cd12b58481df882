/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* store_partial: what has arrived of interrupted downloads. */

#include "store_partial.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/log.h"
#include "store_dir.h"
#include "store_priv.h"

enum { KEPT_SECONDS = 7 * 24 * 3600 };

static const char partial[] = "partial";

struct removal {
	bool dry_run;
	time_t before; /* files that are older, and all if it is 0 */
	uint64_t files, bytes;
};

static int remove_files(int dirfd, const struct store *s, struct removal *rm, struct err *e)
{
	scoped_strv struct strv names = { 0 };
	int r = store_dir_list(dirfd, s->path, &names, e);

	for (size_t i = 0; r == 0 && i < names.len; i++) {
		struct stat st;

		if (fstatat(dirfd, names.items[i], &st, AT_SYMLINK_NOFOLLOW) < 0 ||
			!S_ISREG(st.st_mode) || (rm->before && st.st_mtime >= rm->before))
			continue;
		if (!rm->dry_run && unlinkat(dirfd, names.items[i], 0) < 0 && errno != ENOENT)
			return err_set(e, errno, names.items[i],
				"cannot remove a part of a download from the store");
		rm->files++;
		rm->bytes += (uint64_t)st.st_size;
	}
	return r;
}

int store_partial_open(struct store *s, int *ret_fd, struct err *e)
{
	struct removal old = { .before = time(NULL) - KEPT_SECONDS };
	scoped_fd int fd = -1;
	int r;

	if (mkdirat(s->fd, partial, 0700) < 0 && errno != EEXIST)
		return err_set(e, errno, s->path, "cannot create the directory '%s' in the store",
			partial);
	r = fd_open_beneath(s->fd, partial, O_RDONLY | O_DIRECTORY, &fd, e);
	if (r == 0)
		r = remove_files(fd, s, &old, e);
	if (r < 0)
		return r;
	if (old.files)
		log_verbose("removed %llu parts of downloads that are older than a week",
			(unsigned long long)old.files);

	*ret_fd = TAKE_FD(fd);
	return 0;
}

int store_partial_prune(
	struct store *s, bool dry_run, uint64_t *ret_files, uint64_t *ret_bytes, struct err *e)
{
	struct removal all = { .dry_run = dry_run };
	struct err own = ERR_INIT;
	scoped_fd int fd = -1;
	int r = fd_open_beneath(s->fd, partial, O_RDONLY | O_DIRECTORY, &fd, &own);

	if (r == 0)
		r = remove_files(fd, s, &all, &own);
	if (r == -ENOENT)
		r = 0;
	if (r < 0 && e)
		*e = own;
	*ret_files = all.files;
	*ret_bytes = all.bytes;
	return r;
}
