/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* userns_rules: the sysctls that can forbid ordinary users to create user namespaces. */

#include "userns_rules.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *sysctl, *path, *forbidding, *meaning;
} rules[] = {
	{ "user.max_user_namespaces", "/proc/sys/user/max_user_namespaces", "0",
		"no user may create one" },
	{ "kernel.unprivileged_userns_clone", "/proc/sys/kernel/unprivileged_userns_clone", "0",
		"only root may create one (Debian's switch)" },
	{ "kernel.apparmor_restrict_unprivileged_userns",
		"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1",
		"AppArmor lets only programs whose profile has a userns rule use one (Ubuntu's "
		"switch)" },
};

static bool read_value(const char *path, char *ret, size_t size)
{
	scoped_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, ret, size - 1);

	if (n < 0)
		return false;
	ret[n] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	return true;
}

bool userns_rules_get(size_t i, struct userns_rule *ret)
{
	for (size_t k = 0; k < ARRAY_LEN(rules); k++) {
		struct userns_rule r = { .sysctl = rules[k].sysctl, .meaning = rules[k].meaning };

		if (!read_value(rules[k].path, r.value, sizeof(r.value)) || i--)
			continue;
		r.forbids = !strcmp(r.value, rules[k].forbidding);
		*ret = r;
		return true;
	}
	return false;
}

void userns_rules_print(struct buf *b)
{
	struct userns_rule r;
	size_t start = b->len;

	for (size_t i = 0; userns_rules_get(i, &r); i++)
		if (r.forbids)
			buf_printf(b, "%s%s is %s: %s", b->len > start ? "; " : "", r.sysctl,
				r.value, r.meaning);
}
