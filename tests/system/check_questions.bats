#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# What people ask about ID-mapped mounts: each situation is made, its symptom seen, and the whole
# answer of shift-check is what stands here. UPDATE=1 prints the answers instead.
# shellcheck disable=SC2154

load lib
load mapped
need root
need kernel 6.15
need prog setcap getfattr unshare python3

# answer STATUS WORDS... <<TEXT: shift-check WORDS leaves with STATUS and prints TEXT, but for what
# changes from run to run. A line of TEXT that begins with a tab goes on the one above it.
answer() {
	local want=$1 got text
	shift
	text=$(perl -0pe 's/\n\t/ /g')
	capture "${AS[@]}" "$SHIFTBOX" shift-check "$@"
	got=$(sed -E -e "s|$SCRATCH|DIR|g; s/^(  mount +)[0-9]+ at/\1N at/; s/pid:[0-9]+/pid:N/" \
		-e 's/([^ ])  +/\1  /g; s/ +$//' <<<"$output")
	if [ -n "${UPDATE:-}" ]; then printf '== %s: %s\n%s\n' "$status" "$*" "$got" >&3; return; fi
	[ "$status" = "$want" ] || tell "the exit status is not $want"
	stderr_empty
	diff <(echo "$text") <(echo "$got") || say "another answer to: shift-check $*"
}

AS=()

@test "which mounts are ID-mapped, and how, long after they were made" {
	mkdir sub
	misfit_mount '1000:0:1' src m
	map_mount 'u:0:100000:65536;g:0:200000:65536' src sub
	answer 0 list "$SCRATCH" <<'END'
TARGET  SOURCE  TYPE  MAP
DIR/m  shiftbox-test[/src]  tmpfs  1000:0:1
DIR/sub  shiftbox-test[/src]  tmpfs  u:0:100000:65536,g:0:200000:65536
END
}

@test "mount_setattr says Device or resource busy" {
	# A file that is open for writing in the very copy of the mount that is to be mapped.
	cat >busy.py <<-'END'
	import ctypes, os, struct, subprocess, sys
	libc = ctypes.CDLL(None, use_errno=True)
	tree = libc.syscall(428, -100, b"src", 1 | 0x80000)  # open_tree, OPEN_TREE_CLONE
	writer = os.open("file", os.O_WRONLY, dir_fd=tree)
	child = subprocess.Popen(["unshare", "-Ur", "sleep", "100"])
	proc = "/proc/%d/" % child.pid
	ours = os.readlink("/proc/self/ns/user")
	while os.readlink(proc + "ns/user") == ours or not open(proc + "gid_map").read():
	    pass
	ns = os.open("/proc/%d/ns/user" % child.pid, os.O_RDONLY)
	child.kill()
	attr = struct.pack("QQQQ", 0x100000, 0, 0, ns)
	def setattr():
	    r = libc.syscall(442, tree, b"", 0x1000, attr, len(attr))
	    return os.strerror(ctypes.get_errno()) if r else "mapped"
	print(setattr())
	os.close(writer)
	print(setattr())
	END
	must_equal "$(python3 busy.py)" "Device or resource busy
mapped"
	# So it is neither the filesystem nor the kernel:
	answer 0 host "$SCRATCH/src" <<'END'
FILESYSTEM, ID-MAPPED  HERE  SINCE
tmpfs  yes  6.3  tried on DIR/src
END
	# Nor is it that the target lies in the tree.
	mkdir src/target
	map_mount +100000 src src/target
	answer 0 list "$SCRATCH" <<'END'
TARGET  SOURCE  TYPE  MAP
DIR/src/target  shiftbox-test[/src]  tmpfs  0:100000:65536
END
}

# With a server and a client, and each way out: tests/kernels/nfs.sh, in kernels that have NFS.
@test "can a volume on NFS be ID-mapped" {
	grep -q ' nfs4\? ' /proc/self/mountinfo && skip "NFS is mounted here"
	capture "$SHIFTBOX" shift-check host
	[[ $output =~ nfs\ +not\ tried\ +[^$'\n']*'; no kernel can ID-map NFS'$'\n' ]] ||
		tell "nothing of NFS"
}

@test "an ID-mapped volume works with sudo and not without" {
	make_user alice 2001 300000 65536
	install -d -o 2001 -g 2001 mine
	capture as_user alice unshare --map-auto --map-root-user -m "$SHIFTBOX" mount-idmapped \
		-m 0:1:1 mine mine
	[ "$status" = 1 ] || tell "it worked"
	AS=(as_user alice unshare --map-auto --map-root-user -m)
	answer 0 host "$SCRATCH/mine" <<'END'
FILESYSTEM, ID-MAPPED  HERE  SINCE
tmpfs  no  6.3  tried on DIR/mine: the filesystem (tmpfs) was mounted outside of this user
	namespace, and only the root of the namespace that mounted it may map it; try: run as root
	of that namespace, or use a filesystem mounted in this one (a tmpfs of your own)
END
}

