#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# mount.shiftbox: lines of type shiftbox in an fstab, through mount(8) and umount(8) themselves.

load lib
unset LIBMOUNT_FORCE_MOUNT2 # mount(8) as users have it
need root
need prog mount umount findmnt

test_setup() {
	# mount(8) looks for helpers in /sbin alone: an overlay of it, in this mount namespace.
	mkdir helper upper work s t
	mount -t overlay overlay /sbin \
		-o "lowerdir=/sbin,upperdir=$SCRATCH/upper,workdir=$SCRATCH/work"
	ln -s "$SHIFTBOX" /sbin/mount.shiftbox
	touch s/file
}

test_teardown() {
	umount -l /sbin
}

@test "mount -a mounts a line with its map, and umount takes it away" {
	echo "$SCRATCH/s $SCRATCH/t shiftbox \
map=0:1001:1,nosuid,nodev,nofail,_netdev,x-systemd.automount 0 0" >fstab
	must_work mount -T "$SCRATCH/fstab" -a
	must_equal "$(owner t/file)" 1001:1001
	[[ $(findmnt -no OPTIONS -M t) = *nosuid*nodev* ]]
	must_work umount t
	[ -z "$(ls t)" ]
	must_equal "$(owner s/file)" 0:0
}

@test "names with blanks and commas arrive as the fstab says" {
	mkdir 'a, b' 'c d'
	touch 'a, b/file'
	printf '%s\n' "$SCRATCH/a,\\040b $SCRATCH/c\\040d shiftbox map=0:1001:1 0 0" >fstab
	must_work mount -T "$SCRATCH/fstab" "$SCRATCH/c d"
	must_equal "$(owner 'c d/file')" 1001:1001
	must_work umount "$SCRATCH/c d"
}

@test "what mount(8) asks and is not supported is refused, not ignored" {
	must_fail 1 "unknown option 'nonsense'" mount -t shiftbox -o map=0:1001:1,nonsense s t
	must_fail 1 'cannot be changed in place' mount -t shiftbox -o remount,ro,map=0:1001:1 s t
	must_fail 1 'started by mount(8)' /sbin/mount.shiftbox onlyone
	[ -z "$(ls t)" ]
}

@test "mount.shiftbox says what it is for, and no word of it is for mount-idmapped alone" {
	must_work /sbin/mount.shiftbox --help
	output_has "Usage: mount.shiftbox SOURCE TARGET [-fnsv]" ... "starts this program"
	# -m of mount(8) is --mkdir.
	capture mount -t shiftbox "$SCRATCH/s" "$SCRATCH/t"
	stderr_has "no map is given" ... "(-o map=MAP; -o map=none if that is meant)"
	umount t
	capture mount -t shiftbox -o map=rest "$SCRATCH/s" "$SCRATCH/t"
	stderr_has "the map moves no id" ... "-o map=none if that is meant)"
	umount t
}

@test "mount -s ignores options that are not known" {
	must_work mount -s -t shiftbox -o map=0:1001:1,nonsense,X-nonsense,no=x "$SCRATCH/s" \
		"$SCRATCH/t"
	must_equal "$(owner t/file)" 1001:1001
	must_work umount t
	must_fail 1 'is not a valid map' mount -s -t shiftbox -o map=nonsense s t
	need loop
	truncate -s 16M image && PATH=$PATH:/usr/sbin mkfs.ext4 -q image
	must_fail 32 "cannot set the option 'nonsense'" mount -t shiftbox \
		-o loop,map=0:1001:1,nonsense "$SCRATCH/image" "$SCRATCH/t"
	must_work mount -s -t shiftbox -o loop,map=0:1001:1,nonsense "$SCRATCH/image" "$SCRATCH/t"
	must_equal "$(owner t)" 1001:1001
	must_work umount t
}

@test "flags of mount(2) that are no options of a driver are taken and ignored" {
	need loop
	local word
	truncate -s 16M image && PATH=$PATH:/usr/sbin mkfs.ext4 -q image
	for word in silent loud iversion noiversion; do
		must_work mount -t shiftbox -o "loop,map=0:1001:1,$word" "$SCRATCH/image" \
			"$SCRATCH/t"
		must_equal "$word $(owner t)" "$word 1001:1001"
		must_work umount t
		must_work "$SHIFTBOX" mount-idmapped -m 0:1001:1 -o "$word" s t
		must_work umount t
	done
}

