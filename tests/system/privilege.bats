#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# It does not run with rights that its caller does not have, and lets no environment choose where it
# has.

load lib

need root

test_setup() {
	mkdir -m 700 c
	mkdir c/a c/t t
	echo secret >c/a/f
	chmod 755 .
	cp "$SHIFTBOX" box
	chmod 755 box
	./box --install .
	ln -s box mount.shiftbox
}

as_bob() { setpriv --reuid 1501 --regid 1501 --clear-groups "$@"; }

# By each of its names, called by root and by an ordinary user (BY...): it says TEXT and what to do,
# exits with its status for failures, and mounts and unpacks nothing.
refused() { # TEXT BY...
	local text=$1 command code
	shift
	for command in "./box mount-idmapped -m +1000 c/a c/t" "./mount-idmapped -m +1000 c/a c/t" \
		"./mount.shiftbox c/a c/t -o map=+1000" \
		"./box --list" "./box" "./image-unpack -s st --list" "./shift-check list" \
		"./userns-run -- true" "./box --help" "./box nonsense"; do
		code=1
		[[ $command != *userns-run* ]] || code=125
		# shellcheck disable=SC2086
		must_fail $code "$text" "$@" $command
		[ -z "$output" ] || tell "it printed something"
		stderr_has "  why:  its caller chooses its paths, options and environment" \
			... "  try:  "
		! grep -q "$SCRATCH/c/t " /proc/self/mountinfo || tell "it mounted"
	done
}

works() { must_work ./box --list; must_work ./box mount-idmapped -m +1000 c/a c/t; umount c/t; }

@test "a set-uid copy" {
	works
	chmod 4755 box
	refused "'$SCRATCH/box': this program does not run set-uid or set-gid (mode 4755)"
	refused "'$SCRATCH/box': this program does not run set-uid or set-gid (mode 4755)" as_bob
	[[ $stderr == *"chmod u-s,g-s '$SCRATCH/box'"* ]] || tell "the remedy is not named"
	chown 1502 box
	chmod 4711 box
	refused "does not run set-uid or set-gid (mode 4711)" as_bob
	# Where the bits have no effect there may be another path to the file.
	mount -t tmpfs -o nosuid,mode=755 nosuid t
	cp -p box t/box
	chmod 4755 t/box
	must_fail 1 "does not run set-uid" as_bob t/box --list
	umount t
	chmod 755 box
	works
}

@test "a set-gid copy; a set-gid bit that stands for something else" {
	chgrp 42 box
	chmod 2755 box
	refused "this program does not run set-uid or set-gid (mode 2755)"
	refused "this program does not run set-uid or set-gid (mode 2755)" as_bob
	chmod 2745 box
	works
}

caps() {
	/usr/bin/python3 \
		-c 'import os, sys
os.setxattr("box", "security.capability", bytes.fromhex(sys.argv[1]))' "$1"
}

@test "a copy with file capabilities, also of another user namespace" {
	local caps
	# cap_sys_admin+ep; cap_net_raw+p; the first in version 3, of the root with uid 0
	for caps in 0100000200002000000000000000000000000000 \
		0000000200200000000000000000000000000000 \
		010000030000200000000000000000000000000000000000; do
		caps "$caps"
		refused "'$SCRATCH/box': this program does not run with file capabilities"
		refused "'$SCRATCH/box': this program does not run with file capabilities" as_bob
	done
	caps 0100000300002000000000000000000000000000a0860100
	refused "this program does not run with file capabilities" as_bob
	[[ $stderr == *"setcap -r '$SCRATCH/box'"* ]] || tell "the remedy is not named"
	capture in_userns ./box --list
	must_equal "$status" 1
	cp box other
	mv other box
	works
}

@test "real and effective ids that differ" {
	refused "the real ids are 1501:0, the effective ones 0:0" setpriv --ruid 1501
	refused "the real ids are 0:1501, the effective ones 0:0" setpriv --rgid 1501 --keep-groups
	refused "the real ids are 0:0, the effective ones 1501:0" setpriv --euid 1501
	works
}

@test "callers may have sudo's ids, ambient capabilities, a user namespace, no_new_privs" {
	must_work setpriv --reuid 1501 --regid 1501 --clear-groups --inh-caps +sys_admin \
		--ambient-caps +sys_admin ./box --list
	must_work as_bob unshare -Ur ./box --list
	must_work as_bob setpriv --no-new-privs ./box --list
	works
}

