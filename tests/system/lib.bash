# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034
#
# What every system test loads: `load lib`. Run the tests through tests/run, which gives each file a
# private mount namespace (as root), so that a failing test cannot leave a mount behind.
#
#   need root|userns|loop|subid|prog X...|fs TYPE|kernel X.Y
#                             skip (fail under STRICT=1) where it is missing; at the top of a file
#                             it holds for every test of the file
#   $SHIFTBOX                 the binary
#   $SCRATCH                  the test's own directory, mode 0700; a tmpfs of its own when root
#   capture CMD...            run CMD: $status, $output (stdout) and $stderr
#   must_work CMD...          CMD exits with 0 and prints nothing on stderr; $output is what it
#                             printed on stdout. What it unpacked into a store passes --verify
#   must_fail CODE TEXT CMD.. CMD exits with CODE (not by a signal) and prints TEXT on stderr
#   stderr_empty              the captured command printed nothing on stderr
#   stderr_is_only KIND       it printed one line there, a warning of this KIND: misfit, that a map
#                             does not suit a tree, or no-map, that there is no map
#   must_work_but KIND CMD... CMD exits with 0 and stderr_is_only KIND
#   stderr_has WORD...        it printed these words on stderr, joined by blanks; the word ...
#                             stands for any text
#   output_has WORD...        the same, for stdout
#   must_equal GOT WANT       the two strings are the same
#   joined WORD...            print the words as one
#   mounts                    print the number of mounts below $SCRATCH
#   kill_mounting N TARGET OWNER CMD...  kill CMD N times while it mounts: TARGET is not mounted, or
#                             as a whole: its directory dir has that owner
#   owner PATH                "UID:GID" of PATH, links not followed
#   static_program NAME [OPTION...]   compile tests/system/NAME.c to $BATS_FILE_TMPDIR/NAME; for
#                             setup_file
#   closed_root [PROGRAM...]  make closed/root, with busybox and these programs of static_program;
#                             only root can enter closed
#   make_user NAME UID BASE COUNT   a user with subordinate ids, seen in this mount namespace only
#   as_user NAME CMD...       run CMD as that user, with its groups and nothing of root's
#   let_in CMD...             run CMD while other users can enter $SCRATCH, whose mode is 0700
#   in_userns CMD...          run CMD as root of a new user and mount namespace
#   loop_fs TYPE DIR [SIZE]   a new filesystem of TYPE (ext4, xfs, ...) mounted on DIR
#   free_loops                for test_teardown: unmount m and n, and free the loop devices $LOOPS
#   inject CALL:ERRNO:N CMD.. run CMD with its Nth CALL failing with ERRNO (tests/fault/inject)
#
# A file that wants more before or after each test defines test_setup or test_teardown. A test that
# leaves staging on purpose (it kills the program) sets LEAVES_STAGING=1.

# What --prune prints where it finds nothing.
NONE_TO_REMOVE='nothing to remove: every layer belongs to an image or is mounted'

bats_require_minimum_version 1.5.0

TESTS=${TESTS:-$(cd "$BATS_TEST_DIRNAME/.." && pwd)}
SHIFTBOX=${SHIFTBOX:-$TESTS/../${BUILD:-build}/shiftbox}
SHIFTBOX=$(realpath "$SHIFTBOX")
export SHIFTBOX
export TERM=xterm # on a dumb one nothing is drawn
# mount(8) of util-linux 2.39 and newer hands each option to fsconfig(2), which takes no more than
# 255 bytes; lowerdir= of the tests is longer.
export LIBMOUNT_FORCE_MOUNT2=always

missing=

lacks() {
	local have
	case $1 in
	root) [ "$EUID" = 0 ] && return 1 ;;
	userns) unshare -Urm true 2>/dev/null && return 1 ;;
	loop) [ "$EUID" = 0 ] && losetup -f >/dev/null 2>&1 && return 1 ;;
	subid) command -v newuidmap >/dev/null && return 1 ;;
	prog)
		for have in "${@:2}"; do
			PATH=$PATH:/usr/sbin:/sbin command -v "$have" >/dev/null || {
				echo "program $have"
				return 0
			}
		done
		return 1 ;;
	fs) grep -qw "$2" /proc/filesystems ||
		modprobe -q "$2" 2>/dev/null; grep -qw "$2" /proc/filesystems && return 1 ;;
	kernel) printf '%s\n' "$2" "$(uname -r)" | sort -VC && return 1 ;;
	*) echo "something unknown: $1"; return 0 ;;
	esac
	echo "$*"
}

need() {
	local what
	what=$(lacks "$@") || return 0
	# At the top of a file bats has no test to skip yet.
	if [ "${FUNCNAME[1]}" = source ] || [ "${FUNCNAME[1]}" = main ]; then
		missing=${missing:-$what}
	else
		skip "needs $what"
	fi
}

