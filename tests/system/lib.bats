# SPDX-License-Identifier: LGPL-2.1-or-later
# The helpers themselves: a test that leaves something behind, or that only seems to pass, must
# fail. What it leaves behind on purpose would be seen by tests that run at the same time: serial

load lib

# Run a test file whose one test does what stands on stdin.
inner() {
	{
		printf 'load %q\n@test "inner" {\n' "$TESTS/system/lib.bash"
		cat
		printf '}\n'
	} >inner.bats
	env -u SCRATCH TESTS="$TESTS" TMPDIR="$SCRATCH" bats --tap inner.bats
}

# The inner test fails, and says TEXT.
inner_fails() {
	capture inner
	[ "$status" = 1 ] || tell "the inner test did not fail"
	[[ $output = *"not ok 1"* && $output = *"$1"* ]] || tell "it does not say '$1'"
}

@test "a test that does nothing wrong passes" {
	inner <<<'must_work "$SHIFTBOX" --list; must_fail 2 "unknown" "$SHIFTBOX" nothing'
}

@test "must_work fails for a failure and for words on stderr" {
	inner_fails "it failed" <<<'must_work false; true'
	inner_fails "stderr is not empty" \
		<<<'must_work ls . /nonexistent || true; must_work sh -c "echo oops >&2"; true'
}

@test "must_fail fails for success, another status, another message and a signal" {
	inner_fails "the exit status is not 1" <<<'must_fail 1 "" true; true'
	inner_fails "the exit status is not 1" <<<'must_fail 1 "" sh -c "exit 2"; true'
	inner_fails "stderr has no 'that'" \
		<<<'must_fail 1 "that" sh -c "echo this >&2; exit 1"; true'
	inner_fails "it died by a signal" <<<'must_fail 139 "" sh -c "kill -SEGV \$\$"; true'
}

@test "a process that is left fails the test, and is ended" {
	inner_fails "a process is left" <<'END'
		mkfifo pipe
		exec 7<>pipe
		dd if=/dev/zero of=pipe bs=65536 count=1 status=none
		"$SHIFTBOX" --list >pipe 3>&- 7>&- &
		while [ -z "$(own_processes)" ]; do sleep 0.05; done
END
	[ -z "$(pgrep -f "$SHIFTBOX --list")" ]
}

@test "staging that is left fails the test" {
	inner_fails "staging is left: x" <<<'mkdir -p store/layers store/tmp/x'
	inner <<<'mkdir -p store/layers store/tmp'
}

@test "a mount in the runner's namespace fails the test" {
	need root
	local host
	# It stands for the runner, whose own namespace other files look at meanwhile.
	unshare -m --propagation private sleep 1000 3>&- &
	host=$!
	until [ "$(readlink /proc/$host/ns/mnt)" != "$(readlink /proc/self/ns/mnt)" ]; do
		sleep 0.1
	done
	RUNNER_PID=$host inner_fails "mounts of the host changed" \
		<<<'nsenter -t "$RUNNER_PID" -m mount -t tmpfs shiftbox-test-leak /mnt'
	kill $host
}

@test "a loop device that is left fails the test, and is detached" {
	need loop
	inner_fails "loop devices are left" <<<'truncate -s 1M image; losetup -f "$SCRATCH/image"'
	[ -z "$(losetup -nO BACK-FILE | grep -F "$SCRATCH/")" ]
}
