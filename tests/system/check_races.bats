# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2154
# shift-check never leaves a tree that its owner changes while it is read.

load lib

need root
need kernel 5.12
need prog strace

test_setup() {
	mkdir -p src/top/dir/below other/below
	touch src/top/dir/below/inside other/below/elsewhere other/elsewhere
	chown -R 5000:5000 other
	mkdir m
	must_work "$SHIFTBOX" mount-idmapped -m 0:100:1 src m
}

# Run CMD... until it has read the directory top to its end, and has looked at what is in there;
# exchange that for a link that leads out, and let it go on.
exchanged() { # CMD...
	local tracer pid n
	# The how many-th call of its thread is it? The mounts that are compared may have no name.
	strace -f -qq -y -o trace -e trace=getdents64 "$@" >out 2>err || true
	n=$(awk '/getdents64/ { n[$1]++ } /getdents64.*top>.* = 0$/ { print n[$1]; exit }' trace)
	strace -f -qq -y -o trace -e trace=getdents64 \
		-e "inject=getdents64:signal=SIGSTOP:when=$n" "$@" >out 2>err 3>&- &
	tracer=$!
	for _ in {1..600}; do
		pid=$(pgrep -P $tracer || true)
		[ -n "$pid" ] && grep -q 'top>.*' trace &&
			grep -q 'State:.*[Tt]' "/proc/$pid/status" && break
		kill -0 $tracer 2>/dev/null || break
		sleep 0.05
	done
	mv src/top/dir src/gone
	ln -s "$SCRATCH/other" src/top/dir
	kill -CONT "$pid"
	status=0
	wait $tracer || status=$?
	rm src/top/dir
	mv src/gone src/top/dir
	grep -B 2 'stopped by SIGSTOP' trace | grep -q 'getdents64.*top>' ||
		say "it was not held there: $(cat trace)"
	[ "$status" -lt 124 ] || say "status $status: $(cat err)"
	! grep -E 'elsewhere|5000' out err || say "it went out of the tree"
}

@test "a directory that becomes a symbolic link before it is opened is not entered" {
	exchanged "$SHIFTBOX" shift-check verify -j 1 -m 0:100:1 m
	exchanged "$SHIFTBOX" shift-check verify -j 1 -m 0:100:1 --source src m
	exchanged "$SHIFTBOX" shift-check map -j 1 --cover src
}

@test "a specification or a tree that changes while it is compared ends in findings" {
	local i worker
	must_work "$SHIFTBOX" shift-check verify -m 0:100:1 --source src m
	(while [ ! -e stop ]; do
		mv src/top/dir src/top/moved; ln -s "$SCRATCH/other" src/top/dir; rm \
			src/top/dir; mv src/top/moved src/top/dir
	done) 3>&- &
	worker=$!
	for i in {1..30}; do
		capture "$SHIFTBOX" shift-check verify -m 0:100:1 --source src m
		[[ $status = [013] && $output$stderr != *elsewhere* && $output != *5000* ]] ||
			tell "run $i"
		capture "$SHIFTBOX" shift-check map --cover src
		[[ $status = [013] && $output != *5000* ]] || tell "map, run $i"
	done
	touch stop
	wait $worker || true
}
