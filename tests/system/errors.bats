#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Whatever of a command line is wrong, its message names it, says what is wrong with it and what to
# do.

load lib

# Lines "STATUS TEXT | WORDS": the message of shiftbox WORDS has TEXT, the last word that names the
# mistake (it is marked by @), and a line "try:".
each() {
	local line words wrong
	while IFS= read -r line; do
		[[ $line =~ ^([0-9]+)\ +(.*[^\ ])\ +\|\ (.*)$ ]] || say "what is this: $line"
		local want=${BASH_REMATCH[1]} text=${BASH_REMATCH[2]} words=${BASH_REMATCH[3]}
		wrong=
		[[ $words =~ (^|[ :,=@])@([^ :]+) ]] && wrong=${BASH_REMATCH[2]}
		# shellcheck disable=SC2086
		capture "$@" "$SHIFTBOX" ${words/"@$wrong"/"$wrong"}
		[ "$status" = "$want" ] || tell "the status is not $want"
		[[ $stderr == *"$text"* ]] || tell "'$text' is not said"
		[[ $stderr == *"$wrong"* ]] || tell "'$wrong' is not named"
		[[ $stderr == *$'\n  try:  '* ]] || tell "what to do is not said"
	done
}

# dir, target, file; an image "app" of the store, from the layout img.
test_setup() {
	mkdir dir target
	echo 'no such thing' >file
	echo "dir target shiftbox map=1:2:3 0 x" >line
	echo '{"layers": [{"files": {"etc/x": "1"}}], "ref": "v1"}' |
		"$TESTS/fixtures/mkimage.py" img
	cp -r img bad
	echo '{' >bad/index.json
	"$SHIFTBOX" image-unpack -q -s store -N app oci:img
}

@test "image-unpack: what is not there, not an image, or not a place for one" {
	need root
	each <<-'E'
	1 cannot open the directory: No such file | image-unpack -s store oci:@nowhere
	1 cannot open the image: No such file     | image-unpack -s store @nowhere.tar
	1 cannot connect to the server            | image-unpack -s store @127.0.0.1:1/debian:12
	1 cannot connect to the server            | image-unpack -s store @docker://127.0.0.1:1/x
	1 No such file                            | image-unpack -s store -N x @nowhere.tar -
	1 No such file                            | image-unpack -s store docker-archive:@nowhere
	1 it looks like text                      | image-unpack -s store /etc/passwd
	1 it looks like text                      | image-unpack -s store layer:/etc/passwd
	1 it looks like text                      | image-unpack -s store docker-archive:/etc/passwd
	1 it looks like text                      | image-unpack -s store @file
	1 a program or a library (ELF)            | image-unpack -s store /bin/true
	1 specify a tar archive                   | image-unpack -s store /etc/passwd
	1 is a directory, not                     | image-unpack -s store oci-archive:@dir
	1 cannot open: No such file               | image-unpack -s store @dir
	1 is not valid JSON                       | image-unpack -s store oci:@bad
	1 no such reference                       | image-unpack -s store oci:img:@v2
	1 Not a directory                         | image-unpack -s @file oci:img
	1 neither a store nor empty               | image-unpack -s @img oci:img
	1 is not a directory                       | image-unpack --flat @file oci:img
	1 cannot                                  | image-unpack --flat @file/x oci:img
	1 there is no such image                  | image-unpack -s store --show @none
	1 there is no such image                  | image-unpack -s store --remove @none
	1 there is no such image                  | image-unpack -s store --bundle b -m +1 @none
	1 there is no store                       | image-unpack -s @nowhere --list
	1 Not a directory                 | image-unpack -s store --bundle @file/b -m +1 app -- true
	2 is not a valid map                      | image-unpack --flat x -m @nonsense oci:img
	2 is not one of make, skip                | image-unpack --devices=@maybe oci:img
	2 is not a size                           | image-unpack --max-bytes=@12q oci:img
	2 unknown option                          | image-unpack @--nonsense
	E
}

