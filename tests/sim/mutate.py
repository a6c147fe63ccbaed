#!/usr/bin/env python3
"""Breaks the run core, one line at a time, and counts how often the simulator notices.

    tests/sim/mutate.py [SEEDS]     from anywhere; default 10000 seeds and those of seeds.txt

Each row of MUTANTS names a file of src/run/, a text in it (which occurs once), what it is replaced by, and
what is wrong then. Mutants are built in a temporary folder. Exit status 1 if one lives.
"""
import concurrent.futures
import glob
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SIMULATOR = ['choices', 'team', 'shadow', 'shadow_facts', 'shadow_gates', 'shadow_room',
             'shadow_commands', 'shadow_decisions', 'play', 'world', 'mutants', 'coverage', 'print',
             'shrink', 'soak']
FLAGS = ['-std=gnu17', '-D_GNU_SOURCE', '-O1', '-w']

MUTANTS = [
    # Mistakes that were made once.
    ('decide.c', '} else if (at->outstanding) {', '} else if (false) {',
     'a branch is closed while its sandbox is still opening'),
    ('apply_facts.c', 'if (facts->kind >= CALL_KINDS) {', 'if (false) {',
     'a call of a kind that does not exist is taken'),
    ('decide_act.c', 'if (state->recording) {', 'if (false) {',
     'an effectful call starts during a record'),
    ('decide.c', '!tools_pending(at) || is_unrecorded(at)', '!tools_pending(at)',
     'two answers share one record'),
    ('state.c', '''|| !state->branch_count ||
		run_branch_ending(state, 0)) {''', '|| !state->branch_count) {',
     'a deadline is waited for while the run is ending'),
    ('apply_facts.c', '''	} else if (!event->interrupted) {
		branch->failing_count = 0;''', '''	} else {
		branch->failing_count = 0;''', 'an interrupted call counts as a success'),
    ('apply_decisions.c', '''		if (event->code == OUTCOME_COMPLETED) {
			parent->failing_count = 0;
		}
''', '', 'a report does not count as a success'),
    ('decide.c', 'if (branch->dirty && !let_go) {', 'if (branch->dirty && state->recording) {',
     'what a branch did is not recorded before it is closed'),
    ('decide.c', 'at->note >= NOTE_EMPTY && at->note <= NOTE_REPEATED',
     'at->note != NOTE_NONE && at->note != NOTE_OUTPUTS', 'a message ends a branch'),
    ('apply_facts.c', '''	if (failed) {
		set_checks(list''', '''	if (true) {
		set_checks(list''', 'a skip does not pass over what is still being written'),
    ('apply_facts.c', 'if (ends->ending == OUTCOME_OPEN) {', 'if (true) {',
     'a person changes why a branch is ending'),
    ('apply_facts.c', '''	fold_drop_questions(state, question->branch, question->call);
''', '', 'a question about a call outlives its answer'),
    ('decide.c', 'taken += works && id != branch;', 'taken += works;',
     'a branch waits for its own place'),
    ('apply_facts.c', '''check->progress != PROGRESS_SCHEDULED ||
			check->command != command.number) {''', 'false) {',
     'an old verdict is taken for a new check'),
    ('codec.c', '(command->call >= calls && command->kind == COMMAND_CALL_TOOL)',
     '(command->call >= calls && command->call != RUN_NONE)',
     'a state with a check that is out of date cannot be loaded'),
    ('apply_facts.c', 'state->unrecorded |= run_agent_bit(branch->agent);', '',
     'a failed record forgets who wrote'),
    ('decide.c', '''!state->recording &&
			state->sandbox != SANDBOX_OPENING;''', '!state->recording;',
     'a cancelled run does not wait for the sandbox to be recorded'),
    ('apply_facts.c', """	if (event->changes > 0) {
		note_tree(state, event);
	}
""", '', 'what happened to the workspace between two processes is not seen'),
    # Others.
    ('decide.c', '<= want->most) {', '<= want->most + 1) {', 'limits are off by one'),
    ('decide.c', 'want->used + want->reserved + want->wanted', 'want->used + want->wanted',
     'reservations do not count'),
    ('decide.c', 'return want->reserved > 0 ? FITS_LATER : FITS_NEVER;', 'return FITS_NEVER;',
     'a limit is reached while something is reserved'),
    ('decide.c', 'id != RUN_NONE && worst != FITS_NEVER;', 'id == branch && worst != FITS_NEVER;',
     'the limits of ancestors do not count'),
    ('decide.c', 'least = retries;', 'least = retries + 1;', 'one retry more'),
    ('decide.c', 'then > policy) {', 'then < policy) {', 'the mildest policy wins'),
    ('decide.c', 'if (spent >= retries + at->allowance) {', 'if (spent > retries + at->allowance) {',
     'one attempt more'),
    ('decide.c', 'gate->touched <= gate->record) {', 'true) {', 'old verdicts are repeated'),
    ('decide.c', '!rules->gates[check->gate].per_assignment && ', '',
     'verdicts on one assignment are repeated in another'),
    ('decide.c', '((decided || asks) && run_check_stale(state, check))', '(decided && false)',
     'a verdict is used although its paths changed'),
    ('decide.c', 'if (check->progress == PROGRESS_FAILS) {\n\t\t\t*holds = false;',
     'if (check->progress == PROGRESS_ASKED) {\n\t\t\t*holds = false;', 'failing gates hold'),
    ('decide.c', '''	if (at->dirty) {
		return WAIT;
	}
''', '', 'work is done before it is recorded'),
    ('decide.c', '| run_agent_bit(at->assignee))', ')', 'the assignee may write outside'),
    ('decide.c', 'if (at->messages) {', 'if (false) {', 'a message does not hold back completion'),
    ('decide.c', '''	if (state->command_count) {
		return WAIT;
	}
	for''', '	for', 'a run parks while something is under way'),
    ('decide.c', 'branch->outstanding || branch->open_children) {', 'branch->outstanding) {',
     'branches are closed from the top'),
    ('decide.c', '''!run_branch_ending(state, state->open[i]) &&
			decide_branch(''', 'decide_branch(', 'branches that are ending go on'),
    ('decide.c', '''		decide_stop,
''', '', 'a run does not stop'),
    ('decide_act.c', 'id != branch && other->dirty && overlaps', 'false && overlaps',
     'the workspace is not held until it is recorded'),
    ('decide_act.c', '(command->branch == branch || overlaps & run_agent_bit(agent))',
     '(command->branch == branch)', 'agents with overlapping writes do not take turns'),
    ('decide_act.c', 'call->command == RUN_NONE && !effect_before', 'call->command == RUN_NONE',
     'calls run before the effectful ones that come before them'),
    ('decide.c', 'result == GO_ON && *holds ? decide_asking', 'result == GO_ON ? decide_asking',
     'a person is asked about work that goes back anyway'),
    ('decide.c', '((decided || asks) && run_check_stale(state, check))',
     '(decided && run_check_stale(state, check))', 'a person is asked about an old tree'),
    ('decide.c', 'list->count && state->sandbox != SANDBOX_OPEN', 'false',
     'a verdict is acted on before the workspace was looked at'),
    ('decide_act.c', 'call->kind == CALL_PERSON && !effect_before', 'call->kind == CALL_PERSON',
     'a person is asked before the work that comes first is done'),
    ('apply_facts.c', 'branch->failing_count = said ? 0 : branch->failing_count;', '',
     'a person\'s answer does not count as a success'),
    ('decide_act.c', 'if (!call->ask || call->approved) {', 'if (true) {', 'nobody is asked'),
    ('decide_act.c', 'if (call->kind == CALL_TRANSFER && handoffs > 1) {', 'if (false) {',
     'a transfer beside other handoffs is performed'),
    ('decide_act.c', 'at->depth >= state->limits.max_depth', 'at->depth > state->limits.max_depth',
     'one level too deep'),
    ('decide_act.c', 'if (writer != RUN_NONE) {', 'if (false) {',
     'what is still being written is handed off'),
    ('decide_act.c', '''	if (decision == GO_ON && state->branches[branch].dirty) {
		decision = WAIT; // for the record that is under way
	}
''', '', 'gates look before the record'),
    ('decide_act.c', 'if (ready && !checking) {', 'if (ready) {',
     'branches open before all gates were looked at'),
    ('decide_act.c', '!is_asked(state, branch, i)', 'false',
     'gates that wait for a result do not hold back the others'),
    ('apply_facts.c', 'ANSWER_INTERRUPTED : ANSWER_RESULT', 'ANSWER_RESULT : ANSWER_RESULT',
     'an interrupted call is taken for one that gave a result'),
    ('apply_facts.c', 'branch->dirty = branch->dirty || call->effectful;', '',
     'the workspace is not recorded'),
    ('apply_facts.c', 'state->gates[event->gates[i]].touched = state->record;', '',
     'changes do not make verdicts old'),
    ('apply_facts.c', 'state->record += event->changes > 0;', '', 'records are not numbered'),
    ('apply_facts.c', 'state->violators = event->agents;', '', 'writes outside are forgotten'),
    ('apply_facts.c', '[CHECK_NOT_MADE] = PROGRESS_PENDING', '[CHECK_NOT_MADE] = PROGRESS_HOLDS',
     'a check that was not made holds'),
    ('apply_facts.c', '[CHECK_FAILS] = PROGRESS_FAILS', '[CHECK_FAILS] = PROGRESS_HOLDS',
     'a gate that fails holds'),
    ('apply_facts.c', '''		if (run_check_stale(state, check)) {
			check->progress = PROGRESS_PENDING; // the artifact changed since: ask anew
			continue;
		}
''', '', 'a stale approval counts'),
    ('apply_facts.c', 'branch->allowance++;', '', 'a person grants no retry'),
    ('apply_facts.c', 'lost->effectful && !call->repeatable', 'false',
     'an effectful call is run again after a crash'),
    ('apply_facts.c', 'lost->effectful && !call->repeatable', 'lost->effectful',
     'a call that may be repeated is interrupted'),
    ('apply_facts.c', 'branch->dirty = branch->dirty || lost->effectful;', '',
     'what a lost call did is not recorded'),
    ('apply_facts.c', '''	if (lost->kind == COMMAND_CALL_MODEL) {
		spend_reservation(state, lost);''', '''	if (lost->kind == COMMAND_CALL_MODEL) {
''', 'a lost model call costs nothing'),
    ('apply_facts.c', '''		state->recording = false;
		branch->dirty = true;''', '', 'a lost record blocks all others'),
    ('apply_facts.c', 'limits->max_turns += limits->max_turns ? raise->max_turns : 0;', '',
     'turns are not raised'),
    ('apply_facts.c', '''	state->limit = LIMIT_NONE;
	state->stopping = false;
	state->unavailable''', '''	state->stopping = false;
	state->unavailable''', 'a limit stays reached'),
    ('apply_facts.c', '''	add_checks(&branch->checklist, assignee->outputs, assignee->output_count);
''', '', "the assignee's outputs do not count after a transfer"),
    ('apply_facts.c', '''			add_checks(&call->checklist, agent->outputs, agent->output_count);
''', '', "a leaver's outputs do not count"),
    ('apply_decisions.c', 'branch->refusals[call->edge]++;', '', 'refusals are not counted'),
    ('apply_decisions.c', 'branch->attempts += event->code != NOTE_MESSAGE;', 'branch->attempts++;',
     'a message costs a retry'),
    ('apply_decisions.c', '''	fold_drop_questions(state, event->branch, RUN_NONE);
''', '', 'questions about a completion outlive it'),
    ('apply_decisions.c', 'branch->depth = parent->depth + 1;', 'branch->depth = parent->depth;',
     'depth is not counted'),
    ('apply_decisions.c', '''	fold_start_assignment(state, branch, event->agent, event->at);
	branch->bytes''', '''	branch->agent = event->agent;
	branch->bytes''', 'a transfer starts no assignment'),
    ('apply_decisions.c', 'state->finished[branch->agent] = event->branch;', '',
     'nobody remembers'),
    ('fold.c', 'branch->attempts++;\n\t\tbranch->note = NOTE_REPEATED;',
     'branch->note = NOTE_REPEATED;', 'repeated failures cost nothing'),
    ('fold.c', 'REPEATED_FAILURES = 3', 'REPEATED_FAILURES = 4', 'the fourth failure counts'),
    ('fold.c', 'branch->used = (struct run_use){0};', '', 'limits count over assignments'),
    ('codec.c', '	code_flag(codec, &call->approved);\n', '', 'a permission is not saved'),
    ('codec.c', '	code_u32(codec, &branch->allowance, RUN_NONE);\n', '', 'an allowance is not saved'),
    ('codec.c', '	code_u32(codec, &check->tries, RUN_NONE);\n', '', 'tries are not saved'),
    ('codec.c', '	code_flag(codec, &branch->dirty);\n', '', 'what is not recorded is not saved'),
    ('codec.c', '	code_u32(codec, &branch->failing_count, RUN_NONE);\n', '',
     'failures in a row are not saved'),
    ('codec.c', '	code_flag(codec, &state->recording);\n', '', 'a record under way is not saved'),
]


