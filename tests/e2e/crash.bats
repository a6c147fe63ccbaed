#!/usr/bin/env bats
# What happens to a run's workspace between two of its processes.

load common

# The worker writes two files and waits for a yes before its last step.
make_run() {
	cat >team.yaml <<-'YAML'
		version: 1
		name: pausing
		description: One agent that needs permission for its last step.
		model: openai/gpt-5.4
		sandbox: {provider: unix-local}
		manager: worker
		permissions: {ask: ["exec_command:*rm *"], allow: ["*"]}
		agents:
		  worker:
		    description: Works.
		    instructions: Work.
		    outputs: [ready]
		gates:
		  ready: {require: [{file: one.txt, contains: one}, {file: two.txt, contains: two}]}
	YAML
	cat >script.yaml <<-'YAML'
		version: 1
		agents:
		  worker:
		    - calls:
		        - write_file: {path: one.txt, content: "one\n"}
		        - write_file: {path: two.txt, content: "two\n"}
		        - exec_command: {cmd: "echo three >three.txt"}
		    - calls: [{exec_command: {cmd: "rm -f nothing"}}]
		    - when: {any: 'machine was restarted[\s\S]*- two\.txt \(changed\)'}
		      say: I repair what the restart did.
		      calls: [{write_file: {path: two.txt, content: "two\n"}}]
		    - say: Done.
		      repeat: true
	YAML
	run -4 muster run team.yaml --rehearse script.yaml --quiet
	workspace=$(workspace)
}

# database SQL: on the store, as nobody but a test would.
database() {
	python3 -c 'import sqlite3, sys
connection = sqlite3.connect(".muster/store.db")
for row in connection.execute(sys.argv[1]).fetchall(): print(*row)
connection.commit()' "$1"
}

# As if the machine had been started anew since.
restart() {
	local id
	id=$(cat /proc/sys/kernel/random/boot_id)
	database "UPDATE texts SET text=CAST(replace(CAST(text AS TEXT), '$id', 'another') AS BLOB)
		WHERE key='driver'"
}

@test "what was changed while the run was parked is the user's, and gates look at it" {
	make_run
	echo other >"$workspace/two.txt"
	echo new >"$workspace/user.txt"
	rm "$workspace/three.txt"
	run muster approve -1
	[ "$status" -ne 0 ] # the gate asks for another two.txt
	says "two.txt"
	run -0 muster log -1
	says "the sandbox is open again; meanwhile:"
	says "user    writes two.txt"
	says "user    deletes three.txt"
	run -0 muster artifacts -1 --agent user
	says user.txt
}

@test "after a restart of the machine what differs is unknown's, and agents are told" {
	make_run
	restart
	: >"$workspace/two.txt"
	run -0 muster approve -1 --quiet
	[ "$(cat "$workspace/two.txt")" = two ]
	run -0 muster log -1
	says "unknown"
	says "The machine was restarted while the run was under way."
	says "I repair what the restart did."
	# The next process was started on this very machine.
	run -0 database "SELECT count(*) FROM texts WHERE key='driver' AND CAST(text AS TEXT) LIKE '%another%'"
	says 0
}

@test "a restart that changed nothing is not told" {
	make_run
	restart
	run -0 muster approve -1 --quiet
	run -0 muster log -1
	[[ $output != *restarted* ]]
}

@test "what was committed and not journalled when the process ended is known to the next one" {
	make_run
	# The journal as it was before the record.
	database "DELETE FROM changes WHERE path=CAST('two.txt' AS BLOB)"
	run -0 muster approve -1 --quiet
	run -0 database "SELECT agent, status FROM changes WHERE path=CAST('two.txt' AS BLOB)"
	says "worker added"
}

@test "a temporary file of ours that a kill left in the workspace is removed" {
	make_run
	echo half >"$workspace/.muster-0123456789abcdef.tmp"
	run -0 muster approve -1 --quiet
	[ ! -e "$workspace/.muster-0123456789abcdef.tmp" ]
	run -0 database "SELECT count(*) FROM changes WHERE agent='user'"
	says 0
}

@test "fsck finds a sound run sound, and says what is damaged" {
	make_run
	run -0 muster fsck
	says "All is sound."
	run -0 muster fsck -1 --json
	says '"sound":true'
	database "DELETE FROM events WHERE sequence=3"
	run -1 muster fsck -1
	says "the events are not numbered without gaps"
	says "does not fit to those before it"
}

@test "fsck reads every object of the history, and compares it with the journal" {
	make_run
	database "UPDATE changes SET blob='0123456789012345678901234567890123456789'
		WHERE path=CAST('one.txt' AS BLOB)"
	run -1 muster fsck -1
	says "'one.txt' is not the same in the journal and in the history"
	local object
	object=$(find .muster/runs/*/history.git/objects -type f -path '*/??/*' | head -n 1)
	chmod u+w "$object"
	echo damaged >"$object"
	run -1 muster fsck -1
}

@test "fsck --repair removes what killed processes left, and nothing else" {
	make_run
	local history=(.muster/runs/*/history.git)
	echo half >"${history[0]}/refs/heads/.muster-0123456789abcdef.tmp"
	echo half >.muster/.muster-0123456789abcdef.tmp
	mkdir .muster/runs/stray-abcdefgh
	touch -d '1 hour ago' .muster/.muster-0123456789abcdef.tmp .muster/runs/stray-abcdefgh
	run -1 muster fsck
	says "left over"
	says "'muster fsck --repair' mends it"
	run -0 muster fsck --repair
	says "(mended)"
	[ ! -e "${history[0]}/refs/heads/.muster-0123456789abcdef.tmp" ]
	[ ! -e .muster/.muster-0123456789abcdef.tmp ]
	[ ! -e .muster/runs/stray-abcdefgh ]
	run -0 muster fsck
	says "All is sound."
	run -0 muster approve -1 --quiet
}
