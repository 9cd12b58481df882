# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# Stacks of layers, each way of giving OverlayFS its layers, with and without an upper.

layers() {
	mkdir top base merged other
	mkdir -m 700 private
	chmod 755 top base
	mkdir base/dir && chown 5:7 base/dir
	: >base/dir/file && chown 33:44 base/dir/file
	: >base/gone
	: >top/upmost && chown 9:8 top/upmost
}

stack() {
	works $MI -m u:0:100000:65536 -m g:0:300000:65536 -o lower=top,lower=base overlay merged
	same "$(owner merged) $(owner merged/dir/file) $(owner merged/upmost)" \
		"100000:300000 100033:300044 100009:300008"
	refused "Read-only" sh -c 'touch merged/x'
	same "$(mounts)" 1
	works $MI -u merged
	works $MI -m +100000 -o lower=base overlay merged
	same "$(owner merged/dir/file)" 100033:100044
	works $MI -u merged
	works $MI -m +100000 -o lower=top@none,lower=base overlay merged
	same "$(owner merged/upmost) $(owner merged/dir)" "9:8 100005:100007"
	works $MI -u merged
}

portable() {
	works $MI -m +100000 -o lower=top,lower=base,upper=private/up overlay merged
	same "$(owner private/up)" 0:0
	as 100000 touch merged/new
	as 100000 rm merged/gone
	as 100033:100044 sh -c 'echo more >>merged/dir/file'
	same "$(owner merged/new) $(owner merged/dir/file)" "100000:100000 100033:100044"
	same "$(owner private/up/new) $(owner private/up/dir/file)" "0:0 33:44"
	same "$(stat -c %F private/up/gone)" "character special file"
	refused "is in use by " \
		$MI -m +300000 -o lower=top,lower=base,upper=private/up overlay other
	same "$(mounts)" 1
	works $MI -u merged
	# Another's range, the same changes.
	works $MI -m +300000 -o lower=top,lower=base,upper=private/up overlay other
	same "$(owner other/new) $(owner other/dir/file)" "300000:300000 300033:300044"
	works $MI -u other
}

kernel_options() {
	for o in volatile metacopy redirect_dir userxattr; do
		works $MI -m +100000 -o "lower=top,lower=base,upper=private/$o,$o" overlay merged
		grep "$PWD/merged .* overlay " /proc/self/mountinfo | grep -E "[ ,=]$o"
		as 100000 rm merged/gone
		works $MI -u merged
	done
	refused "was mounted volatile" \
		$MI -m +100000 -o lower=top,lower=base,upper=private/volatile overlay merged
}

# A tmpfs can be under the map since 6.3; before, changes are stored as seen ids, and that is told.
in_memory() {
	$MI -v --json -m +100000 -o lower=top,lower=base,ephemeral=1M overlay merged >out 2>err
	if has 6.3; then
		said '"upper_map":"same"'
	else
		said '"upper_map":"none"'
		said "this kernel cannot ID-map a tmpfs: changes in memory are stored as seen ids"
	fi
	as 100000 touch merged/new
	as 100033:100044 sh -c 'echo more >>merged/dir/file'
	same "$(owner merged/new) $(owner merged/dir/file)" "100000:100000 100033:100044"
	works $MI -u merged
}

# An image's layers stay side by side under one map, and the mount tells their names, by which they
# are spared.
image() {
	tar -C base -cf base.tar . && tar -C top -cf top.tar .
	works "$SHIFTBOX" image-unpack -q -s private/store -N i base.tar top.tar
	works $MI -s private/store -m +100000 -o upper=private/up image:i merged
	same "$(owner merged/dir/file) $(owner merged/upmost)" "100033:100044 100009:100008"
	as 100000 touch merged/new
	same "$(owner private/up/new)" 0:0
	works "$SHIFTBOX" image-unpack -q -s private/store -N i base.tar
	works "$SHIFTBOX" image-unpack -s private/store --prune
	grep -q "^nothing to remove" out
	same "$(owner merged/upmost)" 100009:100008
	works $MI -u merged
	works "$SHIFTBOX" image-unpack -s private/store --prune
	grep -q "removed sha256-" out
	warns "DISK and SEEN look swapped" $MI -s private/store -m 1000:0:1 image:i merged
	works $MI -u merged
}

