/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "oom.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "../../lib/idmap/idmap.h"
#include "../../lib/idmap/idmap_forms.h"
#include "../../lib/idmap/userns.h"

/* Without JSON: jansson does not always say that it had no memory. */
OOM(idmap_parse_form)
{
	static const char *const texts[] = {
		"both 100000-165535 0-65535",
		"lxc.idmap = u 0 1 2\nlxc.idmap = g 0 1 2",
		"0 1 2",
		"--private-users=5:6",
		"+5",
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(texts); i++) {
		struct err e = ERR_INIT;
		struct idmap m;

		r = idmap_parse_form(&texts[i], 1, &m, &e);
		CHECK(r == 0 || (r == -ENOMEM && e.num == ENOMEM));
		if (r == 0)
			idmap_done(&m);
	}
	return r;
}

OOM(idmap_parse)
{
	static const char *const texts[] = { "u:0:100000:1000;u:2000:300000:5 g:0:5:7",
		"uids=5000-7-1#6000-9-1;gids=100-200-1" };
	struct err e = ERR_INIT;
	struct idmap m;
	int r = idmap_parse(texts, 2, NULL, &m, &e);

	CHECK(r == 0 || e.num == ENOMEM);
	if (r == 0)
		idmap_done(&m);
	return r;
}

OOM(idmap_compose_and_print)
{
	static const char *const a = "0:1000:10;20:2000:30", *const b = "1000:5:5;2000:50:100";
	struct idmap first, second, both = { 0 }, back = { 0 };
	scoped_buf struct buf text = BUF_INIT;
	int r = idmap_parse(&a, 1, NULL, &first, NULL);

	if (r < 0)
		return r;
	r = idmap_parse(&b, 1, NULL, &second, NULL);
	if (r == 0) {
		r = idmap_compose(&first, &second, &both, NULL);
		idmap_done(&second);
	}
	if (r == 0)
		r = idmap_invert(&both, &back, NULL);
	if (r == 0) {
		idmap_print(&back, &text);
		r = buf_get(&text) ? 0 : -ENOMEM;
	}
	idmap_done(&first);
	idmap_done(&both);
	idmap_done(&back);
	return r;
}

/* The one map that every user may have. */
OOM(userns_get)
{
	struct err e = ERR_INIT;
	char own[64];
	const char *text = own;
	struct idmap m, have;
	int fd, r;

	(void)snprintf(own, sizeof(own), "u:0:%u:1;g:0:%u:1", geteuid(), getegid());
	r = idmap_parse(&text, 1, NULL, &m, &e);
	if (r < 0)
		return r;
	r = userns_get(&m, &fd, &e);
	if (r == -EPERM)
		SKIP("user namespaces are not for ordinary users here");
	if (r == 0)
		r = userns_map_of_fd(fd, &have, &e);
	if (r == 0)
		idmap_done(&have);
	userns_cache_done();
	idmap_done(&m);
	return r;
}

OOM(idmap_print_form)
{
	const char *text = "u:0:1:2 7:9:1;g:30:40:5";
	struct err e = ERR_INIT;
	struct idmap m;
	int r = idmap_parse(&text, 1, NULL, &m, &e);

	if (r < 0)
		return r;
	for (enum idmap_form form = FORM_KERNEL; form <= FORM_FSTAB && r == 0; form++) {
		scoped_buf struct buf b = BUF_INIT;

		if (form == FORM_NSPAWN)
			continue; /* it cannot say this map */
		r = idmap_print_form(&m, form, &b, &e);
		if (r == 0 && !buf_get(&b))
			r = -ENOMEM;
	}
	idmap_done(&m);
	return r;
}
