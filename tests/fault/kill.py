#!/usr/bin/env python3
"""Kills a run at random moments and goes on with it: nothing may be lost, nothing done twice.

    MUSTER=build/src/muster tests/fault/kill.py [KILLS [SEED]]

Each round starts the steady team, kills the process (SIGKILL) after a random time, resumes it, kills it
again now and then, and at last lets it end. A process that was killed before its run was there is not
counted. Then both logs have their two lines exactly once, the
gates hold, the journal folds (the resume did that), and the history agrees with the workspace.
"""
import random
import subprocess
import sys
import tempfile
import time

from steady import START, check, names, resume, state

KILLS = int(sys.argv[1]) if len(sys.argv) > 1 else 200
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time())


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


def main():
    chance = random.Random(SEED)
    kills = rounds = unborn = 0
    began = start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="muster-kill-") as folder:
        play(START, folder, None)
        whole = time.monotonic() - start
        while kills < KILLS:
            before = len(names(folder))
            rounds += 1
            start = time.monotonic()
            if play(START, folder, chance.uniform(whole / 4, whole * 1.1)):
                runs = names(folder)
                if len(runs) == before:
                    unborn += 1
                    continue
                kills += 1
                run = runs[0]
                while state(folder, run) != "done":
                    # Now and then the process that goes on is killed as well.
                    delay = chance.uniform(0, whole) if chance.random() < 0.3 else None
                    kills += play(resume(run), folder, delay)
                check(folder, run)
            else:
                whole = time.monotonic() - start  # others may be at work on this machine, too
                check(folder, names(folder)[0])
    print(f"{kills} kills in {rounds} runs ({unborn} killed before the run was there), "
          f"0 lost, 0 repeated; seed {SEED}; {time.monotonic() - began:.0f} s")


main()