@test "without /proc it runs, as nothing was granted" {
	must_work unshare -m --propagation private sh -c 'mount -t tmpfs none /proc && exec "$@"' \
		sh ./box --list
}

secure() {
	need prog gcc
	gcc -O1 -o at_secure "$TESTS/system/at_secure.c"
	chmod 755 at_secure
}

@test "AT_SECURE alone: it runs, does not ask the environment, and says so under -v" {
	secure
	"$TESTS/fixtures/mkimage.py" img <<<'{"layers":[{"files":{"o":"1"}}]}'
	"$TESTS/fixtures/mkimage.py" --oci-archive img.tar <<<'{"layers":[{"files":{"o":"1"}}],
		"outer":{"compress":"gzip"}}'
	chmod -R a+rX img img.tar
	install -d -m 700 -o 1501 -g 1501 home data run
	must_work ./at_secure ./box --list
	capture ./at_secure ./box image-unpack -v -s "$SCRATCH/st" -N a oci:img
	must_equal "$status" 0
	stderr_has "the environment is ignored: a security module started this program with" \
		"more rights than its caller has (AT_SECURE)"
	capture ./box image-unpack -v -s "$SCRATCH/st" -N b oci:img
	[[ $stderr != *"environment is ignored"* ]] || tell "said for nothing"

	# SHIFTBOX_*
	capture env SHIFTBOX_OVERLAY_WAY=nonsense ./box mount-idmapped -s st -m +1000 image:a c/t
	[ "$status" != 0 ] || tell "the variable has no effect at all"
	must_work env SHIFTBOX_OVERLAY_WAY=nonsense ./at_secure ./box mount-idmapped -s st \
		-m +1000 image:a c/t
	umount c/t
	# TMPDIR
	must_fail 1 "/none/where" env TMPDIR=/none/where ./box image-unpack -q -s "$SCRATCH/st" \
		-N c img.tar
	must_work env TMPDIR=/none/where ./at_secure ./box image-unpack -q -s "$SCRATCH/st" \
		-N c img.tar
	# HOME, XDG_DATA_HOME, XDG_RUNTIME_DIR
	must_fail 2 "neither XDG_DATA_HOME nor HOME is set" \
		as_bob env HOME="$SCRATCH/home" XDG_DATA_HOME="$SCRATCH/data" ./at_secure ./box \
		image-unpack -N a oci:img
	must_equal "$(ls -A home data)" $'data:\n\nhome:'
	# PATH: a newuidmap of the caller's, and the program of -e
	mkdir bin
	printf '#!/bin/sh\necho mine >>%s/ran\n' "$SCRATCH" |
		tee bin/newuidmap bin/newgidmap >bin/true
	chmod 755 bin/*
	touch ran
	chmod 666 ran
	must_work env PATH="$SCRATCH/bin:$PATH" ./at_secure "$PWD/box" mount-idmapped \
		-m +1000 c/a c/t -e -- true
	as_bob env PATH="$SCRATCH/bin:$PATH" "$PWD/at_secure" "$PWD/box" image-unpack -q \
		-s "$SCRATCH/run/st" -N a oci:img 2>/dev/null || true
	must_equal "$(cat ran)" ""
	env PATH="$SCRATCH/bin:$PATH" "$PWD/box" mount-idmapped -m +1000 c/a c/t -e -- true
	must_equal "$(cat ran)" mine
}

@test "AT_SECURE: userns-run, which goes on from a copy of itself, hands no environment on" {
	secure
	capture env MARK=seen ./box userns-run -m +100000 -- env
	must_equal "$status" 0
	[[ $output == *MARK=seen* ]] || tell "it is handed on otherwise"
	capture env MARK=seen ./at_secure ./box userns-run -m +100000 -- env
	must_equal "$status" 0
	[[ $output != *MARK=* ]] || tell "it was handed on"
}

@test "AT_SECURE without /proc: nobody knows why, so it does not run" {
	secure
	# The tracer needs /proc, so the traced process goes into a root without it.
	mkdir root
	mount --bind / root
	mount --bind "$SCRATCH" "root$SCRATCH"
	must_work chroot root "$SCRATCH/box" --list
	must_fail 1 "$(joined "cannot tell whether this program's file has set-id bits or " \
		"capabilities: No such file or directory")" \
		env AT_SECURE_ROOT=root ./at_secure "$SCRATCH/box" --list
	umount "root$SCRATCH" root
}