@test "Invalid argument, and no clue" {
	mkdir lower upper o
	must_fail 1 'Invalid argument' "$SHIFTBOX" mount-idmapped -m +100000 /proc m
	answer 0 host /proc <<'END'
FILESYSTEM, ID-MAPPED  HERE  SINCE
proc  no  tried on /proc: the filesystem (proc) does not support ID-mapped mounts in this kernel;
	try: mount it inside the user namespace: it shows the ids of the namespace that it is
	mounted in
END
	mount -t overlay -o "lowerdir=$SCRATCH/lower:$SCRATCH/upper" overlay o
	answer 0 host "$SCRATCH/o" <<'END'
FILESYSTEM, ID-MAPPED  HERE  SINCE
overlay  no  tried on DIR/o: no kernel can ID-map an overlay; its layers can be; try: map the
	layers: shiftbox mount-idmapped -m MAP -o lower=TOPMOST,lower=NEXT,... overlay TARGET
	(findmnt shows the layers); for an unpacked image: shiftbox mount-idmapped -m MAP
	image:NAME TARGET
END
}

@test "a mount lost its map when it was handed on as a volume" {
	mkdir volume
	misfit_mount '1000:100000:1' src m
	mount --bind src volume
	must_equal "$(owner m/file) $(owner volume/file)" "100000:100000 1000:1000"
	answer 0 explain --op read m/file <<'END'
DIR/m/file: regular file, mode 0644
  filesystem  tmpfs of shiftbox-test, mounted in the initial user namespace (assumed: the kernel
	does not show it)
  mount  N at DIR/m, rw,relatime,idmapped: map b:1000:100000:1
  owner  disk 1000 -> map line u:1000:100000:1 -> seen as 100000
  group  disk 1000 -> map line g:1000:100000:1 -> seen as 100000
for user 0, group 0, with capabilities:
  read  yes: owner, group and others have r--
END
	answer 0 explain --op read volume/file <<'END'
DIR/volume/file: regular file, mode 0644
  filesystem  tmpfs of shiftbox-test, mounted in the initial user namespace (assumed: the kernel
	does not show it)
  mount  N at DIR/volume, rw,relatime: no map
  owner  disk 1000 -> seen as 1000
  group  disk 1000 -> seen as 1000
for user 0, group 0, with capabilities:
  read  yes: owner, group and others have r--
END
	answer 0 list "$SCRATCH" <<'END'
TARGET  SOURCE  TYPE  MAP
DIR/m  shiftbox-test[/src]  tmpfs  1000:100000:1
END
}

@test "capabilities were lost, and getfattr says Value too large" {
	chmod 755 src/file
	setcap -n 7 cap_net_raw+ep src/file
	misfit_mount '1000:101000:1' src m
	must_fail 1 'Value too large' getfattr -n security.capability m/file
	answer 0 explain --op exec m/file <<'END'
DIR/m/file: regular file, mode 0755
  filesystem  tmpfs of shiftbox-test, mounted in the initial user namespace (assumed: the kernel
	does not show it)
  mount  N at DIR/m, rw,relatime,idmapped: map b:1000:101000:1
  owner  disk 1000 -> map line u:1000:101000:1 -> seen as 101000
  group  disk 1000 -> map line g:1000:101000:1 -> seen as 101000
  cap root  disk 7 -> no line of the map has it -> no id here (unmapped); reading
	security.capability fails with EOVERFLOW
for user 0, group 0, with capabilities:
  exec  yes: owner, group and others have --x
          the capability is ignored: its root id has no id through this mount
END
	answer 3 --only caps m <<'END'
caps: m/file: root id: disk 7 has no mapping
2 entries checked, 1 finding: 1 caps
END
}

