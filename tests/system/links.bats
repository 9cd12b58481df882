#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2154,SC2030,SC2031,SC2034,SC2086
# Paths that lead through links: those of root and of the caller are followed, those of other users
# are not, whatever takes the path.

load lib
need root
need kernel 5.19
need prog setpriv python3

# home-alice/X and, in it, home-alice/up/X: links of alice's, to closed/ and to what is in it.
# own/X: the same of root's.
test_setup() {
	local name
	make_user alice 2001 700000 65536
	chmod 755 home-alice
	mkdir -m 700 closed closed/tree closed/store own
	mkdir t closed/t
	echo old >closed/tree/f
	as_user alice ln -s "$SCRATCH/closed" home-alice/up
	ln -s "$SCRATCH/closed" own/up
}

# WHAT ITS-NAME-IN-closed COMMAND...: COMMAND with {} as the path is refused by alice's link, last
# on the way or above, and works by root's. CODE: its status when it fails; AFTER: run after it has
# worked.
CODE=1 AFTER=:
by_links() {
	local name=$1 word
	shift
	as_user alice ln -sfn "$SCRATCH/closed/$name" "home-alice/${name##*/}"
	ln -sfn "$SCRATCH/closed/$name" "own/${name##*/}"
	find closed -printf '%p %y %U %m %s\n' | sort >before
	for word in "home-alice/${name##*/}" "home-alice/up/$name"; do
		must_fail "$CODE" 'on the way is not followed' "${@//\{\}/$SCRATCH/$word}"
		[[ $stderr == *'belongs to user 2001'* ]] || tell "it does not say why"
		find closed -printf '%p %y %U %m %s\n' | sort | diff before -
	done
	for word in "own/${name##*/}" "own/up/$name"; do
		capture "${@//\{\}/$SCRATCH/$word}"
		[ "$status" = 0 ] || tell "it failed"
		$AFTER
	done
	rm "home-alice/${name##*/}" "own/${name##*/}"
}

image() {
	"$TESTS/fixtures/mkimage.py" closed/img <<<'{"layers": [{"files": {"etc": {"type": "dir"},
		"etc/f": "x"}}]}'
	must_work "$SHIFTBOX" image-unpack -q --no-sync -s closed/store -N a closed/img
}

@test "SOURCE: a directory, a file, a device's file, and each layer" {
	need loop
	AFTER='umount t'
	by_links tree "$SHIFTBOX" mount-idmapped -m +100000 {} t
	by_links tree "$SHIFTBOX" mount-idmapped -m +100000 -o rbind {} t
	by_links tree "$SHIFTBOX" mount-idmapped -m +100000 -o lower={} overlay t
	by_links tree "$SHIFTBOX" mount-idmapped -m owner:2001 -o lower={} overlay t
	by_links tree "$SHIFTBOX" mount-idmapped -o "lower={}@owner:2001" overlay t
	touch file
	AFTER='umount file'
	by_links tree/f "$SHIFTBOX" mount-idmapped -m +100000 {} file
	truncate -s 32M closed/ext4
	PATH=$PATH:/usr/sbin:/sbin mkfs.ext4 -q closed/ext4
	AFTER='umount t'
	by_links ext4 "$SHIFTBOX" mount-idmapped -m +100000 {} t
	by_links ext4 "$SHIFTBOX" mount-idmapped -m +100000 -o loop {} t
}

@test "upper and work directory" {
	as_user alice ln -s "$SCRATCH/closed/tree" home-alice/dir
	must_fail 1 'is not followed' "$SHIFTBOX" mount-idmapped -m +100000 \
		-o "lower=closed/tree,upper=home-alice/up/u" overlay t
	must_fail 1 'is not followed' "$SHIFTBOX" mount-idmapped -m +100000 \
		-o "lower=closed/tree,upper=closed/u,work=home-alice/up/w" overlay t
	must_fail 1 'is not a directory' "$SHIFTBOX" mount-idmapped -m +100000 \
		-o "lower=closed/t,upper=closed/u,work=home-alice/dir" overlay t
	must_equal "$(ls closed)" "$(printf '%s\n' store t tree)"
	must_work "$SHIFTBOX" mount-idmapped -m +100000 \
		-o "lower=closed/tree,upper=own/up/u,nosuid" overlay t
	umount t
}

