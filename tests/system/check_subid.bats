#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shift-check subid: every reason for newuidmap to refuse is named with its file and line.

load lib
need root
need subid

test_setup() {
	# Files of our own: what stands in the host's must not decide.
	local f
	for f in subuid subgid; do
		echo '# grants' >"$SCRATCH/$f"
		chmod 644 "$SCRATCH/$f"
		[ -e "/etc/$f" ] || touch "/etc/$f"
		mount --bind "$SCRATCH/$f" "/etc/$f"
	done
	chmod 711 "$SCRATCH"
	add_line /etc/passwd "alice:x:2001:2002::/:/bin/sh"
	add_line /etc/group "alice:x:2002:"
}

# The same line in both files.
grant() {
	echo "$1" >>"$SCRATCH/subuid"
	echo "$1" >>"$SCRATCH/subgid"
}

check() {
	capture "$SHIFTBOX" shift-check subid "$@"
}

# finds TEXT...: the status is 3 and each TEXT is in a line of what is said
finds() {
	local text
	[ "$status" = 3 ] || tell "the status is not 3"
	for text in "$@"; do
		[[ $output == *"$text"* ]] || tell "not found: $text"
	done
}

@test "a sound grant passes, with a trial, for root, for the user, by name and by number" {
	grant alice:300000:65536
	for who in alice 2001; do
		check "$who"
		[ "$status" = 0 ] || tell "it failed"
		must_equal "$output" "user ids 300000-365535 (/etc/subuid:2)
group ids 300000-365535 (/etc/subgid:2)
trial passed: a user namespace got 65537 user ids and 65537 group ids
no problems found"
	done
	capture as_user alice "$SHIFTBOX" shift-check subid
	[ "$status" = 0 ] || tell "it failed for the user"
	[[ $output == *"trial passed"* ]] || tell "no trial"
	check -q alice
	must_equal "$status:$output" 0:
	check --json alice
	must_equal "$(sed 's/^{"version":1,/{/' <<<"$output")" \
		'{"grant":{"kind":"user","source":"files","line":2,"start":300000,"count":65536}}
{"grant":{"kind":"group","source":"files","line":2,"start":300000,"count":65536}}
{"summary":{"user":"alice","uid":2001,"findings":0,"trial":"passed","trial_detail":"a user '\
'namespace got 65537 user ids and 65537 group ids"}}'
}

@test "grants by number, in several lines, count together" {
	grant 2001:300000:65000
	grant alice:400000:536
	check alice
	[ "$status" = 0 ] || tell "it failed"
	[[ $output == *"got 65537 user ids"* ]] || tell "not all ids"
}

@test "no grant, none in one file, and no file" {
	check alice
	finds "none: /etc/subuid: alice has no user ids here: usermod --add-subuids" \
		"none: /etc/subgid: alice has no group ids" \
		"trial not made: no ids are granted" "2 findings"
	echo alice:300000:65536 >>"$SCRATCH/subuid"
	check alice
	finds "none: /etc/subgid" "trial not made: not both user and group ids are granted"
	: >"$SCRATCH/subgid" # as Debian installs it
	check alice
	finds "none: /etc/subgid: alice has no group ids" "1 finding"
	umount /etc/subgid
	chmod 600 /etc/subgid
	capture as_user alice "$SHIFTBOX" shift-check subid
	chmod 644 /etc/subgid
	[[ $output == *"Permission denied; as root: chmod 644 /etc/subgid, which all users"* ]] ||
		say "$output"
	mount --bind /dev/null /etc/subgid
	check alice
	finds "file: /etc/subgid: "
}

