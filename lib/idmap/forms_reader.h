/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IDMAP_FORMS_READER_H
#define IDMAP_FORMS_READER_H

#include "../base/err.h"
#include "../base/vec.h"
#include "idmap.h"

/* The text of a map in the form of another tool, and what was read of it. Private to lib/idmap. */
enum { FORM_WORD_MAX = 128 };

struct form_reader {
	const char *tool;
	const char *at;           /* the rest of the text */
	char word[FORM_WORD_MAX]; /* the last word that was read */
	VEC(struct idrange) uid, gid;
	struct err *e;
};

/* A usage error: the text is not in the form. Returns -EINVAL. */
int form_wrong(struct form_reader *r, const char *what);

/*
 * Read the next word, which ends at a blank, into r->word. Returns false at the end. A word that is
 * longer than any number or name is cut, and refused when it is parsed.
 */
bool form_next_word(struct form_reader *r);

/* Add a range. kind: 'u', 'g', or 'b' for both. */
MUST_CHECK int form_add(struct form_reader *r, char kind, const struct idrange *x);

/* Parse "DISK SEEN COUNT"; the first word may have been read already. */
MUST_CHECK int form_three_numbers(struct form_reader *r, char kind, bool first_read);

/* idmap_forms_options.c: options of a command, "--uidmap=0:100000:65536 --gidmap 0:1:2" */
MUST_CHECK int form_read_options(struct form_reader *r);

/* Does the text begin with an option that form_read_options() knows? */
bool form_has_option(const char *text);

/* idmap_forms_json.c: uidMappings and gidMappings of the OCI; Incus' and LXD's volatile.idmap keys
 */
MUST_CHECK int form_read_oci(struct form_reader *r);
MUST_CHECK int form_read_incus_json(struct form_reader *r);

/* idmap_forms_lxc.c: a configuration of LXC or of Proxmox, with "lxc.idmap" in it */
MUST_CHECK int form_read_lxc(struct form_reader *r);

/* Does a line of the text begin with "lxc.idmap" or "lxc.id_map"? */
bool form_has_lxc(const char *text);

#endif
