#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# --scan: what is counted is what is there, and nothing is written.

load lib
load images
need prog python3

scan() {
	must_work "$SHIFTBOX" image-unpack --scan --json "$@"
}

CAP3=0100000300040000000000000000000000000000a0860100
ACL=user::rw-,user:x:r--:200000,group::r--,group:y:r--:300000,mask::r--,other::---

BASE='{"files":{"etc":{"type":"dir","uid":5,"gid":6},"etc/s":{"mode":"6755","uid":70000},
	"etc/g":{"mode":"2755","gid":8,"data":"12345"},
	"n":{"type":"char","dev":[1,3]},"p":{"type":"fifo"},"l":{"type":"symlink","to":"etc/s",
	"uid":9},"h":{"type":"link","to":"etc/s","uid":4000000000},
	"c":{"data":"x","xattrs":{"security.capability":"'$CAP3'","user.u":"00ff"}},
	"acl":{"data":"y","gid":77,
	"pax":{"SCHILY.acl.access":"'$ACL'"}}}}'
TOP='{"files":{"etc/.wh.s":"","etc/.wh..wh..opq":"",".wh..wh.plnk":"",
	"big":{"data":"'$(printf '%050d' 0)'","uid":70000}},"compress":"xz"}'

@test "entries, owners, capabilities, ACLs, set-id files and whiteouts are counted" {
	image dir "{\"layers\":[$BASE,$TOP]}"
	scan oci:dir
	json '[x["event"] for x in d] == ["layer", "layer", "image"] and
		[x.get("layer") for x in d] == [1, 2, None]'
	json '[[x[k] for k in ("entries", "files", "directories", "symlinks", "hardlinks",
		"devices", "fifos", "sockets")] for x in d] ==
		[[9, 4, 1, 1, 1, 1, 1, 0], [4, 1, 0, 0, 0, 0, 0, 0], [13, 5, 1, 1, 1, 1, 1, 0]]'
	json '[[x[k] for k in ("setuid", "setgid", "capabilities", "acls", "xattrs", "whiteouts",
		"opaques")] for x in d] ==
		[[1, 2, 1, 1, 1, 0, 0], [0, 0, 0, 0, 0, 1, 1], [1, 2, 1, 1, 1, 1, 1]]'
	json '[[x[k] for k in ("bytes", "largest", "largest_path")] for x in d] ==
		[[7, 5, "etc/g"], [50, 50, "big"], [57, 50, "big"]]'
	# A hard link has the owner of its file, whatever its header says.
	json '[[x["highest_uid"], x["highest_gid"]] for x in d] ==
		[[200000, 300000], [70000, 0], [200000, 300000]]'
	json '[(o["uid"], o["gid"], o["count"]) for o in d[2]["owners"]] ==
		[(0, 0, 3), (0, 8, 1), (0, 77, 1), (5, 6, 1), (9, 0, 1), (70000, 0, 2)]'
	json 'd[2]["map"] ==
		"u:0:0:1;u:5:5:1;u:9:9:1;u:70000:70000:1;u:100000:100000:1;u:200000:200000:1;" +
		"g:0:0:1;g:6:6:1;g:8:8:1;g:77:77:1;g:300000:300000:1"'
	json 'd[0]["unpacked"] % 512 == 0 and d[2]["unpacked"] ==
		d[0]["unpacked"] + d[1]["unpacked"] and d[2]["blob_bytes"] < d[2]["unpacked"]'
}

@test "the same is told of an archive, of plain layers and of standard input" {
	local want
	image dir "{\"layers\":[$BASE,$TOP]}"
	"$TESTS/fixtures/mkimage.py" --docker-archive d.tar <<<"{\"layers\":[$BASE,$TOP]}"
	"$TESTS/fixtures/mkimage.py" --tar base.tar.gz <<<"{\"layers\":[$BASE]}"
	"$TESTS/fixtures/mkimage.py" --tar top.tar.xz <<<"{\"layers\":[$TOP]}"
	same() {
		python3 -c 'import json, sys
d = map(json.loads, sys.argv[1].splitlines())
print([[x[k] for k in sorted(x) if k not in ("name", "blob_bytes")] for x in d])' "$output"
	}
	scan dir
	want=$(same)
	scan docker-archive:d.tar
	must_equal "$(same)" "$want"
	scan base.tar.gz top.tar.xz
	must_equal "$(same)" "$want"
	scan - top.tar.xz <base.tar.gz
	must_equal "$(same)" "$want"
}