@test "lines in the wrong order, garbage lines, and exchanged numbers" {
	grant 300000:65536:alice
	grant alice:300000
	grant 'bob:1:2:3'
	grant alice:-5:7
	grant alice:0x10:7
	grant $'al\eice:5'
	check alice
	finds "$(joined "line: /etc/subuid:2: '300000:65536:alice' has its fields in the wrong " \
		"order: it must be USER:START:COUNT")" \
		"line: /etc/subuid:3: 'alice:300000' is not USER:START:COUNT" \
		"line: /etc/subgid:4: 'bob:1:2:3' " \
		"line: /etc/subuid:5: 'alice:-5:7' has a START" "line: /etc/subuid:6:" 'al\x1bice' \
		"none: /etc/subuid"
	grant '   # alice:1:2 '
	grant '   '
	grant ' alice:300000:65536'
	grant 02001:300000:65536
	check alice
	finds \
		"$(joined "line: /etc/subuid:10: ' alice:300000:65536' has a blank" \
			" beside the name of the user")" \
		"line: /etc/subuid:11: '02001:300000:65536' has a uid with a zero in front" \
		"none: /etc/subuid"
	[[ $output != *subuid:[89]:* ]] || tell "comments and blank lines are told"
	grant alice:65536:100000
	check alice
	finds "line: /etc/subuid:12: START is 65536 and COUNT is 100000: they look swapped"
}

@test "overlap with others and within one's own lines" {
	grant bob:310000:65536
	grant alice:300000:65536
	check alice
	finds "overlap: /etc/subuid:3: 300000-365535 overlaps 310000-375535 of bob in line 2" \
		"overlap: /etc/subgid:3:"
	grant alice:365535:10
	check alice
	finds "$(joined "overlap: /etc/subuid:4: 365535-365544 overlaps the grant in line 3, " \
		"of the same user")" \
		"trial: newuidmap failed (exit status 1)"
	grant alice:365545:10
	check alice
	[[ $output != *"subuid:5: 365545-365554 overlaps the grant"* ]] ||
		tell "neighbours do not overlap"
	grant alice:365545:10
	check alice
	[[ $output != *"subuid:6:"* ]] || tell "a line given twice is one grant"
}

@test "one's own id, and root's, within the range" {
	grant alice:1500:65536
	check alice
	finds "own-id: /etc/subuid:2: 1500-67035 holds 2001, the user's own user id" \
		"own-id: /etc/subgid:2: 1500-67035 holds 2002, the user's own group id" \
		"trial: newuidmap failed"
	: >"$SCRATCH/subuid"
	: >"$SCRATCH/subgid"
	grant alice:0:1000
	check alice
	finds "$(joined "own-id: /etc/subuid:1: 0-999 holds 0: the user could become root; " \
		"as root, if no files have these ids yet: " \
		"usermod --del-subuids 0-999 --add-subuids ")"
}

@test "the ids of other accounts, and of the system, within the range" {
	local id
	add_line /etc/passwd "ben:x:2003:2003::/:/bin/sh"
	add_line /etc/passwd "zoe:x:7000100:2003::/:/bin/sh"
	add_line /etc/group "ben:x:2003:"
	add_line /etc/group "camera:x:7000200:ben"
	grant alice:2003:65536
	check alice
	finds "account: /etc/subuid:2: 2003-67538 holds ids of the host's users: " "ben (2003)" \
		"with these ids, alice could become any of these users" \
		"account: /etc/subgid:2: 2003-67538 holds ids of the host's groups: " \
			"alice could join any" \
		"account: /etc/subuid:2: 2003-67538 has ids below 65536, which are"
	check ben
	finds "$(joined "account: /etc/subuid:2: 2003-67538 of alice holds 2003, the user id of " \
		"ben: alice could use the files of that user")" \
		"account: /etc/subgid:2: 2003-67538 of alice holds 2003, the group id of ben"
	check --json alice
	output_has '"class":"account","file":"/etc/subuid","line":2,'

	: >"$SCRATCH/subuid"
	: >"$SCRATCH/subgid"
	grant alice:7000000:65536
	check alice
	finds "account: /etc/subuid:1: " "host's users: zoe (7000100); with" \
		"account: /etc/subgid:1: " "host's groups: camera (7000200); with"
	[[ $output != *"below 65536"* ]] || tell "7000000 is not an id of the system"

	: >"$SCRATCH/subgid"
	echo alice:300000:65536 >"$SCRATCH/subgid"
	for id in 33 999 60100 61184 65533 65534 65535; do
		printf '%s\n' alice:300000:65536 "alice:$id:1" >"$SCRATCH/subuid"
		check alice
		finds "account: /etc/subuid:2: $id-$id "
	done
	printf '%s\n' alice:65536:65536 >"$SCRATCH/subuid"
	check alice
	[ "$status" = 0 ] || tell "65536 is an id of the system"
}

