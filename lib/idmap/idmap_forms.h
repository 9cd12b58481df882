/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IDMAP_IDMAP_FORMS_H
#define IDMAP_IDMAP_FORMS_H

#include "../base/buf.h"
#include "../base/err.h"
#include "idmap.h"

struct json_writer;

/*
 * A map in the forms of other tools. Each has its own name and position for the disk side; the
 * comment of each printer in idmap_forms.c gives the source.
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

/* The names of the forms, in the order of the enum. */
#define IDMAP_FORM_WORDS "kernel util-linux oci crun podman nspawn lxc incus fstab"

/*
 * Append m in a form, each line with its newline. Returns 0, or -ENOTSUP if the form cannot express
 * it: that of systemd-nspawn allows one range from disk id 0, the same for users and groups.
 */
MUST_CHECK int idmap_print_form(
	const struct idmap *m, enum idmap_form form, struct buf *b, struct err *e);

/* Write the members uidMappings and gidMappings of FORM_OCI into the object that is open in w. */
void idmap_write_oci(const struct idmap *m, struct json_writer *w);

/*
 * Parse a map in any of these forms, which its beginning selects, or else in the language of
 * idmap_parse(). The n texts are joined with blanks. Errors are those of idmap_parse().
 */
MUST_CHECK int idmap_parse_form(
	const char *const *texts, size_t n, struct idmap *ret, struct err *e);

#endif
