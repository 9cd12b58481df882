/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mount_call: read the command line of the mount(8) that has called us. */

#include "mount_call.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/base/buf.h"
#include "../lib/base/fd.h"
#include "../lib/base/vec.h"

enum { CALL_MAX = 4 << 20 }; /* bytes: more than execve(2) accepts by default */

/*
 * Options of mount(8), util-linux 2.41: those that have an argument, which is not an operand then,
 * or are of interest here.
 */
static const char short_opts[] = "aBcfFhiL:lMm::nN:o:O:rRsT:t:U:vVw";
enum { SOURCE = 256, TARGET, WORD };
static const struct option long_opts[] = {
	{ "fstab", required_argument, NULL, 'T' },
	{ "label", required_argument, NULL, 'L' },
	{ "uuid", required_argument, NULL, 'U' },
	{ "source", required_argument, NULL, SOURCE },
	{ "target", required_argument, NULL, TARGET },
	{ "options", required_argument, NULL, 'o' },
	{ "options-mode", required_argument, NULL, WORD },
	{ "options-source", required_argument, NULL, WORD },
	{ "test-opts", required_argument, NULL, WORD },
	{ "types", required_argument, NULL, WORD },
	{ "target-prefix", required_argument, NULL, WORD },
	{ "namespace", required_argument, NULL, WORD },
	{ "map-users", required_argument, NULL, WORD },
	{ "map-groups", required_argument, NULL, WORD },
	{ NULL, 0, NULL, 0 },
};

static int set(char **to, const char *tag, const char *val, struct err *e)
{
	free(*to);
	if (asprintf(to, "%s%s", tag, val) >= 0)
		return 0;
	*to = NULL;
	return err_nomem(e);
}

static int read_option(int c, const char *val, struct mount_call *m, struct err *e)
{
	switch (c) {
	case 'T':
		return set(&m->fstab, "", val, e);
	case 'L':
		return set(&m->source, "LABEL=", val, e);
	case 'U':
		return set(&m->source, "UUID=", val, e);
	case SOURCE:
		return set(&m->source, "", val, e);
	case TARGET:
		return set(&m->target, "", val, e);
	case 'o':
		buf_printf(&m->options, "%s%s", m->options.len ? "," : "", val);
		return buf_get(&m->options) ? 0 : err_nomem(e);
	default:
		return 0;
	}
}

static int read_words(int argc, char **argv, struct mount_call *m, struct err *e)
{
	int c, r = 0;

	opterr = 0;
	optind = 0; /* glibc: start again */
	while (r == 0 && (c = getopt_long(argc, argv, short_opts, long_opts, NULL)) != -1)
		r = read_option(c, optarg, m, e);
	if (r == 0 && !m->source && argc - optind == (m->target ? 1 : 2))
		r = set(&m->source, "", argv[optind], e);
	if (r == 0 && argc > optind && !m->target)
		r = set(&m->target, "", argv[argc - 1], e);
	return r;
}

int mount_call_read(struct mount_call *ret, struct err *e)
{
	struct mount_call m = MOUNT_CALL_INIT;
	scoped_buf struct buf b = BUF_INIT;
	VEC(char *) words = { 0 };
	char path[32];
	const char *base;
	int r = 0;

	*ret = m;
	(void)snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)getppid()); /* fits */
	if (fd_read_file(AT_FDCWD, path, CALL_MAX, &b, NULL) < 0 || !b.len || !buf_get(&b))
		return 0;
	base = strrchr(b.data, '/');
	if (strcmp(base ? base + 1 : b.data, "mount") != 0)
		return 0;
	for (char *p = b.data; r == 0 && p < b.data + b.len; p += strlen(p) + 1)
		r = VEC_ADD(&words, p) < 0 ? err_nomem(e) : 0;
	if (r == 0 && VEC_ADD(&words, NULL) < 0)
		r = err_nomem(e);
	m.known = true;
	if (r == 0)
		r = read_words((int)words.len - 1, words.items, &m, e);
	VEC_DONE(&words);
	if (r < 0)
		mount_call_done(&m);
	else
		*ret = m;
	return r;
}

void mount_call_done(struct mount_call *c)
{
	free(c->fstab);
	free(c->source);
	free(c->target);
	buf_done(&c->options);
	*c = MOUNT_CALL_INIT;
}
