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
