# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# For tests of what shift-check tells of ID-mapped mounts: `load mapped`, after lib. Each begins
# with a directory src, which like its file belongs to 1000:1000, and a place m to mount on.

test_setup() {
	chmod 755 "$SCRATCH"
	mkdir src m
	echo data >src/file
	chown 1000:1000 src/file
}

test_teardown() {
	[ -z "${SLEEPER:-}" ] || kill "$SLEEPER"
}

map_mount() {
	must_work "$SHIFTBOX" mount-idmapped -o public -m "$1" "$2" "$3" # others look at it, too
}

# The same with a map that does not cover the owner of the directory.
misfit_mount() {
	must_work_but misfit "$SHIFTBOX" mount-idmapped -o public -m "$1" "$2" "$3"
}

# A process in a user namespace with this map: SLEEPER.
sleeper() {
	unshare -U sleep 1000 &
	SLEEPER=$!
	until [ "$(readlink "/proc/$SLEEPER/ns/user")" != "$(readlink /proc/self/ns/user)" ]; do
		sleep 0.02
	done
	echo "$1" >"/proc/$SLEEPER/uid_map"
	echo "$1" >"/proc/$SLEEPER/gid_map"
}