@test "TARGET: its parents, -o follow, -o mkdir and --unmount" {
	ln -s ../closed/t own/t
	as_user alice ln -s "$SCRATCH/closed/t" home-alice/t
	mkdir -m 700 open
	must_fail 1 'is not followed' \
		"$SHIFTBOX" mount-idmapped -m +100000 closed/tree home-alice/up/t
	must_fail 1 'is not followed' \
		"$SHIFTBOX" mount-idmapped -m +100000 -o follow closed/tree home-alice/t
	must_fail 1 'is a symbolic link' \
		"$SHIFTBOX" mount-idmapped -m +100000 closed/tree home-alice/t
	must_fail 1 'is not followed' \
		"$SHIFTBOX" mount-idmapped -m +100000 -o mkdir closed/tree home-alice/up/new
	must_fail 1 'is not followed' \
		"$SHIFTBOX" mount-idmapped -m +100000 -o mkdir closed/tree home-alice/up/new/er
	must_equal "$(ls closed)" "$(printf '%s\n' store t tree)"
	for path in own/up/t closed/t; do
		must_work "$SHIFTBOX" mount-idmapped -m +100000 closed/tree "$path"
		must_fail 1 'is not followed' "$SHIFTBOX" mount-idmapped -u home-alice/up/t
		must_fail 1 'is not followed' "$SHIFTBOX" mount-idmapped -u -R home-alice/up/t
		must_work "$SHIFTBOX" mount-idmapped -u own/up/t
	done
	must_work "$SHIFTBOX" mount-idmapped -m +100000 -o follow closed/tree own/t
	must_equal "$(owner closed/t/f)" 100000:100000
	must_fail 1 'is a symbolic link' "$SHIFTBOX" mount-idmapped -u own/t
	must_work "$SHIFTBOX" mount-idmapped -u closed/t
	must_work "$SHIFTBOX" mount-idmapped -m +100000 -o mkdir=0750 closed/tree own/up/new/er
	must_work "$SHIFTBOX" mount-idmapped -u closed/new/er
	must_equal "$(stat -c %a closed/new closed/new/er)" "$(printf '755\n750')"
}

@test "a table, and the lines of a table" {
	echo "$SCRATCH/closed/tree $SCRATCH/t shiftbox map=+100000 0 0" >closed/tab
	AFTER='umount t'
	by_links tab "$SHIFTBOX" mount-idmapped -a -T {}
	by_links tab "$SHIFTBOX" mount-idmapped -T {} "$SCRATCH/t"
	local up="tab, line 1, '$SCRATCH/t': '$SCRATCH/home-alice/up"
	echo "$SCRATCH/home-alice/up/tree $SCRATCH/t shiftbox map=+100000 0 0" >tab
	for words in -a '-a -n'; do
		# shellcheck disable=SC2086 # words
		must_fail 1 \
			"$up/tree': the symbolic link 'up' on the way is not followed" \
			"$SHIFTBOX" mount-idmapped $words -T tab
		[[ $stderr == *'try:'*'readlink -f'* ]] || tell "no remedy"
	done
	must_fail 1 'is not followed' "$SHIFTBOX" mount-idmapped -T tab "$SCRATCH/t"
	# One that is not needed for the start is passed over.
	echo "$SCRATCH/home-alice/up/tree $SCRATCH/t shiftbox map=+100000,nofail 0 0" >tab
	capture "$SHIFTBOX" mount-idmapped -a -T tab
	must_equal "$status" 0
	[[ $stderr == *'is not followed'* ]] || tell "no warning"
	[ -z "$(ls t)" ]
}

