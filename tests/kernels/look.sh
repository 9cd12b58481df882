# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# What is read back: shift-check, and an own user namespace.

verify() {
	sample s
	works $MI -m +100000 s t
	chown 0:0 s/high
	works $SHIFTBOX shift-check verify -m +100000 --source s t
	if has 6.15; then
		works $SHIFTBOX shift-check verify -m +100000 t
		works $SHIFTBOX shift-check list t
		said "100000"
	fi
	works $MI -u t
}
check "a mapped tree is verified" verify

records() {
	mkdir top base t
	works $MI -m +100000 -o lower=top,lower=base overlay t
	works $SHIFTBOX shift-check list t
	said "0:100000:65536"
	works $MI --once -m +100000 -o lower=top,lower=base overlay t
	refused "another map" $MI --once -m 0:100000:5 -o lower=top,lower=base overlay t
	works $MI -u t
	same "$(ls /run/shiftbox/mounts)" ""
	works $MI -m 0:100000:5 base t
	works $SHIFTBOX shift-check list t
	said "0:100000:5"
	refused "another map" $MI --once -m 0:100000:6 base t
	umount t
	# Another mount may get the id of the one before.
	mount -o bind base t
	works $SHIFTBOX shift-check list t
	said "no ID-mapped mounts"
	[ ! -e /run/shiftbox/mounts ] || same "$(ls /run/shiftbox/mounts)" ""
	umount t
	works $MI -m 0:200000:5 base t
	works $SHIFTBOX shift-check list t
	said "0:200000:5"
	works $MI -u t
}
check "the maps of a stack and of a bind can be seen again, and no other mount's" records

host() {
	$SHIFTBOX shift-check host >out 2>err
	said "$(uname -r)"
}
check "the host is described" host

own_namespace() {
	mkdir t
	if has 6.3; then
		works unshare -Urm sh -ec 'mount -t tmpfs none t
			mkdir t/s t/t
			$SHIFTBOX mount-idmapped -m 0:0:1 t/s t/t
			$SHIFTBOX mount-idmapped -u t/t'
	fi
	mkdir s
	refused "" unshare -Urm "$SHIFTBOX" mount-idmapped -m 0:0:1 s t
	said "only the root of the namespace that mounted it may map it"
}
check "in a user namespace of one's own: a tmpfs is mapped, the host's filesystems are not" \
	own_namespace
