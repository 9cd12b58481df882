# SPDX-License-Identifier: LGPL-2.1-or-later
# What the generated completions offer in each shell, asked of the shells themselves. The commands'
# own options are read from `--gen json`, so that this holds for commands that come later.

load lib

need prog jq

# Words as bash would offer them for the command line given word by word.
bash_offers() {
	bash -c '
		compopt() { :; }
		. "$1/../completions/shiftbox.bash"
		shift
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
		_shiftbox
		printf "%s\n" "${COMPREPLY[@]}"' bash "$TESTS" "$@"
}

fish_offers() {
	HOME=$SCRATCH XDG_CONFIG_HOME=$SCRATCH fish --no-config -c '
		source $argv[1]/../completions/shiftbox.fish
		complete -C "$argv[2]"' "$TESTS" "$1" | cut -f1
}

# zsh completes only on a terminal: give it one, and let a key write down the line as TAB left it.
zsh_offers() {
	rm -f line
	zsh -f -c '
		zmodload zsh/zpty
		zpty z env TERM=dumb zsh -f -i
		zpty -w z "PS1=; fpath=($1/../completions \$fpath); autoload -U compinit"
		zpty -w z "compinit -D -u"
		zpty -w z "dump() { print -r -- \$BUFFER >line.new; mv line.new line }"
		zpty -w z "zle -N dump; bindkey \"^X\" dump; print READY"
		zpty -r -m z line "*READY*READY*" || exit 1
		zpty -w -n z "$2"$'"'\\t\\x18'"'
		for i in {1..1200}; do [[ -e line ]] && break; sleep 0.05; done
		zpty -d z' zsh "$TESTS" "$1"
	cat line
}

has_line() {
	grep -qxF -- "$1" <<<"$output" || { echo "no line '$1' in: $output"; return 1; }
}

lacks_line() {
	! grep -qxF -- "$1" <<<"$output" || { echo "line '$1' in: $output"; return 1; }
}

commands() {
	"$SHIFTBOX" --list
}

options_of() {
	"$SHIFTBOX" --gen json |
		jq -r --arg c "$1" 'select(.name == $c) | .options[] | "--" + .name'
}

@test "bash: every command, and every option of each, also through its link" {
	output=$(bash_offers shiftbox '')
	for c in $(commands) --list --install; do has_line "$c"; done
	for c in $(commands); do
		output=$(bash_offers shiftbox "$c" --)
		[ -n "$output" ]
		must_equal "$(sort <<<"$output")" "$(options_of "$c" | sort)"
		must_equal "$(bash_offers "/usr/bin/$c" --)" "$output"
	done
}

# The own options of form $2 of command $1, of whatever name.
options_of_form() {
	"$SHIFTBOX" --gen json | jq -r --arg c "$1" --arg f "$2" \
		'select(.name == $c) | .options[] | select((.forms // [$f]) | index($f)) |
			"--" + .name'
}

@test "bash: the options of the subcommand or of the mode, and no others" {
	local form
	for form in verify explain list map subid host; do
		output=$(bash_offers shift-check --json "$form" --)
		must_equal "$(sort <<<"$output")" "$(options_of_form shift-check "$form" | sort)"
		must_equal "$(bash_offers shiftbox shift-check -m 0:0:1 "$form" --)" "$output"
	done
	output=$(bash_offers shift-check -m explain --) # it is the value of -m
	must_equal "$(sort <<<"$output")" "$(options_of shift-check | sort)"
	for form in --flat --bundle; do
		output=$(bash_offers image-unpack "$form" = d --)
		must_equal "$(sort <<<"$output")" "$(options_of_form image-unpack "$form" | sort)"
	done
	output=$(bash_offers image-unpack --list --)
	has_line --store
	lacks_line --jobs
	for form in "-u" "--unmount x"; do
		# shellcheck disable=SC2086
		output=$(bash_offers mount-idmapped $form --)
		must_equal "$(sort <<<"$output")" \
			"$(options_of_form mount-idmapped --unmount | sort)"
	done
	output=$(bash_offers mount-idmapped -u -a --)
	must_equal "$(sort <<<"$output")" "$(options_of_form mount-idmapped --all | sort)"
}

@test "fish: the options of the subcommand or of the mode, and no others" {
	need prog fish
	local form
	for form in verify explain list map subid host; do
		must_equal "$(fish_offers "shiftbox shift-check --json $form --" | sort)" \
			"$(options_of_form shift-check "$form" | sort)"
	done
	must_equal "$(fish_offers "image-unpack --flat d --" | sort)" \
		"$(options_of_form image-unpack --flat | sort)"
	must_equal "$(fish_offers "mount-idmapped -u --" | sort)" \
		"$(options_of_form mount-idmapped --unmount | sort)"
	must_equal "$(fish_offers "mount-idmapped -u -a --" | sort)" \
		"$(options_of_form mount-idmapped --all | sort)"
}

