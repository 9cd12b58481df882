# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2154
# mount-idmapped: OverlayFS's own options, and the name of a stack, as root. Each test runs once for
# each way of giving OverlayFS its layers.

load lib

need root
need kernel 5.19
need loop

MI="$SHIFTBOX mount-idmapped"

test_setup() {
	mkdir t
	loop_fs ext4 disk 64M
	chmod 700 disk
	mkdir disk/top disk/base
	echo a >disk/base/a
}

test_teardown() {
	umount -l disk
	! mountpoint -q /sbin || umount -l /sbin
}

each_way() {
	local way
	for way in names $(lacks kernel 6.15 >/dev/null || echo fds); do
		export SHIFTBOX_OVERLAY_WAY=$way
		echo "the way is '$way'"
		"$@" "disk/up-$way"
		! mountpoint -q t
	done
}

shown() {
	findmnt -no FS-OPTIONS t | tr ',' '\n' | grep -E "^$1(=|\$)" || true
}

words() {
	findmnt -no FS-OPTIONS t | tr ',' '\n' | grep -vE '^(lower|upper|work)dir'
}

passed_on() {
	local upper=$1 option
	for option in index=on nfs_export=on,index=on xino=off default_permissions \
		redirect_dir=nofollow; do
		must_work $MI -m +5 \
			-o "lower=disk/top,lower=disk/base,upper=$upper-$option,$option" \
			overlay t
		must_equal "$option $(owner t/a)" "$option 5:5"
		case $option in
		redirect*) ;; # the default of this kernel, which is not shown
		xino*) ;;     # it means nothing on one filesystem
		*) must_equal "$(shown "${option%%[=,]*}")" "${option%%,*}" ;;
		esac
		must_work $MI -u t
	done
	# As mount(8) shows them.
	mkdir -p "$upper-m" "$upper-w"
	mount -t overlay none t -o \
		"lowerdir=disk/top:disk/base,upperdir=$upper-m,workdir=$upper-w,index=on,xino=on"
	option=$(words)
	umount t
	must_work_but no-map $MI overlay t \
		-o "lower=disk/top,lower=disk/base,upper=$upper-x,index=on,xino=on"
	must_equal "$(words)" "$option"
	must_work $MI -u t
}

@test "index, nfs_export, xino and default_permissions reach OverlayFS and are read back" {
	each_way passed_on
}

switched_off() {
	# Without an upper OverlayFS goes on with index=off, and only its log says so.
	must_fail 1 "the stack is not as requested: index is off, not on" \
		$MI -o "lower=disk/top,lower=disk/base,index=on" overlay t
	stderr_has "OverlayFS has switched it" ... "omit the option"
}

@test "an option that OverlayFS switches off is an error" {
	capture mount -t overlay -o lowerdir=disk/top:disk/base,index=on none t
	[ "$status" = 0 ] || skip "this kernel refuses index=on without an upper"
	shown=$(shown index)
	umount t
	[ "$shown" != index=on ] || skip "this kernel keeps index=on without an upper"
	each_way switched_off
}

layer_is_an_upper() {
	mkdir -p "$1-other/in" "$1-work" o
	mount -t overlay -o "lowerdir=disk/base,upperdir=$1-other,workdir=$1-work" none o
	must_fail 1 "cannot stack the layers: Device or resource busy" \
		$MI -m +5 -o "lower=$1-other/in,upper=$1,index=on" overlay t
	umount o
	stderr_has "inside one, and with index=on OverlayFS refuses that" ... \
		"unmount the other one"
}

@test "with index=on a layer inside the upper of another overlay is refused, and it says why" {
	each_way layer_is_an_upper
}

