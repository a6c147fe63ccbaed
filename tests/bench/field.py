#!/usr/bin/env python3
"""muster beside the field: runs the contenders of a benchmark kit and writes docs/performance.md.

    field.py --kit DIR --muster PROGRAM [--peers DIR] [--works w1,w2f,...] [--only NAME,...]
             [-n 3] [--tmp DIR] [--results FILE] [--page FILE]

The kit (its README.md has the works and the contract with contenders) brings the scripted model
server, the meter, the bare loop and the peers' adapters. --peers is a folder to which the peers were
installed: `field.py --kit DIR --install DIR` does that with npm and pip. Results are added to those
that FILE has already, so that a part can be measured again. Ask for a quiet machine.
"""

import argparse
import datetime
import glob
import json
import os
import platform
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
FIELD = os.path.join(HERE, "field")
LONG = {"w4-100", "w4-1000", "w7", "w7s", "w8"}  # measured once or twice where a contender is slow
ALL = "w1,w2f,w2s,w3,w4-1,w4-10,w4-100,w4-1000,w7,w8"
NO_SHARED = "w1,w2f,w2s,w3,w4-1,w4-10,w4-100,w7,w8"


def codex_program(peers):
    """Codex itself, so that the wrapper around it is not measured."""
    found = glob.glob(os.path.join(
        peers or "/nonexistent", "node_modules/@openai/codex-linux-*/vendor/*/bin/codex"))
    return found[0] if found else ""


def contenders(kit, peers, muster):
    """name, command, arguments of bench.py, works; those of peers that are not there are left out"""
    modules = os.path.join(peers, "node_modules") if peers else "/nonexistent"
    node = os.path.join(modules, "node", "bin", "node")
    adapter = os.path.join(peers or "", "contenders")
    python = os.path.join(peers or "", "python", "bin", "python")
    codex = codex_program(peers)
    rows = [
        ("bare-c", "{build}/bare", [], ALL),
        ("muster", f"sh {FIELD}/muster.sh", ["--dialect", "muster", "--script", "w3=w3sup"], ALL),
        ("muster-chat", f"sh {FIELD}/muster.sh",
         ["--dialect", "muster", "--script", "w3=w3sup", "--api", "chat"], "w1,w2f,w3,w8"),
        ("codex", f"sh {kit}/contenders/codex.sh",
         ["--dialect", "codex", "--script", "w3=w3flat"], "w1,w2s,w3,w4-1,w4-10,w8"),
        ("agents-sdk", f"{node} {adapter}/agents-sdk.mjs", [], NO_SHARED),
        ("agents-sdk-python", f"{python} {kit}/python/agents_sdk.py", [], NO_SHARED),
        ("langgraph-swarm", f"{node} {adapter}/langgraph-swarm.mjs",
         ["--api", "chat", "--stream", "0"], "w1,w2f,w2s,w3,w4-1,w4-10,w4-100,w7"),
        ("adk", f"{node} {adapter}/adk.mjs",
         ["--dialect", "adk", "--api", "chat", "--stream", "0"],
         "w1,w2f,w2s,w3,w4-1,w4-10,w4-100,w7"),
    ]
    there = {"bare-c": True, "muster": muster, "muster-chat": muster, "codex": codex,
             "agents-sdk-python": os.path.exists(python)}
    return [row for row in rows if there.get(row[0], os.path.exists(node))]


def install(kit, peers):
    """The peers, in the versions that the kit names."""
    os.makedirs(os.path.join(peers, "contenders"), exist_ok=True)
    for path in glob.glob(os.path.join(kit, "contenders", "*.mjs")):
        shutil.copy(path, os.path.join(peers, "contenders"))
    shutil.copy(os.path.join(kit, "contenders", "package.json"), peers)
    subprocess.run(["npm", "install", "--no-audit", "--no-fund"], cwd=peers, check=True)
    subprocess.run([sys.executable, "-m", "venv", os.path.join(peers, "python")], check=True)
    pip = os.path.join(peers, "python", "bin", "pip")
    subprocess.run([pip, "install", "-q", "openai-agents"], check=True)


def prepare(kit, build):
    """The kit as it is, with our dialect beside its own; built outside of it."""
    copy = os.path.join(build, "kit")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(kit, copy, ignore=shutil.ignore_patterns("build", "node_modules", "results*"))
    shutil.copy(os.path.join(FIELD, "dialect.txt"), os.path.join(copy, "dialects", "muster.txt"))
    subprocess.run(["make", "-s", "-C", copy, f"B={build}"], check=True)
    return copy


