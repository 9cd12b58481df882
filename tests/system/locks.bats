#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Nobody but the store's owner can hold its locks, by no path; and those who use it wait for each
# other, wherever they are.

load lib

need root

test_setup() {
	STORE=$SCRATCH/store
	"$TESTS/fixtures/mkimage.py" img <<<'{"layers":[{"bulk":100,"seed":1},
		{"files":{"d/x":"1"}}]}'
	"$TESTS/fixtures/mkimage.py" other <<<'{"layers":[{"files":{"o":"1"}}]}'
	"$TESTS/fixtures/mkimage.py" --tar last.tar <<<'{"layers":[{"files":{"z":"1"},
		"compress":"none"}]}'
	mkdir t
	chmod 711 .
	# Commands in a mount namespace with a /run of its own, or with one that cannot be used.
	printf '%s\n' '#!/bin/sh' 'exec unshare -m --propagation private sh -c '"'\\" \
		'mount -t tmpfs -o rw,mode=755 run /run && exec "$@"'"' sh"' "$@"' >own_run
	sed 's/-o rw/-o ro/' own_run >no_run
	chmod 755 own_run no_run
}

HOLDERS=()

# Somebody opens all that is below DIR and can be opened, and locks it in all ways that reading is
# enough for. He goes on looking until the file `stop` is there.
hold_all() { # UID DIR
	: >held
	setpriv --reuid "$1" --regid "$1" --clear-groups /usr/bin/python3 - "$2" 3>&- >held <<'E' &
import ctypes, fcntl, os, struct, sys, time
seen, fds, told = set(), [], False
while not os.path.exists('stop'):
    for top, dirs, files in os.walk(sys.argv[1]):
        for name in [top] + [os.path.join(top, f) for f in files]:
            if name in seen:
                continue
            try:
                fd = os.open(name, os.O_RDONLY | os.O_NONBLOCK)
            except OSError:
                continue
            seen.add(name)
            fds.append(fd)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                pass
            try: # F_OFD_SETLK
                fcntl.fcntl(fd, 37, struct.pack('hhqqi4x', fcntl.F_RDLCK, 0, 0, 0, 0))
            except OSError:
                pass
    if not told:
        told = True
        print(len(fds), flush=True)
    time.sleep(0.002)
E
	HOLDERS+=($!)
	for _ in {1..1200}; do [ -s held ] || sleep 0.05; done
	[ -s held ]
}

let_go() {
	kill "${HOLDERS[@]}" || true
	wait "${HOLDERS[@]}" || true
	HOLDERS=()
	rm -f held
}

# Everything that takes a lock of the store ends, with nobody to wait for.
all_go_on() {
	must_work timeout 300 "$SHIFTBOX" image-unpack -q --no-sync -s "$STORE" -N new other
	must_work timeout 300 "$SHIFTBOX" image-unpack -s "$STORE" --list
	must_work timeout 300 "$SHIFTBOX" image-unpack -s "$STORE" --show a
	must_work timeout 300 "$SHIFTBOX" image-unpack -q -s "$STORE" --verify a
	must_work timeout 300 "$SHIFTBOX" mount-idmapped -s "$STORE" -m +100000 -o nosuid image:a t
	[ -e t/d/x ]
	umount t
	must_work timeout 300 "$SHIFTBOX" image-unpack -s "$STORE" --remove new
	must_work timeout 300 "$SHIFTBOX" image-unpack -s "$STORE" --prune
	must_equal "$(ls -A "$STORE/tmp")" ""
}

@test "a store with a base: who can read it cannot lock it" {
	local public=
	mkdir nosuid
	mount -t tmpfs -o nosuid,mode=755 nosuid nosuid
	STORE=$SCRATCH/nosuid/store
	"$SHIFTBOX" image-unpack --help | grep -q -- --public && public=--public
	mkdir -m 755 "$STORE"
	must_work "$SHIFTBOX" image-unpack -q -s "$STORE" --base 300000 $public -N a img
	hold_all 65534 "$STORE"
	[ "$(cat held)" -gt 4 ] || say "it held $(cat held)"
	all_go_on
	let_go
}

@test "a mapped view of a store: who is seen as its owner there cannot lock it" {
	local flags
	must_work "$SHIFTBOX" image-unpack -q -s "$STORE" -N a img
	mkdir view
	for flags in ro rw; do
		leave_stage
		"$SHIFTBOX" mount-idmapped -q -m +100000 -o "$flags,public" "$STORE" view \
			2>/dev/null ||
			"$SHIFTBOX" mount-idmapped -q -m +100000 -o "$flags" "$STORE" view
		hold_all 100000 view
		[ "$(cat held)" -gt 100 ] || say "it held $(cat held)"
		all_go_on
		let_go
		umount view
	done
}

