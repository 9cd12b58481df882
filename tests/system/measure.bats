#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Views under other maps than that of podman run: a user runs plain, --userns=keep-id and --uidmap in
# turn from one storage.conf, with all owners right and nothing copied.

load lib
load images
load podman
need root
need subid
need prog python3 setpriv busybox

REF=docker.io/library/bb:1
USERS=/run/shiftbox/users KEEP=/run/shiftbox/keep-id WWW=/run/shiftbox/www

test_setup() {
	"$SHIFTBOX" image-unpack --help >/dev/null
	STORE=$SCRATCH/store
	mount -t tmpfs -o mode=755 run /run
	podman_start
	podman_user alice 2001 300000
	mkdir -m 755 /run/user
	install -d -m 700 -o alice /run/user/2001
	CONF=$SCRATCH/home-alice/.config/containers/storage.conf
	GRAPH=$SCRATCH/home-alice/.local/share/containers/storage
	MAPS=$STORE/podman/maps
}

test_teardown() {
	podman_stop
	mount --make-rprivate /
	umount -l /run
}

# Files of several ids, a set-uid file, and two layers
BB='{"ref":"v1","config":{"created":"2026-01-02T03:04:05.6Z","config":{"Cmd":["/bin/sh"]},
	"history":[{"created_by":"a"},{"created_by":"b"}]},"layers":[
	{"files":{"bin":{"type":"dir"},"bin/busybox":{"copy":"/bin/busybox","mode":"755"},
		"bin/sh":{"type":"link","to":"bin/busybox"},"etc":{"type":"dir"},
		"etc/passwd":"root:x:0:0::/:/bin/sh\n","tmp":{"type":"dir","mode":"1777"},
		"etc/shadow":{"data":"secret","gid":42,"mode":"640"},
		"f2001":{"data":"v","uid":2001,"gid":2001},"f33":{"data":"v","uid":33,"gid":33},
		"suid":{"data":"x","mode":"4755","uid":7}}},
	{"files":{"o":{"type":"dir"},"o/new":"3"}}]}'
LIST='busybox stat -c %n,%u:%g,%a /etc/shadow /f2001 /f33 /suid /o/new'
OWNERS='/etc/shadow,0:42,640 /f2001,2001:2001,644 /f33,33:33,644 /suid,7:0,4755 /o/new,0:0,644'

unpack() { # ARGUMENT...
	must_work "$SHIFTBOX" image-unpack -s "$STORE" "$@"
}

lines() { # NAME=MAP...: the table of views
	local word
	for word in "$@"; do
		echo "$STORE/podman /run/shiftbox/${word%%=*}/%u shiftbox" \
			"map=${word#*=},each=subid,ro,nosuid,nodev 0 0"
	done >views
}

views() { # ARGUMENT...
	must_work "$SHIFTBOX" mount-idmapped -a -T views "$@"
}

all_lines() {
	lines users=user:%u keep-id=keep-id:%u www=keep-id:%u:33:33
}

# storage.conf of the user
conf() {
	must_work "$SHIFTBOX" image-unpack -q -s "$STORE" --podman-conf "$USERS/%u" --write alice
}

alice() {
	as alice "$@"
}

podman_works() {
	need prog podman skopeo crun
}

# The bytes that the user's podman has stored
stored() {
	find "$GRAPH" -type f -printf '%s\n' | awk '{ s += $1 } END { print s + 0 }'
}

# What no reader may change
store_state() {
	find "$STORE" -path "$STORE/tmp" -prune -o -printf '%P %i %n %C@ %T@ %s %U:%G %m\n' | sort
}

# The index of the user's layers: ID PARENT MAP, a line each
index() {
	python3 - "$MAPS/2001/overlay-layers/layers.json" <<-'EOT'
		import json, sys
		for l in json.load(open(sys.argv[1])):
		    print(l["id"][:4], l.get("parent", "-")[:4], *("%s:%s:%s" % (
		        m["container_id"], m["host_id"], m["size"]) for m in l.get("uidmap", [])))
	EOT
}

mapped_layers() {
	python3 -c 'import json, sys
for i in json.load(open(sys.argv[1])):
    print(len(i["mapped-layers"]))' "$MAPS/2001/overlay-images/images.json"
}


@test "measure" {
	more='{"files":{"i":"1"},"bulk":20000,"seed":7}'
	image big "${BB%\]\}},$more]}"
	unpack -N $REF big
	layers=$(for i in {1..60}; do printf ',{"files":{"l%d":"%d"}}' $i $i; done)
	image many "${BB%\]\}}$layers]}"
	unpack -N localhost/many:1 many
	all_lines
	TIMEFORMAT='%R wall %U user %S sys'
	{
	echo "-- plain view alone"
	lines users=user:%u; views; conf
	alice podman images >/dev/null
	m() { echo "+ $*"; rm -f t; b=$(stored); { time alice podman run --name m "$@" busybox true 2>&1; } 2>t; cat t; echo "bytes $(($(stored)-b)); files $(find $GRAPH | wc -l)"; alice podman rm m >/dev/null; }
	m $REF; m --userns=keep-id $REF; m --userns=keep-id $REF
	echo "-- auto, plain view"
	m --userns=auto:size=3000 $REF
	m --uidmap 0:1:33 --uidmap 33:0:1 --uidmap 34:34:65503 $REF
	echo "-- views under maps"
	all_lines; views; conf
	m $REF; m --userns=keep-id $REF; m --userns=keep-id $REF; m --userns=keep-id:uid=33,gid=33 $REF
	m --uidmap 0:1:33 --uidmap 33:0:1 --uidmap 34:34:65503 $REF
	echo "-- unordered, and split"
	m --uidmap 34:34:65503 --uidmap 33:0:1 --uidmap 0:1:33 $REF
	m --uidmap 0:1:33 --uidmap 33:0:1 --uidmap 34:34:3 --uidmap 37:37:65500 $REF
	echo "-- auto"
	m --userns=auto:size=3000 $REF
	echo "-- 62 layers"
	m localhost/many:1; m --userns=keep-id localhost/many:1
	du -sk $MAPS/2001; find $MAPS/2001 | wc -l; python3 -c 'import json;print(len(json.load(open("'$STORE'/podman/overlay-layers/layers.json"))))'
	echo "-- 1000 users"
	for i in {1..1000}; do echo "u$i:x:$((10000+i)):$((10000+i))::/nonexistent:/bin/sh" >>u; echo "u$i:$((1000000+i*65536)):65536" >>s; done
	cat u >>/etc/passwd; cat s >>/etc/subuid; cat s >>/etc/subgid
	time "$SHIFTBOX" mount-idmapped -v -a -T views 2>&1 | tail -3
	time "$SHIFTBOX" mount-idmapped -v -a -T views 2>&1 | tail -3
	du -sk $MAPS
	image two '{"layers":[{"files":{"two":"2"}}]}'
	time "$SHIFTBOX" image-unpack -s $STORE -N localhost/two:1 two
	"$SHIFTBOX" mount-idmapped -a -u -T views
	} >/tmp/h/P5t/measure.log 2>&1 </dev/zero
}
