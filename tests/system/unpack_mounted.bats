#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# --remove: an image that is mounted stays.

load lib
need root
need prog python3

test_setup() {
	"$TESTS/fixtures/mkimage.py" dir <<<'{"layers":[{"files":{"a":"1"}},{"files":{"b":"2"}}]}'
	for name in i other; do
		must_work "$SHIFTBOX" image-unpack -s store -N $name dir
	done
	mkdir target
}

stays() { # TEXT
	must_fail 1 "$1" "$SHIFTBOX" image-unpack -s store --remove i
	must_fail 1 "$1" "$SHIFTBOX" image-unpack -s store --remove i --dry-run
	[ -s store/images/i/layers ]
}

@test "an image that is mounted is not removed, and the mount is named" {
	must_work "$SHIFTBOX" mount-idmapped -s store -m 0:100000:65536 image:i target
	stays "the image is mounted"
	[[ $stderr == *"at '$SCRATCH/target'"* ]]
	must_work "$SHIFTBOX" image-unpack -s store --remove other
	must_work "$SHIFTBOX" mount-idmapped -u target
	must_work "$SHIFTBOX" mount-idmapped -s store -o ephemeral image:i target
	stays "the image is mounted"
	must_work "$SHIFTBOX" mount-idmapped -u target
	must_work "$SHIFTBOX" image-unpack -s store --remove i
}

@test "a mount in the namespace of another process counts" {
	local pid
	mkfifo ready
	# shellcheck disable=SC2016 # for the inner shell
	unshare -m --propagation private sh -c '"$SHIFTBOX" mount-idmapped -s store image:i target && echo >ready && exec sleep 60' 3>&- &
	pid=$!
	read -r <ready
	stays "the image is mounted"
	[[ $stderr == *"at '$SCRATCH/target', in the mount namespace of process "* ]]
	kill $pid
	wait $pid || true
	must_work "$SHIFTBOX" image-unpack -s store --remove i
}

@test "where the kernel tells the layers, a mount of another store does not count" {
	must_work "$SHIFTBOX" image-unpack -s store2 -N i dir
	mount -t overlay image:i target -o "ro,lowerdir=$(sed "s|^|$SCRATCH/store2/|" store2/images/i/layers | paste -sd:)"
	must_fail 1 "the image is mounted" "$SHIFTBOX" image-unpack -s store2 --remove i
	must_work "$SHIFTBOX" image-unpack -s store --remove i
	umount target
	mount -t tmpfs image:other target
	must_work "$SHIFTBOX" image-unpack -s store --remove other
}