def compile_all(sources, folder, includes):
    objects = []
    for source in sources:
        target = os.path.join(folder, os.path.basename(source)[:-2] + '.o')
        subprocess.run(['cc', *FLAGS, *includes, '-c', source, '-o', target], check=True)
        objects.append(target)
    return objects


def named_seeds():
    with open(os.path.join(ROOT, 'tests', 'sim', 'seeds.txt'), encoding='utf-8') as file:
        return [int(line.split()[0]) for line in file if line[0].isdigit()]


def live(mutant, simulator, folder, seeds):
    """What the simulator says of the mutant; None: nothing."""
    name, old, new, _ = mutant
    shutil.copytree(os.path.join(ROOT, 'src', 'run'), os.path.join(folder, 'run'))
    path = os.path.join(folder, 'run', name)
    with open(path, encoding='utf-8') as file:
        text = file.read()
    if text.count(old) != 1:
        return f'STALE: {name} has {text.count(old)} of: {old!r}'
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text.replace(old, new))
    objects = compile_all(glob.glob(os.path.join(folder, 'run', '*.c')), folder,
                          ['-I', folder, '-I', os.path.join(ROOT, 'src')])
    program = os.path.join(folder, 'soak')
    subprocess.run(['cc', *simulator, *objects, '-o', program], check=True)
    for count, first in [(seeds, 0)] + [(1, seed) for seed in named_seeds()]:
        try:
            done = subprocess.run([program, '-q', str(count), str(first)], capture_output=True,
                                  text=True, timeout=600, check=False)
        except subprocess.TimeoutExpired:
            return 'it never ends'
        if done.returncode:
            return done.stdout.strip().split('\n')[-1] if done.returncode > 0 else 'it crashes'
    return None


def main():
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 10000
    alive = 0
    with tempfile.TemporaryDirectory() as folder:
        here = os.path.join(ROOT, 'tests', 'sim')
        simulator = compile_all([os.path.join(here, name + '.c') for name in SIMULATOR], folder,
                                ['-I', os.path.join(ROOT, 'src'), '-I', here])

        def one(item):
            own = os.path.join(folder, str(item[0]))
            os.mkdir(own)
            said = live(item[1], simulator, own, seeds)
            shutil.rmtree(own)
            return item[1], said

        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for mutant, said in pool.map(one, enumerate(MUTANTS)):
                print(f'{mutant[0]}: {mutant[3]}: {said or "NOT NOTICED"}', flush=True)
                alive += not said or said.startswith('STALE')
    print(f'{len(MUTANTS) - alive} of {len(MUTANTS)} noticed')
    return alive > 0


if __name__ == '__main__':
    sys.exit(main())
