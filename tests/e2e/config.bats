#!/usr/bin/env bats
# What a person says for all teams: config.yaml and the environment.

load common

# config: its text comes on standard input.
config() {
	export XDG_CONFIG_HOME=$PWD/config
	mkdir -p config/muster
	cat >config/muster/config.yaml
}

rehearsed() {
	run muster run "$@" --rehearse samples/hello/rehearsal.yaml
}

# without_model: a hello team that names no model.
without_model() {
	sed '/^model: /d' teams/hello.yaml >teams/bare.yaml
}

@test "the model of the configuration is for teams that name none" {
	without_model
	run muster plan teams/bare.yaml
	[ "$status" -eq 2 ]
	says "has no model"
	config <<<'model: ollama/qwen3'
	run muster plan teams/bare.yaml
	[ "$status" -eq 0 ]
	says ollama/qwen3
	run muster plan hello
	[[ $output != *ollama* ]]
	MUSTER_MODEL=vllm/small run muster plan hello
	says vllm/small
	MUSTER_MODEL=vllm/small run muster plan hello --model writer=llama-cpp/tiny
	says vllm/small
	says llama-cpp/tiny
	MUSTER_MODEL=vllm/small run muster plan hello --model llama-cpp/tiny
	[[ $output != *vllm* ]]
}

@test "models of the configuration have names, the team's own go first" {
	config <<-'YAML'
		models:
		  mine: {use: ollama/qwen3}
		  shared: {use: ollama/other}
	YAML
	run muster plan hello --model mine
	[ "$status" -eq 0 ]
	says "mine (ollama/qwen3)"
	{ cat teams/hello.yaml && echo 'models: {shared: {use: openai/first}}'; } >teams/own.yaml
	run muster plan teams/own.yaml --model shared
	says "shared (openai/first)"
	[[ $output != *ollama/other* ]]
}

@test "a run keeps the configuration that it was started with" {
	without_model
	config <<-'YAML'
		model: mine
		models: {mine: {use: openai/gpt-5.4}}
		limits: {max_turns: 3}
	YAML
	rehearsed teams/bare.yaml
	[ "$status" -eq 5 ]
	rm -r config
	run muster resume -1 --max-turns +50
	[ "$status" -eq 0 ]
	run muster fsck
	[ "$status" -eq 0 ]
}

@test "a limit of the team goes before that of the configuration" {
	config <<<'limits: {max_turns: 3}'
	rehearsed hello
	[ "$status" -eq 5 ]
	{ grep -v '^limits' teams/hello.yaml && echo 'limits: {max_turns: 40}'; } >teams/own.yaml
	rehearsed teams/own.yaml
	[ "$status" -eq 0 ]
}

@test "mistakes in the configuration are told with their places, all at once" {
	config <<-'YAML'
		modle: openai/x
		models: {big: {use: nobody/x}}
		providers: {opnai: {base_url: ftp://x}}
		limits: {max_turns: 0}
		sandbox: {network: on, provider: unix-locl}
		secrets: {key: {env: sk-12345}}
		colours: sometimes
	YAML
	rehearsed hello
	[ "$status" -eq 2 ]
	says "config/muster/config.yaml:1:1: unknown key 'modle'; did you mean 'model'?"
	says "config.yaml:2:21: unknown model provider 'nobody'"
	says "config.yaml:3:13: unknown model provider 'opnai'; did you mean 'openai'?"
	says "config.yaml:3:31: 'ftp://x' is no address"
	says "config.yaml:4:21: 'max_turns' must be at least 1, not 0"
	says "config.yaml:5:11: unknown key 'network' in 'sandbox'"
	says "config.yaml:5:34: unknown sandbox provider 'unix-locl'; did you mean 'unix-local'?"
	says "config.yaml:6:22: 'env' takes the name of a variable, not a value"
	[[ $output != *sk-12345* ]]
	says "config.yaml:7:10: 'colours' cannot be 'sometimes'"
	says "has 9 mistakes"
	# Verbs that do not need it do not look at it.
	run muster validate hello
	[ "$status" -eq 0 ]
	run muster providers
	[ "$status" -eq 0 ]
}

@test "a configuration that others can write to is refused" {
	config <<<'model: openai/x'
	chmod o+w config/muster/config.yaml
	rehearsed hello
	[ "$status" -eq 2 ]
	says "everybody may write to"
}

@test "an empty configuration, and none, are fine" {
	config <<<'# nothing yet'
	rehearsed hello
	[ "$status" -eq 0 ]
	config </dev/null
	rehearsed hello
	[ "$status" -eq 0 ]
	export XDG_CONFIG_HOME=relative HOME=
	rehearsed hello
	[ "$status" -eq 0 ]
}

@test "colours are what the configuration says, unless NO_COLOR is set" {
	unset NO_COLOR
	config <<<'colours: always'
	rehearsed hello
	[[ $output == *$'\033['* ]]
	NO_COLOR=1 rehearsed hello
	[[ $output != *$'\033['* ]]
	config <<<'colours: never'
	rehearsed hello
	[[ $output != *$'\033['* ]]
}

@test "the sandbox of the environment goes before the team's" {
	MUSTER_SANDBOX=nowhere rehearsed hello
	[ "$status" -eq 2 ]
	says "there is no sandbox provider 'nowhere'"
	MUSTER_SANDBOX=nowhere rehearsed hello --sandbox unix-local
	[ "$status" -eq 0 ]
}
