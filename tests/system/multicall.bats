# SPDX-License-Identifier: LGPL-2.1-or-later
# The binary as a whole: names, links, output that cannot be written.

load lib

@test "every listed command is found by its name and through its link" {
	must_work "$SHIFTBOX" --install .
	for name in $("$SHIFTBOX" --list); do
		must_work "$SHIFTBOX" "$name" --version
		want=$output
		must_work "./$name" --version
		must_equal "$output" "$want"
	done
}

@test "links are made once, and made again over nothing else" {
	must_work "$SHIFTBOX" --install .
	must_work "$SHIFTBOX" --install .
	name=$("$SHIFTBOX" --list | head -n1)
	rm "$name"
	echo mine >"$name"
	must_fail 1 "cannot make the link" "$SHIFTBOX" --install .
	must_equal "$(cat "$name")" mine
}

@test "output that cannot be written is a failure" {
	full() { "$@" >/dev/full; }
	must_fail 1 "No space left" full "$SHIFTBOX" --list
	must_fail 1 "No space left" full "$SHIFTBOX" mount-idmapped --help
}

@test "a closed pipe ends it by SIGPIPE, and is an error if that is ignored" {
	gone() {
		exec 8> >(:)
		wait $!
		"$@" >&8 8>&-
	}
	capture gone "$SHIFTBOX" --list
	must_equal "$status:$stderr" 141:
	must_fail 1 "Broken pipe" gone sh -c 'trap "" PIPE; exec "$@"' sh "$SHIFTBOX" --list
}

@test "standard descriptors that are closed are not given to other files" {
	closed() { "$@" >&- 2>&-; }
	capture closed "$SHIFTBOX" --list
	[ "$status" -lt 128 ]
}
