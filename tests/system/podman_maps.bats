#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Views under other maps than that of podman run: a user runs plain, --userns=keep-id and --uidmap
# in turn from one storage.conf, with all owners right and nothing copied.

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
	podman_user bob 2002 400000
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

# Where the user's layers under maps are
diffs() {
	find "$MAPS/2001/overlay" -name diff -printf '%l\n'
}

mapped_layers() {
	python3 -c 'import json, sys
for i in json.load(open(sys.argv[1])):
    print(len(i["mapped-layers"]))' "$MAPS/2001/overlay-images/images.json"
}

@test "one storage.conf serves podman run, keep-id and a map of ids in turn, with nothing copied" {
	local before user
	podman_works
	image bb "$BB"
	unpack -N $REF bb
	all_lines
	views
	conf
	grep -qx "additionalimagestores = \[\"$USERS/alice/maps/2001\"\]" "$CONF"
	must_equal "$(alice podman images --format '{{.Names}} {{.ReadOnly}}')" "[$REF] true"
	store_state >before
	must_equal "$(alice podman run --rm $REF $LIST | paste -sd' ')" "$OWNERS"
	before=$(stored)
	for user in keep-id keep-id:uid=33,gid=33 "" keep-id; do
		must_equal "$(alice podman run --rm ${user:+--userns=$user} $REF $LIST |
			paste -sd' ')" "$OWNERS"
	done
	must_equal "$(alice podman run --rm --uidmap 0:1:33 --uidmap 33:0:1 --uidmap 34:34:65503 \
		$REF $LIST | paste -sd' ')" "$OWNERS"
	must_equal "$(alice podman run --rm --userns=keep-id $REF busybox id -u)" 2001
	must_equal "$(alice podman run --rm --userns=keep-id:uid=33,gid=33 $REF busybox id -u)" 33
	[ $(($(stored) - before)) -lt 20000 ] || tell "$(stored) bytes, $before before"
	store_state >after
	cmp before after
}

@test "what a user makes on a layer under a map can be started, committed, saved and run" {
	podman_works
	image bb "$BB"
	unpack -N $REF bb
	all_lines
	views
	conf
	mkdir -m 777 out
	alice podman run --name k --userns=keep-id $REF sh -c 'echo mine >/tmp/mine'
	must_equal "$(alice podman diff k | grep /tmp | paste -sd' ')" "C /tmp A /tmp/mine"
	must_work alice podman start -a k
	alice podman commit -q k localhost/kept >/dev/null
	must_equal "$(alice podman run --rm --userns=keep-id localhost/kept \
		busybox stat -c %u /tmp/mine)" 2001
	must_equal "$(alice podman run --rm localhost/kept $LIST | paste -sd' ')" "$OWNERS"
	must_work alice podman save -q --format oci-archive -o out/kept.tar localhost/kept
	must_work alice podman save -q --format oci-archive -o out/bb.tar $REF
	for dir in kept bb; do
		mkdir "out/$dir"
		tar -C "out/$dir" -xf "out/$dir.tar"
	done
	# The layers of the source, with its digests
	python3 - bb out/bb out/kept <<-'EOT'
		import gzip, hashlib, json, sys
		def layers(dir):
		    blob = lambda d: open(dir + "/blobs/sha256/" + d[7:], "rb").read()
		    i = json.load(open(dir + "/index.json"))["manifests"][0]
		    for l in json.loads(blob(i["digest"]))["layers"]:
		        b = blob(l["digest"])
		        b = gzip.decompress(b) if b[:2] == b"\x1f\x8b" else b
		        yield hashlib.sha256(b).digest()
		a, b, c = (list(layers(d)) for d in sys.argv[1:])
		assert a == b == c[:2] and len(c) == 3
	EOT
	run -125 alice podman rmi -f $REF
	text_has "$output" "read-only"
	must_work alice podman system prune -af
	must_equal "$(alice podman run --rm --userns=keep-id $REF $LIST | paste -sd' ')" "$OWNERS"
}

