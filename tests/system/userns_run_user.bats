# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2154,SC2016
# userns-run, by an ordinary user: with subordinate ids, on the user's own store; with no id but
# one.

load lib

need root
need subid
need kernel 5.12
need prog busybox

test_setup() {
	make_user alice 2001 700000 65536
	HOME_ALICE=$SCRATCH/home-alice
	cd "$HOME_ALICE" || return 1
}

run() {
	as_user alice "$SHIFTBOX" userns-run "$@"
}

@test "with subordinate ids: root is the user, the rest is granted" {
	must_work run -- sh -c 'id
		cat /proc/self/uid_map /proc/self/gid_map
		pwd
		touch new
		chown 5:6 new
		stat -c %u:%g new'
	must_equal "$(tr -s ' ' <<<"$output")" "uid=0(root) gid=0(root) groups=0(root)
 0 2001 1
 1 700000 65536
 0 2001 1
 1 700000 65536
$HOME_ALICE
5:6"
	must_equal "$(owner new)" 700004:700005
	must_work as_user alice env -C / "$SHIFTBOX" userns-run -m subid:alice -- \
		cat /proc/self/uid_map
	must_equal "$(xargs <<<"$output")" "0 700000 65536"
	must_fail 125 'newuidmap' run -m 0:2001:1 -m 1:1000:1 -- true
	capture run -v -- true
	stderr_has 'the map of the namespace is b:0:2001:1;b:1:700000:65536: the caller, and what'
}

