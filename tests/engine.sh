#!/bin/sh
# Runs a command beside a Docker engine of its own: sh engine.sh COMMAND...
# Needs root, dockerd and a static busybox. DOCKER_HOST names the engine; it has the image muster-test, made
# on the spot, with MUSTER_TEST_NODE=1 the image muster-node, too, which has node in it, and no network. It
# ends with the command, and leaves nothing behind.
set -eu
base=$(mktemp -d "${TMPDIR:-/tmp}/muster-engine.XXXXXX")
pid=

finish() {
	status=$?
	trap - EXIT
	if [ -n "$pid" ]; then
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	fi
	umount -R "$base/data" 2>/dev/null || true
	rm -rf "$base"
	exit $status
}
trap finish EXIT
trap 'exit 143' TERM INT

mkdir "$base/exec" "$base/data" "$base/root" "$base/root/bin" "$base/root/etc" "$base/root/tmp"
DOCKER_HOST=unix://$base/docker.sock
export DOCKER_HOST
dockerd --data-root "$base/data" --exec-root "$base/exec" --pidfile "$base/pid" --host "$DOCKER_HOST" \
	--storage-driver vfs --bridge none --iptables=false --ip6tables=false >"$base/log" 2>&1 &
pid=$!
waited=0
until [ -S "$base/docker.sock" ] && docker version >/dev/null 2>&1; do
	waited=$((waited + 1))
	if ! kill -0 "$pid" 2>/dev/null || [ "$waited" -gt 300 ]; then
		echo "no Docker engine can be started here:" >&2
		tail -n 3 "$base/log" >&2
		exit 1
	fi
	sleep 0.1
done

cp "$(command -v busybox)" "$base/root/bin/busybox"
for name in $(busybox --list); do
	[ "$name" = busybox ] || ln -s busybox "$base/root/bin/$name"
done
printf 'root:x:0:0:root:/root:/bin/sh\nagent:x:1000:1000::/workspace:/bin/sh\n' >"$base/root/etc/passwd"
printf 'root:x:0:\nagent:x:1000:\n' >"$base/root/etc/group"
tar -C "$base/root" -c . | docker import --change 'ENV PATH=/bin' - muster-test >/dev/null

# A program of this machine with the libraries that it is linked to.
add_program() {
	cp "$1" "$base/root/bin/"
	ldd "$1" | awk '{ for (i = 1; i <= NF; i++) if ($i ~ /^\//) print $i }' | while IFS= read -r library; do
		mkdir -p "$base/root$(dirname "$library")"
		cp "$library" "$base/root$library"
	done
}

if [ -n "${MUSTER_TEST_NODE:-}" ]; then
	add_program "$(command -v node)"
	tar -C "$base/root" -c . | docker import --change 'ENV PATH=/bin' - muster-node >/dev/null
fi
"$@"
