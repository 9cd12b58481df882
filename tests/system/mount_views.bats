#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2154
# Lines with each=: every user gets a view of its own, which no other enters; who has no grant any
# more loses it, and nothing else is ever touched.

load lib

need root
need kernel 6.8

MI="$SHIFTBOX mount-idmapped"
USERS=/run/shiftbox/users
GENERATORS=/usr/lib/systemd/system-generators

test_setup() {
	mount -t tmpfs -o mode=755 run /run
	for file in subuid subgid; do
		: >"$file"
		mount --bind "$file" "/etc/$file"
	done
	chmod 711 "$SCRATCH"
	make_user vera 3001 1000000 65536
	make_user walt 3002 1100000 65536
	mkdir -m 700 store
	echo hello >store/file
	install -m 600 /dev/null store/closed
	view 'map=user:%u,each=subid,ro,nosuid,nodev'
}

test_teardown() {
	umount -l /run
	for file in passwd group subuid subgid fstab; do
		while umount -q "/etc/$file" 2>/dev/null; do :; done
	done
}

# view OPTIONS [TARGET]: write the table
view() {
	echo "$SCRATCH/store ${2:-$USERS/%u} shiftbox $1 0 0" >views
}

# A line of another file of grants or accounts is taken out.
without() {
	grep -v "^$1:" "$2" >kept || true
	cat kept >"$2"
}

views() {
	# shellcheck disable=SC2046
	echo $(awk -v d="$USERS/" 'index($5, d) == 1 { print substr($5, length(d) + 1) }' \
		/proc/self/mountinfo | sort)
}

@test "each user with a grant gets a view, born for that user; a second run changes nothing" {
	must_work $MI -a -T views
	must_equal "$(views)" "vera walt"
	must_equal "$(owner $USERS/vera/file) $(owner $USERS/walt/closed)" "3001:3001 3002:3002"
	must_equal "$(stat -c '%a %U' $USERS)" "711 root"
	must_equal "$(as_user vera cat $USERS/vera/closed $USERS/vera/file)" hello
	must_fail 1 "Permission denied" as_user walt cat $USERS/vera/file
	must_fail 1 "Read-only" as_user vera touch $USERS/vera/x
	before=$(cat /proc/self/mountinfo)
	capture $MI -a -v -T views
	stderr_has "views: 0 mounted, 2 were mounted already, 0 unmounted, 0 failed;" \
		"user namespaces made: 0"
	must_equal "$(cat /proc/self/mountinfo)" "$before"
	umount $USERS/vera
	must_equal "$(stat -c '%a %U' $USERS/vera)" "700 vera"
}

@test "a new user gets a view, who has no grant any more loses it, nothing else is touched" {
	must_work $MI -a -T views
	mkdir $USERS/other
	mount --bind store $USERS/other
	make_user xena 3003 1200000 65536
	without vera /etc/subuid
	capture $MI -a --json -T views
	must_equal "$status" 0
	must_equal "$(views)" "other walt xena"
	[ ! -e $USERS/vera ]
	output_has "\"target\":\"$USERS/vera\"" ... '"unmounted":true'
	# A mount of the administrator's where the view would be is left alone.
	without walt /etc/subgid
	umount $USERS/walt
	install -d -m 700 -o 3002 -g 3002 $USERS/walt
	mount --bind store $USERS/walt
	must_work $MI -a -T views
	must_equal "$(views)" "other walt xena"
	umount $USERS/other
}

@test "of another line, and of another table, no view is taken away" {
	must_work $MI -a -T views
	cp views other
	view 'map=user:%u,each=user:walt,ro' "$USERS/%u-too"
	must_work $MI -a -T views
	must_equal "$(views)" "vera walt walt-too"
	view 'map=user:%u,each=user:walt,ro,nosuid,nodev'
	cp views third
	must_work $MI -a -T third
	must_equal "$(views)" "vera walt walt-too"
	must_work $MI -a -T views
	must_equal "$(views)" "walt walt-too"
	must_work $MI -a -u -T views
	must_equal "$(views)" "walt-too"
}

