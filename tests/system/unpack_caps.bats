#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# --caps: for which roots file capabilities take effect, as the kernel decides it when a program is
# run.

load lib
need root
need prog python3 busybox getfattr nsenter setpriv

# Capabilities of NET_RAW, permitted and effective: version 2, and version 3 for the root 0, 1000
# and 70000.
NET_RAW=0000000000002000
layers() {
	local v2=0100000200200000000000000000000000000000 \
		v3=0100000300200000000000000000000000000000 \
		busybox='{"copy": "/bin/busybox", "mode": "755",'
	cat <<-END
		[{"files": {
			"v2": $busybox "xattrs": {"security.capability": "$v2"}},
			"of0": $busybox "xattrs": {"security.capability": "${v3}00000000"}},
			"of1000": $busybox "xattrs": {"security.capability": "${v3}e8030000"}},
			"far": $busybox "xattrs": {"security.capability": "${v3}70110100"}},
			"none": {"copy": "/bin/busybox", "mode": "755"}}},
		 {"files": {"plain": "1"}}]
	END
}

test_setup() {
	"$TESTS/fixtures/mkimage.py" dir <<<"{\"layers\": $(layers)}"
	chmod 711 . # bash looks programs up by their whole path
	mkdir keep rebase
	mkdir -m 700 shut
	must_work "$SHIFTBOX" image-unpack -q -s store -N keep dir
	must_work "$SHIFTBOX" image-unpack -q -s store -N rebase --caps=rebase dir
	# The capabilities that are kept name a root that the map does not have.
	must_work_but misfit "$SHIFTBOX" mount-idmapped -s store -m +100000:65536 \
		-o ro,public image:keep keep
	must_work "$SHIFTBOX" mount-idmapped -s store -m +100000:65536 -o ro,public \
		image:rebase rebase
}

# effective BASE DIR: the programs of DIR that have the capability, run by user 5 of a namespace
# whose root is BASE
effective() {
	# shellcheck disable=SC2016 # for the inner shell
	"$TESTS/fixtures/in-range" "$1" "$2" setpriv --reuid 5 --regid 5 --clear-groups bash -c '
		for program in *; do
			[ -x $program ] || continue
			(exec -a grep ./$program -q "^CapEff:.*'$NET_RAW'$" /proc/self/status) &&
				echo $program
		done; true' | sort | paste -sd' '
}

@test "in the container: keep gives what is its root's, rebase gives all" {
	must_equal "$(effective 100000 keep)" "of0 v2"
	must_equal "$(effective 100000 rebase)" "far of0 of1000 v2"
}

@test "under another root: keep gives what is that root's, rebase nothing" {
	must_equal "$(effective 101000 keep)" "of1000"
	must_equal "$(effective 101000 rebase)" ""
	must_equal "$(effective 300000 keep)" ""
	must_equal "$(effective 300000 rebase)" ""
}

@test "what the attribute shows: an id that the map does not have cannot be told" {
	cap() {
		getfattr --absolute-names --only-values -n security.capability "$1" |
			od -An -tx1 | tr -d ' \n'
	}
	must_equal "$(cap keep/v2)" 0100000300200000000000000000000000000000a0860100
	must_equal "$(cap keep/of1000)" 0100000300200000000000000000000000000000888a0100
	must_fail 1 "Value too large" getfattr -n security.capability keep/far
	must_fail 126 "Value too large" "$TESTS/fixtures/in-range" 100000 keep \
		bash -c 'exec ./far true'
	for file in v2 of0 of1000 far; do
		must_equal "$(cap rebase/$file)" 0100000300200000000000000000000000000000a0860100
	done
	must_fail 1 "No such attribute" getfattr -n security.capability rebase/none
}

@test "a layer with such capabilities is stored for each way, any other once" {
	must_equal "$(find store/layers -mindepth 1 -maxdepth 1 -xtype d | wc -l)" 3
	must_equal "$(head -n1 store/images/keep/layers)" "$(head -n1 store/images/rebase/layers)"
	must_work "$SHIFTBOX" image-unpack -s store -N k2 --caps=keep dir
	[[ $output == *"(0 unpacked, 2 shared)"* ]]
	must_work "$SHIFTBOX" image-unpack -s store -N r2 --caps=rebase dir
	[[ $output == *"(0 unpacked, 2 shared)"* ]]
	cmp store/images/keep/layers store/images/k2/layers
	cmp store/images/rebase/layers store/images/r2/layers
	must_fail 2 "" "$SHIFTBOX" image-unpack -s store --caps=drop dir
}

@test "--flat does it, too" {
	must_work "$SHIFTBOX" image-unpack -q --flat shut/tree --caps=rebase dir
	must_equal "$(getfattr --only-values -n security.capability shut/tree/far | od -An -tx1 |
		tr -d ' \n')" 0100000200200000000000000000000000000000
}
