# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2154,SC2016
# What a writable map gives away where other users reach the same files without it, and who is
# refused or warned.

load lib

need root
need kernel 5.19
need prog gcc setcap jq mkfs.ext4 losetup findmnt

MI="$SHIFTBOX mount-idmapped"
RUN="$SHIFTBOX userns-run -m +100000 --pipe"
REFUSED="cannot be mounted writable with a map of disk id 0 where other users can reach it"

test_setup() {
	chmod 711 .
	mkdir open target
	mkdir -m 700 closed
	mkdir closed/dir
}

# A program that tells, as `id` does, which ids it was given: "su" by set-id bits, "cap" by
# CAP_SETUID.
programs() {
	gcc -o su -x c - <<<'#include <stdio.h>
		#include <unistd.h>
		int main(void) { return printf("%d:%d\n", geteuid(), getegid()) < 0; }'
	gcc -o cap -x c - <<<'#include <stdio.h>
		#include <unistd.h>
		int main(void) { return setuid(0) < 0 || printf("%d\n", getuid()) < 0; }'
}

as() {
	setpriv --reuid "$1" --regid "$1" --clear-groups --inh-caps=-all "${@:2}"
}

mounted() {
	grep -c " $SCRATCH/" /proc/self/mountinfo || :
}

must_refuse() { # CMD...: with all that the message has to say, and exit status $REFUSAL or 1
	must_fail ${REFUSAL:-1} "$REFUSED" "$@"
	stderr_has "why:" ... "100000 could create set-" ... " files of" ... \
		"nosuid on the new mount would not prevent that"
	[[ $stderr == *"try:"*"chmod 0700"*"read-only"*"public"* ]] || tell "not what to do"
	must_equal "$(mounted)" 0
}

must_warn() { # TEXT CMD...: once
	local text=$1
	shift
	capture "$@"
	must_equal "$status" 0
	must_equal "$(grep -v 'on disk it belongs to' <<<"$stderr")" \
		"shiftbox mount-idmapped: warning: $text"
}

@test "with the option public, another user becomes root by files made through the mount" {
	programs
	must_work $MI -m +100000 -o public open target
	as 100000 sh -c 'cp su target/u && chmod 4755 target/u && cp su target/g &&
		chmod 2755 target/g'
	must_equal "$(as 1502 open/u) $(as 1502 open/g)" "0:1502 1502:0"
	as 100000 unshare -Ur sh -c 'cp cap target/c && setcap cap_setuid+ep target/c'
	must_equal "$(as 1502 open/c)" 0
	umount target
	# By the other path the same file is nobody's but the seen id's, whatever flags that mount
	# has.
	must_work $MI -m +100000 -o public,nosuid,nodev open target
	must_equal "$(as 1502 target/u) $(as 1502 open/u)" "1502:1502 0:1502"
	umount target
}

@test "disk id 0 is refused in an open place: a directory, a file, a tree, a line" {
	local map
	echo "$SCRATCH/open $SCRATCH/target shiftbox map=+100000,nosuid,nodev 0 0" >fstab
	touch open/file to
	must_refuse $MI -m +100000 open target
	must_refuse $MI -m u:0:100000:1 -m g:5:5:1 open target
	[[ $stderr == *"user 100000 could create set-uid files of user 0 (root)"* ]] ||
		tell "not the user"
	must_refuse $MI -m u:5:5:1 -m g:0:100000:1 open target
	[[ $stderr == *"group 100000 could create set-gid files of group 0 (root)"* ]] ||
		tell "not the group"
	must_refuse $MI -m +100000 -o nosuid,nodev,noexec open target
	must_refuse $MI -m +100000 open/file to
	must_refuse $MI -m +100000 -o rbind open target
	must_refuse $MI -m +100000 -n open target
	must_refuse $MI -m +100000 -e open target -- true
	must_refuse $MI -a -T fstab
	must_refuse $MI -T fstab target
	REFUSAL=32 must_refuse bash -c 'exec -a mount.shiftbox "$SHIFTBOX" "$@"' sh \
		"$PWD/open" "$PWD/target" -o rw,map=+100000
	# What is seen as itself, is not in the map, or is read-only gives nothing away.
	for map in 0:0:1 0:0:65536; do
		must_work $MI -q -m "$map" open target
		umount target
	done
	for map in 100000:0:65536 u:200000:5:1; do
		must_work_but misfit $MI -q -m "$map" open target
		umount target
	done
	must_work $MI -m +100000 -o ro open target
	must_fail 1 "Read-only" as 100000 touch target/new
	umount target
	must_work $MI -m +100000 -o ro open/file to
	umount to
}

