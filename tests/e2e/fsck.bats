#!/usr/bin/env bats
# What is kept of a run, and what is wrong with it.

load common

hello() {
	"$MUSTER" run teams/hello.yaml --rehearse samples/hello/rehearsal.yaml --quiet
}

# Changes the store behind the program's back.
change() {
	python3 - "$@" <<-'END'
		import sqlite3, sys
		store = sqlite3.connect(".muster/store.db")
		for sql in sys.argv[1:]:
		    assert store.execute(sql).rowcount != 0, sql
		store.commit()
	END
}

@test "a run as it was left is sound" {
	hello
	run muster fsck -1
	[ "$status" -eq 0 ]
	says "is sound"
	run muster fsck -1 --json
	[ "$status" -eq 0 ]
	says '"problems":[]'
}

@test "an event that is gone, one that does not fit, and one that cannot be read are told" {
	hello
	change "DELETE FROM events WHERE sequence=9"
	run muster fsck -1
	[ "$status" -eq 1 ]
	says "not numbered without gaps: 36 of them, up to number 37"
	says "does not fit to those before it"
	change "UPDATE events SET body='{}x' WHERE sequence=4"
	run muster fsck -1
	[ "$status" -eq 1 ]
	says "event 4 cannot be read"
}

@test "a verdict whose text is gone is told" {
	hello
	change "DELETE FROM texts WHERE key GLOB '[0-9]*.[0-9]*' AND key NOT LIKE '%lines'"
	run muster fsck -1
	[ "$status" -eq 1 ]
	says "which an event refers to"
	says "is missing"
}

@test "an item that is no JSON is told" {
	hello
	change "UPDATE items SET json='{' WHERE branch=1 AND sequence=1"
	run muster fsck -1
	[ "$status" -eq 1 ]
	says "item 1 of branch 1 cannot be read"
}

@test "a history that differs from the journal, or is gone, is told" {
	hello
	change "UPDATE changes SET blob='0000000000000000000000000000000000000001' WHERE path=CAST('hello.txt' AS BLOB)"
	run muster fsck -1
	[ "$status" -eq 1 ]
	says "'hello.txt' is not the same in the journal and in the history"
	rm -r .muster/runs/*/history.git
	run muster fsck -1
	[ "$status" -eq 1 ]
	says "the history of its workspace"
}

@test "a list that says otherwise than the journal is told" {
	hello
	change "UPDATE runs SET state='failed'"
	run muster fsck -1
	[ "$status" -eq 1 ]
	says "the list of runs says that it is failed, its events that it is done"
}