@test "the exit status is one of mount(8)" {
	mkdir u
	must_fail 32 'cannot open the source' mount -t shiftbox -o map=0:1:1 "$SCRATCH/no" t
	must_fail 32 '' mount -t shiftbox -o map=0:1:1 "$SCRATCH/s" "$SCRATCH/no"
	must_fail 32 'there is no user' mount -t shiftbox -o map=u:nobody-here:1:1 s t
	must_fail 32 '' inject mount_setattr:EINVAL:1 /sbin/mount.shiftbox s t -o map=0:1:1
	must_fail 1 'not a valid map' mount -t shiftbox -o map=nonsense s t
	printf '%s\n' "$SCRATCH/s $SCRATCH/t shiftbox map=0:1:1 0 0" \
		"$SCRATCH/no $SCRATCH/u shiftbox map=0:1:1 0 0" >fstab
	must_fail 64 'cannot open the source' mount -a -T "$SCRATCH/fstab"
	must_fail 32 'cannot open the source' mount -T "$SCRATCH/fstab" "$SCRATCH/u"
	umount t
	must_fail 1 'cannot open the source' "$SHIFTBOX" mount-idmapped -a -T fstab
}

@test "with nofail, a source that is missing is no failure" {
	local line
	mkdir -m 700 store layer
	for line in "$SCRATCH/no $SCRATCH/t shiftbox map=+5,nofail 0 0" \
		"$SCRATCH/s/file/x $SCRATCH/t shiftbox nofail,map=+5 0 0" \
		"/dev/none $SCRATCH/t shiftbox nofail,map=+5 0 0" \
		"UUID=none-such $SCRATCH/t shiftbox nofail,map=+5 0 0" \
		"overlay $SCRATCH/t shiftbox nofail,lower=$PWD/layer,lower=$PWD/no,map=+5 0 0" \
		"image:no $SCRATCH/t shiftbox nofail,store=$SCRATCH/store,map=+5 0 0" \
		"image:no $SCRATCH/t shiftbox nofail,store=$SCRATCH/no,map=+5 0 0"; do
		echo "$line" >fstab
		must_work mount -a -T "$SCRATCH/fstab"
		must_equal "$line: $output" "$line: "
		sed 's/nofail,\?//' -i fstab
		capture mount -a -T "$SCRATCH/fstab"
		must_equal "$line: $status" "$line: 32"
	done
	# Other failures count.
	echo "$SCRATCH/s $SCRATCH/no shiftbox nofail,map=+5 0 0" >fstab
	must_fail 32 '' mount -a -T "$SCRATCH/fstab"
	echo "$SCRATCH/s $SCRATCH/t shiftbox nofail,map=u:nobody-here:1:1 0 0" >fstab
	must_fail 32 'there is no user' mount -a -T "$SCRATCH/fstab"
}

@test "an error through mount(8) names the file, the line and the target" {
	printf '%s\n' '# remark' '' bug "$SCRATCH/s / none bind,noauto 0 0" ' # remark' \
		"$SCRATCH/no $SCRATCH/t shiftbox map=0:1:1 0 0" >fstab
	must_fail 32 "$SCRATCH/fstab, line 6, '$SCRATCH/t': '$SCRATCH/no': cannot open" \
		mount -a -T "$SCRATCH/fstab"
	must_fail 32 "$SCRATCH/fstab, line 6, '$SCRATCH/t': '$SCRATCH/no': cannot open" \
		mount -T "$SCRATCH/fstab" "$SCRATCH/t"
	export LIBMOUNT_FSTAB=$SCRATCH/fstab
	sed -i 's/map=0:1:1/nonsense/' fstab
	must_fail 1 "$SCRATCH/fstab, line 6, '$SCRATCH/t': unknown option" \
		mount "$SCRATCH/s" "$SCRATCH/t" -t shiftbox -o nonsense ||
		must_fail 32 "$SCRATCH/fstab, line 6, '$SCRATCH/t': '$SCRATCH/no': cannot open" \
			mount "$SCRATCH/s" "$SCRATCH/t" -t shiftbox -o nonsense
}