@test "single ids that are granted on purpose: to root, and of a group of the user" {
	add_line /etc/passwd "ben:x:2003:2003::/:/bin/sh"
	add_line /etc/group "music:x:45:ben,alice"
	printf '%s\n' root:300000:65536 root:2003:1 alice:400000:65536 >"$SCRATCH/subuid"
	printf '%s\n' root:300000:65536 root:43:1 alice:400000:65536 alice:45:1 >"$SCRATCH/subgid"
	check root
	[[ $output != *account:* ]] || tell "root can become every user"
	check ben
	[[ $output != *account:* ]] || tell "root's grant counts for ben"
	check alice
	[[ $output != *account:* ]] || tell "alice is in the group"
	printf '%s\n' root:2003:65536 >"$SCRATCH/subuid"
	check root
	finds "account: /etc/subuid:1: "
}

@test "too few ids" {
	grant alice:300000:65535
	check alice
	finds "short: /etc/subuid:2: 65535 user ids are fewer than the 65536" "trial passed"
	[[ $output =~ 'as root: usermod --add-subuids '([0-9]+)-([0-9]+)' alice' ]] ||
		tell "no command"
	must_equal "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
}

@test "a helper that is missing, without privilege, or on a nosuid mount" {
	local real
	grant alice:300000:65536
	real=$(command -v newuidmap)
	real=$(realpath "$real")
	mkdir -m 755 bin
	cp "$real" bin/newuidmap
	chmod 755 bin/newuidmap
	capture env PATH="$SCRATCH/bin:$PATH" "$SHIFTBOX" shift-check subid alice
	finds "$(joined "helper: $SCRATCH/bin/newuidmap: has neither the set-uid bit of root nor " \
		"the capability cap_setuid")" "trial: newuidmap failed"
	setcap cap_setuid+ep bin/newuidmap
	capture env PATH="$SCRATCH/bin:$PATH" "$SHIFTBOX" shift-check subid alice
	[[ $output != *"has neither"* ]] || tell "the capability does not count"
	chmod 4755 bin/newuidmap
	mount -o remount,nosuid "$SCRATCH"
	capture env PATH="$SCRATCH/bin:$PATH" "$SHIFTBOX" shift-check subid alice
	finds "is on a mount with nosuid"
	# shellcheck disable=SC2016
	capture unshare -m sh -c 'mount --bind /dev/null "$1"; shift; exec "$@"' sh "$real" \
		"$SHIFTBOX" shift-check subid alice
	finds "helper: newuidmap: is not installed"
}

@test "no_new_privs takes the helpers' privilege away" {
	grant alice:300000:65536
	capture setpriv --no-new-privs "$SHIFTBOX" shift-check subid alice
	finds "helper: no_new_privs is set" "trial: newuidmap failed"
}

@test "another source of grants is named and asked" {
	local conf
	grant alice:300000:65536
	conf=$(mktemp "$SCRATCH/nss.XXXXXX")
	printf 'passwd: files\ngroup: files\nsubid: demo\n' >"$conf"
	chmod 644 "$conf"
	mkdir -m 755 bin
	printf '#!/bin/sh\nexit 1\n' >bin/getsubids
	chmod 755 bin/getsubids
	with_nss() {
		# shellcheck disable=SC2016
		capture unshare -m sh -c 'mount --bind "$1" /etc/nsswitch.conf; shift; exec "$@"' \
			sh "$conf" \
			env PATH="$SCRATCH/bin:$PATH" "$SHIFTBOX" shift-check subid alice
	}
	with_nss
	finds "nss: /etc/nsswitch.conf:3: user ids come from 'demo' and not from /etc/subuid"
	printf '#!/bin/sh\necho "0: alice 300000 65536"\n' >bin/getsubids
	with_nss
	[[ $output == *"user ids 300000-365535 (from demo)"* ]] ||
		tell "the source's grant is not shown"
	printf '#!/bin/sh\n' >bin/getsubids
	with_nss
	finds "none: /etc/subuid: alice has no user ids"
}

