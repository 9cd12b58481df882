#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Registries that require a login: where the credential is from, whom it is shown, and that it is in
# nothing that is written.

load lib
load images
load registry
need root
need prog python3 docker-registry skopeo strace

SECRET=s3cr3t-word

setup_file() {
	if [ -n "$missing" ]; then return; fi
	registry_start
}

teardown_file() {
	if [ -n "$missing" ]; then return; fi
	registry_stop
}

test_setup() {
	fault none
	: >requests
	export HOME=$SCRATCH/home XDG_RUNTIME_DIR=$SCRATCH/run
	unset XDG_CONFIG_HOME REGISTRY_AUTH_FILE DOCKER_CONFIG
	mkdir -p home run
}

test_teardown() {
	servers_stop
}

servers() {
	tokens_start
	echo "user:$SECRET" >user
	proxy_start --token "http://$TOKENS/token"
}

# Write a file of credentials for $1.
auth() {
	mkdir -p "$(dirname "$2")"
	printf '{"auths":{"%s":{"auth":"%s"}}}' "$1" \
		"$(printf %s "user:$SECRET" | base64 -w0)" >"$2"
}

small() {
	must_work pull --insecure "$TOKENS" -q -N small "$@" "docker://$PROXY/t/small:1"
	rm -r store
}

denied() {
	must_fail 1 "$1" pull --insecure "$TOKENS" -N small "${@:2}" "docker://$PROXY/t/small:1"
	! grep -q "$SECRET" <<<"$output$stderr" || say 'the secret was printed'
}

@test "without a credential the error says how to log in" {
	servers
	denied 'requires a login'
	stderr_has 'try: ' ... 'skopeo login'
}

@test "a registry that gives tokens to everyone needs no credential" {
	servers
	rm user
	small
	must_equal "$(sort -u token-requests)" 'GET -'
}

@test "each file of containers-auth.json(5) is read, in its order" {
	servers
	auth "$PROXY" run/containers/auth.json
	small
	rm run/containers/auth.json
	auth "$PROXY" home/.config/containers/auth.json
	small
	mv home/.config/containers xdg
	XDG_CONFIG_HOME=$SCRATCH/xdg denied 'requires a login'
	mkdir xdg/containers
	mv xdg/auth.json xdg/containers
	XDG_CONFIG_HOME=$SCRATCH/xdg small
	auth "$PROXY" home/.docker/config.json
	small
	mv home/.docker/config.json home/config.json
	DOCKER_CONFIG=$SCRATCH/home small
	printf '{"http://%s/v1/":{"auth":"%s"}}' "$PROXY" \
		"$(printf %s "user:$SECRET" | base64 -w0)" >home/.dockercfg
	rm home/config.json
	small
}

@test "--authfile and REGISTRY_AUTH_FILE name the only file" {
	servers
	auth "$PROXY" mine
	auth "$PROXY/t" yours
	auth other.example theirs
	small --authfile mine
	REGISTRY_AUTH_FILE=yours small
	auth "$PROXY" run/containers/auth.json
	denied 'requires a login' --authfile theirs
	denied "'missing'" --authfile missing
}

@test "a file that another user can write, or owns, is refused" {
	servers
	auth "$PROXY" mine
	chmod g+w mine
	denied 'other users can write' --authfile mine
	chmod 644 mine
	small --authfile mine
	mkdir -m 777 open
	let_in setpriv --reuid 1234 --clear-groups touch open/theirs
	mv open/theirs theirs
	denied 'belongs to another user' --authfile theirs
}

@test "a password that is not accepted" {
	servers
	echo user:other >user
	auth "$PROXY" mine
	denied 'does not accept the credential' --authfile mine
	stderr_has 'why: ' ... 'mine'
}

@test "a file that is damaged refuses, without a word of its content" {
	servers
	echo "{\"auths\":{\"$PROXY\":{\"auth\":\"$SECRET" >mine
	denied 'is not a JSON object' --authfile mine
	echo "{\"auths\":{\"$PROXY\":{\"auth\":\"$SECRET\"}}}" >mine
	denied 'is not base64' --authfile mine
}

@test "an identity token is exchanged for tokens" {
	servers
	echo "$SECRET" >user
	echo "{\"auths\":{\"$PROXY\":{\"identitytoken\":\"$SECRET\"}}}" >mine
	small --authfile mine
	must_equal "$(sort -u token-requests)" 'POST refresh'
}

