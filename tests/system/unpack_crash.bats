#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Whatever ends an unpack, what is in the store is whole, and the next run succeeds.

load lib
need root
need prog python3

IMAGE='{"layers":[{"bulk":900,"seed":1},{"bulk":900,"seed":2},{"files":{"d/x":"1"},
	"bulk":500,"seed":3},{"bulk":400,"seed":4}]}'

test_setup() {
	STORE=$SCRATCH/store
	"$TESTS/fixtures/mkimage.py" img <<<"$IMAGE"
	must_work "$SHIFTBOX" image-unpack --no-sync -s reference -N a img
}

# Every layer directory has its files and is the whole layer; every image's layers are there.
store_is_whole() {
	local l i
	for l in "$STORE"/layers/*; do
		[ -d "$l" ] || continue
		[ -s "$l.mtree" ] && [ -s "$l.json" ] || say "$l lacks its files"
		diff -r "$l" "reference/layers/${l##*/}" || say "$l is not whole"
		must_equal "$(stat -Lc %a "$l")" "$(stat -Lc %a "reference/layers/${l##*/}")"
	done
	for i in "$STORE"/images/*/layers; do
		[ -e "$i" ] || continue
		while read -r l; do
			[ -d "$STORE/$l" ] || say "$i names $l, which is not there"
		done <"$i"
	done
}

@test "killed at 50 random moments, it leaves whole layers or none, and the next run sweeps" {
	local i whole=0 killed=0
	timed must_work "$SHIFTBOX" image-unpack -q --no-sync -s "$STORE" -N a img
	RANDOM=4711
	for ((i = 1; i <= 50 || killed < 15; i++)); do
		[ $i -le 500 ] || say "only $killed of $i were killed at work"
		case $((i % 4)) in
		0) rm -rf "$STORE" ;;
		1 | 2) rm -rf "$STORE"/layers/* "$STORE"/images/* ;;
		3) rm -rf "$STORE"/images/* \
			"$(find "$STORE/layers" -mindepth 1 -maxdepth 1 -xtype d |
			shuf -n1 --random-source=img/index.json)" ;;
		esac
		kill_at_random "$SHIFTBOX" image-unpack -q --no-sync -s "$STORE" -N a img
		if [ -d "$STORE/layers" ]; then store_is_whole; fi
		[ ! -e "$STORE/images/a" ] || whole=$((whole + 1))
		if ((i % 3 == 0)); then
			must_work "$SHIFTBOX" image-unpack -q --no-sync -s "$STORE" -N a img
			must_equal "$(ls -A "$STORE/tmp")" ""
			store_is_whole
			must_equal "$(ls "$STORE/layers" | sort)" "$(ls reference/layers | sort)"
		fi
	done
	must_work "$SHIFTBOX" image-unpack -q --no-sync -s "$STORE" -N a img
	must_equal "$(ls -A "$STORE/tmp")" ""
	must_equal "$(ls "$STORE/layers" | sort)" "$(ls reference/layers | sort)"
}

@test "killed between the renames of publishing, it leaves a file without a layer, to be swept" {
	need prog strace
	local n
	for n in 1 2 3 4 5 6 7 8 9; do
		rm -rf "$STORE"
		strace -f -qq -o /dev/null -e trace=renameat \
			-e inject=renameat:signal=SIGKILL:when=$n \
			"$SHIFTBOX" image-unpack -q --no-sync -s "$STORE" -N a img 2>/dev/null ||
			true
		[ ! -e "$STORE/images/a" ] || say "it was not killed"
		store_is_whole
		must_work "$SHIFTBOX" image-unpack -q --no-sync -s "$STORE" -N a img
		must_equal "$(ls -A "$STORE/tmp")" ""
		must_equal "$(ls "$STORE/layers" | sort)" "$(ls reference/layers | sort)"
	done
}

@test "a full disk is told as such, and the store is as before" {
	mkdir "$STORE"
	mount -t tmpfs -o size=2M,mode=0700 small "$STORE"
	"$TESTS/fixtures/mkimage.py" little <<<'{"layers":[{"files":{"a":"1"}}]}'
	must_work "$SHIFTBOX" image-unpack -s "$STORE" -N little little
	local before
	before=$(cd "$STORE" && find . ! -path ./tmp -printf '%p %s %m %T@\n' | sort)
	must_fail 1 "No space left on device" "$SHIFTBOX" image-unpack -s "$STORE" -N a img
	[[ $stderr == *"image 'a', layer "*" of 4 (sha256:"* && $stderr == *"try:  free space"* ]]
	must_equal "$(cd "$STORE" && find . ! -path ./tmp -printf '%p %s %m %T@\n' | sort)" \
		"$before"
	must_equal "$(ls -A "$STORE/tmp")" ""
	umount "$STORE"
}

@test "a disk that runs out of inodes is told as such" {
	mkdir "$STORE"
	mount -t tmpfs -o size=20M,nr_inodes=400,mode=0700 small "$STORE"
	must_fail 1 "No space left on device" "$SHIFTBOX" image-unpack -s "$STORE" -N a img
	must_equal "$(find "$STORE" -mindepth 1 | sort | paste -sd' ')" \
		"$STORE/format $STORE/images $STORE/layers $STORE/tmp"
	umount "$STORE"
}

@test "a signal ends it in order: nothing staged or published, and the shell sees the signal" {
	local sig
	mkfifo pipe
	for sig in INT TERM HUP; do
		env -C "$SCRATCH" python3 -c '
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$SHIFTBOX" image-unpack -s "$STORE" -N a - <pipe 2>err &
		exec 7>pipe
		head -c 100000 /dev/zero | tr '\0' 'x' >/dev/null
		for _ in {1..1200}; do
			[ -n "$(ls -A "$STORE/tmp" 2>/dev/null)" ] && break
			sleep 0.05
		done
		[ -n "$(ls -A "$STORE/tmp")" ]
		kill -s "$sig" $!
		status=0
		wait $! || status=$?
		exec 7>&-
		must_equal "$status" $((128 + $(kill -l "$sig")))
		must_equal "$(cat err)" "shiftbox image-unpack: stopped by SIG$sig: $(printf %s \
			"the store keeps only what is complete; the next run removes the rest")"
		must_equal "$(find "$STORE" -mindepth 2)" ""
	done
}

@test "several at once, on the same image and on others, all succeed" {
	local i pids=()
	"$TESTS/fixtures/mkimage.py" other <<<'{"layers":[{"bulk":300,"seed":1},
		{"files":{"d/x":"1"},"bulk":200,"seed":3},{"files":{"o":"1"}}]}'
	for i in 1 2 3 4 5 6; do
		"$SHIFTBOX" image-unpack -q --no-sync -s "$STORE" -N "a$((i % 3))" img &
		pids+=($!)
		"$SHIFTBOX" image-unpack -q --no-sync -s "$STORE" -N "o$((i % 2))" other &
		pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i"; done
	must_equal "$(ls "$STORE/images" | paste -sd' ')" "a0 a1 a2 o0 o1"
	must_equal "$(ls -A "$STORE/tmp")" ""
	for i in "$STORE"/images/a*; do cmp "$i/layers" reference/images/a/layers; done
}

@test "a prune waits for a run that relies on layers, and takes nothing that it needs" {
	local unpack prune
	must_work "$SHIFTBOX" image-unpack -q -s "$STORE" -N a img
	must_work "$SHIFTBOX" image-unpack -q -s "$STORE" --remove a
	"$TESTS/fixtures/mkimage.py" --tar last.tar <<<'{"layers":[{"files":{"z":"1"},
		"compress":"none"}]}'
	mkfifo pipe
	# It has decided which layers it needs as soon as it reads from the pipe.
	timeout 300 "$SHIFTBOX" image-unpack -q -s "$STORE" -N slow - <pipe &
	unpack=$!
	exec 7>pipe
	for _ in {1..1200}; do [ -n "$(ls -A "$STORE/tmp")" ] && break; sleep 0.05; done
	timeout 300 "$SHIFTBOX" image-unpack -s "$STORE" --prune >pruned 2>waiting 7>&- &
	prune=$!
	for _ in {1..1200}; do grep -q "waiting for" waiting && break; sleep 0.05; done
	sleep 0.3
	kill -0 "$prune"
	must_equal "$(ls "$STORE/layers" | sort)" "$(ls reference/layers | sort)"
	cat last.tar >&7
	exec 7>&-
	wait "$unpack"
	wait "$prune"
	grep -q "waiting for another process" waiting
	must_equal "$(grep -c '^removed' pruned)" 4
	must_equal "$(find "$STORE/layers" -mindepth 1 -maxdepth 1 -xtype d | wc -l)" 1
}

@test "every call that fails while it publishes leaves the store as it was" {
	need prog strace
	local call n
	for call in renameat renameat2 syncfs flock; do
		for n in 1 2 3; do
			rm -rf "$STORE"
			capture inject "$call:EIO:$n" "$SHIFTBOX" image-unpack -s "$STORE" -N a img
			[ "$status" != 99 ] || break # there are fewer calls than that
			# Giving a lock back may fail unseen: it ends with the process.
			[ "$call:$status" != flock:0 ] || continue
			must_equal "$status" 1
			[[ $stderr == *"Input/output error"* || $stderr == *EIO* ]] ||
				tell "no cause"
			[ ! -e "$STORE/images/a" ]
			store_is_whole
			must_work "$SHIFTBOX" image-unpack -q -s "$STORE" -N a img
			must_equal "$(ls "$STORE/layers" | sort)" "$(ls reference/layers | sort)"
		done
	done
}

@test "images that are removed while a prune looks at them are no error" {
	local i prune
	need prog strace
	"$TESTS/fixtures/mkimage.py" small <<<'{"layers":[{"files":{"a":"1"}}]}'
	for i in {10..29}; do
		must_work "$SHIFTBOX" image-unpack -q --no-sync -s "$STORE" -N "i$i" small
	done
	strace -qq -o trace -e trace=getdents64 -e inject=getdents64:delay_exit=100000 \
		"$SHIFTBOX" image-unpack -q -s "$STORE" --prune 2>said &
	prune=$!
	for i in {10..29}; do
		must_work "$SHIFTBOX" image-unpack -q -s "$STORE" --remove "i$i"
		kill -0 "$prune" 2>/dev/null && sleep 0.05
	done
	wait "$prune" || tell "$(cat said)"
	must_equal "$(cat said)" ""
}
