/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* idmap_kernel: parse maps that the kernel prints. */

#include "idmap.h"

#include <errno.h>
#include <string.h>

#include "../base/num.h"
#include "draft.h"

static int parse_line(struct word line, unsigned kind, struct draft *d, struct err *e)
{
	struct word whole = line;
	struct draft_entry x;
	uint64_t v[3];

	for (size_t i = 0; i < 3; i++) {
		struct word w = word_column(&line);

		if (num_u64_n(w.s, w.len, &v[i]) < 0)
			return word_fault(e, EINVAL, &whole,
				"is not a line of a kernel map: DISK SEEN COUNT");
	}
	if (word_column(&line).len)
		return word_fault(e, EINVAL, &whole,
			"is not a line of a kernel map: something follows DISK SEEN COUNT");
	/*
	 * from_kuid() returns this for an id that the reader's namespace does not have
	 * (uid_m_show()).
	 */
	if (v[1] == UINT32_MAX) {
		(void)word_fault(e, ENODATA, &whole,
			"is mapped to ids that this user namespace does not have");
		err_why(e, "the map belongs to a namespace that is not a descendant of this one");
		return -ENODATA;
	}
	x = (struct draft_entry){ v[0], v[1], v[2], kind, whole.at };
	return draft_add(d, kind, &x, e);
}

int draft_add_kernel(struct draft *d, unsigned kind, const char *lines, struct err *e)
{
	struct word rest = { .s = lines, .len = strlen(lines) };

	for (bool more = true; more;) {
		struct word line = word_until(&rest, '\n', &more);
		int r;

		if (!line.len && !more)
			break;
		r = parse_line(line, kind, d, e);
		if (r < 0)
			return r;
	}
	return 0;
}

int idmap_parse_kernel(
	const char *uid_lines, const char *gid_lines, struct idmap *ret, struct err *e)
{
	scoped_draft struct draft d = { 0 };
	int r;

	r = draft_add_kernel(&d, KIND_UID, uid_lines, e);
	if (r == 0)
		r = draft_add_kernel(&d, KIND_GID, gid_lines, e);
	if (r < 0)
		return r;
	return draft_finish(&d, false, ret, e);
}
