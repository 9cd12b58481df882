#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# What is wrong of a command line, by a typing error or a habit of another program, is named, and
# what to write instead is said.

load lib
need root
need kernel 6.3 # the store is a tmpfs here

# Alice has ids; the images debian (of the layout debian, whose reference is 12) are unpacked.
test_setup() {
	local name
	make_user alice 2001 362144 65536
	mkdir bin SRC DST EMPTY D2
	ln -s "$SHIFTBOX" bin/shiftbox
	for name in $("$SHIFTBOX" --list); do ln -s shiftbox "bin/$name"; done
	ln -s shiftbox bin/mount.shiftbox
	chown 1000:1000 SRC
	touch SRC/f
	echo hello >TEXT
	mkdir -p /var/lib/shiftbox
	mount -t tmpfs -o mode=700 none /var/lib/shiftbox
	"$TESTS/fixtures/mkimage.py" debian <<-'END'
		{"layers": [{"files": {"etc/passwd": "root:x:0:0::/:/bin/sh\n"}}], "ref": "12"}
	END
	"$SHIFTBOX" image-unpack -q oci:debian
}

test_teardown() {
	umount -l /var/lib/shiftbox || true
}

# Lines "STATUS | WORD | REMEDY | COMMAND": the command ends with that status, the first line of its
# message has the word, and the line "try:" has the remedy.
each() {
	local line status_wanted word remedy command n=0
	while IFS= read -r line; do
		status_wanted=${line%% | *} line=${line#* | }
		word=${line%% | *} line=${line#* | }
		remedy=${line%% | *} command=${line#* | }
		n=$((n + 1))
		capture env PATH="$SCRATCH/bin:$PATH" bash -c "$command" </dev/null
		[ "$status" = "$status_wanted" ] || tell "the status is not $status_wanted"
		[[ ${stderr%%$'\n'*} == *"$word"* ]] || tell "'$word' is not named"
		[[ $stderr == *$'\n  try:  '*"$remedy"* ]] || tell "'$remedy' is not advised"
		[[ $stderr != *"$SHIFTBOX --help"* ]] || tell "it points to the help"
	done
	[ "$n" -gt 3 ] || say "$n lines"
}

@test "image-unpack: what is misspelt, or a habit of another program" {
	each <<-'E'
	2 | oci:X | -n is --dry-run; the name of the | image-unpack -n debian oci:X
	2 | oci:debian | -n is --dry-run; the name of the | image-unpack -n debian oci:debian
	1 | TEXT | specify a tar archive | image-unpack TEXT
	1 | TEXT | specify a tar archive | image-unpack docker-archive:TEXT
	1 | linux/amd64, not linux/arm64 | omit | image-unpack --platform linux/arm64 oci:debian
	1 | ls | did you mean --list? | image-unpack ls
	1 | images | did you mean --list? | image-unpack images
	1 | rm | did you mean --remove NAME? | image-unpack rm x
	1 | pull | image-unpack -N x:1 docker://x:1 | image-unpack pull x:1
	1 | pull | skopeo copy docker-daemon:x oci:x, | image-unpack pull docker-daemon:x
	1 | pull | -N NAME docker://HOST/PATH | image-unpack pull
	1 | docker-daemon:x | skopeo copy docker-daemon:x | image-unpack docker-daemon:x
	1 | containers-storage:x | skopeo copy | image-unpack containers-storage:x
	1 | x | check the name: namei x shows | image-unpack dir:x
	1 | it's x | namei 'it'"'"'s x' shows | image-unpack "dir:it's x"
	1 | -x | namei ./-x shows | image-unpack dir:-x
	1 | DOCKER://x | image-unpack -N x docker://x | image-unpack DOCKER://x
	1 | docker:x | image-unpack -N x docker://x | image-unpack docker:x
	1 | registry:x | image-unpack -N x docker://x | image-unpack registry:x
	1 | Layer:x.tar | did you mean layer:x.tar? | image-unpack Layer:x.tar
	1 | x.tar | check the name: namei x.tar shows | image-unpack layer:x.tar
	2 | the name of the image is missing | docker://HOST/PATH:TAG | image-unpack docker://
	2 | --terminal | omit -t: it is --terminal, for | image-unpack -t debian oci:debian
	2 | --tag | use -N NAME (--name) to name the | image-unpack --tag debian oci:debian
	2 | debian | shiftbox image-unpack --show | image-unpack --list debian
	2 | debian | takes no names | image-unpack --list debian x
	2 | --nonsense | --prune: --store, --remote | image-unpack --nonsense --list
	1 | /proc/x | in a filesystem that stores | image-unpack --store /proc/x oci:debian
	1 | /sys/x | in a filesystem that stores | image-unpack --store /sys/x/y oci:debian
	1 | debian | a directory that exists | mkdir L; cd L; rmdir ../L; image-unpack oci:debian
	1 | https://a/b | download it first | image-unpack https://a/b
	1 | cannot open the image | write a path (is a variable | image-unpack ""
	1 | cannot open the directory | write a path (is a variable | image-unpack oci:
	2 | --name | give it a value, or omit | image-unpack -N "" oci:debian
	2 | --show | give it a value, or omit | image-unpack --show ""
	1 | standard output | >FILE, not >&- | image-unpack --list >&-
	1 | standard output | >FILE, not >&- | image-unpack --help >&-
	2 | --lst | did you mean --list? | image-unpack --lst
	2 | --images | use --list (-l) | image-unpack --images
	2 | --nmae | did you mean --name? | image-unpack --nmae x oci:debian
	2 | --tag | use -N NAME (--name) to name the | image-unpack --tag x oci:debian
	2 | --verfy | did you mean --verify? | image-unpack --verfy debian
	2 | --inspect | use --show NAME | image-unpack --inspect debian
	2 | --rm | use --remove NAME, then --prune | image-unpack --rm debian
	2 | --force | with --flat DIR use --replace | image-unpack --force --flat F oci:debian
	2 | -f | omit it: nothing is asked, and | image-unpack -f oci:debian
	2 | --force | omit it: nothing is asked, and | image-unpack --prune --force
	2 | -x | -N NAME FILE.tar, or --flat DIR | image-unpack -xf x.tar
	2 | -z | omit it: the compression is | image-unpack -z x.tar
	2 | --strip-components | an image is unpacked whole | image-unpack --strip-components=1 x
	2 | --debug | use --verbose (-v) | image-unpack --debug x.tar
	2 | --progress | a terminal shows the | image-unpack --progress=plain x.tar
	2 | --threads | use --jobs N (-j) | image-unpack --threads 4 x.tar
	2 | --tls-verify | use --insecure HOST | image-unpack --tls-verify x.tar
	2 | --no-same-owner | -m MAP gives them others | image-unpack --no-same-owner x.tar
	2 | -i | image-unpack docker-archive:x.tar | image-unpack load -i x.tar
	2 | -i | image-unpack docker-archive:'a b' | image-unpack load -i'a b'
	2 | --input | image-unpack docker-archive:x.tar | image-unpack load --input=x.tar
	2 | --input | image-unpack docker-archive:FILE | image-unpack load --input
	1 | load | image-unpack docker-archive:x.tar | image-unpack load x.tar
	1 | load | image-unpack docker-archive:FILE | image-unpack load
	1 | import | image-unpack -N NAME x.tar | image-unpack import x.tar
	2 | -c | NAME -- CMD...; options of --bundle | image-unpack --bundle B debian sh -c id
	1 | docker-daemon:a:1 | -N t oci:a | image-unpack -N t docker-daemon:a:1
	1 | debian | name the source that it was | cd SRC; image-unpack -N debian2 debian
	1 | debian | shift-check map --cover image:debian | cd SRC; image-unpack --scan debian
	1 | image:debian | to use it: shiftbox mount-idmapped | image-unpack image:debian
	1 | a | image-unpack --scan docker://a | image-unpack --scan a
	1 | OCI:debian | did you mean oci:debian? | image-unpack -N x OCI:debian
	1 | v9 | omit ':v9' | cp -r debian n; sed -i 's/, "annot.*}}/}/' n/i*; image-unpack oci:n:v9
	1 | TEXT | shiftbox image-unpack -N NAME TEXT | image-unpack -N x oci:TEXT
	1 | TEXT | shiftbox image-unpack -N NAME TEXT | image-unpack -N x dir:TEXT
	1 | TEXT:1 | -N NAME oci-archive:TEXT:1 | image-unpack oci:TEXT:1
	1 | y.tar | -N NAME y.tar | tar cf y.tar SRC; image-unpack oci-archive:y.tar
	1 | y.tar | -N NAME y.tar | image-unpack docker-archive:y.tar
	1 | index.json | fetch the image again | cp -r debian b; echo { >b/i*; image-unpack b
	2 | --dryrun | did you mean --dry-run? | image-unpack --dryrun oci:debian
	1 | debian:12 | image-unpack -N NAME oci:debian:12 | image-unpack debian:12
	1 | 127.0.0.1:1 | check the name, the port | image-unpack 127.0.0.1:1/debiam:12
	1 | 127.0.0.1:1 | check the name, the port | image-unpack docker://127.0.0.1:1/x
	2 | 'Debian:12' | lower case | image-unpack docker://Debian:12
	1 | registry:debian | docker://debian | image-unpack registry:debian
	1 | TEXT | a store is a directory: name | image-unpack -s TEXT oci:debian
	1 | /dev/null | name a file; for a stream: | image-unpack /dev/null
	2 | plain layers and standard | shiftbox image-unpack -N NAME | image-unpack -
	1 | debian@sha256:abc | a digest follows a colon: | image-unpack oci:debian@sha256:abc
	2 | oci:debian | the name of the image is an | image-unpack oci:debian debian
	1 | debian | name a file; for an OCI layout in | image-unpack debian debian
	2 | oci:debian | unpack each image with a command | image-unpack oci:debian oci:debian
	1 | nope | name an image that is there | image-unpack --remove nope
	1 | nope | name an image that is there | image-unpack --verify nope
	1 | debian:bookworm-slim | did you mean debian? | image-unpack --show debian:bookworm-slim
	2 | a bundle needs the | add a map, such as -m | image-unpack --bundle DIR debian
	2 | -name | did you mean --name? | image-unpack -name x oci:debian
	2 | --platfrom | did you mean --platform? | image-unpack --platfrom linux/amd64 oci:debian
	2 | --platform | write a platform such as | image-unpack --platform amd64 oci:debian
	2 | no variant 'v9' | v1 v2 v3 v4 | image-unpack --platform linux/amd64/v9 oci:debian
	2 | arm has no variant 'v4' | v5 v6 v7 v8 | image-unpack --platform linux/arm/v4 oci:debian
	2 | -N | write it after the option: -N NAME | image-unpack --device skip oci:debian -N
	2 | --devices | did you mean skip? | image-unpack --devices skipp oci:debian
	2 | --jobs | write decimal digits only, such | image-unpack --jobs four oci:debian
	2 | --max-bytes | write a size such as 512M or | image-unpack --max-bytes lots oci:debian
	1 | debain | did you mean debian? | image-unpack --show debain
	2 | --show | write it after the option: --show | image-unpack --show
	1 | debian:12 | did you mean debian? | image-unpack --remove debian:12
	1 | image:debian | did you mean debian? | image-unpack --verify image:debian
	2 | the NAME of an | --bundle DIR -m user:USER | image-unpack --bundle B -m user:alice
	2 | an image to unpack | --flat DIR oci:debian | image-unpack --flat oci:debian
	2 | an image to unpack | --flat DIR TEXT | image-unpack --flat TEXT
	2 | an image to unpack | image-unpack --flat D2/x oci:DIR | image-unpack --flat D2/x
	2 | --flat | write it after the option: --flat | image-unpack --flat
	2 | an image to scan | shiftbox image-unpack --scan | image-unpack --scan
	2 | debian | omit it | image-unpack --prune debian
	1 | run | shiftbox userns-run -i NAME | image-unpack run debian
	1 | 13 | write oci:debian:12, or omit ':13' | image-unpack oci:debian:13
	1 | TEXT:a:3 | docker-archive:TEXT:a:3 (of an OCI | image-unpack -N x TEXT:a:3
	1 | history | did you mean --show NAME? | image-unpack history debian
	1 | shiftbox | list them: shiftbox image-unpack -s DIR | image-unpack /var/lib/shiftbox
	1 | NEW | did you mean --flat NEW debian? | image-unpack --flat debian NEW
	1 | NEW | did you mean --flat NEW oci:debian? | image-unpack --flat oci:debian NEW
	1 | nowhere | check the name: namei nowhere shows | image-unpack oci:nowhere
	1 | nowhere.tar.gz | check the name (namei nowhere.tar.gz | image-unpack nowhere.tar.gz
	1 | debian | name a file; for an OCI layout in | image-unpack oci-archive:debian
	1 | image:x | write the name alone: -N x | image-unpack -N image:x oci:debian
	1 | OCI:x | write the name alone: -N x | image-unpack -N OCI:x oci:debian
	1 | oci:image: | write the name alone: -N NAME | image-unpack -N oci:image: oci:debian
	1 | image:12 | write the name alone: -N 12 | cp -r debian image; image-unpack oci:image:12
	1 | my image | choose one with --name | image-unpack -N 'my image' oci:debian
	2 | -C | use --flat DIR to unpack into a | image-unpack -C D2 oci:debian
	2 | the store's path is | name a directory, or omit | image-unpack --store= oci:debian
	1 | loop | mend its symbolic links: namei | ln -s loop loop; image-unpack loop
	1 | //debian2 | write the path alone: oci:debian2 | image-unpack oci://debian2
	1 | file:///x.tar | write the path alone: /x.tar | image-unpack file:///x.tar
	1 | windows/amd64 | --override-os=windows | image-unpack --platform windows/amd64 oci:debian
	1 | tag | shiftbox image-unpack -N NAME SOURCE | image-unpack tag debian other
	1 | debi | image-unpack --flat F docker://debi | image-unpack --flat F debi
	1 | debian | name the source that it was | cd SRC; image-unpack --flat F debian
	1 | image:debian | name the source that it was | image-unpack --flat F image:debian
	1 | oci:debian | did you mean debian? | image-unpack --remove oci:debian
	1 | oci:none | as shiftbox image-unpack --list shows it | image-unpack --show oci:none
	1 | oci:a/b | as shiftbox image-unpack --list shows it | image-unpack --remove oci:a/b
	1 | Debian:12/slim | choose one with --name | image-unpack -N Debian:12/slim oci:debian
	1 | debian/index.json | image-unpack oci:debian | image-unpack debian/index.json
	1 | index.json | image-unpack oci:. | cd debian; image-unpack --scan index.json
	1 | x.tar:12 | -N NAME oci-archive:./x.tar:12 | tar cf x.tar debian; image-unpack ./x.tar:12
	1 | debian:13 | -N NAME oci:./debian:13 | image-unpack ./debian:13
	1 | is not a tar archive | specify a tar archive | echo '{}' >j; image-unpack -N j j
	1 | save | copy the source that was unpacked | image-unpack save debian
	1 | build | build it with another program | image-unpack build .
	E
}

@test "mount-idmapped: what is misspelt, or a habit of another program" {
	each <<-'E'
	2 | DST | shiftbox mount-idmapped -m MAP | mount-idmapped -m SRC DST
	2 | DST | for a stack of layers, SOURCE is | mount-idmapped -o lower=SRC DST
	1 | / | name a directory below it | mount-idmapped -u /
	1 | debian2 | did you mean image:debian? | mount-idmapped -m +300000 debian2 DST
	1 | debiam | did you mean image:debian? | mount-idmapped -m +300000 debiam DST
	1 | busybox | check the name: namei busybox shows | mount-idmapped -m +300000 busybox DST
	1 | layer:x.tar | image-unpack -N NAME layer:x.tar; | mount-idmapped -m +3 layer:x.tar DST
	1 | OCI:x | image-unpack -N NAME oci:x; then | mount-idmapped -m +3 OCI:x DST
	1 | docker:x | image-unpack -N x docker://x | mount-idmapped -m +3 docker:x DST
	1 | registry:x | image-unpack -N x docker://x | mount-idmapped -m +3 registry:x DST
	1 | oci:debian | unpack it first: shiftbox | mount-idmapped -m +300000 oci:debian DST
	1 | Image:debian | did you mean image:debian? | mount-idmapped -m +300000 Image:debian DST
	1 | server:/export | NFS cannot be | mount-idmapped -m +300000 server:/export DST
	2 | uidmap | write map=u:1000:100033:1 | mount-idmapped -o uidmap=1000:100033:1 SRC DST
	2 | idmap | write map=1000:100033:1 (or | mount-idmapped -o idmap=1000:100033:1 SRC DST
	2 | uid | a map shows another owner: | mount-idmapped -o uid=1000 SRC DST
	1 | '--halp' | mount -t shiftbox SOURCE TARGET | mount.shiftbox --halp
	1 | '-x' | mount -t shiftbox SOURCE TARGET | mount.shiftbox -x SRC DST
	1 | '-o' needs a value | mount -t shiftbox SOURCE TARGET | mount.shiftbox SRC DST -o
	2 | --read-only | use -o ro | mount-idmapped --read-only SRC DST
	2 | -r | use -o ro | mount-idmapped -r SRC DST
	2 | --bind | omit it: a directory is bound | mount-idmapped --bind SRC DST
	2 | --umount | did you mean --unmount (-u)? | mount-idmapped --umount DST
	2 | --mpa | did you mean --map? | mount-idmapped --mpa +100000 SRC DST
	2 | --jsn | did you mean --json? | mount-idmapped --jsn SRC DST
	2 | 100000 | did you mean +100000 (disk id 0 | mount-idmapped -m 100000 SRC DST
	2 | 1000:100033 | 1000:100033:1 for one id | mount-idmapped -m 1000:100033 SRC DST
	2 | 1000=100033 | 1000:100033:1 for one id | mount-idmapped -m 1000=100033 SRC DST
	2 | alice | did you mean user:alice (a | mount-idmapped -m alice SRC DST
	2 | bad | write a map such as 1000:100033:1 | mount-idmapped -m bad SRC DST
	2 | 0:100000:65536:b | the kind of id comes | mount-idmapped -m 0:100000:65536:b SRC DST
	2 | 0:1:100000:65536 | write one range as | mount-idmapped -m 0:1:100000:65536 SRC DST
	2 | b:5:200:10 | omit one of the two, or | mount-idmapped -m '0:100:10 5:200:10' SRC DST
	2 | 0:100:0 | write the number of ids as COUNT: | mount-idmapped -m 0:100:0 SRC DST
	2 | 0:4294967290:10 | choose smaller numbers: | mount-idmapped -m 0:4294967290:10 SRC DST
	2 | self | write the number of a process, as | mount-idmapped -m pid:self SRC DST
	1 | /nothere | a map is DISK:SEEN:COUNT, +BASE, | mount-idmapped -m /nothere SRC DST
	1 | SRC | name both SOURCE and TARGET, or | mount-idmapped SRC
	2 | c | mount each SOURCE with a command | mount-idmapped SRC DST c
	2 | DST | separate options with commas, | mount-idmapped -o ro noatime SRC DST
	2 | rwx | did you mean rw? | mount-idmapped -o rwx SRC DST
	2 | readonly | did you mean ro? | mount-idmapped -o readonly SRC DST
	1 | none | a size has digits and | mount-idmapped -m +100000 -t tmpfs -o size=1Q none DST
	1 | /dev/zero | name a directory, a file or a | mount-idmapped -m +100000 /dev/zero DST
	1 | is a namespace | mount --bind keeps | mount-idmapped -m +5 /proc/self/ns/mnt DST
	1 | is a namespace | mount --bind keeps | mount-idmapped -m +5 /proc/self/ns/user TEXT
	1 | is a namespace | mount --bind keeps | mount-idmapped /proc/self/ns/net TEXT
	1 | is a pipe | by its own path | :|mount-idmapped -m +5 /proc/self/fd/0 TEXT
	1 | is a pipe | by its own path | :|mount-idmapped /proc/self/fd/0 TEXT
	125 | is a namespace | mount --bind | userns-run -m +4000 -b /proc/self/ns/net:/mnt:map true
	1 | SRC | shiftbox shift-check list shows | mount-idmapped -u SRC DST
	2 | -map | did you mean --map? | mount-idmapped -map +100000 SRC DST
	2 | ro | write ro alone, or omit it | mount-idmapped -m +100000 -o ro=1 SRC DST
	2 | mkdir | write a mode such as | mount-idmapped -m +100000 -o mkdir=rwx SRC D3
	2 | upper | name a stack as SOURCE: | mount-idmapped -m +100000 -o upper=UP SRC DST
	2 | u:1000:2000 | add COUNT, the number of ids: | mount-idmapped -m u:1000:2000 SRC DST
	2 | 1000 | separate the three numbers with | mount-idmapped -m 1000,2000,1 SRC DST
	2 | {"uidMappings": | shiftbox | mount-idmapped -m '{"uidMappings": []}' SRC DST
	2 | --uidmap=0:100000:65536 | shiftbox | mount-idmapped -m --uidmap=0:100000:65536 SRC DST
	2 | 0 | did you mean 0:100000:65536? | mount-idmapped -m '0 100000 65536' SRC DST
	2 | USER is missing (byte | write a name or a number | mount-idmapped -m user: SRC DST
	1 | alcie | did you mean alice? | mount-idmapped -m user:alcie SRC DST
	2 | 0:100000:0 | write the number of ids as COUNT: | mount-idmapped -m +100000:0 SRC DST
	2 | 1e5 | write decimal digits only, such | mount-idmapped -m +1e5 SRC DST
	2 | 0x3e8 | write decimal digits only, such | mount-idmapped -m 0x3e8:1000:1 SRC DST
	2 | rest | a comma ends the map here: | mount-idmapped -o map=1000:100033:1,rest SRC DST
	2 | a TARGET is missing | shiftbox mount-idmapped -u TARGET | mount-idmapped -u
	2 | SRC | omit it, or omit --all | mount-idmapped -a SRC
	2 | --exec | mount-idmapped -e -m MAP SOURCE | mount-idmapped -e -m +100000 SRC DST
	1 | umount | did you mean shiftbox | mount-idmapped umount DST
	2 | SRC | name the directory to mount it | mount-idmapped -m +100000 SRC
	2 | SRC | name the directory to mount it | mount-idmapped --option ro -m +1 SRC
	1 | loop | mend its symbolic links: namei | ln -s loop loop; mount-idmapped -m +1 loop DST
	2 | another kind | /proc/PID/ns/user | mount-idmapped -m /proc/$$/ns/mnt SRC DST
	2 | remount | mount -o remount,bind,ro TARGET | mount-idmapped -o ro,remount DST
	2 | image:NAME | --list shows the names | mount-idmapped -m +1 image: DST
	2 | TARGET | name both; in a script | mount-idmapped -m +1 SRC ''
	2 | 'ephemeral' | omit one of them | mount-idmapped -o upper=U,ephemeral image:debian DST
	1 | cannot open the target | use a shorter one | mount-idmapped SRC $(printf %0300d 1)
	2 | alice:5 | write user:alice alone | mount-idmapped -m user:alice:5 SRC DST
	2 | the map is empty | write a map such as 1000:100033:1 | mount-idmapped -m '' SRC DST
	2 | DST | -m 1000:1001:1 | mount-idmapped -m 1000 1001 SRC DST
	2 | SRC | -m 1000:1001:5 | mount-idmapped -m 1000 1001 5 SRC DST
	2 | 1000 | -m 1000:1001:1 | mount-idmapped -m 1000 1001 DST
	2 | group:alice | g:alice:SEEN:1 shows the group | mount-idmapped -m group:alice SRC DST
	2 | g:nobody | nobody is a user and no group | mount-idmapped -m g:nobody SRC DST
	2 | group:nix | getent group lists them | mount-idmapped -m group:nix SRC DST
	1 | /proc/x | in a filesystem that stores | mount-idmapped SRC /proc/x
	2 | 1000-1010:2000 | their number: 1000:2000:11 | mount-idmapped -m 1000-1010:2000 SRC DST
	2 | /proc/1/ns | /proc/PID/ns/user | mount-idmapped -m /proc/1/ns SRC DST
	2 | FILE is missing | three columns | mount-idmapped -m @ SRC DST
	2 | lower | omit lower= | mount-idmapped -o lower=SRC image:debian DST
	2 | work | add upper=DIR, or omit | mount-idmapped -o work=W image:debian DST
	2 | lower=DIR | lower=TOPMOST | mount-idmapped -t overlay none DST
	2 | UUID= | write a value after '=' | mount-idmapped -m +1 UUID= DST
	2 | ro noexec | separate options with commas | mount-idmapped -o 'ro noexec' SRC DST
	2 | propagation | write private, slave | mount-idmapped -o propagation=shared SRC DST
	2 | rest:5 | write rest alone, or u:rest | mount-idmapped -m rest:5 SRC DST
	2 | none | write none alone | mount-idmapped -m none,0:1:1 SRC DST
	2 | 0 100000 | three numbers in a line | echo 0 100000 >m; mount-idmapped -m @m SRC DST
	1 | image:debian | name the directory that the image | mount-idmapped -u image:debian
	1 | layers: | name each layer once | mount-idmapped -o lower=SRC,lower=SRC overlay DST
	1 | /dev/null | a regular file, or a directory | mount-idmapped -a -T /dev/null
	1 | f, line 1, '/t': '1:2' | 1:2:1 | echo /s /t shiftbox map=1:2 >f; mount-idmapped -aT f
	1 | 'b': f: | beginning with / | echo a b shiftbox >f; mount-idmapped -a -T f
	1 | 'SRC': the source | or image:NAME, | echo SRC /t shiftbox >f; mount-idmapped -aT f
	1 | 'TEXT': the source | with / | echo TEXT /t shiftbox loop >f; mount-idmapped -aT f
	1 | 'L': lower= of | with / | echo overlay /t shiftbox lower=L >f; mount-idmapped -aT f
	1 | 'U': upper= of | with / | echo image:debian /t shiftbox upper=U >f; mount-idmapped -aT f
	1 | f, line 1: 'shiftbox' | TARGET | echo /s shiftbox map=+5 0 0 >f; mount-idmapped -aT f
	1 | f, line 1: 'map=+5' | TARGET shift | echo /s /t map=+5 0 0 >f; mount-idmapped -aT f
	1 | 'f': line 1 | SOURCE TARGET TYPE OPTIONS | echo /s shiftbox >f; mount-idmapped -aT f
	2 | 'none' | omit it: a directory is bound | mount-idmapped -m +1 -t none SRC DST
	2 | 'none' | omit it: a directory is | mount-idmapped -m +1 -o bind,type=none SRC DST
	2 | 'bind' | omit it: a directory is bound | mount-idmapped -m +1 -t bind SRC DST
	2 | 'rbind' | the option rbind | mount-idmapped -m +1 -t rbind SRC DST
	2 | 'shiftbox' | for mount(8) and for an fstab | mount-idmapped -m +1 -t shiftbox SRC DST
	2 | -f | umount -f TARGET | mount-idmapped -u -f DST
	2 | DST | write -m 1000:1001:1 | mount-idmapped 1000:1001:1 SRC DST
	2 | user:alice | write -m user:alice | mount-idmapped SRC DST user:alice
	1 | 1000:1001:1 | before it: -m 1000:1001:1 | mount-idmapped 1000:1001:1 SRC
	1 | user:alice | before it: -m user:alice | mount-idmapped -o ro user:alice SRC
	2 | SRC | type the '-' of each option | mount-idmapped –m 1000:1001:1 SRC
	2 | DST | type the '-' of each option again | mount-idmapped −m SRC DST
	2 | ls | -e image:debian DST -- ls | mount-idmapped -m +1 -o ro image:debian DST ls
	2 | nope | -e SRC DST -- nope | mount-idmapped -m +1 SRC DST -- nope
	2 | ro | write -o ro | mount-idmapped SRC DST ro
	2 | DST | write -o ro,noexec | mount-idmapped ro,noexec SRC DST
	2 | DST | write -o bind | mount-idmapped bind SRC DST
	2 | DST | -t tmpfs tmpfs DST | mount-idmapped -m +1 -t tmpfs DST
	1 | tmpfs | -t tmpfs tmpfs TARGET | mount-idmapped -m +1 tmpfs DST
	1 | LABLE=x | did you mean LABEL=x? | mount-idmapped -m +1 LABLE=x DST
	2 | --map | -u needs only a TARGET | mount-idmapped -m user:alice -u DST
	1 | / | mount it read-only, omit disk id 0 | mount-idmapped -m +300000 / DST
	1 | /proc/x | in a filesystem that stores | mount-idmapped -o mkdir SRC /proc/x
	1 | offset=10737418240 | where its partitions | mount-idmapped -m +1 -o offset=10G TEXT DST
	1 | sizelimit=1073741824 | omit sizelimit= | mount-idmapped -o sizelimit=1G TEXT DST
	2 | size | ephemeral=SIZE | mount-idmapped -o size=1M,ephemeral image:debian DST
	1 | dang | mend the link, or | ln -s nowhere dang; mount-idmapped -m +1 dang DST
	1 | 'f': line 1 | no blank after a | echo /s /t shiftbox map=+5, ro >f; mount-idmapped -aT f
	1 | /t/%u | add each=subid | echo /s /t/%u shiftbox map=user:%u >f; mount-idmapped -aT f
	1 | server:/x | see "NFS" in mount | mount-idmapped -m +1 -t nfs4 server:/x DST
	1 | /t | add bind to its | echo /s /t none X-mount.idmap=+5 >f; mount-idmapped -aT f
	2 | map:1:2:3 | write map=1:2:3 | mount-idmapped -o map:1:2:3 SRC DST
	2 | 'none' | omit it, or the others | mount-idmapped -m none -m +1 SRC DST
	2 | 'rw' | add upper=DIR or ephemeral | mount-idmapped -o rw image:debian DST
	2 | SOURCE and TARGET | mount-idmapped -m MAP SOURCE TARGET | mount-idmapped -e -m +1 -- ls
	2 | --nosuid | write -o nosuid | mount-idmapped --nosuid SRC DST
	2 | --noexec | write -o noexec | mount-idmapped --noexec SRC DST
	2 | --subdir | write -o subdir=DIR | mount-idmapped --subdir x SRC DST
	2 | --mount | write SRC and DST as two | mount-idmapped --mount type=bind,src=SRC,dst=DST
	2 | --make-rprivate | use -o private | mount-idmapped --make-rprivate SRC DST
	2 | -N | mount -t shiftbox -N | mount-idmapped -N 1 SRC DST
	1 | nothere | create it first | mount-idmapped -m 1000:1001:1 SRC nothere
	1 | server | by virtiofs | mount-idmapped -m +1 -t 9p -o trans=nope server DST
	1 | / | a directory below it | mount-idmapped -m +1 -o upper=/ image:debian DST
	1 | directory, which cannot be unmounted | a directory below it | mount-idmapped -u /
	1 | cannot be an upper | a directory | mount-idmapped -o upper=/ image:debian DST
	2 | image:debian | swapped? write image:debian DST ( | mount-idmapped -m +1 DST image:debian
	2 | image:debian | swapped? | mount-idmapped -m +1 -o mkdir,upper=U DST image:debian
	1 | SRC:DST | two words: shiftbox mount-idmapped -m MAP SRC DST | mount-idmapped -v SRC:DST
	2 | SRC:DST | two words: shiftbox mount-idmapped -m | mount-idmapped -m +1 -v SRC:DST:ro
	2 | user:alice | write map=user:alice | mount-idmapped -o user:alice image:debian DST
	2 | 1000:1001:1 | write map=1000:1001:1 | mount-idmapped -o 1000:1001:1 SRC DST
	2 | +300000 | write map=+300000 | mount-idmapped -o ro,+300000 SRC DST
	2 | upper | did you mean image:debian? | mount-idmapped -m +1 -o upper=U debian DST
	1 | l.tar | -N NAME l.tar; | tar cf l.tar SRC; mount-idmapped -m +300000 l.tar DST
	1 | 'l' | image-unpack -N NAME l; then | mv l.tar l; mount-idmapped -m +300000 l DST
	1 | /l': | /l; then name it image | echo $PWD/l $PWD/DST shiftbox >f; mount-idmapped -aT f
	1 | ZERO | type=TYPE in a | truncate -s 1M ZERO; mount-idmapped -m +300000 ZERO DST
	1 | 'DST:ro' | write -o ro SRC DST | mount-idmapped -m 1000:1001:1 SRC DST:ro
	1 | docker://q/debian:12 | image:debian? | mount-idmapped -m +9 docker://q/debian:12 DST
	1 | docker://other | docker://other | mount-idmapped -m +9 docker://other DST
	2 | '-m' needs a value, MAP, | -m MAP --verbose | mount-idmapped -m --verbose SRC DST
	2 | '--map' needs a value, MAP, | --map MAP -o | mount-idmapped --map -o ro SRC DST
	2 | --map-root-user | use -m MAP, such as | mount-idmapped --map-root-user SRC DST
	2 | 'context' | the mount of the filesystem | mount-idmapped -o context=x SRC DST
	1 | 'f': line 1 | 0 0 | echo /s /t shiftbox map=+5 zero 0 >f; mount-idmapped -aT f
	1 | 'f': line 1 | 0 0 | echo /s /t shiftbox map=+5 ro 0 0 >f; mount-idmapped -aT f
	1 | 'f': line | with commas | echo /s /t shiftbox map=+5 map=1:2:3 >f; mount-idmapped -aT f
	1 | 'f': line | 040 for a blank | echo /s s /t shiftbox map=+5 0 0 >f; mount-idmapped -aT f
	2 | TARGET must not be empty | a variable may be empty | mount-idmapped -u ""
	1 | '.' | cd / | mkdir X; cd X; rmdir ../X; mount-idmapped -m +1 . "$OLDPWD/DST"
	1 | 'remount' | mount -o remount,bind,ro DST; | mount.shiftbox SRC DST -o rw,remount,ro
	1 | owner:4242 | u:DISK:4242:1;g:DISK:GID:1 | mount-idmapped -m owner:4242 SRC DST
	2 | alice:root | alice:root:1 shows files of alice | mount-idmapped -m alice:root SRC DST
	2 | alice:nobody | u:alice:nobody:1 shows | mount-idmapped -m alice:nobody SRC DST
	E
}

@test "userns-run: what is misspelt, or a habit of another program" {
	add_line /etc/subuid ghost:900000:65536
	add_line /etc/subgid ghost:900000:65536
	each <<-'E'
	125 | --image | unpack it first: shiftbox | userns-run -i oci:debian
	125 | --image | image-unpack -N NAME layer:x; then | userns-run -m +4 -i layer:x id
	125 | --image | image-unpack -N NAME oci:x; then | userns-run -m +4 -i OCI:x id
	125 | --image | image-unpack -N x docker://x | userns-run -m +4 -i docker://x id
	125 | --image | image-unpack -N x docker://x | userns-run -m +4 -i docker:x id
	125 | --image | image-unpack -N x docker://x | userns-run -m +4 -i registry:x id
	125 | --image | skopeo copy docker-daemon:x:1 oci:x, | userns-run -i docker-daemon:x:1 id
	125 | debian | image-unpack -N NAME oci:./debian; then -i NAME | userns-run -i ./debian id
	125 | TEXT | image-unpack -N NAME ./TEXT; then -i NAME | userns-run -i ./TEXT id
	125 | SRC | root of a system: -r ./SRC | userns-run -i ./SRC id
	125 | R | root of a system: -r ./R | mkdir -p R/usr; >R/oci-layout; userns-run -i ./R id
	125 | -it | omit it: the command gets a | userns-run -it -i debian bash
	125 | -v is --verbose | -b SRC:/DST | userns-run -v SRC:DST id
	125 | -v is --verbose | -b SRC:/DST | userns-run -m +100000 -v SRC:DST id
	125 | -v is --verbose | -b data:/mnt | userns-run -m +100000 -v data:/mnt id
	125 | -v is --verbose | -b ./x:/DST | userns-run -m +100000 -v ./x:DST id
	127 | userns-run | if ubuntu:12 is an image: -i | userns-run -m +4 -v ubuntu:12 id
	125 | --rm | omit it: nothing is kept of a run | userns-run --rm id
	125 | -p | omit it: the command has the | userns-run -p 80:80 id
	125 | -d | omit it: there is no daemon; to | userns-run -d id
	125 | --pipee | did you mean --pipe? | userns-run --pipee id
	125 | there is no map, | map both users and groups to ids | userns-run -i debian bash
	125 | /nothere | check the name: namei /nothere shows | userns-run -m +100000 -r /nothere id
	125 | TEXT | name a directory, or a stored | userns-run -m +100000 -r TEXT id
	125 | /nothere | name a directory of that root, or | userns-run -m +100000 -w /nothere id
	125 | SRC | DST is missing: -b SRC:/DST | userns-run -m +100000 -b SRC id
	125 | SRC:rel | DST must begin with /: -b SRC:/rel | userns-run -m +100000 -b SRC:rel id
	125 | z | omit :z: security labels are not | userns-run -m +100000 -b SRC:/mnt:z id
	125 | U | omit :U: nothing is chowned; map | userns-run -m +100000 -b SRC:/mnt:U id
	125 | /nothere | check the name: namei /nothere | userns-run -m +100000 -b /nothere:/mnt id
	127 | map | follows a colon: -b SRC:DST:map | userns-run -m +100000 -b /etc:/mnt map
	125 | A B | write -e NAME=VALUE, with a '=' | userns-run -m +100000 -e 'A B' id
	125 | --hostname | use letters, digits, - and | userns-run -m +100000 --hostname 'a b' id
	125 | debain | did you mean debian? | userns-run --image debain -m +400000 sh
	125 | the image names no | write the command after the | userns-run -m +400000 -i debian
	125 | debian2 | did you mean -i debian? | userns-run -m +400000 -r debian2 sh
	125 | readonly | did you mean ro? | userns-run -m +400000 -b SRC:/mnt:readonly id
	125 | --net | write one of these words | userns-run -m +400000 --net bridge id
	125 | --alow | did you mean --allow? | userns-run -m +400000 --alow mknod:safe id
	125 | mknod:all | mknod:safe, | userns-run -m +400000 --allow mknod:all id
	125 | CMD is missing | write the command after the | userns-run -m +400000 -u id
	125 | the map has no | map id 0 of both, as -m +100000 | userns-run -m 1000:400000:1 id
	125 | run | omit the word: shiftbox | userns-run run -i debian sh
	125 | CMD is missing | write the command after the | userns-run
	125 | passwd | a directory, or | userns-run -m +4000 -i debian -b SRC:/etc/passwd id
	125 | x/debian | image-unpack --list shows | userns-run -m +400000 -i x/debian id
	125 | /mnt,ro | write SRC:/mnt:ro | userns-run -m +400000 -b SRC:/mnt,ro id
	125 | bind 'SRC:/mnt:ro:rw': 'ro' | omit one | userns-run -m +400000 -b SRC:/mnt:ro:rw id
	125 | bind 'SRC:/mnt:rw:ro': 'ro' | omit one | userns-run -m +400000 -b SRC:/mnt:rw:ro id
	125 | 'ro' and 'rw' | omit one | userns-run -b SRC:/mnt:ro:rw id
	125 | SRC:rel | DST must begin with /: | userns-run -i nosuchimage -b SRC:rel id
	125 | readonly | did you mean ro? | userns-run -r /nothere -b SRC:/mnt:readonly id
	125 | 'rwx' | did you mean rw? | userns-run -i nosuchimage -o rwx id
	125 | 'A B' | write -e NAME=VALUE, with a '=' | userns-run -e 'A B' id
	125 | mknod:all | mknod:safe, | userns-run --allow mknod:all id
	125 | no map, | -m user:alice | userns-run alice bash
	125 | there is no map, | /etc/subgid: -m user:alice | userns-run -u alice -i debian id
	125 | there is no map, | -m subid:ghost | userns-run -u ghost:x -i debian id
	125 | no map, | map both users and | userns-run -u nobody -i debian id
	125 | there is no map, | map both users and groups to ids | userns-run root bash
	125 | '.' or '..' | without them | userns-run -m +400000 -b SRC:/etc/../mnt true
	125 | / | name a path below it | userns-run -m +400000 -b SRC:/ true
	125 | /etc/passwd | a directory of that root | userns-run -m +400000 -w /etc/passwd true
	125 | CMD is empty | name a program (is a variable | userns-run -m +400000 ''
	125 | --env-file | use -e NAME=VALUE (--env) for | userns-run --env-file f id
	126 | SRC | specify a program, by its path | userns-run -m +400000 ./SRC
	127 | ubuntu | if ubuntu is an image: -i ubuntu | userns-run -m +400000 ubuntu sh
	125 | / | read-only: --read-only for | userns-run -m +400000 -r / id
	125 | E0 | image-unpack --flat E0 | mkdir E0; userns-run -r E0 id; r=$?; rmdir E0 && exit $r
	127 | id | by its path | mkdir -m 700 P; mkdir P/d; userns-run -m+4 -r P/d -b /etc:/e id
	127 | id | specify a program by its path in | userns-run -m +4000 -i debian id
	127 | 'ls -l /' | sh -c 'ls -l /' | userns-run -m +400000 'ls -l /'
	127 | 'no such' | or use sh -c 'no such' | userns-run -m +400000 'no such'
	127 | it's a word | or use sh -c 'LINE' | userns-run -m +400000 "it's a word"
	125 | OCI layout | -N NAME oci:debian; | userns-run -m+4 -r debian id
	127 | id | by its path | cd P; mkdir B B/bin B/blobs; >B/oci-layout; userns-run -m+4 -r B id
	127 | id | by its path | cd P; mkdir C; >C/oci-layout; userns-run -m+4 -r C id
	127 | B=2 | for a variable: -e B=2 | userns-run -m +400000 -e A=1 B=2 id
	125 | ghost | the granted ids alone: subid:ghost | userns-run -m user:ghost id
	125 | --subuidname | use -m subid:NAME | userns-run --subuidname alice id
	125 | --keep-id | use -m keep-id:USER | userns-run --keep-id id
	125 | /dev/null | -b /dev/null:/dev/null:dev | userns-run -m+4 -b /dev/null:/dev/null id
	125 | /dev/null | word dev: -b /dev:/dev:dev | userns-run -m +4000 -b /dev:/dev id
	125 | /dev/null | bind single files there instead: | userns-run -m +400000 -b SRC:/dev id
	125 | /proc/self/stat | since every root has a /proc | userns-run -m +400000 -b SRC:/proc id
	125 | /dev/null | every root has a /dev/null | userns-run -m +4000 -b TEXT:/dev/null id
	125 | two binds have | omit one of them | userns-run -m+4 -b SRC:/mnt -b D2:/mnt/ id
	125 | '--bind' is empty | is a variable of the script | userns-run -m +400000 -b '' id
	125 | 'none' is the | write -m user:NAME | userns-run -m none -i debian id
	125 | debian:latest | did you mean debian? | userns-run -m +400000 -i debian:latest id
	125 | --device | use -b /dev/NAME:/dev/NAME:dev | userns-run --device /dev/fuse id
	125 | --memory | systemd-run --scope -p MemoryMax=1G | userns-run --memory=1G id
	125 | -c | write CMD and its arguments after | userns-run -c id
	125 | -P | omit it: the command has the | userns-run -P id
	125 | --tmpfs | sh -c 'mount -t tmpfs tmpfs DIR | userns-run --tmpfs /cache id
	E
}

@test "shift-check: what is misspelt, or a habit of another program" {
	each <<-'E'
	2 | chek | did you mean shiftbox shift-check | shift-check chek SRC
	2 | verfy | did you mean shiftbox shift-check | shift-check verfy SRC
	2 | explain needs PATH | shiftbox shift-check explain PATH | shift-check explain
	1 | TEXT | make one with: bsdtar -cf FILE | shift-check verify --spec TEXT SRC
	2 | alice | name a process of the namespace | shift-check explain --userns alice SRC/f
	2 | an operand is missing | shiftbox shift-check --help; the | shift-check
	2 | '' is not a | a group is missing after ':': | shift-check explain --as alice: SRC
	2 | map needs MAP | two maps are needed: shiftbox | shift-check map --diff +100000
	2 | c | give list one PATH at a time | shift-check list b c
	2 | b | give subid one USER at a time | shift-check subid a b
	2 | expain | did you mean shiftbox shift-check | shift-check expain SRC
	2 | --op | did you mean write? (known are: | shift-check explain --op wirte SRC
	2 | --op | write --op chown=UID:GID, | shift-check explain --op chown SRC
	2 | 'chwn' | did you mean chown=UID:GID | shift-check explain --op chwn SRC
	2 | 'chwn=5' | did you mean chown=UID:GID | shift-check explain --op chwn=5 SRC
	1 | nobody-x | did you mean nobody? | shift-check explain --as nobody-x SRC
	2 | --only | did you mean mismatch? (known | shift-check verify --only mismach SRC
	2 | --to | write one of: kernel util-linux | shift-check map --to dockr +100000
	2 | map needs MAP | shiftbox shift-check map | shift-check map
	2 | --invert | omit one of them | shift-check map --invert --compose +1 +2
	2 | x | give list one PATH at a time | shift-check list --all-namespace SRC x
	1 | allice | did you mean alice? | shift-check subid allice
	1 | SRC | specify the other side with | shift-check verify SRC
	1 | nope | unpack one by that name (shiftbox | shift-check verify --image nope SRC
	2 | --version | write --version alone, or omit it | shift-check --version=2
	2 | --user | use --as USER | shift-check explain --user alice SRC/f
	2 | --from | omit it: a map of another tool | shift-check map --from lxc +1
	2 | --test | options of map: --store, --threads, --to, | shift-check map --test
	2 | --test | options of list: --all-namespaces; | shift-check list --test
	2 | --test | subid has no options of its own; | shift-check subid --test
	2 | -1 | a number here has no sign | shift-check subid -1
	1 | debian | shiftbox image-unpack --verify | shift-check verify debian
	1 | debian | shiftbox image-unpack --verify | cd SRC; shift-check verify debian
	1 | image:debian | shiftbox image-unpack --verify debian; | shift-check verify image:debian
	1 | image:debian | shiftbox image-unpack --verify debian; | shift-check explain image:debian
	1 | 5000000000 | ids end at 4294967294 | shift-check explain --as 5000000000 TEXT
	2 | '0:0' | separate groups with commas | shift-check explain --as 0:0:0 TEXT
	1 | --userns pid:1 | omit it, or name a process of | shift-check explain --userns pid:1 TEXT
	1 | cannot open | write a path (is a variable | shift-check explain ""
	1 | no user of this name | write a name or a number | shift-check subid ""
	1 | no id is mapped | outside of it, or give it a map | unshare -U shift-check explain /etc
	1 | https://a/b | download it first | shift-check explain https://a/b
	1 | standard output | >FILE, not >&- | shift-check map +1 >&-
	1 | gone | a directory that exists | mkdir L; cd L; rmdir ../L; shift-check explain gone
	2 | SRC/f | shift-check explain --as alice SRC/f | shift-check explain alice SRC/f
	2 | TEXT | shift-check explain --as 1000 TEXT | shift-check explain 1000 TEXT
	1 | /etc/subuid | shift-check subid USER | shift-check subid /etc/subuid
	2 | write | an operation is written --op | shift-check explain SRC/f write
	2 | 'none' is the | write a map such as | shift-check map --to lxc none
	2 | 'lxc' is the syntax | write --to lxc +100000 | shift-check map lxc +100000
	2 | /etc/subuid | write subid:NAME or user:NAME | shift-check map /etc/subuid
	2 | alice: | user:alice or subid:alice | echo alice:1:2 >g; shift-check map @g
	1 | version | shift-check --version? | shift-check version
	2 | image:debian | map --cover image:debian | shift-check map image:debian
	2 | --reverse | use --invert (map) | shift-check map --reverse +1
	2 | -t | use --to FORM | shift-check map -t lxc +1
	2 | -A | use --all-namespaces (list) | shift-check list -A
	2 | --verify | without dashes: shiftbox shift-check verify PATH | shift-check --verify SRC
	2 | -e | without dashes: shiftbox shift-check explain PATH | shift-check -e SRC/f
	2 | user=alice | did you mean user:alice? | mount-idmapped -m user=alice SRC DST
	1 | has no ids | for ids that nothing else uses, or | mount-idmapped -m auto SRC DST
	E
}

@test "shiftbox without a command: what is misspelt, or a habit of another program" {
	each <<-'E'
	2 | mount-idmaped | did you mean shiftbox | shiftbox mount-idmaped
	2 | unpack | did you mean shiftbox | shiftbox unpack
	2 | -v | did you mean --version (-V)? | shiftbox -v
	2 | shift-chek | did you mean shiftbox shift-check? | shiftbox shift-chek
	2 | --hlep | did you mean shiftbox --help? | shiftbox --hlep
	2 | nothing | shiftbox --list lists the commands | shiftbox help nothing
	2 | run | did you mean shiftbox userns-run? | shiftbox run -it debian
	2 | build | build it with another program | shiftbox build .
	2 | --install | write it after the option | shiftbox --install
	1 | standard output | >FILE, not >&- | shiftbox --list >&-
	E
}

@test "a line of /etc/subuid is a map of other ids, and that is said" {
	local line
	add_line /etc/group alice:x:2001:
	for line in alice:362144:65536 "alice:362144:65536;70000:6000:1"; do
		capture "$SHIFTBOX" shift-check map "$line"
		must_equal "$status" 0
		stderr_has "warning: 'alice:362144:65536': read as a map" ... "from that of alice" \
			... "subid:alice or user:alice"
	done
	for line in alice:362144:65535 2001:362144:65536 alice:5000:1; do
		capture "$SHIFTBOX" shift-check map "$line"
		must_equal "$status:$stderr" 0:
	done
	add_line /etc/subuid ghost:362144:65536
	must_fail 1 "there is no user of this name" "$SHIFTBOX" shift-check map ghost:362144:65536
	stderr_has "try:  for the ids that this line" ... "subid:ghost or user:ghost"
}

@test "a map that moves nothing is mounted, and that is said" {
	capture "$SHIFTBOX" mount-idmapped -m rest SRC DST
	must_equal "$status" 0
	stderr_has "'SRC': the map moves no id: each is seen as itself"
	umount DST
	capture "$SHIFTBOX" mount-idmapped -m 1000:100033:1,rest SRC DST
	[[ $stderr != *"moves no id"* ]] || tell "one id moves"
	umount DST
}

@test "the directory of all devices is bound without a map, and a device is not" {
	mount -t devtmpfs devices D2 || skip "no devtmpfs"
	must_fail 1 "cannot set the ID mapping" "$SHIFTBOX" mount-idmapped -m +300000 D2 DST
	stderr_has "try:  bind it without a map: -m none"
	must_fail 1 "cannot set the ID mapping" "$SHIFTBOX" mount-idmapped -m +300000 D2/null TEXT
	stderr_has "try:  name a directory, a file or a block device"
	umount D2
}

@test "used up inodes are told from used up space" {
	mkdir full
	mount -t tmpfs -o nr_inodes=12 none full
	must_fail 1 "No space left" "$SHIFTBOX" image-unpack -s full/s oci:debian
	stderr_has "try:  free inodes there (remove files), then run the command again"
}

@test "the home of another user, or none, is not where a store could be" {
	chmod -R a+rX debian
	must_fail 2 "HOME is 'relative', which is not an absolute path" \
		as_user alice env HOME=relative "$SHIFTBOX" image-unpack oci:debian
	stderr_has "try:  --store DIR, or set HOME"
	must_fail 2 "HOME is not set, and XDG_DATA_HOME is 'x', which is not an absolute path" \
		as_user alice env -u HOME XDG_DATA_HOME=x "$SHIFTBOX" image-unpack --list
	must_fail 2 "neither XDG_DATA_HOME nor HOME is set" \
		as_user alice env -u HOME "$SHIFTBOX" image-unpack --list
	stderr_has "try:  --store DIR, or set HOME"
	install -d -m 700 other
	must_fail 1 "cannot make the store: Permission denied" \
		as_user alice env HOME="$SCRATCH/other" "$SHIFTBOX" image-unpack oci:debian
	stderr_has "why:  HOME is '$SCRATCH/other', which does not belong to the caller" ... \
		"try:  log in as the caller (su - USER), or name a store of the caller"
	must_fail 1 "cannot open the store: Permission denied" \
		as_user alice "$SHIFTBOX" image-unpack -s /var/lib/shiftbox oci:debian
	chmod 0 debian/blobs
	chown -R alice debian
	must_fail 1 "cannot open: Permission denied" \
		as_user alice "$SHIFTBOX" image-unpack oci:debian
	stderr_has "why:  '$SCRATCH/debian/blobs' (mode 0000) is closed to user 2001"
}

@test "a name that stood for another image is told" {
	tar -cf tree.tar TEXT
	must_work "$SHIFTBOX" image-unpack oci:debian
	[[ $output != *"another image"* ]] || tell "it is the same image"
	must_work "$SHIFTBOX" image-unpack -N debian tree.tar
	output_has "debian named another image before (sha256:" ... \
		"); layers that no image uses stay until --prune"
	must_work "$SHIFTBOX" image-unpack -q -N debian oci:debian
	must_equal "$output" ""
}

@test "the error of a full disk says what is free, and how much the image has" {
	mkdir full
	mount -t tmpfs -o size=100k none full
	head -c 300000 /dev/urandom >SRC/f
	tar -C SRC -cf big.tar f
	must_fail 1 "No space left" "$SHIFTBOX" image-unpack --flat full/d big.tar
	stderr_has "why:  'full/d' has " ... " kB and " ... " inodes free" ... " have 3" ... " kB" \
		... "try:  free space there"
	must_fail 1 "No space left" "$SHIFTBOX" image-unpack -s full/s -N x big.tar
	stderr_has "full/s' has " ... " kB and "
	must_fail 1 "the files have 300 kB, and the filesystem has 98 kB left: No space" \
		"$SHIFTBOX" image-unpack -n --flat full/d big.tar
	umount full
}

@test "a grant that does not count is told with the same words, and how to mend it" {
	add_line /etc/subuid alice:zz:1
	must_fail 2 "has a START that is not a decimal number" \
		"$SHIFTBOX" mount-idmapped -m subid:alice SRC DST
	stderr_has "try:  mend the line: USER:START:COUNT"
	add_line /etc/subuid bob:500000:1
	add_line /etc/subgid bob:500000:1
	capture "$SHIFTBOX" shift-check map subid:bob
	stderr_has "'alice:zz:1' has a START" ... "; the line does not count"
	sed /zz/d /etc/subuid >mended # other tests have this file, too
	cat mended >/etc/subuid
}

@test "a store or an image that lacks a part says how it gets it back" {
	local part layers=/var/lib/shiftbox/layers list=/var/lib/shiftbox/images/debian/layers
	mv "$layers"/sha256-* .
	must_fail 1 "cannot be found in the store" "$SHIFTBOX" mount-idmapped -m +1 image:debian DST
	stderr_has "try:  unpack the image again (shiftbox image-unpack -N debian SOURCE)"
	must_work "$SHIFTBOX" image-unpack -q oci:debian
	must_work "$SHIFTBOX" image-unpack --verify debian
	echo layers/../x >$list
	must_fail 1 "list of layers is damaged" "$SHIFTBOX" image-unpack --show debian
	stderr_has "try:  unpack the image again: shiftbox image-unpack -N debian SOURCE"
	rm $list
	must_fail 1 "list of layers is missing" "$SHIFTBOX" mount-idmapped -m +1 image:debian DST
	stderr_has "try:  unpack the image again: shiftbox image-unpack -N debian SOURCE"
	must_work "$SHIFTBOX" image-unpack -q oci:debian
	must_work "$SHIFTBOX" image-unpack --verify debian
	must_work "$SHIFTBOX" image-unpack -q -N zz oci:debian
	sed -i s/amd64/amd65/ ${list%/*}/config.json
	capture "$SHIFTBOX" image-unpack --verify debian
	must_equal "$status" 3
	output_has "document: images/debian/config.json: has another digest than" ... \
		"entries checked, 1 finding"
	echo '{' >${list%/*}/config.json
	capture "$SHIFTBOX" image-unpack --json --verify debian
	must_equal "$status" 3
	output_has '"class":"document","layer":"","path":"images/debian/config.json","detail":"is'
	must_fail 1 "image 'debian': is not valid JSON" "$SHIFTBOX" image-unpack --list
	output_has "zz " ... 1
	must_work "$SHIFTBOX" image-unpack -q --remove zz
	must_fail 125 "image 'debian': is not valid JSON" \
		"$SHIFTBOX" userns-run -m +400000 -i debian true
	stderr_has "try:  unpack the image again: shiftbox image-unpack -N debian SOURCE"
	rm ${list%/*}/config.json
	must_fail 1 "image 'debian': cannot open the file" "$SHIFTBOX" image-unpack --show debian
	stderr_has "try:  unpack the image again: shiftbox image-unpack -N debian SOURCE"
	must_work "$SHIFTBOX" image-unpack -q oci:debian
	cp "$layers"/*.json facts
	echo '{' >"$(echo "$layers"/*.json)"
	capture "$SHIFTBOX" image-unpack --verify debian
	must_equal "$status" 3
	output_has "document: layers/sha256-" ... ".json: is not valid JSON"
	cat facts >"$(echo "$layers"/*.json)"
	for part in lower mtree; do
		echo zz | tee "$layers"/*.$part >/dev/null
		if [ $part = lower ]; then
			must_fail 1 "not recorded in a known form" \
				"$SHIFTBOX" image-unpack -q oci:debian
		else
			must_fail 1 "is not an mtree(5)" \
				"$SHIFTBOX" image-unpack --verify debian
		fi
		stderr_has "layer 'sha256-" ... "try:  replace the layer: remove the images"
		must_work "$SHIFTBOX" image-unpack --remove debian
		must_work "$SHIFTBOX" image-unpack --prune
		must_work "$SHIFTBOX" image-unpack -q oci:debian
		must_work "$SHIFTBOX" image-unpack --verify debian
	done
	echo junk >/var/lib/shiftbox/base
	must_fail 1 "the file 'base' of the store is damaged" "$SHIFTBOX" image-unpack --list
	stderr_has "why:  it must have the store's base" ... "try:  restore it from a backup"
	chown 5 EMPTY
	must_fail 1 "belongs to another user (5)" "$SHIFTBOX" image-unpack -s EMPTY --list
	stderr_has "try:  run as that user, or name a store of your own"
}

@test "without an id in its namespace the caller cannot make another one, and is told so" {
	must_fail 125 "cannot create the namespaces" unshare -U "$SHIFTBOX" userns-run id
	stderr_has "why:  the caller's user or group has no id in the present user namespace" ... \
		"try:  give it a map: unshare -Ur"
	must_fail 1 "do not all exist in this user namespace" \
		unshare -Ur "$SHIFTBOX" image-unpack --base 500000 -s st oci:debian
	stderr_has "try:  omit --base, or choose ids that exist"
}

@test "what is wrong with an fstab is told once" {
	echo 'hello world' >f
	capture "$SHIFTBOX" mount-idmapped -a -T f
	must_equal "$status $(grep -c '^shiftbox' <<<"$stderr")" "0 1"
	stderr_has "'f': line 1 is not a valid line of an fstab" ... "it has no valid line"
	iconv -t UTF-16 f >wide
	capture "$SHIFTBOX" mount-idmapped -a -T wide
	must_equal "$status $(grep -c '^shiftbox' <<<"$stderr")" "0 1"
	stderr_has "it has a NUL byte, so it is not plain text (UTF-16?)); it has no valid line"
	[[ $stderr != *"name an fstab"* ]]
	echo "$SCRATCH/SRC $SCRATCH/DST none bind,map=+5 0 0" >f
	capture "$SHIFTBOX" mount-idmapped -a -T f
	must_equal "$status $(grep -c '^shiftbox' <<<"$stderr")" "0 1"
	stderr_has "f: map= has no effect"
	echo "$SCRATCH/SRC $SCRATCH/DST none bind 0 0" >>f
	capture "$SHIFTBOX" mount-idmapped -a -T f
	must_equal "$(grep -c '^shiftbox' <<<"$stderr")" 1
	stderr_has "map= has no effect"
}

@test "an fstab without a line for this command is named, if it was asked for" {
	echo >f
	capture "$SHIFTBOX" mount-idmapped -a -T f
	must_equal "$status" 0
	stderr_has "'f' has no line for this command"
	mkdir d
	capture "$SHIFTBOX" mount-idmapped -a -T d
	stderr_has "'d' has no line for this command" ... "its files NAME.fstab are read"
	capture "$SHIFTBOX" mount-idmapped -a -q -T f
	must_equal "$status $stderr" "0 "
	echo "$SCRATCH/SRC $SCRATCH/DST shiftbox map=+5,noauto 0 0" >f
	capture "$SHIFTBOX" mount-idmapped -a -n -T f
	must_equal "$status" 0
	stderr_has "'f': 1 line has noauto, and is skipped"
	must_work "$SHIFTBOX" mount-idmapped -a -T f
}

@test "an fstab that does not exist is to be created, or another one named" {
	mkdir up work
	mount -t overlay -o "lowerdir=/etc,upperdir=$SCRATCH/up,workdir=$SCRATCH/work" none /etc
	rm -f /etc/fstab
	for form in -a DST; do
		must_fail 1 "'/etc/fstab': cannot read the fstab" "$SHIFTBOX" mount-idmapped $form
		stderr_has "try:  create it, or name a table with -T"
	done
	umount -l /etc
	must_fail 1 "'f2': cannot read the fstab" "$SHIFTBOX" mount-idmapped -a -T f2
	stderr_has "try:  check the name"
}

@test "an upper that is a file, and a place that the caller cannot write to" {
	mkdir -m 700 closed
	touch closed/f
	must_fail 1 "is not a directory" \
		"$SHIFTBOX" mount-idmapped -m +1 -o upper=closed/f image:debian DST
	stderr_has "try:  name a directory; one that does not exist is created"
	chmod -R a+rX debian
	chmod 711 .
	must_fail 1 "cannot create a staging directory" \
		as_user alice "$SHIFTBOX" image-unpack --flat /x "oci:$SCRATCH/debian"
	stderr_has "cannot be written to by the caller" ... "try:  name a directory below one"
	chmod 0 debian/index.json
	must_fail 1 "cannot open: Permission denied" \
		as_user alice "$SHIFTBOX" image-unpack "oci:$SCRATCH/debian"
	stderr_has "try:  run as root, or as a user who may open it"
}

@test "advice has numbers of ids that nothing else uses" {
	local start
	add_line /etc/subuid bob:500000:1000
	add_line /etc/subgid bob:600000:1000
	capture "$SHIFTBOX" mount-idmapped -m auto SRC DST
	stderr_has "or grant them: usermod --add-subuids "
	start=$(sed -nE 's/.*--add-subuids ([0-9]+)-.*/\1/p' <<<"$stderr")
	[ "$start" -ge 601000 ] || tell "$start is granted"
	capture "$SHIFTBOX" userns-run id
	stderr_has "try:  map both users and groups to ids that nothing else uses: -m +$start"
}

@test "an ordinary user is told what to leave to root, and what is there without" {
	must_fail 125 "not allowed" as_user alice "$SHIFTBOX" userns-run -m +100000 id
	stderr_has "try:  omit -m: alice has the ids 362144-427679"
	chmod 711 .
	for map in "" "-m 2001:0:1"; do
		# shellcheck disable=SC2086
		must_fail 1 "cannot clone the mount" \
			as_user alice "$SHIFTBOX" mount-idmapped $map "$SCRATCH/SRC" /mnt
		stderr_has "an ordinary user can show the files to a command" ... "userns-run -b "
	done
	must_fail 1 "cannot make a mount namespace" as_user alice "$SHIFTBOX" \
		mount-idmapped -e -m +100000 "$SCRATCH/SRC" /mnt -- ls
	stderr_has "run as root; as an ordinary user: shiftbox userns-run" \
		"-b $SCRATCH/SRC:/mnt -- ls -l /mnt"
	must_work as_user alice "$SHIFTBOX" userns-run -b "$SCRATCH/SRC:/mnt" -- ls -l /mnt
	chmod -R a+rX debian
	cd home-alice
	must_fail 1 "cannot create files as" as_user alice \
		"$SHIFTBOX" image-unpack --flat x -m +100000 "oci:$SCRATCH/debian"
	stderr_has "try:  omit -m: a map needs root"
}

@test "verify prints one line for one cause, 20 lines at most, and all if asked" {
	local i
	mkdir d
	for i in $(seq 30); do
		mkdir "d/$i"
		chown "$i:$i" "d/$i"
	done
	"$SHIFTBOX" mount-idmapped -o public -m +300000 d DST
	cp -a d copy
	capture "$SHIFTBOX" shift-check verify --source copy -m +200000 DST
	must_equal "$status" 3
	output_has "the mount has the map b:0:300000:65536, expected b:0:200000:65536"
	umount DST
	chown 500000:500000 d
	for i in $(seq 30); do chown "$((i + 500000)):$((i + 500000))" "d/$i"; done
	capture "$SHIFTBOX" shift-check verify --source copy -m +400000 d
	must_equal "$status" 3
	output_has "all 31 are off by +100000" ... "try: -m +500000"
	[ "$(wc -l <<<"$output")" -le 4 ] || tell "one cause is not one line"
	for i in $(seq 30); do chown "$((i * 7 + 1)):$((i * 9 + 2))" "d/$i"; done
	capture "$SHIFTBOX" shift-check verify --source copy -m +400000 d
	must_equal "$(grep -c ^mismatch: <<<"$output")" 20
	output_has "... 11 more (--max-findings=0 prints all)"
	capture "$SHIFTBOX" shift-check verify --max-findings=0 --source copy -m +400000 d
	must_equal "$(grep -c ^mismatch: <<<"$output")" 31
	capture "$SHIFTBOX" shift-check --json verify --source copy -m +400000 d
	must_equal "$(grep -c '"class":"mismatch"' <<<"$output")" 31
	capture "$SHIFTBOX" shift-check -q verify --source copy -m +400000 d
	[[ $output != *checked* ]] || tell "-q prints a summary"
}

@test "explain prints each remedy once, however many operations it is for" {
	mkdir -m 700 closed
	touch closed/f
	capture "$SHIFTBOX" shift-check explain --as 1000:1000 "$PWD/closed/f"
	must_equal "$(grep -c EACCES <<<"$output") $(grep -c 'try:' <<<"$output")" "8 2"
	must_equal "$(grep 'try:' <<<"$output" | sort -u | wc -l)" 2
}

@test "a map moves one id and keeps the rest, through a mount" {
	mkdir -m 700 closed
	mkdir closed/d
	touch closed/d/root closed/d/moved closed/d/other closed/d/taken
	chown 1000:1000 closed/d/moved
	chown 33:33 closed/d/other
	chown 100033:100033 closed/d/taken
	must_work "$SHIFTBOX" mount-idmapped -m 1000:100033:1,rest closed/d DST
	must_equal "$(owner DST/root)" 0:0
	must_equal "$(owner DST/moved)" 100033:100033
	must_equal "$(owner DST/other)" 33:33
	must_equal "$(owner DST/taken)" 65534:65534
	umount DST
	must_work "$SHIFTBOX" mount-idmapped -q \
		-o 'map=u:1000:0:1;u:0:1000:1;u:rest' closed/d DST
	must_equal "$(owner DST/moved)" 0:1000
	must_equal "$(owner DST/root)" 1000:0
}
