# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034
# Users of podman, for tests of shared stores: `load podman` after lib and images. All is in the
# mount namespace of the test file: /run and /etc are copies.
#
#   podman_setup                  for test_setup: /run, /etc with a folder shiftbox, and cgroup v2
#   podman_teardown               for test_teardown: end pause processes and containers, unmount
#   podman_user NAME UID BASE     a user with subordinate ids and a runtime directory
#   podman_conf NAME VIEW         the user's storage.conf, with VIEW as an additional image store
#   as_podman NAME CMD...         run CMD as the user
#   $PODMAN_BB                    an image with busybox, for `image`

PODMAN_BB='{"ref":"v1","config":{"created":"2026-01-02T03:04:05.6Z","config":{"Cmd":["/bin/sh"]},
	"history":[{"created_by":"a"},{"created_by":"b"}]},"layers":[
	{"files":{"bin":{"type":"dir"},"bin/busybox":{"copy":"/bin/busybox","mode":"755"},
		"bin/sh":{"type":"link","to":"bin/busybox"},"etc":{"type":"dir"},
		"etc/passwd":"root:x:0:0::/:/bin/sh\nu:x:7:7::/:/bin/sh\n",
		"etc/shadow":{"data":"secret","gid":42,"mode":"640"},
		"tmp":{"type":"dir","mode":"1777"},
		"o":{"type":"dir"},"o/gone":"1","o/d":{"type":"dir"},"o/d/gone":"2"}},
	{"files":{"o":{"type":"dir"},"o/.wh..wh..opq":"","o/new":"3","o/d":{"type":"dir"},
		"suid":{"data":"x","mode":"4755","uid":7}}}]}'

podman_setup() {
	PODMAN_USERS=
	chmod 711 "$SCRATCH"
	mount -t tmpfs -o mode=755 run /run
	cp -a /etc etc
	mkdir etc/shiftbox
	mount --bind etc /etc
	# crun accepts no mixture of cgroup versions.
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
}

podman_user() {
	PODMAN_USERS+=" $1"
	make_user "$1" "$2" "$3" 65536
	install -d -m 700 -o "$2" -g "$2" "/run/user/$2"
}

podman_conf() {
	local home=$SCRATCH/home-$1
	install -d -o "$1" "$home/.config" "$home/.config/containers"
	cat >"$home/.config/containers/storage.conf" <<-EOF
		[storage]
		driver = "overlay"
		runroot = "/run/user/$(id -u "$1")/containers"
		graphroot = "$home/.local/share/containers/storage"
		[storage.options]
		additionalimagestores = ["$2"]
	EOF
	cat >"$home/.config/containers/containers.conf" <<-'EOF'
		[engine]
		cgroup_manager = "cgroupfs"
		events_logger = "file"
		[containers]
		cgroups = "disabled"
		netns = "none"
		log_driver = "k8s-file"
		default_sysctls = []
	EOF
}

as_podman() {
	as_user "$1" XDG_RUNTIME_DIR="/run/user/$(id -u "$1")" "${@:2}"
}

podman_teardown() {
	local user pid path
	for user in $PODMAN_USERS; do
		for pid in $(pgrep -u "$user" || true); do
			grep -qzF "HOME=$SCRATCH/home-$user" "/proc/$pid/environ" 2>/dev/null &&
				kill -9 "$pid"
		done
	done
	for path in /sys/fs/cgroup $(awk '$5 ~ "^/run/shiftbox/users/" { print $5 }' \
		/proc/self/mountinfo); do
		umount -l "$path" 2>/dev/null || true
	done
	for path in passwd group subuid subgid; do
		while umount -q "/etc/$path" 2>/dev/null; do :; done
	done
	umount -l /etc
	umount -l /run
}
