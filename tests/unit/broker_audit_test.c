/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../lib/broker/audit.h"
#include "../../lib/broker/rule.h"
#include "test.h"

static char line[4096];

/* The line that n leaves in the audit file. */
static const char *audit_line(const struct notif *n)
{
	int fd = memfd_create("audit", MFD_CLOEXEC);
	struct out *o = out_new(fd, true, false);
	ssize_t len;

	REQUIRE(o && audit_write(o, n) == 0);
	len = pread(fd, line, sizeof(line) - 1, 0);
	REQUIRE(len > 0);
	line[len] = '\0';
	out_free(o);
	(void)close(fd);
	return line;
}

TEST(a_decision_is_one_line_with_the_arguments_of_its_call)
{
	const struct rule rule = { .text = (char *)"mknod:safe" };
	struct notif n = NOTIF_INIT;

	n.call = CALL_MKNODAT;
	n.caller.pid = 7;
	n.caller.tid = 8;
	(void)snprintf(n.caller.command, sizeof(n.caller.command), "mk\nnod");
	buf_str(&n.path, "/srv/null");
	n.has_path = true;
	n.mode = S_IFCHR | 0640;
	n.major = 1;
	n.minor = 3;
	n.rule = &rule;
	notif_answer(&n, VERDICT_DONE, 0);
	(void)audit_line(&n);
	CHECK(strchr(line, '\n') == line + strlen(line) - 1);
	CHECK_HAS(line, "\"pid\":7,\"tid\":8,\"command\":\"mk\\nnod\",\"call\":\"mknodat\"");
	CHECK_HAS(line, "\"path\":\"/srv/null\",\"device\":\"c:1:3\",\"mode\":\"0640\"");
	CHECK_HAS(line, "\"rule\":\"mknod:safe\",\"verdict\":\"done\"}");

	n.call = CALL_FCHOWN;
	n.uid = 5;
	n.gid = UINT32_MAX;
	n.rule = NULL;
	notif_answer(&n, VERDICT_DENIED, EPERM);
	(void)audit_line(&n);
	CHECK_HAS(line, "\"uid\":5,\"gid\":-1}");
	CHECK_HAS(line, "\"verdict\":\"denied\",\"errno\":\"EPERM\"}");
	CHECK(!strstr(line, "\"rule\""));
	notif_done(&n);
}
