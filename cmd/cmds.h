/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The commands: to add one, write cmd/NAME.c and cmd/NAME.8, and name it here. */
CMD(mount_idmapped)
CMD(shift_check)
CMD(image_unpack)
CMD(userns_run)
