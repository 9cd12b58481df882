/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* kernel_log: the kernel's messages about a failed mount. */

#include "kernel_log.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../base/buf.h"

enum { LINES_MAX = 4, RECORDS_MAX = 1000 };

int kernel_log_open(void)
{
	scoped_fd int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 || lseek(fd, 0, SEEK_END) < 0)
		return -1;
	return TAKE_FD(fd);
}

static void add_text(const char *s, size_t n, struct buf *b)
{
	while (n && (s[n - 1] == '\n' || s[n - 1] == '\0'))
		n--;
	if (!n || (b->len && memmem(b->data, b->len, s, n)))
		return;
	if (b->len)
		buf_str(b, "; ");
	buf_add(b, s, n);
}

static void read_context(int fs, struct buf *b)
{
	char line[1024];
	ssize_t n;

	while ((n = read(fs, line, sizeof(line))) > 0) {
		size_t skip = n > 2 && line[1] == ' ' ? 2 : 0;

		add_text(line + skip, (size_t)n - skip, b);
	}
}

/* Does the text contain the name as a word ("loop1", but not in "loop12")? */
static bool names(const char *text, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = text; (p = strstr(p, name)); p += n)
		if ((p == text || !isalnum((unsigned char)p[-1])) && !isalnum((unsigned char)p[n]))
			return true;
	return false;
}

/* Records are "6,1234,5678,-;text\n KEY=value\n": Documentation/ABI/testing/dev-kmsg. */
static void read_log(int log, const char *name, struct buf *b)
{
	char record[8192];
	int lines = 0;
	ssize_t n;

	for (int i = 0; i < RECORDS_MAX && lines < LINES_MAX; i++) {
		char *text;

		n = read(log, record, sizeof(record) - 1);
		if (n < 0 && errno == EPIPE)
			continue; /* overwritten before it was read: read the next */
		if (n <= 0)
			return;
		record[n] = '\0';
		text = strchr(record, ';');
		if (!text)
			continue;
		text++;
		text[strcspn(text, "\n")] = '\0';
		if (!names(text, name))
			continue;
		add_text(text, strlen(text), b);
		lines++;
	}
}

void kernel_log_explain(int fs, int log, const char *device, struct err *e)
{
	const char *slash = device ? strrchr(device, '/') : NULL;
	scoped_buf struct buf b = BUF_INIT;

	read_context(fs, &b);
	if (log >= 0 && slash && slash[1])
		read_log(log, slash + 1, &b);
	if (b.len && buf_get(&b))
		err_why(e, "the kernel says: %s", buf_get(&b));
}
