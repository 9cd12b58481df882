/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMD_SIGNALS_H
#define CMD_SIGNALS_H

/*
 * From now on SIGINT, SIGTERM and SIGHUP ask the command to end (lib/base/stop.h): it has half a
 * second to tidy up. A second after the signal, or at a second signal, the process ends as by
 * default. One that the parent has ignored (nohup) stays ignored. The command calls signals_raise()
 * when it has tidied up.
 */
void signals_catch(void);

/*
 * End as the signal would have ended the process, so that shells and scripts see it. Returns only
 * if there was none.
 */
void signals_raise(void);

#endif