@test "people are told of what matters, and whether an ordinary grant is enough" {
	image dir "{\"layers\":[$BASE,$TOP]}"
	image small '{"layers":[{"files":{"a":{"data":"1","uid":65535}}}]}'
	must_work "$SHIFTBOX" image-unpack --scan dir
	output_has "highest ids: user 200000, group 300000; a grant of 65536 ids does not" \
		"hold them all"
	[[ $output == *"largest file: big, 50 B"* && $output == *"set-user-id files: 1"* &&
		$output == *"devices: 1"* ]]
	[[ $output == *"70000    0        2"* ]]
	must_work "$SHIFTBOX" image-unpack --scan small
	[[ $output == *"a grant of 65536 ids is enough"* &&
		$output == *"smallest map: u:0:0:1;u:65535:65535:1;g:0:0:1"* ]]
}

@test "nothing is written, no store is made or needed" {
	need prog strace
	image dir "{\"layers\":[$BASE,$TOP]}"
	mkdir home
	must_work env HOME="$SCRATCH/home" XDG_DATA_HOME="$SCRATCH/home" \
		strace -f -qq -o trace -e trace=%file,write,ftruncate,mknodat \
		"$SHIFTBOX" image-unpack --scan dir
	must_equal "$(ls -A home)" ""
	grep -q 'openat(.*blobs' trace || grep -q 'openat2(.*blobs' trace
	! grep -v '/dev/\|readlink' trace |
		grep -E 'O_(WRONLY|RDWR|CREAT|TMPFILE)|mkdir|mknod|link(at)?\(|rename|truncate' ||
		say "something is written"
	must_equal "$(grep -E ' write\(' trace | grep -vE 'write\([12],')" ""
	must_fail 2 "--flat and --scan use no store" "$SHIFTBOX" image-unpack --scan -s store dir
	must_fail 2 "an image to scan is missing" "$SHIFTBOX" image-unpack --scan
}

@test "what an unpack refuses is refused: wrong digests, bad headers, limits" {
	image dir '{"layers":[{"files":{"a":"1"}},
		{"files":{"b":"2"},"bulk":60,"diff_id_lie":true}]}'
	must_fail 1 "layer 2 of 2 (sha256:" "$SHIFTBOX" image-unpack --scan dir
	[[ $stderr == *"the diff_id"*"is wrong"* ]]
	image dir2 '{"layers":[{"files":{"b":"2"},"bulk":60}]}'
	must_fail 1 "more than 20 entries" "$SHIFTBOX" image-unpack --scan --max-entries 20 dir2
	must_fail 1 "more than 102400 bytes of file data" \
		"$SHIFTBOX" image-unpack --scan --max-bytes 100K dir2
	image dot '{"layers":[{"files":{"../a":"1"}}]}'
	must_fail 1 "'../a'" "$SHIFTBOX" image-unpack --scan dot
	image cap '{"layers":[{"files":{"a":{"data":"1","xattrs":{"security.capability":"00"}}}}]}'
	must_fail 1 "'a'" "$SHIFTBOX" image-unpack --scan cap
}

@test "many owners are counted as one would" {
	python3 - >list.json <<'END'
import json, random
r = random.Random(7)
files = {'f%d' % i: {'data': '', 'uid': r.randrange(300), 'gid': r.randrange(40)}
    for i in range(4000)}
print(json.dumps({'layers': [{'files': files}]}))
END
	"$TESTS/fixtures/mkimage.py" many <list.json
	scan many
	printf '%s\n' "$output" >got.json
	python3 - got.json list.json <<'END'
import collections, json, sys
files = json.load(open(sys.argv[2]))['layers'][0]['files'].values()
want = collections.Counter((f['uid'], f['gid']) for f in files)
got = json.loads(open(sys.argv[1]).readlines()[-1])['owners']
assert [((o['uid'], o['gid']), o['count']) for o in got] == sorted(want.items())
END
}