say() {
	printf '%s\n' "$*"
	return 1
}

mounts() {
	grep -c " $SCRATCH/" /proc/self/mountinfo || :
}

free_loops() {
	[ -z "${LOOPS:-}" ] || {
		umount m n
		blockdev --setrw $LOOPS
		losetup -d $LOOPS
	} 2>/dev/null
	return 0
}

kill_mounting() {
	local i n times=$1 target=$2 owner=$3
	shift 3
	for i in $(seq 1 "$times"); do
		"$@" &
		n=$!
		sleep "0.00$((i % 10))"
		kill -9 $n 2>/dev/null || true
		wait $n 2>/dev/null || true
		[ "$(mounts)" = 0 ] || {
			must_equal "$(mounts)" 1
			must_equal "$(owner "$target/dir")" "$owner"
			umount "$target"
		}
	done
}

# Run CMD, and set $t to the microseconds that it took.
timed() {
	local started
	started=$(date +%s%N)
	"$@"
	t=$((($(date +%s%N) - started) / 1000))
}

# Run CMD, and kill it after a random part of $t microseconds. $killed counts the runs that were
# still at work. $t follows the pace of the machine, so that most of them are: it gets shorter after
# a run that had ended, else longer.
kill_at_random() {
	local us=$((RANDOM * t / 32768))
	"$@" 2>/dev/null &
	sleep "$(printf '%d.%06d' $((us / 1000000)) $((us % 1000000)))"
	kill -9 $! 2>/dev/null || true
	if wait $!; then
		t=$((t * 3 / 4 + 1))
	else
		killed=$((killed + 1)) t=$((t * 9 / 8))
	fi
}

# The runner's own mounts in $found, where nothing of ours may ever show. Their ids change with
# nobody's doing.
host_mounts() {
	local rest
	found=
	while read -r _ _ _ rest; do found+=$rest$'\n'; done \
		<"/proc/${RUNNER_PID:-$$}/mountinfo"
}

setup() {
	[ -z "$missing" ] || skip "needs $missing"
	if [ "$EUID" = 0 ] && [ -z "${RUNNER_PID:-}" ]; then
		say "as root, start system tests through tests/run: it gives them a mount namespace"
	fi
	if [ "$EUID" = 0 ] && [ "$(owner /dev/null)" != 0:0 ]; then
		say "before this test: another program gave /dev/null to $(owner /dev/null)"
	fi
	local found
	SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/shiftbox-test.XXXXXX")
	export SCRATCH
	LEAVES_STAGING=
	host_mounts
	HOST_MOUNTS=$found
	[ "$EUID" != 0 ] || mount -t tmpfs -o mode=0700 shiftbox-test "$SCRATCH"
	cd "$SCRATCH" || return 1
	if declare -F test_setup >/dev/null; then test_setup; fi
}

# Processes of the binary that this test started: they carry its scratch directory in their
# environment.
own_processes() {
	local exe
	# userns-run goes on from a copy in memory.
	find /proc/[0-9]*/exe -maxdepth 0 \( -lname "$SHIFTBOX" -o \
		-lname '/memfd:shiftbox (deleted)' \) 2>/dev/null | while read -r exe; do
		exe=${exe%/exe}
		grep -qsxz "SCRATCH=$SCRATCH" "$exe/environ" && echo "${exe#/proc/}"
	done
	return 0
}

nothing_left() {
	local found left
	[ "$EUID" != 0 ] || [ "$(owner /dev/null)" = 0:0 ] || {
		owner /dev/null
		say "/dev/null was given away"
		return 1
	}
	host_mounts
	[ "$found" = "$HOST_MOUNTS" ] || diff <(sort <<<"$HOST_MOUNTS") <(sort <<<"$found") || {
		say "mounts of the host changed"
		return 1
	}
	left=$(own_processes)
	[ -z "$left" ] || { ps -fp "$left"; say "a process is left: $left"; return 1; }
	if [ -z "$LEAVES_STAGING" ]; then
		left=$(find "$SCRATCH" -type d -name layers \
			-exec sh -c 'ls -A "$1/../tmp" 2>/dev/null | grep -v "^\.\?lock$"' \
			sh {} \; 2>/dev/null)
		[ -z "$left" ] || { say "staging is left: $left"; return 1; }
	fi
}

# Loop devices over files of this test, so that they are known again once the files are out of
# sight.
own_loops() {
	compgen -G '/sys/block/loop*/loop/backing_file' >/dev/null || return 0
	losetup -nlO NAME,BACK-INO,BACK-MAJ:MIN,BACK-FILE 2>/dev/null |
		awk -v d="$SCRATCH/" 'index($4, d) == 1 { print $1, $2, $3 }'
}