@test "if the users cannot be listed whole, no view is taken away, and that is said" {
	must_work $MI -a -T views
	without vera /etc/subuid
	echo broken >>/etc/subuid
	must_fail 1 "views kept because not all users could be listed: 1" $MI -a -T views
	stderr_has "/etc/subuid:2: 'broken' is not USER:START:COUNT"
	stderr_has "not all users could be listed, so no view is unmounted: 1 would be"
	must_equal "$(views)" "vera walt"
	echo 'walt:1100000:65536' >/etc/subuid
	: >nothing
	mount --bind nothing /etc/passwd
	must_fail 1 "so no view is unmounted" $MI -a -T views
	stderr_has "'/etc/passwd': has no account in it"
	umount /etc/passwd
	must_equal "$(views)" "vera walt"
	must_work $MI -a -T views
	must_equal "$(views)" walt
}

@test "a name service that fails takes nothing away" {
	view 'map=user:%u,each=user:vera;user:walt,ro,nosuid,nodev'
	must_work $MI -a -T views
	without vera /etc/passwd
	must_fail 1 "so no view is unmounted" $MI -a -T views
	stderr_has "'vera': there is no user of this name"
	must_equal "$(views)" "vera walt"
}

@test "a view in use stays, and is named; --force detaches it" {
	must_work $MI -a -T views
	tail -f $USERS/vera/file >/dev/null &
	without vera /etc/subuid
	must_fail 1 "views that could not be mounted, unmounted or replaced: 1" $MI -a -T views
	stderr_has "'$USERS/vera': cannot unmount"
	stderr_has "--force"
	must_equal "$(views)" "vera walt"
	must_work $MI -a --force -T views
	must_equal "$(views)" walt
	kill $!
}

@test "a grant that changed gives a new view; a mount that is not ours stays with the old map" {
	must_work $MI -a -T views
	without vera /etc/subuid
	without vera /etc/subgid
	echo vera:2000000:65536 | tee -a /etc/subuid >>/etc/subgid
	must_work $MI -a -T views
	must_equal "$(views)" "vera walt"
	capture "$SHIFTBOX" shift-check list $USERS/vera
	output_has 2000000
	umount $USERS/vera
	$MI -m 0:3001:1 -o ro store $USERS/vera
	must_fail 1 "is mounted already, with another map" $MI -a -T views
}

@test "the members of a group, its own accounts, and users that are named; never root" {
	make_user xena 3003 1200000 65536
	echo 'crew:x:3900:vera,nobody-at-all,root' >>/etc/group
	without xena /etc/passwd
	echo 'xena:x:3003:3900::/:/bin/sh' >>/etc/passwd
	view 'map=u:0:%U:1,each=group:crew,ro'
	capture $MI -a -T views
	must_equal "$status $(views)" "0 vera xena"
	view 'map=u:0:%U:1,each=user:walt;group:crew,ro'
	capture $MI -a -T views
	must_equal "$status $(views)" "0 vera walt xena"
	echo 'root:5000000:65536' | tee -a /etc/subuid >>/etc/subgid
	view 'map=user:%u,each=subid,ro' "$USERS/sub-%U"
	must_work $MI -a -T views
	must_equal "$(views)" "sub-3001 sub-3002 sub-3003 vera walt xena"
}

@test "views may have the map of keep-id" {
	view 'map=keep-id:%u,each=subid,ro,public'
	touch store/own
	chown 3001:3001 store/own
	must_work $MI -a -T views
	must_equal "$(owner $USERS/vera/file) $(owner $USERS/vera/own)" "1000000:1000000 3001:3001"
	must_equal "$(owner $USERS/walt/own)" "1103001:1103001"
}

@test "a name that is not a safe component of a path is replaced by the uid" {
	local n=3010 name
	without vera /etc/subuid
	without walt /etc/subuid
	for name in .. .hidden 'a,suid' '3001' '-x' 'a%ub' '$(id)' 'a;b'; do
		echo "$name:x:$n:$n::/:/bin/sh" >>/etc/passwd
		echo "$name:$((4000000 + n * 65536)):65536" | tee -a /etc/subuid >>/etc/subgid
		n=$((n + 1))
	done
	must_work $MI -a -T views
	must_equal "$(views)" "3010 3011 3012 3013 3014 3015 3016 3017"
	must_equal "$(owner $USERS/3013/file) $(owner $USERS/3012/file)" "3013:3013 3012:3012"
	[[ $(findmnt -no OPTIONS $USERS/3012) == *nosuid* ]]
}

