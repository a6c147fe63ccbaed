#!/usr/bin/env bats
# What a person sees on a terminal while a run works: a real pseudo-terminal, played on a small screen.

load common

terminal() {
	run --separate-stderr python3 "$MUSTER_SOURCE/tests/e2e/terminal.py" "$@"
	[ "$status" -eq 0 ] || { echo "$stderr"; false; }
	echo "$output" >screen.json
}

# shows EXPRESSION: a Python expression over what the screen said holds.
shows() {
	python3 - "$1" <<-'PY'
		import json, re, sys
		screen = json.load(open("screen.json"))
		status, lines, seen, raw = screen["status"], screen["lines"], screen["seen"], screen["raw"]
		frames, took, wrong = screen["frames"], screen["took"], screen["wrong"]
		text = "\n".join(lines)
		if not eval(sys.argv[1]):
		    print(sys.argv[1], "does not hold:", json.dumps(screen, indent=1), sep="\n")
		    sys.exit(1)
	PY
}

# slow.yaml: the hello team whose writer takes a while.
slow() {
	cat >slow.yaml <<-'YAML'
		version: 1
		agents:
		  editor:
		    - calls: [{delegate_to_writer: {task: Greet.}}]
		    - say: "Hello,\n\e[31mred\u202e and done!"
		  writer:
		    - calls: [{exec_command: {cmd: "sleep 1.5 # \e]0;title\a \u202e"}}]
		    - calls: [{write_file: {path: hello.txt, content: "Hello, world!\n"}}]
		    - say: It is there.
	YAML
}

@test "every agent at work has a line, which is gone at the end" {
	slow
	terminal --size 100x24 -- muster run hello --rehearse slow.yaml
	shows 'status == 0 and not wrong'
	shows 'any(re.match(r"writer +exec_command sleep 1.5 .* 1 turn, [0-9,]+ tokens, 1 s$", line) for line in seen)'
	shows 'any(re.match(r"hello-\w+  00:01 +2 turns, [0-9,]+ tokens$", line) for line in seen)'
	shows 'not re.search(r"^hello-\w+  00:0|thinks|is being", text, re.M)'
	shows 'len([line for line in lines if "calls exec_command" in line]) == 1'
	shows 'lines[0].startswith("run hello-") and "hello.txt" in text'
	# Nothing is drawn more than ten times a second.
	shows 'took * 10 + 3 >= frames >= 1'
	# No colours were wanted, and nothing from outside moves the cursor.
	shows 'not re.search("\x1b\\[[0-9;]*m|\x1b\\]|\a|\u202e", raw)'
	shows '"\\x1b[31mred\\u{202e}" in text'
}

@test "a terminal that is resized meanwhile loses no line" {
	slow
	sed -i 's/sleep 1.5.*"/sleep 1.5"/' slow.yaml
	terminal --size 100x24 --resize 0.5:50x12 --resize 0.9:30x4 --resize 1.2:120x3 -- muster run hello --rehearse slow.yaml
	shows 'status == 0 and not wrong'
	muster log -1 | sed 's/^[0-9:.]* *//' >told
	# Each line of the log was on the screen, in its order.
	python3 - <<-'PY'
		import json
		screen = json.load(open("screen.json"))
		text = "".join(screen["lines"]).replace(" ", "")
		at = 0
		for line in open("told"):
		    at = text.find(line.strip().replace(" ", ""), at)
		    assert at >= 0, line
	PY
}

@test "a dumb terminal and a configuration without live lines get plain lines" {
	slow
	terminal --term dumb -- muster run hello --rehearse slow.yaml
	shows 'status == 0 and frames == 0 and "\x1b" not in raw and "is done" in text'
	export XDG_CONFIG_HOME=$PWD/config
	mkdir -p config/muster
	echo 'progress: lines' >config/muster/config.yaml
	terminal -- muster run hello --rehearse slow.yaml
	shows 'status == 0 and frames == 0 and "is done" in text'
	echo 'progress: none' >config/muster/config.yaml
	terminal -- muster run hello --rehearse slow.yaml
	shows 'status == 0 and frames == 0 and "is done" not in text and "hello.txt" in text'
	rm -r config
	terminal -- muster run hello --rehearse slow.yaml --quiet
	shows 'status == 0 and raw.strip() == ""'
}

@test "an interrupt leaves the terminal tidy" {
	slow
	sed -i "s/sleep 1.5/sleep 30/" slow.yaml
	terminal -- sh -c 'muster run hello --rehearse slow.yaml & pid=$!; sleep 1; kill -INT $pid; wait $pid'
	shows 'not wrong and "the run is parked" in text and not re.search("^hello-.*  00:0", text, re.M)'
}