many() {
	i=0 o=
	while [ $i -lt 64 ]; do
		mkdir l$i && : >l$i/f$i && chown $((i + 1)):7 l$i/f$i
		o=$o,lower=$PWD/l$i
		i=$((i + 1))
	done
	works $MI -m +100000 -o "${o#,}" overlay merged
	same "$(owner merged/f0) $(owner merged/f63)" "100001:100007 100064:100007"
	works $MI -u merged
	while [ $i -lt 501 ]; do
		o=$o,lower=l0
		i=$((i + 1))
	done
	refused "at most 500" $MI -m +100000 -o "${o#,}" overlay merged
}

odd_names() {
	d=$(printf 'private/ ,:\\"\nx.') && d=${d%.}
	mkdir "$d" "$d/l"
	: >"$d/l/file" && chown 70:71 "$d/l/file"
	works $MI -m +100000 \
		-o 'lower=private/ \,:\\\"\012x/l,lower=base,upper=private/ \,:\\\"\012x/u' \
		overlay merged
	same "$(owner merged/file)" 100070:100071
	as 100000 touch merged/new
	same "$(owner "$d/u/new")" 0:0
	works $MI -u merged
}

# A directory NAME.mstack: binds, and usr/ of a stack in a root, are put together before anything is
# attached, for which older kernels need a mount namespace.
mount_stack() {
	mkdir -m 700 private/a.mstack private/a.mstack/rw private/a.mstack/bind@srv
	mkdir base/usr && echo word >base/usr/word
	ln -s ../../base private/a.mstack/layer@0
	ln -s "$PWD/top" private/a.mstack/layer@1
	works $MI -m +100000 private/a.mstack merged
	same "$(owner merged/dir/file) $(owner merged/upmost) $(owner merged/srv)" \
		"100033:100044 100009:100008 100000:100000"
	as 100000 touch merged/new merged/srv/new
	same "$(owner private/a.mstack/rw/data/new)" 0:0
	same "$(owner private/a.mstack/bind@srv/new)" 0:0
	same "$(mounts)" 2
	works $MI -u -R merged
	mkdir -m 700 private/a.mstack/root
	works $MI -m +300000 private/a.mstack merged
	same "$(cat merged/usr/word) $(owner merged/usr/word)" "word 300000:300000"
	same "$(mounts)" 3
	works $MI -u -R merged
	# Links of image-unpack, to layers that are not pruned meanwhile.
	tar -C base -cf base.tar . && tar -C top -cf top.tar .
	works "$SHIFTBOX" image-unpack -q -s private/store -N i base.tar top.tar
	works "$SHIFTBOX" image-unpack -q -s private/store --mstack private/i.mstack i
	works $MI -m +100000 private/i.mstack merged
	same "$(owner merged/dir/file) $(owner merged/upmost)" "100033:100044 100009:100008"
	works "$SHIFTBOX" image-unpack -s private/store --remove i
	works "$SHIFTBOX" image-unpack -s private/store --prune
	grep -q "^nothing to remove" out
	works $MI -u merged
}

by() {
	export SHIFTBOX_OVERLAY_WAY="$1"
	layers
	"$2"
}

for way in names fds; do
	if [ $way = fds ] && ! has 6.15; then
		by_fds() {
			layers
			export SHIFTBOX_OVERLAY_WAY=fds
			refused "does not accept layers as descriptors (Linux 6.15 does)" \
				$MI -m +100000 -o lower=top,lower=base overlay merged
		}
		check "layers by descriptor are refused by name" by_fds
		continue
	fi
	check "layers by $way: a stack" by $way stack
	check "layers by $way: a portable upper" by $way portable
	check "layers by $way: an image, and a prune beside it" by $way image
	check "layers by $way: a directory NAME.mstack" by $way mount_stack
	check "layers by $way: volatile, metacopy, redirect_dir, userxattr" by $way kernel_options
	check "layers by $way: changes in memory" by $way in_memory
	check "layers by $way: 64 layers, and 501" by $way many
	check "layers by $way: any name" by $way odd_names
done

chosen() {
	layers
	unset SHIFTBOX_OVERLAY_WAY
	$MI -v --json -m +100000 -o lower=top,lower=base overlay merged >out 2>err
	if has 6.15; then
		said '"layers_by":"fds"'
	else
		said '"layers_by":"names"'
		said "passing them by name"
	fi
	works $MI -u merged
}
check "the way is chosen by trying, and a fallback is told" chosen

no_overlay_map() {
	layers
	works $MI -m none -o lower=top,lower=base overlay merged
	refused "no kernel can ID-map an overlay" $MI -m +100000 merged other
	works $MI -u merged
}
check "a merged overlay cannot be mapped" no_overlay_map
