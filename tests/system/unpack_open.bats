#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Set-id files, file capabilities and devices of an image: only where other users cannot reach them.

load lib
need root
need prog python3 setpriv

CAP=0100000280000000000000000000000000000000 # cap_setuid=ep
# The images, and what is said of each.
RIGHTS="uid 'bin/su': is set-uid
gid 'bin/wall': is set-gid
cap 'bin/ping': has file capabilities
dev 'dev/disk': is a device"

test_setup() {
	chmod 755 .
	mkdir open
	mkdir -m 700 shut
}

image() { # DIR FILES [LAYER...]
	"$TESTS/fixtures/mkimage.py" "$1" <<<"{\"layers\":[{\"files\":$2}${3:+,$3}]}"
}

unpack() {
	"$SHIFTBOX" image-unpack --no-sync "$@"
}

# What is refused is told, with a way that works; nothing is left.
refused() { # TEXT COMMAND...
	must_fail 1 "$1" "${@:2}"
	[[ $stderr == *"other users could reach '$SCRATCH/open/t'"* ]] || tell "no place"
	stderr_has "install -d -m 7" ... "closed', and the same command with --" ... \
		"closed/t'; or --public"
	must_equal "$(ls -A open)" ""
}

stranger() {
	setpriv --reuid 4711 --regid 4711 --clear-groups "$@"
}

# --- one directory --------------------------------------------------------------------------------

@test "--flat in an open place: set-id files, capabilities and devices are refused by name" {
	local kind map
	image uid '{"a":"1","bin/su":{"data":"x","mode":"4755","uid":5}}'
	image gid '{"bin/wall":{"data":"x","mode":"2755"}}'
	image cap '{"bin/ping":{"data":"x","mode":"755","xattrs":{"security.capability":"'$CAP'"}}}'
	image dev '{"dev/disk":{"type":"char","dev":[1,3],"mode":"666"}}'
	for map in "" "-m +100000 --devices=make"; do
		# shellcheck disable=SC2086
		while read -r kind text; do
			refused "$text" unpack --flat open/t $map "$kind"
			refused "$text" unpack -n --flat open/t $map "$kind"
			must_work unpack -n --public --flat open/t $map "$kind"
			must_work unpack -q --flat shut/t $map "$kind"
			rm -r shut/t
			must_work unpack -q --public --flat open/t $map "$kind"
			rm -r open/t
		done <<<"$RIGHTS"
	done
	# The command that is told works.
	refused "is set-uid" unpack --flat open/t uid
	must_work install -d -m 700 "$SCRATCH/open/closed"
	must_work unpack -q --flat "$SCRATCH/open/closed/t" uid
	stranger test ! -e "$SCRATCH/open/closed/t"
}

@test "--flat in an open place: what gives no rights is no matter" {
	image img '{"./":{"type":"dir","mode":"2755"},"d":{"type":"dir","mode":"6777"},
		"lock":{"data":"x","mode":"2644"},"p":{"type":"fifo","mode":"4666"},
		"l":{"type":"symlink","to":"x"}}'
	must_work unpack -q --flat open/t img
	must_equal "$(stat -c %a open/t/d)" 6777
	must_equal "$(stat -c %a open/t/lock)" 2644
}

@test "--flat in an open place: only what is in the finished tree counts" {
	local first='{"bin/su":{"data":"x","mode":"4755"},
		"bin/id":{"data":"x","mode":"755","xattrs":{"security.capability":"'$CAP'"}}}'
	image white "$first" '{"files":{"bin/.wh.su":"","bin/.wh.id":""}}'
	image opaque "$first" '{"files":{"bin/.wh..wh..opq":"","bin/x":"1"}}'
	image plain "$first" '{"files":{"bin/su":{"data":"y","mode":"755"},
		"bin/id":{"data":"y","mode":"755"}}}'
	image dir "$first" '{"files":{".wh.bin":""}}'
	local i
	for i in white opaque plain dir; do
		must_work unpack -n --flat open/t $i
		[ ! -e open/t ]
		must_work unpack -q --flat open/t $i
		rm -r open/t
	done
	image link "$first" '{"files":{"usr/a":{"type":"link","to":"bin/su"},"bin/.wh.id":""}},
		{"files":{"bin/.wh.su":""}}'
	refused "'usr/a': is set-uid" unpack --flat open/t link
	image caplink '{"x":{"data":"x","mode":"755","xattrs":{"security.capability":"'$CAP'"}},
		"z":{"type":"link","to":"x"}}' '{"files":{"y":{"type":"link","to":"z"}}},
		{"files":{".wh.x":"",".wh.z":""}}'
	refused "'y': has file capabilities" unpack --flat open/t caplink
	refused "'y': has file capabilities" unpack -n --flat open/t caplink
	image later '{"a":"1"}' '{"files":{"b":{"data":"x","mode":"4711"}}},{"files":{"c":"1"}}'
	refused "'b': is set-uid" unpack --flat open/t later
	image again '{"a":{"data":"x","mode":"4755"},"./a":{"data":"x","mode":"755"}}'
	must_work unpack -q --flat open/t again
}

