#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shift-check list: every ID-mapped mount is found, with its map, and no other mount.

load lib

NOSYS=$BATS_TEST_DIRNAME/../fixtures/nosys
OLD=457,458 # statmount, listmount: a kernel before 6.8

# Rows "TARGET MAP" of the test's own mounts, targets less $SCRATCH.
rows() {
	sed -n "s|^$SCRATCH/||p" <<<"$output" | tr -s ' ' |
		sed 's/ [^ ]* tmpfs / /; s/ [^ ]* overlay / /'
}

list() {
	must_work "$SHIFTBOX" shift-check list "$@"
}

map_mount() {
	mkdir -p "$2"
	must_work "$SHIFTBOX" mount-idmapped -m "$3" "$1" "$2"
}

misfit_mount() {
	mkdir -p "$2"
	must_work_but misfit "$SHIFTBOX" mount-idmapped -m "$3" "$1" "$2"
}

@test "mapped mounts are listed with their maps, others are not" {
	need root
	need kernel 6.15
	mkdir d plain
	map_mount d one +100000
	misfit_mount d two 'u:5:7:1;g:9:11:2'
	mount --bind d plain
	list "$SCRATCH"
	must_equal "$(rows)" "one 0:100000:65536
two u:5:7:1,g:9:11:2"
	list --json "$SCRATCH/two"
	must_equal "$(jq -r .words <<<"$output")" \
		"users: disk 5 is seen as 7; groups: disk 9-10 is seen as 11-12"
}

@test "a map of many extents is cut on a terminal only, and is one that -m accepts" {
	need root
	need kernel 6.15
	need prog script
	local map='0:100000:1,5:100005:1,7:100007:1,9:100009:1'
	mkdir d
	map_mount d one "$map"
	list "$SCRATCH"
	must_equal "$(rows)" "one $map"
	must_work script -qec "stty cols 200; '$SHIFTBOX' shift-check list '$SCRATCH'" /dev/null
	[[ $output == *"0:100000:1,5:100005:1,7:100007:1,... (4 extents)"* ]] || tell "not cut"
}

@test "a mount without the map of its fstab line is warned of" {
	need root
	local line other
	mkdir d one two three
	add_line /etc/fstab "$SCRATCH/d $SCRATCH/one shiftbox noauto,bind,map=user:root 0 0"
	add_line /etc/fstab "$SCRATCH/d $SCRATCH/two none noauto,bind,map=+100000 0 0"
	add_line /etc/fstab "$SCRATCH/d $SCRATCH/three shiftbox noauto,map=+100000 0 0"
	line=$(grep -n "$SCRATCH/one" /etc/fstab | cut -d: -f1)
	list # nothing is mounted
	mount "$SCRATCH/one"
	mount "$SCRATCH/two"
	map_mount d three +100000
	capture "$SHIFTBOX" shift-check list
	must_equal "$status" 0
	stderr_has "warning: '$SCRATCH/one': /etc/fstab, line $line, specifies a map" ... \
		"(noauto,bind,map=user:root), but the mount has none" ... "without bind"
	stderr_has "warning: '$SCRATCH/two': " ... "with the type shiftbox"
	[[ $stderr != *"$SCRATCH/three"* ]] || tell "it has its map"
	capture "$SHIFTBOX" shift-check --json list "$SCRATCH/two"
	other=$(jq -r .message.what <<<"$stderr")
	[[ $other == *"$SCRATCH/two"*"specifies a map"* ]] || tell "no warning as JSON"
	[[ $stderr != *"$SCRATCH/one"* ]] || tell "it is not below the path"
}

