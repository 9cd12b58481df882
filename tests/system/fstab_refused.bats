# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2154
# Lines that are refused for what other users could do are listed before they fail: by
# mount-idmapped -a -n and shift-check host.

load lib
unset LIBMOUNT_FORCE_MOUNT2 # mount(8) as users have it

need root
need kernel 5.19
need prog jq

test_setup() {
	make_user alice 2001 700000 65536
	chmod 755 "$SCRATCH"
	mkdir open t1 t2 t3 t4 t5 t6 t7
	mkdir -m 700 closed closed/layer closed/up
	as_user alice ln -s "$SCRATCH/closed" home-alice/link
	chmod 755 home-alice
}

lines() { # LINE...: the fstab, and /etc/fstab of this mount namespace
	printf '%s\n' "$@" >fstab
	mount --bind fstab /etc/fstab
}

test_teardown() {
	umount /etc/fstab || true
}

# What shift-check host has in its list: TARGET and the first words of why.
listed() {
	must_work "$SHIFTBOX" shift-check host --json
	echo "$output" >host.json
	jq -r 'select(.section == "fstab") | "\(.name | sub(".*/"; "")) \(.answer)"' host.json
}

@test "links of other users in any path of a line, and maps that give root's ids away" {
	local link=$SCRATCH/home-alice/link text
	lines "$link $SCRATCH/t1 shiftbox map=5:6:1 0 0" \
		"$SCRATCH/open $SCRATCH/t2 shiftbox noauto,map=+100000 0 0" \
		"overlay $SCRATCH/t3 shiftbox lower=$link/layer,map=+100000,nosuid 0 0" \
		"overlay $SCRATCH/t4 shiftbox \
lower=$SCRATCH/closed/layer,upper=$link/up/u,map=+100000,nosuid 0 0" \
		"$SCRATCH/closed/layer $SCRATCH/home-alice/link/up shiftbox map=5:6:1 0 0" \
		"$SCRATCH/closed/layer $SCRATCH/t6 shiftbox map=+100000 0 0" \
		"$SCRATCH/open $SCRATCH/t7 shiftbox public,map=+100000 0 0"
	must_equal "$(listed | xargs)" "t1 no t2 no t3 no t4 no up no"
	jq -r 'select(.section == "fstab") | .detail' host.json >details
	text="the symbolic link 'link' on the way is not followed (it belongs to user 2001.*"
	must_equal "$(grep -c "$text; try: specify its target" details)" 4
	text="disk id 0 where other users can reach it .*; try: .*chmod 0700.*the option public"
	must_equal "$(grep -c "$text" details)" 1
	must_work "$SHIFTBOX" shift-check host
	[[ $output == *"REFUSED LINES OF /etc/fstab"* ]]

	must_fail 1 'lines that would be refused: 4' "$SHIFTBOX" mount-idmapped -a -n
	[[ $stderr == *", '$SCRATCH/t1': "*"try: specify its target"* &&
		$stderr == *"/t4': "* ]] || tell "not all"
	[[ $output == *"attach it at '$SCRATCH/t6'"* && $output == *"attach it at '$SCRATCH/t7'"* &&
		$output != *"$SCRATCH/t1"* ]] || tell "not the others"
	# The same lines fail when they are mounted.
	for n in t1 t2 t4 home-alice/link/up; do
		must_fail 1 '' "$SHIFTBOX" mount-idmapped "$SCRATCH/$n"
		[[ $stderr == *'is not followed'* || $stderr == *'other users can reach it'* ]] ||
			tell "$n"
	done
	must_work "$SHIFTBOX" mount-idmapped "$SCRATCH/t6"
	must_work "$SHIFTBOX" mount-idmapped "$SCRATCH/t7"
	umount t6 t7
}

@test "a table without such lines, no table, or an unreadable one adds nothing to the survey" {
	lines "$SCRATCH/closed/layer $SCRATCH/t6 shiftbox map=+100000 0 0" \
		"/none /none shiftbox map=+100000 0 0" "$SCRATCH/open $SCRATCH/t1 none bind 0 0"
	must_equal "$(listed)" ""
	must_work "$SHIFTBOX" shift-check host
	[[ $output != *fstab* ]] || tell "there is a list"
	umount /etc/fstab
	lines 'is not a valid line of an fstab'
	must_equal "$(listed)" ""
}
