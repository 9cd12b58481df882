/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The audit file: one line of JSON for each decision. */

#include "audit.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "rule.h"

static const char *const verdicts[] = {
	[VERDICT_DENIED] = "denied",
	[VERDICT_DONE] = "done",
	[VERDICT_CALLER] = "as-caller",
	[VERDICT_KERNEL] = "kernel",
	[VERDICT_EMULATED] = "emulated",
	[VERDICT_SKIPPED] = "skipped",
};

/* RFC 3339, in UTC, with microseconds. */
static void put_time(struct out *o)
{
	char day[32], text[64];
	struct timespec now;
	struct tm tm;

	if (clock_gettime(CLOCK_REALTIME, &now) < 0 || !gmtime_r(&now.tv_sec, &tm))
		return; /* neither can fail with these arguments before the year 2^31 */
	(void)strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(
		text, sizeof(text), "%s.%06uZ", day, (unsigned)(now.tv_nsec / 1000)); /* fits */
	out_str(o, "time", text);
}

static void put_string(struct out *o, const char *key, bool has, const struct buf *b)
{
	if (has)
		out_bytes(o, key, buf_get(b), b->len);
}

static void put_id(struct out *o, const char *key, uint32_t id)
{
	out_i64(o, key, id == UINT32_MAX ? -1 : (int64_t)id);
}

static void put_arguments(struct out *o, const struct notif *n)
{
	char device[32];

	out_begin(o, "arguments");
	put_string(o, "path", n->has_path, &n->path);
	switch (n->call) {
	case CALL_MKNOD:
	case CALL_MKNODAT:
		(void)snprintf(device, sizeof(device), "%c:%u:%u", S_ISBLK(n->mode) ? 'b' : 'c',
			n->major, n->minor); /* fits */
		out_str(o, "device", device);
		out_mode(o, "mode", n->mode & 07777);
		break;
	case CALL_MOUNT:
		put_string(o, "source", n->has_source, &n->source);
		put_string(o, "fstype", n->has_fstype, &n->fstype);
		put_string(o, "data", n->has_data, &n->data);
		out_u64(o, "flags", n->flags);
		break;
	case CALL_UMOUNT2:
		out_u64(o, "flags", n->flags);
		break;
	case CALL_CHOWN:
	case CALL_LCHOWN:
	case CALL_FCHOWN:
	case CALL_FCHOWNAT:
		put_id(o, "uid", n->uid);
		put_id(o, "gid", n->gid);
		break;
	case CALL_NONE:
		break;
	}
	out_end(o);
}

int audit_write(struct out *o, const struct notif *n)
{
	char name[16];

	out_begin(o, NULL);
	put_time(o);
	out_u64(o, "pid", (uint64_t)n->caller.pid);
	out_u64(o, "tid", (uint64_t)n->caller.tid);
	out_str(o, "command", n->caller.command);
	out_str(o, "call", n->call == CALL_NONE ? "?" : filter_call_name(n->call));
	put_arguments(o, n);
	if (n->rule)
		out_str(o, "rule", n->rule->text);
	out_str(o, "verdict", verdicts[n->verdict]);
	if (n->num)
		out_str(o, "errno", err_name(n->num, name));
	out_end(o);
	return out_flush(o);
}
