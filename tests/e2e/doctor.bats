#!/usr/bin/env bats
# What muster says of the machine that it runs on.

load common

finding() {
	python3 -c 'import json, sys
document = json.load(sys.stdin)
[check] = [check for check in document["checks"] if check["name"] == sys.argv[1]]
print(check["status"], check["found"], check["remedy"])' "$1"
}

@test "a machine on which teams run is said to work" {
	run muster doctor
	echo "$output"
	[ "$status" -eq 0 ]
	says "Teams can be run here."
	[[ $output =~ sandbox\ +fine\ +commands\ run\ in:\ unix-local ]]
	[[ $output =~ canned\ teams\ +fine ]]
	says "none in this folder yet"
	[ ! -e .muster ]
	run muster doctor --quiet
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "what is missing is named with its remedy, and the exit code is 6" {
	mkdir empty
	run env PATH="$PWD/empty" "$MUSTER" doctor
	echo "$output"
	[ "$status" -eq 6 ]
	[[ $output =~ bubblewrap\ +missing ]]
	says "apt-get install bubblewrap"
	says "Teams cannot be run here"
	[[ $output =~ git\ +limited ]]
	env PATH="$PWD/empty" "$MUSTER" doctor --json >document || [ $? -eq 6 ]
	[[ $(finding sandbox <document) == missing\ * ]]
}

@test "keys are said to be there and never shown" {
	OPENAI_API_KEY='' OPENROUTER_API_KEY='' muster doctor --json >document
	[[ $(finding 'model keys' <document) == limited*OPENAI_API_KEY* ]]
	run env OPENAI_API_KEY=sk-canary-1234 muster doctor --json
	[ "$status" -eq 0 ]
	[[ $output != *canary* ]]
	[[ $(finding 'model keys' <<<"$output") == "fine OPENAI_API_KEY (not shown) None" ]]
}

@test "an engine that is not there, or does not answer, is told" {
	python3 -c 'import socket
server = socket.socket(socket.AF_UNIX)
server.bind("engine.sock")
server.listen()
while True:
    server.accept()[0].close()' 3>&- &
	for _ in $(seq 50); do
		[ ! -S engine.sock ] || break
		sleep 0.1
	done
	DOCKER_HOST=unix://$PWD/engine.sock muster doctor --json >document
	kill $!
	[[ $(finding docker <document) == limited*"$PWD/engine.sock"* ]]
	DOCKER_HOST=unix://$PWD/no.sock muster doctor --json >document
	[[ $(finding docker <document) == limited*"no Docker engine runs"* ]]
}

@test "a store that this muster cannot use is told" {
	mkdir .muster
	echo "no database" >.muster/store.db
	run muster doctor --json
	[ "$status" -eq 6 ]
	[[ $(finding store <<<"$output") == missing* ]]
}
