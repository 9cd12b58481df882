# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034
#
# For tests with a registry on 127.0.0.1: `load registry`, after lib and images.
#
#   registry_start           for setup_file: a docker-registry, with the images HOST/t/small:1 and
#                            HOST/t/big:1, whose layer has 24 MiB that do not compress. $REGISTRY is
#                            HOST, 127.0.0.1:PORT; the same as layouts: $LAYOUTS/small and
#                            $LAYOUTS/big
#   registry_stop            for teardown_file
#   push LAYOUT NAME [OPTION...]   copy a layout there, by skopeo
#   proxy_start [OPTION...]  a server before the registry that makes faults, at $PROXY, which is
#                            127.0.0.1:PORT; see fixtures/fault_proxy.py
#   tokens_start             a token server: $TOKENS is its address; see fixtures/tokens.py
#   servers_stop             for test_teardown: end both
#   fault FAULT              what the proxy does from now on
#   pull ARG...              image-unpack -s $SCRATCH/store --insecure $PROXY ARG...
#   same_tree                the big image in the store is that of the layout
#   sent                     the number of bytes of layers that the proxy has sent
#   certificates             ca.crt, server.crt and server.key for 127.0.0.1

free_port() {
	python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

wait_port() {
	local i
	for i in $(seq 1 200); do
		(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return
		sleep 0.1
	done
	say "no server at port $1"
}

registry_start() {
	local dir=$BATS_FILE_TMPDIR/registry port
	mkdir -p "$dir"
	port=$(free_port)
	cat >"$dir/config" <<-END
		version: 0.1
		log: {level: error, accesslog: {disabled: true}}
		storage: {filesystem: {rootdirectory: $dir/data}}
		http: {addr: "127.0.0.1:$port"}
	END
	docker-registry serve "$dir/config" >"$dir/log" 2>&1 3>&- &
	echo $! >"$dir/pid"
	wait_port "$port"
	export REGISTRY=127.0.0.1:$port LAYOUTS=$dir/layouts
	mkdir -p "$LAYOUTS"
	"$TESTS/fixtures/mkimage.py" "$LAYOUTS/small" <<<'{"layers":[
		{"files":{"f":"1","d/g":{"data":"x","uid":3,"gid":4}}},{"files":{"h":"2"}}]}'
	head -c $((24 << 20)) /dev/urandom >"$dir/random"
	"$TESTS/fixtures/mkimage.py" "$LAYOUTS/big" <<<'{"layers":[
		{"files":{"big":{"copy":"'"$dir/random"'"}}}]}'
	push small t/small:1
	push big t/big:1
}

registry_stop() {
	kill "$(cat "$BATS_FILE_TMPDIR/registry/pid")" 2>/dev/null || :
}

push() {
	skopeo copy -q --insecure-policy --dest-tls-verify=false "${@:3}" "oci:$LAYOUTS/$1" \
		"docker://$REGISTRY/$2"
}

proxy_start() {
	"$TESTS/fixtures/fault_proxy.py" "${REGISTRY#*:}" "$@" >proxy.port 2>proxy.err 3>&- &
	echo $! >proxy.pid
	until [ -s proxy.port ]; do sleep 0.05; done
	PROXY=127.0.0.1:$(cat proxy.port)
}

tokens_start() {
	"$TESTS/fixtures/tokens.py" >tokens.port 2>tokens.err 3>&- &
	echo $! >tokens.pid
	until [ -s tokens.port ]; do sleep 0.05; done
	TOKENS=127.0.0.1:$(cat tokens.port)
}

servers_stop() {
	local pid
	for pid in proxy.pid tokens.pid; do
		[ ! -e "$pid" ] || kill "$(cat "$pid")" || :
	done
}

fault() {
	echo "$1" >faults.new
	mv faults.new faults
}

pull() {
	"$SHIFTBOX" image-unpack -s "$SCRATCH/store" --insecure "$PROXY" "$@"
}

same_tree() {
	local layer
	layer=$(cat store/images/big/layers)
	cmp "store/$layer/big" "$BATS_FILE_TMPDIR/registry/random"
}

sent() {
	awk '/\/blobs\// && $6 > 1000000 { n += $6 } END { print n + 0 }' requests
}

certificates() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=ca \
		-keyout ca.key -out ca.crt 2>/dev/null
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=server \
		-keyout server.key -out server.csr 2>/dev/null
	openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 \
		-extfile <(echo subjectAltName=IP:127.0.0.1) -out server.crt 2>/dev/null
}