@test "--flat --replace: what is there stays, if the new tree is refused" {
	image uid '{"su":{"data":"x","mode":"4755"}}'
	mkdir open/t
	echo old >open/t/f
	must_fail 1 "'su': is set-uid" unpack --replace --flat open/t uid
	must_equal "$(cat open/t/f)$(ls -A open)" oldt
	[[ $stderr != *"not that of the directory"* ]] || tell "it was open, too"
	chmod 700 open/t
	must_fail 1 "'su': is set-uid" unpack --replace --flat open/t uid
	stderr_has "the new tree has the image's mode, not that of the directory"
	must_work unpack -q --replace --public --flat open/t uid
	must_equal "$(ls -A open/t)" su
}

@test "--flat: nosuid and nodev of the mount count for what they take away" {
	image uid '{"su":{"data":"x","mode":"4755"}}'
	image dev '{"null":{"type":"char","dev":[1,3]}}'
	mount -t tmpfs -o mode=0755,nosuid open open
	must_work unpack -q --flat open/u uid
	rm -r open/u
	refused "'null': is a device" unpack --flat open/t dev
	mount -o remount,suid,nodev open
	must_work unpack -q --flat open/d dev
	rm -r open/d
	refused "'su': is set-uid" unpack --flat open/t uid
	umount open
}

@test "--flat: a place is closed by a directory above, root's or the caller's own, to all others" {
	image uid '{"su":{"data":"x","mode":"4755"}}'
	local place
	make_user alice 2001 300000 65536
	chmod 755 .
	mkdir -p open/deep/er users groups list
	chmod 711 open
	chown 2001 users
	chmod 700 users
	chgrp 2001 groups
	chmod 750 groups
	chmod 744 list
	for place in open open/deep/er users groups list; do
		must_fail 1 "'su': is set-uid" unpack --flat $place/t uid
		[ ! -e $place/t ]
	done
	chmod 700 open
	must_work unpack -q --flat open/deep/er/t uid
	chgrp 0 groups
	must_work unpack -q --flat groups/t uid
	# The group of those whose tree it is.
	must_work install -d -m 710 -g 100000 theirs
	must_fail 1 "'su': is set-uid" unpack --flat theirs/t uid
	must_fail 1 "'su': is set-uid" unpack --flat theirs/t -m +300000 uid
	must_work unpack -q --flat theirs/t -m +100000 uid
	must_fail 1 "install -d -m 710 -g 300000 '$SCRATCH/list/closed'" \
		unpack --flat list/t -m +300000 uid
}

@test "--flat -m: devices are skipped, unless they are asked for" {
	image dev '{"f":"1","null":{"type":"char","dev":[1,3],"mode":"666"},
		"same":{"type":"link","to":"null"}}' '{"files":{"zero":{"type":"char",
		"dev":[1,5]}}}'
	capture unpack --flat open/t -m +100000 dev
	must_equal "$status" 0
	[[ $stderr == *"'null': skipped: a device"*"--devices=make"* &&
		$output == *"skipped: 2 devices"* ]] || tell "not told"
	must_equal "$(ls open/t)" f
	must_work unpack -q --flat shut/t -m +100000 --devices=make dev
	must_equal "$(stat -c '%F %u' shut/t/null shut/t/zero | paste -sd' ')" \
		"character special file 100000 character special file 100000"
	must_work unpack -q --flat shut/i -m 0:0:4294967295 dev # no map at all: nothing is shifted
	[ -c shut/i/null ]
}

@test "--flat of an ordinary user: the tree is made, and what others could run is told" {
	need subid
	image uid '{"su":{"data":"x","mode":"4755"}}'
	make_user alice 2001 300000 65536
	chmod -R a+rX uid
	must_work as_user alice "$SHIFTBOX" image-unpack -q --no-sync --flat home-alice/t uid
	chmod 755 . home-alice
	capture as_user alice "$SHIFTBOX" image-unpack -q --no-sync --flat home-alice/u uid
	must_equal "$status" 0
	stderr_has "warning: 'su' is set-uid, and other users can reach '$SCRATCH/home-alice/u'"
	[ -u home-alice/u/su ]
	must_work as_user alice "$SHIFTBOX" image-unpack -q \
		--no-sync --public --flat home-alice/v uid
}

@test "--public is for what it changes something of" {
	image img '{"f":"1"}'
	local use
	for use in "-N x img" "--scan img" --list "--show x" "--verify x" "--remove x" --prune; do
		# shellcheck disable=SC2086
		must_fail 2 "--public is for --flat, --bundle and --base" \
			"$SHIFTBOX" image-unpack --public $use
	done
	must_fail 2 "--public is for --flat, --bundle and --base" \
		"$SHIFTBOX" image-unpack -s s --public -N x img
	[ ! -e s ]
}

# --- bundles --------------------------------------------------------------------------------------

bundle() { # NAME DIR [MORE...]
	"$SHIFTBOX" image-unpack -s store --bundle "$2" -m +100000:65536 "$1" "${@:3}" -- /x
}

