# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# The guest's own NFS server, for nfs.sh: the kernel's, with what exportfs(8) and rpc.mountd(8)
# would tell it. It is started before all tests, since for its first 10 s, the least that can be
# set, it lets no file be opened.

NFS=$DISK/nfs
export ROOT_SQUASH=0x4 ALL_SQUASH=0x8 # NFSEXP_* of linux/nfsd/export.h
export NFS_OPTIONS=vers=4.2,addr=127.0.0.1,clientaddr=127.0.0.1

# SQUASH ANON PATH FSID: who comes from this machine gets PATH, which has that number; who is
# squashed is user and group ANON there.
nfs_export() {
	no_subtree_check=0x400 fsid=0x2000
	echo "here $3 $(($(date +%s) + 3600)) $(($1 | no_subtree_check | fsid)) $2 $2 $4" \
		>/proc/net/rpc/nfsd.export/channel
}

nfs_serve() {
	mkdir -m 755 "$NFS"
	ip link set lo up
	mount -t nfsd nfsd /proc/fs/nfsd
	for file in nfsv4leasetime nfsv4gracetime; do echo 10 >/proc/fs/nfsd/$file; done
	# Version 4 alone needs no other servers beside it.
	echo "-3 +4" >/proc/fs/nfsd/versions
	echo "nfsd 127.0.0.1 $(($(date +%s) + 3600)) here" >/proc/net/rpc/auth.unix.ip/channel
	nfs_export $ROOT_SQUASH 65534 "$NFS" 0
	echo "here 1 \\x00000000 $(($(date +%s) + 3600)) $NFS" >/proc/net/rpc/nfsd.fh/channel
	echo "tcp 2049" >/proc/fs/nfsd/portlist
	# It looks for a helper for a second.
	echo 1 >/proc/fs/nfsd/threads &
}

! grep -qw nfsd /proc/filesystems || nfs_serve
