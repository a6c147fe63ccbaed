#!/usr/bin/env python3
"""Kills a run at random moments and goes on with it: nothing may be lost, nothing done twice.

    MUSTER=build/src/muster tests/fault/kill.py [KILLS [SEED]]

Each round starts the steady team, kills the process (SIGKILL) after a random time, resumes it, kills it
again now and then, and at last lets it end. Then both logs have their two lines exactly once, the
gates hold, the journal folds (the resume did that), and the history agrees with the workspace.
"""
import json
import os
import random
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
MUSTER = os.path.abspath(os.environ["MUSTER"])
KILLS = int(sys.argv[1]) if len(sys.argv) > 1 else 200
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time())
START = [MUSTER, "run", os.path.join(HERE, "steady.yaml"), "--quiet",
         "--rehearse", os.path.join(HERE, "steady-rehearsal.yaml")]


def names(folder):
    out = subprocess.run([MUSTER, "list", "--names"], cwd=folder, capture_output=True, text=True)
    return out.stdout.split()


def play(command, folder, delay):
    """Starts a command; kills it after the delay (None: lets it end). True if it was killed."""
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
    try:
        _, errors = process.communicate(timeout=delay)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return True
    if process.returncode != 0:
        sys.exit(f"exit status {process.returncode}: {errors}")
    return False


def is_done(folder, run):
    shown = subprocess.run([MUSTER, "show", run, "--json"], cwd=folder, capture_output=True,
                           text=True, check=True)
    return json.loads(shown.stdout)["run"]["state"] == "done"


def check(folder, run):
    workspace = os.path.join(folder, ".muster", "runs", run, "workspace")
    for side in ("left", "right"):
        with open(os.path.join(workspace, side, "log")) as log:
            if log.read() != "1\n2\n":
                sys.exit(f"{run}: {side}/log does not hold each step once")
    history = os.path.join(folder, ".muster", "runs", run, "history.git")
    git = ["git", "-c", "safe.directory=*", "-C", history]
    tree = subprocess.run(git + ["ls-tree", "-r", "--name-only", "main"], capture_output=True,
                          text=True, check=True).stdout.split()
    if tree != ["left/log", "left/note.md", "right/log", "right/note.md"]:
        sys.exit(f"{run}: the history holds {tree}")


def main():
    chance = random.Random(SEED)
    kills = rounds = unborn = 0
    with tempfile.TemporaryDirectory(prefix="muster-kill-") as folder:
        began = time.monotonic()
        play(START, folder, None)
        whole = time.monotonic() - began
        while kills < KILLS:
            before = len(names(folder))
            rounds += 1
            if play(START, folder, chance.uniform(0, whole * 1.1)):
                kills += 1
                runs = names(folder)
                if len(runs) == before:
                    unborn += 1  # it was killed before it was there
                    continue
                run = runs[0]
                while not is_done(folder, run):
                    # Now and then the process that goes on is killed as well.
                    delay = chance.uniform(0, whole) if chance.random() < 0.3 else None
                    kills += play([MUSTER, "resume", run, "--quiet"], folder, delay)
                check(folder, run)
            else:
                check(folder, names(folder)[0])
    print(f"{kills} kills in {rounds} runs ({unborn} before the run was there), "
          f"0 lost, 0 repeated; seed {SEED}")


main()
