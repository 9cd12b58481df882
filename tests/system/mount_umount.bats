# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2154
# mount-idmapped -u: what is taken off, and who is in the way.

load lib

need root
need kernel 6.3
need prog python3

MI="$SHIFTBOX mount-idmapped"

test_setup() {
	mkdir source source/dir target
	install -o 33 -g 44 /dev/null source/file
}

test_teardown() {
	local p
	for p in "${holders[@]}"; do
		kill -9 "$p" 2>/dev/null
		wait "$p" 2>/dev/null
	done
	holders=()
}

below() {
	grep -c " $SCRATCH/$1[/ ]" /proc/self/mountinfo || :
}

# Start CMD, which must make the file "ready"; its pid is in $holder.
hold() {
	rm -f "$SCRATCH/ready"
	"$@" 3>&- &
	holder=$!
	holders+=("$holder")
	while [ ! -e "$SCRATCH/ready" ]; do sleep 0.01; done
}

let_go() {
	kill -9 "$holder"
	wait "$holder" 2>/dev/null || :
}

python() {
	hold python3 -c "
import os, time
$1
open('$SCRATCH/ready', 'w')
time.sleep(100)"
}

@test "-R takes off what is below first, innermost first" {
	must_work $MI -m +100000 source target
	mount -t tmpfs none target/dir && mkdir target/dir/a target/dir/b
	mount -t tmpfs none target/dir/a
	mount -t tmpfs none target/dir/a && mkdir target/dir/a/c
	must_work $MI -m +1 source target/dir/a/c
	mount --bind source/file target/file
	must_fail 1 "something is mounted below it: '$SCRATCH/target/dir', '$SCRATCH/target/file'" \
		$MI -u target
	[[ $stderr == *"--recursive"* ]] || tell "the way out"
	must_work $MI -n -u -R target
	must_equal "$(grep -n "'target/dir/a/c'\|'target/dir'\|'target'" <<<"$output" |
		sed 's/.*unmount //' | xargs)" "target/dir/a/c target/dir target"
	must_equal "$(wc -l <<<"$output")" 6
	must_equal "$(below target)" 6
	capture $MI -v -u -R target
	must_equal "$status" 0
	[[ $stderr == *"unmounted below 'target': 'dir/a/c' (tmpfs)"* ]] || tell "not told"
	must_equal "$(below target)" 0
	must_fail 1 "nothing is mounted there" $MI -u -R target
	must_fail 2 "'--recursive' is not for mounting SOURCE on TARGET: it is for --all and" \
		$MI -R source target
}

@test "-R leaves what lies under the mount, and other mounts of the same filesystem" {
	mkdir target/below && mount -t tmpfs under target/below
	must_work $MI -m +100000 source target
	mount -t tmpfs none source/dir
	must_work $MI -u -R target
	must_equal "$(below target) $(below source)" "1 1"
	umount target/below source/dir
}

@test "-R stops at a busy mount, names it, and says what is gone by then" {
	must_work $MI -m +100000 source target
	mount -t tmpfs none target/dir && mkdir target/dir/a && mount -t tmpfs none target/dir/a
	python "os.chdir('target/dir')"
	must_fail 1 "'target/dir': after unmounting 1 below it: cannot unmount: Device or resource \
busy" $MI -u -R target
	[[ $stderr == *"held by process $holder (python3: its working directory)"* ]] || tell "who"
	stderr_has "try:  stop it, or have it leave that directory"
	must_equal "$(below target)" 2
	let_go
	must_work $MI -u -R target
	must_equal "$(below target)" 0
}

