# SPDX-License-Identifier: LGPL-2.1-or-later
# The demo shows what it says, with ids that belong to nobody on this machine.

load lib
need root
need kernel 6.3 # it works in a tmpfs
need prog python3 strace getfattr getfacl

@test "the demo uses ids that no user has, and leaves nothing" {
	make_user alice 2001 100000 65536
	make_user bob 2002 165536 65536
	printf 'carol:231072:70000' >>/etc/subgid # a last line without its end
	cp /etc/subuid before
	must_work env SHIFTBOX="$SHIFTBOX" NO_COLOR=1 "$TESTS/demo/demo.sh"
	output_has "3 layers, calls of the chown family: 0" ... \
		"alice is given 301072-366607, bob 366608-432143" ... \
		"bob sees        remark" ... "directory (755): 1 entry" ... \
		"bob sees        content" ... \
		"checked, no findings" ... "mounts left: 0" ... "Nothing was chowned."
	cmp before /etc/subuid
}
