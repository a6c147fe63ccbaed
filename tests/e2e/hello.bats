#!/usr/bin/env bats
# The smallest team, in rehearsal.

load common

hello() {
	run "$MUSTER" run teams/hello.yaml --rehearse samples/hello/rehearsal.yaml "$@"
}

@test "the hello team writes its greeting, and the gate has its way" {
	hello
	[ "$status" -eq 0 ]
	says greeting
	[ "$(cat "$(workspace)/hello.txt")" = "Hello, world!" ]
}

@test "it takes less than a second" {
	local best=1000000 began took
	for _ in 1 2 3; do # the machine may be busy with something else
		began=${EPOCHREALTIME/./}
		hello
		[ "$status" -eq 0 ]
		took=$(((${EPOCHREALTIME/./} - began) / 1000))
		best=$((took < best ? took : best))
	done
	echo "took $best ms"
	[ "$best" -lt 1000 ]
}

@test "its run can be listed, shown and logged afterwards" {
	hello
	for verb in list 'show -1' 'log -1' 'artifacts -1'; do
		run "$MUSTER" $verb
		echo "$verb: $output"
		[ "$status" -eq 0 ]
		[ -n "$output" ]
	done
	run "$MUSTER" artifacts -1
	says hello.txt
	says writer
}

@test "a gate that fails to the end gives exit code 3" {
	cat >careless.yaml <<-'END'
		version: 1
		agents:
		  editor:
		    - calls: [{delegate_to_writer: {task: Greet.}}]
		    - say: The writer did not do it.
		    - say: Still not.
		    - say: Still not.
		    - say: Still not.
		  writer:
		    - say: Done.
		    - say: Done.
		    - say: Done.
		    - say: Done.
	END
	run "$MUSTER" run teams/hello.yaml --rehearse careless.yaml
	echo "$output"
	[ "$status" -eq 3 ]
	says hello.txt
}

@test "a rehearsal without a fitting answer says what was asked" {
	printf 'version: 1\nagents:\n  editor:\n    - when: {last: "never asked"}\n      say: Hm.\n' >wrong.yaml
	run "$MUSTER" run teams/hello.yaml --rehearse wrong.yaml
	echo "$output"
	[ "$status" -ne 0 ]
	says editor
	says "never asked"
}
