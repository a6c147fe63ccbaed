#!/usr/bin/env bats
# What goes wrong in the world: one clear message, the right exit code, nothing lost.

load common

# A team of one agent; its rehearsal comes on standard input.
one_agent() {
	cat >team.yaml <<-'YAML'
		version: 1
		name: lone
		description: One agent.
		model: openai/gpt-5.4
		limits: {max_turns: 30}
		sandbox: {provider: unix-local, timeout: 3s}
		manager: worker
		agents:
		  worker:
		    description: Works.
		    instructions: Work.
		    outputs: [out.txt]
		    writes: [out.txt]
	YAML
	cat >script.yaml
}

@test "a model that answers nonsense is told what is possible, and ends as failed" {
	one_agent <<-'YAML'
		version: 1
		agents:
		  worker:
		    - calls: [{no_such_tool: {}}]
		    - calls: [{delegate_to_nobody: {task: x}}]
		    - calls: [{write_file: {path: 1}}]
		    - calls: [{tool: write_file, raw_arguments: '{"path": '}]
		    - finish: empty
		    - finish: cut
		    - finish: refused
		    - finish: empty
		    - finish: empty
		    - finish: empty
	YAML
	run muster run team.yaml --rehearse script.yaml
	[ "$status" -eq 1 ]
	[[ "$output" == *"failed"* ]]
	run muster log -1
	[ "$status" -eq 0 ]
}

@test "the same failing call again and again uses up the retries" {
	one_agent <<-'YAML'
		version: 1
		agents:
		  worker:
		    - repeat: true
		      calls: [{read_file: {path: nothing.md}}]
	YAML
	run muster run team.yaml --rehearse script.yaml
	[ "$status" -eq 1 ]
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

@test "an endless command ends at its time-out and the agent is told" {
	one_agent <<-'YAML'
		version: 1
		agents:
		  worker:
		    - calls: [{exec_command: {cmd: "yes"}}]
		    - when: {last: 'timed out'}
		      calls: [{write_file: {path: out.txt, content: x}}]
		    - say: done
	YAML
	run muster run team.yaml --rehearse script.yaml
	[ "$status" -eq 0 ]
}

@test "a FIFO or a link named as the artifact is refused as what it is" {
	one_agent <<-'YAML'
		version: 1
		agents:
		  worker:
		    - calls: [{exec_command: {cmd: "mkfifo out.txt"}}]
		    - say: done
		    - calls: [{exec_command: {cmd: "rm out.txt; ln -s /etc/passwd out.txt"}}]
		    - say: done
		    - calls: [{exec_command: {cmd: "rm out.txt; echo real >out.txt"}}]
		    - say: done
	YAML
	run muster run team.yaml --rehearse script.yaml
	[ "$status" -eq 0 ]
	[[ "$output" == *"out.txt is a FIFO, not a regular file"* ]]
	[[ "$output" == *"out.txt is a link that leaves the workspace"* ]]
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
		    - calls: [{exec_command: {cmd: "printf x >\"$(printf 'a\\n\\033[31mb\\377')\"; echo x >out.txt"}}]
		    - say: done
		    - calls: [{exec_command: {cmd: "rm a*"}}]
		    - say: done
	YAML
	run muster run team.yaml --rehearse script.yaml
	[ "$status" -eq 0 ]
	[[ "$output" != *$'\033[31m'* ]]
	muster artifacts -1 --json | python3 -m json.tool >/dev/null
	run muster log -1
	[[ "$output" != *$'\033[31m'* ]]
}

@test "a full disk is one clear error, and what was recorded is there" {
	[ "$(id -u)" -eq 0 ] || skip "only root can mount a small file system"
	one_agent <<-'YAML'
		version: 1
		agents:
		  worker:
		    - calls: [{exec_command: {cmd: "head -c 8000000 /dev/urandom >out.txt"}}]
		    - say: done
	YAML
	mkdir small
	mount -t tmpfs -o size=2m none small
	cp team.yaml script.yaml small
	cd small
	run muster run team.yaml --rehearse script.yaml
	code=$status
	rm -rf .muster/runs/*/workspace/out.txt
	cd ..
	run muster -C small list
	listed=$output
	umount small
	[ "$code" -ne 0 ]
	[[ "$listed" == *"lone-"* ]]
}

@test "Ctrl-C parks the run, and it can go on" {
	one_agent <<-'YAML'
		version: 1
		agents:
		  worker:
		    - calls: [{exec_command: {cmd: "sleep 1"}}]
		    - when: {not: '^Interrupted'}
		      calls: [{write_file: {path: out.txt, content: x}}]
		    - say: done
	YAML
	set -m
	muster run team.yaml --rehearse script.yaml --quiet 2>errors &
	pid=$!
	sleep 0.4
	kill -INT $pid
	code=0
	wait $pid || code=$?
	[ "$code" -eq 130 ]
	run muster list
	[[ "$output" == *"parked"* ]]
	run muster resume -1
	[ "$status" -eq 0 ]
}
