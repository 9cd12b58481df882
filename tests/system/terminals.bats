# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2154,SC2016
# What terminals show: narrow ones, dumb ones, without colour; and pipes that nobody reads.

load lib

need root
need prog script python3 strace

# COLUMNS CMD...: what CMD prints on a terminal that wide, in the file shown
on_terminal() {
	local columns=$1
	shift
	script -qec "stty rows 24 cols $columns; $(printf '%q ' "$@")" /dev/null \
		</dev/null | tr -d '\r' >shown
}

# No line of the file shown is wider, but for a word that is too long alone (with its title).
fits() {
	awk -v w="$1" 'length($0) > w && split($0, words, " ") > 2 { print; bad = 1 }
		END { exit bad }' shown >wide || say "wider than $1: $(cat wide)"
}

images() {
	"$TESTS/fixtures/mkimage.py" img <<<'{"layers":[{"bulk":2000,"seed":1},
		{"bulk":2000,"seed":2},{"files":{"a":"1"}}]}'
	must_work "$SHIFTBOX" image-unpack -q -s store -N debian img
	must_work "$SHIFTBOX" image-unpack -q -s store -N an-image-with-a-long-name img
}

@test "tables and help fit terminals of 20 to 200 columns, and lose nothing" {
	local columns what
	images
	mkdir s t
	must_work "$SHIFTBOX" mount-idmapped -m 0:100000:10 -m 10:200000:10 -o ro s t
	for what in "image-unpack -s store --list" "shift-check host" "shift-check list" \
		"image-unpack --help" "mount-idmapped --help" "shift-check explain --help" \
		"shift-check --help"; do
		# shellcheck disable=SC2086 # words
		"$SHIFTBOX" $what >plain
		for columns in 20 30 40 60 79 80 100 200; do
			# shellcheck disable=SC2086
			on_terminal $columns "$SHIFTBOX" $what
			[[ $what == *list* && $what == shift-check* ]] || fits $columns
			# The words are those of the plain output: titles may be said again.
			tr -s ' \n' '\n' <plain | sort -u >want
			tr -s ' \n' '\n' <shown | sed 's/:$//' | sort -u >got
			sed 's/:$//' want | sort -u | comm -23 - got >lost
			# A row that is a block has no title of an empty column.
			grep -vxE '[A-Z-]+' lost >rest || true
			[ "$columns" -lt 80 ] || cp lost rest
			must_equal "$(cat rest)" ""
		done
	done
	umount t
}

@test "answers of explain fit terminals of 20 to 200 columns, but for commands" {
	local columns
	mkdir -m 700 closed
	touch closed/file
	"$SHIFTBOX" shift-check explain --as 1000 closed/file >plain
	for columns in 20 30 40 60 79 80 100 200; do
		on_terminal $columns "$SHIFTBOX" shift-check explain --as 1000 closed/file
		sed -i 's/\x1b\[[0-9;]*m//g' shown
		must_equal "$(tr -s ' \n' '\n' <shown)" "$(tr -s ' \n' '\n' <plain)"
		must_equal "$(grep 'try:' shown)" "$(grep 'try:' plain)"
		sed -i '/try:/d' shown
		fits $columns
	done
	grep -qx '  exec    EACCES: .*' plain || say "$(cat plain)"
}

@test "what is not written to a terminal is never broken, and COLUMNS is obeyed on one" {
	images
	"$SHIFTBOX" image-unpack -s store --list >plain
	COLUMNS=20 "$SHIFTBOX" image-unpack -s store --list | cmp - plain
	on_terminal 200 env COLUMNS=20 "$SHIFTBOX" image-unpack -s store --list
	fits 20
	on_terminal 20 env COLUMNS=200 "$SHIFTBOX" image-unpack -s store --list
	cmp shown plain
	for columns in 0 -1 x 99999 ''; do
		on_terminal 200 env COLUMNS=$columns "$SHIFTBOX" image-unpack -s store --list
		cmp shown plain
	done
}

@test "progress at 20 columns keeps the percentage, and no line wraps" {
	images
	for columns in 20 30 40 50 80; do
		rm -rf other
		on_terminal $columns env TERM=xterm "$SHIFTBOX" image-unpack -s other -N a img
		tr '\033' '\n' <shown | sed 's/^\[[0-9;]*[A-Za-z]//' | grep -v '^a: ' |
			awk -v w=$columns 'length($0) >= w { print; bad = 1 } END { exit bad }' ||
			say "a line of $columns columns or more"
		grep -q '%' shown || say "no percentage: $(cat shown)"
	done
	rm -rf other
	on_terminal 80 env TERM=xterm strace -f -qqq -o /dev/null -e trace=syncfs \
		-e inject=syncfs:delay_enter=400000 "$SHIFTBOX" image-unpack -s other -N a img
	grep -q "writing to disk" shown || say "$(cat shown)"
}

