/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* view_warnings: one warning about the ids that the views of a line give away. */

#include "view_warnings.h"

#include <stdlib.h>
#include <string.h>

#include "../lib/base/log.h"

void view_warnings_add(struct view_warnings *w, const char *target, const struct strv *warnings)
{
	if (!warnings->len || w->views++)
		return;
	w->target = strdup(target);
	w->first = strdup(warnings->items[0]);
}

void view_warnings_tell(struct view_warnings *w, const char *line)
{
	if (w->views == 1)
		log_warn("%s", w->first ? w->first : "out of memory");
	else if (w->views)
		log_warn("'%s': %zu views can give ids away by set-uid or set-gid files; the first "
			 "is '%s': %s",
			line, w->views, w->target ? w->target : line,
			w->first ? w->first : "out of memory");
	view_warnings_done(w);
}

void view_warnings_done(struct view_warnings *w)
{
	free(w->target);
	free(w->first);
	*w = (struct view_warnings){ .views = 0 };
}