@test "in a closed place nothing is refused and nothing printed; a group of others is not closed" {
	touch closed/file to
	must_work $MI -m +100000 closed/dir target
	umount target
	must_work_but misfit $MI -m 1000:1001:1 closed/dir target
	umount target
	must_work $MI -m +100000 closed/file to
	umount to
	must_work $MI -m +100000 -o rbind closed/dir target
	umount target
	chmod 750 closed
	must_work $MI -m +100000 closed/dir target
	umount target
	chmod 704 closed
	must_refuse $MI -m +100000 closed/dir target
	# The user who is seen as disk id 0 is another user, too.
	chmod 710 closed && chgrp 100000 closed
	must_refuse $MI -m +100000 closed/dir target
	chgrp 0 closed && chmod 700 closed && chown 1502 closed
	must_refuse $MI -m +100000 closed/dir target
}

@test "a directory closed by its own mode is warned of if the map's user owns it" {
	local text="'closed': only its own mode keeps other users out, and user 100000, who owns \
it through the mount, can change that: user 100000 could then create set-uid files of root, \
which all users who can reach 'closed' could run: close a directory above it to others (chmod \
0700), or specify -o public if that is intended"
	must_warn "$text" $MI -m +100000 closed target
	umount target
	echo "$SCRATCH/closed $SCRATCH/target shiftbox map=+100000 0 0" >fstab
	text=${text//"'closed'"/"'$SCRATCH/closed'"}
	must_warn "${text/-o public/the option public}" $MI -a -T fstab
	# So it is: the mount's user may, where user 0 is not given away nobody may.
	as 100000 chmod 755 target && must_equal "$(stat -c %a closed)" 755
	chmod 700 closed && umount target
	must_work $MI -m +100000 -o public closed target
	umount target
	must_work $MI -q -m g:0:100000:1 closed target
	must_fail 1 "not permitted" as 100000 chmod 755 target
	umount target
	# Nor is it counted where the command's root gets it.
	must_fail 125 "where other users can reach it" \
		"$SHIFTBOX" userns-run -m +100000 -r closed -- true
	chmod 750 closed && chgrp 1502 closed
	must_refuse $MI -m +100000 closed target
}

@test "a file reached by a link of /proc is where the kernel has it, or counts as open" {
	touch closed/file open/file to
	must_work bash -c 'exec 9<closed/file; exec "$@"' \
		sh $MI -m +100000 -o bind /proc/self/fd/9 to
	umount to
	must_refuse bash -c 'exec 9<open/file; exec "$@"' \
		sh $MI -m +100000 -o bind /proc/self/fd/9 to
	mv open/file closed/moved
	must_work bash -c 'exec 9<closed/moved; mv closed/moved closed/again; exec "$@"' \
		sh $MI -m +100000 -o bind /proc/self/fd/9 to
	umount to
	must_fail 1 '' bash -c 'exec 9<closed/file; rm closed/file; exec "$@"' \
		sh $MI -m +100000 -o bind /proc/self/fd/9 to
	must_equal "$(mounted)" 0
}

@test "ids of other accounts give one warning that names both; subordinate ids give none" {
	programs
	local more=", which all users who can reach 'open' could run: close a directory above \
it to others (chmod 0700), or specify -o public if that is intended"
	must_warn "'open': through the mount, user 1001 could create set-uid files of \
user 1000$more" \
		$MI -m 1000:1001:1 -o nosuid open target
	chown 1000:1000 open && chmod 755 open
	as 1001 sh -c 'cp su target/u && chmod 4755 target/u'
	must_equal "$(as 1502 open/u)" 1000:1502
	umount target
	must_warn "'open': through the mount, group 1001 could create set-gid files of \
group 1000$more" \
		$MI -m u:5:5:1 -m g:1000:1001:1 open target
	umount target
	must_warn "'open': through the mount, user 100001 could create set-uid files of \
user 1$more" \
		$MI -m '0:0:1;1:100001:65535' open target
	umount target
	must_work $MI -m 1000:1001:1 -o public open target
	umount target
	must_work $MI -m 1000:1001:1 -o ro open target
	umount target
	# Root could have those anyway.
	must_work $MI -m 1000:0:1 open target
	umount target
	must_work_but misfit $MI -m 200000:5:65536 open target
	umount target
	add_line /etc/passwd "far:x:210000:210000::/:/bin/sh"
	must_warn "'open': through the mount, user 10005 could create set-uid files of user \
210000$more" \
		$MI -m 200000:5:65536 open target
	umount target
}

@test "nosuid counts on the mount that SOURCE is on, also of each mount of a tree" {
	mount -t tmpfs -o nosuid,mode=755 none open
	mkdir open/sub
	must_work $MI -m +100000 open target
	umount target
	mount -t tmpfs -o mode=755 none open/sub
	must_work $MI -m +100000 open target
	umount target # without what is mounted below
	must_fail 1 "$REFUSED" $MI -m +100000 -o rbind open target
	mount -o remount,bind,nosuid open/sub
	must_work $MI -m +100000 -o rbind open target
	umount -R target
	mount -o remount,bind,suid,ro open/sub
	must_work $MI -m +100000 -o rbind open target
	umount -R target
	must_fail 1 "$REFUSED" $MI -m +100000 -o rbind,rw open target
	must_work $MI -m +100000 open/sub target
	umount target
	must_fail 1 "$REFUSED" $MI -m +100000 -o rw open/sub target
	umount -R open
}

@test "a filesystem is closed unless it is mounted elsewhere, in an open place without nosuid" {
	need loop
	truncate -s 8M img
	mkfs.ext4 -q img
	must_work $MI -m +100000 img target
	umount target
	mount -o loop img open
	must_fail 1 "$REFUSED" $MI -m +100000 img target
	stderr_has "can reach '$SCRATCH/open'" ... \
		"move '$SCRATCH/open' below a directory that only root can enter"
	[[ $stderr == *"nosuid on the mount that '$SCRATCH/open' is on"* ]] || tell "not where"
	must_fail 1 "$REFUSED" $MI -n -m +100000 img target
	must_fail 1 "$REFUSED" $MI -m +100000 "$(findmnt -no SOURCE open)" target
	must_work $MI -m +100000 -o public img target
	umount target
	must_work $MI -m +100000 -o public "$(findmnt -no SOURCE open)" target
	umount target
	must_warn "'img': through the mount, user 1001 could create set-uid files of user \
1000, which all users who can reach '$SCRATCH/open' could run: close a directory above it \
to others (chmod 0700), or specify -o public if that is intended" $MI -m 1000:1001:1 img target
	umount target
	# Who stands there already does not mind that the mount is covered.
	mount -t tmpfs cover open
	must_fail 1 "$REFUSED" $MI -m +100000 img target
	umount open
	mount -o remount,bind,nosuid open
	must_work $MI -m +100000 img target
	umount target
	umount open
	mount -o loop img closed/dir
	must_work $MI -m +100000 img target
	umount target
	umount closed/dir
	# One that others see through a map gives them its ids, and its own root may pass.
	install -d -m 710 -g 300000 bob && mkdir bob/at
	must_work $MI -m +300000 img bob/at
	must_work $MI -m +100000 img target
	umount target
	chmod 711 bob
	if lacks kernel 6.15 >/dev/null; then
		:
	else
		must_fail 1 "$REFUSED" $MI -m +100000 img target
	fi
	umount bob/at
	# A new filesystem is reached by nobody.
	must_work $MI -m +100000 -t tmpfs tmpfs target
	umount target
	must_work $MI -m +100000 -t tmpfs tmpfs target
	umount target
}

@test "a mount that is not made after all is not warned of" {
	local how
	for how in "-m 1000:1001:1 -o mkdir open" "-m +100000 -o mkdir closed"; do
		capture $MI $how /proc/x
		must_equal "$status $(grep -c . <<<"$stderr")" "1 3"
		stderr_has "'/proc/x': cannot create"
	done
	printf '%s\n' "$SCRATCH/closed $SCRATCH/target shiftbox map=+100000 0 0" \
		"$SCRATCH/open /proc/x shiftbox map=1000:1001:1,mkdir 0 0" >fstab
	capture $MI -a -T fstab
	must_equal "$status $(grep -c warning: <<<"$stderr") $(mounted)" "1 0 0"
}

@test "a line of mount(8) is warned of, and a dry run names all lines that are refused" {
	mkdir t{1..6}
	printf '%s\n' "$SCRATCH/open $SCRATCH/t1 shiftbox map=+100000 0 0" \
		"$SCRATCH/closed/dir $SCRATCH/t2 shiftbox map=+100000 0 0" \
		"$SCRATCH/open $SCRATCH/t3 none bind,X-mount.idmap=0:100000:5 0 0" \
		"$SCRATCH/open $SCRATCH/t4 shiftbox map=+200000,nofail 0 0" \
		"$SCRATCH/open $SCRATCH/t5 shiftbox map=+100000,public 0 0" \
		"$SCRATCH/open $SCRATCH/t6 shiftbox map=g:0:7:1 0 0" >fstab
	must_fail 1 "lines that would be refused: 2" $MI -a -n -T fstab
	must_equal "$(grep -c "$REFUSED" <<<"$stderr")" 3
	for n in 1 4 6; do
		grep "line $n, '$SCRATCH/t$n': .*$REFUSED.*; try: .*chmod 0700" <<<"$stderr" ||
			tell "t$n is not named"
	done
	must_equal "$(grep -c "of user 0, which all users" <<<"$stderr")" 1
	must_fail 1 "fstab, line 1, '$SCRATCH/t1': '$SCRATCH/open': $REFUSED" $MI -a -T fstab
	must_equal "$(mounted)" 0
	# All others, with a warning for each of the two.
	sed -i '/t1 /d; /t6 /d' fstab
	capture $MI -a -T fstab
	must_equal "$status $(grep -c 'warning:' <<<"$stderr") $(mounted)" "0 2 3"
	stderr_has "through the mount, user 100000 could create set-uid files of user" \
		"0, which all"
	# What older versions have mounted is left alone, and named.
	echo "$SCRATCH/open $SCRATCH/t5 shiftbox map=+100000 0 0" >fstab
	must_work $MI -a -T fstab
	must_fail 1 "lines that would be refused: 1" $MI -a -n -T fstab
	umount t2 t3 t5
}

@test "in a table, what was found of one source is not used for another, nor for another name" {
	local n
	touch closed/file && ln closed/file open/file
	mkdir t{1..8} && touch f{1..8}
	for n in 1 2 3 4; do
		echo "$SCRATCH/closed/dir $SCRATCH/t$n shiftbox map=+100000 0 0"
	done >fstab
	for n in 5 6 7 8; do
		echo "$SCRATCH/open $SCRATCH/t$n shiftbox map=+100000,nofail 0 0"
	done >>fstab
	for n in 1 2 3 4; do
		echo "$SCRATCH/closed/file $SCRATCH/f$n shiftbox map=+100000 0 0"
	done >>fstab
	for n in 5 6 7 8; do
		echo "$SCRATCH/open/file $SCRATCH/f$n shiftbox map=+100000,nofail 0 0"
	done >>fstab
	capture $MI -a -T fstab
	must_equal "$status $(grep -c "$REFUSED" <<<"$stderr") $(mounted)" "0 8 8"
	umount t{1..4} f{1..4}
}

@test "a stack that other users can reach gets one warning, with the remedy" {
	local text="'target': set-uid programs of the stack run for all users who can reach it, \
as the stack's root (host id 100000) or another of its ids: mount it below a directory that is \
closed to them (chmod 0700, or chmod 0710 and group 100000), give -o nosuid, or specify -o public \
if that is intended"
	programs
	mkdir layer
	install -m 4755 su layer/su
	must_warn "$text" $MI -m +100000 -o lower=layer overlay target
	must_equal "$(as 1502 target/su)" 100000:1502
	umount target
	must_warn "$text" $MI -m +100000 -o lower=layer,upper=closed/up overlay target &&
		umount target
	capture $MI -n -m +100000 -o lower=layer overlay target
	[[ $stderr == *"$text" ]] || tell "not in a dry run"
	echo "overlay $SCRATCH/target shiftbox lower=$SCRATCH/layer,map=+100000 0 0" >fstab
	text=${text//-o /the option }
	must_warn "${text/target/$SCRATCH/target}" $MI -a -T fstab
	umount target
	must_warn "${text/target/$SCRATCH/target}" $MI -T fstab target
	umount target
	must_work $MI -m +100000 -o nosuid,lower=layer overlay target
	must_equal "$(as 1502 target/su)" 1502:1502
	umount target
	must_work $MI -m +100000 -o public,lower=layer overlay target
	umount target
	must_work $MI -m +100000 -o lower=layer overlay closed/dir
	umount closed/dir
	must_work $MI -e -m +100000 -o lower=layer overlay target -- true
	# Closed to all but the stack's own root, who can do all of that anyway.
	install -d -m 710 -g 100000 alice && mkdir alice/at
	must_work $MI -m +100000 -o lower=layer overlay alice/at
	umount alice/at
	capture $MI -m +300000 -o lower=layer overlay alice/at
	[[ $stderr == *"set-uid programs of the stack"* ]] || tell "the group of another stack"
	umount alice/at
}

@test "in a user namespace nothing is refused: its filesystems give nothing to others" {
	need kernel 6.3
	cp "$SHIFTBOX" shiftbox
	must_work "$TESTS/fixtures/in-range" 100000 . unshare -m sh -c '
		mount -t tmpfs -o mode=755 none /mnt && mkdir /mnt/a /mnt/b &&
		./shiftbox mount-idmapped -m 0:1000:10 /mnt/a /mnt/b && stat -c %u /mnt/b'
	must_equal "$output" 1000
}

@test "userns-run: the root and binds, by their maps, as root" {
	programs
	"$TESTS/fixtures/busybox-root" pub
	"$TESTS/fixtures/busybox-root" closed/root
	must_fail 125 "$REFUSED" $RUN -r pub -- true
	must_fail 125 "$REFUSED" $RUN -r pub -o map=+100000 -- true
	must_fail 125 "$REFUSED" $RUN -r pub -o 'map=u:5:100005:1;g:0:100000:1' -- true
	must_fail 125 "$REFUSED" $RUN -r closed/root -b "$PWD/open:/mnt:map" -- true
	[[ $stderr == *"or specify public in the words of -b"* ]] || tell "not how it is said"
	must_fail 125 "$REFUSED" $RUN -r closed/root -b "$PWD/open:/mnt:map=0:100000:1" -- true
	must_fail 125 "is the host's own root" $RUN -r / -o public -- true
	must_work $RUN -r pub -o public -- true # which also makes what a read-only root must have
	must_work $RUN -r pub --read-only -- true
	must_work $RUN -r pub -o ro -- true
	must_work $RUN -r pub -o map=none -- true
	must_work $RUN -r closed/root -b "$PWD/open:/mnt:ro:map" -- true
	must_work $RUN -r closed/root -b "$PWD/open:/mnt" -- true
	must_work $RUN -r closed/root -b "$PWD/open:/mnt:public:map=+100000" -- true
	# With the word, another user of the host gets what the command's root has made.
	must_work $RUN -r closed/root -b "$PWD/open:/mnt:public:map" -b "$PWD:/in" -- \
		sh -c 'cp /in/su /mnt/u; chmod 4755 /mnt/u'
	must_equal "$(as 1502 open/u)" 0:1502
	must_work $RUN -r pub -o public -b "$PWD:/in" -- sh -c 'cp /in/su /u; chmod 4755 /u'
	must_equal "$(as 1502 pub/u)" 0:1502
	# The ids of an account: once, and the command runs.
	capture $RUN -r pub -o map=1000:100000:1 -- true
	must_equal "$status $(grep -c 'warning: .*could create' <<<"$stderr")" "0 1"
	stderr_has "user 100000 could create set-uid files of user 1000, which all users who" \
		"can reach 'pub'"
	must_fail 125 "ro, dev and public before map=MAP" \
		$RUN -b "$PWD/open:/mnt:map=+100000:public" -- true
}

@test "userns-run: an ordinary user's own ids are not given away either" {
	need prog newuidmap
	make_user alice 2001 700000 65536
	install -d -o 2001 -g 2001 -m 755 home-alice/pub their
	as_user alice "$TESTS/fixtures/busybox-root" "$SCRATCH/their/root"
	as_user alice "$TESTS/fixtures/busybox-root" "$SCRATCH/home-alice/root"
	must_fail 125 "cannot be the writable root of the command where other users can reach it" \
		as_user alice "$SHIFTBOX" userns-run -r "$SCRATCH/their/root" -- true
	[[ $stderr == *"run as user 2001, the caller"*"chmod 0700"*"-o public"* ]] ||
		tell "not why, and what to do"
	must_work as_user alice "$SHIFTBOX" userns-run -r "$SCRATCH/home-alice/root" -- true
	# which also makes what a read-only root must have
	must_work as_user alice "$SHIFTBOX" userns-run -r "$SCRATCH/their/root" -o public -- true
	must_work as_user alice "$SHIFTBOX" userns-run -r "$SCRATCH/their/root" -o ro -- true
	must_work as_user alice "$SHIFTBOX" userns-run -r "$SCRATCH/their/root" --read-only -- true
	# With the word: what the command's root makes is alice's, for all.
	programs && chmod 755 su
	must_work as_user alice "$SHIFTBOX" userns-run -r "$SCRATCH/their/root" -o public \
		-b "$SCRATCH/su:/su" -- sh -c 'cp /su /u; chmod 4755 /u'
	must_equal "$(as 1502 their/root/u)" 2001:1502
	# The host's own tree, and binds, are as they were.
	must_work as_user alice env -C / "$SHIFTBOX" userns-run -- true
	must_work as_user alice "$SHIFTBOX" userns-run -b "$SCRATCH/their:/mnt" -- true
}
