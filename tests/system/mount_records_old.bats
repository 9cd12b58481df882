#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Records of mounts before Linux 6.8, whose ids of mounts are reused, and what a record tells users
# who cannot see the mount.

load lib

need root
need kernel 5.19
need prog gcc jq

RECORDS=/run/shiftbox/mounts

test_setup() {
	gcc -shared -fPIC -O1 -D_GNU_SOURCE -o old.so "$TESTS/system/old_mounts.c"
	mount -t tmpfs -o mode=755 run /run
	mkdir -m 755 /run/mount
	chmod 755 "$SCRATCH"
	mkdir -m 700 closed
	mkdir closed/top closed/base t other
}

test_teardown() {
	umount -l /run
}

old() {
	"$TESTS/fixtures/nosys" 457,458 env LD_PRELOAD="$SCRATCH/old.so" "$@"
}

# stack TARGET [SOURCE [CMD...]]
stack() {
	must_work "${@:3}" "$SHIFTBOX" mount-idmapped -m +100000 \
		-o "nosuid,lower=$SCRATCH/closed/top,lower=$SCRATCH/closed/base" -t overlay \
		"${2:-overlay}" "$1"
}

@test "an overlay that gets the id and the device of a stack has not the map of the stack" {
	local old id dev
	stack t overlay old
	old=$(ls $RECORDS)
	cp "$RECORDS/$old" good
	capture old "$SHIFTBOX" shift-check list --json t
	must_equal "$(jq -r .map_from <<<"$output")" record
	umount t
	mount -t overlay overlay -o "lowerdir=$SCRATCH/closed/top:$SCRATCH/closed/base" t
	read -r id dev < <(awk -v t="$SCRATCH/t" '$5 == t { print $1, $3 }' /proc/self/mountinfo)
	jq -c ".mount = $id | .dev = $((${dev%:*} << 8 | ${dev#*:}))" good >"$RECORDS/$id-${old#*-}"
	capture old "$SHIFTBOX" shift-check list --json t
	[[ $output != *100000* ]] || tell "the overlay has the map of the stack"
}

@test "the records of live mounts stay if the caller cannot look into their namespaces" {
	local i
	unshare -m --propagation private sh -c '"$@" && echo $$ >pid && exec sleep 60' sh \
		"$TESTS/fixtures/nosys" 457,458 env LD_PRELOAD="$SCRATCH/old.so" \
		"$SHIFTBOX" mount-idmapped -m +300000 \
		-o "nosuid,lower=$SCRATCH/closed/top,lower=$SCRATCH/closed/base" overlay t 3>&- &
	for ((i = 0; i < 1200; i++)); do
		[ ! -s pid ] || break
		sleep 0.05
	done
	must_work setpriv --bounding-set=-all --inh-caps=-all "$TESTS/fixtures/nosys" 457,458 \
		env LD_PRELOAD="$SCRATCH/old.so" "$SHIFTBOX" shift-check list
	must_equal "$(ls $RECORDS | wc -l)" 1
	must_work old "$SHIFTBOX" shift-check list
	must_equal "$(ls $RECORDS | wc -l)" 1
	{ kill "$(cat pid)"; wait; } 2>/dev/null || :
}

@test "a user's records stay when the user lists mounts in another user namespace" {
	need prog newuidmap
	local dir=$SCRATCH/run-alice i
	make_user alice 1501 100000 65536
	chmod 755 old.so
	install -d -m 755 -o 1501 -g 1501 l
	install -d -m 700 -o 1501 -g 1501 "$dir"
	as_user alice env XDG_RUNTIME_DIR="$dir" unshare -Ur --map-auto -m --propagation private \
		sh -c 'mount -t tmpfs none l && mkdir l/a l/b && "$@" && echo $$ >home-alice/pid &&
			exec sleep 60' sh "$TESTS/fixtures/nosys" 457,458 \
		env LD_PRELOAD="$SCRATCH/old.so" "$SHIFTBOX" mount-idmapped -m 0:7:1 \
		-o lower=l/a,lower=l/b,userxattr -t overlay overlay t 3>&- &
	for ((i = 0; i < 1200; i++)); do
		[ ! -s home-alice/pid ] || break
		sleep 0.05
	done
	must_work as_user alice env XDG_RUNTIME_DIR="$dir" unshare -Ur \
		"$TESTS/fixtures/nosys" 457,458 env LD_PRELOAD="$SCRATCH/old.so" \
		"$SHIFTBOX" shift-check list
	must_equal "$(ls "$dir"/shiftbox/mounts | wc -l)" 1
	{ kill "$(cat home-alice/pid)"; wait; } 2>/dev/null || :
}

@test "a record does not tell whether a guess of the source is right" {
	need kernel 6.15
	stack t guess
	stack other secret
	must_equal "$(jq -r .shape $RECORDS/* | sort -u | wc -l)" 1
}