@test "another source whose module cannot be loaded: the files count after all, and are looked at" {
	need prog getsubids
	grant alice:300000:65536
	grant alice:1500:600
	printf 'subid: nosuch files\n' >nss
	chmod 644 nss
	mount --bind nss /etc/nsswitch.conf
	capture "$SHIFTBOX" shift-check subid alice
	umount /etc/nsswitch.conf
	finds "$(joined "nss: /etc/nsswitch.conf:1: 'nosuch' is the source of the ids, " \
		"but its module cannot be used")" \
		"libsubid_nosuch.so: cannot open shared object" \
		"own-id: /etc/subuid:3: 1500-2099 holds 2001" \
		"own-id: /etc/subgid:3: 1500-2099 holds 2002" "trial: newuidmap failed" \
		"(/etc/subuid:2)"
	[ "$(grep -c ^nss: <<<"$output")" = 1 ] || tell "not told once"
}

@test "no user namespaces, and the setting that forbids them" {
	grant root:300000:65536
	# Each namespace has a limit of its own, so that the host's is left alone.
	# shellcheck disable=SC2016
	capture unshare --map-root-user sh -c 'echo 0 >/proc/sys/user/max_user_namespaces
		exec "$@"' sh \
		"$SHIFTBOX" shift-check subid root
	finds "$(joined "trial: cannot make a user namespace: No space left on device: " \
		"user.max_user_namespaces is 0: no user may create one")"
}

@test "a number that no user has is a finding, with or without a grant to it" {
	check 4294967294
	finds "user: no user has the number 4294967294" "none: /etc/subuid: "
	grant 77777:300000:65536
	check 77777
	finds "user: no user has the number 77777" "user ids 300000-365535 (/etc/subuid:2)" \
		"trial not made: the user has no name"
	check --json 77777
	output_has '"class":"user"' ... 'no user has the number 77777' ... '"uid":77777,"findings":'
	grant alice:400000:65536
	check 2001
	[ "$status" = 0 ] || tell "a number that a user has"
}

@test "a grant to a name without an account" {
	grant containers:2147483648:65536
	check containers
	[ "$status" = 0 ] || tell "a grant needs no account"
	must_equal "$output" "user ids 2147483648-2147549183 (/etc/subuid:2)
group ids 2147483648-2147549183 (/etc/subgid:2)
trial not made: the name has no account, so no process can run as this user
no problems found"
	check --json containers
	output_has '{"version":1,"summary":{"user":"containers","findings":0,"trial":"not made"'
	must_work "$SHIFTBOX" shift-check map subid:containers
	output_has 0:2147483648:65536
	mkdir dir mnt
	must_work "$SHIFTBOX" mount-idmapped -m subid:containers -o ro dir mnt
	must_equal "$(owner mnt)" 2147483648:2147483648
	umount mnt
	: >"$SCRATCH/subgid"
	check containers
	finds \
		"$(joined "none: /etc/subgid: containers has no group ids here:" \
			" add a line containers:START:COUNT")"
	grant alice:2147483650:65536
	check containers
	finds \
		"$(joined "overlap: /etc/subuid:2: 2147483648-2147549183 overlaps" \
			" 2147483650-2147549185 of alice")"
	must_fail 1 "there is no user of this name" "$SHIFTBOX" shift-check subid container
}

@test "another user's grants are looked at, and not tried" {
	grant alice:300000:65536
	add_line /etc/passwd "bob:x:2003:2003::/:/bin/sh"
	capture as_user alice "$SHIFTBOX" shift-check subid bob
	finds "trial not made"
	must_fail 1 "no-such-user" "$SHIFTBOX" shift-check subid no-such-user
	must_fail 2 "'--map' is not for subid" "$SHIFTBOX" shift-check subid -m 0:0:1 alice
}

@test "in a user namespace, the files of the host are not taken for those of the namespace" {
	grant alice:300000:65536
	capture as_user alice unshare -U --map-auto --map-root-user "$SHIFTBOX" shift-check subid
	finds "this is a user namespace, and the file is that of the host" \
		"newuidmap: has no privilege in this user namespace" \
		"run shiftbox shift-check subid outside of the user namespace"
	[[ $output != *usermod* && $output != *"u+s"* ]] || tell "advice that cannot be followed"
	capture as_user alice unshare -U --map-auto --map-root-user "$SHIFTBOX" shift-check host
	must_equal "$status" 0
	[[ $output == *"has no privilege in this user namespace"* && $output != *"u+s"* ]] ||
		tell "advice that cannot be followed"
}
