/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes as the tar around an image: no crash, and what is found lies in the file. */

#include "fuzz.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../lib/source/image_archive.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "oci-layout", "index.json", "manifest.json", "a",
		"a/b" };
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct image_archive *o = NULL;
	struct stat st;
	uint64_t at, n;

	FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	(void)image_archive_look(fd, 1 << 20);
	if (image_archive_open(fd, "fuzz", 1 << 20, &o, NULL) == 0) {
		FUZZ_CHECK(fstat(image_archive_fd(o), &st) == 0);
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (image_archive_find(o, names[i], &at, &n, NULL) == 0)
				FUZZ_CHECK(n <= (uint64_t)st.st_size &&
					at <= (uint64_t)st.st_size - n);
		image_archive_free(o);
	}
	(void)close(fd);
	return 0;
}