@test "newuidmap fails without saying why" {
	local f
	for f in subuid subgid; do
		printf '%s\n' bob:310000:65536 alice:300000:65536 alice:1500:600 \
			alice:65536:100000 >"$f"
		chmod 644 "$f"
		[ -e "/etc/$f" ] || touch "/etc/$f"
		mount --bind "$f" "/etc/$f"
	done
	add_line /etc/passwd "alice:x:2001:2002::/:/bin/sh"
	add_line /etc/group "alice:x:2002:"
	answer 3 subid alice <<'END'
line: /etc/subuid:4: START is 65536 and COUNT is 100000: they look swapped
overlap: /etc/subuid:2: 300000-365535 overlaps 310000-375535 of bob in line 1: each could use the
	other's files; as root, if no files have these ids yet: usermod
	--del-subuids 300000-365535 --add-subuids 375536-441071 alice
own-id: /etc/subuid:3: 1500-2099 holds 2001, the user's own user id: a map with both the
	range and the user's own id is refused; as root, if no files have these ids yet: usermod
	--del-subuids 1500-2099 --add-subuids 375536-441071 alice
line: /etc/subgid:4: START is 65536 and COUNT is 100000: they look swapped
overlap: /etc/subgid:2: 300000-365535 overlaps 310000-375535 of bob in line 1: each could use the
	other's files; as root, if no files have these ids yet: usermod
	--del-subgids 300000-365535 --add-subgids 375536-441071 alice
own-id: /etc/subgid:3: 1500-2099 holds 2001, the user's own group id: a map with both the
	range and the user's own id is refused; as root, if no files have these ids yet: usermod
	--del-subgids 1500-2099 --add-subgids 375536-441071 alice
account: /etc/subuid:3: 1500-2099 has ids below 65536, which are those of accounts and of the
	system
account: /etc/subgid:3: 1500-2099 holds ids of the host's groups: alice (2002); with these ids,
	alice could join any of these groups
account: /etc/subgid:3: 1500-2099 has ids below 65536, which are those of accounts and of the
	system
user ids 300000-365535 (/etc/subuid:2)
user ids 1500-2099 (/etc/subuid:3)
user ids 65536-165535 (/etc/subuid:4)
group ids 300000-365535 (/etc/subgid:2)
group ids 1500-2099 (/etc/subgid:3)
group ids 65536-165535 (/etc/subgid:4)
trial: newuidmap failed (exit status 1): newuidmap: write to uid_map failed: Invalid argument
10 findings
END
}

@test "Value too large for defined data type on every write" {
	local unmapped='DIR/m/dir: directory, mode 0777
  filesystem  tmpfs of shiftbox-test, mounted in the initial user namespace (assumed: the kernel
	does not show it)
  mount  N at DIR/m, rw,relatime,idmapped: map b:1000:100000:1
  owner  disk 0 -> no line of the map has it -> shown as 65534 (unmapped, not the real nobody)
  group  disk 0 -> no line of the map has it -> shown as 65534 (unmapped, not the real nobody)'
	mkdir -m 777 src/dir
	misfit_mount '1000:100000:1' src m
	must_fail 1 "Value too large" touch m/dir/new
	answer 3 explain --op create m/dir <<END
$unmapped
for user 0, group 0, with capabilities:
  create  EOVERFLOW: the caller's ids are not mapped here, so no file can be created
          try: extend the map of DIR/m by 0:0:1
END
	must_fail 1 "Value too large" chmod 600 m/dir
	answer 3 explain --op chmod m/dir <<END
$unmapped
for user 0, group 0, with capabilities:
  chmod  EOVERFLOW: its owner or group is not mapped here, so the kernel refuses changes
          try: extend the map of DIR/m by 0:0:1
END
}

@test "everything belongs to nobody:nogroup: which mapping applies" {
	sleeper '0 100000 65536'
	touch src/nobody
	chown 65534:65534 src/nobody
	must_equal "$(nsenter -t "$SLEEPER" -U stat -c %U:%G src/file)" nobody:nogroup
	answer 0 explain --userns "pid:$SLEEPER" --op read src/file <<'END'
DIR/src/file: regular file, mode 0644
  filesystem  tmpfs of shiftbox-test, mounted in the initial user namespace (assumed: the kernel
	does not show it)
  mount  N at DIR, rw,relatime: no map
  owner  disk 1000 -> seen as 1000 -> no id in pid:N, shown as 65534 (overflow)
  group  disk 1000 -> seen as 1000 -> no id in pid:N, shown as 65534 (overflow)
for user 0, group 0, with capabilities, in the user namespace of pid:N:
  read  yes: owner, group and others have r--
END
	misfit_mount '1000:100000:1;65534:165534:1' src m
	answer 0 explain --userns "pid:$SLEEPER" --op read m/nobody <<'END'
DIR/m/nobody: regular file, mode 0644
  filesystem  tmpfs of shiftbox-test, mounted in the initial user namespace (assumed: the kernel
	does not show it)
  mount  N at DIR/m, rw,relatime,idmapped: map b:1000:100000:1;b:65534:165534:1
  owner  disk 65534 -> map line u:65534:165534:1 -> seen as 165534 -> 65534 in pid:N
  group  disk 65534 -> map line g:65534:165534:1 -> seen as 165534 -> 65534 in pid:N
for user 0, group 0, with capabilities, in the user namespace of pid:N:
  read  yes: owner, group and others have r--
END
	answer 3 m <<'END'
unmapped: m: uid: disk 0 has no mapping, seen 65534; gid: disk 0 has no mapping, seen 65534
3 entries checked, 1 finding: 1 unmapped
END
}