@test "an image of the user's own store, with an upper or without" {
	"$TESTS/fixtures/busybox-root" root
	tar -C root -cf layer.tar .
	must_work as_user alice "$SHIFTBOX" image-unpack -q -N bb layer.tar
	must_work run -i image:bb -- sh -c 'id
		stat -c "%n %u:%g" / /srv/*
		touch /new /tmp/a
		chown 7:8 /new
		stat -c %u:%g /new
		cut -d" " -f5 /proc/self/mountinfo | grep -vc /sys/'
	must_equal "$output" "uid=0(root) gid=0(root)
/ 0:0
/srv/five 5:6
/srv/root 0:0
7:8
15"
	must_fail 1 'No such file' run -i image:bb -- stat /new
	must_work run -i bb -o upper=upper -- sh -c 'rm /srv/five
		touch /srv/new
		chown 7:8 /srv/new'
	must_equal "$(owner upper/srv/new)" 700006:700007
	must_work run -i bb -o upper=upper -- ls /srv
	must_equal "$(xargs <<<"$output")" "new root"
	must_fail 125 'it is not there, and the root is read-only' run -i bb -o ro -- true
	must_work run -i bb --read-only -u daemon -- id
	must_equal "$output" "uid=5(daemon) gid=6(daemon) groups=7(extra),8(last)"
	must_fail 125 'needs root of the host' run -i bb -o map=+700000 -- true
	must_fail 125 'needs root of the host' run -i bb -b root:/x:map -- true
	must_fail 125 'there is no such image' run -i none -- true
	# What the user cannot write to anyway does not cost the right to mount.
	must_work run -i bb --resolv-conf -- sh -c 'cat /etc/resolv.conf
		mount -t tmpfs x /srv && ! (echo >>/etc/resolv.conf) 2>/dev/null'
}

@test "a directory of the user's, and what is read-only for good" {
	"$TESTS/fixtures/busybox-root" root
	mkdir data
	echo data >data/f
	chown -hR alice:alice root data
	must_work run -r root -b data:/data -- sh -c 'stat -c %u:%g /srv/root /data/f
		touch /data/g /srv/new
		mount -t tmpfs x /srv && umount /srv'
	must_equal "$output" "0:0
0:0"
	must_equal "$(owner data/g) $(owner root/srv/new)" "2001:2001 2001:2001"
	# Root of the namespace may not change a mount then; in a namespace below, where it may,
	# flags are locked.
	capture run -r root -b data:/data:ro -- sh -c 'grep CapEff /proc/self/status
		touch /data/h
		mount -o remount,bind,rw /data
		touch /data/h
		umount /data;
		unshare -Urm sh -c "mount -o remount,bind,rw /data; touch /data/h"'
	must_equal "$(grep -c 'data/h: Read-only file system' <<<"$stderr")" 3
	[ ! -e data/h ]
	must_equal "$((0x${output##*[[:space:]]} >> 21 & 1))" 0
	capture run -r root --read-only -- sh -c 'touch /srv/h
		mount -o remount,bind,rw /
		touch /srv/h
		touch /tmp/x && echo there'
	must_equal "$(grep -c 'srv/h: Read-only file system' <<<"$stderr") $output" "2 there"
	[ ! -e root/srv/h ]
}

@test "with no subordinate ids: root alone" {
	add_line /etc/passwd "bob:x:2002:2002::$SCRATCH/home-bob:/bin/sh"
	add_line /etc/group "bob:x:2002:"
	must_work as_user bob env -C / "$SHIFTBOX" userns-run -q -- sh -c 'cd /
		id -u
		cat /proc/self/uid_map /proc/self/setgroups
		stat -c %g /dev/pts'
	must_equal "$(xargs <<<"$output")" "0 0 2002 1 deny 0"
	capture as_user bob "$SHIFTBOX" userns-run -v -- true
	[[ $stderr == *'the caller alone, who has no subordinate ids'* ]] ||
		tell "the map is not told"
	capture as_user bob "$SHIFTBOX" userns-run -- true
	must_equal "$status" 0
	stderr_has "bob has no subordinate ids: the only id of the command is 0, the user's own" \
		"(/etc/subuid: bob has no user ids here: usermod"
	must_fail 125 'the map has no user id 5' as_user bob "$SHIFTBOX" userns-run -u 5:0 -- true
	# As root of a user namespace, whose ids are what there is.
	must_work run -- "$SHIFTBOX" userns-run -- sh -c 'cat /proc/self/uid_map; id -u'
	must_equal "$(xargs <<<"$output")" "0 0 1 1 1 65536 0"
}

@test "a line of the user that does not count is told by every command" {
	local line file words
	echo x >layer
	tar --owner=0 --group=0 -cf layer.tar layer
	for file in uid gid; do
		for line in 'alice:800000:65536 ' ' alice:800000:65536' 'alice 800000 65536' \
			800000:65536:alice 2001:800000:65536: alice:0800000:65536; do
			add_line "/etc/sub$file" "$line"
			capture run -q -- sh -c 'cut -c 12- /proc/self/uid_map'
			must_equal "$status" 0
			[[ $output == *" 65536"* ]] || tell "the sound line does not count"
			stderr_has "warning: /etc/sub$file:" ... "'$line'" ... "line does not count"
			[ "$(wc -l <<<"$stderr")" = 1 ] || tell "not told once"
			capture as_user alice "$SHIFTBOX" image-unpack -q -N a layer.tar
			must_equal "$status" 0
			stderr_has "warning: /etc/sub$file:" ... "'$line'" ... "line does not count"
			for words in "shift-check explain /" "shift-check host" "shift-check list" \
				"shift-check verify --source $SCRATCH $SCRATCH" \
				"mount-idmapped -n -u /nothere" "image-unpack --scan layer.tar" \
				"userns-run -m 0:2001:1 -- true"; do
				# shellcheck disable=SC2086 # words is several words
				capture as_user alice "$SHIFTBOX" $words
				stderr_has "warning: /etc/sub$file:" ... "'$line'" ... \
					"line does not count"
				[ "$(grep -c "does not count" <<<"$stderr")" = 1 ] ||
					tell "not told once"
			done
			capture run -m user:alice -- true
			stderr_has "'$line'"
			stderr_has "/etc/sub$file"
			umount "/etc/sub$file"
		done
	done
	# The line of another user is not alice's.
	add_line /etc/subuid 'bob:900000:65536 '
	must_work run -- true
	umount /etc/subuid
}

@test "a line that does not count, and none that does" {
	local file
	add_line /etc/passwd "bob:x:2002:2002::$SCRATCH/home-bob:/bin/sh"
	add_line /etc/group "bob:x:2002:"
	for file in uid gid; do add_line "/etc/sub$file" 'bob:900000:65536 '; done
	capture as_user bob "$SHIFTBOX" userns-run -- true
	must_equal "$status" 0
	stderr_has "warning: /etc/subuid:" ... "'bob:900000:65536 ' has a COUNT that is not" ... \
		"warning: /etc/subgid:" ... "line does not count" ... \
		"bob has no subordinate ids: the only id of the command is 0"
	for file in uid gid; do umount "/etc/sub$file"; done
}

@test "the caller's groups serve to find things, and are not the command's" {
	add_line /etc/group 'club:x:2999:'
	mkdir -m 710 "$SCRATCH/club"
	chgrp 2999 "$SCRATCH/club"
	"$TESTS/fixtures/busybox-root" "$SCRATCH/club/root"
	chown -hR alice:alice "$SCRATCH/club/root"
	must_work setpriv --reuid alice --regid alice --groups 2999 --inh-caps=-all \
		env HOME="$HOME_ALICE" "$SHIFTBOX" userns-run -r "$SCRATCH/club/root" -o public -- \
		grep Groups /proc/self/status
	must_equal "$(xargs <<<"$output")" 'Groups:'
}

@test "the program file is out of the command's reach: a sealed copy runs (CVE-2019-5736)" {
	local exe
	cp "$SHIFTBOX" own
	chown alice own
	for exe in "$HOME_ALICE/own" "$SHIFTBOX"; do
		mkfifo fifo
		as_user alice "$exe" userns-run -- sh -c 'echo ready; sleep 4717' >fifo &
		read -r _ <fifo
		rm fifo
		# Process 1 is the only child of the one that was started.
		pid=$(pgrep -fx "$exe userns-run -- sh -c echo ready; sleep 4717")
		readlink "/proc/$(pgrep -P "$pid")/exe" >>links
		pkill -fx 'sleep 4717'
		wait
	done
	must_equal "$(xargs <links)" "/memfd:shiftbox (deleted) $SHIFTBOX"
}