@test "mount -f changes nothing" {
	must_work mount -f -t shiftbox -o map=0:1001:1 "$SCRATCH/s" "$SCRATCH/t"
	[ -z "$(ls t)" ]
}

@test "mount -a twice mounts nothing twice, and says so when asked" {
	printf '%s\n' "$SCRATCH/s $SCRATCH/t shiftbox map=0:1001:1,nosuid 0 0" >fstab
	must_work mount -T "$SCRATCH/fstab" -a
	must_work mount -T "$SCRATCH/fstab" -a
	must_equal "$(grep -c " $SCRATCH/t " /proc/self/mountinfo)" 1
	capture mount -v -T "$SCRATCH/fstab" -a
	must_equal "$status" 0
	[[ $stderr == *"'$SCRATCH/t': mounted already, as it should be"* ]]
	# What mount(8) mounted is ours to know, and the other way round.
	must_work "$SHIFTBOX" mount-idmapped -a -u -T fstab
	must_equal "$(grep -c " $SCRATCH/t " /proc/self/mountinfo)" 0
}

@test "mount -a refuses a line whose map has changed" {
	printf '%s\n' "$SCRATCH/s $SCRATCH/t shiftbox map=0:1001:1 0 0" >fstab
	must_work mount -T "$SCRATCH/fstab" -a
	sed -i s/1001/1002/ fstab
	capture mount -T "$SCRATCH/fstab" -a
	[ "$status" != 0 ]
	[[ $stderr == *'there: disk 0 is seen as 1001; wanted: disk 0 is seen as 1002'* ]]
	must_equal "$(owner t/file)" 1001:1001
}

@test "mount TARGET, findmnt and umount TARGET know the line" {
	printf '%s\n' "$SCRATCH/s $SCRATCH/t shiftbox noauto,map=0:1001:1 0 0" >fstab
	must_work mount -T "$SCRATCH/fstab" -a
	[ -z "$(ls t)" ]
	must_work mount -T "$SCRATCH/fstab" "$SCRATCH/t"
	must_work findmnt -no TARGET,VFS-OPTIONS "$SCRATCH/t"
	[[ $output == "$SCRATCH/t"*idmapped* ]]
	must_work umount "$SCRATCH/t"
	[ -z "$(ls t)" ]
}

@test "a comma in an option is an escaped escape" {
	mkdir 'l,1'
	touch 'l,1/in-layer'
	printf '%s\n' "overlay $SCRATCH/t shiftbox \
lower=$SCRATCH/l\\134054\\061,lower=$SCRATCH/s,map=0:1001:1 0 0" >fstab
	must_work mount -T "$SCRATCH/fstab" -a
	must_equal "$(owner t/in-layer)" 1001:1001
	must_work umount t
}

# The values of a unit's [Mount] section, as systemd gives them to mount(8).
unit_value() {
	sed -n "s/^$2=//p" "$1"
}

