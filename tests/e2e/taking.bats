#!/usr/bin/env bats
# Looking at the work of a run, taking it out, and deleting the run.

load common

hello() {
	"$MUSTER" run teams/hello.yaml --rehearse samples/hello/rehearsal.yaml --quiet "$@"
}

# ask STATUS WORDS...: run muster with them.
ask() {
	local expected=$1
	shift
	run "$MUSTER" "$@"
	echo "$output"
	[ "$status" -eq "$expected" ]
}

# A team whose manifest puts a folder of the project into the workspace; its worker changes one
# file, deletes another, and adds one that is no text.
site() {
	mkdir site
	printf 'one\ntwo\n' >site/page.md
	echo old >site/old.md
	echo kept >site/kept.md
	cat >site.yaml <<-'END'
		version: 1
		name: site
		model: openai/gpt-5.4
		sandbox: {provider: unix-local, network: off}
		manager: worker
		manifest:
		  entries:
		    site: {type: local_dir, src: site}
		agents:
		  worker:
		    description: Works.
		    instructions: Work.
		    outputs: page
		gates:
		  page:
		    require: [{file: site/page.md, matches: 'TWO'}]
	END
	cat >site-rehearsal.yaml <<-'END'
		version: 1
		agents:
		  worker:
		    - calls:
		        - exec_command: {cmd: "printf 'one\nTWO\n' > site/page.md; rm site/old.md; printf 'a\\0b' > site/zero; ln -s /etc/passwd out; ln -s site/page.md in"}
		    - say: Done.
	END
	ask 0 run site.yaml --rehearse site-rehearsal.yaml "$@"
}

@test "an artifact is printed as it was after any turn" {
	hello
	ask 0 artifacts -1 --get hello.txt
	[ "$output" = "Hello, world!" ]
	ask 0 artifacts -1 --get hello.txt --at 2
	[ "$output" = "hi" ]
	ask 0 artifacts -1 --at 2
	says "3 B"
	says fails
	ask 0 artifacts -1 --at 1
	[ -z "$output" ]
	ask 2 artifacts -1 --get hello.txt --at 1
	says "no artifact 'hello.txt'"
	ask 2 artifacts -1 --at 99
	says "no turn '99'"
	ask 2 artifacts -1 --get ../../store.db
}

@test "an artifact is printed byte for byte" {
	site
	"$MUSTER" artifacts -1 --get site/zero >zero
	printf 'a\0b' | cmp - zero
	ask 2 artifacts -1 --get site/old.md
	says "deleted in turn 1"
	[ "$("$MUSTER" artifacts -1 --get site/old.md --at 0)" = old ]
}

@test "git applies what diff prints" {
	hello
	ask 0 diff -1
	says "+Hello, world!"
	mkdir elsewhere
	"$MUSTER" diff -1 | (cd elsewhere && git apply)
	[ "$(cat elsewhere/hello.txt)" = "Hello, world!" ]
}

@test "git applies what diff prints, whatever the files are called and hold" {
	cat >odd.yaml <<-'END'
		version: 1
		name: odd
		model: openai/gpt-5.4
		sandbox: {provider: unix-local, network: off}
		manager: worker
		agents:
		  worker: {description: Works., instructions: Work.}
	END
	cat >odd-rehearsal.yaml <<-'END'
		version: 1
		agents:
		  worker:
		    - calls:
		        - exec_command:
		            cmd: |
		              echo x > 'a b'; printf y > "$(printf 'tab\t \033[31m "q"\\')"; echo z > ü
		              mkdir d; : > d/empty; chmod +x d/empty; printf 'a\r\nb\rc\n' > lines
		              printf '\033[31m\377\n' > escape
		    - say: Done.
	END
	ask 0 run odd.yaml --rehearse odd-rehearsal.yaml
	mkdir applied
	"$MUSTER" diff -1 | (cd applied && git apply)
	diff -r applied "$(workspace)"
	[ -x applied/d/empty ]
	[ "$(find applied -type f | wc -l)" -eq 6 ]
	ask 0 apply -1 --to taken
	[[ $output != *$'\033'* ]]
	diff -r taken "$(workspace)"
	ask 0 blame -1 escape
	says '\x1b[31m\xff'
}

