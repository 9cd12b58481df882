# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2016,SC2154
# A volume on NFS. What people meet who want it mapped, and each way out that the manual names.

# golden STATUS CMD... <<TEXT: it exits with STATUS, and says TEXT and no more, but for what changes
# from run to run. A line of TEXT that begins with "+ " goes on the one above it.
golden() {
	want=$1
	shift
	sed -e ':a' -e '$!N; s/\n+ / /; ta' -e 'P; D' >text
	status=0
	"$@" >out 2>err </dev/null || status=$?
	[ "$status" = "$want" ] || tell "status $status" "$*"
	cat out err | sed \
		-E "s|$PWD|DIR|g; s/^(  mount +)[0-9]+ at/\1N at/; s/([^ ])  +/\1  /g; s/ +$//" |
		diff text -
}

# The volume, as the server has it, is $NFS/v; as the client has it, ./v.
volume() {
	rm -rf "$NFS/v"
	mkdir -m 777 "$NFS/v"
	mkdir v t
	: >"$NFS/v/file" && chown 33:44 "$NFS/v/file"
	mount_volume v
}

mount_volume() {
	mount -t nfs4 -o "$NFS_OPTIONS" 127.0.0.1:/v "$1"
}

nfs_refused() {
	volume
	golden 1 $MI -m +100000 v t <<-'END'
	shiftbox mount-idmapped: 'v': cannot set the ID mapping: Invalid argument
	  why:  no kernel can ID-map NFS
	  try:  on the server, chown the files to the ids that are to be seen here, and bind
	+ them without a map; or keep a filesystem in a file on NFS, which mount-idmapped maps;
	+ see "NFS" in mount-idmapped(8)
	END
	refused "no kernel can ID-map NFS" $MI -m +100000 -t nfs4 -o "$NFS_OPTIONS" 127.0.0.1:/v t
	mkdir l
	refused "'v': layer 1 of 2: cannot set the ID mapping: Invalid argument" \
		$MI -m +100000 -o lower=v,lower=l overlay t
	said "no kernel can ID-map NFS"
	works $MI -m none -o lower=v,lower=l overlay t
	refused "no kernel can ID-map an overlay" $MI -m +100000 t l
	umount t
	umount v
}

nfs_told() {
	volume
	golden 0 "$SHIFTBOX" shift-check host "$PWD/v" <<-'END'
	FILESYSTEM, ID-MAPPED  HERE  SINCE
	nfs4  no  tried on DIR/v: no kernel can ID-map NFS; try: on the server, chown the files
	+ to the ids that are to be seen here, and bind them without a map; or keep a filesystem
	+ in a file on NFS, which mount-idmapped maps; see "NFS" in mount-idmapped(8)
	END
	"$SHIFTBOX" shift-check host >host
	golden 0 grep -w nfs4\\? host <<-'END'
	nfs4  no  tried on DIR/v: no kernel can ID-map NFS
	nfs  not tried  none is mounted; no kernel can ID-map NFS
	END
	golden 0 "$SHIFTBOX" shift-check list v <<-'END'
	no ID-mapped mounts
	END
	umount v
}

nfs_nobody() {
	volume
	mkdir v/new
	golden 0 "$SHIFTBOX" shift-check explain --op read v/new <<-'END'
	DIR/v/new: directory, mode 0755
	  filesystem  nfs4 of 127.0.0.1:/v, mounted in the initial user namespace (assumed: the
	+ kernel does not show it)
	  mount  N at DIR/v, rw,relatime: no map
	  note  the server decides, and may map root or all users to nobody (root_squash,
	+ all_squash): it may refuse what the rules below allow
	  owner  disk 65534 -> seen as 65534 (nobody's on the server, like all that squashed
	+ users make, or its name is not known here)
	  group  disk 65534 -> seen as 65534 (nobody's on the server, like all that squashed
	+ users make, or its name is not known here)
	for user 0, group 0, with capabilities:
	  read  yes: owner, group and others have r--
	END
	: >"$NFS/v/secret" && chmod 600 "$NFS/v/secret"
	golden 0 "$SHIFTBOX" shift-check explain --op read v/secret <<-'END'
	DIR/v/secret: regular file, mode 0600
	  filesystem  nfs4 of 127.0.0.1:/v, mounted in the initial user namespace (assumed: the
	+ kernel does not show it)
	  mount  N at DIR/v, rw,relatime: no map
	  note  the server decides, and may map root or all users to nobody (root_squash,
	+ all_squash): it may refuse what the rules below allow
	  owner  disk 0 -> seen as 0
	  group  disk 0 -> seen as 0
	for user 0, group 0, with capabilities:
	  read  yes: its mode gives the owner rw-
	END
	refused "Permission denied" cat v/secret
	umount v
}