@test "what systemd makes of such lines, and then runs, works" {
	local generator=/usr/lib/systemd/system-generators/systemd-fstab-generator unit
	[ -x "$generator" ] || skip "needs systemd-fstab-generator"
	mkdir normal early late 'my t' b c
	mkdir -m 700 private
	printf '%s\n' "$SCRATCH/s $SCRATCH/my\\040t shiftbox \
map=0:1001:1,nofail,x-systemd.requires-mounts-for=/srv 0 0" \
		"overlay $SCRATCH/t shiftbox \
lower=$SCRATCH/s,lower=$SCRATCH/b,upper=$SCRATCH/private/up,map=+100000 0 0" \
		"$SCRATCH/s $SCRATCH/c shiftbox noauto,recursive,ro,map=0:1003:1 0 0" >fstab
	must_work env SYSTEMD_FSTAB="$SCRATCH/fstab" "$generator" normal early late
	must_equal "$(ls normal/*.mount | wc -l)" 3
	# What may fail is wanted, the other required, and what is not automatic is neither.
	must_equal "$(cd normal/local-fs.target.requires && echo *shiftbox*)" \
		"$(systemd-escape -p --suffix=mount "$SCRATCH/t")"
	must_equal "$(cd normal/local-fs.target.wants && echo *shiftbox*)" \
		"$(systemd-escape -p --suffix=mount "$SCRATCH/my t")"
	# systemd.mount(5): mount WHAT WHERE -t TYPE -o OPTIONS, and umount WHERE -c
	for unit in normal/*.mount; do
		must_work mount "$(unit_value "$unit" What)" "$(unit_value "$unit" Where)" \
			-t "$(unit_value "$unit" Type)" \
			-o "$(unit_value "$unit" Options)"
	done
	must_equal "$(owner 'my t/file') $(owner t/file) $(owner c/file)" \
		"1001:1001 100000:100000 1003:1003"
	for unit in normal/*.mount; do
		must_work umount "$(unit_value "$unit" Where)" -c
	done
	must_equal "$(grep -c " $SCRATCH/[^/]* .*idmapped\| $SCRATCH/t " /proc/self/mountinfo)" 0
}

@test "recursive and flags reach the helper through mount(8)" {
	mkdir s/below && mount -t tmpfs none s/below && touch s/below/file
	printf '%s\n' "$SCRATCH/s $SCRATCH/t shiftbox recursive,ro,nosuid,map=0:1001:1 0 0" >fstab
	must_work mount -T "$SCRATCH/fstab" "$SCRATCH/t"
	must_equal "$(owner t/below/file)" 1001:1001
	must_equal "$(grep -c " $SCRATCH/t.* ro,nosuid,.*idmapped" /proc/self/mountinfo)" 2
	must_work mount -T "$SCRATCH/fstab" -a
	must_equal "$(grep -c " $SCRATCH/t" /proc/self/mountinfo)" 2
	must_work umount -R "$SCRATCH/t"
}

# --- mount(8) has followed the links of SOURCE by the time it calls -------------------------------

# home/ is a user's, with links to closed/, which only root may enter; own/ has the same of root's.
links() {
	chmod 711 .
	mkdir -m 700 closed closed/a closed/b own
	touch closed/a/secret
	install -d -o 2001 home
	setpriv --reuid 2001 --clear-groups ln -s "$SCRATCH/closed/a" home/data
	setpriv --reuid 2001 --clear-groups ln -s "$SCRATCH/closed" home/up
	ln -s ../closed/a own/data
	export LIBMOUNT_FSTAB=$SCRATCH/fstab
}

# The three ways to a line: each must be refused and mount nothing.
three_ways() { # SOURCE TEXT
	local text=$2
	must_fail 32 "$text" mount "$SCRATCH/t"
	capture mount -a
	[ "$status" != 0 ] || tell "mount -a works"
	[[ $stderr == *"$text"* ]] || tell "mount -a does not say '$text'"
	# systemd.mount(5): mount WHAT WHERE -t TYPE -o OPTIONS
	must_fail 32 "$text" mount "$1" "$SCRATCH/t" -t shiftbox -o map=0:1001:1
	[ -z "$(ls t)" ]
}

@test "a line whose SOURCE leads through another user's link is refused by any way of mount(8)" {
	links
	local word
	for word in home/data home/up/a; do
		echo "$SCRATCH/$word $SCRATCH/t shiftbox map=0:1001:1 0 0" >fstab
		three_ways "$SCRATCH/$word" 'on the way is not followed'
		[[ $stderr == *"fstab, line "*'belongs to user 2001'* ]] ||
			tell "no reason"
	done
	# Written otherwise, the target is the same.
	ln -s t link
	for word in "$SCRATCH/t/" "$SCRATCH//./t" "$SCRATCH/link"; do
		echo "$SCRATCH/home/data $word shiftbox map=0:1001:1 0 0" >fstab
		must_fail 32 'is not followed' \
			mount "$SCRATCH/home/data" "$SCRATCH/t" -t shiftbox -o map=0:1001:1
	done
	[ -z "$(ls t)" ]
}

@test "a line whose SOURCE leads through root's links is mounted" {
	links
	echo "$SCRATCH/own/data $SCRATCH/t shiftbox map=0:1001:1 0 0" >fstab
	must_work mount "$SCRATCH/t"
	must_equal "$(owner t/secret)" 1001:1001
	must_work umount t
	must_work mount -a
	must_work mount -a
	must_equal "$(grep -c " $SCRATCH/t " /proc/self/mountinfo)" 1
	must_work umount t
	must_work mount "$SCRATCH/own/data" "$SCRATCH/t" -t shiftbox -o map=0:1001:1
	must_work umount t
	# The line before a bad one does not matter, nor that it is of another type.
	printf '%s\n' "nonsense" "$SCRATCH/home/up $SCRATCH/t none bind 0 0" \
		"$SCRATCH/own/data $SCRATCH/t shiftbox map=0:1001:1 0 0" >fstab
	must_work mount "$SCRATCH/own/data" "$SCRATCH/t" -t shiftbox -o map=0:1001:1
	must_work umount t
}

@test "what mount(8) was given must be what the line says" {
	links
	echo "$SCRATCH/closed/a $SCRATCH/t shiftbox map=0:1001:1 0 0" >fstab
	must_fail 32 "but mount(8) was given, or found, '$SCRATCH/closed/b'" \
		mount -t shiftbox -o map=0:1001:1 "$SCRATCH/closed/b" "$SCRATCH/t"
	# One of several lines.
	echo "$SCRATCH/closed/b $SCRATCH/t shiftbox noauto,map=0:1001:1 0 0" >>fstab
	must_work mount -t shiftbox -o map=0:1001:1 "$SCRATCH/closed/b" "$SCRATCH/t"
	must_work umount t
	# Without a line for the target it is as it was given.
	mkdir u
	must_work mount -t shiftbox -o map=0:1001:1 "$SCRATCH/closed/b" "$SCRATCH/u"
	must_work umount u
	rm fstab
	must_work mount -t shiftbox -o map=0:1001:1 "$SCRATCH/closed/b" "$SCRATCH/u"
	must_work umount u
}

@test "sources that are no paths, and files that mount(8) attaches itself" {
	need loop
	links
	echo "overlay $SCRATCH/t shiftbox \
lower=$SCRATCH/closed/a,lower=$SCRATCH/closed/b,nosuid,map=0:1001:1 0 0" >fstab
	must_work mount "$SCRATCH/t"
	must_work umount t
	truncate -s 32M closed/img
	PATH=$PATH:/usr/sbin:/sbin mkfs.ext4 -q -L shiftbox-line closed/img
	setpriv --reuid 2001 --clear-groups ln -s "$SCRATCH/closed/img" home/img
	ln -s ../closed/img own/img
	for word in closed/img own/img; do
		echo "$SCRATCH/$word $SCRATCH/t shiftbox loop,map=0:1001:1 0 0" >fstab
		must_work mount "$SCRATCH/t"
		must_equal "$(owner t)" 1001:1001
		must_work umount t
	done
	echo "$SCRATCH/home/img $SCRATCH/t shiftbox loop,map=0:1001:1 0 0" >fstab
	must_fail 32 'is not followed' mount "$SCRATCH/t"
	[ -z "$(ls t)" ]
}

# --- paths through links of others ----------------------------------------------------------------

# A directory of alice's, with a link "data" to root's closed directory, and as t what lies at
# TARGET.
alice_has() { # COMMAND...: makes home-alice/t
	make_user alice 2001 700000 65536
	chmod 755 home-alice
	mkdir -m 700 closed
	mkdir closed/tree elsewhere
	echo secret >closed/tree/file
	as_user alice ln -s "$SCRATCH/closed/tree" home-alice/data
	as_user alice "$@"
}

nothing_is_mounted() {
	must_equal "$(grep -c " $SCRATCH/[^ ]* .*idmapped" /proc/self/mountinfo)" 0
}

@test "a source that leads through another user's link is refused, whatever the target is now" {
	local line="$SCRATCH/home-alice/data $SCRATCH/home-alice/t shiftbox map=0:2001:1 0 0"
	alice_has mkdir home-alice/t
	echo "$line" >fstab
	echo "$SCRATCH/s $SCRATCH/t shiftbox map=0:1001:1 0 0" >other
	mount --bind fstab /etc/fstab
	must_fail 32 "the symbolic link 'data' on the way is not followed" \
		mount "$SCRATCH/home-alice/t"
	must_fail 32 "the symbolic link 'data' on the way is not followed" \
		mount -T fstab "$SCRATCH/home-alice/t"
	must_fail 32 "the symbolic link 'data' on the way is not followed" \
		mount -t shiftbox -o map=0:2001:1 home-alice/data t
	must_fail 32 "the symbolic link 'data' on the way is not followed" \
		mount home-alice/data --target=t -t shiftbox -o map=0:2001:1
	rmdir home-alice/t
	as_user alice ln -s "$SCRATCH/elsewhere" home-alice/t
	for words in '-a' "$SCRATCH/home-alice/t" "-T$SCRATCH/fstab -a" \
		"--fstab=$SCRATCH/fstab $SCRATCH/home-alice/t" \
		"-t shiftbox -o map=0:2001:1 $SCRATCH/home-alice/data $SCRATCH/home-alice/t"; do
		# shellcheck disable=SC2086 # words
		capture mount $words
		[ "$status" != 0 ] || tell "it was mounted"
		stderr_has "'$SCRATCH/elsewhere': is not where a line of the fstab leads, nor" \
		"what mount(8) was called with"
		nothing_is_mounted
	done
	umount /etc/fstab
}

@test "a target that leads through another user's link is refused, and through root's is not" {
	alice_has ln -s "$SCRATCH/elsewhere" home-alice/t
	must_fail 32 'is not where a line' mount -t shiftbox -o map=0:1001:1,ro s home-alice/t
	# shellcheck disable=SC2016 # for the inner shell
	must_fail 32 'is not where a line' \
		bash -c 'cd home-alice && mount -r --source "$0/s" -t shiftbox t -o map=0:1001:1' \
		"$SCRATCH"
	nothing_is_mounted
	mkdir -m 700 own
	ln -s ../elsewhere own/t
	ln -s ../s own/s
	must_work mount -t shiftbox -o map=0:1001:1,ro own/s own/t
	must_equal "$(owner elsewhere/file)" 1001:1001
	must_work umount elsewhere
	echo "$SCRATCH/own/s $SCRATCH/own/t shiftbox map=0:1001:1,ro 0 0" >fstab
	must_work mount -T "$SCRATCH/fstab" -a
	must_equal "$(owner elsewhere/file)" 1001:1001
	must_work umount elsewhere
}

@test "the map is in mount(8)'s table, beside other programs' options, and umount leaves nothing" {
	local o table=/run/mount/utab map=x-shiftbox.map=b:0:100000:65536
	mount -t tmpfs -o mode=755 run /run
	mkdir -m 755 /run/mount
	mkdir -m 700 closed
	mkdir closed/s closed/a closed/b
	for o in nofail nofail,_netdev,x-foo=bar; do
		echo "$SCRATCH/closed/s $SCRATCH/t shiftbox map=+100000,$o 0 0" >fstab
		must_work mount -T "$SCRATCH/fstab" "$SCRATCH/t"
		must_equal "$(wc -l <$table)" 1
		[ $o != nofail ] || must_equal "$(sed 's/.*OPTS=//' $table)" $map
		must_work umount t
		must_equal "$(cat $table)" ""
	done
	o=map=+100000,nosuid,lower=$SCRATCH/closed/a,lower=$SCRATCH/closed/b
	echo "overlay $SCRATCH/t shiftbox $o,_netdev,x-foo=bar 0 0" >fstab
	must_work mount -T "$SCRATCH/fstab" "$SCRATCH/t"
	must_equal "$(cat $table)" \
		"SRC=overlay TARGET=$SCRATCH/t ROOT=/ OPTS=_netdev,x-foo=bar,$map"
	must_work "$SHIFTBOX" mount-idmapped -u t
	must_equal "$(cat $table)" ""
	must_work mount -t shiftbox -o "$o,x-foo" overlay "$SCRATCH/t"
	must_equal "$(sed 's/.*OPTS=//' $table)" "x-foo,$map"
	must_work umount t
	must_work mount -n -t shiftbox -o "$o" overlay "$SCRATCH/t"
	must_work umount t
	must_equal "$(cat $table)" ""
	umount -l /run
}
