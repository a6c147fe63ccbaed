#!/usr/bin/env bats
# Gates that hold a document against a JSON Schema.

load common

make_team() {
	mkdir schemas
	cat >schemas/item.json <<-'JSON'
		{"$schema": "https://json-schema.org/draft/2020-12/schema",
		 "type": "object", "required": ["name"],
		 "properties": {"name": {"type": "string"}, "count": {"type": "integer", "minimum": 1}},
		 "additionalProperties": false}
	JSON
	cat >team.yaml <<-'YAML'
		version: 1
		name: fitting
		description: One agent that writes a document.
		model: openai/gpt-5.4
		sandbox: {provider: unix-local}
		manager: worker
		agents:
		  worker:
		    description: Works.
		    instructions: Work.
		    outputs: [item, {approve: Is it good?}]
		gates:
		  item: {require: [{json: item.json, schema: schemas/item.json}]}
	YAML
	cat >script.yaml
}

@test "an agent is told where its document does not fit" {
	make_team <<-'YAML'
		version: 1
		agents:
		  worker:
		    - calls: [{write_file: {path: item.json, content: '{"name": 3, "counts": 1}'}}]
		    - say: done
		    - when: {last: 'at /name its schema asks for a string; found: 3'}
		      calls: [{write_file: {path: item.json, content: '{"name": "a", "count": 0}'}}]
		    - say: done
		    - when: {last: 'at /count its schema asks for a number of at least 1; found: 0'}
		      calls: [{write_file: {path: item.json, content: '{"name": "a"}'}}]
		    - say: done
	YAML
	run muster run team.yaml --rehearse script.yaml
	[ "$status" -eq 4 ]
	says "Is it good?"
	# The run keeps the schema that it was started with.
	rm -r schemas
	run muster approve -1
	[ "$status" -eq 0 ] || { echo "$output"; false; }
}

@test "a schema that asks for less than it seems to is refused before the start" {
	make_team </dev/null
	sed -i 's/"required"/"requried"/' schemas/item.json
	run muster validate team.yaml
	[ "$status" -eq 2 ]
	says "schema 'schemas/item.json': 'requried' is no keyword of JSON Schema 2020-12"
	says "did you mean 'required'?"
	sed -i 's/"requried": \["name"\]/"$ref": "other.json"/' schemas/item.json
	run muster validate team.yaml
	[ "$status" -eq 2 ]
	says "leads to no schema in this file"
}

@test "a gate file finds its schema beside it" {
	mkdir checks
	printf '{"required": ["a"]}' >checks/s.json
	printf 'name: fits\nrequire: [{json: a.json, schema: s.json}]\n' >checks/fits.yaml
	printf '{\n"b": 1}' >a.json
	run muster gate checks/fits.yaml
	[ "$status" -eq 3 ]
	says "a.json: at the root its schema asks for a member 'a'; found: none."
	printf '{"a": 1}' >a.json
	muster gate checks/fits.yaml
}
