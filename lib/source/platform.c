/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* platform: the operating system, architecture and variant that an image is for. */

#include "platform.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "../base/cleanup.h"
#include "../base/json.h"
#include "../base/log.h"
#include "../base/opt.h"
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

/* The variants of an architecture, in the order in which each runs the programs of those before. */
struct variants {
	const char *arch, *words;
	bool minor; /* a digit may follow: v8.2 */
};

static const struct variants *variants_of(const char *arch)
{
	static const struct variants known[] = {
		{ "amd64", "v1 v2 v3 v4", false },
		{ "arm", "v5 v6 v7 v8", false },
		{ "arm64", "v8 v9", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (!strcmp(known[i].arch, arch))
			return &known[i];
	return NULL;
}

/* Refuse a variant that its architecture does not have; those of other architectures vary. */
static int check_variant(const char *whole, const struct platform *p, struct err *e)
{
	const struct variants *v = variants_of(p->arch);
	char word[sizeof(p->variant)];
	size_t n = strcspn(p->variant, ".");

	(void)snprintf(word, sizeof(word), "%.*s", (int)n, p->variant); /* fits */
	if (!v || !*p->variant ||
		(opt_word_index(v->words, word) >= 0 &&
			(!p->variant[n] ||
				(v->minor && isdigit((unsigned char)p->variant[n + 1]) &&
					!p->variant[n + 2]))))
		return 0;
	(void)err_usage(e, "'%s': %s has no variant '%s'", whole, p->arch, p->variant);
	err_try(e, "write one of its variants (%s), or omit it: %s/%s", v->words, p->os, p->arch);
	return -EINVAL;
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

	if (check_variant(whole, &p, e) < 0)
		return -EINVAL;
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
	/* Programs for an older variant run on a newer one. */
	if (variants_of(want->arch) && strcmp(variant, want->variant) < 0)
		return 2;
	return 0;
}

int platform_check(const struct json *config, const char *doc, const struct platform *want,
	bool strict, struct err *e)
{
	if (!want || !*word(config, "architecture") || platform_fit(config, want))
		return 0;
	if (strict) {
		const char *variant = word(config, "variant");
		int r = err_say(e, EINVAL, doc, "is an image for %.32s/%.32s%s%.32s, not %s/%s%s%s",
			word(config, "os"), word(config, "architecture"), *variant ? "/" : "",
			variant, want->os, want->arch, *want->variant ? "/" : "", want->variant);

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