def measure(options, kit, build):
    slow = {"agents-sdk", "agents-sdk-python", "langgraph-swarm", "adk", "codex"}
    wanted = (options.works or ALL).split(",")
    environment = dict(os.environ, BENCH_BUILD=build, MUSTER=options.muster or "",
                       CODEX_BIN=codex_program(options.peers))
    rows = contenders(kit, options.peers, options.muster)
    # Work by work, so that what else the machine does meets all contenders of a work alike.
    for work in wanted:
        for name, command, arguments, works in rows:
            if work not in works.split(",") or (
                    options.only and name not in options.only.split(",")):
                continue
            once = name in slow and work in LONG
            runs = ["-n", "1" if once else str(options.n), "--warmup", "0" if once else "1"]
            place = ["--tmp", options.tmp] if options.tmp else []
            subprocess.run(
                [sys.executable, os.path.join(kit, "bench.py"), "--name", name, "--cmd",
                 command.format(build=build), "--works", work, "--out", options.results,
                 *arguments, *runs, *place], env=environment, check=True)


def first(pattern, path, otherwise="unknown"):
    try:
        with open(path, encoding="utf-8") as file:
            found = re.search(pattern, file.read(), re.M)
            return found.group(1).strip() if found else otherwise
    except OSError:
        return otherwise


def said(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        return (done.stdout or done.stderr).strip().splitlines()[0]
    except (OSError, IndexError, subprocess.TimeoutExpired):
        return "unknown"


def package(peers, name):
    return first(r'"version": "([^"]+)"', os.path.join(peers, "node_modules", name, "package.json"))


def versions(options):
    rows = [("muster", said([options.muster, "version"]).replace("muster ", "") if options.muster
             else "unknown"),
            ("libcurl (bare-c, muster)", said(["curl-config", "--version"]).replace("libcurl ", ""))]
    if options.peers:
        rows += [(name, package(options.peers, name)) for name in
                 ("@openai/codex", "@openai/agents", "@langchain/langgraph", "@google/adk", "node")]
        about = glob.glob(os.path.join(options.peers, "python/lib/python*/site-packages",
                                       "openai_agents-*.dist-info/METADATA"))
        rows.append(("openai-agents (Python)",
                     first(r"^Version: (.*)$", about[0]) if about else "not installed"))
    return rows


class Figures:
    def __init__(self, rows):
        self.rows = {(row["contender"], row["work"]): row for row in rows}
        self.names = list(dict.fromkeys(row["contender"] for row in rows))

    def of(self, name, work, key, place=0):
        row = self.rows.get((name, work), {})
        return row[key][place] if key in row else None

    def tenths(self, name, work):
        return self.rows.get((name, work), {}).get("gap_ms_by_tenth") or []

    def best(self, work, key, most):
        peers = [name for name in self.names
                 if name not in ("bare-c",) and not name.startswith("muster")
                 and self.of(name, work, key) is not None]
        chosen = sorted(peers, key=lambda name: self.of(name, work, key), reverse=most)
        return chosen[0] if chosen else None


def number(value):
    if value is None:
        return "-"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:,.{digits}f}"


#  what, work, figure, unit, more is better
HEADLINES = [
    ("W1 start to first request", "w1", "start_to_first_request_ms", "ms", False),
    ("W1 whole process", "w1", "wall_s", "s", False),
    ("W1 memory", "w1", "peak_rss_mb", "MB", False),
    ("W2f turn with a function tool", "w2f", "harness_ms_per_turn", "ms", False),
    ("W2f CPU of a turn", "w2f", "cpu_ms_per_turn", "ms", False),
    ("W2s turn with a command", "w2s", "harness_ms_per_turn", "ms", False),
    ("W3 team of five, 20 turns", "w3", "wall_s", "s", False),
    ("W3 CPU of a turn", "w3", "cpu_ms_per_turn", "ms", False),
    ("W4 100 runs at once", "w4-100", "runs_per_s", "runs/s", True),
    ("W4 1,000 runs at once", "w4-1000", "runs_per_s", "runs/s", True),
    ("W4 1,000 runs, memory", "w4-1000", "peak_rss_mb", "MB", False),
    ("W7 turn of 2,000", "w7", "harness_ms_per_turn", "ms", False),
    ("W8 100 MB of event stream", "w8", "stream_mb_per_s", "MB/s", True),
]