@test "--flat, --bundle and --store" {
	image
	AFTER='rm -r closed/tree/etc closed/flat'
	for word in home-alice/up/flat home-alice/up/tree; do
		must_fail 1 'is not followed' \
			"$SHIFTBOX" image-unpack -q --no-sync --flat "$word" --replace closed/img
	done
	as_user alice ln -s "$SCRATCH/closed/tree" home-alice/tree
	must_fail 1 'is not followed' "$SHIFTBOX" image-unpack -q --no-sync --flat home-alice/tree \
		--replace closed/img
	must_fail 1 'is not followed' "$SHIFTBOX" image-unpack -q -s closed/store \
		--bundle home-alice/up/b -m +100000 a -- /x
	mkdir -m 700 closed/b
	as_user alice ln -s "$SCRATCH/closed/b" home-alice/b
	must_fail 1 'is not followed' \
		"$SHIFTBOX" image-unpack -q -s closed/store --bundle home-alice/b -m +100000 a -- /x
	must_equal "$(stat -c %a closed/b)" 700
	must_equal "$(cat closed/tree/f)" old
	ln -s ../closed/b own/b
	capture "$SHIFTBOX" image-unpack -q -s closed/store --bundle own/b -m +100000 a -- /x
	must_equal "$status" 0
	must_equal "$(stat -c %a closed/b)" 711
	must_work "$SHIFTBOX" image-unpack -q --no-sync --flat own/up/tree --replace closed/img
	[ -e closed/tree/etc/f ]
	AFTER=:
	by_links store "$SHIFTBOX" image-unpack --list -s {}
	by_links store "$SHIFTBOX" image-unpack -s {} --verify a
	by_links store env XDG_DATA_HOME=/nowhere "$SHIFTBOX" image-unpack -q --no-sync -s {} \
		-N b closed/img
	for words in "" "--base 2000000000" "--base 2000000000 --public"; do
		# shellcheck disable=SC2086 # words
		must_fail 1 'is not followed' \
			"$SHIFTBOX" image-unpack -q --no-sync -s home-alice/up/new $words \
			-N b closed/img
	done
	[ ! -e closed/new ]
}

@test "what is only read: images, layers, specifications, maps, trees" {
	image
	tar -C closed/tree -cf closed/l.tar f
	rm -rf out
	AFTER='rm -rf out'
	by_links img "$SHIFTBOX" image-unpack -q --no-sync --flat out {}
	by_links img "$SHIFTBOX" image-unpack -q --no-sync --flat out oci:{}
	by_links l.tar "$SHIFTBOX" image-unpack -q --no-sync --flat out {}
	AFTER=:
	by_links img "$SHIFTBOX" image-unpack --scan {}
	echo '0 100000 65536' >closed/map
	by_links map "$SHIFTBOX" shift-check map @{}
	by_links tree "$SHIFTBOX" shift-check map --cover {}
	by_links tree "$SHIFTBOX" shift-check list {}
	by_links tree "$SHIFTBOX" shift-check host {}
	# explain answers what the kernel does, which follows all of them.
	must_work "$SHIFTBOX" shift-check explain home-alice/up/tree/f
}

@test "userns-run: root, binds, audit file, policy and sources of mount rules" {
	need prog busybox
	"$TESTS/fixtures/busybox-root" closed/root
	CODE=125
	by_links root "$SHIFTBOX" userns-run -m +100000 --pipe -r {} -- true
	by_links tree "$SHIFTBOX" userns-run -m +100000 --pipe -r closed/root -b {}:/mnt -- true
	by_links tree "$SHIFTBOX" userns-run -m +100000 --pipe -r closed/root -b {}:/mnt:map -- true
	by_links tree/f "$SHIFTBOX" userns-run -m +100000 --pipe -r closed/root -b {}:/mnt/f:ro -- \
		true
	: >closed/audit
	by_links audit "$SHIFTBOX" userns-run -m +100000 --pipe -r closed/root \
		--allow chown:report --audit {} -- true
	echo chown:report >closed/policy
	by_links policy "$SHIFTBOX" userns-run -m +100000 --pipe -r closed/root --policy {} -- true
	: >closed/disk
	by_links disk "$SHIFTBOX" userns-run -m +100000 --pipe -r closed/root \
		--allow mount:ext4:{} -- true
}