@test "users who share an id get no view, and lose none" {
	must_work $MI -a -T views
	make_user xena 3003 1065000 1000
	must_fail 1 "shares ids with another user" $MI -a -T views
	stderr_has "'vera': the ids of line 1 of /etc/subuid overlap with those of another user in"
	stderr_has "in line 3"
	must_equal "$(views)" "vera walt"
	without xena /etc/subuid
	without xena /etc/subgid
	echo 'xena:3002:1' | tee -a /etc/subuid >>/etc/subgid
	must_fail 1 "shares ids with another user" $MI -a -T views
	stderr_has "grants an id that is the uid of a user"
}

@test "a user of each= who gets no view, and a map that is the same for all, are told" {
	make_user xena 3003 1200000 65536
	without xena /etc/subuid
	view 'map=user:%u,each=user:xena;user:root;user:vera,ro'
	capture $MI -a -T views
	must_equal "$status $(views)" "0 vera"
	stderr_has "warning: 'root' gets no view" ... "try: remove user:root from each="
	stderr_has "warning: 'xena' gets no view, since its map needs subordinate ids; try:" \
		... "usermod --add-subuids"
	view 'map=user:%u,each=user:3001,ro'
	must_fail 1 "views kept because not all users could be listed: 1" $MI -a -T views
	stderr_has "'3001': there is no user of this name; try: write the name: user:vera"
	view 'map=user:walt,each=subid,ro'
	capture $MI -a -T views
	stderr_has "the map 'user:walt' is the same for each user; try: map=user:%u"
	must_work $MI -a -u -T views
	view 'map=user:%u,each=subid,ro'
	cat views views >twice
	must_fail 1 "twice, line 2: '$USERS/%u': two lines have this target" $MI -a -T twice
	must_equal "$(views)" ""
}

@test "directories of others, links and open places are refused; others get their views" {
	mkdir -p $USERS
	install -d -m 700 -o 3002 $USERS/vera
	must_fail 1 "is not a directory that user 3001 alone can enter" $MI -a -T views
	stderr_has "try: name a directory of its own as TARGET, such as /run/shiftbox/users/%u;" \
		"or, if it is empty, rmdir it"
	must_equal "$(views)" walt
	rmdir $USERS/vera
	install -d -m 755 -o 3001 $USERS/vera
	must_fail 1 "it belongs to user 3001, with mode 0755" $MI -a -T views
	rmdir $USERS/vera
	ln -s walt $USERS/vera
	must_fail 1 "is a symbolic link" $MI -a -T views
	rm $USERS/vera
	must_work $MI -a -u -T views

	install -d -m 1777 open
	view 'map=user:%u,each=subid,ro' "$SCRATCH/open/%u"
	must_fail 1 "so others than root can write there" $MI -a -T views
	install -d -o 3001 -m 755 home-vera/mine
	ln -s "$SCRATCH/home-vera/mine" open/link
	view 'map=user:%u,each=subid,ro' "$SCRATCH/home-vera/mine/%u"
	must_fail 1 "the directory above it belongs to user 3001" $MI -a -T views
	chmod 755 store
	view 'map=user:%u,each=subid,ro'
	must_fail 1 "other users could enter the view: its mode is 0755" $MI -a -T views
	must_equal "$(grep -c 'other users could enter' <<<"$stderr")" 1
	stderr_has "try: chmod 0700 $SCRATCH/store, or" ... "'views': 1 more view failed"
	must_equal "$(views) $(mounts)" " 0"
	echo "overlay $USERS/%u shiftbox lower=$SCRATCH/store,map=user:%u,each=subid 0 0" >views
	must_fail 1 "other users could enter the view" $MI -a -T views
	stderr_has "try: specify public if others may read it"
	view 'map=user:%u,each=subid,ro,public'
	must_work $MI -a -T views
	must_equal "$(views)" "vera walt"
}

