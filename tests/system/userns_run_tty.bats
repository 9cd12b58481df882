# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2154,SC2016
# userns-run on a terminal: the command has one of its own, and the caller gets its own back.

load lib

need root
need kernel 5.12
need prog python3 bash

RUN="env -C / $SHIFTBOX userns-run -m +100000"

on_terminal() { # CMD..., with a script on stdin
	must_work timeout 300 "$TESTS/fixtures/terminal.py" "$@"
}

@test "job control, the interrupt, the terminal's name and size" {
	on_terminal $RUN -- bash --norc --noediting -i <<'END'
		send PS1='ready''> '\r
		expect ready> 
		raw yes
		send tty; stty size; stat -c %F-%U-%t:%T /dev/console\r
		expect \r\n/dev/pts/0\r\n24 80\r\ncharacter special file-root-88:0\r\nready> 
		send sh -c 'echo be''gun; exec sleep 4713'\r
		expect begun
		send \x1a
		expect Stopped
		expect ready> 
		send jobs; kill -0 %1 && echo there\r
		expect Stopped
		expect \r\nthere\r\n
		expect ready> 
		send fg\r
		expect sleep 4713'\r\n
		again \x03 ready> 
		send echo $?\r
		expect \r\n130\r\nready> 
		send trap w=1 WINCH; echo set\r
		expect \r\nset\r\nready> 
		size 40 100
		send until [ "$w" ]; do sleep 0.1; done; stty size\r
		expect \r\n40 100\r\nready> 
		send exit 7\r
		wait
		raw no
END
	must_equal "$(head -n1 <<<"$output")" 'status 7'
}

@test "all output arrives, and the terminal is as before" {
	on_terminal $RUN -- sh -c 'seq 1 20000; echo last' <<'END'
		wait
		raw no
END
	must_equal "$(grep -c . <<<"$output")" 20002
	must_equal "$(tail -n1 <<<"$output" | tr -d '\r')" last
	must_equal "$(tail -n2 <<<"$output" | head -n1 | tr -d '\r')" 20000
	# Ended by a signal, or with nothing to run at all, too.
	on_terminal $RUN -- sleep 4714 <<'END'
		raw yes
		send \x03
		wait
		raw no
END
	must_equal "$output" 'status 130
^C'
	on_terminal $RUN -- none-such <<'END'
		wait
		raw no
END
	[[ $output == 'status 127'* ]] || say "$output"
	on_terminal $RUN -- sleep 4714 <<'END'
		raw yes
		signal TERM
		wait
		raw no
END
	# The signal may come before the command has started, which is said.
	must_equal "$(grep -v 'stopped by SIGTERM: the command was not started' <<<"$output")" \
		'status 143'
}

@test "a terminal that hangs up ends the command" {
	on_terminal sh -c '"$@" & wait $!; sleep 0.1' sh $RUN -- \
		sh -c 'trap "" HUP; sleep 0.1' <<'END'
		wait
END
	python3 - $RUN -- sleep 4715 <<'END'
import os, pty, sys, time
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
time.sleep(0.5)
os.close(fd)
for _ in range(50):
    if os.waitpid(pid, os.WNOHANG)[0]:
        sys.exit(0)
    time.sleep(0.1)
sys.exit('it does not end')
END
	[ -z "$(pgrep -fx 'sleep 4715')" ] || say "the command is left"
}

@test "stdin or stdout that is no terminal is the command's as it is" {
	must_work $RUN -- sh -c 'tty; cat' <<<text
	must_equal "$output" "not a tty
text" || :
	on_terminal sh -c 'echo text | "$@" | cat' sh $RUN -- \
		sh -c 'cat; tty -s; echo $?; test -e /dev/console; echo $?' <<'END'
		wait
END
	must_equal "$(xargs <<<"$(tr -d '\r' <<<"$output")")" 'status 0 text 1 1'
	# stderr goes where it is meant to go while the rest is on the terminal.
	on_terminal sh -c '"$@" 2>file' sh $RUN -- sh -c 'echo out; echo err >&2' <<'END'
		wait
END
	must_equal "$(tail -n1 <<<"$output" | tr -d '\r') $(cat file)" 'out err'
}

@test "without a terminal of its own, it is interrupted and stopped with the supervisor" {
	on_terminal $RUN --pipe -- sh -c 'trap "echo got INT; exit 5" INT
		echo here
		while :; do sleep 0.05; done' <<'END'
		expect here
		raw no
		send \x03
		wait
END
	[[ $output == 'status 5'*'got INT'* ]] || say "$output"
	on_terminal bash --norc --noediting -i <<END
		send PS1='ready''> '\r
		expect ready> 
		send $RUN --pipe -- sh -c 'echo be''gun; sleep 4716'\r
		expect begun
		send \x1a
		expect Stopped
		expect ready> 
		send ps -o stat= \$(pgrep -fx 'sleep 4716')\r
		expect \r\nT
		send fg\r
		expect sh -c
		again \x03 ready> 
		send exit \$?\r
		wait
END
	[[ $output == 'status 130'* ]] || say "$output"
}
