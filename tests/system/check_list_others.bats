#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2016,SC2154
# shift-check list --all-namespaces, where other users have namespaces that they made for whoever
# lists them.

load lib

need root
need userns
need prog gcc setpriv strace jq

NOSYS=$BATS_TEST_DIRNAME/../fixtures/nosys
OLD=457,458 # statmount, listmount: a kernel before 6.8

setup_file() {
	[ -n "$missing" ] ||
		gcc -static -O1 -o "$BATS_FILE_TMPDIR/stranger" "$TESTS/fixtures/stranger.c"
}

test_setup() {
	chmod 711 "$SCRATCH"
	mkdir -m 700 closed
	mkdir closed/d closed/one
	must_work "$SHIFTBOX" mount-idmapped -m +100000 closed/d closed/one
	STRANGER=
}

test_teardown() {
	[ -z "$STRANGER" ] || kill -KILL "$STRANGER" 2>/dev/null || true
}

# stranger UID WAY [ARG]: such a process of that user, $STRANGER.
stranger() {
	local uid=$1
	shift
	setpriv --reuid "$uid" --regid "$uid" --clear-groups "$BATS_FILE_TMPDIR/stranger" "$@" \
		>ready 2>why 3>&- &
	STRANGER=$!
	for _ in $(seq 150); do
		grep -q ready ready && return 0
		kill -0 $STRANGER 2>/dev/null ||
			skip "such a namespace cannot be made here: $(cat why)"
		sleep 0.1
	done
	say "the stranger's namespace does not come"
}

# The list is whole: status 0, and our own mount in it.
lists() {
	capture timeout --signal=KILL 60 "$@"
	[ "$status" = 0 ] || tell "it failed"
	[[ $output == *"$SCRATCH/closed/one"* ]] || tell "our own mount is not listed"
}

# What the JSON says of a mount in the stranger's namespace: theirs FILTER
theirs() {
	jq -c "select(.namespace == $(stat -Lc %i "/proc/$STRANGER/ns/mnt")) | $1" <<<"$output"
}

@test "a root directory with a name of megabytes is not known, and its library is not loaded" {
	need kernel 6.15
	cat >lib.c <<-'END'
		#include <fcntl.h>
		#include <unistd.h>
		__attribute__((constructor)) static void ran(void)
		{
			close(open(MARK, O_WRONLY | O_CREAT, 0600));
		}
	END
	gcc -shared -fPIC -DMARK="\"$SCRATCH/mark\"" -o lib.so lib.c
	chmod 644 lib.so
	stranger 1501 root "$SCRATCH/lib.so"
	lists "$SHIFTBOX" shift-check list --all-namespaces
	output_has "$STRANGER stranger " ... \
		"not known (what the kernel reports about the mount is too large)"
	lists "$SHIFTBOX" shift-check list --all-namespaces --json
	must_equal "$(theirs 'select(.words | startswith("not known")) |
		[.target, .map_from, .kind, .map]' | sort -u)" '["/","unknown","mount",null]'
	lists "$NOSYS" $OLD "$SHIFTBOX" shift-check list --all-namespaces
	[ ! -e mark ] || say "the stranger's library was loaded"
}

@test "options of megabytes are not known, and the other mounts of that namespace are" {
	need kernel 6.15
	stranger 1501 options
	lists "$SHIFTBOX" shift-check list --all-namespaces --json
	must_equal "$(theirs 'select(.target | startswith("/mnt")) | [.target, .map_from, .words]' |
		sort)" \
		'["/mnt/big","unknown","layers: not known '\
'(what the kernel reports about the mount is too large)"]
["/mnt/mapped","kernel","disk 0 is seen as 1501"]'
	lists "$NOSYS" $OLD "$SHIFTBOX" shift-check list --all-namespaces
}

@test "a filesystem that does not answer is not asked" {
	local sys
	stranger 0 fuse
	for sys in 1000 $OLD; do # 1000: no call at all
		lists "$NOSYS" "$sys" "$SHIFTBOX" shift-check list --all-namespaces --json
		must_equal "$(theirs 'select(.target == "/mnt/top" or .target == "/") | .map_from' |
			sort -u)" '"unknown"'
	done
}

# Alone in a PID namespace, where the first other mount namespace is the one that goes.
vanish() { # CALL SYSCALLS
	unshare -mpf --mount-proc --propagation private bash -ec '
		unshare -m sleep 100 3>&- &
		target=$!
		ours=$(readlink /proc/self/ns/mnt)
		until [ "$ours" != "$(readlink /proc/$target/ns/mnt)" ]; do sleep 0.05; done
		"$NOSYS" $2 strace -f -qq -o trace -e trace=$1 -e inject=$1:signal=SIGSTOP:when=1 \
			"$SHIFTBOX" shift-check list --all-namespaces >list 2>err 3>&- &
		tracer=$!
		for n in $(seq 1200); do
			held=$(pgrep -x shiftbox) && grep -q -e "--- SIGSTOP" trace && break
			sleep 0.05
		done
		kill -KILL $target
		wait $target 2>/dev/null || true
		kill -CONT $held
		wait $tracer
	' - "$@"
}

@test "a namespace that goes while it is looked at ends nothing" {
	local call
	export NOSYS
	need kernel 6.15
	for call in "ioctl 1000" "memfd_create $OLD"; do
		# shellcheck disable=SC2086 # two words
		capture vanish $call
		[ "$status" = 0 ] || tell "it failed"
		grep -q -e '--- SIGSTOP' trace || say "it was not held: $(cat trace)"
		grep -q "$SCRATCH/closed/one" list ||
			say "our own mount is not listed: $(cat list err)"
		must_equal "$(cat err)" ""
	done
}

@test "nothing enters another namespace; names are looked up below its process's root alone" {
	local pid
	need kernel 6.15
	mkfifo ready
	unshare -m --propagation private sh -c 'mount -t tmpfs -o mode=700 t /mnt &&
		mkdir /mnt/only-there /mnt/b /mnt/mapped /mnt/m &&
		"$SHIFTBOX" mount-idmapped -m +100000 /mnt/only-there /mnt/mapped &&
		mount -t overlay o -o lowerdir=/mnt/mapped:/mnt/b /mnt/m && echo >ready &&
		exec sleep 60' 3>&- &
	pid=$!
	timeout 300 cat ready >/dev/null || say "the other namespace does not come"
	capture strace -f -y -qq -o trace -e 'trace=!write' "$SHIFTBOX" shift-check list \
		--all-namespaces --json
	kill $pid
	wait $pid || true
	must_equal "$status" 0
	must_equal "$(jq -c 'select(.target == "/mnt/m") | [.map_from, .map]' <<<"$output")" \
		'["layers","b:0:100000:65536"]'
	! grep -E '(setns|unshare|chroot|pivot_root|clone|clone3|vfork)\(' trace ||
		say "it enters, or starts, something"
	grep -q 'openat2([0-9]*</>, "/mnt/mapped", {.*RESOLVE_NO_MAGICLINKS|RESOLVE_IN_ROOT' \
		trace || say "the layer is not opened below the process's root"
	# strace 6.13 prints the names that statmount(2) returns.
	! grep '"/mnt/' trace | grep -vE '^[0-9]+ statmount\(|openat2.*RESOLVE_IN_ROOT' ||
		say "a name is looked up"
}