@test "a dumb terminal gets no progress, and NO_COLOR no colour" {
	local term
	images
	mkdir s t
	touch s/file
	must_work "$SHIFTBOX" mount-idmapped -m +100000 -o ro s t
	for term in TERM=dumb TERM= "-u TERM"; do
		rm -rf other
		# shellcheck disable=SC2086
		on_terminal 80 env $term "$SHIFTBOX" image-unpack -s other -N a img
		must_equal "$(grep -c . shown)" 1
		# shellcheck disable=SC2086
		on_terminal 80 env $term "$SHIFTBOX" shift-check -m +5 t
		! grep -q $'\033' shown || say "$(cat -v shown)"
	done
	rm -rf other
	on_terminal 80 env TERM=xterm NO_COLOR=1 "$SHIFTBOX" image-unpack -s other -N a img
	grep -qE '\[[#.]{5}' shown || say "no bar: $(cat -v shown)"
	! grep -q $'\033\[[0-9]*m' shown || say "$(cat -v shown)"
	on_terminal 80 env TERM=xterm NO_COLOR=1 "$SHIFTBOX" shift-check -m +5 t
	! grep -q $'\033\[[0-9]*m' shown || say "$(cat -v shown)"
	on_terminal 80 env TERM=xterm "$SHIFTBOX" shift-check -m +5 t
	grep -q $'\033\[1;31m' shown || say "$(cat -v shown)"
	umount t
}

@test "messages on standard error have the colours of --color, in the right places" {
	local esc=$'\033'
	on_terminal 80 env TERM=xterm "$SHIFTBOX" mount-idmapped -m +5 none t
	grep -qF "${esc}[1;31mshiftbox mount-idmapped:${esc}[0m 'none': " shown ||
		say "$(cat -v shown)"
	grep -qF "  ${esc}[1mtry: ${esc}[0m " shown || say "$(cat -v shown)"
	on_terminal 80 env TERM=xterm NO_COLOR=1 "$SHIFTBOX" mount-idmapped -m +5 none t
	! grep -q "$esc" shown || say "$(cat -v shown)"
	must_fail 1 "shiftbox mount-idmapped: 'none': " "$SHIFTBOX" mount-idmapped -m +5 none t
	must_fail 1 "${esc}[1;31mshiftbox mount-idmapped:${esc}[0m " \
		"$SHIFTBOX" mount-idmapped --color=always -m +5 none t
	mkdir s u
	chown 5 s
	capture "$SHIFTBOX" mount-idmapped --color=always -m 0:0:1 s u
	stderr_has "shiftbox mount-idmapped: ${esc}[1;33mwarning: ${esc}[0m"
	umount u
	must_fail 1 '"error"' "$SHIFTBOX" mount-idmapped --color=always --json -m +5 none t
	[[ $stderr != *"$esc"* ]] || say "JSON has colours"
}

@test "a pipe that nobody reads ends it without a word; what changes something is done first" {
	python3 "$TESTS/fixtures/many_files.py" 3000 s
	mkdir t
	must_work "$SHIFTBOX" mount-idmapped -m +100000 -o ro s t
	exec 8> >(:)
	wait $!
	capture sh -c '"$@" >&8; exit $?' sh "$SHIFTBOX" shift-check -j 1 -m +5 t
	must_equal "$status:$stderr" 141:
	exec 8>&-
	umount t

	"$TESTS/fixtures/mkimage.py" img <<<'{"layers":[{"files":{"a":"1"}},{"files":{"b":"1"}}]}'
	{
		r=0
		"$SHIFTBOX" image-unpack --json -s store -N a img || r=$?
		echo "$r" >status
	} 2>err | head -c 1 >first
	[[ $(cat status) = 141 || $(cat status) = 0 ]] || say "status $(cat status)"
	must_equal "$(cat err)" ""
	[ -e store/images/a ] || say "the image was not finished"

	# A caller that ignores SIGPIPE (a service of systemd) is told.
	exec 8> >(:)
	wait $!
	must_fail 1 "cannot write the results: Broken pipe" \
		sh -c 'trap "" PIPE; exec "$@" >&8' sh "$SHIFTBOX" shift-check host
	capture sh -c '"$@" >&8; exit $?' sh "$SHIFTBOX" shift-check host
	must_equal "$status:$stderr" 141:
	capture sh -c '"$@" >&8; exit $?' sh "$SHIFTBOX" image-unpack --help
	must_equal "$status:$stderr" 141:
	capture sh -c '"$@" >&8; exit $?' sh "$SHIFTBOX" --json --list
	must_equal "$status:$stderr" 141:
	exec 8>&-
	must_fail 1 "free space where standard output goes to" \
		sh -c '"$@" >/dev/full' sh "$SHIFTBOX" shift-check host
}
