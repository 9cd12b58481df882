# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034
#
# For tests that need a machine of their own: `load world`, after lib.
#
#   bare_debian               for setup_file: a bare Debian, $BARE/root, and $BARE/oci, its image
#   world_make LOWER          make root/, the new machine: what LOWER has, and the program. Its
#                             store, /srv, /home, /mnt, /run and /tmp can be mapped; the image is
#                             in /run/image
#   world_start [SCRIPT]      start it; SCRIPT runs first, in its namespaces, before / is its own
#   world_stop                for test_teardown
#   in_world COMMAND          run COMMAND there as root, for preparation
#   users                     make the users alice and bob there
#   examples FILE [EXCEPTIONS]  run the examples of FILE there (examples.py), but for EXCEPTIONS

bare_debian() {
	BARE=$(realpath -m "${BUILD:-$BATS_TEST_DIRNAME/../../build}")/fixtures/bare
	export BARE
	mkdir -p "$(dirname "$BARE")"
	flock "$BARE.lock" "$TESTS/fixtures/bare-debian.sh" "$BARE" >&2
}

world_make() {
	local dir
	mkdir root upper work cgroup
	mount -t overlay -o "lowerdir=$1,upperdir=upper,workdir=work" world root
	make -s -C "$TESTS/.." BUILD="${BUILD:-build}" DESTDIR="$SCRATCH/root" install >/dev/null
	copy_libraries
	mkdir -p root/var/lib/shiftbox
	for dir in srv home mnt run; do mount -t tmpfs -o mode=755 none root/$dir; done
	mount -t tmpfs -o mode=700 none root/var/lib/shiftbox
	mount -t tmpfs -o mode=1777 none root/tmp
	mkdir root/run/image
	mount --bind "$BARE/oci" root/run/image
	# Test machines may have no cgroups of their own to give.
	program crun '/usr/bin/crun --cgroup-manager=disabled'
}

# program NAME COMMAND: NAME is that COMMAND in the world.
program() {
	printf '%s\n' '#!/bin/sh' "exec $2 \"\$@\"" >"root/usr/local/bin/$1"
	chmod 755 "root/usr/local/bin/$1"
}

# A program that links shared libraries has them as its package's dependencies.
copy_libraries() {
	local lib
	while read -r lib; do
		[ -e "root$lib" ] || cp -L --parents "$lib" root
	done < <(ldd "$SHIFTBOX" | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p')
	chroot root ldconfig
}

# What the first process of the world does, in its namespaces: $SCRATCH/root becomes the root. Of
# cgroups it has version 2 alone, below one of its own. That one has to be without processes.
# shellcheck disable=SC2016 # it is the script of another shell
INIT='cd "$SCRATCH/root"
	mount -t proc proc proc
	mount --rbind /sys sys
	mount -t cgroup2 none sys/fs/cgroup
	mkdir sys/fs/cgroup/init
	echo $$ >sys/fs/cgroup/init/cgroup.procs
	mount --rbind /dev dev
	eval "$1"
	mkdir run/old
	pivot_root . run/old
	umount -l /run/old
	rmdir /run/old
	mount --make-rshared / # as systemd does
	exec sleep infinity'

world_start() {
	mount -t cgroup2 none cgroup
	WORLD_CGROUP=$SCRATCH/cgroup/${SCRATCH##*/}
	mkdir "$WORLD_CGROUP"
	# shellcheck disable=SC2016 # another shell expands it
	bash -c 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"' - "$WORLD_CGROUP" \
		unshare --mount --pid --ipc --uts --cgroup --fork --kill-child \
		--propagation private bash -euc "$INIT" - "${1:-}" >init 2>&1 &
	WORLD=$!
	for _ in $(seq 500); do
		PROCESS=$(pgrep -P $WORLD -x sleep) && break
		sleep 0.02
	done
	[ -n "$PROCESS" ] || say "the world did not come up: $(cat init)"
	cat >in_world <<-END
		#!/bin/bash
		user=\$1 command=\$2
		echo \$\$ >"$WORLD_CGROUP/init/cgroup.procs"
		set -- nsenter -t $PROCESS -m -p -i -u -C env -i HOME=/root TERM=dumb \\
			LC_ALL=C.UTF-8 \\
			PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin $WORLD_ENV
		if [ "\$user" = root ]; then exec "\$@" bash -c "cd; \$command"; fi
		exec "\$@" su - "\$user" -s /bin/bash -c "
			[ ! -d /run/user/\\\$UID ] || export XDG_RUNTIME_DIR=/run/user/\\\$UID
			\$command"
	END
	chmod 755 in_world
}
WORLD_ENV= # of root, as words

world_stop() {
	[ -z "${WORLD:-}" ] || { kill -9 "$WORLD" && wait "$WORLD"; } 2>/dev/null || true
	[ -n "${WORLD_CGROUP:-}" ] || return 0
	for _ in $(seq 100); do # until the last process has ended
		find "$WORLD_CGROUP" -depth -type d -exec rmdir {} + 2>/dev/null && return
		sleep 0.1
	done
	say "cgroups are left: $(find "$WORLD_CGROUP" -type d)"
}

in_world() {
	./in_world root "$1" || say "the preparation failed: $1"
}

users() {
	in_world 'useradd -m alice && useradd -m bob'
}

examples() {
	capture "$TESTS/system/examples.py" "$1" "${2:-$TESTS/system/examples.list}" \
		"$SCRATCH/in_world"
	[ "$status" = 0 ] || tell "an example failed"
}