@test "who holds it is told, whatever way" {
	local what
	cp "$(command -v sleep)" source/program
	cp "$(ldconfig -p | awk '$1 == "libm.so.6" && !n++ { print $NF }')" source/lib.so
	chmod 755 source source/program
	must_work $MI -m none source target
	local -A ways=(
		["its working directory"]="os.chdir('target')"
		["its root directory"]="os.chroot('target'); os.fchdir(d)"
		["an open file"]="f = open('target/file')"
		["a mapped file"]="ctypes.CDLL('$SCRATCH/target/lib.so')"
	)
	for what in "${!ways[@]}"; do
		# "ready" as seen from here, or from the directory that is open: after chroot there
		# is no other way.
		hold python3 -c "
import ctypes, os, time
d = os.open('.', os.O_RDONLY)
${ways[$what]}
os.close(os.open('ready', os.O_CREAT | os.O_WRONLY, dir_fd=d))
time.sleep(100)"
		must_fail 1 "it is held by process $holder (python3: $what)" $MI -u target
		let_go
	done
	hold sh -c "touch '$SCRATCH/ready'; exec target/program 100"
	while ! grep -q program /proc/$holder/comm; do sleep 0.01; done
	must_fail 1 "it is held by process $holder (program: its program)" $MI -u target
	let_go
	must_work $MI -u target
}

@test "a loop device over a file there is told" {
	need loop
	truncate -s 1M source/image
	must_work $MI -m none source target
	local dev
	dev=$(losetup -f --show target/image)
	must_fail 1 "it is held by the loop device $dev over '$SCRATCH/target/image'" $MI -u target
	losetup -d "$dev"
	must_work $MI -u target
}

@test "many holders: some are named" {
	must_work $MI -m none source target
	local i
	for i in 1 2 3 4 5 6 7; do python "os.chdir('target')"; done
	must_fail 1 ", ..." $MI -u target
	must_equal "$(grep -o 'process [0-9]*' <<<"$stderr" | wc -l)" 5
	for i in "${holders[@]}"; do kill -9 "$i"; wait "$i" 2>/dev/null || :; done
	must_work $MI -u target
}

@test "a copy in another mount namespace that is in use is told" {
	mount --bind target target && mount --make-shared target && mkdir target/t
	must_work $MI -m none source target/t
	# Not private: what is unmounted here is unmounted there.
	hold unshare -m --propagation unchanged \
		sh -c "cd '$SCRATCH/target/t' && touch '$SCRATCH/ready' && exec sleep 100"
	must_fail 1 "in another mount namespace" $MI -u target/t
	stderr_has "process $holder (sleep: its working directory, in another mount namespace)"
	let_go
	must_work $MI -u target/t
	umount target
}

# Loop devices of this test; other programs of the machine may have some, too.
loops() {
	losetup -nlO BACK-FILE | grep -F "$SCRATCH/" || :
}

@test "of a stack, all that was made for it goes: the upper's mount, and what is in memory" {
	mkdir top && mkdir -m 700 private
	chmod 755 top
	local o before
	before=$(cat /proc/self/mountinfo; loops)
	for o in upper=private/up ephemeral=1M upper=private/plain,upper-map=none; do
		must_work $MI -m +100000 -o lower=top,lower=source,$o overlay target
		must_equal "$(below target)" 1
		must_work $MI -u target
		must_equal "$(cat /proc/self/mountinfo; loops)" "$before"
	done
	# Nothing hidden keeps the layers' filesystem.
	mkdir disk && mount -t tmpfs none disk && mkdir disk/l1 disk/l2 && mkdir -m 700 disk/p
	must_work $MI -m +100000 -o lower=disk/l1,lower=disk/l2,upper=disk/p/up overlay target
	must_work $MI -u target
	must_work umount disk
}

@test "-a -u takes the lines off with what is below, if that is asked for" {
	printf '%s\n' "$SCRATCH/source $SCRATCH/target shiftbox map=+100000 0 0" >fstab
	must_work $MI -a -T fstab
	mount -t tmpfs none target/dir
	must_fail 1 "something is mounted below it" $MI -a -u -T fstab
	must_work $MI -a -u -R -T fstab
	must_equal "$(below target)" 0
}

@test "in a user namespace a mount that came with its parent is told" {
	must_work $MI -m +100000 source target
	must_fail 1 "came with its parent into this mount namespace" in_userns $MI -u target
}
