#!/usr/bin/env python3
"""Makes the n-th call of a kind fail under muster: it ends with a clear message or goes on, and a
resume without the fault brings the run to its end, with nothing lost and nothing done twice.

    MUSTER=... SHIM=... tests/fault/faults.py [CASES [SEED]]     some cases, by chance
    MUSTER=... SHIM=... tests/fault/faults.py all [GROUP...]     every call of each group
    MUSTER=... SHIM=... tests/fault/faults.py GROUP:N:WHAT...    these (shim.c; "limit" is one of memory)

A case with "@resume" in front has the fault not in the run, but in a resume after a first one that
stopped the run somewhere. MUSTER_FAULT_LEAVE_OUT names groups that are not tried.
"""
import concurrent.futures
import os
import random
import re
import subprocess
import sys
import tempfile
import time

from steady import ENDS, MUSTER, START, ask, check, names, resume, state

SHIM = os.path.abspath(os.environ["SHIM"])
LEFT_OUT = os.environ.get("MUSTER_FAULT_LEAVE_OUT", "").split()
WHAT = {"open": ["EIO", "EINTR"], "read": ["EIO", "EINTR", "short"],
        "write": ["EIO", "ENOSPC", "EINTR", "short"], "sync": ["EIO", "ENOSPC"],
        "name": ["EIO", "ENOSPC"], "memory": ["ENOMEM"], "thread": ["EAGAIN"], "limit": ["as"]}
LIMIT_STEP = 256 * 1024  # bytes of address space between two cases of "limit"
LIMIT_STEPS = 64
LIMIT_LEAST = 24 * 1024 * 1024  # below, the program is not even loaded
RESUMES = 3
TIME_LIMIT = 60


class Broken(Exception):
    pass


def play(folder, command, fault=None, count=None):
    """Runs a command under the shim; its exit status and what it said."""
    environment = dict(os.environ, LD_PRELOAD=SHIM, MUSTER_FAULT_COUNT=count or "")
    if not count:
        del environment["MUSTER_FAULT_COUNT"]
    if fault and fault.startswith("limit:"):
        room = LIMIT_LEAST + int(re.search(r"\d+", fault).group()) * LIMIT_STEP
        command = ["prlimit", f"--as={room}", *command]
        del environment["LD_PRELOAD"]
    elif fault:
        environment["MUSTER_FAULT"] = fault
    try:
        done = subprocess.run(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=TIME_LIMIT)
    except subprocess.TimeoutExpired:
        raise Broken(f"{command[1]} does not end") from None
    return done.returncode, done.stderr


def clear(status, said):
    """A failure has a message of muster's own, and none of them is an empty phrase."""
    if status not in (0, 1, 2, 3, 6):
        raise Broken(f"exit status {status}: {said}")
    lines = said.splitlines()
    if status != 0 and not any(re.match(r"muster: \S", line) for line in lines):
        raise Broken(f"exit status {status} without a message: {said}")
    if len(lines) > 3 or "(null)" in said or ": Success" in said:
        raise Broken(f"no clear message: {said}")


def runs_of(folder):
    done = subprocess.run([MUSTER, "list", "--names"], cwd=folder, capture_output=True, text=True)
    if done.returncode != 0 and "there are no runs here" not in done.stderr:
        raise Broken(f"the store cannot be read any more: {done.stderr}")
    return done.stdout.split()


def go_on(folder, run, lasting):
    """Brings the run to its end without a fault."""
    for _ in range(RESUMES):
        now = state(folder, run)
        if now in ENDS:
            break
        status, said = play(folder, resume(run))
        if status != 0 and not (lasting and status in (1, 3)):
            raise Broken(f"resume: exit status {status}: {said}")
    # An agent whose every command fails may give up; that is its end, and on record.
    now = state(folder, run)
    if now == "failed" and lasting:
        return
    if now != "done":
        raise Broken(f"the run is {now}")
    check(folder, run)


def stop_somewhere(folder, chance):
    """A run that stopped because its disk did."""
    play(folder, START, f"write:{chance.randint(40, 200)}+:EIO")


def play_case(case, seed):
    chance = random.Random(f"{seed}{case}")
    fault = case.removeprefix("@resume:")
    with tempfile.TemporaryDirectory(prefix="muster-fault-") as folder:
        command = START
        if fault != case:
            stop_somewhere(folder, chance)
            runs = runs_of(folder)
            if not runs or state(folder, runs[0]) in ENDS:
                return "nothing to resume"
            command = resume(runs[0])
        status, said = play(folder, command, fault)
        if status == 127 and "error while loading shared libraries" in said:
            return "was not even loaded"
        clear(status, said)
        runs = runs_of(folder)
        if runs:
            go_on(folder, runs[0], "+" in fault or fault.startswith("limit:"))
        elif status == 0:
            raise Broken("the run that was told to be done is lost")
        else:
            status, said = play(folder, START)
            if status != 0:
                raise Broken(f"no run can be started after it: {said}")
            check(folder, runs_of(folder)[0])
        return "went on" if status == 0 else "ended with a message"


def count_calls():
    with tempfile.TemporaryDirectory(prefix="muster-fault-") as folder:
        counts = os.path.join(folder, "counts")
        status, said = play(folder, START, count=counts)
        if status != 0:
            sys.exit(f"without a fault: exit status {status}: {said}")
        with open(counts) as file:
            calls = {name: int(number) for name, number in map(str.split, file)}
    calls["limit"] = LIMIT_STEPS
    return {group: calls[group] for group in calls if group not in LEFT_OUT}


def some_cases(count, chance):
    """Each group in turn, so that those with few calls are not forgotten."""
    calls = count_calls()
    groups = list(calls)
    for i in range(count):
        group = groups[i % len(groups)]
        number = chance.randint(1, calls[group])
        what = chance.choice(WHAT[group])
        lasting = "+" if what not in ("EINTR", "short", "as") and chance.random() < 0.2 else ""
        resumed = "@resume:" if chance.random() < 0.3 else ""
        yield f"{resumed}{group}:{number}{lasting}:{what}"


def all_cases(chosen):
    for group, most in count_calls().items():
        if not chosen or group in chosen:
            for number in range(1, most + 1):
                for what in WHAT[group]:
                    yield f"{group}:{number}:{what}"


def main():
    words = sys.argv[1:]
    seed = int(words[1]) if len(words) == 2 and words[1].isdigit() else int(time.time())
    if words and words[0] == "all":
        cases = list(all_cases(words[1:]))
    elif words and ":" in words[0]:
        cases = words
    else:
        cases = list(some_cases(int(words[0]) if words else 60, random.Random(seed)))
    began = time.monotonic()
    came_of_it = {}
    broken = 0

    def attempt(case):
        try:
            return case, play_case(case, seed), None
        except (Broken, SystemExit) as problem:
            return case, "broken", problem

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for case, outcome, problem in pool.map(attempt, cases):
            came_of_it[outcome] = came_of_it.get(outcome, 0) + 1
            if problem:
                broken += 1
                print(f"MUSTER_FAULT={case}: {problem}", flush=True)
    told = ", ".join(f"{number} {outcome}" for outcome, number in sorted(came_of_it.items()))
    print(f"{len(cases)} faults: {told}; seed {seed}; {time.monotonic() - began:.0f} s")
    sys.exit(1 if broken else 0)


main()