# An unpack that has locked and staged, and reads from the pipe at descriptor 7: $unpack.
begin_unpack() { # NAME COMMAND...
	local name=$1
	shift
	rm -f pipe
	mkfifo pipe
	"$@" "$SHIFTBOX" image-unpack -q --no-sync -s "$STORE" -N "$name" - <pipe 3>&- &
	unpack=$!
	exec 7>pipe
	for _ in {1..1200}; do
		[ -n "$(find "$STORE/tmp" -mindepth 1 -maxdepth 1 -type d 2>/dev/null)" ] && break
		sleep 0.05
	done
	[ -n "$(find "$STORE/tmp" -mindepth 1 -maxdepth 1 -type d 2>/dev/null)" ]
}

leave_stage() {
	begin_unpack killed
	kill -9 $unpack
	wait $unpack || true
	exec 7>&-
	[ -n "$(ls -A "$STORE/tmp")" ]
}

@test "what dead processes left is swept, marks and all" {
	must_work "$SHIFTBOX" image-unpack -q -s "$STORE" -N a img
	leave_stage
	touch "$STORE/tmp/lock-layers-x-0123456789abcdef" \
		"$STORE/tmp/lock-images-x-0123456789abcdef~" "$STORE/tmp/0123456789abcdef.lock" \
		"$STORE/tmp/fedcba9876543210.lock~"
	must_work timeout 300 "$SHIFTBOX" image-unpack -s "$STORE" --prune
	must_equal "$(ls -A "$STORE/tmp")" ""
}

# Does --prune wait for the unpack that was begun, say TEXT, and go on when that has ended?
waits() { # TEXT COMMAND...
	local text=$1 prune
	shift
	: >waiting # the last one's words are not this one's
	timeout 300 "$@" "$SHIFTBOX" image-unpack -s "$STORE" --prune >pruned 2>waiting 3>&- 7>&- &
	prune=$!
	for _ in {1..1200}; do grep -q "waiting for" waiting && break; sleep 0.05; done
	grep -qF "$text" waiting || say "it said: $(cat waiting)"
	sleep 0.3
	kill -0 $prune
	[ ! -s pruned ]
	cat last.tar >&7
	exec 7>&-
	wait $unpack
	wait $prune
	[ -e "$STORE/images/slow" ]
}

@test "who waits for a lock says for whom" {
	begin_unpack slow
	waits "uses the store '$STORE': process $unpack ($(cat /proc/$unpack/comm))"
}

@test "a signal ends who waits for a lock, wherever that is held" {
	local way waiting
	for way in "" ./own_run; do
		rm -rf "$STORE"
		begin_unpack slow
		: >said
		$way "$SHIFTBOX" image-unpack -s "$STORE" --prune 2>said 3>&- 7>&- &
		waiting=$!
		for _ in {1..1200}; do grep -q "waiting for" said && break; sleep 0.05; done
		sleep 0.1
		kill $waiting
		status=0
		wait $waiting || status=$?
		must_equal "$status" 143
		cat last.tar >&7
		exec 7>&-
		wait $unpack
		must_equal "$(ls -A "$STORE/tmp")" ""
	done
}

@test "processes that do not share /run wait for each other all the same" {
	local first second
	for first in "" ./own_run ./no_run; do
		for second in ./own_run ./no_run; do
			rm -rf "$STORE"
			begin_unpack slow $first
			waits "$(joined "uses the store '$STORE': one of another container, or " \
				"without access to /run")" $second
		done
	done
}

@test "many with several /run neither wait for ever nor get in each other's way" {
	local i pids=() way
	must_work "$SHIFTBOX" image-unpack -q --no-sync -s "$STORE" -N a img
	for i in {1..18}; do
		case $((i % 3)) in 0) way= ;; 1) way=./own_run ;; *) way=./no_run ;; esac
		if [ $((i % 5)) = 0 ]; then
			timeout 300 $way "$SHIFTBOX" image-unpack -q -s "$STORE" --prune 3>&- &
		else
			timeout 300 $way "$SHIFTBOX" image-unpack -q --no-sync -s "$STORE" \
				-N "o$((i % 4))" other 3>&- &
		fi
		pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i"; done
	must_work "$SHIFTBOX" image-unpack -q -s "$STORE" --verify o1
	must_equal "$(ls -A "$STORE/tmp")" ""
}