still_there() {
	losetup -nlO NAME,BACK-INO,BACK-MAJ:MIN 2>/dev/null | awk '{ print $1, $2, $3 }' |
		grep -Fxf <(printf '%s\n' "$1") || true
}

teardown() {
	local r=0 loops left p
	[ -n "${SCRATCH:-}" ] || return 0
	if declare -F test_teardown >/dev/null; then test_teardown || r=1; fi
	cd /
	# bats shows what a failing teardown printed; after a failing test the rest is no news.
	if [ -n "${BATS_TEST_COMPLETED:-}" ]; then nothing_left || r=1; fi
	for p in $(own_processes); do kill -9 "$p" 2>/dev/null; done
	loops=$(own_loops)
	# With all that is mounted below it.
	while [ "$EUID" = 0 ] && mountpoint -q "$SCRATCH"; do
		umount -l "$SCRATCH" || break
	done
	# A loop device frees itself once its filesystem is gone for good, which may take a moment.
	for p in {1..100}; do
		left=${loops:+$(still_there "$loops")}
		[ -n "$left" ] || break
		sleep 0.1
	done
	if [ -n "$left" ]; then
		say "loop devices are left: $left" || r=1
		awk '{ print $1 }' <<<"$left" | xargs -n1 losetup -d
	fi
	rm -rf "$SCRATCH" 2>/dev/null || unshare --map-root-user --map-auto rm -rf "$SCRATCH"
	return $r
}

# The text of file $2 in the variable $1, without NULs and newlines at its end.
read_text() {
	local part text=
	while IFS= read -r -d '' part; do text+=$part; done <"$2"
	text+=$part
	while [[ $text = *$'\n' ]]; do text=${text%$'\n'}; done
	printf -v "$1" %s "$text"
}

capture() {
	# In a redirection BASHPID would be the command's.
	local file=$BATS_TEST_TMPDIR/$BASHPID
	status=0
	"$@" >"$file.out" 2>"$file.err" || status=$?
	[ -z "${JSON_LOG:-}" ] || keep_json "$file" "$@"
	read_text output "$file.out"
	read_text stderr "$file.err"
	command_line=$*
}

# tests/run gives JSON_LOG, a directory: what the program prints with --json goes there, and is held
# against the schema when all tests have run. (What the command of userns-run prints is its own.)
keep_json() {
	local file=$1 words=" ${*:2} "
	[[ $words == *" --json "* && $words == *"$SHIFTBOX "* && $words != *strace* ]] || return 0
	{
		echo "# ${BATS_TEST_DESCRIPTION:-}:${words//[^[:print:]]/ }"
		[[ $words == *" userns-run "* || $words == *" -e "* ]] || cat "$file.out"
		grep -a '^{' "$file.err" || true
	} >>"$JSON_LOG/$(basename "$BATS_TEST_FILENAME" .bats)"
}

tell() {
	printf 'command: %s\nstatus: %s\nstdout: %s\nstderr: %s\n' "$command_line" "$status" \
		"$output" "$stderr"
	say "$*"
}

stderr_empty() {
	[ -z "$stderr" ] || tell "stderr is not empty"
}

stderr_is_only() {
	local words
	case $1 in
	misfit)
		words='on disk it belongs to|the map does not suit'
		words+='|ids that the map does not cover|have a map that does not suit'
		;;
	no-map) words='no map is given, so|ha(s|ve) no map, so' ;;
	*) say "no such kind of warning: $1" ;;
	esac
	if ! [[ $stderr =~ $words ]] || [ "$(wc -l <<<"$stderr")" != 1 ]; then
		tell "stderr is not one warning of the kind '$1'"
	fi
}

must_work_but() {
	local kind=$1
	shift
	capture "$@"
	[ "$status" = 0 ] || tell "it failed"
	stderr_is_only "$kind"
	verify_unpacked "$@"
}

must_work() {
	capture "$@"
	[ "$status" = 0 ] || tell "it failed"
	stderr_empty
	verify_unpacked "$@"
}

# What has just been unpacked into a store passes --verify.
verify_unpacked() {
	local store='' name='' i words=("$@") found
	[ "$1 ${2:-}" = "$SHIFTBOX image-unpack" ] || return 0
	for ((i = 2; i < $#; i++)); do
		case ${words[i]} in
		-s) store=${words[i + 1]} ;;
		-N) name=${words[i + 1]} ;;
		-n | --dry-run | --verify | --remove | --flat | --scan) return 0 ;;
		esac
	done
	[ -n "$store" ] && [ -n "$name" ] || return 0
	found=$("$SHIFTBOX" image-unpack -s "$store" --verify "$name" 2>&1) ||
		say "--verify after $command_line: $found"
}

