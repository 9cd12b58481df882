# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034
#
# For tests that run podman as ordinary users: `load podman`, after lib. They need cgroup2, which
# podman_start mounts, and end with podman_stop.
#
#   podman_user NAME UID BASE    a user with a home of this test's own and a containers.conf
#   as USER CMD...               run CMD as that user, with the directories of a session
#   podman_start, podman_stop    for test_setup and test_teardown
#   $NAP, sleeper USER           a container of USER runs `busybox sleep $NAP`: wait until it does,
#                                and print its process. The number is that of one test alone

NAP=300.$$

sleeper() { # USER
	local _
	for _ in {1..600}; do
		! pgrep -u "$1" -fx "busybox sleep $NAP" || return 0
		sleep 0.1
	done
	say "no container of $1 sleeps"
}

podman_start() {
	# crun accepts no mixture of cgroup versions.
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	chmod 711 "$SCRATCH"
	podman_users=
}

podman_user() {
	local home=$SCRATCH/home-$1
	make_user "$1" "$2" "$3" 65536
	podman_users+=" $1"
	install -d -m 700 -o "$2" -g "$2" "$SCRATCH/run-$1" "$home/.config" \
		"$home/.config/containers"
	cat >"$home/.config/containers/containers.conf" <<-'EOT'
		[engine]
		cgroup_manager = "cgroupfs"
		events_logger = "file"
		[containers]
		cgroups = "disabled"
		netns = "none"
		log_driver = "k8s-file"
		default_sysctls = []
	EOT
}

as() { # USER CMD...
	as_user "$1" XDG_RUNTIME_DIR="$SCRATCH/run-$1" "${@:2}"
}

# podman's pause process keeps the mounts that it knew.
podman_pause_ends() {
	local pid user=$1
	for pid in $(pgrep -u "$user" -f "catatonit -P|podman pause" || true); do
		grep -qzF "HOME=$SCRATCH/home-$user" "/proc/$pid/environ" && kill -9 "$pid"
	done
	return 0
}

podman_stop() {
	local user file
	for user in $podman_users; do
		podman_pause_ends "$user"
		umount -l "$SCRATCH/home-$user" 2>/dev/null || true
	done
	umount -l /sys/fs/cgroup 2>/dev/null || true
	for file in passwd group subuid subgid; do
		while umount -q "/etc/$file" 2>/dev/null; do :; done
	done
}
