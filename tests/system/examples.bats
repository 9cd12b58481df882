#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every example of README.md and of the manual pages runs as printed, in order, on a Debian that has
# hardly more than its essential packages; examples.py says what an example is, and examples.list
# which ones are not run, and why.

load lib
load world
need root
need loop
need kernel 6.15 # tmpfs is mapped, and the map of a mount can be read
need prog mmdebstrap python3 nsenter pgrep mke2fs

setup_file() {
	[ -n "$missing" ] || bare_debian
}

test_setup() {
	world_make "$BARE/root"
	world_start
}

test_teardown() {
	world_stop
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