def headline(figures):
    lines = ["| what | bare-c | muster | to bare-c | best peer | to muster |",
             "|---|---|---|---|---|---|"]
    for what, work, key, unit, most in HEADLINES:
        bare, ours = figures.of("bare-c", work, key), figures.of("muster", work, key)
        peer = figures.best(work, key, most)
        theirs = figures.of(peer, work, key) if peer else None
        if ours is None:
            continue
        over = number(ours / bare) + " x" if bare else "-"
        beside = number((ours / theirs) if most else (theirs / ours)) + " x" if theirs else "-"
        lines.append(f"| {what} | {number(bare)} {unit} | {number(ours)} {unit} | {over} | "
                     + (f"{number(theirs)} {unit}, {peer}" if peer else "-") + f" | {beside} |")
    return lines


def flatness(figures):
    tenths = {name: figures.tenths(name, "w7") for name in ("muster", "bare-c")}
    if not all(found and found[0] for found in tenths.values()):
        return []
    told = [f"{name} from {number(found[0])} ms to {number(found[-1])} ms, {number(found[-1] / found[0])} times"
            for name, found in tenths.items()]
    return ["", "From the first tenth of W7's 2,000 turns to the last, a turn goes: " + "; ".join(told) + ".",
            "What is sent grows to 400 KB a request meanwhile."]


def page(options, kit):
    with open(options.results, encoding="utf-8") as file:
        rows = json.load(file)
    figures = Figures(rows)
    with open(os.path.join(FIELD, "page.md"), encoding="utf-8") as file:
        text = file.read()
    report = subprocess.run([sys.executable, os.path.join(kit, "report.py"), options.results],
                            capture_output=True, text=True, check=True).stdout
    report = re.sub(r"\n### W5, W6 files\n.*", "", report, flags=re.S)
    report = "\n".join(line for line in report.splitlines())
    memory = int(first(r"MemTotal:\s+(\d+)", "/proc/meminfo", "0")) // 1000000
    processor = first(r"model name\s*: (.*)", "/proc/cpuinfo")
    system = first(r'PRETTY_NAME="(.*)"', "/etc/os-release")
    loads = [row["load1"] for row in rows]
    machine = [
        ("machine", f"{os.cpu_count()} processors, {processor}, {memory} GB"),
        ("system", f"Linux {platform.release().split('-')[0]}, {system}"),
        ("load average while measured", f"{min(loads):.1f} to {max(loads):.1f}"
         + (", at real-time priority, ahead of everything else"
            if os.sched_getscheduler(0) in (os.SCHED_RR, os.SCHED_FIFO) else "")),
        ("workspaces and journals", "RAM disk" if (options.tmp or "").startswith("/dev/shm")
         else "disk"),
        ("measured", datetime.date.today().isoformat()),
    ] + versions(options)
    facts = ["| | |", "|---|---|"] + [f"| {what} | {value} |" for what, value in machine]
    for mark, lines in (("@headline@", headline(figures) + flatness(figures)),
                        ("@machine@", facts), ("@tables@", [report.strip()])):
        text = text.replace(mark, "\n".join(lines))
    with open(options.page, "w", encoding="utf-8") as file:
        file.write(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kit", required=True)
    parser.add_argument("--install", metavar="DIR")
    parser.add_argument("--peers")
    parser.add_argument("--muster")
    parser.add_argument("--works")
    parser.add_argument("--only")
    parser.add_argument("-n", type=int, default=3)
    parser.add_argument("--tmp")
    parser.add_argument("--build", default=None, help="where the kit is built; a temporary folder")
    parser.add_argument("--results", default="field-results.json")
    parser.add_argument("--page")
    parser.add_argument("--only-page", action="store_true", help="from the results that are there")
    options = parser.parse_args()
    kit = os.path.abspath(options.kit)
    for name in ("peers", "muster", "results", "page", "install"):
        if getattr(options, name):
            setattr(options, name, os.path.abspath(getattr(options, name)))
    if options.install:
        install(kit, options.install)
        return
    build = os.path.abspath(options.build or os.path.join(
        os.environ.get("TMPDIR", "/tmp"), f"muster-field-{os.getpid()}"))
    os.makedirs(build, exist_ok=True)
    if options.tmp:
        os.makedirs(options.tmp, exist_ok=True)
    try:
        if not options.only_page:
            measure(options, prepare(kit, build), build)
        if options.page:
            page(options, kit)
    finally:
        if not options.build:
            shutil.rmtree(build, ignore_errors=True)


if __name__ == "__main__":
    main()
