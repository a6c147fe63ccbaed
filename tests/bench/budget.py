#!/usr/bin/env python3
"""What the verbs may cost, in counts that do not depend on the machine: budget.txt has the limits.

    MUSTER=build/src/muster SHIM=build/tests/fault/fault_shim.so tests/bench/budget.py [--print]

The calls are counted by the shim of tests/fault; bytes are those of the store. A count over its limit fails;
one that is far below it fails, too, so that what was gained is written down. --print shows what was counted.
"""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
MUSTER = os.path.abspath(os.environ["MUSTER"])
SHIM = os.path.abspath(os.environ["SHIM"])
SLACK = 0.5  # of a limit: less is a gain that belongs into the file
RUN = ["run", os.path.join(SOURCE, "teams/hello.yaml"), "--quiet", "--rehearse",
       os.path.join(SOURCE, "samples/hello/rehearsal.yaml")]
WORKS = [("version", ["version"]), ("validate", ["validate", RUN[1]]), ("run", RUN),
         ("list", ["list"]), ("show", ["show", "-1"]), ("log", ["log", "-1"])]


def count(folder, name, words):
    """The calls of each group, and the bytes of the store."""
    file = os.path.join(folder, name + ".counts")
    environment = dict(os.environ, LD_PRELOAD=SHIM, MUSTER_FAULT_COUNT=file)
    done = subprocess.run([MUSTER, *words], cwd=folder, env=environment, capture_output=True,
                          text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{name}: exit status {done.returncode}: {done.stderr}")
    with open(file, encoding="utf-8") as lines:
        counts = {group: int(number) for group, number in (line.split() for line in lines)}
    store = os.path.join(folder, ".muster", "store.db")
    if name == "run":
        counts["store"] = os.path.getsize(store)
    return counts


def main():
    wrong = []
    with open(os.path.join(HERE, "budget.txt"), encoding="utf-8") as lines:
        rows = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    limits = {(work, group): int(limit) for work, group, limit in rows}
    with tempfile.TemporaryDirectory(prefix="muster-budget-") as folder:
        for name, words in WORKS:
            for group, number in count(folder, name, words).items():
                limit = limits.get((name, group))
                if "--print" in sys.argv:
                    print(name, group, number)
                elif limit is not None and number > limit:
                    wrong.append(f"{name}: {number} of {group}, at most {limit} are allowed")
                elif limit is not None and number < limit * SLACK and limit > 4:
                    wrong.append(f"{name}: only {number} of {group}: lower its limit of {limit}")
    if wrong:
        sys.exit("\n".join(wrong))


main()
