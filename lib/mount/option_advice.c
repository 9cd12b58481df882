/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* option_advice: say what to write in place of an option of another program. */

#include "option_advice.h"

#include <errno.h>
#include <string.h>

#include "../base/cleanup.h"
#include "../base/suggest.h"

#define CONTEXT "give it to the mount of the filesystem itself, whose labels the new mount shows"

/* Options of mount(8), podman, bindfs and the drivers of filesystems without owners. */
static const struct habit habits[] = {
	{ "readonly", "did you mean ro?" },
	{ "read-only", "did you mean ro?" },
	{ "RO", "did you mean ro?" },
	{ "readwrite", "did you mean rw?" },
	{ "uid", "a map shows another owner: map=owner:USER, or map=u:DISK:SEEN:1" },
	{ "gid", "a map shows another group: map=owner:USER, or map=g:DISK:SEEN:1" },
	{ "force-user", "a map shows another owner: map=owner:USER" },
	{ "force_user", "a map shows another owner: map=owner:USER" },
	{ "umask", "omit it: a bind keeps the modes of its files" },
	{ "fmask", "omit it: a bind keeps the modes of its files" },
	{ "dmask", "omit it: a bind keeps the modes of its files" },
	{ "mode", "omit it: a bind keeps the modes of its files" },
	{ "z", "omit it: security labels are not changed" },
	{ "Z", "omit it: security labels are not changed" },
	{ "U", "omit it: nothing is chowned; the map shows other owners" },
	{ "context", CONTEXT },
	{ "fscontext", CONTEXT },
	{ "defcontext", CONTEXT },
	{ "rootcontext", CONTEXT },
	{ "propagation", "write private, slave, shared or unbindable alone" },
	{ "rprivate", "did you mean private?" },
	{ "rslave", "did you mean slave?" },
	{ "rshared", "did you mean shared?" },
	{ "lowerdir", "use lower=DIR for each layer, with SOURCE overlay" },
	{ "upperdir", "use upper=DIR, with SOURCE overlay or image:NAME" },
	{ "workdir", "use work=DIR, with SOURCE overlay or image:NAME" },
	{ "size",
		"ephemeral=SIZE limits what a stack keeps in memory; size=SIZE is for the type "
		"tmpfs" },
	{ "rest", "a comma ends the map here: write map=DISK:SEEN:COUNT;rest" },
	{ "X-mount.map", "did you mean map=MAP?" },
	{ NULL, NULL },
};

/* Names that other programs have for "map". */
static const char map_words[] = "idmap uidmap gidmap id-map uid-map gid-map ids uidmapping "
				"gidmapping maps X-mount.idmapped";

static bool is_map_word(const char *name)
{
	size_t n = strlen(name);

	for (const char *w = map_words; *w; w += strcspn(w, " "), w += *w == ' ')
		if (strcspn(w, " ") == n && !memcmp(w, name, n))
			return true;
	return false;
}

/* Does it look like a map of ours: digits and colons? */
static bool is_map(const char *value)
{
	return value && strchr(value, ':') && value[strspn(value, "0123456789:")] == '\0';
}

bool mount_word_is_map(const char *word)
{
	static const char *const begins[] = {
		"user:", "owner:", "subid:", "keep-id:", "pid:", "u:", "g:", "b:"
	};
	size_t digits = strspn(word, "0123456789");

	for (size_t i = 0; i < ARRAY_LEN(begins); i++)
		if (!strncmp(word, begins[i], strlen(begins[i])))
			return true;
	return (digits && word[digits] == ':') || (word[0] == '+' && word[1]);
}

bool mount_option_habit(const char *name, const char *value, struct err *e)
{
	const char *say = habit_find(habits, name, strlen(name));

	if (!value && !strncmp(name, "map:", 4)) {
		err_try(e, "write map=%s", name + 4);
		return true;
	}
	if (!value && mount_word_is_map(name)) {
		err_why(e, "it looks like a map, which follows 'map='");
		err_try(e, "write map=%s (or -m %s)", name, name);
		return true;
	}
	if (is_map_word(name) && is_map(value))
		err_try(e, "write map=%s%s (or -m)",
			name[0] == 'u'         ? "u:" :
				name[0] == 'g' ? "g:" :
						 "",
			value);
	else if (is_map_word(name))
		err_try(e, "write map=DISK:SEEN:COUNT (or -m), such as map=1000:100033:1");
	else if (say)
		err_try(e, "%s", say);
	return say || is_map_word(name);
}
