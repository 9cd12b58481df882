#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Container engines as users find them: the examples of shiftbox-engines(7) and of README's section
# about podman, as printed, on a machine that has what this one has, and accounts of its own.

load lib
load world
need root
need kernel 6.15 # tmpfs is mapped, and the map of a mount can be read
need prog mmdebstrap python3 nsenter pgrep useradd podman buildah crun runc lxc-execute \
	systemd-nspawn slirp4netns

# shellcheck disable=SC2034 # world.bash reads it
WORLD_ENV=CONTAINERS_CONF=/etc/containers/of-root.conf

# Devices of its own, of which a runtime may change the owners
# shellcheck disable=SC2016 # it is the script of another shell
DEVICES='umount -l dev
	mount -t tmpfs -o mode=755 dev dev
	mkdir dev/pts dev/shm dev/net
	while read -r name numbers; do mknod -m 666 "dev/$name" c $numbers; done <<-END
		null 1 3
		zero 1 5
		full 1 7
		random 1 8
		urandom 1 9
		tty 5 0
		fuse 10 229
		net/tun 10 200
	END
	mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts dev/pts
	mount -t tmpfs -o mode=1777 shm dev/shm
	ln -s pts/ptmx dev/ptmx
	ln -s /proc/self/fd dev/fd
	for i in 0:stdin 1:stdout 2:stderr; do ln -s fd/${i%:*} dev/${i#*:}; done'

setup_file() {
	[ -n "$missing" ] || bare_debian
}

test_setup() {
	world_make /
	accounts
	# Nothing of the engines' on this machine
	for dir in containers lxc; do mount -t tmpfs -o mode=755 none "root/var/lib/$dir"; done
	rm -rf root/etc/cni/net.d root/etc/containers/*.conf.d root/etc/containers/storage.conf
	# Instead of cgroups and networks that this machine may not give: podman of root, and nspawn
	printf '%s\n' '[engine]' 'cgroup_manager = "cgroupfs"' '[containers]' \
		'cgroups = "disabled"' 'netns = "none"' 'default_sysctls = []' \
		>root/etc/containers/of-root.conf
	program systemd-nspawn '/usr/bin/systemd-nspawn --register=no --keep-unit'
	world_start "$DEVICES"
	users
	# As logins do
	in_world 'for u in alice bob; do
		install -D -d -m 700 -o $u -g $u /run/user/$(id -u $u); done'
}

test_teardown() {
	world_stop
	umount -l root # or all files of this machine would be looked at for what is left
}

# The accounts of this machine that are not users
accounts() {
	local file
	for file in passwd group; do
		awk -F: '$3 < 1000 || $3 == 65534' "/etc/$file" >"root/etc/$file"
	done
	for file in passwd:shadow group:gshadow; do
		awk -F: 'NR == FNR { is[$1]; next } $1 in is' "root/etc/${file%:*}" \
			"/etc/${file#*:}" >"root/etc/${file#*:}.new"
		mv "root/etc/${file#*:}.new" "root/etc/${file#*:}"
	done
	: >root/etc/subuid
	: >root/etc/subgid
	: >root/etc/fstab
}

@test "shiftbox-engines(7)" {
	in_world 'mkdir -p /srv/images /etc/shiftbox
		cp -r /run/image /srv/images/debian
		echo "/var/lib/shiftbox/podman /run/shiftbox/users/%u shiftbox" \
			"map=user:%u,each=subid,ro,nosuid,nodev 0 0" >/etc/shiftbox/views
		image-unpack -q -N docker.io/library/debian:12 oci:/srv/images/debian
		mount-idmapped -a
		image-unpack -q --podman-conf /run/shiftbox/users/%u --write alice'
	examples "$TESTS/../cmd/engines.7"
}

@test "README.md: shared images for podman" {
	in_world 'cp -r /run/image /srv/debian'
	mkdir section
	sed -n '/^### Shared images for podman/,/^### Without root/p' "$TESTS/../README.md" \
		>section/README.md
	examples section/README.md /dev/null
}
