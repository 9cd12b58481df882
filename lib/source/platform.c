/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* platform: the operating system, architecture and variant that an image is for. */

#include "platform.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "../base/cleanup.h"
#include "../base/json.h"
#include "../base/log.h"
#include "../base/vec.h"

void platform_native(struct platform *ret)
{
	static const struct {
		const char *machine, *arch, *variant;
	} names[] = {
		{ "x86_64", "amd64", "" },
		{ "i686", "386", "" },
		{ "i586", "386", "" },
		{ "i486", "386", "" },
		{ "aarch64", "arm64", "v8" },
		{ "armv8l", "arm", "v7" },
		{ "armv7l", "arm", "v7" },
		{ "armv6l", "arm", "v6" },
		{ "ppc64le", "ppc64le", "" },
		{ "s390x", "s390x", "" },
		{ "riscv64", "riscv64", "" },
		{ "mips64", "mips64le", "" },
		{ "mips", "mipsle", "" },
		{ "loongarch64", "loong64", "" },
	};
	struct utsname u;

	*ret = (struct platform){ .os = "linux", .arch = "unknown" };
	if (uname(&u) < 0)
		return;
	(void)snprintf(ret->arch, sizeof(ret->arch), "%.31s", u.machine);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(names[i].machine, u.machine))
			continue;
		(void)snprintf(ret->arch, sizeof(ret->arch), "%s", names[i].arch);
		(void)snprintf(ret->variant, sizeof(ret->variant), "%s", names[i].variant);
	}
}

static int not_platform(const char *s, struct err *e)
{
	return err_usage_try(e, "write a platform such as linux/amd64 or linux/arm64",
		"'%s' is not a platform: OS/ARCH or OS/ARCH/VARIANT", s);
}

int platform_parse(const char *s, struct platform *ret, struct err *e)
{
	const char *whole = s;
	struct platform p = { .os = "" };
	char *const parts[] = { p.os, p.arch, p.variant };
	size_t i = 0;

	for (;;) {
		size_t n = strcspn(s, "/");

		if (!n || n >= sizeof(p.os) || i == ARRAY_LEN(parts))
			return not_platform(whole, e);
		memcpy(parts[i++], s, n);
		if (!s[n])
			break;
		s += n + 1;
	}
	if (i < 2)
		return not_platform(whole, e);

	*ret = p;
	return 0;
}

/* Returns "" for a member that is missing or not a string. */
static const char *word(const struct json *object, const char *key)
{
	const char *s;

	return doc_str(object, key, "", false, &s, NULL) == 0 && s ? s : "";
}

int platform_fit(const struct json *platform, const struct platform *want)
{
	const char *variant;

	if (!platform)
		return 1;
	if (strcmp(word(platform, "os"), want->os) ||
		strcmp(word(platform, "architecture"), want->arch))
		return 0;
	variant = word(platform, "variant");
	if (!strcmp(variant, want->variant))
		return 4;
	if (!*variant || !*want->variant)
		return 3;
	/* Programs for an older ARM variant run on a newer one. */
	if (!strcmp(want->arch, "arm") && strcmp(variant, want->variant) < 0)
		return 2;
	return 0;
}

int platform_check(const struct json *config, const char *doc, const struct platform *want,
	bool strict, struct err *e)
{
	if (!want || !*word(config, "architecture") || platform_fit(config, want))
		return 0;
	if (strict) {
		int r = err_say(e, EINVAL, doc, "is an image for %.32s/%.32s, not %s/%s",
			word(config, "os"), word(config, "architecture"), want->os, want->arch);

		err_try(e,
			"omit --platform: the image has only this one; skopeo copy "
			"--override-os=%s --override-arch=%s fetches another",
			want->os, want->arch);
		return r;
	}
	log_warn("the image is for %.32s/%.32s: its programs do not run on this machine",
		word(config, "os"), word(config, "architecture"));
	return 0;
}