@test "a helper is executed if root alone can have written it" {
	servers
	mkdir bin
	cat >bin/docker-credential-test <<-END
		#!/bin/sh
		read -r server
		[ "\$1 \$server" = "get $PROXY" ] || exit 1
		echo '{"ServerURL":"x","Username":"user","Secret":"$SECRET"}'
	END
	chmod 755 bin/docker-credential-test
	echo "{\"credHelpers\":{\"$PROXY\":\"test\"}}" >mine
	denied 'cannot find the credential helper' --authfile mine
	mount --bind bin /usr/local/sbin
	small --authfile mine
	echo '{"credsStore":"test"}' >mine
	small --authfile mine
	chmod g+w bin
	denied 'cannot find the credential helper' --authfile mine
	chmod g-w bin
	echo 'echo s3cr3t-word; exit 3' >bin/docker-credential-test
	denied 'failed with status' --authfile mine
	printf '#!/bin/sh\necho credentials not found in native keychain; exit 1\n' \
		>bin/docker-credential-test
	denied 'requires a login' --authfile mine
	echo '{"credsStore":"../test"}' >mine
	denied 'has other characters' --authfile mine
	umount /usr/local/sbin
}

@test "a token that expires in mid-blob is renewed" {
	servers
	auth "$PROXY" mine
	echo 2 >uses
	fault cut:9000000
	must_work pull --insecure "$TOKENS" -q -N big --authfile mine "docker://$PROXY/t/big:1"
	same_tree
	[ "$(wc -l <token-requests)" -ge 2 ]
	rm -r store
	rm uses
	: >token-requests
	echo 1 >expires
	fault drip
	must_work pull --insecure "$TOKENS" -q -N big --authfile mine "docker://$PROXY/t/big:1"
	[ "$(wc -l <token-requests)" -ge 2 ]
}

@test "a token server that fails, and one whose address is http:" {
	servers
	touch nonsense
	echo 1 >nonsense
	rm user
	denied 'sends no token'
	must_fail 1 'the address of the token server is not https:' pull -N small \
		"docker://$PROXY/t/small:1"
	kill "$(cat tokens.pid)"
	rm tokens.pid
	denied 'cannot connect to the server'
}

@test "the secret is in nothing that is written, and in no command line" {
	servers
	auth "$PROXY" mine
	fault redirect
	must_work strace -f -qq -e trace=execve,write,openat -e signal=none -s 4096 -o trace \
		"$SHIFTBOX" image-unpack -s "$SCRATCH/store" --insecure "$PROXY" \
		--insecure "$TOKENS" -q -N big --authfile mine "docker://$PROXY/t/big:1"
	! grep -rqa "$SECRET" store || say 'it is in the store'
	# Where the request to the token server was written, it is in base64.
	! grep execve trace | grep -q "$SECRET"
	rm -r store
	capture pull --insecure "$TOKENS" -v -N big --authfile mine "docker://$PROXY/t/big:1"
	! grep -qF -e "$SECRET" -e "$(printf %s "user:$SECRET" | base64 -w0)" \
		-e "$(tail -n1 tokens)" <<<"$output$stderr" || say 'it was printed'
	awk '$4 == "yes" && $5 == 400 { exit 1 }' requests
}

@test "what fetches has no privileges, and nothing open for writing but its pipes" {
	local pid
	servers
	rm user
	fault drip
	"$SHIFTBOX" image-unpack -s "$SCRATCH/store" --insecure "$PROXY" --insecure "$TOKENS" \
		-q -N big "docker://$PROXY/t/big:1" 3>&- &
	until grep -q big/blobs requests; do sleep 0.05; done
	pid=$(pgrep -P $!)
	grep -E '^(Uid|Gid|Groups|Cap(Inh|Prm|Eff|Amb)|NoNewPrivs|Seccomp):' \
		"/proc/$pid/status" >s
	ls -l "/proc/$pid/fd" >f
	wait $!
	must_equal "$(awk '
		$1 ~ /^(Uid|Gid):/ { for (i = 2; i <= 5; i++) if ($i < 4026531840) print }
		$1 ~ /^Cap/ && $2 !~ /^0+$/' s)" ''
	must_equal "$(awk '$1 == "Groups:"' s | tr -s '[:blank:]' ' ')" 'Groups: '
	must_equal "$(awk '$1 ~ /NoNewPrivs|Seccomp:/ { print $2 }' s | tr '\n' ' ')" '1 2 '
	must_equal "$(awk '/->/ && $1 ~ /w/ { print $NF }' f |
		grep -vE '^(pipe|socket|anon_inode):' || :)" ''
}