@test "an audit file that exists must be nobody else's" {
	need prog busybox
	local run=("$SHIFTBOX" userns-run -m +100000 --pipe --allow chown:report --audit)
	install -o 2001 -m 644 /dev/null home-alice/audit
	must_fail 125 'belongs to another user (2001)' "${run[@]}" home-alice/audit -- true
	install -m 620 /dev/null audit
	must_fail 125 'can be written by others' "${run[@]}" audit -- true
	install -m 600 /dev/null audit
	ln audit closed/audit
	must_fail 125 'has another name' "${run[@]}" audit -- true
	[ ! -s closed/audit ]
	rm closed/audit
	must_work "${run[@]}" audit -- true
	must_work "${run[@]}" new -- true
	must_equal "$(stat -c %a new)" 600
	must_work "${run[@]}" /dev/null -- true
	"${run[@]}" /dev/stderr -- true 2>log
	"${run[@]}" /dev/fd/7 -- true 7>log
	"${run[@]}" /dev/fd/7 -- true 7> >(cat >log)
}

@test "a link of root's that others can exchange is not followed; in a sticky directory it is" {
	mkdir shared
	ln -s ../closed/tree shared/l
	chmod 777 shared
	must_fail 1 'its directory is writable by others (mode 0777)' \
		"$SHIFTBOX" mount-idmapped -m +100000 shared/l t
	chmod 775 shared
	must_work "$SHIFTBOX" mount-idmapped -m +100000 shared/l t # root's own group
	umount t
	as_user alice mkdir -m 755 home-alice/d
	ln -s ../../closed/tree home-alice/d/l
	must_fail 1 "its directory belongs to user 2001" \
		"$SHIFTBOX" mount-idmapped -m +100000 home-alice/d/l t
	chmod 1777 shared
	must_work "$SHIFTBOX" mount-idmapped -m +100000 shared/l t
	umount t
	as_user alice ln -s "$SCRATCH/closed/tree" shared/hers
	must_fail 1 'belongs to user 2001' "$SHIFTBOX" mount-idmapped -m +100000 shared/hers t
}

@test "an ACL that lets others write counts" {
	need prog setfacl
	mkdir d
	chmod 750 d
	ln -s ../closed/tree d/l
	setfacl -m u:2001:rwx d
	must_fail 1 'writable by others' "$SHIFTBOX" mount-idmapped -m +100000 d/l t
	setfacl -m m::rx d
	must_work "$SHIFTBOX" mount-idmapped -m +100000 d/l t
	umount t
}

@test "open files by way of /proc" {
	tar -C closed/tree -cf l.tar f
	exec 7<l.tar 8<closed/tree
	must_work "$SHIFTBOX" image-unpack -q --no-sync --flat closed/out1 /dev/fd/7
	must_work "$SHIFTBOX" image-unpack -q --no-sync --flat closed/out2 /proc/self/fd/7
	must_work "$SHIFTBOX" image-unpack -q --no-sync --flat closed/out3 /dev/stdin <l.tar
	must_work "$SHIFTBOX" mount-idmapped -m +100000 /dev/fd/8 t
	umount t
	must_work "$SHIFTBOX" mount-idmapped -m +100000 /proc/self/cwd/closed/tree t
	umount t
	exec 7<&- 8<&-
	# What a process of another user has open, its root or its working directory, is that user's
	# choice.
	setpriv --reuid 2001 --regid 2001 --clear-groups sleep 1000 &
	while [ "$(stat -c %u "/proc/$!/cwd")" != 2001 ]; do sleep 0.01; done
	must_fail 1 'is not followed' "$SHIFTBOX" mount-idmapped -m +100000 "/proc/$!/cwd" t
	must_fail 1 'is not followed' \
		"$SHIFTBOX" mount-idmapped -m +100000 "/proc/$!/root/$SCRATCH/closed/tree" t
	kill $!
}

# --- in user namespaces ---------------------------------------------------------------------------

