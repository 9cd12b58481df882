#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every example of README.md and of the manual pages runs as printed, in order, on a Debian that has
# hardly more than its essential packages; examples.py says what an example is, and examples.list
# which ones are not run, and why.

load lib
need root
need loop
need kernel 6.15 # tmpfs is mapped, and the map of a mount can be read
need prog mmdebstrap python3 nsenter pgrep mke2fs

setup_file() {
	[ -z "$missing" ] || return 0
	BARE=$(realpath -m "${BUILD:-$BATS_TEST_DIRNAME/../../build}")/fixtures/bare
	export BARE
	mkdir -p "$(dirname "$BARE")"
	flock "$BARE.lock" "$TESTS/fixtures/bare-debian.sh" "$BARE" >&2
}

# What the first process of the world does, in its namespaces: $SCRATCH/root becomes the root.
# shellcheck disable=SC2016 # it is the script of another shell
INIT='cd "$SCRATCH/root"
	mount -t proc proc proc
	mount --rbind /sys sys
	mount -t cgroup2 none sys/fs/cgroup # instead of a mixture of the two versions
	mount --rbind /dev dev
	mkdir run/old
	pivot_root . run/old
	umount -l /run/old
	rmdir /run/old
	exec sleep infinity'

# The new machine: the program is installed, and its store and /srv can be mapped.
test_setup() {
	local dir
	mkdir root upper work
	mount -t overlay -o "lowerdir=$BARE/root,upperdir=upper,workdir=work" world root
	make -s -C "$TESTS/.." BUILD="${BUILD:-build}" DESTDIR="$SCRATCH/root" install >/dev/null
	copy_libraries
	mkdir -p root/var/lib/shiftbox
	for dir in srv home mnt run; do mount -t tmpfs -o mode=755 none root/$dir; done
	mount -t tmpfs -o mode=700 none root/var/lib/shiftbox
	mount -t tmpfs -o mode=1777 none root/tmp
	mkdir root/run/image
	mount --bind "$BARE/oci" root/run/image
	# Test machines may have no cgroups of their own to give.
	printf '%s\n' '#!/bin/sh' 'exec /usr/bin/crun --cgroup-manager=disabled "$@"' \
		>root/usr/local/bin/crun
	chmod 755 root/usr/local/bin/crun
	unshare --mount --pid --ipc --uts --fork --kill-child --propagation private \
		bash -euc "$INIT" >init 2>&1 &
	WORLD=$!
	for _ in $(seq 500); do
		PROCESS=$(pgrep -P $WORLD -x sleep) && break
		sleep 0.02
	done
	[ -n "$PROCESS" ] || say "the world did not come up: $(cat init)"
	cat >in_world <<-END
		#!/bin/bash
		user=\$1 command=\$2
		set -- nsenter -t $PROCESS -m -p -i -u env -i HOME=/root TERM=dumb LC_ALL=C.UTF-8 \\
			PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
		if [ "\$user" = root ]; then exec "\$@" bash -c "cd; \$command"; fi
		exec "\$@" su - "\$user" -s /bin/bash -c "\$command"
	END
	chmod 755 in_world
}

test_teardown() {
	[ -z "${WORLD:-}" ] || { kill -9 "$WORLD" && wait "$WORLD"; } 2>/dev/null || true
}

# A program that links shared libraries has them as its package's dependencies.
copy_libraries() {
	local lib
	while read -r lib; do
		[ -e "root$lib" ] || cp -L --parents "$lib" root
	done < <(ldd "$SHIFTBOX" | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p')
	chroot root ldconfig
}

in_world() {
	./in_world root "$1" || say "the preparation failed: $1"
}

users() {
	in_world 'useradd -m alice && useradd -m bob'
}

examples() { # FILE
	capture "$TESTS/system/examples.py" "$1" "$TESTS/system/examples.list" "$SCRATCH/in_world"
	[ "$status" = 0 ] || tell "an example failed"
}

@test "README.md" {
	examples "$TESTS/../README.md"
}

@test "README.md leads from nothing to an image for two users in three minutes" {
	sed '/^Without a registry/,$d' "$TESTS/../README.md" >path
	awk '/^```/ { kind = substr($0, 4); next }
		kind == "sh" { sub(/ +# .*/, ""); print }
		kind == "console" && sub(/^# /, "")' path >typed
	words=$(wc -w <path) characters=$(tr -d '\n\t' <typed | wc -c)
	[ "$(tail -n 1 typed)" = 'ls -l /mnt/*/etc/passwd' ]
	[ "$words" -gt 100 ] && [ "$characters" -gt 200 ]
	# 240 words and 200 characters a minute
	[ $((words * 60 / 240 + characters * 60 / 200)) -le 180 ] ||
		say "it takes longer: $words words to read, $characters characters to type"
}

@test "shiftbox(8)" {
	in_world 'for c in $(shiftbox --list); do rm "/usr/local/bin/$c"; done'
	examples "$TESTS/../cmd/shiftbox.8"
}

@test "mount-idmapped(8)" {
	users
	in_world 'image-unpack -q -N debian oci:/run/image
		mkdir -p -m 700 /srv/data /srv/l; mkdir /srv/l/top /srv/l/base
		echo "/srv/data /mnt shiftbox map=0:1000:1,ro 0 0" >>/etc/fstab'
	mke2fs -q -t ext4 root/srv/image.ext4 8M
	examples "$TESTS/../cmd/mount_idmapped.8"
}

@test "image-unpack(8)" {
	users
	in_world 'mkdir -p /srv/config /srv/images /mnt/nosuid
		cp -r /run/image /srv/images/debian
		mount -t tmpfs -o nosuid,mode=755 tmpfs /mnt/nosuid'
	touch root/srv/config/app.conf
	"$TESTS/fixtures/mkimage.py" --docker-archive root/root/app.tar \
		<<<'{"tags":["app:latest"],"layers":[{"files":{"bin/app":"1"}}]}'
	"$TESTS/fixtures/mkimage.py" --tar root/root/base.tar.gz \
		<<<'{"layers":[{"files":{"f":"1"},"compress":"gzip"}]}'
	examples "$TESTS/../cmd/image_unpack.8"
}

@test "shift-check(8)" {
	users
	in_world 'mkdir -m 700 /srv/base; echo data >/srv/base/file
		install -d -m 710 -g alice /srv/alice; mkdir /srv/alice/data
		mount-idmapped -m user:alice -o public /srv/base /srv/alice/data
		image-unpack -q -N debian oci:/run/image
		mount-idmapped -m user:alice -o mkdir image:debian /srv/alice/root'
	examples "$TESTS/../cmd/shift_check.8"
}

@test "userns-run(8)" {
	users
	in_world 'mkdir /srv/images; cp -r /run/image /srv/images/debian
		image-unpack -q -N debian oci:/srv/images/debian'
	./in_world alice "userns-run -- sh -c 'mkdir tree; touch tree/f; chown -R 33:33 tree'"
	printf 'all:\n\tid -u\n' >root/home/alice/Makefile
	examples "$TESTS/../cmd/userns_run.8"
}

@test "shiftbox-idmap(7) and shiftbox-security(7) have no commands" {
	examples "$TESTS/../cmd/idmap.7"
	examples "$TESTS/../cmd/security.7"
}