@test "images that are unpacked, removed and pruned come and go under every map" {
	local pid
	podman_works
	image bb "$BB"
	image two '{"layers":[{"files":{"two":"2"}}]}'
	unpack -N $REF bb
	all_lines
	views
	conf
	must_equal "$(index | wc -l) $(mapped_layers)" "6 2"
	unpack -N localhost/two:1 two
	must_equal "$(index | wc -l) $(mapped_layers | sort -u)" "9 2"
	must_equal "$(ls $MAPS/2001/overlay/l | wc -l)" 9
	alice podman run --name k --userns=keep-id $REF sh -c "busybox sleep $NAP" &
	pid=$(sleeper alice)
	unpack --remove $REF
	unpack --remove localhost/two:1
	must_equal "$(index | wc -l)" 9
	must_equal "$(alice podman images -q | wc -l)" 0
	# Its layers are mounted in the container, under names of their own.
	unpack --prune
	must_equal "$(index | wc -l) $(ls $MAPS/2001/overlay/l | wc -l)" "6 6"
	must_work alice podman images
	kill -9 "$pid"
	wait
	must_work alice podman rm -f k
	unpack --prune
	must_equal "$(index | wc -l) $(find "$MAPS/2001/overlay/l" "$MAPS/2001/overlay-images" \
		-regextype egrep -regex '.*/([0-9A-Z]{26}|[0-9a-f]{64})' | wc -l)" "0 0"
	must_work alice podman images
	unpack -N $REF bb
	must_equal "$(alice podman run --rm --userns=keep-id $REF $LIST | paste -sd' ')" "$OWNERS"
}

@test "a view that is gone leaves podman working; its layers stay in the index" {
	podman_works
	image bb "$BB"
	unpack -N $REF bb
	all_lines
	views
	conf
	alice podman run --name k --userns=keep-id $REF sh -c 'echo mine >/tmp/mine'
	alice podman commit -q k localhost/kept >/dev/null
	alice podman rm k >/dev/null
	podman_pause_ends alice
	# Without the line, podman copies.
	views -u
	lines users=user:%u www=keep-id:%u:33:33
	echo "$STORE/podman $KEEP/%u shiftbox map=keep-id:%u,each=user:bob,ro,nosuid,nodev 0 0" \
		>>views
	views
	must_equal "$(index | wc -l) $(mapped_layers)" "6 1"
	must_equal "$(alice podman images -q | wc -l)" 2
	must_equal "$(alice podman run --rm --userns=keep-id $REF $LIST | paste -sd' ')" "$OWNERS"
	must_equal "$(alice podman run --rm --userns=keep-id:uid=33,gid=33 $REF $LIST |
		paste -sd' ')" "$OWNERS"
	# Below the plain view lies a store that has all these layers, and no images.
	podman_pause_ends alice
	views
	views -u
	must_equal "$(alice podman images --format '{{.Names}}')" "[localhost/kept:latest]"
	podman_pause_ends alice
	all_lines
	views
	must_equal "$(index | wc -l) $(mapped_layers)" "6 2"
	must_equal "$(alice podman run --rm --userns=keep-id localhost/kept \
		busybox stat -c %u /tmp/mine)" 2001
}

@test "a view is not taken away while a container has layers under its map" {
	local pid
	podman_works
	image bb "$BB"
	unpack -N $REF bb
	all_lines
	views
	conf
	alice podman run --rm --userns=keep-id $REF busybox sleep $NAP &
	pid=$(sleeper alice)
	sed -i 's/each=subid/each=user:bob/' views
	must_fail 1 "could not be mounted, unmounted or replaced: 2" \
		"$SHIFTBOX" mount-idmapped -a -T views
	stderr_has "'$KEEP/alice': cannot unmount" ... "an overlay has its layers there"
	mountpoint -q $KEEP/alice
	mountpoint -q $USERS/alice
	must_fail 32 "" mountpoint -q $WWW/alice
	must_equal "$(mapped_layers)" 1
	kill -9 "$pid"
	wait
	must_work "$SHIFTBOX" mount-idmapped -a -T views
	must_equal "$(mapped_layers)" 0
}

@test "the index follows the map, the grants and the place of a view; -a changes nothing twice" {
	image bb "$BB"
	unpack -N $REF bb
	all_lines
	views
	index >first
	must_equal "$(cut -d' ' -f3- first | uniq)" $'\n0:1:2001 2001:0:1 2002:2002:63535
0:1:33 33:0:1 34:34:65503'
	store_state >before
	views
	store_state >after
	cmp before after
	# A longer grant: the same ids of layers, another map
	for file in /etc/subuid /etc/subgid; do
		sed 's/^alice:300000:65536/alice:300000:70000/' $file >grants
		cat grants >$file
	done
	views
	must_equal "$(index | cut -d' ' -f1,2)" "$(cut -d' ' -f1,2 first)"
	text_has "$(index)" "0:1:33 33:0:1 34:34:69967"
	# Another place
	sed -i 's|/run/shiftbox/www|/run/shiftbox/web|' views
	umount $WWW/alice
	views
	must_equal "$(diffs | cut -d/ -f1-5 | sort -u)" \
		$'/run/shiftbox/keep-id/alice\n/run/shiftbox/web/alice'
	# Another map: layers with other ids; those of the old one stay, without trees
	sed -i 's/keep-id:%u:33:33/keep-id:%u:34:34/' views
	views
	must_equal "$(index | wc -l) $(mapped_layers) $(diffs | wc -l)" "8 2 4"
	must_equal "$(index | grep -c "0:1:33 33:0:1") $(index | grep -c "0:1:34 34:0:1")" "2 2"
}

