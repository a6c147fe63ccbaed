#!/usr/bin/env bats
# The report of a run as one page: what is in it, and that hostile contents stay contents. What a
# browser makes of it is read by report_page.py.

load common

# A team whose every text tries to be markup, and files that have such names and contents.
make_hostile_team() {
	cat >hostile.yaml <<-'YAML'
		version: 1
		name: hostile
		description: "</title><script>document.title='taken'</script>"
		model: openai/gpt-5.4
		sandbox: {provider: unix-local}
		manifest:
		  entries:
		    "<b>given<!--.txt": {type: file, content: "--><script>document.title='taken'</script>"}
		manager: lead
		agents:
		  lead:
		    description: "\"><img src=x onerror=\"document.title='taken'\">"
		    instructions: Lead.
		    sub_agents: [{to: maker, needs: [{file: "\"'><svg onload=document.title='taken'>.md"}]}]
		  maker:
		    description: "</style></svg><script>document.title='taken'</script>"
		    instructions: Make.
		    outputs: [{file: "x\u202Etxt.exe"}]
	YAML
	cat >script.yaml <<-'YAML'
		version: 1
		agents:
		  lead:
		    - say: "<script>document.title='taken'</script>\u0007\u001b]0;taken\u0007"
		      calls: [{delegate_to_maker: {task: "<iframe src=javascript:alert(1)></iframe>"}}]
		    - calls:
		        - {write_file: {path: "\"'><svg onload=document.title='taken'>.md", content: "</pre></details><script>document.title='taken'</script>\n"}}
		        - {write_file: {path: "javascript:alert(1)", content: "]]>&lt;script&gt;\u2066bidi\u2069\n"}}
		        - {delegate_to_maker: {task: "</svg><a href=javascript:document.title='taken'>press</a>"}}
		    - say: "<meta http-equiv=refresh content='0;url=http://192.0.2.1/'><base href=//192.0.2.1/>"
		  maker:
		    - calls:
		        - {exec_command: {cmd: "printf '<script>document.title=\"taken\"</script>\\200\\377\\000'; printf 'a\\001\\033[31m\\n' >\"$(printf 'odd\\n\\033name')\"; printf 'MZ\\000' >\"$(printf 'x\\342\\200\\256txt.exe')\""}}
		    - say: "done <link rel=stylesheet href=//192.0.2.1/x.css><style>*{display:none}</style>"
	YAML
}

needs_chromium() {
	command -v chromium >/dev/null || skip "chromium is not installed (.ci/install ci)"
}

page() {
	python3 "$MUSTER_SOURCE/tests/e2e/report_page.py" "$@"
}

@test "a report has the path, the gates with their evidence, and what each agent did" {
	muster run web-app --quiet -i brief=@samples/web-app/brief.md \
		--rehearse samples/web-app/rehearsal.yaml
	run muster report -1
	[ "$status" -eq 0 ]
	[[ $output == web-app-*.html ]]
	page sound "$output"
	page shows "$output" 'done' 'AGENT_TASKS.md is missing; write it.' 'design/design_spec.md' \
		'+# Requirements: Bug Busters' 'delegate_to_designer' 'Turn 1: 1,620 tokens in, 1,180 out' \
		'project_manager in branch 0, from the user: completed' '1, refused 1×'
	[ "$(stat -c %s "$output")" -lt 1000000 ]
}

@test "hostile names and contents are shown, and nothing of them runs" {
	make_hostile_team
	run muster run hostile.yaml --rehearse script.yaml
	[ "$status" -eq 0 ] || { echo "$output"; false; }
	muster report -1 --out report.html
	page sound report.html
	page shows report.html "<script>document.title='taken'</script>" 'x\u{202e}txt.exe' \
		'<iframe src=javascript:alert(1)></iframe>' 'odd\n\x1bname' '\u{2066}bidi\u{2069}'
	needs_chromium
	page browse report.html
}

@test "what would run without the policy does not run with it" {
	needs_chromium
	muster run --quiet hello --rehearse samples/hello/rehearsal.yaml
	muster report -1 --out report.html
	page blocked report.html
}

@test "the report goes to standard output, and a run that waits has one, too" {
	make_hostile_team
	sed -i 's/^    outputs:.*/    limits: {max_turns: 1}/; $a limits: {max_turns: 2}' hostile.yaml
	run muster run hostile.yaml --quiet --rehearse script.yaml
	[ "$status" -eq 5 ] || { echo "$output"; false; }
	muster report -1 --out - >report.html
	page sound report.html
	page shows report.html parked 'the run is parked: a limit is reached'
	run muster report nowhere
	[ "$status" -eq 2 ]
	run muster report -1 --out no/such/folder/report.html
	[ "$status" -eq 1 ]
	says "no/such/folder/report.html"
}
