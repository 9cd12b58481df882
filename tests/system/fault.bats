# SPDX-License-Identifier: LGPL-2.1-or-later
# System calls that fail, in the shipped binary: what is true of every command. Each command's own
# steps are tested beside it.

load lib

need prog strace

@test "inject itself: the status is the command's, and 99 when nothing was made to fail" {
	must_fail 1 "Input/output error" inject openat:EIO:3+ cat /dev/null /dev/null
	capture inject rename:EIO:1 true
	must_equal "$status" 99
	capture inject 'rename' true
	must_equal "$status" 2
}

@test "a command that cannot be guarded does not run" {
	need root
	mkdir disk mnt
	for c in "mount-idmapped -m +1000 disk mnt" "shift-check verify -m +0 --source disk disk" \
		"image-unpack -s $SCRATCH/store -N a /dev/null"; do
		# shellcheck disable=SC2086 # words
		must_fail 1 "cannot install the filter that refuses chown: Invalid argument" \
			inject seccomp:EINVAL:1+ "$SHIFTBOX" $c
	done
	[ -z "$(ls mnt)" ]
	[ ! -e store ]
	must_equal "$(owner mnt)" 0:0
}

@test "results that cannot be written are a failure, also as JSON" {
	must_fail 1 "cannot write" inject write:EIO:1 "$SHIFTBOX" --list
	must_fail 1 "cannot write" inject write:ENOSPC:1 "$SHIFTBOX" mount-idmapped --help
	must_fail 1 "cannot write" inject write:EIO:1 "$SHIFTBOX" --gen json
}

@test "an interrupted write is taken up again" {
	"$SHIFTBOX" --gen json >want
	must_work inject write:EINTR:1 "$SHIFTBOX" --gen json
	must_equal "$output" "$(cat want)"
}
