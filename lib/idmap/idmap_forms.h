/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IDMAP_IDMAP_FORMS_H
#define IDMAP_IDMAP_FORMS_H

#include "../base/buf.h"
#include "../base/err.h"
#include "idmap.h"

/*
 * A map as other tools take it. Which column is the disk side is theirs to say and none of them
 * calls it so; the comment of each printer in forms.c tells what it was taken from.
 */
enum idmap_form {
	FORM_KERNEL,     /* lines of uid_map and gid_map: "0 100000 65536" */
	FORM_UTIL_LINUX, /* an option of mount(8): X-mount.idmap=b:0:100000:65536 */
	FORM_OCI,        /* members of a mount in config.json: uidMappings, gidMappings */
	FORM_CRUN,   /* an option of a mount in config.json: idmap=uids=0-100000-65536;gids=... */
	FORM_PODMAN, /* the same, for --volume and --mount */
	FORM_NSPAWN, /* --private-users=100000:65536 --private-users-ownership=map */
	FORM_LXC,    /* lines "lxc.idmap = u 0 100000 65536" */
	FORM_INCUS,  /* lines for raw.idmap: "both 100000-165535 0-65535" */
	FORM_FSTAB,  /* an option of a line of type shiftbox: map=b:0:100000:65536 */
};

/* The forms' names, in the order of the enum. */
#define IDMAP_FORM_WORDS "kernel util-linux oci crun podman nspawn lxc incus fstab"

/*
 * Append m in that form, each line with its newline. Returns 0, or -ENOTSUP: the form cannot say it
 * (only nspawn's is so narrow: one range from disk id 0, the same for users and groups).
 */
MUST_CHECK int idmap_print_form(
	const struct idmap *m, enum idmap_form form, struct buf *b, struct err *e);

/*
 * Read a map in any of these forms, told by how it begins, or else in the language of
 * idmap_parse(). n texts are joined with blanks between them. Errors are those of idmap_parse().
 */
MUST_CHECK int idmap_parse_form(
	const char *const *texts, size_t n, struct idmap *ret, struct err *e);

#endif
