# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2016
# A command in namespaces of its own. The guest's root is its initial RAM disk, which pivot_root(2)
# cannot leave, so it is started from a root that is mounted above that.

above() { # SCRIPT: with $R, an image "bb" in /store, and its root in /closed/root
	mkdir -p new/proc new/sys new/dev new/tmp new/closed/root/bin new/closed/root/srv
	chmod 700 new/closed
	cp -a /bin /etc new/
	for d in /lib /lib64 /usr /var; do
		[ ! -e "$d" ] || cp -a "$d" new/
	done
	cp /bin/busybox new/closed/root/bin/
	for applet in sh id cat ls touch stat mount; do
		ln -s busybox "new/closed/root/bin/$applet"
	done
	touch new/closed/root/srv/five && chown 5:6 new/closed/root/srv/five
	tar -C new/closed/root -cf new/layer.tar .
	cat >new/script
	unshare -m sh -ec 'mount --bind new new && cd new && mount --move . / &&
		exec chroot . /bin/sh -ec "
		mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
		mkdir -m 700 /store; $SHIFTBOX image-unpack -q -s /store -N bb /layer.tar
		export R=\"$SHIFTBOX userns-run -m +100000\"; . /script"' >out 2>err ||
		tell failed above
}

on_a_directory() {
	above <<-'END'
		$R -r /closed/root -- sh -c 'id -u; stat -c %u:%g /srv/five; touch /srv/new
			cat /proc/self/uid_map; ls /proc/1/fd || exit 7' || echo $?
		stat -c %u:%g /closed/root/srv/new
		$R -r /closed/root -b /closed:/data:ro:map -- sh -c 'touch /data/y
			mount -o remount,bind,rw /data; touch /data/y' || ls /closed
	END
	same "$(xargs <out)" "0 5:6 0 100000 65536 7 0:0 root"
	same "$(grep -c 'y: Read-only file system' err)" 2
}
check "userns-run: on a directory; what is read-only stays so" on_a_directory

on_an_image() {
	above <<-'END'
		$R -s /store -i bb -- sh -c 'stat -c %u:%g /srv/five; touch /x; stat -c %u:%g /x'
		$R -s /store -i bb -o upper=/closed/upper -- touch /srv/x
		stat -c %u:%g /closed/upper/srv/x
		$R -- id -u
	END
	same "$(xargs <out) $(cat err)" "5:6 0:0 0:0 0 "
}
check "userns-run: on an image, on the host's own tree" on_an_image

by_a_user() {
	above <<-'END'
		mkdir -m 777 /home && cd /home
		echo al:x:1000:1000::/home:/bin/sh >>/etc/passwd
		: >/etc/subuid && : >/etc/subgid
		as="/bin/setpriv --reuid 1000 --regid 1000 --clear-groups --inh-caps=-all"
		as="$as env HOME=/home"
		$as $SHIFTBOX userns-run -- sh -c 'id -u; cat /proc/self/uid_map; pwd'
		cp /layer.tar own.tar
		$as $SHIFTBOX image-unpack -q --unmapped=skip -N bb own.tar 2>/dev/null
		$as $SHIFTBOX userns-run -i bb -- sh -c 'touch /x; stat -c %u:%g /x; ls /srv'
	END
	same "$(xargs <out)" "0 0 1000 1 /home 0:0"
	# Once for each of the two commands.
	same "$(grep -c 'al has no subordinate ids: the only id of the command is 0' err)" 2
	same "$(grep -vc 'al has no subordinate ids' err)" 0
}
check "userns-run: by an ordinary user, with an image of its own" by_a_user