@test "a table that others can write is refused, and so are lines that make no sense" {
	chmod 664 views
	must_fail 1 "must be root's, and writable by root alone" $MI -a -T views
	chmod 644 views
	chown vera views
	must_fail 1 "belongs to user 3001" $MI -a -T views
	rm views
	view 'map=user:%u,each=subid,ro' $USERS
	must_fail 1 "views, line 1" $MI -a -T views
	stderr_has "the last name of the target, and no other, must have %u or %U"
	view 'map=user:%u,each=everyone,ro'
	must_fail 1 "'everyone' is not a list of users" $MI -a -T views
	view 'map=user:%u,each=subid,mkdir'
	must_fail 1 "follow and mkdir are not for lines with each=" $MI -a -T views
	must_fail 2 "is for lines of /etc/shiftbox/views" \
		$MI -m +100000 -o ro,each=subid store /mnt
	must_equal "$(views)" ""
}

@test "in fstab, a view without noauto is refused by name, and the message says where it belongs" {
	mount --bind views /etc/fstab
	must_fail 1 "/etc/fstab, line 1" $MI -a
	stderr_has "'$USERS/%u': a line with each= does not belong in /etc/fstab"
	stderr_has "move the line to /etc/shiftbox/views"
	must_fail 1 "does not belong in /etc/fstab" $MI -a -T /etc/fstab
	view 'map=user:%u,ro'
	must_fail 1 "a line with %u does not belong in /etc/fstab" $MI -a
	view 'map=user:%u,each=subid,ro,noauto'
	must_work $MI -a -T /etc/fstab
	must_equal "$(views)" ""
	umount /etc/fstab
}

@test "a line with the name of a user needs each=, which says for which" {
	view 'map=user:%u,ro'
	must_fail 1 "a line with %u or %U needs each=" $MI -a -T views
	stderr_has "try:  add each=subid to the options"
	view 'map=0:3001:1,ro,noauto'
	must_work $MI -a -T views
	must_equal "$(views)" ""
}

@test "what the views of a line give away is one warning, and its advice fits the line" {
	local text="could then create set-uid files of root, which all users who can reach \
'$SCRATCH/store' could run: close a directory above it to others (chmod 0700), or specify the \
option public if that is intended" how
	chmod 755 "$SCRATCH"
	view 'map=user:%u,each=subid'
	for how in -n ''; do
		capture $MI -a $how -T views
		must_equal "$status $(grep -c warning: <<<"$stderr")" "0 1"
		stderr_has "warning: '$USERS/%u': 2 views can give ids away by set-uid or set-gid" \
			"files; the first is '$USERS/vera': '$SCRATCH/store': only its own mode" \
			"keeps" ... "user 3001" "$text"
	done
	capture $MI -a -T views
	must_equal "$status $stderr" "0 "
	umount $USERS/walt
	capture $MI -a -T views
	must_equal "$status $(grep -c warning: <<<"$stderr")" "0 1"
	stderr_has "warning: '$SCRATCH/store': only" ... "user 3002 $text"
	must_work $MI -a -u -T views
	tar -cf store/archive.tar views
	chmod 700 store/archive.tar
	echo "$SCRATCH/store/archive.tar $USERS/%u shiftbox map=user:%u,each=subid,loop" >views
	capture $MI -a -T views
	stderr_has "contains no known filesystem (it is an archive); try: unpack it first:"
}

own_etc() { # a copy of /etc, with the table of views
	mkdir etc
	cp -a /etc/. etc/
	install -d etc/shiftbox
	cp views etc/shiftbox/views
}

