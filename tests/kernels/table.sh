# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# The lines of an fstab.

table() {
	sample s
	mkdir v
	printf '%s\n' "$PWD/s $PWD/t shiftbox map=0:1001:1,nosuid 0 0" \
		"$PWD/s $PWD/u none bind,X-mount.idmap=33:2002:1 0 0" \
		"overlay $PWD/v shiftbox lower=$PWD/s,map=33:3003:1 0 0" >fstab
	warns "2 lines have a map that does not suit what they show" $MI -a -T fstab
	same "$(owner t) $(owner u/file) $(owner v/file)" "1001:1001 2002:65534 3003:65534"
	same "$(mounts)" 3
	works $MI -a -T fstab
	same "$(mounts)" 3
	sed -i s/1001/1002/ fstab
	refused "with another map" $MI -a -T fstab
	works $MI -a -u -T fstab
	same "$(mounts)" 0
	echo "$PWD/none $PWD/t/dir shiftbox map=0:1:1 0 0" >>fstab
	refused "cannot open the source" $MI -a -T fstab
	same "$(mounts)" 0
}
check "the lines of an fstab, twice, changed, unmounted, and all or none" table

many_lines() {
	sample s
	i=0
	while [ $i -lt 200 ]; do
		mkdir t/$i
		echo "$PWD/s $PWD/t/$i shiftbox map=0:$((1000 + i % 4)):1 0 0"
		i=$((i + 1))
	done >fstab
	$MI -v -a -T fstab >out 2>err
	said "user namespaces made: 4"
	same "$(mounts) $(owner t/7)" "200 1003:1003"
	works $MI -a -u -T fstab
}
check "200 lines over 4 maps make 4 user namespaces" many_lines