@test "diff compares any turns, and tells what one agent wrote" {
	hello
	ask 0 diff -1 --from 2 --to 4
	says "-hi"
	ask 0 diff -1 --from 4
	[ -z "$output" ]
	ask 0 diff -1 --agent writer
	says "Turn 2: writer"
	says "Turn 4: writer"
	ask 0 diff -1 --agent editor
	[ -z "$output" ]
	ask 2 diff -1 --agent writr
	says "did you mean 'writer'"
	ask 2 diff -1 --from 4 --to 2
}

@test "diff leaves out what the manifest put there, and tells binary files as such" {
	site
	ask 0 diff -1
	says "-two"
	says "deleted file mode"
	says "Binary files /dev/null and b/site/zero differ"
	[[ $output != *kept* ]]
	"$MUSTER" diff -1 --json >diff.json
	python3 - <<-'END'
		import json
		document = json.load(open("diff.json"))
		assert document["format"] == "muster.diff/1"
		changes = {change["path"]: change for change in document["changes"]}
		assert changes["site/page.md"]["added"] == 1
		assert changes["site/zero"]["binary"] and changes["site/zero"]["before"] is None
		assert changes["site/old.md"]["status"] == "deleted"
	END
}

@test "blame names who wrote each line, and when" {
	site
	ask 0 blame -1 site/page.md
	[[ ${lines[0]} =~ ^manifest\ +0\ +1\ +one$ ]]
	[[ ${lines[1]} =~ ^worker\ +1\ +2\ +TWO$ ]]
	ask 0 blame -1 site/page.md --at 0 --json
	says '"agent":"manifest","turn":0,"text":"two"'
	ask 2 blame -1 site/zero
	says "no text"
	ask 2 blame -1 nowhere.md
}

@test "what the run started with is updated in place" {
	site
	ask 1 apply -1
	says "changed site/page.md (worker)"
	says "deleted site/old.md (worker)"
	says "left out: out (worker): it is a link that could lead outside"
	[ "$(cat site/page.md)" = $'one\nTWO' ]
	[ "$(cat in)" = $'one\nTWO' ]
	[ ! -e site/old.md ]
	[ ! -L out ]
	printf 'a\0b' | cmp - site/zero
}

@test "what was changed meanwhile is not overwritten unless told to" {
	site
	echo mine >site/page.md
	ask 1 apply -1 --dry-run
	says "conflict: site/page.md (worker): it differs from what the run started with"
	ask 1 apply -1
	says "nothing was written"
	[ "$(cat site/page.md)" = mine ]
	[ -e site/old.md ]
	run --separate-stderr "$MUSTER" apply -1 --json
	[ "$status" -eq 1 ]
	says '"applied":false'
	says '"verdict":"conflict"'
	ask 1 apply -1 --force
	[ "$(cat site/page.md)" = $'one\nTWO' ]
}

@test "another folder gets the work, and with --all the rest" {
	site
	ask 1 apply -1 --to other/place
	[ -e other/place/site/page.md ]
	[ ! -e other/place/site/kept.md ]
	ask 1 apply -1 --to other/place --all
	says "given site/kept.md (manifest)"
	[ "$(cat other/place/site/kept.md)" = kept ]
	ask 0 artifacts -1 --all
	ask 1 apply -1 --to third --dry-run
	[ ! -e third ]
	ask 2 apply -1 --to site.yaml
}

@test "a git work tree gets files, and nothing else of git changes" {
	hello
	git init -q tree
	git -C tree -c user.name=a -c user.email=a@example.org commit -q --allow-empty -m Start
	before=$(git -C tree rev-parse HEAD)
	ask 0 apply -1 --to tree
	[ "$(git -C tree status --porcelain)" = "?? hello.txt" ]
	[ "$(git -C tree rev-parse HEAD)" = "$before" ]
}

@test "run --out takes the work out when the run is done" {
	run --separate-stderr "$MUSTER" run hello --rehearse samples/hello/rehearsal.yaml --out out --json
	[ "$status" -eq 0 ]
	[[ $stderr == *"added hello.txt (writer)"* ]]
	python3 -c 'import json, sys; assert json.loads(sys.argv[1])["format"] == "muster.run/1"' "$output"
	[ "$(cat out/hello.txt)" = "Hello, world!" ]
	echo mine >out/hello.txt
	run hello --out out
	echo "$output"
	[ "$status" -eq 1 ]
	says "conflict: hello.txt"
	[ "$(cat out/hello.txt)" = mine ]
}

