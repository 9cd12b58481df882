/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* idmap_forms_lxc: parse the map in a configuration of LXC (lxc.container.conf(5)) or Proxmox. */

#include "forms_reader.h"

#include <string.h>

#define BLANKS " \t\r"

static const char *const keys[] = { "lxc.idmap", "lxc.id_map" };

/* The length of the key that text begins with, or 0. */
static size_t key_length(const char *text)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		size_t n = strlen(keys[i]);

		if (!strncmp(text, keys[i], n) && text[n] && strchr(BLANKS "=:\n", text[n]))
			return n;
	}
	return 0;
}

static const char *next_line(const char *at)
{
	at += strcspn(at, "\n");
	return *at ? at + 1 : at;
}

bool form_has_lxc(const char *text)
{
	for (; *text; text = next_line(text))
		if (key_length(text + strspn(text, BLANKS)))
			return true;
	return false;
}

/* Parse " = u DISK SEEN COUNT", of LXC, or ": u ...", of Proxmox. Several may be in a line. */
static int read_value(struct form_reader *r)
{
	r->at += strspn(r->at, BLANKS);
	if (*r->at != '=' && *r->at != ':')
		return form_wrong(r, "'=' or ':' is missing");
	r->at++;
	r->at += strspn(r->at, BLANKS);
	if (!*r->at || *r->at == '\n') { /* no value: forget the lines before */
		r->uid.len = r->gid.len = 0;
		return 0;
	}
	if (!form_next_word(r) || (strcmp(r->word, "u") != 0 && strcmp(r->word, "g") != 0))
		return form_wrong(r, "the kind is u or g");
	return form_three_numbers(r, r->word[0], false);
}

/*
 * Other keys and comments are skipped. In a file of Proxmox, "[NAME]" begins a snapshot, which has
 * a configuration of its own.
 */
int form_read_lxc(struct form_reader *r)
{
	int x = 0;

	while (*r->at && x == 0) {
		size_t n;

		r->at += strspn(r->at, BLANKS "\n");
		if (*r->at == '[')
			break;
		n = key_length(r->at);
		r->at = n ? r->at + n : next_line(r->at);
		if (n)
			x = read_value(r);
	}
	return x;
}