# What the recipes of packages for Debian, rpm, Alpine and Arch do before the program goes
@test "the removal of a package unmounts the views that are not in use, and an upgrade none" {
	local how p=$TESTS/packaging
	own_etc
	mount --rbind etc /etc
	mkdir -p bin /run/systemd/system
	ln -s "$SHIFTBOX" bin/mount-idmapped
	printf '#!/bin/sh\necho "$*" >>%q\n' "$SCRATCH/units" >bin/systemctl
	chmod 755 bin/systemctl
	sed '/#DEBHELPER#/d' "$p/debian/shiftbox.prerm" >deb
	sed -n '/^%preun$/,/^%files$/{/^%/d;p}' "$p/shiftbox.spec" >rpm
	cp "$p/shiftbox.pre-deinstall" apk
	{ cat "$p/shiftbox.install"; echo pre_remove; } >arch
	for how in 'deb upgrade' 'rpm 1'; do
		must_work $MI -a
		PATH=$PWD/bin:$PATH must_work sh -e $how
		must_equal "$(views)" "vera walt"
	done
	for how in 'deb remove' 'rpm 0' 'apk 0.1.0' 'arch 0.1.0-1'; do
		must_work $MI -a
		(cd $USERS/vera && exec sleep 100 3>&-) &
		sleep 0.1
		capture env PATH="$PWD/bin:$PATH" sh -e $how
		kill $!
		must_equal "$status $(views)" "0 vera"
		stderr_has $USERS/vera ... sleep
	done
	must_equal "$(sort units | uniq -c | tr -s ' ')" \
		" 2 --no-reload disable --now shiftbox-views.path shiftbox-views.service"
	must_work $MI -a -u
}

@test "-a reads /etc/shiftbox/views besides fstab" {
	own_etc
	: >nothing
	mkdir one
	echo "$SCRATCH/store $SCRATCH/one shiftbox map=0:3001:1,ro 0 0" >etc/fstab
	mount --rbind etc /etc
	capture $MI -a
	must_equal "$status $(views)" "0 vera walt"
	must_equal "$(owner one/file)" 3001:3001
	echo "$SCRATCH/store $SCRATCH/two shiftbox map=0:3001:1,ro 0 0" >>/etc/shiftbox/views
	capture $MI -a
	must_equal "$status $(views)" "0 vera walt"
	must_equal "$(grep -c "'$SCRATCH/two': /etc/shiftbox/views: a line without each=" \
		<<<"$stderr")" 1
	capture $MI -a -u
	must_equal "$status $(views) $(mounts)" "0  0"
	must_work $MI $USERS/walt
	must_equal "$(views)" walt
	umount -l /etc
}

@test "one view is mounted by its target, as at login, also with noauto" {
	view 'map=user:%u,each=subid,ro,noauto' "$USERS/%U"
	must_work $MI -a -T views
	must_equal "$(views)" ""
	must_work $MI -T views $USERS/3002
	must_work $MI -T views $USERS/3002
	must_equal "$(views)" 3002
	must_fail 1 "no shiftbox line in" $MI -T views $USERS/3007
	must_fail 1 "no shiftbox line in" $MI -T views $USERS/..
	without walt /etc/subgid
	must_fail 1 "no shiftbox line in" $MI -T views $USERS/3002
	must_work $MI -a -T views
	must_equal "$(views)" ""
}

@test "a dry run says what would be mounted and unmounted, and does neither" {
	must_work $MI -a -T views
	make_user xena 3003 1200000 65536
	without vera /etc/subuid
	must_work $MI -a -n -T views
	output_has "$USERS/xena"
	output_has "unmount '$USERS/vera'"
	must_equal "$(views)" "vera walt"
	[ ! -e $USERS/xena ]
}

@test "list, verify and explain know a view" {
	must_work $MI -a -T views
	capture "$SHIFTBOX" shift-check list
	output_has $USERS/vera
	capture "$SHIFTBOX" shift-check verify $USERS/vera
	must_equal "$status" 0
	must_work "$SHIFTBOX" shift-check explain --as vera --op read $USERS/vera/file
	capture "$SHIFTBOX" shift-check explain --as vera --op read $USERS/walt/file
	must_equal "$status" 3
}

# The source is a store for podman, with this index of layers.
podman_store() {
	(umask 022 && mkdir -p store/overlay/l store/overlay-layers store/overlay-images)
	echo "$1" >store/overlay-layers/new
	mv store/overlay-layers/new store/overlay-layers/layers.json
	echo '[{"id":"an"}]' >store/overlay-images/images.json
	touch store/storage.lock store/overlay-layers/layers.lock store/overlay-images/images.lock
}