# Where the host's root has no id: alice's namespaces, with her own id alone and with her
# subordinate ids (65534 is one of them then).
@test "in a user namespace the host's links are followed, where nobody there could exchange them" {
	need subid
	need userns
	local words path
	mount -t tmpfs -o mode=755 links /mnt
	mkdir /mnt/{r,w,s,data}
	chmod 777 /mnt/w
	chmod 1777 /mnt/s
	install -d -o 765533 /mnt/n
	echo inside >/mnt/data/f
	for path in r w s n; do ln -s ../data /mnt/$path/l; done
	chown -h 765533 /mnt/n/l
	as_user alice ln -s /mnt/data /mnt/s/own
	as_user alice mkdir home-alice/{t,d}
	as_user alice ln -s ../../../../mnt/data home-alice/d/up
	as_user alice ln -s /mnt/data home-alice/d/own
	as_user alice chmod 775 home-alice/d # her own group, as with umask 002
	in_ns() {
		as_user alice unshare -Urm $words --propagation private "$@"
	}
	try() {
		in_ns sh -ec "$SHIFTBOX mount-idmapped -o rbind $1 $SCRATCH/home-alice/t
			cat $SCRATCH/home-alice/t/${2:-f}"
	}
	for words in '' --map-auto; do
		for path in /mnt/r/l /mnt/s/own home-alice/d/own; do
			must_work_but no-map try "$path"
			must_equal "$output" inside
		done
		for path in /var/run /lib/.; do
			must_work_but no-map in_ns "$SHIFTBOX" mount-idmapped -o rbind "$path" \
				"$SCRATCH/home-alice/t"
		done
		for path in /mnt/w/l /mnt/s/l; do
			must_fail 1 'is not followed' try "$path"
		done
		must_work_but no-map in_ns sh -ec 'exec 7</mnt/data; exec "$@"' sh \
			"$SHIFTBOX" mount-idmapped -o rbind /dev/fd/7 "$SCRATCH/home-alice/t"
		echo '0 0 1' >map
		chmod 644 map
		must_work in_ns sh -c "$SHIFTBOX shift-check map @/dev/stdin <$SCRATCH/map"
	done
	# of an id that there is, which only has the number of the overflow id
	must_fail 1 'is not followed' try /mnt/n/l
	umount -l /mnt
}

# --- exchanged between two calls ------------------------------------------------------------------

# Run CMD, stop it after each CALL, run "exchange N" (a function) then, and let it go on. $status,
# $stderr.
held() { # CALL CMD...
	local call=$1 tracer n=0 pid
	shift
	: >trace
	strace -f -qq -o trace -e trace="$call" -e "inject=$call:signal=SIGSTOP:when=1+" "$@" >out \
		2>err 3>&- &
	tracer=$!
	for _ in {1..1200}; do
		if [ "$(grep -c 'stopped by SIGSTOP' trace)" -gt $n ]; then
			n=$((n + 1))
			exchange $n
			pid=$(awk -v n=$n '/stopped by SIGSTOP/ && ++i == n { print $1 }' trace)
			kill -CONT "$pid"
		fi
		kill -0 $tracer 2>/dev/null || break
		sleep 0.05
	done
	status=0
	wait $tracer || status=$?
	stderr=$(cat err)
	command_line="held $call $*"
	[ $n -gt 0 ] || say "it was not held: $(cat trace)"
}

@test "the source is asked whether others reach it, not its path" {
	need prog strace busybox
	"$TESTS/fixtures/busybox-root" closed/root
	mkdir -m 755 home-alice/d
	mkdir -m 700 home-alice/c
	cp -a closed/root home-alice/d/x
	cp -a closed/root home-alice/c/x
	exchange() { # as soon as it is cloned, the path leads to the closed one
		[ "$1" = 1 ] || return 0
		as_user alice mv -T home-alice/d home-alice/e
		as_user alice mv -T home-alice/c home-alice/d
	}
	back() {
		[ "$status" = 125 ] || tell "the status is not 125"
		[[ $stderr == *'where other users can reach it'* ]] || tell "it was not asked"
		[ -z "$(find home-alice -name made)" ] || say "the command has written"
		mv -T home-alice/d home-alice/c
		mv -T home-alice/e home-alice/d
	}
	held open_tree "$SHIFTBOX" userns-run -m +100000 --pipe -r home-alice/d/x -- touch /made
	back
	# The first is the root's.
	exchange() {
		[ "$1" = 2 ] || return 0
		as_user alice mv -T home-alice/d home-alice/e
		as_user alice mv -T home-alice/c home-alice/d
	}
	held open_tree "$SHIFTBOX" userns-run -m +100000 --pipe -r closed/root \
		-b home-alice/d/x:/mnt:map -- touch /mnt/made
	back
}

