/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BROKER_RULE_H
#define BROKER_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/err.h"
#include "../base/vec.h"

/*
 * What the broker may do for a program in the namespace; what no rule names is denied. The words:
 *   mknod:c:MAJOR:MINOR, mknod:b:MAJOR:MINOR   one device
 *   mknod:safe                                 null zero full random urandom tty console ptmx
 *   mount:FSTYPE:SOURCE[:ro]                   that device or image, ID-mapped with the namespace's
 * map umount                                     as the program itself could, and written to the
 * audit file chown:report                               the kernel decides; what was wanted is told
 * at the end chown:emulate                              owners without a mapping are recorded, and
 * success is answered RULE_WORDS are those, or how they begin, for shells to complete.
 */
#define RULE_WORDS "mknod:safe mknod:c: mknod:b: mount: umount chown:report chown:emulate"

enum rule_kind {
	RULE_MKNOD,
	RULE_MKNOD_SAFE,
	RULE_MOUNT,
	RULE_UMOUNT,
	RULE_CHOWN_REPORT,
	RULE_CHOWN_EMULATE
};

struct rule {
	enum rule_kind kind;
	char *text;  /* as it was given */
	mode_t type; /* mknod: S_IFCHR or S_IFBLK */
	unsigned major, minor;
	char *fstype, *source; /* mount */
	bool read_only;
	int source_fd; /* mount: opened when the broker starts; -1 before */
};

/* Zero-initialise; free with rules_done(). */
struct rules {
	struct rule *items;
	size_t len, cap;
};

/*
 * Take one rule. -EINVAL (a fault of usage): no such rule, with what is wrong with it; -EEXIST:
 * given already, or the opposite of one.
 */
int rules_add(struct rules *rs, const char *text, struct err *e);

/*
 * Take the rules of a file, one a line; blank lines and lines that start with '#' do not count. The
 * file is root's or the caller's own and nobody else's to write (-EPERM), of at most 1 MiB. Faults
 * name the line.
 */
int rules_read(struct rules *rs, const char *path, struct err *e);

void rules_done(struct rules *rs);

/* The first rule of a kind, or NULL. */
const struct rule *rules_find(const struct rules *rs, enum rule_kind kind);

/* The rule that allows this device node (type: S_IFCHR or S_IFBLK), or NULL. */
const struct rule *rules_device(
	const struct rules *rs, mode_t type, unsigned major, unsigned minor);

/* The rule for mounting source as fstype, both compared byte by byte, or NULL. */
const struct rule *rules_mount(const struct rules *rs, const char *fstype, const char *source);

/* The first rule that only root can have carried out, or NULL. */
const struct rule *rules_privileged(const struct rules *rs);

#endif
