#!/usr/bin/env bats
# The web-app team, in rehearsal: what its gates refuse, and what it makes.

load common

# The team runs once for all tests of this file.
setup_file() {
	enter "$BATS_FILE_TMPDIR"
	 "$MUSTER" run teams/web-app.yaml -i brief=@samples/web-app/brief.md \
		--rehearse samples/web-app/rehearsal.yaml >output 2>&1 && echo 0 >status || echo $? >status
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
	output=$(cat output)
}

teardown() {
	[ -z "$SERVER" ] || kill "$SERVER"
}

chromium_prints() {
	command -v chromium >/dev/null || skip "chromium is not installed (.ci/install ci)"
	timeout 60 chromium --headless --no-sandbox --disable-gpu --no-first-run \
		--disable-background-networking --disable-component-update --disable-sync \
		--user-data-dir="$BATS_TEST_TMPDIR/profile" "$@" 2>/dev/null
}

# Starts the server that the team made; its port is in PORT.
start_server() {
	: >server.out
	PORT=0 node "$(workspace)/backend/server.js" >server.out 3>&- &
	SERVER=$!
	for _ in $(seq 100); do
		PORT=$(sed -n 's/^listening on http:.*:\([0-9]*\)$/\1/p' server.out)
		[ -z "$PORT" ] || return 0
		sleep 0.1
	done
	cat server.out
	return 1
}

@test "the summary says who refused, and what that took" {
	enter "$BATS_TEST_TMPDIR"
	sed '/^model: /d' teams/web-app.yaml >teams/priced.yaml
	echo 'model: {use: openai/gpt-5.4, price: {input: 100, output: 1000}}' >>teams/priced.yaml
	run --separate-stderr muster run teams/priced.yaml -i brief=@samples/web-app/brief.md --rehearse samples/web-app/rehearsal.yaml
	[ "$status" -eq 0 ]
	says $'8 gates passed, 3 refused\n  refused by '
	grep -A1 '^designer: ' <<<"$output" | grep -qE '^  of that after refusals: [1-4] turns?, [0-9,]+ tokens, \$[0-9.]+$'
	run ! grep -A1 '^backend_developer: .*refus' <<<"$output"
	# It is part of the whole.
	muster show -1 --json | python3 -c '
import json, sys
agents = json.load(sys.stdin)["agents"]
assert any(agent["retry_turns"] for agent in agents)
for agent in agents:
    assert 0 <= agent["retry_turns"] < max(1, agent["turns"]), agent
    assert agent["retry_tokens"] <= agent["input_tokens"] + agent["output_tokens"], agent
    assert agent["retry_nano_usd"] <= agent["nano_usd"], agent
    assert bool(agent["retry_turns"]) == bool(agent["gates_refused"]), agent'
}

@test "the run ends well" {
	echo "$output"
	[ "$(cat status)" -eq 0 ]
}

@test "the handoff that came too early was refused, and says why" {
	says AGENT_TASKS.md
	run "$MUSTER" log -1
	[ "$(grep -c refused <<<"$output")" -ge 3 ]
}

@test "every artifact is there, made by the one whose it is" {
	run "$MUSTER" artifacts -1
	echo "$output"
	while read -r agent path; do
		[ -s "$(workspace)/$path" ]
		grep -E "$path.*$agent|$agent.*$path" <<<"$output"
	done <<-END
		project_manager REQUIREMENTS.md
		project_manager TEST.md
		project_manager AGENT_TASKS.md
		designer design/design_spec.md
		frontend_developer frontend/index.html
		frontend_developer frontend/styles.css
		frontend_developer frontend/game.js
		backend_developer backend/server.js
		backend_developer backend/package.json
		tester tests/TEST_PLAN.md
		tester tests/test.sh
	END
}

@test "plain git knows who wrote what" {
	run git --git-dir "$(echo .muster/runs/*/history.git)" log --format='%an' -- backend/server.js
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(sort -u <<<"$output")" = backend_developer ]
}

@test "the tests that the team wrote pass outside, too" {
	run sh "$(workspace)/tests/test.sh"
	echo "$output"
	[ "$status" -eq 0 ]
	says "10 passed, 0 failed"
}

@test "the page loads in a browser and its script runs" {
	page=$(chromium_prints --dump-dom "file://$PWD/$(workspace)/frontend/index.html")
	grep 'data-state="ready"' <<<"$page"
	grep 'Start the server to keep scores' <<<"$page"
}

@test "a whole round of the game can be played" {
	cp -r "$(workspace)/frontend" play
	cat >play/player.js <<-'END'
		document.getElementById("start").click();
		const hits = setInterval(() => bug.dispatchEvent(new PointerEvent("pointerdown")), 500);
		setTimeout(() => clearInterval(hits), 25000);
	END
	sed -i 's|</body>|<script src="player.js"></script></body>|' play/index.html
	page=$(chromium_prints --virtual-time-budget=30000 --dump-dom "file://$PWD/play/index.html")
	echo "$page"
	grep 'data-state="over"' <<<"$page"
	grep -E 'Time is up: you caught (3[5-9]|40)\.' <<<"$page"
}

@test "the server answers, and the page it serves shows the scores" {
	start_server
	node -e '
		const [port] = process.argv.slice(1);
		const to = `http://127.0.0.1:${port}`;
		(async () => {
			const health = await (await fetch(`${to}/health`)).json();
			const saved = await fetch(`${to}/scores`, {method: "POST", body: JSON.stringify({name: "<b>Ada", score: 7})});
			const { scores } = await (await fetch(`${to}/scores`)).json();
			process.exit(health.status === "ok" && saved.status === 201 && scores.length === 1 ? 0 : 1);
		})();' "$PORT"
	page=$(chromium_prints --virtual-time-budget=2000 --dump-dom "http://127.0.0.1:$PORT/")
	echo "$page"
	grep '<li>&lt;b&gt;Ada: 7</li>' <<<"$page"
}
