#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Test the machine that this is a process of, which `boot` has prepared and booted; TAP without
# numbers. The machine is not used any more after that.
views=/run/shiftbox/users

# check NAME FUNCTION: any command of the function that fails ends it, and the test fails.
check() {
	# Not as a condition: the shell would forget its -e.
	# shellcheck disable=SC2181
	(set -eu; "$2") >/tmp/log 2>&1
	if [ $? = 0 ]; then
		echo "ok - $1"
	else
		echo "not ok - $1"
		sed 's/^/# /' /tmp/log
	fi
}

same() {
	[ "$1" = "$2" ] || { echo "'$1' is not '$2'"; return 1; }
}

fails() {
	! "$@" || { echo "works: $*"; return 1; }
}

mounted() { grep -q " $1 " /proc/self/mountinfo; }
gone() { ! mounted "$1"; }
gone_all() { ! grep -q " $views/" /proc/self/mountinfo; }

# soon COMMAND...: wait until it works
soon() {
	n=0
	until "$@"; do
		n=$((n + 1))
		[ $n -lt 300 ] || { echo "not in time: $*"; return 1; }
		sleep 0.2
	done
}

as() {
	runuser -u "$@"
}

monotonic() { systemctl show --value -p "$1TimestampMonotonic" "$2"; }

boots() {
	state=$(systemctl is-system-running --wait) || :
	failed=$(systemctl --failed --no-legend --plain | cut -d' ' -f1)
	# shellcheck disable=SC2086 # a list of units
	[ -z "$failed" ] || systemctl status --no-pager -l $failed || :
	same "$state" running
}
check 'the machine boots, and nothing has failed' boots

views_at_boot() {
	for u in alice bob dora erik; do mounted $views/$u; done
	[ "$(monotonic InactiveEnter shiftbox-views.service)" -le \
		"$(monotonic InactiveExit systemd-user-sessions.service)" ]
	soon test -s /home/alice/first
	same "$(cat /home/alice/first)" shared
}
check 'each user has a view before users can log in' views_at_boot

own_view() {
	same "$(as bob -- stat -c %U:%G $views/bob/file)" bob:bob
	same "$(as bob -- cat $views/bob/file)" shared
	fails as bob -- cat $views/alice/file
	fails as bob -- cat /srv/shared/file
	fails as bob -- touch $views/bob/file
}
check 'a user sees the tree as their own, and nothing of the views of others' own_view

fstab() {
	for m in /srv/alice/root /mnt/bob /mnt/stick /srv/web; do
		mounted $m || systemctl status --no-pager -l "*$(systemd-escape -p $m)*"
		systemctl is-active "$(systemd-escape -p --suffix=mount $m)"
	done
	same "$(stat -c %U /srv/alice/root/etc/passwd /mnt/bob /srv/web | xargs)" "alice bob bob"
}
check "systemd mounts the lines of fstab that README shows" fstab

# OverlayFS has the capabilities that the service had when it mounted.
copy_up() {
	as alice -- userns-run -- sh -euc '
		cd /run/shiftbox/roots/alice
		chmod 750 bin/ping
		chown 33:33 bin/su
		chmod 4755 bin/su
		rm etc/passwd
		mv srv/www srv/moved
		echo text >srv/new'
	cd /srv/views/alice
	ls -lR .
	same "$(stat -c %u:%g:%a bin/su bin/ping srv/new | xargs)" "33:33:4755 0:0:750 0:0:644"
	same "$(cat srv/moved/index.html)" "<h1>hello</h1>"
	shift-check verify --image debian /run/shiftbox/roots/alice >found || :
	cat found
	same "$(grep -c 'bin/ping' found)" 1
	fails grep capab found
}
check 'a user writes through a view of an image that the service mounted' copy_up

users_change() {
	useradd carol
	soon mounted $views/carol
	userdel carol
	soon gone $views/carol
}
check 'a new user gets a view, and a removed one loses it' users_change

many_users() {
	for i in $(seq 20); do useradd -M many"$i"; done
	for i in $(seq 20); do soon mounted $views/many"$i"; done
	systemctl is-active shiftbox-views.path
	fails systemctl is-failed shiftbox-views.service
}
check 'of 20 users who are made in a moment none is overlooked' many_users

timer() {
	systemctl is-active shiftbox-views.timer
	umount $views/bob
	date -s "$(date -d '+20 minutes' '+%F %T')"
	soon mounted $views/bob
}
check 'the timer mounts what no file tells' timer

by_cron() {
	systemctl stop shiftbox-views.path
	fails systemctl is-active shiftbox-views.timer
	systemctl stop cron
	cp /cron /etc/cron.d/shiftbox
	umount $views/bob
	date -s '2030-01-01 00:04:57'
	systemctl start cron
	soon mounted $views/bob
	rm /etc/cron.d/shiftbox
}
check 'cron mounts views' by_cron

login() {
	uid=$(id -u dora)
	gone "$views/$uid"
	same "$(su - dora -c "cat $views/$uid/file")" shared
	mounted "$views/$uid"
	soon gone "$views/$uid"
}
check 'a drop-in mounts a view at login, and unmounts it after the last session' login

pam() {
	sed -i 's/each=subid,ro/noauto,&/' /etc/shiftbox/views
	mount-idmapped -a -u -T /etc/shiftbox/views
	gone_all
	cat /pam /etc/pam.d/common-session >/tmp/session
	cat /tmp/session >/etc/pam.d/common-session
	same "$(as alice -- su - erik -c "cat $views/erik/file")" shared
	same "$(su - dora -c "cat $views/dora/file")" shared
	same "$(su - root -c 'echo works')" works
	gone $views/bob
}
check 'pam_exec mounts a view at login, and in su(1) of a user' pam
echo '# end'
