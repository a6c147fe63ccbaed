#!/usr/bin/env bats
# `muster test`: what it says when a team is as expected, and when it is not.

load common

# tests EXPECT [VARIANT]: tests of the team hello with these lines.
tests() {
	mkdir -p teams/hello/tests
	{
		printf 'version: 1\ntests:\n  - name: a greeting\n    rehearsal: %s\n' \
			../../../samples/hello/rehearsal.yaml
		printf '    expect: %s\n' "$1"
		[ -z "${2-}" ] || printf '    variants: [%s]\n' "$2"
	} >teams/hello/tests/hello.yaml
	run "$MUSTER" test hello
	echo "$output"
}

@test "a team that does what its tests say passes" {
	tests '{handoffs: [editor -> writer], answer: ^Hello}' '{gate: greeting}'
	[ "$status" -eq 0 ]
	says "1..2"
	says "ok 1 - a greeting"
	says "ok 2 - greeting: holds when all is done"
	says "# 2 passed, 0 failed"
}

@test "whatever is not as expected is found, and said with its place" {
	while IFS='|' read -r expect problem; do
		tests "$expect"
		[ "$status" -eq 1 ]
		says "not ok 1 - a greeting"
		says "teams/hello/tests/hello.yaml:3: $problem"
	done <<-'END'
		{exit_code: 3}|the exit code has to be 3, but is 0 (done)
		{handoffs: []}|there is one handoff more than expected: 'editor -> writer'
		{handoffs: [editor -> writer (refused)]}|handoff 1 has to be 'editor -> writer (refused)', but was 'editor -> writer'
		{handoffs: [editor -> writer, editor -> writer]}|handoff 2 has to be 'editor -> writer', but there was none
		{gates: {greeting: {refused: 0}}}|gate 'greeting' has to have failed 0 times, but has 1 times
		{gates: {greeting: {passed: 7}}}|gate 'greeting' has to have held 7 times, but has 1 times
		{artifacts: {hello.txt: editor}}|'hello.txt' has to be by editor, but is by writer
		{artifacts: {other.txt: editor}}|'other.txt' has to be there, by editor, but is not
		{answer: Goodbye}|the answer does not match; it is: Hello, world!
		{reason: limit}|the reason does not match; it is:
	END
}

@test "a gate that lets a spoilt workspace through is found, and one that refuses a good one" {
	tests '{}' '{gate: greeting, write: {more.txt: x}, finds: missing}'
	[ "$status" -eq 1 ]
	says "gate 'greeting' has to fail, but holds"
	tests '{}' '{gate: greeting, remove: [hello.txt]}'
	[ "$status" -eq 1 ]
	says "gate 'greeting' has to hold, but says: hello.txt is missing"
	tests '{}' '{gate: greeting, remove: [hello.txt], finds: too long}'
	[ "$status" -eq 1 ]
	says "has to say something that matches /too long/"
	tests '{}' '{gate: greeting, replace: {hello.txt: {Welcome: x}}, finds: x}'
	[ "$status" -eq 1 ]
	says "'hello.txt' does not hold the text that is to be replaced"
}

@test "mistakes in the tests are told all at once, and nothing is run" {
	tests '{handoffs: [editor to writer, editor -> writr], gates: {greting: {passed: 1}}, exitcode: 0}' \
		'{gate: greeting, write: {../x: y}, finds: "("}'
	[ "$status" -eq 2 ]
	says "hello.yaml:5:25: 'editor to writer' is no handoff; write AGENT -> AGENT"
	says "team 'hello' has no agent 'writr'; did you mean 'writer'?"
	says "team 'hello' has no gate 'greting'; did you mean 'greeting'?"
	says "exitcode"
	says "write a path from the root of the workspace"
	says "the tests of team 'hello' have 6 mistakes"
}

@test "a test that takes too long fails, and one whose run cannot start does, too" {
	cat >slow.yaml <<-'END'
		version: 1
		name: slow
		model: openai/gpt-5.4
		manager: sleeper
		inputs: {depth: {type: number, default: 1}}
		agents: {sleeper: {instructions: Sleep.}}
	END
	mkdir -p slow/tests
	cat >slow/r.yaml <<-'END'
		version: 1
		agents: {sleeper: [{calls: [{exec_command: {cmd: sleep 2}}]}, {say: Awake.}]}
	END
	cat >slow/tests/slow.yaml <<-'END'
		version: 1
		tests:
		  - {name: not so deep, rehearsal: ../r.yaml, inputs: {depth: deep}}
		  - {name: not so long, rehearsal: ../r.yaml, timeout: 200ms}
	END
	run "$MUSTER" test slow.yaml
	echo "$output"
	[ "$status" -eq 1 ]
	says "input 'depth' must be a number"
	says "it takes longer than 200 ms"
	says "# 0 passed, 2 failed"
}

@test "a team without tests is said to have none" {
	rm -r teams/hello
	run "$MUSTER" test hello
	[ "$status" -eq 2 ]
	says "team 'hello' has no tests; put them into"
}

@test "the document has the same results, and nothing stays behind" {
	mkdir temporary
	TMPDIR=$PWD/temporary run --separate-stderr "$MUSTER" test hello --json
	echo "$output"
	[ "$status" -eq 0 ]
	python3 -c '
import json, sys
document = json.load(sys.stdin)
assert document["format"] == "muster.test/1" and document["failed"] == 0
assert document["passed"] == len(document["results"]) >= 4
assert all(result["passed"] and not result["problems"] for result in document["results"])' <<<"$output"
	[ -z "$(ls -A temporary)" ]
	[ ! -e .muster ]
	TMPDIR=$PWD/temporary run "$MUSTER" test hello --keep
	says "the runs are kept: muster -C"
	run "$MUSTER" -C temporary/muster-test-* list
	says hello
}

@test "a script of a gate is called by the remark that it begins with" {
	cat >named.yaml <<-'END'
		name: named
		require:
		  - run: |
		      # the notes have no gaps
		      echo a gap in line 3
		      exit 1
	END
	run "$MUSTER" gate named.yaml
	echo "$output"
	[ "$status" -eq 3 ]
	says "fails  run the notes have no gaps: 'the notes have no gaps' ended with exit status 1, not 0. It said:"
	says "a gap in line 3"
}