@test "a map that podman cannot have is warned of once, and is not in the index" {
	image bb "$BB"
	unpack -N $REF bb
	lines users=user:%u other=0:7:10
	sed -i '2s/,each=subid/,each=user:alice/' views
	capture "$SHIFTBOX" mount-idmapped -a -T views
	must_equal "$status" 0
	stderr_has "podman of user 'alice' cannot have this map, since it has ids that are not"
	[ ! -e "$STORE/podman-maps" ]
	capture "$SHIFTBOX" mount-idmapped -a -T views
	must_equal "$status" 0
	[[ $stderr != *"cannot have this map"* ]] || tell "it is warned of again"
	# The administrator's own map, in the ids of the host
	lines users=user:%u "other=0:300000:5,5:2001:1,6:300005:10"
	sed -i '2s/,each=subid/,each=user:alice/; 2s/0:300000:5,5:2001:1,6:300005:10/"&"/' views
	umount /run/shiftbox/other/alice
	must_work "$SHIFTBOX" mount-idmapped -a -T views
	text_has "$(index)" "0:1:5 5:0:1 6:6:10"
}

@test "shift-check podman says what storage.conf and the view lack for keep-id" {
	podman_works
	image bb "$BB"
	unpack -N $REF bb
	lines users=user:%u
	views
	conf
	check() { # TEXT...
		run "$SHIFTBOX" shift-check podman alice
		while [ $# != 0 ]; do
			text_has "$output" "$1"
			shift
		done
	}
	check "no view serves podman run --userns=keep-id"
	lines users=user:%u keep-id=keep-id:%u
	views
	check "$CONF names $USERS/alice, and not $USERS/alice/maps/2001, which has the layers" \
		"no view serves podman run --userns=keep-id" \
		"--podman-conf $USERS/alice --write alice"
	# The view is replaced by the store in it, and nothing else changes.
	sed -i 's|^additional.*|additionalimagestores = [ "/a", "'$USERS/alice'" ] # two|' "$CONF"
	conf
	grep -qxF "additionalimagestores = [ \"/a\", \"$USERS/alice/maps/2001\" ] # two" "$CONF"
	capture "$SHIFTBOX" image-unpack -q --json -s "$STORE" --podman-conf "$USERS/%u" alice
	json 'not d[0]["changed"] and d[0]["view"] == "'$USERS/alice'" and
		d[0]["store"] == "'$USERS/alice/maps/2001'"'
	check "$CONF names $USERS/alice/maps/2001" \
		"podman run --userns=keep-id uses the layers of the store" \
		"omit --userns, or name --userns=keep-id"
	umount $KEEP/alice
	check "no view serves podman run --userns=keep-id"
}

@test "explain leads from a container under a map through its view to the disk" {
	local pid
	podman_works
	image bb "$BB"
	unpack -N $REF bb
	all_lines
	views
	conf
	alice podman run --rm --userns=keep-id $REF busybox sleep $NAP &
	pid=$(sleeper alice)
	capture "$SHIFTBOX" shift-check explain "/proc/$pid/root/f33"
	printf '%s\n' "$output" "$stderr" >&2
	kill -9 "$pid"
	wait
	output_has "$KEEP/alice"
}

@test "the disk is waited for as often for many users as for one" {
	local i
	need prog strace
	image bb "$BB"
	unpack -N $REF bb
	lines users=user:%u keep-id=keep-id:%u
	views
	for i in {1..9}; do make_user u$i 201$i ${i}000000 65536; done
	strace -f -qq -e trace=fsync,fdatasync -e signal=none -o calls \
		"$SHIFTBOX" mount-idmapped -q -a -T views
	must_equal "$(find "$MAPS" -maxdepth 1 -name '201?' | wc -l)" 9
	[ "$(grep -c "sync(" calls)" -lt 20 ]
}