# Owners by name, of which the client knows none. The last test, since the server stays so: any
# other id costs it half a minute.
nfs_names() {
	volume
	umount v
	echo N >/sys/module/nfsd/parameters/nfs4_disable_idmapping
	for id in "user 33" "group 44" "user 0" "group 0"; do
		echo "here $id $(($(date +%s) + 3600)) somebody@example.net" \
			>/proc/net/rpc/nfs4.idtoname/channel
	done
	mount_volume v
	golden 0 "$SHIFTBOX" shift-check explain --op read v/file <<-'END'
	DIR/v/file: regular file, mode 0644
	  filesystem  nfs4 of 127.0.0.1:/v, mounted in the initial user namespace (assumed: the
	+ kernel does not show it)
	  mount  N at DIR/v, rw,relatime: no map
	  note  the server decides, and may map root or all users to nobody (root_squash,
	+ all_squash): it may refuse what the rules below allow
	  owner  disk 4294967294 -> seen as 4294967294 (the owner that the server sent has no id
	+ here)
	  group  disk 4294967294 -> seen as 4294967294 (the owner that the server sent has no id
	+ here)
	for user 0, group 0, with capabilities:
	  read  yes: owner, group and others have r--
	END
	umount v
}

# As a container's volume: with a map, which is refused, and with the container's ids on the server.
nfs_bound() {
	volume
	chown 100000:100000 "$NFS/v" && chown 100005:100006 "$NFS/v/file"
	umount v
	above <<-'END'
		mkdir /v && mount -t nfs4 -o $NFS_OPTIONS 127.0.0.1:/v /v
		$R -r /closed/root -b /v:/data:map=0:100000:65536 -- true || echo $?
		$R -r /closed/root -b /v:/data -- sh -c 'stat -c %u:%g /data /data/file
			touch /data/new; stat -c %u:%g /data/new'
	END
	mv out said && mv err refused
	golden 0 cat refused <<-'END'
	shiftbox userns-run: warning: '/v': this tree is already shifted: on disk it belongs to
	+ user 100000, which the map shows for disk id 0; try: mount it without a map (-m none), or
	+ chown it back
	shiftbox userns-run: '/v': cannot set the ID mapping: Invalid argument
	  why:  no kernel can ID-map NFS
	  try:  on the server, chown the files to the ids that are to be seen here, and bind
	+ them without a map; or keep a filesystem in a file on NFS, which mount-idmapped maps;
	+ see "NFS" in mount-idmapped(8)
	END
	same "$(xargs <said) $(owner "$NFS/v/new")" "125 0:0 5:6 0:0 100000:100000"
}

# All that anybody makes in it is one user's; the export is the server's to change.
nfs_squashed() {
	volume
	chown 100000:100000 "$NFS/v" && chmod 755 "$NFS/v"
	nfs_export $ALL_SQUASH 100000 "$NFS" 0
	as 100005 touch v/new
	touch v/roots
	nfs_export $ROOT_SQUASH 65534 "$NFS" 0
	same "$(owner v/new) $(owner "$NFS/v/roots")" "100000:100000 100000:100000"
	umount v
}

nfs_image() {
	volume
	truncate -s 4M v/img
	mke2fs -F v/img >/dev/null 2>&1
	works $MI -m +100000 v/img t
	as 100000 mkdir t/new
	same "$(owner t/new) $(owner v/img)" "100000:100000 65534:65534"
	works $MI -u t
	umount v
}

nfs_exported() {
	mkdir "$NFS/s" t
	works $MI -m +100000 "$NFS/s" t
	refused "Invalid argument" nfs_export $ROOT_SQUASH 65534 "$PWD/t" 7
	works $MI -u t
	works nfs_export $ROOT_SQUASH 65534 "$PWD/t" 7
}

if grep -qw nfsd /proc/filesystems; then
	check "NFS is refused by name, as a source and as a layer" nfs_refused
	check "NFS is told by host and list" nfs_told
	check "NFS shows nobody, and why is explained" nfs_nobody
	check "NFS is bound without a map, where the server has the container's ids" nfs_bound
	check "NFS that squashes all belongs to one user" nfs_squashed
	check "a filesystem in a file on NFS is mapped" nfs_image
	check "the kernel's NFS server does not export what is ID-mapped" nfs_exported
	check "NFS tells a name without an id, and that is explained" nfs_names
else
	n=$((n + 1))
	echo "ok $n - NFS # skip this kernel has no NFS server"
fi
