#!/usr/bin/env bats
# One run for every line of a file.

load common

each() {
	run "$MUSTER" run teams/hello.yaml --rehearse samples/hello/rehearsal.yaml --each "$@"
}

@test "every line is a run with its own inputs, and the work goes to a folder each" {
	printf '{"whom": "sea"}\n\n{"whom": "@moon"}\n' >lines.jsonl
	each lines.jsonl --out results
	[ "$status" -eq 0 ]
	says '2 runs: 2 done'
	says 'line 1: hello-'
	says 'line 3: hello-'
	[ "$(cat results/1/hello.txt)" = "Hello, world!" ]
	[ "$(cat results/3/hello.txt)" = "Hello, world!" ]
	[ ! -e results/2 ]
	run "$MUSTER" list --names
	[ "${#lines[@]}" -eq 2 ]
	run sh -c '"$MUSTER" show -1/editor; "$MUSTER" show -2/editor'
	[[ $output =~ whom:[[:space:]]+sea ]]
	[[ $output =~ whom:[[:space:]]+@moon ]]
}

@test "what the lines leave out comes from the command line" {
	printf '{}\n{"whom": "sea"}\n' >lines.jsonl
	each lines.jsonl -i whom=moon --concurrency 1
	[ "$status" -eq 0 ]
	run sh -c '"$MUSTER" show -1/editor; "$MUSTER" show -2/editor'
	[[ $output =~ whom:[[:space:]]+sea ]]
	[[ $output =~ whom:[[:space:]]+moon ]]
}

@test "a mistake in any line is found before the first run starts" {
	printf '{"whom": "sea"}\n{"who": "moon"}\n' >lines.jsonl
	each lines.jsonl
	[ "$status" -eq 2 ]
	says "lines.jsonl:2: the team has no input 'who'; did you mean 'whom'?"
	[ ! -e .muster/runs ] || [ -z "$(ls .muster/runs)" ]
	for line in '["sea"]' '{"whom": [1]}' '{"whom": "sea"' '{"whom": "a", "whom": "b"}'; do
		echo "$line" >lines.jsonl
		each lines.jsonl
		echo "$line: $output"
		[ "$status" -eq 2 ]
		says 'lines.jsonl:1: '
	done
}

@test "a file without lines, one that is not there, and a wrong number are wrong usage" {
	echo >lines.jsonl
	each lines.jsonl
	[ "$status" -eq 2 ]
	says "'lines.jsonl' has no lines"
	each nowhere.jsonl
	[ "$status" -eq 2 ]
	says nowhere.jsonl
	echo '{}' >lines.jsonl
	each lines.jsonl --concurrency 0
	[ "$status" -eq 2 ]
	says "'0' is no number of runs"
	run "$MUSTER" run teams/hello.yaml --concurrency 2
	[ "$status" -eq 2 ]
	says '--concurrency belongs to --each'
}

@test "when a run fails the others go on, and the exit code says it" {
	cat >rehearsal.yaml <<-'END'
		version: 1
		agents:
		  editor:
		    - when: {any: 'moon'}
		      finish: refused
		      say: No.
		      repeat: true
		    - calls: [{delegate_to_writer: {task: Greet.}}]
		    - say: Done.
		  writer:
		    - calls: [{write_file: {path: hello.txt, content: "Hello, you!\n"}}]
		    - say: Done.
	END
	printf '{"whom": "sea"}\n{"whom": "moon"}\n{"whom": "sun"}\n' >lines.jsonl
	run "$MUSTER" run teams/hello.yaml --rehearse rehearsal.yaml --each lines.jsonl
	echo "$output"
	[ "$status" -eq 1 ]
	says '3 runs: 2 done, 1 failed'
	run --separate-stderr "$MUSTER" run teams/hello.yaml --rehearse rehearsal.yaml \
		--each lines.jsonl --json
	[ "$status" -eq 1 ]
	says '"format":"muster.batch/1"'
	says '"line":2,"run":{'
	says '"state":"failed"'
}

@test "a hundred runs at once are done in one process, each as if it were alone" {
	for ((i = 0; i < 100; i++)); do echo "{\"whom\": \"number $i\"}"; done >lines.jsonl
	each lines.jsonl --concurrency 100 --out results
	[ "$status" -eq 0 ]
	says '100 runs: 100 done'
	[ "$(cat results/*/hello.txt | sort -u)" = "Hello, world!" ]
	[ "$(ls results | wc -l)" -eq 100 ]
}
