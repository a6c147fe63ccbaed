#!/usr/bin/env bats
# Gates that compare with the start of the assignment.

load common

make_team() {
	cat >team.yaml <<-'YAML'
		version: 1
		name: back
		description: A chief, a maker and a checker.
		model: openai/gpt-5.4
		sandbox: {provider: unix-local}
		manifest:
		  entries:
		    report.md: {type: file, content: "as it was\n"}
		    tests/a.txt: {type: file, content: "a\n"}
		manager: chief
		agents:
		  chief:
		    description: Hands out the work.
		    instructions: Hand out the work.
		    sub_agents:
		      - maker
		      - {to: checker, needs: [{fresh: report.md}]}
		    writes: []
		  maker:
		    description: Makes.
		    instructions: Make.
		    outputs: [made]
		    writes: [report.md, tests/**]
		  checker:
		    description: Checks.
		    instructions: Check.
		    writes: []
		gates:
		  made:
		    require:
		      - {changed: report.md}
		      - {unchanged: 'tests/**', by: maker}
	YAML
	cat >script.yaml
}

@test "work has to change what it is about, and nothing else" {
	make_team <<-'YAML'
		version: 1
		agents:
		  chief:
		    - calls: [{delegate_to_checker: {task: "Check."}}]
		    - when: {last: 'report.md is as it was when this assignment began'}
		      calls: [{delegate_to_maker: {task: "Write the report."}}]
		    - calls: [{delegate_to_checker: {task: "Check."}}]
		    - calls: [{delegate_to_maker: {task: "Write it again."}}]
		    - say: done
		  maker:
		    - calls: [{write_file: {path: tests/a.txt, content: "b\n"}}, {check_outputs: {}}]
		    - when: {last: 'Changed by maker in this assignment, but it has to stay as it was: tests/a.txt'}
		      say: done
		    - when: {last: 'Nothing that matches report.md was changed in this assignment'}
		      calls:
		        - {write_file: {path: tests/a.txt, content: "a\n"}}
		        - {write_file: {path: report.md, content: "new\n"}}
		        - {check_outputs: {}}
		    - when: {last: 'made: holds'}
		      say: done
		    - say: "it is written already"
		    - when: {last: 'Nothing that matches report.md was changed in this assignment'}
		      calls: [{write_file: {path: report.md, content: "newer\n"}}]
		    - say: done
		  checker:
		    - say: good
	YAML
	run muster run team.yaml --rehearse script.yaml
	[ "$status" -eq 0 ] || { echo "$output"; false; }
	[ "$(cat "$(workspace)/report.md")" = newer ]
}

@test "where an assignment began is known after a kill" {
	make_team <<-'YAML'
		version: 1
		agents:
		  chief:
		    - calls: [{delegate_to_maker: {task: "Write the report."}}]
		    - calls: [{delegate_to_checker: {task: "Check."}}]
		    - say: done
		  maker:
		    - calls: [{write_file: {path: report.md, content: "new\n"}}]
		    - calls: [{exec_command: {cmd: "sleep 2"}}]
		    - say: done
		  checker:
		    - say: good
	YAML
	muster run team.yaml --rehearse script.yaml --quiet &
	pid=$!
	sleep 1
	kill -9 $pid
	wait $pid || true
	run muster resume -1
	[ "$status" -eq 0 ] || { echo "$output"; false; }
}

@test "what the assignee was asked for counts from where its work began" {
	make_team <<-'YAML'
		version: 1
		agents:
		  chief:
		    - calls: [{delegate_to_maker: {task: "Write the report."}}]
		    - say: done
		  maker:
		    - calls: [{transfer_to_checker: {message: "Look at it."}}]
		    - when: {last: 'Nothing that matches report.md was changed'}
		      calls: [{write_file: {path: report.md, content: "new\n"}}, {transfer_to_checker: {message: "Look."}}]
		  checker:
		    - say: it is good
	YAML
	sed -i 's/    outputs: .made./    outputs: [made]\n    handoffs: [checker]/' team.yaml
	run muster run team.yaml --rehearse script.yaml
	[ "$status" -eq 0 ] || { echo "$output"; false; }
}

@test "an unknown author is told when the file is validated" {
	make_team </dev/null
	sed -i 's/by: maker/by: makre/' team.yaml
	run muster validate team.yaml
	[ "$status" -eq 2 ]
	says "there is no agent 'makre'"
	says "did you mean 'maker'?"
}

@test "outside of a run such a check gives no verdict" {
	printf 'name: back\nrequire: [{changed: a}]\n' >back.yaml
	run muster gate back.yaml
	[ "$status" -eq 6 ]
	says "is known in a run only"
}

@test "the folder of the runs is looked into only by name" {
	mkdir -p project/.muster/runs project/src
	touch project/.muster/runs/a.txt project/src/b.txt
	printf 'name: texts\nrequire: [{glob: "**/*.txt", count: 1}]\n' >texts.yaml
	muster gate texts.yaml --in project
	printf 'name: texts\nrequire: [{glob: ".muster/**/*.txt", count: 1}]\n' >texts.yaml
	muster gate texts.yaml --in project
}

@test "what a command of a gate says is shown line by line" {
	printf 'name: says\nrequire: [{run: "echo one; echo two; exit 1"}]\n' >says.yaml
	run muster gate says.yaml
	[ "$status" -eq 3 ]
	says $'It said:\n         one\n         two'
}
