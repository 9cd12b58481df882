/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* overlay_settings: options that are passed on to OverlayFS. */

#include "overlay_settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/fd.h"
#include "options.h"

static const struct overlay_setting {
	const char *name;
	const char *values;    /* separated by '|'; NULL: a flag; "": any text */
	const char *parameter; /* of the module: the value that mountinfo does not show */
} settings[] = {
	{ "index", "on|off", "index" },
	{ "nfs_export", "on|off", "nfs_export" },
	{ "xino", "on|off|auto", NULL },
	{ "verity", "on|off|require", NULL },
	{ "uuid", "on|off|auto|null", NULL },
	{ "redirect_dir", "off|follow|nofollow", NULL },
	{ "default_permissions", NULL, NULL },
	{ "context", "", NULL },
	{ "fscontext", "", NULL },
	{ "defcontext", "", NULL },
	{ "rootcontext", "", NULL },
};

static const struct overlay_setting *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(settings); i++)
		if (!strcmp(settings[i].name, name))
			return &settings[i];
	return NULL;
}

bool overlay_setting_is(const struct fs_option *o)
{
	return find(o->name) != NULL;
}

static bool is_value(const char *values, const char *value)
{
	size_t n = strlen(value);

	for (const char *p = values; *p; p += *p == '|') {
		size_t len = strcspn(p, "|");

		if (len == n && !memcmp(p, value, n))
			return true;
		p += len;
	}
	return !*values && n;
}

/*
 * --- options of mount(8) for overlays ----------------------------------------------------------
 */

static void try_lowers(const char *value, struct err *e)
{
	scoped_buf struct buf b = BUF_INIT;

	for (const char *p = value; *p; p++) {
		if (*p == '\\' && p[1])
			buf_char(&b, *++p);
		else if (*p == ':')
			buf_str(&b, ",lower=");
		else
			buf_char(&b, *p);
	}
	if (b.len && buf_get(&b))
		err_try(e, "give each layer by an option of its own, topmost first: lower=%s",
			buf_get(&b));
}

static bool explain_other_name(const struct fs_option *o, struct err *e)
{
	static const struct {
		const char *name, *ours;
	} names[] = {
		{ "lowerdir+", "lower" },
		{ "upperdir", "upper" },
		{ "workdir", "work" },
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(o->name, names[i].name))
			continue;
		err_why(e, "it is called '%s' here, because a map may follow it", names[i].ours);
		err_try(e, "%s=%s", names[i].ours, o->value ? o->value : "DIR");
		return true;
	}
	return false;
}

static int unknown(const struct fs_option *o, struct err *e)
{
	static const char data_only[] =
		"layers with data only are reached by names in the attributes of other layers, "
		"which are not compared with anything here: they are not supported";

	(void)mount_option_unknown(o->name, o->value, e);
	if (!strcmp(o->name, "datadir+") ||
		(!strcmp(o->name, "lowerdir") && o->value && strstr(o->value, "::"))) {
		err_why(e, "%s", data_only);
		err_try(e, "mount it with mount(8), without a map");
	} else if (!strcmp(o->name, "lowerdir")) {
		err_why(e, "it is called 'lower' here, because each layer may have a map");
		try_lowers(o->value ? o->value : "DIR", e);
	} else if (!explain_other_name(o, e) && !e->why[0]) {
		err_why(e, "stacks take no other options for the driver of a filesystem");
	}
	return -EINVAL;
}

static int check(const struct fs_option *o, struct err *e)
{
	const struct overlay_setting *s = find(o->name);

	if (!s)
		return unknown(o, e);
	if (!s->values && o->value)
		return err_usage_try(e, "omit the value", "option '%s' takes no value", o->name);
	if (s->values && (!o->value || !is_value(s->values, o->value)))
		return err_usage_try(e, "write one of these values after '='",
			"option '%s' needs a value: %s=%s", o->name, o->name,
			*s->values ? s->values : "CONTEXT");
	return 0;
}

int overlay_settings_check(const struct fs_option *items, size_t n, bool sloppy, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		if (!sloppy || overlay_setting_is(&items[i]))
			r = check(&items[i], e);
	return r;
}

bool overlay_settings_have(
	const struct fs_option *items, size_t n, const char *name, const char *value)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(items[i].name, name) && items[i].value &&
			!strcmp(items[i].value, value))
			return true;
	return false;
}

/*
 * --- reading back ------------------------------------------------------------------------------
 */

/* Find NAME or NAME=VALUE among options; *ret_value is "" for a flag. */
static bool find_shown(const char *options, const char *name, char *ret_value, size_t size)
{
	size_t n = strlen(name);

	for (const char *p = options; *p; p += *p == ',') {
		size_t len = strcspn(p, ",");

		if (len >= n && !memcmp(p, name, n) && (len == n || p[n] == '=')) {
			(void)snprintf(ret_value, size, "%.*s", len > n ? (int)(len - n - 1) : 0,
				p + n + 1); /* values are short words; others never compare equal */
			return true;
		}
		p += len;
	}
	return false;
}

static bool parameter_is_on(const char *name)
{
	scoped_buf struct buf b = BUF_INIT;
	char path[64];

	(void)snprintf(path, sizeof(path), "/sys/module/overlay/parameters/%s", name); /* fits */
	return fd_read_file(AT_FDCWD, path, 16, &b, NULL) == 0 && buf_get(&b) &&
		*buf_get(&b) == 'Y';
}

bool overlay_settings_index(const struct mount_plan *p)
{
	const struct fs_option *o = p->fs_options.items;
	const size_t n = p->fs_options.len;

	if (overlay_settings_have(o, n, "index", "on") ||
		overlay_settings_have(o, n, "index", "off"))
		return overlay_settings_have(o, n, "index", "on");
	return overlay_settings_have(o, n, "nfs_export", "on") || parameter_is_on("index");
}

static int verify(
	const struct mount_plan *p, const struct fs_option *o, const char *options, struct err *e)
{
	const struct overlay_setting *s = find(o->name);
	char is[32] = "off";
	bool shown;

	if (!s || (s->values && !*s->values) || !strcmp(o->name, "uuid") ||
		!strcmp(o->name, "redirect_dir"))
		return 0; /* mountinfo shows it in another form */
	shown = find_shown(options, o->name, is, sizeof(is));
	if (!shown && !strcmp(o->name, "xino"))
		return 0; /* it has no meaning on one filesystem, where it is not shown */
	if (!shown && s->parameter && parameter_is_on(s->parameter))
		(void)snprintf(is, sizeof(is), "on"); /* fits */
	if (o->value ? !strcmp(is, o->value) : shown)
		return 0;
	(void)err_say(e, EOPNOTSUPP, p->source, "the stack is not as requested: %s is %s, not %s",
		o->name, is, o->value ? o->value : "on");
	err_op(e, "verify");
	err_why(e,
		"OverlayFS has switched it: a filesystem of the layers or of the upper does not "
		"support it, there is no upper, or another option excludes it (dmesg says which)");
	err_try(e, "omit the option");
	return -EOPNOTSUPP;
}

int overlay_settings_verify(const struct mount_plan *p, const char *options, struct err *e)
{
	int r = 0;

	if (!options)
		return 0; /* they are too long to be shown */
	for (size_t i = 0; i < p->fs_options.len && r == 0; i++)
		r = verify(p, &p->fs_options.items[i], options, e);
	return r;
}
