# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034
#
# For tests that make images: `load images`, after lib.
#
#   image DIR JSON     make the image that JSON describes (fixtures/mkimage.py), an OCI layout
#   dump DIR           print what is in a tree, owners and attributes too (fixtures/treedump.py)
#   json EXPRESSION    the Python expression is true of d, the list of the JSON lines in $output
#   $ACL_DEFAULT       an ACL for mkimage.py, a default ACL that names user 33
#   $ACL_BOTH          an ACL that names user 33 and group 34
#   $ACL_USER          an ACL that names user 33
#   $ID_FILES          files in a layer with every place where an id can hide: owners, ACLs, and
#                      capabilities of both versions; the directory d goes before them

ACL_DEFAULT=0200000001000700ffffffff0200050021000000
ACL_DEFAULT+=04000500ffffffff10000500ffffffff20000500ffffffff
ACL_BOTH=0200000001000600ffffffff020004002100000004000400ffffffff
ACL_BOTH+=080004002200000010000600ffffffff20000400ffffffff
ACL_USER=0200000001000600ffffffff0200040021000000
ACL_USER+=04000400ffffffff10000600ffffffff20000400ffffffff
ID_FILES='"d/suid":{"data":"x","uid":3,"gid":4,"mode":"6755"},
	"cap2":{"data":"x",
	"xattrs":{"security.capability":"0100000200200000000000000000000000000000"}},
	"cap3":{"data":"x",
	"xattrs":{"security.capability":"010000030020000000000000000000000000000005000000"}},
	"acl":{"data":"y","xattrs":{"system.posix_acl_access":"'$ACL_BOTH'"}},
	"l":{"type":"symlink","to":"x","uid":5,"gid":6},"p":{"type":"fifo","uid":6,"gid":5}'

image() {
	"$TESTS/fixtures/mkimage.py" "$1" <<<"$2"
}

dump() {
	"$TESTS/fixtures/treedump.py" "$1"
}

json() {
	python3 -c 'import json, sys
d = [json.loads(x) for x in sys.argv[1].splitlines()]
assert all(x.pop("version") == 1 for x in d), d
assert ('"$1"'), d' "$output"
}