@test "mount-idmapped: sources, targets, maps and options" {
	need root
	each <<-'E'
	1   cannot open the source: No such file | mount-idmapped -m +1 @nowhere target
	1   cannot open the source: Not a dir    | mount-idmapped -m +1 @file/x target
	1   No such file                         | mount-idmapped -m +1 @/dev/nowhere target
	1   no device has this                   | mount-idmapped -m +1 @UUID=1234 target
	1   too short for a filesystem           | mount-idmapped -m +1 -t ext4 @file target
	1   No such file                         | mount-idmapped -m +1 dir @nowhere
	1   Not a directory                      | mount-idmapped -m +1 -o mkdir dir @file/x
	1   something that is not a directory | mount-idmapped -m +1 dir @file
	1   No such file                     | mount-idmapped -m +1 -o lower=@nowhere overlay target
	1   Not a directory                     | mount-idmapped -m +1 -o lower=@file overlay target
	1   there is no such image               | mount-idmapped -m +1 -s store image:@none target
	1   there is no store                    | mount-idmapped -m +1 -s @nowhere image:app target
	1   there is no user of this name        | mount-idmapped -m u:@nobody-here:0:1 dir target
	1   there is no user of this name        | mount-idmapped -m owner:@nobody-here dir target
	1   there is no such process             | mount-idmapped -m pid:@999999999 dir target
	1   Bad file descriptor                  | mount-idmapped -m @fd:99 dir target
	1   No such file                         | mount-idmapped -m @@nowhere dir target
	1   is a directory, not                  | mount-idmapped -m @@dir dir target
	2   expected DISK:SEEN:COUNT             | mount-idmapped -m @0:1 dir target
	2   unknown option                       | mount-idmapped -m +1 -o @nonsense dir target
	1   cannot read the fstab: No such       | mount-idmapped -a -T @nowhere
	1   is not a valid line of an fstab               | mount-idmapped -a -T @line
	1   No such file                         | mount-idmapped -u @nowhere
	1   nothing is mounted there             | mount-idmapped -u @target
	127 cannot run the command: No such file | mount-idmapped -e -m +1 dir target -- @nowhere
	126 cannot run the command: Permission   | mount-idmapped -e -m +1 dir target -- @/tmp
	E
}

@test "shift-check: paths, users, namespaces and forms" {
	need root
	each <<-'E'
	1 cannot open: No such file      | shift-check explain @nowhere
	1 cannot open: Not a directory   | shift-check explain @file/x
	1 there is no user of this name  | shift-check explain --as @nobody-here dir
	1 there is no group of this name | shift-check explain --as 1:@nogroup-here dir
	1 there is no such process       | shift-check explain --userns pid:@999999999 dir
	2 is not an operation            | shift-check explain --op @nonsense dir
	1 No such file                   | shift-check verify @nowhere
	1 No such file                   | shift-check verify --spec @nowhere dir
	1 No such file                   | shift-check verify --source @nowhere dir
	1 there is no such image         | shift-check verify -s store --image @none dir
	1 No such file                   | shift-check list @nowhere
	1 No such file                   | shift-check host @nowhere
	2 is not a valid map             | shift-check map @nonsense
	2 is not a form                  | shift-check map +1 --to @nonsense
	1 there is no user of this name  | shift-check subid @nobody-here
	1 No such file                   | shift-check @nonsense
	E
}

@test "userns-run: roots, images, commands, rules and users" {
	need root
	printf 'mknod:safe\nnonsense\n' >policy
	each <<-'E'
	125 No such file                   | userns-run -m +100000 -r @nowhere -- true
	125 is not a directory             | userns-run -m +100000 -r @file -- true
	125 there is no such image         | userns-run -m +100000 -s store -i image:@none -- true
	127 cannot run the command: No     | userns-run -m +100000 -- @nowhere
	126 cannot run the command: Perm   | userns-run -m +100000 -- @/tmp
	125 there is no such rule          | userns-run -m +100000 --allow @nonsense -- true
	125 there is no such rule          | userns-run -m +100000 --policy policy -- true
	125 No such file                   | userns-run -m +100000 --policy @nowhere -- true
	125 cannot open the audit file: No | userns-run -m+5 --allow umount --audit @no/x -- true
	125 cannot open the audit file: Is | userns-run -m+5 --allow umount --audit @dir -- true
	125 No such file                   | userns-run -m +100000 -b @nowhere:/mnt -- true
	125 in the root of the command     | userns-run -m +100000 -b /etc:@/nowhere -- true
	125 there is no user of this name  | userns-run -m +100000 --user @nobody-here -- true
	125 cannot become user             | userns-run -m +100000 --user @77777777 -- true
	125 has no id 0                    | userns-run -m 5:100000:1 -- true
	125 there is no such process       | userns-run -m pid:@999999999 -- true
	E
}

@test "an ordinary user is told what it may not open, and what it takes" {
	need root
	make_user alice 2001 300000 65536
	chmod 711 . && chmod 700 dir
	mkdir -m 755 open
	touch open/f
	each as_user alice <<-'E'
	1   Permission denied    | mount-idmapped -m +1 @dir/x target
	1   cannot unmount       | mount-idmapped -u @/proc
	1   Permission denied    | mount-idmapped -a -T @/etc/shadow
	1   Permission denied    | image-unpack -s store @dir/x.tar
	1   Permission denied    | image-unpack --list -s @store
	1   Permission denied    | shift-check explain @dir/x
	1   Permission denied    | shift-check verify @dir/x
	125 Permission denied    | userns-run --allow chown:report --audit @dir/x -- true
	125 in the root of the c | userns-run -r dir -- true
	125 users can reach it   | userns-run -r @open -- true
	125 omit -r: without it  | userns-run -r @/ -- true
	125 omit the word map    | userns-run -b @/etc:/x:map -- true
	E
}