# What lies below the views: one line for each file. The links are there for a storage.conf that
# names a store under another map, which is not there without the view.
below() { # USER
	(cd "$USERS/$1" && find . -mindepth 1 ! -type l -printf '%P %y %m %u\n' | sort)
	(cd "$USERS/$1" && find . -type l -printf '%P %l %u\n' | sed "s/^300[12] /UID /" | sort)
}

BELOW='overlay d 755 root
overlay-images d 755 root
overlay-images/images.json f 644 root
overlay-images/images.lock f 644 root
overlay-layers d 755 root
overlay-layers/layers.json f 644 root
overlay-layers/layers.lock f 644 root
overlay/l d 755 root
storage.lock f 644 root
UID . root
maps . root'

@test "below a view of a store for podman lies a store of root's, which the user reads" {
	podman_store '[{"id":"1"}]'
	(umask 077 && must_work $MI -a -T views)
	must_equal "$(as_user vera cat $USERS/vera/overlay-images/images.json)" '[{"id":"an"}]'
	umount $USERS/vera $USERS/walt
	must_equal "$(stat -c '%a %U' $USERS/vera)" "700 vera"
	must_equal "$(as_user vera cat $USERS/vera/maps/3001/overlay-images/images.json)" "[]"
	must_equal "$(below vera)" "$BELOW"
	must_equal "$(below walt)" "$BELOW"
	must_equal "$(as_user vera cat $USERS/vera/overlay-layers/layers.json \
		$USERS/vera/overlay-images/images.json)" '[{"id":"1"}]'$'\n''[]'
	must_fail 1 "Permission denied" as_user vera touch $USERS/vera/overlay-layers/layers.json
	must_fail 1 "Permission denied" as_user vera rm $USERS/vera/overlay-layers/layers.json
	must_fail 2 "Permission denied" as_user walt ls $USERS/vera
	must_fail 2 "Permission denied" as_user walt ls $USERS/.podman-*
	# A view of another tree has nothing below it.
	rm -r store/overlay-layers
	view 'map=user:%u,each=subid,ro,nosuid,nodev' "$USERS/%u-too"
	must_work $MI -a -T views
	umount $USERS/vera-too
	must_equal "$(ls -A $USERS/vera-too)" ""
}

@test "the index below the views follows that of the store, by rename, and only if it changes" {
	podman_store '[{"id":"1"}]'
	must_work $MI -a -T views
	capture $MI -a -v -T views
	stderr_has "stores below views: 0 made or brought up to date"
	umount $USERS/vera
	exec 7<$USERS/vera/overlay-layers/layers.json
	podman_store '[{"id":"2"}]'
	capture $MI -a -v -T views
	stderr_has "stores below views: 2 made or brought up to date"
	must_equal "$(cat <&7)" '[{"id":"1"}]'
	exec 7<&-
	umount $USERS/vera $USERS/walt
	must_equal "$(cat $USERS/vera/overlay-layers/layers.json \
		$USERS/walt/overlay-layers/layers.json | uniq)" '[{"id":"2"}]'
	must_equal "$(below walt)" "$BELOW"
	# What is missing comes back: with the last file, and with the next index.
	rm -r $USERS/walt/overlay $USERS/walt/storage.lock
	must_work $MI -a -T views
	umount $USERS/vera
	rmdir $USERS/vera/overlay/l
	podman_store '[{"id":"3"}]'
	must_work $MI -a -T views
	umount $USERS/vera $USERS/walt
	must_equal "$(below vera)$(below walt)" "$BELOW$BELOW"
}

@test "the store below a view stays when the view goes, and is made for noauto, and at login" {
	podman_store '[]'
	must_work $MI -a -T views
	without vera /etc/subuid
	must_work $MI -a -T views
	must_equal "$(views)" walt
	must_equal "$(below vera)" "$BELOW"
	must_work $MI -a -u -T views
	must_equal "$(below walt)" "$BELOW"
	view 'map=user:%u,each=subid,ro,noauto' "$USERS/%U"
	must_work $MI -a -T views
	must_equal "$(views)$(below 3002)" "$BELOW"
	rm -r $USERS/3002
	must_work $MI -T views $USERS/3002
	umount $USERS/3002
	must_equal "$(below 3002)" "$BELOW"
	rm -r $USERS/3002
	must_work $MI -a -n -T views
	[ ! -e $USERS/3002 ]
}

