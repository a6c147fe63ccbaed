#!/usr/bin/env bats
# Repositories of other machines in the workspace, from git's own server on loopback.

load common

setup() {
	enter "$BATS_TEST_TMPDIR"
	export XDG_CACHE_HOME=$PWD/cache GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
	make_repositories
	python3 "$BATS_TEST_DIRNAME/git_server.py" "$PWD/served" "$PWD/port" "$PWD/requests" 3>&- &
	SERVER=$!
	for _ in {1..200}; do
		[ -s port ] && break
		sleep 0.05
	done
	HOST=http://127.0.0.1:$(cat port)
}

teardown() {
	kill "$SERVER"
	wait "$SERVER" || true
}

make_repositories() {
	git init -q -b main work
	(
		cd work
		git config user.name t
		git config user.email t@t.invalid
		mkdir -p src/deep
		echo one >a.txt
		printf '#!/bin/sh\necho tool\n' >src/tool
		chmod +x src/tool
		echo deep >src/deep/d
		ln -s deep/d src/link
		git add -A && git commit -qm one
		git tag -a -m tagged v1
		echo two >a.txt && git commit -qam two
		git checkout -qb side && echo side >a.txt && git commit -qam side
		git checkout -q main && echo three >a.txt && git commit -qam three
	)
	mkdir -p served/public served/private
	git clone -q --bare work served/public/repo.git
	git clone -q --bare work served/private/repo.git
	ONE=$(git -C work rev-parse v1^{})
	TWO=$(git -C work rev-parse main~1)
}

# team KEYS [LINE]: a team with one git_repo entry, "code", and another line.
team() {
	cat >team.yaml <<-YAML
		version: 1
		name: coded
		model: openai/gpt-5.4
		sandbox: {provider: unix-local}
		manifest: {entries: {code: {type: git_repo, $1}}}
		manager: worker
		$2
		agents:
		  worker: {description: Looks., instructions: Look.}
	YAML
	printf 'version: 1\nagents: {worker: [{say: Done.}]}\n' >script.yaml
	rm -rf .muster
	run "$MUSTER" run team.yaml --rehearse script.yaml
	echo "$output"
}

has() {
	[ "$(cat "$(workspace)/code/$1")" = "$2" ]
}

@test "a repository comes with its folders, modes and links, at the server's default ref" {
	team "host: '$HOST', repo: public/repo"
	[ "$status" -eq 0 ]
	has a.txt three
	has src/deep/d deep
	[ -x "$(workspace)/code/src/tool" ]
	[ "$(readlink "$(workspace)/code/src/link")" = deep/d ]
}

@test "git in the sandbox knows the repository, with the one commit" {
	team "host: '$HOST', repo: public/repo"
	cd "$(workspace)/code"
	git -c safe.directory='*' fsck --strict
	[ "$(git -c safe.directory='*' log --format=%s)" = three ]
	[ -z "$(git -c safe.directory='*' status --porcelain)" ]
	echo more >>a.txt
	[ "$(git -c safe.directory='*' diff --name-only)" = a.txt ]
	[ "$(git -c safe.directory='*' config remote.origin.url)" = "$HOST/public/repo.git" ]
	cd - && [ "$(ls -d cache/muster/git/*.git.* | wc -l)" -eq 2 ] # and the lock
	team "host: '$HOST', repo: public/repo, subpath: src"
	[ ! -e "$(workspace)/code/.git" ]
}

@test "a ref is a branch, a tag, a whole reference, or a commit by its id or the start of it" {
	team "host: '$HOST', repo: public/repo, ref: side"
	has a.txt side
	team "host: '$HOST', repo: public/repo, ref: v1"
	has a.txt one
	team "host: '$HOST', repo: public/repo, ref: refs/heads/side"
	has a.txt side
	rm -r cache
	team "host: '$HOST', repo: public/repo, ref: '$TWO'"
	has a.txt two
	rm -r cache
	team "host: '$HOST', repo: public/repo, ref: '${ONE:0:9}'"
	has a.txt one
}

@test "only a folder of it can be wanted" {
	team "host: '$HOST', repo: public/repo, subpath: src/deep"
	[ "$status" -eq 0 ]
	has d deep
	team "host: '$HOST', repo: public/repo, subpath: nowhere"
	[ "$status" -eq 6 ]
	says "manifest entry 'code'"
	says "has no folder 'nowhere' at 'HEAD'"
	[ -z "$(ls -A "$(workspace)")" ]
}

@test "what was fetched is not fetched again, and a commit needs no server" {
	team "host: '$HOST', repo: public/repo, ref: '$ONE'"
	has a.txt one
	: >requests
	team "host: '$HOST', repo: public/repo, ref: '$ONE'"
	has a.txt one
	[ ! -s requests ]
	team "host: '$HOST', repo: public/repo, ref: main"
	: >requests
	team "host: '$HOST', repo: public/repo, ref: main"
	has a.txt three
	run ! grep -q "POST.*git-upload-pack" requests
	(cd work && echo four >a.txt && git commit -qam four && git push -q ../served/public/repo.git main)
	team "host: '$HOST', repo: public/repo, ref: main"
	has a.txt four
}

@test "a repository or a ref that is not there is named, with what was perhaps meant" {
	team "host: '$HOST', repo: public/none"
	[ "$status" -eq 6 ]
	says "manifest entry 'code': there is no repository '$HOST/public/none.git'"
	team "host: '$HOST', repo: public/repo, ref: sdie"
	[ "$status" -eq 6 ]
	says "'$HOST/public/repo.git' has no branch, tag or commit 'sdie'"
	says "did you mean 'side'?"
	team "host: '$HOST', repo: public/repo, ref: '0123456789012345678901234567890123456789'"
	[ "$status" -eq 6 ]
	says "has no branch, tag or commit '0123456789012345678901234567890123456789'"
}

