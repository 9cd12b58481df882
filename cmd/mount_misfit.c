/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mount_misfit: warn about maps that do not suit the trees that they show. */

#include "../lib/base/log.h"
#include "../lib/base/plural.h"
#include "../lib/idmap/userns_self.h"
#include "mount_helper.h"
#include "mount_table.h"

/*
 * Does the plan show owners as they are stored, although the user has not requested that? In a user
 * namespace an image has the namespace's own ids, so that is what is wanted there.
 */
static bool lacks_map(const struct mount_plan *p)
{
	if (p->kind == MOUNT_FS || p->map.wish != MAP_KEEP || (p->stored && userns_is_nested()))
		return false;
	for (size_t i = 0; i < p->layers.len; i++)
		if (p->layers.items[i].own_map)
			return false;
	return true;
}

bool mount_misfit_source_mapped(const struct mount_plan *p)
{
	scoped_mount_info struct mount_info info = { .id = -1 };

	return p->source_open && mount_info_get(p->source_fd, &info, NULL) == 0 && info.mapped;
}

void mount_misfit_say(const struct mount_plan *p, bool source_mapped)
{
	/* -m of mount(8) is --mkdir. */
	const char *option = mount_helper_asked() ? "-o map=" : "-m ";

	for (size_t i = 0; i < p->misfits.len; i++)
		log_warn("%s", p->misfits.items[i]);
	if (p->map.wish == MAP_SET && idmap_is_identity(&p->map.map))
		log_info("'%s': the map moves no id: each is seen as itself (add the ids that "
			 "are to move, as in 1000:100033:1,rest; %snone if that is meant)",
			p->kind == MOUNT_OVERLAY ? p->target : p->source, option);
	if (lacks_map(p) && !source_mapped)
		log_info("'%s': no map is given, so owners are shown as they are stored (%sMAP; "
			 "%snone if that is meant)",
			p->kind == MOUNT_OVERLAY ? p->target : p->source, option, option);
}

/* Is it a line that was mounted, or would be? */
static bool counts(const struct table_run *run, const struct table_job *j)
{
	return j->state == LINE_MOUNTED || (run->ctx->dry_run && j->state == LINE_PLANNED);
}

void table_job_misfits(struct table_run *run)
{
	size_t bad = 0, plain = 0;
	const struct table_job *first = NULL, *first_plain = NULL;

	for (size_t i = 0; i < run->jobs.len; i++) {
		const struct table_job *j = table_job_at(run, i);

		if (!counts(run, j))
			continue;
		if (j->plan.misfits.len && !bad++)
			first = j;
		if (lacks_map(&j->plan) && j->result.map_change != MAP_KEPT && !plain++)
			first_plain = j;
	}
	if (bad == 1)
		log_warn("the line of '%s': %s", first->line->target, first->plan.misfits.items[0]);
	else if (bad)
		log_warn("%zu lines have a map that does not suit what they show; the first is "
			 "that of '%s': %s",
			bad, first->line->target, first->plan.misfits.items[0]);
	if (plain)
		log_info("%zu %s no map, so owners are shown as they are stored (map=none "
			 "if that is meant); the first is that of '%s'",
			plain, plural(plain, "line has", "lines have"), first_plain->line->target);
}
