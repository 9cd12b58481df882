# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2154,SC2016
# userns-run: what root of the command's namespace can reach of its host, and what the host's users
# can reach of the command.

load lib

need root
need kernel 5.19
need prog busybox gcc ipcmk jq python3

setup_file() {
	static_program userns_probe
}

test_setup() {
	make_user alice 2001 700000 65536
	closed_root userns_probe
	mkdir -m 755 outside
	echo secret >outside/secret
	echo secret >closed/secret
	for place in . home-alice; do
		install -m 755 "$BATS_FILE_TMPDIR/userns_probe" $place/userns_probe
	done
	segment=$(ipcmk -M 4096 -p 0666 | grep -o '[0-9]*$')
	HOSTS="-s $segment -h $(./userns_probe -H closed/secret) -h $(./userns_probe -H outside)"
	HOSTS+=" -f $SCRATCH/closed/secret"
}

test_teardown() {
	ipcrm -m "$segment"
}

RUN="$SHIFTBOX userns-run -m +100000"

gets_nowhere() { # CMD...: the probe finds no way out, and so prints nothing
	must_work "$@"
	must_equal "$output" ""
}

@test "the attempts of the probe succeed for root of the host, so that this test can fail" {
	local sleeper what
	sleep 100 3>&- &
	sleeper=$!
	mkdir own
	capture unshare -m --propagation private ./userns_probe -p $sleeper $HOSTS
	kill $sleeper
	for what in 'writable: /proc/sys/' 'writable: /sys/kernel/' 'writable: /sys/class/' \
		'readable: /proc/kmsg' "a way in: /proc/$sleeper/root" \
		"readable: /proc/$sleeper/mem" \
		'process_vm_readv' ptrace pidfd_getfd setns 'bpf: programs of others' \
		perf_event_open fanotify_init 'call: acct' sched_setscheduler \
		'mounted: devtmpfs' 'made: mem' 'SysV memory' open_by_handle_at \
		"a file of the host's"; do
		[[ $output == *"$what"* ]] || tell "no '$what'"
	done
}

@test "root on a directory reaches nothing of the host" {
	gets_nowhere $RUN -r closed/root -- userns_probe -n $HOSTS -f "$SCRATCH/outside"
}

@test "root on a directory reaches nothing with a network, new privileges or a broker" {
	gets_nowhere $RUN --net=none -r closed/root -- userns_probe -n $HOSTS -f "$SCRATCH/outside"
	gets_nowhere $RUN --new-privs -r closed/root -- userns_probe -n $HOSTS -f "$SCRATCH/outside"
	gets_nowhere $RUN --allow mknod:safe --allow umount -r closed/root -- \
		userns_probe -n $HOSTS -f "$SCRATCH/outside"
}

@test "root on an image or on the host's own tree reaches nothing of the host" {
	tar -C closed/root -cf layer.tar .
	mkdir -m 700 store
	must_work "$SHIFTBOX" image-unpack -q -s store -N bb layer.tar
	gets_nowhere $RUN -s store -i bb -- userns_probe -n $HOSTS -f "$SCRATCH/outside"
	gets_nowhere $RUN -- "$SCRATCH/userns_probe" -n $HOSTS
}

@test "the command of an ordinary user reaches nothing of the host" {
	gets_nowhere as_user alice "$SHIFTBOX" \
		userns-run -- "$SCRATCH/home-alice/userns_probe" -n $HOSTS
	gets_nowhere as_user alice "$SHIFTBOX" userns-run --net=none -- \
		"$SCRATCH/home-alice/userns_probe" -n $HOSTS
}

@test "no descriptor or working directory leads out of the root (CVE-2024-21626)" {
	local n form
	exec 7</ 17<closed 23<outside
	for n in {0..25}; do
		for form in "/proc/self/fd/$n" "/proc/self/fd/$n/.." "/proc/self/fd/$n/../../.."; do
			must_fail 125 'cannot enter the working directory' \
				$RUN -r closed/root -w "$form" -- ls
		done
	done
	exec 7<&- 17<&- 23<&-
	# The author of an image chooses, too: what cannot be entered is / then.
	mkdir -m 700 store
	for n in 3 4 5 6 7 8; do
		jq -n --arg dir "/proc/self/fd/$n/.." --arg busybox "$(command -v busybox)" \
			'{config: {config: {WorkingDir: $dir, Cmd: ["ls"]}},
			layers: [{files: {"bin/ls": {copy: $busybox, mode: "755"}}}]}' |
			"$TESTS/fixtures/mkimage.py" oci
		must_work "$SHIFTBOX" image-unpack -q -s store -N app oci
		capture $RUN -s store -i app
		must_equal "$status $(xargs <<<"$output")" "0 bin dev proc run sys tmp"
		stderr_has "cannot enter the working directory '/proc/self/fd/$n/..'" ... \
			"starts in /"
		rm -r oci
	done
}

@test "a process of the host with the id of the command's root cannot inspect the command" {
	local supervisor pids
	mkfifo fifo
	$RUN -e SECRET=x -r closed/root -- sh -c 'echo ready; exec sleep 4741' >fifo 3>&- &
	supervisor=$!
	read -r _ <fifo
	pids="$supervisor $(pgrep -P "$supervisor") $(pgrep -fx 'sleep 4741')"
	must_equal "$(stat -c %u "/proc/$(pgrep -fx 'sleep 4741')")" 100000
	as_100000() { setpriv --reuid 100000 --regid 100000 --clear-groups "$@"; }
	gets_nowhere as_100000 ./userns_probe -l $pids
	kill "$supervisor"
	wait "$supervisor" || true
	# Into any other process of that user it does.
	setpriv --reuid 100000 --regid 100000 --clear-groups sleep 4742 3>&- &
	for _ in {1..1200}; do [ "$(cat /proc/$!/comm)" = sleep ] && break; sleep 0.02; done
	capture as_100000 ./userns_probe -l $!
	kill $!
	[[ $output == *"a way in: /proc/$!/root"*"readable: /proc/$!/environ"* ]] ||
		tell "the probe sees nothing at all"
}