@test "run --out takes nothing out of a run that failed, and asks for a folder first" {
	sed 's/Hello, world!\\n/Bye\\n/' samples/hello/rehearsal.yaml >wrong.yaml
	run "$MUSTER" run hello --rehearse wrong.yaml --out out
	echo "$output"
	[ "$status" -ne 0 ]
	[ ! -e out ]
	touch file
	run hello --out file
	[ "$status" -eq 2 ]
	ask 0 list --names
	[ "${#lines[@]}" -eq 1 ]
}

@test "a deleted run is gone with all that it had" {
	hello
	hello
	ask 0 list --names
	newest=${lines[0]} other=${lines[1]}
	ask 2 delete "$newest" nowhere
	ask 0 list --names
	[ "${#lines[@]}" -eq 2 ]
	ask 0 delete -1
	says "deleted $newest"
	ask 0 list --names
	[ "$output" = "$other" ]
	[ "$(ls .muster/runs)" = "$other" ]
	ask 2 show "$newest"
}

@test "what has not ended is deleted by force only" {
	hello
	id=$("$MUSTER" list --names)
	python3 - <<-'END'
		import sqlite3
		store = sqlite3.connect(".muster/store.db")
		store.execute("update runs set state = 'parked'")
		store.commit()
	END
	ask 2 delete -1
	says "is parked"
	ask 0 prune --older-than 0
	[ -d ".muster/runs/$id" ]
	ask 0 delete -1 --force
	[ ! -e ".muster/runs/$id" ]
}

@test "a run that a process drives is not deleted, not even by force" {
	hello
	id=$("$MUSTER" list --names)
	exec 9<>".muster/runs/$id/lock"
	flock -x 9
	ask 2 delete -1 --force
	says "is being driven"
	[ -d ".muster/runs/$id/history.git" ]
	exec 9>&-
}

@test "prune deletes what ended long ago" {
	hello
	hello
	ask 0 list --names
	newest=${lines[0]} old=${lines[1]}
	python3 - "$old" <<-'END'
		import sqlite3, sys
		store = sqlite3.connect(".muster/store.db")
		store.execute("update runs set updated = updated - 10 * 86400000 where id = ?", sys.argv[1:])
		store.commit()
	END
	ask 0 prune
	[ -z "$output" ]
	ask 0 prune --older-than 9 --dry-run
	says "would delete $old"
	ask 0 prune --older-than 9 --json
	says "\"runs\":[\"$old\"]"
	ask 0 list --names
	[ "$output" = "$newest" ]
	ask 2 prune --older-than soon
}

@test "apply --branch makes a commit in the project's repository and touches no file" {
	git init -q . && git config user.email a@b && git config user.name Me
	printf '.muster\n' >.gitignore
	echo mine >mine.txt
	git add .gitignore mine.txt
	git commit -qm "Mine"
	hello
	ask 2 apply -1 --branch 'no name'
	says "is no name for a branch"
	ask 0 apply -1 --branch greeting --dry-run
	says "would be added hello.txt"
	[ "$(git branch | wc -l)" -eq 1 ]
	ask 0 apply -1 --branch greeting
	says "added hello.txt (writer)"
	[ ! -e hello.txt ]
	[ -z "$(git status --porcelain -- hello.txt mine.txt)" ]
	[ "$(git show greeting:hello.txt)" = "Hello, world!" ]
	[ "$(git show greeting:mine.txt)" = mine ]
	[ "$(git rev-parse greeting~1)" = "$(git rev-parse HEAD)" ]
	[[ $(git log -1 --format=%B greeting) == *"added hello.txt (writer)"* ]]
	git fsck --strict
	ask 2 apply -1 --branch greeting
	says "there is a branch 'greeting' already"
	git merge -q greeting
	ask 1 apply -1 --branch again
	says "there is nothing to take"
	echo other >hello.txt
	git commit -qam "Other"
	ask 1 apply -1 --branch third
	says "conflict: hello.txt (writer): the newest commit has something else there"
	ask 0 apply -1 --branch third --force
	[ "$(git show third:hello.txt)" = "Hello, world!" ]
	# In a part of a repository the work lands in that part.
	mkdir part
	ask 0 -C part run "$PWD/teams/hello.yaml" --rehearse "$PWD/samples/hello/rehearsal.yaml"
	ask 0 -C part apply -1 --branch in-part
	[ "$(git show in-part:part/hello.txt)" = "Hello, world!" ]
}
