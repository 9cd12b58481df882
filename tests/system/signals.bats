# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2154,SC2016,SC2034
# Ctrl-C, SIGTERM and the like: one line at once, the prompt within a second, nothing that the next
# run does not clean up. tests/fixtures/interrupt.py measures it.

load lib

need root
need prog python3 strace

REST="the next run removes the rest"

interrupt() {
	"$TESTS/fixtures/interrupt.py" "$@" >shown 2>&1 || say "$(cat shown)"
}

# The command as a direct child, while strace delays (or interrupts) its calls
slowly() { # CALL SECONDS CMD...
	local call=$1 seconds=$2
	shift 2
	set -- strace -D -f -qqq -o /dev/null -e "trace=$call" \
		-e "inject=$call:delay_enter=$seconds" "$@"
	slow=("$@")
}

image() { # FILES of each of two layers
	"$TESTS/fixtures/mkimage.py" img <<<"{\"layers\":[{\"bulk\":$1,\"seed\":1},
		{\"bulk\":$1,\"seed\":2}]}"
}

next_run_cleans_up() {
	must_work "$SHIFTBOX" image-unpack -q -s store -N a img
	must_equal "$(ls -A store/tmp)" ""
}

@test "at the limit of the size of files a write fails, and nothing stays behind" {
	local json='{"layers":[{"files":{"f":{"copy":"'$BASH'"}}}]}'
	"$TESTS/fixtures/mkimage.py" img <<<"$json"
	must_fail 1 "cannot write the file: File too large" sh -c 'ulimit -f 100 && exec "$@"' sh \
		"$SHIFTBOX" image-unpack -s store -N a img
	stderr_has 'ulimit -f shows it'
	must_equal "$(ls -A store/tmp)$(ls -A store/images)$(ls -A store/layers)" ""
	mkdir -m 700 closed
	must_fail 1 "cannot write the file: File too large" sh -c 'ulimit -f 100 && exec "$@"' sh \
		"$SHIFTBOX" image-unpack --flat closed/a img
	must_equal "$(ls -A closed)" ""
}

@test "while it waits for its input" {
	mkfifo pipe
	sleep 60 >pipe &
	for sig in INT TERM HUP QUIT; do
		interrupt --signal $sig --after 0.3 --line "stopped by SIG$sig: " -- \
			sh -c 'exec "$@" <pipe' sh "$SHIFTBOX" image-unpack -s store -N a -
		interrupt --signal $sig --after 0.3 --line "stopped by SIG$sig: " -- \
			sh -c 'exec "$@" <pipe' sh "$SHIFTBOX" image-unpack --flat d -
		[ ! -e d ] || say "something was published"
	done
	kill %1
	must_equal "$(find . -name '.shiftbox-flat-*' -type d)" ""
}

@test "at 20 moments of an unpack: the next run is as if there had been none" {
	image 3000
	interrupt --times 10 --after 0.8 --may-finish --line "$REST" -- \
		"$SHIFTBOX" image-unpack -s store -N a img
	next_run_cleans_up
	rm -rf store
	interrupt --times 10 --after 0.8 --may-finish --tty --line "$REST" -- \
		"$SHIFTBOX" image-unpack -s store -N a img
	next_run_cleans_up
}

@test "on a terminal it says cancelled, and nothing is drawn over the line" {
	image 3000
	slowly write 2000 "$SHIFTBOX" image-unpack -s store -N a img
	interrupt --when 'for layer in 0 1; do
			test $(find store/tmp/*/$layer 2>/dev/null | wc -l) -gt 50 || exit 1
		done' --tty --line "$REST" -- "${slow[@]}"
	grep -q "layer 1/2 .*cancelled" shown || say "$(cat shown)"
	grep -q "layer 2/2 .*cancelled" shown || say "$(cat shown)"
	! grep -q failed shown || say "$(cat shown)"
	tail -n 5 shown | grep -q "$REST" || say "$(tail -n 5 shown)"
	next_run_cleans_up
}

@test "while it waits for a disk that does not answer" {
	need loop
	need prog bindfs mkfs.ext4
	local daemon
	LEAVES_STAGING=1
	image 1500
	mkdir d f m
	truncate -s 200M d/disk
	mkfs.ext4 -q d/disk
	bindfs -f d f &
	daemon=$!
	for _ in {1..1200}; do [ ! -e f/disk ] || break; sleep 0.05; done
	mount -o loop f/disk m
	# syncfs(2) cannot be killed while the daemon behind the disk is stopped.
	interrupt --when "test \$(find m/store/tmp 2>/dev/null | wc -l) -gt 3000 &&
		kill -STOP $daemon && sleep 1" --line "$REST" -- \
		"$SHIFTBOX" image-unpack -s m/store -N a img
	must_equal "$(cat "/proc/$(own_processes)/wchan")" wb_wait_for_completion
	kill -CONT "$daemon"
	for _ in {1..1200}; do [ -n "$(own_processes)" ] || break; sleep 0.1; done
	must_equal "$(own_processes)" ""
	must_equal "$(ls -A m/store/images)" ""
	must_work "$SHIFTBOX" image-unpack -q -s m/store -N a img
	must_equal "$(ls -A m/store/tmp)" ""
	umount m
	kill "$daemon"
}

@test "while it removes what it has unpacked, and what is left the next run removes" {
	image 3000
	LEAVES_STAGING=1
	slowly unlinkat 3000 "$SHIFTBOX" image-unpack -s store -N a img
	interrupt --when 'test $(find store/tmp 2>/dev/null | wc -l) -gt 2000' --line "$REST" -- \
		"${slow[@]}"
	[ -n "$(ls -A store/tmp)" ] || say "nothing was left, so nothing is tested"
	next_run_cleans_up
}

@test "while it removes an image, a layer, or a tree that is replaced" {
	LEAVES_STAGING=1
	image 1500
	must_work "$SHIFTBOX" image-unpack -q -s store -N a img
	must_work "$SHIFTBOX" image-unpack -q -s store --remove a
	slowly unlinkat 2000 "$SHIFTBOX" image-unpack -s store --prune
	interrupt --after 0.7 --line "$REST" -- "${slow[@]}"
	must_work "$SHIFTBOX" image-unpack -q -s store --prune
	must_equal "$(ls -A store/tmp store/layers)" "$(printf 'store/layers:\n\nstore/tmp:')"
	must_work "$SHIFTBOX" image-unpack -q --flat flat img
	entries=$(find flat | wc -l)
	slowly unlinkat 2000 "$SHIFTBOX" image-unpack --flat flat --replace img
	interrupt --after 2 --line "$REST" -- \
		"${slow[@]}"
	must_equal "$(find flat | wc -l)" "$entries"
	must_work "$SHIFTBOX" image-unpack -q --flat flat --replace img
	must_equal "$(find . -name '.shiftbox-flat-*')" ""
}

@test "while it waits for a lock" {
	image 5
	must_work "$SHIFTBOX" image-unpack -q -s store -N a img
	must_work "$SHIFTBOX" image-unpack -q -s store --remove a
	mkfifo pipe
	"$SHIFTBOX" image-unpack -q -s store -N b - <pipe &
	exec 7>pipe
	for _ in {1..1200}; do [ -z "$(ls -A store/tmp)" ] || break; sleep 0.05; done
	"$SHIFTBOX" image-unpack -s store --prune 7>&- 2>err &
	for _ in {1..1200}; do grep -q "waiting for" err && break; sleep 0.05; done
	kill -TERM $!
	status=0
	wait $! || status=$?
	must_equal "$status" 143
	grep -q "stopped by SIGTERM: .*$REST" err || say "$(cat err)"
	kill %1
	exec 7>&-
	wait %1 || true
}

@test "a table of 100 lines: all of them, or none" {
	local i
	mkdir s
	for i in {1..100}; do
		mkdir -p "t/$i"
		echo "$SCRATCH/s $SCRATCH/t/$i shiftbox map=0:$i:1 0 0"
	done >fstab
	for i in {1..15}; do
		: >err # it may be killed before it opens that
		"$SHIFTBOX" mount-idmapped -a -T fstab 2>err &
		sleep "0.0$((i * 6 % 40 + 10))"
		kill -INT $! 2>/dev/null || true
		kill -TERM $! 2>/dev/null || true
		wait $! || true
		case $(mounts) in 0 | 100) ;; *) say "$(mounts) of 100 are mounted" ;; esac
		[ "$(wc -l <err)" -le 1 ] || say "$(cat err)"
		[ "$(mounts)" = 0 ] || umount t/*
	done
	slowly move_mount 100000 "$SHIFTBOX" mount-idmapped -a -T fstab
	interrupt --after 1 --tty --line "what this run has mounted" -- "${slow[@]}"
	must_equal "$(mounts)" 0
}

@test "a single mount is whole or absent" {
	need prog gcc
	local number within
	mkdir s t
	touch s/dir
	number=$(gcc -E -P -include sys/syscall.h - <<<SYS_move_mount | tail -n 1)
	within=(--held 0.9 --when "cat /proc/[0-9]*/syscall 2>/dev/null | grep -q '^$number '"
		--line "each mount is complete or absent")
	slowly move_mount 900000 "$SHIFTBOX" mount-idmapped -m 0:7:1 s t
	interrupt "${within[@]}" -- "${slow[@]}"
	[ "$(mounts)" = 0 ] || must_equal "$(owner t/dir)" 7:7
	umount t 2>/dev/null || true
	slowly move_mount 900000 "$SHIFTBOX" mount-idmapped -e -m 0:7:1 s t -- true
	interrupt "${within[@]}" --tty -- "${slow[@]}"
	# strace still holds the process that makes the mount, in a namespace of its own.
	while pgrep -f "^$SHIFTBOX mount-idmapped -e -m 0:7:1 s t" >/dev/null; do sleep 0.05; done
	must_equal "$(mounts)" 0
}

@test "verify of a large tree: the count is erased, and nothing was changed" {
	python3 "$TESTS/fixtures/many_files.py" 20000 s
	mkdir t
	must_work "$SHIFTBOX" mount-idmapped -m +100000 -o ro s t
	slowly statx 200 "$SHIFTBOX" shift-check -j 1 t
	interrupt --after 1 --line "nothing was changed" -- "${slow[@]}"
	interrupt --after 1 --tty --line "nothing was changed" -- "${slow[@]}"
	interrupt --after 1 --tty --size 10x20 --line "nothing was changed" -- "${slow[@]}"
	umount t
}

@test "userns-run before its command, and the command after it" {
	need kernel 5.19
	need prog gcc
	local number
	closed_root
	number=$(gcc -E -P -include sys/syscall.h - <<<SYS_pivot_root | tail -n 1)
	slowly pivot_root 900000 "$SHIFTBOX" userns-run -m +100000 -r closed/root sleep 4719
	interrupt --status 130 --when "cat /proc/[0-9]*/syscall 2>/dev/null | grep -q '^$number '" \
		--line "stopped by SIGINT: the command was not started; nothing is left" -- \
		"${slow[@]}"
	interrupt --status 130 --when "pgrep -fx 'sleep 4719' >/dev/null" -- \
		"$SHIFTBOX" userns-run -m +100000 -r closed/root sleep 4719
	must_equal "$(grep -v '^ended after' shown)" ""
	must_equal "$(mounts)" 0
}

@test "with --json the line is a message, and the key version is there" {
	mkfifo pipe
	sleep 60 >pipe &
	interrupt --signal TERM --line '"stopped by SIGTERM: ' -- sh -c 'exec "$@" <pipe' sh \
		"$SHIFTBOX" image-unpack --json -s store -N a -
	grep '^{' shown | jq -e '.version == 1 and .message.level == "warning" and
		.message.command == "image-unpack"' || say "$(cat shown)"
	kill %1
}

@test "a signal that is ignored stays ignored, and a second one ends it" {
	mkfifo pipe
	image 200
	"$TESTS/fixtures/mkimage.py" --tar t.tar <<<'{"layers":[{"files":{"a":"1"}}]}'
	(trap '' HUP; exec "$SHIFTBOX" image-unpack -q -s store -N a - <pipe) &
	exec 7>pipe
	for _ in {1..1200}; do [ -z "$(ls -A store/tmp 2>/dev/null)" ] || break; sleep 0.05; done
	kill -HUP $!
	cat t.tar >&7
	exec 7>&-
	wait $!
	[ -e store/images/a ] || say "the signal was not ignored"
}
