/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMD_SIGNALS_H
#define CMD_SIGNALS_H

/*
 * Handle SIGINT, SIGTERM and SIGHUP: the first one asks the command to stop (lib/base/stop.h) and
 * leaves it half a second to clean up. One second after it, or at a second signal, the process ends
 * with the default action. A signal that the parent has ignored (nohup(1)) remains ignored. The
 * command calls signals_raise() when it has cleaned up.
 */
void signals_catch(void);

/*
 * End the process as the signal would have, so that its parent sees that. Returns if there was no
 * signal.
 */
void signals_raise(void);

#endif
