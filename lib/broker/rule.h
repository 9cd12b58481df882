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
 * The rules of the broker (--allow, --policy). What no rule allows is denied. The syntax:
 *
 *   mknod:c:MAJOR:MINOR       create this character device node
 *   mknod:b:MAJOR:MINOR       create this block device node
 *   mknod:safe                create null zero full random urandom tty ptmx
 *   mount:FSTYPE:SOURCE[:ro]  mount this device or image, ID-mapped with the namespace's map
 *   umount                    unmount as the program itself could, and record it in the audit file
 *   chown:report              leave chown to the kernel, and print a report at the end
 *   chown:emulate             record owners without a mapping in an xattr, and return success
 *
 * RULE_WORDS are these words, or their beginnings, for shell completion; RULE_FORMS are for help.
 */
#define RULE_WORDS "mknod:safe mknod:c: mknod:b: mount: umount chown:report chown:emulate"
#define RULE_FORMS \
	"mknod:safe mknod:c:MAJOR:MINOR mknod:b:MAJOR:MINOR mount:FSTYPE:SOURCE[:ro] umount " \
	"chown:report chown:emulate"

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
	char *text;  /* as given */
	mode_t type; /* mknod: S_IFCHR or S_IFBLK */
	unsigned major, minor;
	char *fstype, *source; /* mount */
	bool read_only;        /* mount */
	int source_fd;         /* mount: O_PATH, opened when the broker starts; -1 before that */
};

/* Zero-initialise; free with rules_done(). */
struct rules {
	struct rule *items;
	size_t len, cap;
};

/*
 * Parse a rule and append it. Usage errors: -EINVAL for text that is not a rule, for a rule given
 * twice, and for two rules that contradict each other.
 */
MUST_CHECK int rules_add(struct rules *rs, const char *text, struct err *e);

/*
 * Append the rules of a policy file, one on a line; blank lines and lines that start with '#' are
 * skipped. Only the file's owner, root or the caller, may be able to write the file (-EPERM).
 * -EFBIG: the file is larger than 1 MiB. Messages name the line.
 */
MUST_CHECK int rules_read(struct rules *rs, const char *path, struct err *e);

void rules_done(struct rules *rs);

/*
 * The functions below return a rule that belongs to rs, or NULL.
 */

/* The first rule of a kind. */
const struct rule *rules_find(const struct rules *rs, enum rule_kind kind);

/* The rule that allows this device node; type: S_IFCHR or S_IFBLK. */
const struct rule *rules_device(
	const struct rules *rs, mode_t type, unsigned major, unsigned minor);

/* The rule that allows mounting source as fstype; both are compared byte by byte. */
const struct rule *rules_mount(const struct rules *rs, const char *fstype, const char *source);

/* The first rule that requires root of the host. */
const struct rule *rules_privileged(const struct rules *rs);

#endif
