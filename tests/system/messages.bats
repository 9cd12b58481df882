#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# A name that an image, an archive or another user has chosen is one line of what a terminal shows,
# and never obeyed.

load lib

NAME=$'x\nshiftbox: fake\x1b]0;owned\a\x1b[2J\xc2\x9b2J\xff'
SEEN='x\nshiftbox: fake\x1b]0;owned\x07\x1b[2J\xc2\x9b2J\xff'

# What was said, whatever came of it, is of whole lines of ours, without a byte that a terminal
# obeys; and (TIMES) the name is in it.
harmless() {
	local times=$1 line
	shift
	capture "$@"
	[[ $status -lt 124 ]] || tell "status $status"
	! LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xff' <<<"$output$stderr" ||
		tell "bytes that a terminal obeys: $*"
	! grep -q '^shiftbox: fake' <<<"$output"$'\n'"$stderr" ||
		tell "a line of somebody else's making: $*"
	[ "$(grep -cF "$SEEN" <<<"$output"$'\n'"$stderr")" -ge "$times" ] ||
		tell "the name is not said, or not as it is"
	[[ $output$stderr != *'\\x1b'* ]] || tell "the name is escaped twice"
}

@test "mount-idmapped: source, target, options, submounts, what is in use" {
	need root
	mkdir -p "$NAME/$NAME" t
	mount -t tmpfs "$NAME" "$NAME/$NAME"
	harmless 1 "$SHIFTBOX" mount-idmapped -v -m +1000 -o mkdir "$NAME" "t/$NAME"
	harmless 1 "$SHIFTBOX" mount-idmapped -v -m +1000 --once "$NAME" "t/$NAME"
	harmless 1 "$SHIFTBOX" mount-idmapped -v -m +2000 --once "$NAME" "t/$NAME"
	harmless 2 "$SHIFTBOX" mount-idmapped -n -m +1000 -o mkdir "$NAME" "t/$NAME/other"
	(cd "t/$NAME" && exec -a "$NAME" sleep 100) 3>&- &
	harmless 1 "$SHIFTBOX" mount-idmapped -v -u "t/$NAME"
	kill $! && wait $! || true
	umount "t/$NAME"
	harmless 1 "$SHIFTBOX" mount-idmapped -v -m +1000 -o rbind "$NAME" t
	harmless 1 "$SHIFTBOX" mount-idmapped -v -u -R t
	harmless 1 "$SHIFTBOX" mount-idmapped -v -m +1000 -t tmpfs -o "size=$NAME" none t
	harmless 1 "$SHIFTBOX" mount-idmapped -n -m +1000 -t tmpfs -o "size=$NAME" none t
	harmless 0 "$SHIFTBOX" mount-idmapped --json -m +1000 "$NAME/none" t
	line=${NAME//$'\n'/'\012'}
	printf '%s %s shiftbox %s 0 0\n' /none "$SCRATCH/${line// /'\040'}" nofail,map=+1000 >fstab
	harmless 1 "$SHIFTBOX" mount-idmapped -v -a -T fstab
}

@test "image-unpack: layers, members, platforms, attributes, labels, volumes" {
	need root
	SEEN='x\nshiftbox: fake\x1b]0;owned\x07\x1b[2J'
	sed 's/BAD/x\\nshiftbox: fake\\u001b]0;owned\\u0007\\u001b[2J/' <<-'E' >image.json
		{"layers": [{"files": {
			"BAD": {"xattrs": {"security.selinux": "78"}},
			"BADd": {"type": "char", "dev": [1, 3]}}}],
		 "ref": "v1",
		 "config": {
			"os": "BAD",
			"config": {"Cmd": ["sh"], "Labels": {
				"BAD": "x"},
				"Volumes": {"/BAD": {}}}}}
	E
	"$TESTS/fixtures/mkimage.py" img <image.json
	harmless 1 "$SHIFTBOX" image-unpack -v --scan oci:img
	harmless 2 "$SHIFTBOX" image-unpack -v -s store -N app oci:img
	harmless 1 "$SHIFTBOX" image-unpack -v -s store --bundle b -m +100000:65536 app
	harmless 0 "$SHIFTBOX" image-unpack --json -s store --show app
	tar --force-local -cf "$NAME.tar" -C store tmp
	SEEN='x\nshiftbox: fake\x1b]0;owned\x07\x1b[2J\xc2\x9b2J\xff'
	harmless 1 "$SHIFTBOX" image-unpack -v -s store -N layer "./$NAME.tar"
	harmless 1 "$SHIFTBOX" image-unpack -v --flat d "./$NAME.tar"
	harmless 1 "$SHIFTBOX" image-unpack -n --flat "$NAME" "./$NAME.tar"
	harmless 1 "$SHIFTBOX" image-unpack -v -s store -N layer "$NAME/none"
}

@test "shift-check: findings, mounts, options" {
	need root
	mkdir "$NAME" t
	chown 70000 "$NAME"
	"$SHIFTBOX" mount-idmapped -m 0:0:1 . t
	harmless 1 "$SHIFTBOX" shift-check verify t
	harmless 1 "$SHIFTBOX" shift-check explain "$NAME"
	mount -t tmpfs "$NAME" "$NAME"
	harmless 2 "$SHIFTBOX" shift-check explain "$NAME"
	umount "$NAME"
	umount t
}

@test "a place in which no directory can be created is refused with the cause and what to do" {
	need root
	local dir
	"$TESTS/fixtures/mkimage.py" img <<<'{"layers": [{"files": {"a": "1"}}]}'
	for dir in /proc /sys; do
		must_fail 1 "'$dir': cannot create a staging directory in it" \
			"$SHIFTBOX" image-unpack --flat "$dir/x" img
		stderr_has "why:  it is in a filesystem of the kernel" ... \
			"in which no directory can be created"
		grep -q "try:  name a directory in a filesystem that stores files" <<<"$stderr" ||
			tell "nothing to try"
	done
}
