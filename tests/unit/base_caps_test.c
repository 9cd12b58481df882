/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../lib/base/caps.h"

/* The mask that /proc/self/status shows under this name. */
static uint64_t status_mask(const char *name)
{
	char line[256];
	unsigned long long mask = 0;
	FILE *f = fopen("/proc/self/status", "re");

	CHECK(f);
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, strlen(name)))
			mask = strtoull(line + strlen(name), NULL, 16);
	if (f)
		(void)fclose(f);
	return mask;
}

TEST(caps_get_agrees_with_proc_status)
{
	struct caps c = { 0 };

	CHECK_INT(caps_get(&c), 0);
	CHECK(c.effective == status_mask("CapEff:"));
	CHECK(c.permitted == status_mask("CapPrm:"));
	CHECK(c.inheritable == status_mask("CapInh:"));
	for (int cap = 0; cap <= CAP_LAST_CAP; cap++)
		CHECK_INT(caps_has(cap), (c.effective & CAP_BIT(cap)) != 0);
}

/* CAP_LAST_CAP is in the upper half of the mask. */
TEST(caps_set_gives_up_one_capability_and_no_other)
{
	static const int both[] = { CAP_CHOWN, CAP_LAST_CAP };
	int status;

	for (size_t i = 0; i < ARRAY_LEN(both); i++) {
		pid_t pid = fork();

		if (pid == 0) {
			struct caps c, after;
			bool ok = caps_get(&c) == 0;

			c.effective &= ~CAP_BIT(both[i]);
			ok = ok && caps_set(&c) == 0 && caps_get(&after) == 0 && !caps_has(both[i]);
			_exit(ok && after.effective == c.effective &&
						after.permitted == c.permitted ?
					0 :
					1);
		}
		CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	}
}
