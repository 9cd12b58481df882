/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* host_row: the rows of the survey, on their way through a pipe; each field ends with a NUL. */

#include "host_row.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/sys.h"
#include "../mount/mount_attr.h"

enum { FIELDS = 5 };

static void add_field(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text) + 1);
}

void host_row(struct host *h, struct host_feature f, enum host_answer answer, const char *fmt, ...)
{
	const char digit[] = { (char)('0' + answer), '\0' };
	scoped_buf struct buf row = BUF_INIT;
	char detail[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(detail, sizeof(detail), fmt, ap); /* truncated if long */
	va_end(ap);
	add_field(&row, f.section);
	add_field(&row, f.name);
	add_field(&row, digit);
	add_field(&row, f.since ? f.since : "");
	add_field(&row, detail);
	if (!buf_get(&row) || fd_write_all(h->out, row.data, row.len) < 0)
		_exit(1); /* the parent reports that the survey ended early */
}

void host_row_result(struct host *h, struct host_feature f, int r)
{
	if (r >= 0)
		host_row(h, f, HOST_YES, "%s", "");
	else
		host_row(h, f, HOST_NO, "%s", strerrordesc_np(-r));
}

int host_rows_parse(
	const struct buf *rows, int (*fn)(const struct host_row *r, void *arg), void *arg)
{
	const char *f[FIELDS];
	int r = 0;

	for (size_t at = 0; at < rows->len && r == 0;) {
		for (size_t i = 0; i < FIELDS; i++) {
			if (at >= rows->len)
				return -EPROTO;
			f[i] = rows->data + at;
			at += strlen(f[i]) + 1;
		}
		r = fn(&(struct host_row){ f[0], f[1], (enum host_answer)(f[2][0] - '0'), f[3],
			       f[4] },
			arg);
	}
	return r;
}

int host_mapped_clone(const struct host *h, int fd)
{
	scoped_fd int tree =
		sys_open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	int r = tree < 0 ? -errno : mount_attr_set(tree, &mount_flags_private, h->userns);

	return r < 0 ? r : TAKE_FD(tree);
}
