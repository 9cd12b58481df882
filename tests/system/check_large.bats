#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shift-check verify in a large tree: the few faults in it are found, nothing else is, in little
# memory.

load lib
need root
need kernel 6.15
need prog setfacl setcap python3 mtree

ENTRIES=200000
FILE=some-file-name-50.txt

make_trees() {
	local d
	for d in raw copy; do
		python3 "$TESTS/fixtures/many_files.py" $ENTRIES $d
		chown 100005 $d/directory-3/package-1/$FILE
		chown :70000 $d/directory-40/package-2/$FILE
		setfacl -m u:70001:r $d/directory-77/package-3/$FILE
		setcap cap_net_raw+ep $d/directory-123/package-4/$FILE
	done
	mkdir m
	must_work "$SHIFTBOX" mount-idmapped -m +100000:65536 copy m
}

# What the views of one tree cannot show, but two trees can.
make_differences() {
	setcap -n 7 cap_net_raw+ep copy/directory-123/package-4/$FILE
	rm copy/directory-150/package-5/$FILE
	touch copy/directory-150/package-6/one-more
	chmod 4644 copy/directory-151/package-7/$FILE
	rm copy/directory-180/package-8/$FILE
	mkfifo -m 644 copy/directory-180/package-8/$FILE
	chown --reference raw/directory-180/package-8/$FILE copy/directory-180/package-8/$FILE
}

# The findings, less the summary, are these lines in any order.
found() {
	[ "$status" = 3 ] || tell "the exit status is not 3"
	stderr_empty
	[ "$(sed '$d' <<<"$output" | sort)" = "$(sort <<<"$1")" ] ||
		tell "not the findings that were wanted: $1"
}

OWNERS="half-shifted: m/directory-3/package-1/$FILE: uid: disk 100005 is already shifted \
(the seen id of disk 5), seen 65534
unmapped: m/directory-40/package-2/$FILE: gid: disk 70000 has no mapping, seen 65534"
ACL="acl: m/directory-77/package-3/$FILE: ACL: user disk 70001 has no mapping"
DIFFERENCES="missing: m/directory-150/package-5/$FILE: disk regular file, owner 505:50
extra: m/directory-150/package-6/one-more: seen regular file, owner 100000:100000
mode: m/directory-151/package-7/$FILE: disk 0644, seen 4644
type: m/directory-180/package-8/$FILE: disk regular file, seen fifo"
CAPS="caps: m/directory-123/package-4/$FILE: root id: disk 0, seen 100007, expected 100000"

@test "in 200,000 entries each fault is found and nothing else, whatever it is compared with" {
	local spec
	make_trees
	capture "$SHIFTBOX" shift-check m
	found "$OWNERS
$ACL"
	must_equal "$(tail -n 1 <<<"$output")" \
		"$ENTRIES entries checked, 3 findings: 1 unmapped, 1 half-shifted, 1 acl"
	(cd raw && mtree -c -k type,mode,uid,gid) >relative.mtree
	mtree -C -f relative.mtree >whole.mtree
	make_differences
	capture "$SHIFTBOX" shift-check --source raw m
	found "$OWNERS
$ACL
$CAPS
$DIFFERENCES"
	# Specifications tell nothing of ACLs and capabilities. They are read in parts: libarchive
	# would need four times as much. The limit is one of memory that is written to: address
	# space that threads set aside costs nothing.
	for spec in relative whole; do
		capture prlimit --data=$((32 << 20)) "$SHIFTBOX" shift-check -j 2 \
			--spec $spec.mtree m
		found "$OWNERS
$DIFFERENCES"
	done
}
