#!/usr/bin/env bats
# What goes wrong in the world: one clear message, the right exit code, nothing lost.

load common
load lone

@test "a mistake in a file is told with its place, and nothing is started" {
	one_agent <<<"{version: 1, agents: {worker: [{say: done}]}}"
	printf 'version: 1\nname: [\n' >unclosed.yaml
	refuses 2 "unclosed.yaml:3:1: " muster run unclosed.yaml --rehearse script.yaml
	printf 'version: 1\nname: a\xff\n' >bytes.yaml
	refuses 2 "bytes.yaml:2:8: this byte is not valid UTF-8" muster run bytes.yaml --rehearse script.yaml
	: >nothing.yaml
	refuses 2 "nothing.yaml:1:1: " muster run nothing.yaml --rehearse script.yaml
	sed 's/manager: worker/manager: wroker/' team.yaml >manager.yaml
	refuses 2 "manager.yaml:7:10: " muster run manager.yaml --rehearse script.yaml
	printf 'version: 1\nagents:\n  worker:\n    - sya: x\n' >misspelt.yaml
	refuses 2 "misspelt.yaml:4:7: " muster run team.yaml --rehearse misspelt.yaml
	[ ! -e .muster/store.db ] || [ -z "$(muster list --names)" ]
	still_works
}

@test "a file that is not there is named" {
	one_agent <<<"{version: 1, agents: {worker: [{say: done}]}}"
	refuses 2 "there is no team file 'nowhere.yaml'" muster run nowhere.yaml --rehearse script.yaml
	refuses 2 "cannot open 'nowhere.yaml'" muster run team.yaml --rehearse nowhere.yaml
	refuses 2 "input 'brief': cannot open 'nowhere.md'" \
		muster run teams/web-app.yaml -i brief=@nowhere.md --rehearse samples/web-app/rehearsal.yaml
	sed 's/instructions: Work./instructions_file: nowhere.md/' team.yaml >prompt.yaml
	refuses 2 "prompt.yaml:11:24: there is no file 'nowhere.md'" muster run prompt.yaml --rehearse script.yaml
	still_works
}

@test "a file that cannot be read, a folder, a pipe and a device are called what they are" {
	one_agent <<<"{version: 1, agents: {worker: [{say: done}]}}"
	mkfifo pipe.yaml
	refuses 2 "'pipe.yaml' is a pipe or a device" timeout 20 "$MUSTER" run pipe.yaml --rehearse script.yaml
	refuses 2 "pipe.yaml:1:1: " timeout 20 "$MUSTER" run team.yaml --rehearse pipe.yaml
	refuses 2 "'/dev/zero' is a pipe or a device" timeout 20 "$MUSTER" run /dev/zero --rehearse script.yaml
	refuses 2 "'teams' is a folder" muster run teams --rehearse script.yaml
	refuses 2 "'teams' is a folder" muster run team.yaml --rehearse teams
	cp team.yaml secret.yaml
	cp script.yaml secret-script.yaml
	chmod 000 secret.yaml secret-script.yaml
	refuses 2 "cannot open 'secret.yaml': Permission denied" unprivileged "$MUSTER" run secret.yaml --rehearse script.yaml
	refuses 2 "cannot open 'secret-script.yaml': Permission denied" \
		unprivileged "$MUSTER" run team.yaml --rehearse secret-script.yaml
	still_works
}

@test "huge inputs are refused by their size, not read" {
	one_agent <<<"{version: 1, agents: {worker: [{say: done}]}}"
	echo 'inputs: {x: {type: string, default: none}}' >>team.yaml
	head -c 50000000 /dev/zero | tr '\0' '#' >huge
	cp huge huge.yaml
	refuses 2 "input 'x': 'huge' is larger than" muster run team.yaml -i x=@huge --rehearse script.yaml
	refuses 2 "input 'x': '/dev/zero' is larger than" muster run team.yaml -i x=@/dev/zero --rehearse script.yaml
	refuses 2 "'huge.yaml' is larger than" muster run huge.yaml --rehearse script.yaml
	refuses 2 "'huge.yaml' is larger than" muster run team.yaml --rehearse huge.yaml
	printf 'a\0b' >zero
	refuses 2 "input 'x': 'zero' is no text" muster run team.yaml -i x=@zero --rehearse script.yaml
	still_works
}

@test "an input comes from a pipe, however slow its writer is" {
	one_agent <<<"{version: 1, agents: {worker: [{when: {any: slowly}, calls: [{write_file: {path: out.txt, content: x}}]}, {say: done}]}}"
	echo 'inputs: {x: {type: string, required: true}}' >>team.yaml
	muster run --quiet team.yaml -i x=@<(sleep 0.3; echo slowly) --rehearse script.yaml
	(sleep 0.3; echo slowly) | muster run --quiet team.yaml -i x=@/dev/stdin --rehearse script.yaml
}

