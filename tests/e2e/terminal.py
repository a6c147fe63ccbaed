"""Runs a command on a pseudo-terminal and plays what it writes on a small screen of its own.

    terminal.py [--size COLUMNSxROWS] [--resize SECONDS:COLUMNSxROWS]... [--term NAME] -- COMMAND...

Prints a JSON object: `status`; `lines`, what stays on the screen and above it at the end; `frames`, how often the
lower lines were drawn anew; `seen`, all lines that were ever on the screen; `widest`; `raw`, all bytes."""

import fcntl
import json
import os
import pty
import re
import select
import struct
import sys
import termios
import time
import unicodedata


class Screen:
    """Lines that never leave: an upward movement may not go beyond what the window holds."""

    def __init__(self, columns, rows):
        self.columns, self.rows = columns, rows
        self.lines, self.row, self.column = [""], 0, 0
        self.seen, self.widest, self.frames, self.wrong = [], 0, 0, []
        self.rest = ""

    def put(self, character):
        width = 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if self.column + width > self.columns:
            self.feed()
            self.column = 0
        line = self.lines[self.row].ljust(self.column)
        self.lines[self.row] = line[: self.column] + character + line[self.column + 1 :]
        self.column += width
        self.widest = max(self.widest, self.column)

    def feed(self):
        self.note(self.lines[self.row])
        self.row += 1
        if self.row == len(self.lines):
            self.lines.append("")

    def note(self, line):
        if not self.seen or self.seen[-1] != line:
            self.seen.append(line)

    def play(self, text):
        text = self.rest + text
        self.rest = ""
        while text:
            sequence = re.match(r"\x1b\[([0-9;]*)([A-Za-z])", text)
            if sequence:
                self.obey(sequence[1], sequence[2])
                text = text[sequence.end() :]
            elif text[0] == "\x1b" and len(text) < 16:
                self.rest, text = text, ""
            elif text[0] == "\n":
                self.feed()
                text = text[1:]
            elif text[0] == "\r":
                self.column = 0
                text = text[1:]
            else:
                if unicodedata.category(text[0]) in ("Cc", "Cf"):
                    self.wrong.append(hex(ord(text[0])))
                self.put(text[0])
                text = text[1:]

    def obey(self, number, letter):
        if letter == "A":
            self.frames += 1
            self.row -= int(number or 1)
            if self.row < max(0, len(self.lines) - self.rows):
                self.wrong.append(f"up by {number}")
                self.row = max(0, self.row)
        elif letter == "J":
            self.lines[self.row] = self.lines[self.row][: self.column]
            del self.lines[self.row + 1 :]
        elif letter != "m":
            self.wrong.append(f"sequence {number}{letter}")


def set_size(fd, size):
    columns, rows = (int(part) for part in size.split("x"))
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    return columns, rows


def main():
    words = sys.argv[1:]
    command = words[words.index("--") + 1 :]
    size, resizes, term = "80x24", [], "xterm"
    options = iter(words[: words.index("--")])
    for option in options:
        value = next(options)
        if option == "--size":
            size = value
        elif option == "--term":
            term = value
        else:
            seconds, later = value.split(":")
            resizes.append((float(seconds), later))
    ready, go = os.pipe()
    pid, fd = pty.fork()
    if pid == 0:
        os.read(ready, 1)
        os.environ["TERM"] = term
        os.execvp(command[0], command)
    screen = Screen(*set_size(fd, size))
    os.write(go, b"x")
    began, raw = time.monotonic(), b""
    decoder = __import__("codecs").getincrementaldecoder("utf-8")("replace")
    while True:
        if resizes and time.monotonic() - began >= resizes[0][0]:
            screen.columns, screen.rows = set_size(fd, resizes.pop(0)[1])
        if not select.select([fd], [], [], 0.05)[0]:
            continue
        try:
            chunk = os.read(fd, 65536)
        except OSError:
            break
        if not chunk:
            break
        raw += chunk
        screen.play(decoder.decode(chunk))
    took = time.monotonic() - began
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    print(json.dumps({"status": status, "lines": screen.lines, "frames": screen.frames, "seen": screen.seen, "took": took,
        "widest": screen.widest, "wrong": screen.wrong, "raw": raw.decode("utf-8", "replace")}, indent=1))


main()