@test "what has another name here, or is not supported, is told with what to write" {
	local up="upper=disk/up"
	must_fail 2 "unknown option 'lowerdir' in -o" $MI -o "lowerdir=disk/top:disk/base,$up" \
		-t overlay x t
	must_fail 2 "unknown option 'lowerdir' in -o" \
		$MI -o "lower=disk/top,lowerdir=disk/top:disk/base" overlay t
	stderr_has "it is called 'lower' here" ... "lower=disk/top,lower=disk/base"
	must_fail 2 "unknown option 'lowerdir' in -o" $MI -o "lower=disk/top,lowerdir=a::b" \
		overlay t
	stderr_has "layers with data only" ... "mount(8)"
	must_fail 2 "unknown option 'datadir+' in -o" $MI -o "lower=disk/top,datadir+=b" overlay t
	stderr_has "layers with data only"
	must_fail 2 "unknown option 'upperdir' in -o" $MI -o "lower=disk/top,upperdir=disk/u" \
		overlay t
	stderr_has "it is called 'upper' here" ... "upper=disk/u"
	must_fail 2 "unknown option 'workdir' in -o" $MI -o "lower=disk/top,workdir=w" overlay t
	stderr_has "it is called 'work' here"
	must_fail 1 "cannot open the layer" $MI -o lower=disk/top:disk/base overlay t
	stderr_has "give each layer by an option of its own: lower=DIR,lower=DIR"
	must_fail 2 "option 'redirect_dir' takes no value" $MI -o "lower=disk/top,redirect_dir=on" \
		overlay t
	stderr_has "write redirect_dir alone, which means redirect_dir=on"
	must_fail 2 "option 'metacopy' takes no value" $MI -o "lower=disk/top,metacopy=off" \
		overlay t
	stderr_has "omit metacopy, which means metacopy=off"
	must_fail 2 "option 'index' needs a value: index=on|off" $MI -o "lower=disk/top,index" \
		overlay t
	must_fail 2 "option 'xino' needs a value: xino=on|off|auto" \
		$MI -o "lower=disk/top,xino=maybe" overlay t
	must_fail 2 "option 'nfs_export=on' excludes 'metacopy'" \
		$MI -o "lower=disk/top,$up,nfs_export=on,metacopy" overlay t
	must_fail 2 "option 'nfs_export=on' excludes 'index=off'" \
		$MI -o "lower=disk/top,$up,nfs_export=on,index=off" overlay t
	[ -d /sys/fs/selinux ] || {
		must_fail 1 "cannot set up the overlay (context)" \
			$MI -o "lower=disk/top,lower=disk/base,context=a:b:c" overlay t
		stderr_has "it is for kernels with SELinux"
	}
	must_fail 2 "unknown option 'nonsense' in -o" $MI -o "lower=disk/top,nonsense" overlay t
	must_work_but no-map $MI -o "lower=disk/top,lower=disk/base,sloppy,nonsense" overlay t
	umount t
	[ ! -e disk/up ]
}

named() {
	local upper=$1
	must_work $MI -t overlay -m +5 -o "lower=disk/top,lower=disk/base,upper=$upper" \
		"web root" t
	must_equal "$(findmnt -no SOURCE,FSTYPE t)" "web root overlay"
	must_equal "$(findmnt -no TARGET "web root")" "$SCRATCH/t"
	must_equal "$(df --output=source t | tail -1)" "web root"
	must_equal "$(owner t/a)" 5:5
	must_work $MI --once -t overlay -m +5 -o "lower=disk/top,lower=disk/base,upper=$upper" \
		"web root" t
	must_work $MI -u t
}

@test "a stack of type overlay has the name that is given" {
	each_way named
	must_fail 2 "needs its layers" $MI -t overlay -m +5 web t
	echo "web $SCRATCH/t shiftbox \
type=overlay,lower=$SCRATCH/disk/top,lower=$SCRATCH/disk/base,map=+5 0 0" >fstab
	must_work $MI -a -T fstab
	must_equal "$(findmnt -no SOURCE t)" web
	must_work $MI -a -T fstab
	must_work $MI -a -u -T fstab
	# mount(8) looks for helpers in /sbin alone: an overlay of it, in this mount namespace.
	mkdir sbin sbin.work
	mount -t overlay -o "lowerdir=/sbin,upperdir=$SCRATCH/sbin,workdir=$SCRATCH/sbin.work" \
		none /sbin
	ln -s "$SHIFTBOX" /sbin/mount.shiftbox
	must_work mount -T "$SCRATCH/fstab" "$SCRATCH/t"
	must_equal "$(findmnt -no SOURCE t) $(owner t/a)" "web 5:5"
	umount t
	# Its name is no path that could be missing.
	sed -i "s|top,|no,|; s|map=|nofail,map=|" fstab
	must_work mount -a -T "$SCRATCH/fstab"
	sed -i "s|/no,|/top,|; s|map=+5|map=u:nobody-here:1:1|" fstab
	must_fail 32 "there is no user" mount -a -T "$SCRATCH/fstab"
}
