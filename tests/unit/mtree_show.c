/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a specification gives of its entries, as text. */

#include "mtree_show.h"

#include <string.h>

#include "../../lib/base/buf.h"

int mtree_show(const struct mtree_entry *s, void *arg)
{
	struct buf *b = arg;

	buf_escaped(b, s->path, strlen(s->path));
	if (s->has_type)
		buf_printf(b, " t%o", s->type >> 12);
	if (s->has_mode)
		buf_printf(b, " %04o", s->mode);
	if (s->has_uid)
		buf_printf(b, " u%u", s->uid);
	if (s->has_gid)
		buf_printf(b, " g%u", s->gid);
	if (s->has_size)
		buf_printf(b, " s%llu", (unsigned long long)s->size);
	if (s->has_time)
		buf_printf(b, " %lld.%ld", (long long)s->sec, s->nsec);
	if (s->has_rdev)
		buf_printf(b, " r%llx", (unsigned long long)s->rdev);
	if (s->link)
		buf_printf(b, " ->%s", s->link);
	buf_char(b, '\n');
	return 0;
}