@test "two that make their marks at the same moment: one withdraws, and both end" {
	need prog strace
	must_work "$SHIFTBOX" image-unpack -q --no-sync -s "$STORE" -N a img
	local i pids=() log
	# Each is held for a second after its first mark is seen, and before it looks for others.
	for i in 1 2; do
		timeout 300 ./own_run strace -qq -o "trace$i" -e trace=renameat2,unlink,unlinkat \
			-e inject=renameat2:delay_exit=1000000:when=1 \
			"$SHIFTBOX" image-unpack -s "$STORE" --prune 2>"said$i" 3>&- &
		pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i"; done
	log=$(cat said1 said2)
	[[ $log == *"one of another container"* ]] || say "they did not meet: $log"
	must_equal "$(grep -c '^renameat2(.*lock-layers-x-' trace1 trace2 | cut -d: -f2 | sort |
		paste -sd' ')" "1 2"
	must_equal "$(ls -A "$STORE/tmp")" ""
}

@test "without a directory for locks it goes on with marks, and says so under -v" {
	capture ./no_run "$SHIFTBOX" image-unpack -v --no-sync -s "$STORE" -N a img
	must_equal "$status" 0
	stderr_has "there is no directory for locks that is the caller's alone" \
		"(Read-only file system)"
	must_work ./no_run "$SHIFTBOX" image-unpack -q --no-sync -s "$STORE" -N a img
	must_work ./no_run "$SHIFTBOX" image-unpack -s "$STORE" --prune
	capture ./no_run "$SHIFTBOX" mount-idmapped -s "$STORE" -m +100000 -o nosuid image:a t
	must_equal "$status" 0
	stderr_has "the map of 't' will not be shown later" ... "Read-only file system"
}