@test "a private repository is read with a token that stays outside" {
	team "host: '$HOST', repo: private/repo"
	[ "$status" -eq 6 ]
	says "'$HOST/private/repo.git' is private, or not there"
	team "host: '$HOST', repo: private/repo, token: {env: REPO_TOKEN}"
	[ "$status" -eq 6 ]
	says "an entry of the manifest needs a key"
	says REPO_TOKEN
	export REPO_TOKEN=wrong-token
	team "host: '$HOST', repo: private/repo, token: {env: REPO_TOKEN}"
	[ "$status" -eq 6 ]
	says "'$HOST/private/repo.git' does not take the entry's token"
	unset REPO_TOKEN
	run "$MUSTER" resume -1
	echo "$output"
	[ "$status" -eq 6 ]
	says "its token is not to be had any more"
	export REPO_TOKEN=s3cret-token
	run "$MUSTER" resume -1
	echo "$output"
	[ "$status" -eq 0 ]
	has a.txt three
	export REPO_TOKEN=s3cret-token
	team "host: '$HOST', repo: private/repo, token: {env: REPO_TOKEN}"
	[ "$status" -eq 0 ]
	has a.txt three
	run ! grep -rq s3cret-token .muster cache
	unset REPO_TOKEN
	echo s3cret-token >token.txt
	for source in '{file: token.txt}' '{command: [cat, token.txt]}' '{secret: repo}'; do
		team "host: '$HOST', repo: private/repo, token: $source" 'secrets: {repo: {file: token.txt}}'
		[ "$status" -eq 0 ]
		has a.txt three
	done
}

@test "a token is for a manifest in the team file only" {
	team "host: '$HOST', repo: private/repo, token: {secret: nowhere}"
	[ "$status" -eq 2 ]
	says "there is no secret 'nowhere'"
	sed -n 's/^manifest: //p' team.yaml >manifest.yaml
	sed -i 's/^manifest: .*/manifest: manifest.yaml/' team.yaml
	run "$MUSTER" validate team.yaml
	echo "$output"
	[ "$status" -eq 2 ]
	says "manifest.yaml:1:"
	says "a manifest in a file of its own cannot have a 'token'"
}

@test "nobody at the address, and a name that is no host, are told as such" {
	team "host: 'http://127.0.0.1:1', repo: a/b"
	[ "$status" -eq 6 ]
	says "nobody answers at '127.0.0.1'"
	for host in example.invalid 127.example.invalid localhost.invalid:80; do
		team "host: 'http://$host', repo: a/b"
		[ "$status" -eq 2 ]
		says "would not be encrypted"
	done
	team "repo: ../b"
	[ "$status" -eq 2 ]
	says "repo '../b' has a '..'"
	team "repo: a/b, subpath: /etc"
	[ "$status" -eq 2 ]
	says "subpath '/etc' is absolute"
}

@test "a login does not follow where a server leads" {
	export REPO_TOKEN=s3cret-token
	team "host: '$HOST', repo: moved/repo, token: {env: REPO_TOKEN}"
	[ "$status" -eq 6 ]
	says "cannot fetch '$HOST/moved/repo.git'"
	team "host: '$HOST', repo: moved/repo"
	[ "$status" -eq 0 ]
	has a.txt three
}

@test "a cache that a killed process left half-made is made anew" {
	team "host: '$HOST', repo: public/repo"
	for folder in cache/muster/git/*.git; do
		rm -r "$folder" && mkdir "$folder" && echo broken >"$folder/HEAD"
	done
	team "host: '$HOST', repo: public/repo"
	[ "$status" -eq 0 ]
	has a.txt three
}

# evil NAME MODE CONTENT: a commit in the served repository whose tree has one entry, "NAME".
evil() {
	(
		cd served/public/repo.git
		id=$(printf '%s' "$3" | git hash-object -w --stdin)
		[ "$2" != 40000 ] || id=$(git rev-parse 'main:src')
		tree=$(python3 -c 'import sys
sys.stdout.buffer.write(f"{sys.argv[2]} {sys.argv[1]}".encode() + b"\0" + bytes.fromhex(sys.argv[3]))' \
			"$1" "$2" "$id" | git hash-object -t tree -w --literally --stdin)
		git update-ref refs/heads/evil "$(echo evil | git -c user.name=e -c user.email=e@e.invalid commit-tree "$tree")"
	)
	rm -rf cache
	team "host: '$HOST', repo: public/repo, ref: evil"
}

@test "what a repository should not have is refused by name, and nothing is written for it" {
	for name in .git .GIT .. ../up a/b; do
		evil "$name" 100644 x
		[ "$status" -eq 6 ]
		says "'$name' has a name that no file can have"
		evil "$name" 40000 x
		[ "$status" -eq 6 ]
	done
	evil link 120000 ../../../etc/passwd
	[ "$status" -eq 6 ]
	says "'link' is a link that leads out of the repository"
	evil link 120000 /etc/passwd
	[ "$status" -eq 6 ]
	evil sub 160000 x
	[ "$status" -eq 0 ]
	[ -d "$(workspace)/code/sub" ] && [ -z "$(ls -A "$(workspace)/code/sub")" ]
}