stored() { # NAME FILES [LAYER...]
	image "$@"
	must_work unpack -q -s store -N "$1" "$1"
}

@test "--bundle in an open place: set-id files, capabilities and devices are refused by name" {
	local kind text
	install -d -m 710 -g 100000 theirs
	stored uid '{"a":"1","bin/su":{"data":"x","mode":"4755","uid":5}}'
	stored gid '{"bin/wall":{"data":"x","mode":"2755"}}'
	stored cap '{"bin/no":{"data":"x","mode":"755"},
		"bin/ping":{"data":"x","mode":"755","xattrs":{"security.capability":"'$CAP'"}}}'
	stored dev '{"dev/disk":{"type":"char","dev":[1,3],"mode":"666"}}'
	while read -r kind text; do
		refused "$text" bundle "$kind" open/t
		refused "$text" bundle "$kind" open/t -n
		must_work bundle "$kind" theirs/t
		must_work bundle "$kind" open/t --public
		rm -r theirs/t open/t
	done <<<"$RIGHTS"
	# nosuid and nodev of the mount are not those of the stack that will be at rootfs.
	mount -t tmpfs -o mode=0755,nosuid,nodev open open
	refused "'bin/su': is set-uid" bundle uid open/t
	umount open
	# What was there is as it was.
	mkdir -m 700 open/t
	must_fail 1 "'bin/su': is set-uid" bundle uid open/t
	must_equal "$(stat -c %a open/t)$(ls -A open/t)" 700
	rmdir open/t
}

@test "--bundle in an open place: only what the stack would show counts" {
	local i first='{"bin/su":{"data":"x","mode":"4755"},
		"bin/id":{"data":"x","mode":"755","xattrs":{"security.capability":"'$CAP'"}}}'
	stored white "$first" '{"files":{"bin/.wh.su":"","bin/.wh.id":""}}'
	stored opaque "$first" '{"files":{"bin/.wh..wh..opq":"","bin/x":"1"}}'
	stored plain "$first" \
		'{"files":{"bin/su":{"data":"y","mode":"755"},"bin/id":{"data":"y","mode":"755"}}}'
	stored gone "$first" '{"files":{".wh.bin":""}}'
	stored quiet '{"d":{"type":"dir","mode":"6777"},"lock":{"data":"x","mode":"2644"},
		"l":{"type":"symlink","to":"lock"},"p":{"type":"fifo","mode":"4666"}}'
	for i in white opaque plain gone quiet; do
		must_work bundle $i open/t
		must_equal "$(stat -c %a open/t)" 711
		rm -r open/t
	done
	stored below "$first" \
		'{"files":{"usr/a":{"type":"link","to":"bin/su"}}},
		{"files":{"bin/.wh.su":"","bin/.wh.id":""}}'
	refused "'usr/a': is set-uid" bundle below open/t
}

@test "--bundle: crun and runc run it below a directory open to the group of its root alone" {
	need prog busybox crun runc
	local runtime
	if [ -d /sys/fs/cgroup/unified ] && mountpoint -q /sys/fs/cgroup/unified; then
		umount /sys/fs/cgroup/unified
	fi
	stored app '{"bin/busybox":{"copy":"/bin/busybox","mode":"4755"},"bin/sh":{"type":"symlink",
		"to":"busybox"},"bin/id":{"type":"symlink","to":"busybox"},
		"proc":{"type":"dir"},"sys":{"type":"dir"},"dev":{"type":"dir"},
		"etc/passwd":"root:x:0:0::/:/bin/sh\n"}'
	must_fail 1 "install -d -m 710 -g 100000 '$SCRATCH/open/closed', and the same command with \
--bundle '$SCRATCH/open/closed/t'" bundle app open/t
	must_work install -d -m 710 -g 100000 "$SCRATCH/open/closed" "$SCRATCH/open/itself"
	for dir in open/closed/t open/itself; do
		must_work "$SHIFTBOX" image-unpack -s store --bundle $dir -m +100000:65536 app -- \
			sh -c 'id -u; id -g'
		must_work "$SHIFTBOX" mount-idmapped -s store -m +100000:65536 \
			-o ephemeral image:app $dir/rootfs
		stranger sh -c "! $dir/rootfs/bin/id && ! ls $dir/rootfs" 2>/dev/null
		: >nothing
		for runtime in "crun --root $SCRATCH/crun --cgroup-manager=disabled" \
			"runc --root $SCRATCH/runc --rootless=true"; do
			# shellcheck disable=SC2086
			must_work $runtime run -b $dir "shiftbox-$$" <nothing
			must_equal "$output" $'0\n0'
		done
		must_work "$SHIFTBOX" mount-idmapped -u $dir/rootfs
	done
	must_equal "$(stat -c '%a %g' open/itself open/closed/t | paste -sd' ')" "710 100000 711 0"
	# Another range's root may not pass, and is told so.
	capture "$SHIFTBOX" image-unpack -s store --bundle open/closed/u -m +300000:65536 \
		--public app -- sh
	[[ $stderr == *"open/closed' is closed to others (mode 0710)"*"uid 300000"* ]] ||
		tell "not told"
}