@test "a directory for locks that others could write, or exchange, is not used" {
	local how
	for how in 'mkdir -m 775 /run/shiftbox' \
		'mkdir -m 700 /run/shiftbox; chown 65534 /run/shiftbox' \
		'mkdir /run/x; ln -s x /run/shiftbox' \
		'chmod 777 /run' 'chown 65534 /run'; do
		capture unshare -m --propagation private sh -c "mount -t tmpfs -o mode=755 run /run
			$how"'; "$@"; r=$?; ls /run/shiftbox/; exit $r' sh \
			"$SHIFTBOX" image-unpack -q -v --no-sync -s "$STORE" -N a img
		capture unshare -m --propagation private sh -c "mount -t tmpfs -o mode=755 run /run
			$how"'; "$@"; r=$?; ls /run/shiftbox/; exit $r' sh \
			"$SHIFTBOX" image-unpack -v --no-sync -s "$STORE" -N a img
		must_equal "$status" 0
		[[ $stderr == *"no directory for locks that is the caller's alone"* ]] ||
			tell "$how: not said"
		[[ $output != *layers-* ]] || tell "$how: it was used"
	done
	capture unshare -m --propagation private sh -c 'mount -t tmpfs -o mode=1777 run /run
		"$@"
		stat -c %n:%a:%u /run/shiftbox /run/shiftbox/*' sh \
		"$SHIFTBOX" image-unpack -q --no-sync -s "$STORE" -N a img
	[[ $output == "/run/shiftbox:700:0"*"/run/shiftbox/images-"*":600:0"* ]] ||
		tell "not as it should be"
}

@test "root's locks are in /run alone: the environment may be that of another user" {
	mkdir -m 700 theirs
	capture env XDG_RUNTIME_DIR="$SCRATCH/theirs" ./no_run "$SHIFTBOX" image-unpack -v \
		--no-sync -s "$STORE" -N a img
	must_equal "$status" 0
	stderr_has "no directory for locks that is the caller's alone (Read-only file system)"
	must_equal "$(ls theirs)" ''
}

@test "a full filesystem or one that is read-only holds up none who only look" {
	must_work "$SHIFTBOX" image-unpack -q --no-sync -s "$STORE" -N a img
	mount --bind "$STORE" "$STORE"
	mount -o remount,bind,ro "$STORE"
	capture "$SHIFTBOX" mount-idmapped -v -s "$STORE" -m +100000 image:a t
	must_equal "$status" 0
	stderr_has "no lock file can be made in the store '$STORE' (Read-only file system)"
	umount t
	must_work ./no_run "$SHIFTBOX" image-unpack -s "$STORE" --show a
	must_fail 1 "Read-only file system" "$SHIFTBOX" image-unpack -s "$STORE" -N b other
	umount "$STORE"
}

@test "a user's own: below XDG_RUNTIME_DIR, inside and outside of a user namespace" {
	need prog newuidmap
	make_user alice 1501 100000 65536
	install -d -m 700 -o 1501 -g 1501 "$SCRATCH/run-alice"
	chmod -R a+rX other
	must_work as_user alice env XDG_RUNTIME_DIR="$SCRATCH/run-alice" \
		"$SHIFTBOX" image-unpack -q --no-sync -N a other
	must_equal "$(stat -c %a:%u run-alice/shiftbox)" 700:1501
	must_equal "$(find run-alice/shiftbox -name 'layers-*' | wc -l)" 1
	must_work as_user alice env XDG_RUNTIME_DIR="$SCRATCH/run-alice" unshare -Urm \
		"$SHIFTBOX" image-unpack -q -s "$SCRATCH/home-alice/other" -N a other
	must_equal "$(find run-alice/shiftbox -name 'layers-*' | wc -l)" 2
	# Another user's, as su(1) leaves it, is not used.
	install -d -m 755 -o 1502 -g 1502 "$SCRATCH/run-bob"
	capture as_user alice env XDG_RUNTIME_DIR="$SCRATCH/run-bob" \
		"$SHIFTBOX" image-unpack -v --no-sync -N a other
	must_equal "$status" 0
	[[ $stderr == *"no directory for locks that is the caller's alone"* ]] || tell "not said"
	must_equal "$(ls -A run-bob)" ""
}

@test "an image file that others lock is mounted, alone and from a table" {
	need loop
	need prog mkfs.ext4
	truncate -s 16M fs
	mkfs.ext4 -q fs
	chmod 644 fs
	# shellcheck disable=SC2016 # for the inner shell
	setpriv --reuid 65534 --regid 65534 --clear-groups sh -c 'exec 9<fs && flock 9 &&
		echo held && exec sleep 100' >held 3>&- &
	HOLDERS=($!)
	for _ in {1..1200}; do [ -s held ] || sleep 0.05; done
	[ -s held ]
	must_work timeout 300 "$SHIFTBOX" mount-idmapped -m +1000 fs t
	umount t
	echo "$SCRATCH/fs $SCRATCH/t shiftbox loop,map=+1000 0 0" >fstab
	must_work timeout 300 "$SHIFTBOX" mount-idmapped -a -T fstab
	umount t
	must_work timeout 300 ./no_run "$SHIFTBOX" mount-idmapped -m +1000 fs t -e -- true
	let_go
}

@test "those who attach one file at the same moment share a device, with and without /run" {
	need loop
	need prog mkfs.ext4
	local way i pids
	truncate -s 16M fs
	mkfs.ext4 -q fs
	mkdir m{1..6}
	for way in "" ./no_run; do
		pids=()
		rm -f dev?
		for i in {1..6}; do
			# Each keeps its mount until all six have looked.
			$way "$SHIFTBOX" mount-idmapped -m +1000 fs "m$i" -e -- sh -c '
				losetup -nlO NAME -j fs
				for i in $(seq 600); do
					[ "$(cat dev? | wc -l)" -lt 6 ] || break
					sleep 0.1
				done' >"dev$i" 3>&- &
			pids+=($!)
		done
		for i in "${pids[@]}"; do wait "$i"; done
		must_equal "$(cat dev? | sort -u | wc -l)" 1
	done
}

@test "who holds the lock of an image file for long is named" {
	need loop
	need prog mkfs.ext4
	truncate -s 16M fs
	mkfs.ext4 -q fs
	"$SHIFTBOX" mount-idmapped -m +1000 fs t
	umount t
	local lock
	lock=/run/shiftbox/loop-$(stat -c %Hd:%Ld-%i fs)
	flock -F "$lock" sleep 1000 3>&- &
	while flock -n "$lock" true; do sleep 0.05; done
	must_fail 1 "another process has held the lock for 10 seconds: process $! (sleep)" \
		"$SHIFTBOX" mount-idmapped -m +1000 fs t
	kill $!
}

@test "a stage of --flat that somebody locks through a mapped view is swept" {
	mkdir around view
	"$SHIFTBOX" image-unpack -q --flat around/x img
	mkfifo pipe
	"$SHIFTBOX" image-unpack -q --no-sync --flat around/d - <pipe 3>&- &
	unpack=$!
	exec 7>pipe
	for _ in {1..1200}; do
		[ -n "$(find around -name '.shiftbox-flat-????????????????')" ] && break
		sleep 0.05
	done
	kill -9 $unpack
	wait $unpack || true
	exec 7>&-
	"$SHIFTBOX" mount-idmapped -m +100000 -o ro around view
	hold_all 100000 view
	must_work timeout 300 "$SHIFTBOX" image-unpack -q --no-sync --flat around/e other
	must_equal "$(find around -name '.shiftbox*')" ""
	let_go
	umount view
}