@test "a rehearsal without a fitting answer parks the run and names entry and field" {
	one_agent <<-'YAML'
		version: 1
		agents:
		  worker:
		    - say: hm
		      when: {last: never said}
	YAML
	run --separate-stderr muster run team.yaml --rehearse script.yaml
	[ "$status" -eq 6 ]
	[[ $stderr == *"script.yaml:5:20: no answer for 'worker'"*"nearest is entry 1: its 'when.last' /never said/ does not match"* ]]
	run muster list
	[[ $output == *parked* ]]
	good_rehearsal
	cp good.yaml script.yaml
	run muster resume -1
	[ "$status" -eq 0 ]
	still_works
}

@test "a model that answers nonsense is told what is possible, and can still do its work" {
	one_agent <<-'YAML'
		version: 1
		agents:
		  worker:
		    - calls: [{no_such_tool: {}}]
		    - when: {last: 'no such tool.*exec_command'}
		      calls: [{delegate_to_nobody: {task: x}}, {transfer_to_nobody: {message: x}}]
		    - calls:
		        - {write_file: {path: 1}}
		        - {write_file: {}}
		        - {tool: write_file, raw_arguments: '{"path": '}
		        - {tool: write_file, raw_arguments: '[]'}
		        - {tool: write_file, raw_arguments: ''}
		        - {write_file: {path: ../../escaped, content: x}}
		        - {write_file: {path: /etc/escaped, content: x}}
		        - {read_file: {path: /etc/passwd}}
		        - {read_file: {path: /dev/zero}}
		    - finish: empty
		    - finish: cut
		      say: I was about to
		    - calls: [{write_file: {path: out.txt, content: x}}, {exec_command: {cmd: rm -r etc}}]
		    - say: done
	YAML
	run muster run team.yaml --rehearse script.yaml
	echo "$output"
	[ "$status" -eq 0 ]
	says "unknown tool: no_such_tool"
	says "delegate_to_nobody"
	says "malformed call: write_file"
	[ ! -e /etc/escaped ]
	[ "$(ls "$(workspace)")" = out.txt ]
	run muster show -1/worker
	[[ $output != *root:x:* ]]
	still_works
}

@test "a model that only answers nonsense ends as failed, whatever the nonsense is" {
	local nonsense
	for nonsense in "finish: empty" "finish: cut" "finish: refused" "calls: [{nonsense: {}}]" \
		"calls: [{delegate_to_nobody: {task: x}}]" "calls: [{read_file: {path: nothing.md}}]" \
		"calls: [{tool: write_file, raw_arguments: '{'}]"; do
		one_agent <<-YAML
			version: 1
			agents:
			  worker:
			    - repeat: true
			      $nonsense
		YAML
		echo "$nonsense"
		run timeout 60 "$MUSTER" run team.yaml --rehearse script.yaml
		echo "$output"
		[ "$status" -eq 1 ]
		says "too many useless answers"
		run muster list
		[[ ${lines[0]} == *" failed "* ]]
	done
	still_works
}

@test "answers without measure do not break anything" {
	one_agent <<<""
	python3 - >script.yaml <<-'PYTHON'
		call = "{write_file: {path: out.txt, content: x}}"
		deep = "{tool: write_file, raw_arguments: '" + "[" * 50000 + "'}"
		print("version: 1\nagents:\n  worker:")
		for calls in "{" + "n" * 100000 + ": {}}", deep, ", ".join([call] * 300):
		    print("    - calls: [" + calls + "]")
		print("    - say: done")
	PYTHON
	run muster run team.yaml --rehearse script.yaml
	[ "$status" -eq 0 ]
	muster log -1 --json | python3 -c 'import json, sys; [json.loads(line) for line in sys.stdin]'
}

@test "a limit of turns parks the run, and more turns go on" {
	one_agent <<-'YAML'
		version: 1
		agents:
		  worker:
		    - say: not yet
		    - say: not yet
		    - calls: [{write_file: {path: out.txt, content: x}}]
		    - say: done
	YAML
	sed -i 's/max_turns: 30/max_turns: 2/' team.yaml
	run muster run team.yaml --rehearse script.yaml
	[ "$status" -eq 5 ]
	[[ "$output" == *"limit of turns"* ]]
	run muster resume -1 --max-turns +10
	[ "$status" -eq 0 ]
	run muster resume -1
	[ "$status" -eq 2 ]
	[[ "$output" == *"is done"* ]]
}

@test "a tool that prints a gigabyte does not fill our memory" {
	one_agent <<-'YAML'
		version: 1
		agents:
		  worker:
		    - calls: [{exec_command: {cmd: "head -c 1000000000 /dev/zero | tr '\\0' x; echo x >out.txt"}}]
		    - say: done
	YAML
	sed -i 's/timeout: 3s/timeout: 60s/' team.yaml
	muster run team.yaml --rehearse script.yaml --quiet &
	pid=$!
	peak=0
	while kill -0 $pid 2>/dev/null; do
		now=$(awk '/VmHWM/ {print $2}' /proc/$pid/status 2>/dev/null || true)
		[ "${now:-0}" -gt "$peak" ] && peak=$now
		sleep 0.02
	done
	wait $pid
	echo "peak $peak KiB"
	[ "$peak" -gt 0 ]
	[ "$peak" -lt "${MUSTER_MEMORY_LIMIT:-65536}" ]
}