@test "what a user puts where the store lies stays, and leads root nowhere" {
	podman_store '[]'
	mkdir -m 755 roots
	must_work $MI -a -T views
	umount $USERS/vera
	as_user vera sh -c 'cd "$1" && mv overlay mine && ln -s "$2" overlay && rm storage.lock &&
		echo mine >storage.lock' sh $USERS/vera "$SCRATCH/roots"
	podman_store '[{"id":"2"}]'
	capture $MI -a -T views
	must_equal "$status" 0
	stderr_has "'$USERS/vera/overlay' is not root's"
	must_equal "$(ls -A roots)$(views)" "vera walt"
	umount $USERS/vera
	must_equal "$(readlink $USERS/vera/overlay)" "$SCRATCH/roots"
	must_equal "$(cat $USERS/vera/storage.lock)" mine
	must_equal "$(cat $USERS/vera/overlay-layers/layers.json)" '[{"id":"2"}]'
	# Rights that the user's directory would pass on
	rm -r $USERS/vera
	install -d -m 700 -o vera -g vera $USERS/vera
	if setfacl -d -m u:vera:rwx $USERS/vera; then
		must_work $MI -a -T views
		umount $USERS/vera
		must_fail 1 "Permission denied" as_user vera touch $USERS/vera/overlay/x
		must_fail 1 "Permission denied" as_user vera touch $USERS/vera/overlay-layers/x
		must_fail 1 "Permission denied" \
			as_user vera touch $USERS/vera/overlay-layers/layers.json
	fi
}

@test "a user who holds a lease on an index keeps root from nothing" {
	local file
	podman_store '[{"id":"1"}]'
	must_work $MI -a -T views
	for file in overlay-layers/layers.json maps/layers.json; do
		(umask 022 && mkdir -p store/maps &&
			cp -n store/overlay-layers/layers.json store/$file)
		as_user vera python3 -c '
import fcntl, os, signal, sys, time
signal.signal(signal.SIGIO, signal.SIG_IGN)
f = os.open(sys.argv[1], os.O_RDONLY)
fcntl.fcntl(f, fcntl.F_SETLEASE, fcntl.F_WRLCK)
print("held", flush=True)
time.sleep(60)' $USERS/vera/$file >held &
		for _ in {1..100}; do grep -q held held && break; sleep 0.1; done
		grep -q held held
		capture timeout 10 $MI -a -T views
		must_equal "$status" 0
		stderr_has "'$file': the store below" ... "has a lease on the file"
		must_equal "$(views)" "vera walt"
		kill $!
		wait $! || true
		: >held
	done
}

# A process of the user that has an overlay with a layer in a view
overlay_of() { # USER VIEW
	mkdir -p "over-$1"
	chown "$1" "over-$1"
	as_user "$1" unshare -Urm sh -c '
		cd "$2" && rm -rf pid u w && mkdir -p u w m
		[ -d "$1" ] || mount -t tmpfs t /run
		mkdir -p "$1"
		mount -t overlay -o "userxattr,lowerdir=$1,upperdir=u,workdir=w" x m || exit
		echo $$ >pid
		exec sleep 60' sh "$2" "$SCRATCH/over-$1" &
	for _ in {1..100}; do [ -s "over-$1/pid" ] && break; sleep 0.1; done
	[ -s "over-$1/pid" ]
}

overlay_ends() { # USER
	kill "$(cat "over-$1/pid")"
	wait || true
}