must_fail() {
	local code=$1 text=$2
	shift 2
	capture "$@"
	[ "$status" -lt 128 ] || tell "it died by a signal"
	[ "$status" = "$code" ] || tell "the exit status is not $code"
	[[ $stderr == *"$text"* ]] || tell "stderr has no '$text'"
}

# Does $1 hold the other words, joined by blanks? The word ... stands for any text.
text_has() {
	local text=$1 want part
	shift
	want="$* ... "
	while [ -n "$want" ]; do
		part=${want%%" ... "*}
		want=${want#*" ... "}
		[[ $text == *"$part"* ]] || return 1
		# Of a text of a megabyte this takes many minutes.
		[ -z "$want" ] || text=${text#*"$part"}
	done
}

stderr_has() {
	text_has "$stderr" "$@" || tell "stderr has no '$*'"
}

output_has() {
	text_has "$output" "$@" || tell "stdout has no '$*'"
}

joined() {
	printf %s "$@"
}

must_equal() {
	[ "$1" = "$2" ] || say "got '$1', not '$2'"
}

owner() {
	stat -c %u:%g -- "$1"
}

# Files of /etc with a line more, for this mount namespace alone.
add_line() {
	local copy
	copy=$(mktemp "$SCRATCH/etc.XXXXXX")
	[ -e "$1" ] || touch "$1"
	{ cat "$1"; echo "$2"; } >"$copy"
	chmod 644 "$copy"
	mount --bind "$copy" "$1"
}

static_program() {
	[ -n "$missing" ] ||
		gcc -static -O1 "${@:2}" -o "$BATS_FILE_TMPDIR/$1" "$TESTS/system/$1.c"
}

closed_root() {
	local program
	mkdir -m 700 closed
	"$TESTS/fixtures/busybox-root" closed/root
	for program in "$@"; do
		install -m 755 "$BATS_FILE_TMPDIR/$program" closed/root/bin
	done
}

make_user() {
	local name=$1 uid=$2 base=$3 count=$4
	chmod 711 "$SCRATCH"
	add_line /etc/passwd "$name:x:$uid:$uid::$SCRATCH/home-$name:/bin/sh"
	add_line /etc/group "$name:x:$uid:"
	add_line /etc/subuid "$name:$base:$count"
	add_line /etc/subgid "$name:$base:$count"
	install -d -m 700 -o "$uid" -g "$uid" "$SCRATCH/home-$name"
}

let_in() {
	local r=0
	chmod 711 "$SCRATCH"
	"$@" || r=$?
	chmod 700 "$SCRATCH"
	return $r
}

as_user() {
	local name=$1
	shift
	setpriv --reuid "$name" --regid "$name" --clear-groups --inh-caps=-all \
		env -u XDG_DATA_HOME -u XDG_RUNTIME_DIR \
		HOME="$SCRATCH/home-$name" USER="$name" LOGNAME="$name" "$@"
}

in_userns() {
	unshare -Urm --propagation private "$@"
}

loop_fs() {
	local type=$1 dir=$2 size=${3:-64M} image
	image=$(mktemp "$SCRATCH/image.XXXXXX")
	truncate -s "$size" "$image"
	PATH=$PATH:/usr/sbin:/sbin "mkfs.$type" -q "$image" >/dev/null
	mkdir -p "$dir"
	mount -o loop "$image" "$dir"
}

inject() {
	"$TESTS/fault/inject" "$@"
}

# each_call CALL ERRNO MIN COMMAND...: fail the 1st, 2nd ... CALL with ERRNO, until there is none
# left; there must be more than MIN - 1 of them. Each time mount-idmapped must fail with a message
# that names the step, and leave what state() prints as it was. With OVERCOME=1 it may also succeed.
# undo() takes back what a command that succeeded has done; it has the same arguments.
each_call() {
	local call=$1 errno=$2 min=$3 n before
	shift 3
	before=$(state)
	for ((n = 1; ; n++)); do
		capture inject "$call:$errno:$n" "$@"
		[ "$status" != 99 ] || break
		if [ "$status" = 0 ] && [ -n "${OVERCOME:-}" ]; then
			undo "$@"
			must_equal "$(state)" "$before"
			continue
		fi
		[ "$status" = 1 ] || tell "$call number $n: the status is not 1"
		[[ $stderr == "shiftbox mount-idmapped: "*cannot* ]] ||
			tell "$call number $n: the step is not named"
		must_equal "$(state)" "$before"
	done
	undo "$@"
	[ "$n" -gt "$min" ] || say "$call: only $((n - 1)) calls, not $min"
}