@test "endless output, a fork bomb and a command that hears no signal end at their time-out" {
	one_agent <<-'YAML'
		version: 1
		agents:
		  worker:
		    - calls: [{exec_command: {cmd: "yes"}}]
		    - when: {last: 'timed out'}
		      calls: [{exec_command: {cmd: "bomb() { bomb | bomb & }; bomb; sleep NAP"}}]
		    - when: {last: 'timed out'}
		      calls: [{exec_command: {cmd: "trap '' TERM INT HUP; setsid sleep NAP & sleep NAP; sleep NAP"}}]
		    - when: {last: 'timed out'}
		      calls: [{write_file: {path: out.txt, content: x}}]
		    - say: done
	YAML
	sed -i 's/timeout: 3s/timeout: 2s/' team.yaml
	sed -i "s/NAP/$nap/g" script.yaml
	run timeout 60 "$MUSTER" run team.yaml --rehearse script.yaml
	echo "$output"
	[ "$status" -eq 0 ]
	nothing_naps
}

@test "a FIFO or a link named as the artifact is refused as what it is" {
	one_agent <<-'YAML'
		version: 1
		agents:
		  worker:
		    - calls: [{exec_command: {cmd: "mkfifo design_spec.md"}}]
		    - say: done
		    - calls: [{exec_command: {cmd: "rm design_spec.md; ln -s /etc/passwd design_spec.md"}}]
		    - say: done
		    - calls: [{exec_command: {cmd: "rm design_spec.md; mkdir design_spec.md"}}]
		    - say: done
		    - calls: [{exec_command: {cmd: "rmdir design_spec.md; echo real >design_spec.md"}}]
		    - say: done
	YAML
	sed -i 's/out.txt/design_spec.md/' team.yaml
	run timeout 60 "$MUSTER" run team.yaml --rehearse script.yaml
	echo "$output"
	[ "$status" -eq 0 ]
	says "design_spec.md is a FIFO, not a regular file"
	says "design_spec.md is a link that leaves the workspace"
	says "design_spec.md is a folder"
	run muster show -1/worker
	[[ $output != *root:x:* ]]
}

@test "a write outside of writes: stands against completion until it is undone" {
	one_agent <<-'YAML'
		version: 1
		agents:
		  worker:
		    - calls: [{write_file: {path: out.txt, content: x}}, {write_file: {path: elsewhere.txt, content: x}}]
		    - say: done
		    - when: {last: 'elsewhere\.txt'}
		      calls: [{exec_command: {cmd: "rm elsewhere.txt"}}]
		    - say: done
	YAML
	run muster run team.yaml --rehearse script.yaml
	[ "$status" -eq 0 ]
	[[ "$output" == *"elsewhere.txt"* ]]
}

@test "hostile file names are shown escaped and keep --json valid" {
	one_agent <<-'YAML'
		version: 1
		agents:
		  worker:
		    - calls: [{exec_command: {cmd: "sh ./names"}}]
		    - say: done
	YAML
	sed -i '/writes:/d; s/outputs:.*/outputs: [out.txt]/' team.yaml
	mkdir names
	cat >names/names <<-'SH'
		for name in "$(printf 'a\n\033[31mb\377')" "$(printf '\303(')" "$(printf '%0255d' 0)" \
			"$(printf '\342\200\256gpj.exe')" 'q"\.txt' -rf "$(printf '\177\302\23331m')"; do
			echo x >"./$name"
		done
		echo x >out.txt
	SH
	echo 'manifest: {entries: {names: {type: local_file, src: names/names}}}' >>team.yaml
	run --separate-stderr muster run team.yaml --rehearse script.yaml
	echo "$stderr$output"
	[ "$status" -eq 0 ]
	[[ $stderr == *'a\n\x1b[31mb\xff'* ]]
	plain "$stderr$output"
	local verb
	for verb in artifacts log show list; do
		run muster $verb $([ $verb = list ] || echo -1)
		[ "$status" -eq 0 ]
		plain "$output"
	done
	run muster artifacts -1
	says 'a\n\x1b[31mb\xff'
	[ "${#lines[@]}" -eq 8 ]
	muster artifacts -1 --json | python3 -c 'import json, sys; assert len(json.load(sys.stdin)["artifacts"]) == 8'
	muster show -1 --json | python3 -m json.tool >/dev/null
	muster list --json | python3 -m json.tool >/dev/null
	muster log -1 --json | python3 -c 'import json, sys; [json.loads(line) for line in sys.stdin]'
	muster run team.yaml --quiet --json --rehearse script.yaml | python3 -m json.tool >/dev/null
}