@test "a path limits the list to what is mounted there and below, or to the mount it is on" {
	need root
	need kernel 6.15
	mkdir -p d/sub d/deep e
	map_mount d one +100000
	map_mount e one/sub +200000
	map_mount d other +300000
	list one
	must_equal "$(tail -n +2 <<<"$output" | cut -d' ' -f1)" "$SCRATCH/one
\`-$SCRATCH/one/sub"
	list one/sub
	must_equal "$(rows | cut -d' ' -f1)" "one/sub"
	list other/deep
	must_equal "$(rows | cut -d' ' -f1)" "other"
	list d
	must_equal "$output" "no ID-mapped mounts"
	list -q d
	must_equal "$output" ""
	must_fail 1 "cannot find it" "$SHIFTBOX" shift-check list nowhere
}

@test "mounts below others are a tree, whatever their names sort like" {
	need root
	need kernel 6.15
	mkdir -p d/a/b d/c d/a-b m other
	map_mount d m +100000
	map_mount d m/c +200000
	map_mount d m/a-b +200000
	map_mount d m/a/b +200000
	map_mount d m/a/b/c +300000
	map_mount d m/a/b/a +300000
	map_mount d other +100000
	list "$SCRATCH"
	must_equal "$(tail -n +2 <<<"$output" | sed "s|$SCRATCH/||; s|  *shiftbox.*||")" 'm
|-m/a/b
| |-m/a/b/a
| `-m/a/b/c
|-m/a-b
`-m/c
other'
	list --json "$SCRATCH"
	must_equal "$(jq -r .target <<<"$output" | grep -c "^$SCRATCH")" 7
}

@test "JSON has the map that reads back, the source and its directory" {
	need root
	need kernel 6.15
	mkdir d
	misfit_mount d $'odd\nname' 'u:5:7:1;g:9:11:2'
	list --json "$SCRATCH"
	must_equal "$(jq -c '[.target, .source, .root, .kind, .map_from, .map,
		.fstype]' <<<"$output")" \
		"[\"$SCRATCH/odd\\nname\",\"shiftbox-test\",\"/d\",\"mount\",\"kernel\",\
\"u:5:7:1;g:9:11:2\",\"tmpfs\"]"
	list "$SCRATCH"
	[[ $output == *'odd\nname'* ]] || tell "the newline is not escaped"
}

@test "before statmount the map is inferred from owners, and labelled so" {
	need root
	mkdir d
	touch d/a d/b d/c d/gone
	chown 5:6 d/a
	chown 1000:1000 d/b
	chown 4000:33 d/c
	map_mount d one '0:100000:2000'
	capture "$NOSYS" $OLD "$SHIFTBOX" shift-check list "$SCRATCH"
	must_equal "$(rows)" "one 0:100000:1001 (inferred from 5 files)"
	capture "$NOSYS" $OLD "$SHIFTBOX" shift-check list --json "$SCRATCH"
	must_equal "$(jq -c '[.map_from, .map, .samples]' <<<"$output")" \
		'["inferred","b:0:100000:1001",5]'
	# The directory itself is not reachable any more: nothing to compare with.
	mkdir over
	mount --move one over 2>/dev/null || mount --bind one over
	mount -t tmpfs cover "$SCRATCH/d"
	capture "$NOSYS" $OLD "$SHIFTBOX" shift-check list over
	[ "$status" = 0 ] || tell "it failed"
}

@test "an inferred map has a range for each shift, and none over what is unmapped" {
	need root
	local i
	mkdir d
	for i in 1 2 3 10 11 12 20; do
		touch "d/$i"
		chown "$i:$i" "d/$i"
	done
	map_mount d one '0:100000:4 10:5010:2 20:100020:1'
	capture "$NOSYS" $OLD "$SHIFTBOX" shift-check list --json "$SCRATCH"
	must_equal "$(jq -r .map <<<"$output")" "b:0:100000:4;b:10:5010:2;b:20:100020:1"
}

@test "overlays: what the names of their layers tell, and what nothing tells" {
	need root
	need kernel 6.15
	mkdir a b known own plain
	map_mount a mapped +100000
	mount -t overlay -o "lowerdir=$SCRATCH/mapped:$SCRATCH/b" ovl known
	mount -t overlay -o "lowerdir=$SCRATCH/a:$SCRATCH/b" ovl plain
	must_work "$SHIFTBOX" mount-idmapped -m +100000 \
		-o "lower=$SCRATCH/a,lower=$SCRATCH/b" overlay own
	mount -t tmpfs none /run/shiftbox # else the record tells
	list "$SCRATCH"
	umount /run/shiftbox
	must_equal "$(rows | sort)" "known layers: 0:100000:65536
mapped 0:100000:65536
own layers: not known (the kernel does not show those of an overlay)"
	list --json known
	must_equal "$(jq -c '[.kind, .map_from, .map]' <<<"$output")" \
		'["overlay","layers","b:0:100000:65536"]'
}

@test "other mount namespaces are looked into, each once" {
	need root
	need kernel 6.15
	local pid other
	mkdir d m
	# shellcheck disable=SC2016
	unshare -m --propagation private sh -c '"$SHIFTBOX" mount-idmapped -m +100000 d m &&
		echo ready >ready && exec sleep 60' &
	pid=$!
	for _ in $(seq 1200); do
		[ -s ready ] && break
		sleep 0.05
	done
	list
	[[ $output != *"$SCRATCH/m"* ]] || tell "the other namespace's mount shows here"
	capture "$SHIFTBOX" shift-check list --all-namespaces --json
	other=$(jq -c "select(.target == \"$SCRATCH/m\") | [.map, .namespace]" <<<"$output")
	must_equal "$other" "[\"b:0:100000:65536\",$(stat -Lc %i "/proc/$pid/ns/mnt")]"
	kill "$pid"
	wait "$pid" || true
}

@test "before statmount, maps of other namespaces are inferred from mounts there or here" {
	need root
	local pid pids=() map
	mkdir d m moved
	touch d/a d/b
	chown 5:6 d/a
	chown 1000:1000 d/b
	unshare -m --propagation private \
		sh -c '"$SHIFTBOX" mount-idmapped -m +100000 d m && touch ready1 && exec sleep 60' &
	pids+=($!)
	# Where the directory itself is covered, the caller's view of it does.
	unshare -m --propagation private sh -c '"$SHIFTBOX" mount-idmapped -m +200000 d m &&
		mount -t tmpfs over /mnt && mkdir /mnt/moved &&
		mount --move m /mnt/moved && touch ready2 && mount -t tmpfs cover . &&
		exec sleep 60' &
	pids+=($!)
	for _ in $(seq 1200); do
		[ -e ready1 ] && [ -e ready2 ] && break
		sleep 0.05
	done
	capture "$NOSYS" $OLD "$SHIFTBOX" shift-check list --all-namespaces --json
	for pid in "${pids[@]}"; do
		map=$(jq -c --argjson ns "$(stat -Lc %i "/proc/$pid/ns/mnt")" \
			'select(.namespace == $ns) | [.target, .map_from, .map, .samples]' \
			<<<"$output")
		kill "$pid"
		wait "$pid" || true
		[ "$pid" = "${pids[0]}" ] && must_equal "$map" \
			"[\"$SCRATCH/m\",\"inferred\",\"b:0:100000:1001\",3]"
		[ "$pid" = "${pids[0]}" ] || must_equal "$map" \
			'["/mnt/moved","inferred","b:0:200000:1001",3]'
	done
}

@test "a namespace that cannot be read is counted and the rest is listed" {
	need root
	need kernel 6.15
	need prog setpriv
	mkdir d
	map_mount d one +100000
	unshare -m sleep 60 3>&- &
	while [ "$(readlink /proc/$!/ns/mnt)" = "$(readlink /proc/self/ns/mnt)" ]; do
		sleep 0.05
	done
	# statmount(2) of another namespace takes CAP_SYS_ADMIN over it.
	capture setpriv --bounding-set -sys_admin --inh-caps -sys_admin \
		"$SHIFTBOX" shift-check list --all-namespaces
	kill $!
	[ "$status" = 0 ] || tell "it failed"
	[[ $output == *"$SCRATCH/one"* ]] || tell "the own namespace is not listed"
	[[ $stderr == *"could not be examined"* ]] || tell "nothing was said"
}

@test "a process that root may not look into is counted, and named under -v" {
	need kernel 6.15
	capture setpriv --bounding-set=-sys_ptrace "$SHIFTBOX" shift-check list --all-namespaces -v
	must_equal "$status" 0
	stderr_has "process $$ and its mount namespace cannot be looked into: Permission denied" \
		... "could not be examined"
	capture "$NOSYS" $OLD "$SHIFTBOX" shift-check list --all-namespaces -v
	must_equal "$status" 0
	[[ $stderr == *"this kernel does not return maps: "* ]] || tell "not said"
	capture "$SHIFTBOX" shift-check list --all-namespaces -v
	[[ $stderr != *"does not return maps"* ]] || tell "said for nothing"
}

@test "an ordinary user sees the maps of its own namespace, and is told of closed ones" {
	need root
	need kernel 6.15
	make_user alice 2001 300000 65536
	mkdir d
	chmod 700 "$SCRATCH"
	map_mount d one +300000
	chmod 711 "$SCRATCH"
	must_work as_user alice "$SHIFTBOX" shift-check list
	[[ $(rows) == *"one 0:300000:65536"* ]] || tell "not listed"
	capture as_user alice "$SHIFTBOX" shift-check list --all-namespaces
	[ "$status" = 0 ] || tell "it failed"
	[[ $stderr == *"could not be examined"* ]] ||
		tell "nothing was said of closed namespaces"
}

@test "in a user namespace, a mount of its own is listed" {
	need userns
	need kernel 6.15
	mkdir -p m
	# shellcheck disable=SC2016
	must_work in_userns sh -c 'mount -t tmpfs x m && mkdir m/d m/t &&
		"$SHIFTBOX" mount-idmapped -q -m 0:0:1 m/d m/t &&
		exec "$SHIFTBOX" shift-check list m/t'
	[[ $output == *"  0:0:1"* ]] || tell "not listed"
}
