# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# Other users' mount namespaces, listed by root. 1501's were made for whoever lists them
# (tests/fixtures/stranger.c).

# stranger UID WAY: such a namespace; $stranger is its process. Fails with 77 where the kernel
# cannot have it.
stranger() {
	uid=$1
	shift
	as "$uid" /bin/stranger "$@" >ready 2>why &
	stranger=$!
	for _ in $(seq 600); do
		grep -q ready ready && return 0
		[ -d "/proc/$stranger" ] || break
		sleep 0.1
	done
	cat why
	return 77
}

# The list is whole: our own mount is in it, and that of another namespace of root's.
whole() {
	works "$SHIFTBOX" shift-check list --all-namespaces "$@"
	said "$PWD/t"
	said "$PWD/u"
}

strangers() {
	mkdir -m 700 closed
	sample closed/s
	works $MI -m +100000 closed/s t
	works unshare -m --propagation private \
		sh -c "$MI -m +200000 closed/s u && { sleep 1000 >/dev/null 2>&1 & }"
	other=$(pidof sleep)
	same "$(mounts)" 1
	whole
	for way in root options; do
		stranger 1501 $way || continue
		whole
		if has 6.15; then
			said "not known (what the kernel reports about the mount is too large)"
		fi
		whole --json
		kill -9 "$stranger"
	done
	# It comes and goes while it is listed.
	(while [ ! -e enough ]; do as 1501 unshare -Urm true; done) &
	for _ in 1 2 3 4 5 6 7 8; do whole; done
	: >enough
	kill -9 "$other"
	works $MI -u t
}
check "mount namespaces of other users are listed, or skipped" strangers

# An owner of a view delays what root does, and root is told who it is.
delegations() {
	has 6.19 || return 0
	break_time=$(cat /proc/sys/fs/lease-break-time)
	mkdir -m 700 private view
	: >f
	tar -cf a.tar f
	works "$SHIFTBOX" image-unpack -q -s private/store -N a a.tar
	works $MI -m u:0:1501:1 -m g:0:1501:1 -o ro,nosuid,nodev private/store/podman view
	stranger 1501 delegate view
	echo 1 >/proc/sys/fs/lease-break-time
	warns "(stranger) has a delegation on a directory there" \
		"$SHIFTBOX" image-unpack -q -s private/store --remove a
	# The shell may have started it in a process of its own.
	while pidof stranger >/dev/null; do
		# shellcheck disable=SC2046
		kill -9 $(pidof stranger) || :
		sleep 0.1
	done
	echo "$break_time" >/proc/sys/fs/lease-break-time
	works "$SHIFTBOX" image-unpack -q -s private/store -N a a.tar
	works $MI -u view
}
check "delegations of a user who has a view are named" delegations