@test "zsh: the options of the subcommand or of the mode, and no others" {
	need prog zsh
	must_equal "$(zsh_offers "shift-check --usern")" "shift-check --userns="
	must_equal "$(zsh_offers "shift-check explain --usern")" "shift-check explain --userns="
	must_equal "$(zsh_offers "shift-check map --usern")" "shift-check map --usern"
	must_equal "$(zsh_offers "shiftbox image-unpack --bundle x --termi")" \
		"shiftbox image-unpack --bundle x --terminal "
	must_equal "$(zsh_offers "image-unpack --flat=x --termi")" \
		"image-unpack --flat=x --termi"
	must_equal "$(zsh_offers "mount-idmapped -u --onc")" "mount-idmapped -u --onc"
}

@test "bash: the words of a choice, in every spelling" {
	for c in $(commands); do
		for words in "--color|" "--color|=" "--color|=|a" "--color|a"; do
			IFS='|' read -ra list <<<"$words"
			[[ $words = *'|' ]] && list+=('')
			output=$(bash_offers shiftbox "$c" "${list[@]}")
			has_line auto
			has_line always
		done
		output=$(bash_offers shiftbox "$c" --color n)
		must_equal "$output" never
	done
}

# The rest of the command line "$1...", as bash itself would ask for it and offer it: it splits
# words at colons, and replaces the last part.
bash_completes() {
	bash -c '
		compopt() { echo "$@"; }
		. "$1/../completions/shiftbox.bash"
		COMP_LINE=$2 COMP_POINT=${#2} COMPREPLY=()
		line=${2//:/ : }
		read -ra COMP_WORDS <<<"${line//=/ = }"
		[[ $2 != *\  ]] || COMP_WORDS+=("")
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
		_shiftbox
		printf "%s\n" "${COMPREPLY[@]}"' bash "$TESTS" "$1" | xargs
}

@test "bash: words with colons, and those of which only the beginning is known" {
	local rules="mknod:safe mknod:c: mknod:b: mount: umount chown:report chown:emulate"
	must_equal "$(bash_completes "userns-run --allow ")" "$rules"
	must_equal "$(bash_completes "userns-run --allow mk")" \
		"-o nospace mknod:safe mknod:c: mknod:b:"
	must_equal "$(bash_completes "userns-run --allow mknod:s")" "safe"
	must_equal "$(bash_completes "shiftbox userns-run --allow umount --allow chown:")" \
		"report emulate"
	must_equal "$(bash_completes "userns-run --allow mo")" "-o nospace mount:"
	must_equal "$(bash_completes "userns-run --allow mknod:c: --net ")" "host none"
	mkdir dir
	must_equal "$(bash_completes "image-unpack oci:di")" "-o filenames dir"
	must_equal "$(bash_completes "mount-idmapped -m 0:5:1 di")" "-o filenames dir"
}

@test "bash: directories with blanks in their names, and no files, where a directory is wanted" {
	mkdir "dir one"
	touch "dir file"
	must_equal "$(bash_offers shiftbox --install dir)" "dir one"
}

@test "fish: every command, and every option of each, also through its link" {
	need prog fish
	output=$(fish_offers "shiftbox ")
	for c in $(commands); do has_line "$c"; done
	for c in $(commands); do
		must_equal "$(fish_offers "shiftbox $c --" | sort)" "$(options_of "$c" | sort)"
		must_equal "$(fish_offers "$c --" | sort)" "$(options_of "$c" | sort)"
		must_equal "$(fish_offers "shiftbox $c --color " | sort | xargs)" \
			"always auto never"
	done
	must_equal "$(fish_offers "userns-run --allow m" | sort | xargs)" \
		"mknod:b: mknod:c: mknod:safe mount:"
	output=$(fish_offers "shiftbox --")
	has_line --install
	lacks_line --json
}

@test "zsh: commands, options and the words of a choice" {
	need prog zsh
	must_equal "$(zsh_offers "shiftbox im")" "shiftbox image-unpack "
	must_equal "$(zsh_offers "shiftbox --ins")" "shiftbox --install "
	for c in $(commands); do
		must_equal "$(zsh_offers "shiftbox $c --colo")" "shiftbox $c --color="
		must_equal "$(zsh_offers "$c --color=al")" "$c --color=always "
	done
	must_equal "$(zsh_offers "userns-run --allow mknod:s")" "userns-run --allow mknod:safe "
	must_equal "$(zsh_offers "userns-run --allow=mo")" "userns-run --allow=mount:"
}

# A store with images, of which one has a name that no image can have: it must not be offered, and
# none may be run. A slash of a name is written %2F.
images() {
	mkdir -p "$1"/images/{debian:12,alpine,.tmp,quay.io%2Fa%2Fb,\$\(touch\ hit\)}
}

# For each shell: COMPLETER LINE OFFERS, those sorted.
offers() {
	must_equal "$("$1" "$2" | tr ' ' '\n' | sort | xargs)" "$3"
	[ ! -e hit ] || say "a name of a file was run"
}

@test "bash: images of the store, maps, and mount options" {
	local command option
	images st
	for command in "image-unpack -s st --remove" "image-unpack -s st --show" \
		"shiftbox image-unpack --store st --verify" "image-unpack --store=st --bundle d" \
		"image-unpack -s st --bundle=d" "image-unpack -s st --mstack d.mstack" \
		"userns-run -s st -i" \
		"userns-run -s st --image=" "shift-check -s st --image"; do
		option=${command##*=}
		command="$command${option:+ }"
		offers bash_completes "$command" "alpine debian:12 quay.io/a/b"
		offers bash_completes "${command}al" "alpine"
	done
	offers bash_completes "userns-run -s st -i debian:" "12"
	offers bash_completes "userns-run -s st -i image:al" "alpine"
	offers bash_completes "mount-idmapped -s st image:" "alpine debian:12 quay.io/a/b"
	touch imagefile
	offers bash_completes "mount-idmapped -s st im" \
		"-o filenames image:alpine image:debian:12 image:quay.io/a/b imagefile"
	offers bash_completes "image-unpack -s nothing --show " ""
	offers bash_completes "mount-idmapped -m " "+ -o auto none nospace owner: subid: user:"
	offers bash_completes "shift-check --compose us" "-o nospace user:"
	offers bash_completes "userns-run -m user:roo" "root"
	offers bash_completes "userns-run -u roo" "root"
	offers bash_completes "mount-idmapped -o noe" "noexec"
	offers bash_completes "mount-idmapped -o ro,subd" "-o nospace ro,subdir="
	offers bash_completes "userns-run --options=ro,noe" "ro,noexec"
	offers bash_completes "mount-idmapped -o ro,map=user:roo" "root"
	offers bash_completes "mount-idmapped -o map=no" "none"
}

@test "bash: users with subordinate ids, and the store of an ordinary user" {
	need root
	make_user alice 2001 362144 65536
	offers bash_completes "mount-idmapped -m subid:al" "alice"
	images home-alice/.local/share/shiftbox
	chown -R alice home-alice
	must_equal "$(as_user alice env -u XDG_DATA_HOME HOME="$SCRATCH/home-alice" bash -c "
		$(declare -f bash_completes); TESTS=$TESTS
		bash_completes 'image-unpack --show al'")" alpine
}

@test "fish: images of the store, maps, and mount options" {
	need prog fish
	local command
	images st
	for command in "image-unpack -s st --remove " "image-unpack -s st --bundle d " \
		"image-unpack -s st --mstack d.mstack " \
		"shiftbox image-unpack --store=st --show " "userns-run -s st -i " \
		"shift-check -s st --image "; do
		offers fish_offers "$command" "alpine debian:12 quay.io/a/b"
	done
	offers fish_offers "mount-idmapped -s st image:a" "image:alpine"
	offers fish_offers "userns-run -s st -i image:al" "image:alpine"
	offers fish_offers "image-unpack -s nothing --show " ""
	offers fish_offers "mount-idmapped -m " "+ auto none owner: subid: user:"
	offers fish_offers "userns-run -m user:roo" "user:root"
	offers fish_offers "mount-idmapped -o noe" "noexec"
	offers fish_offers "mount-idmapped -o ro,map=user:roo" "ro,map=user:root"
	offers fish_offers "mount-idmapped --options=ro,subd" "--options=ro,subdir="
}

@test "zsh: images of the store, maps, and mount options" {
	need prog zsh
	images st
	must_equal "$(zsh_offers "image-unpack -s st --remove al")" \
		"image-unpack -s st --remove alpine "
	must_equal "$(zsh_offers "image-unpack -s st --bundle d al")" \
		"image-unpack -s st --bundle d alpine "
	must_equal "$(zsh_offers "image-unpack -s st --mstack d al")" \
		"image-unpack -s st --mstack d alpine "
	must_equal "$(zsh_offers "userns-run --store=st -i debian:")" \
		"userns-run --store=st -i debian:12 "
	must_equal "$(zsh_offers "image-unpack -s st --show qu")" \
		"image-unpack -s st --show quay.io/a/b "
	must_equal "$(zsh_offers "mount-idmapped -s st image:al")" \
		"mount-idmapped -s st image:alpine "
	must_equal "$(zsh_offers "mount-idmapped -m us")" "mount-idmapped -m user:"
	must_equal "$(zsh_offers "mount-idmapped -o ro,noe")" "mount-idmapped -o ro,noexec "
	must_equal "$(zsh_offers "mount-idmapped -o ro,subd")" "mount-idmapped -o ro,subdir="
	must_equal "$(zsh_offers "mount-idmapped -o ro,map=user:roo")" \
		"mount-idmapped -o ro,map=user:root "
	[ ! -e hit ]
}
