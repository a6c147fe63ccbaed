#!/usr/bin/env python3
"""What the journal, the history and many runs cost. Prints a table; needs a quiet machine.

    MUSTER=build/src/muster tests/bench/numbers.py [FOLDER [RUNS]]

FOLDER (a new one below the system's temporary folder) holds the projects; name a RAM disk or a disk. RUNS is
how many web-app rehearsals are played at once (1000). With SHIM=build/tests/fault/fault_shim.so their fsync calls
are counted too.
"""
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

MUSTER = os.path.abspath(os.environ["MUSTER"])
SHIM = os.environ.get("SHIM")
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TURNS = 2000


def muster(folder, *words, allowed=(0,)):
    """Runs it to its end: seconds, and what it printed."""
    began = time.monotonic()
    done = subprocess.run([MUSTER, *words], cwd=folder, capture_output=True, text=True, check=False)
    took = time.monotonic() - began
    if done.returncode not in allowed:
        sys.exit(f"muster {' '.join(words)}: exit status {done.returncode}: {done.stderr[-2000:]}")
    return took, done.stdout


def row(what, value):
    print(f"| {what} | {value} |", flush=True)


def best(measure, times=5):
    return min(measure() for _ in range(times))


def write(folder, name, text):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.write(text)


def journal(folder):
    """A run of many turns: each writes a file, which is a commit."""
    write(folder, "long.yaml", f"""version: 1
name: long
model: openai/gpt-5.4
sandbox: {{provider: unix-local, network: off}}
manager: worker
limits: {{max_turns: {TURNS}}}
manifest: {{entries: {{log: {{type: file, content: "x"}}}}}}
agents:
  worker: {{description: Works., instructions: Work.}}
""")
    write(folder, "long-script.yaml", """version: 1
agents:
  worker:
    - calls: [{exec_command: {cmd: "echo x >>log"}}]
      repeat: true
""")
    write(folder, "idle-script.yaml", """version: 1
agents:
  worker:
    - calls: [{read_file: {path: log}}]
      repeat: true
""")
    idle, _ = muster(folder, "run", "long.yaml", "--rehearse", "idle-script.yaml", "--quiet", allowed=(5,))
    took, _ = muster(folder, "run", "long.yaml", "--rehearse", "long-script.yaml", "--quiet", allowed=(5,))
    events = len(muster(folder, "log", "-1", "--events")[1].splitlines())
    row("events of that run", events)
    row(f"a turn that only reads, of {TURNS}", f"{idle / TURNS * 1000:.2f} ms")
    row(f"a turn with a command and its commit, of {TURNS}", f"{took / TURNS * 1000:.2f} ms")
    size = os.path.getsize(os.path.join(folder, ".muster/store.db"))
    row("journal per event, both runs", f"{size / (2 * events):.0f} bytes")
    more = [muster(folder, "resume", "-1", "--max-turns", "+1", "--quiet", allowed=(5,))[0] for _ in range(3)]
    row(f"resume of a run of {TURNS} turns, with the turn it adds", f"{min(more) * 1000:.0f} ms")


def many_rows(folder):
    """The list of a store with 10,000 runs."""
    muster(folder, "run", os.path.join(SOURCE, "teams/hello.yaml"), "--rehearse",
           os.path.join(SOURCE, "samples/hello/rehearsal.yaml"), "--quiet")
    store = sqlite3.connect(os.path.join(folder, ".muster/store.db"))
    one = store.execute("SELECT * FROM runs LIMIT 1").fetchone()
    marks = ",".join("?" * len(one))
    store.executemany(f"INSERT INTO runs VALUES({marks})",
                      [(f"copy-{number:05}", *one[1:]) for number in range(10000)])
    store.commit()
    store.close()
    row("list of 10,000 runs", f"{best(lambda: muster(folder, 'list')[0]) * 1000:.0f} ms")
    row("show of the newest of them", f"{best(lambda: muster(folder, 'show', 'hello')[0]) * 1000:.0f} ms")


def watch(pid, seen):
    while True:
        try:
            seen["descriptors"] = max(seen["descriptors"], len(os.listdir(f"/proc/{pid}/fd")))
            with open(f"/proc/{pid}/status", encoding="utf-8") as status:
                fields = dict(line.split(":\t", 1) for line in status if ":\t" in line)
            seen["threads"] = max(seen["threads"], int(fields["Threads"]))
            seen["memory"] = max(seen["memory"], int(fields.get("VmHWM", "0").split()[0]))
        except (OSError, KeyError, ValueError):
            return
        time.sleep(0.05)


def at_once(folder, runs):
    """Many web-app rehearsals in one process."""
    brief = os.path.join(SOURCE, "samples/web-app/brief.md")
    write(folder, "each.jsonl", (json.dumps({"brief": brief}) + "\n") * runs)
    seen = {"descriptors": 0, "threads": 0, "memory": 0}
    counts = os.path.join(folder, "counts")
    counting = {"LD_PRELOAD": SHIM, "MUSTER_FAULT_COUNT": counts} if SHIM else {}
    began = time.monotonic()
    process = subprocess.Popen(
        [MUSTER, "run", os.path.join(SOURCE, "teams/web-app.yaml"), "--each", "each.jsonl", "--concurrency",
         str(runs), "--rehearse", os.path.join(SOURCE, "samples/web-app/rehearsal.yaml"), "--quiet"],
        cwd=folder, stdout=subprocess.DEVNULL, env={**os.environ, **counting})
    watcher = threading.Thread(target=watch, args=(process.pid, seen))
    watcher.start()
    code = process.wait()
    took = time.monotonic() - began
    watcher.join()
    if code != 0:
        sys.exit(f"{runs} runs at once: exit status {code}")
    row(f"{runs} web-app rehearsals at once", f"{runs / took:.1f} runs/s, {took:.1f} s")
    row("its peak memory", f"{seen['memory'] / 1024:.0f} MiB")
    row("its most threads, descriptors", f"{seen['threads']}, {seen['descriptors']}")
    if SHIM:
        with open(counts, encoding="utf-8") as file:
            row("its fsync calls", dict(line.split() for line in file)["sync"])


def main():
    base = sys.argv[1] if len(sys.argv) > 1 else None
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    print("| what | measured |\n|---|---|")
    version = best(lambda: muster(".", "version")[0], 20)
    row("start of `muster version`", f"{version * 1000:.1f} ms")
    for part in (journal, many_rows, lambda folder: at_once(folder, runs)):
        folder = tempfile.mkdtemp(prefix="muster-numbers-", dir=base)
        try:
            part(folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    row("CPU time of all of it", f"{sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]):.0f} s")


main()
