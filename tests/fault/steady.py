"""The steady team, and how to tell that nothing it did was lost or done twice."""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
MUSTER = os.path.abspath(os.environ["MUSTER"])
START = [MUSTER, "run", os.path.join(HERE, "steady.yaml"), "--quiet",
         "--rehearse", os.path.join(HERE, "steady-rehearsal.yaml")]
TREE = ["left/log", "left/note.md", "right/log", "right/note.md"]
ENDS = ("done", "failed", "cancelled")


def resume(run):
    return [MUSTER, "resume", run, "--quiet"]


def ask(folder, *words):
    """What muster says, without any fault; it must not fail."""
    done = subprocess.run([MUSTER, *words], cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"muster {' '.join(words)}: exit status {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def names(folder):
    """The runs of a folder, newest first."""
    done = subprocess.run([MUSTER, "list", "--names", "-n", "100000"], cwd=folder, capture_output=True, text=True)
    return done.stdout.split()


def state(folder, run):
    return json.loads(ask(folder, "show", run, "--json"))["run"]["state"]


def check(folder, run):
    """Each step was made once, the history holds what the workspace does, and the journal is sound."""
    workspace = os.path.join(folder, ".muster", "runs", run, "workspace")
    for side in ("left", "right"):
        with open(os.path.join(workspace, side, "log")) as log:
            content = log.read()
        if content != "1\n2\n":
            sys.exit(f"{run}: {side}/log does not hold each step once, but {content!r}")
    history = os.path.join(folder, ".muster", "runs", run, "history.git")
    git = ["git", "-c", "safe.directory=*", "-C", history]
    tree = subprocess.run(git + ["ls-tree", "-r", "--name-only", "main"], capture_output=True,
                          text=True, check=True).stdout.split()
    if tree != TREE:
        sys.exit(f"{run}: the history holds {tree}")
    ask(folder, "fsck", run, "--repair")  # kills leave files that nobody needs
