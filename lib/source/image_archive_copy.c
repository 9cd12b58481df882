/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image_archive_copy: copy a compressed or piped archive into an unlinked file. */

#include "image_archive_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/env.h"
#include "../base/fd.h"
#include "../base/log.h"
#include "../base/path.h"
#include "../tar/decode.h"
#include "image_archive_input.h"

static int unlinked_file(const char *dir, int *ret_fd, struct err *e)
{
	static const char what[] = "cannot make a temporary file for the archive";
	scoped_fd int at = -1;
	char name[40];
	uint64_t id;
	int r = path_open(dir, O_PATH | O_DIRECTORY, what, NULL, &at, e);

	if (r < 0)
		return r;
	if (getrandom(&id, sizeof(id), 0) != sizeof(id))
		return err_set(e, errno, dir, "cannot get a random name");
	(void)snprintf(name, sizeof(name), "shiftbox.%016" PRIx64, id); /* fits */
	*ret_fd = openat(at, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (*ret_fd < 0)
		return err_set(e, errno, dir, "%s", what);
	(void)unlinkat(at, name, 0); /* it is empty, and only this process uses it */
	return 0;
}

static int temporary_file(int *ret_fd, struct err *e)
{
	const char *dir = env_get("TMPDIR");
	int r;

	if (!dir || !*dir)
		dir = "/var/tmp";
	r = path_open(dir, O_TMPFILE | O_RDWR, "cannot make a temporary file for the archive", NULL,
		ret_fd, e);
	if (r != -EOPNOTSUPP && r != -EISDIR)
		return r;
	log_verbose("%s does not support O_TMPFILE: creating and unlinking a file instead", dir);
	if (e)
		*e = ERR_INIT;
	return unlinked_file(dir, ret_fd, e);
}

static int copy(struct decode *d, uint64_t max_bytes, int to, struct err *e)
{
	scoped_free uint8_t *piece = malloc(IMAGE_ARCHIVE_PIECE);
	uint64_t sum = 0;
	ssize_t n;
	int r;

	if (!piece)
		return err_nomem(e);
	while ((n = decode_read(d, piece, IMAGE_ARCHIVE_PIECE, e)) > 0) {
		sum += (size_t)n;
		if (sum > max_bytes) {
			(void)err_say(e, EFBIG, NULL,
				"the archive has more than %llu bytes, uncompressed",
				(unsigned long long)max_bytes);
			err_try(e, "if this is expected, raise the limit with --max-bytes");
			return -EFBIG;
		}
		r = fd_write_all(to, piece, (size_t)n);
		if (r < 0)
			return err_set(
				e, -r, NULL, "cannot copy the archive into a temporary file");
	}
	return (int)n;
}

int image_archive_copy(int fd, uint64_t max_bytes, int *ret_fd, struct err *e)
{
	scoped_free struct image_archive_input *in = calloc(1, sizeof(*in));
	struct decode *d = NULL;
	scoped_fd int to = -1;
	struct stat st;
	int r;

	if (!in)
		return err_nomem(e);
	if (fstat(fd, &st) < 0)
		return err_set(e, errno, NULL, "cannot stat the archive");
	in->fd = fd;
	in->regular = S_ISREG(st.st_mode);
	r = decode_open(image_archive_input_fill, in, &d, e);
	if (r == 0 && in->regular && !strcmp(decode_format(d), "none")) {
		to = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		if (to < 0)
			r = err_set(e, errno, NULL, "cannot open the archive again");
	} else if (r == 0) {
		log_verbose("the archive (%s) is copied into a temporary file: its members cannot "
			    "be read by offset",
			decode_format(d));
		r = temporary_file(&to, e);
		if (r == 0)
			r = copy(d, max_bytes, to, e);
	}
	decode_free(d);
	if (r < 0)
		return r;

	*ret_fd = TAKE_FD(to);
	return 0;
}