@test "another tree under the name of a view, in another mount namespace, is not the view" {
	podman_store '[]'
	must_work $MI -a -T views
	mkdir u w m
	unshare -m --propagation private sh -c '
		mount -t tmpfs t "$1" && mkdir "$1/layer" &&
			mount -t overlay -o "lowerdir=$1/layer,upperdir=u,workdir=w" x m || exit
		echo $$ >pid
		exec sleep 60' sh $USERS/vera &
	for _ in {1..100}; do [ -s pid ] && break; sleep 0.1; done
	without vera /etc/subuid
	must_work $MI -a -T views
	must_equal "$(views)" walt
	kill "$(cat pid)"
	wait || true
}

@test "a view in which an overlay has layers is in use; other users cannot feign that" {
	podman_store '[]'
	must_work $MI -a -T views
	overlay_of vera $USERS/vera
	must_work $MI -a -T views
	without vera /etc/subuid
	must_fail 1 "views that could not be mounted, unmounted or replaced: 1" $MI -a -T views
	stderr_has "an overlay has its layers there"
	must_fail 1 "an overlay has its layers there" $MI -a -n -T views
	must_equal "$(views)" "vera walt"
	overlay_ends vera
	must_work $MI -a -T views
	must_equal "$(views)" walt

	overlay_of vera $USERS/walt
	without walt /etc/subuid
	must_work $MI -a -T views
	must_equal "$(views)" ""
	overlay_ends vera
}

# required FSTAB: the units that systemd makes of it, and without which the boot fails
required() {
	rm -rf units
	mkdir units
	SYSTEMD_FSTAB=$1 SYSTEMD_LOG_LEVEL=emerg $GENERATORS/systemd-fstab-generator \
		"$PWD/units" "$PWD/units" "$PWD/units"
	find units/local-fs.target.requires -name '*.mount' -printf '%f\n' 2>/dev/null | sort
}

# The lines of tables in README and the pages, those of echo(1) too. One with each= is for
# /etc/shiftbox/views, and all others are for /etc/fstab.
lines_of_examples() {
	local type='(shiftbox|none|ext4)'
	sed -E 's/\\e$/\\/' "$TESTS/../README.md" "$TESTS"/../cmd/*.[78] |
		sed -zE "s/' \\\\\n *'/ /g" |
		sed -nE "s/^(# )?(echo ')?([^ .]\S* +\S+ +$type +\S+ +0 0)('.*)?$/\3/p"
}

@test "no line of an example makes systemd require a mount that cannot be made" {
	[ -x $GENERATORS/systemd-fstab-generator ] ||
		skip "needs systemd-fstab-generator"
	lines_of_examples >all
	grep each= all >with-each
	must_equal "$(wc -l <all) $(wc -l <with-each)" "15 6"
	sed -n '/^```fstab/,/^```/p' "$TESTS/../README.md" >blocks
	must_equal "$(grep -c each= blocks)" 0
	# tests/packaging/boot_guest.sh has those of README mounted by systemd.
	grep -v each= all >fstab
	must_equal "$(required fstab | xargs)" \
		"home-alice-data.mount mnt-bob.mount srv-alice-root.mount srv-web.mount"
	# What would happen with each of the others, and does not with noauto.
	while read -r line; do
		echo "$line" >fstab
		must_equal "$(required fstab | grep -c x25)" 1
		echo "${line/,each/,noauto,each}" >fstab
		must_equal "$(required fstab)" ""
	done <with-each
}

@test "systemd accepts the units, which give the service no mounts of its own" {
	need prog systemd-analyze
	local unit own
	mkdir u
	for unit in views.service views-changed.service views.path views.timer; do
		sed "s|@BINDIR@/mount-idmapped|/bin/true|" "$TESTS/../cmd/$unit" >"u/shiftbox-$unit"
	done
	capture systemd-analyze verify --man=no --recursive-errors=no u/*
	must_equal "$status $(grep shiftbox-views <<<"$stderr" || :)" "0 "
	# systemd.exec(5): a service with one of these has mounts of its own.
	own='Private(Tmp|Devices|Mounts|Network|IPC|Users)|Protect(System|Home|Proc|Control|Kernel)'
	own+='|Read|Inaccessible|ExecPaths|NoExec|Bind|Root|Mount|Temporary|State|Cache|Logs'
	must_equal "$(grep -E "^($own)" u/shiftbox-views.service || :)" ""
}
