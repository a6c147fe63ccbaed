#!/usr/bin/env python3
"""Does a document tell the truth? run_doc.py DOCUMENT, in an empty folder with muster on PATH.

- A block whose opening line names a file after the language (```yaml report.yaml) becomes that file.
- In a block marked `console`, lines that begin with "$ " are run, in order, by one shell per block. A
  command must end with status 0, unless the next one is `echo $?`: then the status is what is shown
  below that. Other lines must be in what the command prints, in this order; "..." stands for anything,
  and any time of a run (00:00.0) for any other.
- In a block marked `sh`, every command must be one of those that CI performs (KNOWN)."""

import pathlib
import re
import subprocess
import sys

KNOWN = {"make demo", "make check", "make build", "make format", ".ci/run"}
TIME_LIMIT = 120


def blocks(text):
    """Language, file name, body and line number of each fenced block."""
    opened = None
    for number, line in enumerate(text.splitlines(), 1):
        if opened is None and line.startswith("```"):
            language, _, name = line[3:].partition(" ")
            opened, body = (language, name.strip(), number), []
        elif opened is not None and line == "```":
            language, name, start = opened
            yield language, name, "\n".join(body) + "\n", start
            opened = None
        elif opened is not None:
            body.append(line)
    if opened is not None:
        sys.exit(f"the block that begins on line {opened[2]} does not end")


def commands(body):
    """Pairs of a command and the lines shown below it."""
    found = []
    for line in body.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif found:
            found[-1][1].append(line)
    return found


def pattern(line):
    exact = ".*".join(re.escape(part) for part in line.split("..."))
    return re.sub(r"\d\d:\d\d\\\.\d", r"\\d\\d:\\d\\d\\.\\d", exact)


def missing(shown, printed):
    """The first line that is shown but was not printed, or None."""
    lines = iter(printed.splitlines())
    for line in shown:
        if line.strip() in ("", "..."):
            continue
        if not any(re.fullmatch(pattern(line), candidate) for candidate in lines):
            return line
    return None


def run_console(body):
    """The problems of one console block."""
    found = commands(body)
    for index, (command, shown) in enumerate(found):
        if command == "echo $?":
            continue
        expected = 0
        if index + 1 < len(found) and found[index + 1][0] == "echo $?":
            expected = int(found[index + 1][1][0])
        result = subprocess.run(["sh", "-c", command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, timeout=TIME_LIMIT)
        printed = result.stdout.decode("utf-8", "replace")
        if result.returncode != expected:
            yield f"$ {command}\nended with {result.returncode}, not {expected}:\n{printed}"
        else:
            line = missing(shown, printed)
            if line is not None:
                yield f"$ {command}\ndoes not print {line!r} where the document shows it:\n{printed}"


def main():
    document = pathlib.Path(sys.argv[1])
    ran = problems = 0
    for language, name, body, line in blocks(document.read_text(encoding="utf-8")):
        found = []
        if name:
            path = pathlib.Path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(body, encoding="utf-8")
        elif language == "console":
            ran += 1
            found = list(run_console(body))
        elif language == "sh":
            words = [re.sub(r"\s+#.*", "", text).strip() for text in body.splitlines()]
            found = [f"CI does not perform '{text}'" for text in words if text and text not in KNOWN]
        for problem in found:
            problems += 1
            print(f"{document.name}:{line}: {problem}")
    print(f"{document.name}: {ran} blocks of commands")
    sys.exit(1 if problems else 0)


main()