@test "the mode of a new target, or of its parents, is not set on what takes its place" {
	need prog strace
	chmod 600 closed/tree/f
	exchange() {
		[ "$1" = 1 ] || return 0
		as_user alice mv home-alice/n home-alice/gone
		as_user alice ln -s "$SCRATCH/closed/tree/f" home-alice/n
	}
	held mkdirat "$SHIFTBOX" mount-idmapped -m +100000 -o mkdir=0777 closed/tree home-alice/n
	[ "$status" = 1 ] || tell "it was mounted"
	must_equal "$(stat -c %a closed/tree/f)" 600
	rm -r home-alice/n home-alice/gone
	held mkdirat "$SHIFTBOX" mount-idmapped -m +100000 -o mkdir=0777 closed/tree home-alice/n/t
	[ "$status" = 1 ] || tell "it was mounted"
	must_equal "$(stat -c %a closed/tree/f)" 600
}

@test "the mode of a new upper is not set on what takes its place" {
	need prog strace
	chmod 600 closed/tree/f
	# .shiftbox-PID, in which the new directory gets its mode.
	exchange() {
		case $1 in
		1)
			made=$(echo home-alice/.shiftbox-*)
			as_user alice mv "$made" home-alice/gone
			install -d -m 777 -o 700000 "$made" ;; # her own subordinate id
		2)
			setpriv --reuid 700000 --clear-groups sh -c 'cd home-alice/.shiftbox-*
				rmdir d
				ln -s "$SCRATCH/closed/tree/f" d' ;;
		esac
	}
	chmod 777 home-alice
	held mkdirat "$SHIFTBOX" mount-idmapped -m +700000 \
		-o lower=closed/tree,upper=home-alice/u,upper-map=none,nosuid overlay t
	[ "$status" = 1 ] || tell "it was mounted"
	must_equal "$(stat -c %a closed/tree/f)" 600
}

@test "--replace removes what it has looked at, and nothing that takes its place" {
	need prog strace
	image
	mkdir -p home-alice/d home-alice/keep
	echo old >home-alice/d/f
	echo precious >home-alice/keep/f
	exchange() {
		[ "$1" = 1 ] || return 0
		as_user alice mv -T home-alice/d home-alice/e
		as_user alice mv -T home-alice/keep home-alice/d
	}
	# rename(2) fails, as it is not empty, and then they would be exchanged.
	held renameat "$SHIFTBOX" image-unpack -q --no-sync --flat home-alice/d --replace closed/img
	[ "$status" = 1 ] || tell "it was replaced"
	[[ $stderr == *'another process has created something there meanwhile'* ]] ||
		tell "no reason"
	must_equal "$(cat home-alice/d/f home-alice/e/f)" "$(printf 'precious\nold')"
}

@test "the root of a user's command is the directory that was checked for who can reach it" {
	need prog strace busybox
	local tracer
	make_user bob 2002 800000 65536
	chmod 755 home-bob
	install -d -o 2001 -g 2001 -m 700 home-bob/d
	install -d -o 2001 -g 2001 -m 755 home-bob/open
	"$TESTS/fixtures/busybox-root" home-bob/d/root
	"$TESTS/fixtures/busybox-root" home-bob/open/root
	chown -hR 2001:2001 home-bob/d/root home-bob/open/root
	# Held when the namespaces are made, and the mounts are not: process 1 waits for its map. It
	# is not traced.
	strace -qq -o trace -e trace=clone3 -e inject=clone3:signal=SIGSTOP:when=1 \
		setpriv --reuid 2001 --regid 2001 --clear-groups --inh-caps=-all \
		"$SHIFTBOX" userns-run -m 0:2001:1 -r "$SCRATCH/home-bob/d/root" --pipe -- \
		sh -c 'echo >/made' >out 2>err 3>&- &
	tracer=$!
	for _ in {1..1200}; do
		! grep -q 'stopped by SIGSTOP' trace || break
		sleep 0.05
	done
	as_user bob mv -T home-bob/d home-bob/closed
	as_user bob mv -T home-bob/open home-bob/d
	kill -CONT "$(pgrep -P $tracer)"
	status=0
	wait $tracer || status=$?
	stderr=$(cat err)
	[ "$status" = 125 ] || tell "the status is not 125"
	[[ $stderr == *'was replaced by another directory meanwhile'* ]] ||
		tell "it was not noticed"
	[ -z "$(find home-bob -name made)" ] || say "the command has written"
}
