"""What zsh offers at the end of a line: types it on a pseudo-terminal, has every candidate listed, reads them.

    zsh_offers.py LINE

zsh has no command that says what completion would offer, so its own functions note what they are given."""

import os
import pty
import select
import sys
import time

SETUP = r"""
PS1= PS2= RPS1=
unsetopt prompt_cr prompt_sp beep zle_bracketed_paste 2>/dev/null
autoload -Uz compinit && compinit -u -D
source <(muster completion zsh)
compadd() {
    local -a given
    builtin compadd -O given "$@"
    (( ${@[(I)-[OAD]]} )) || printf '%s\n' "${IPREFIX}${given[@]}" >>"$OFFERED"
    builtin compadd "$@"
}
offer() { zle complete-word; : >"$OFFERED.done"; BUFFER= }
zle -C complete-word complete-word _main_complete
zle -N offer
bindkey '^X' offer
: >"$OFFERED.ready"
"""


def wait_for(path, fd, seconds=20):
    end = time.monotonic() + seconds
    while not os.path.exists(path):
        if time.monotonic() > end:
            sys.exit(f"zsh does not come to {path}")
        if select.select([fd], [], [], 0.02)[0]:
            os.read(fd, 65536)


def main():
    offered = os.path.join(os.environ["HOME"], f"offered-{os.getpid()}")
    setup = offered + ".zsh"
    with open(setup, "w", encoding="utf-8") as file:
        file.write(SETUP)
    pid, fd = pty.fork()
    if pid == 0:
        os.environ["OFFERED"] = offered
        os.environ["TERM"] = "vt100"
        os.execvp("zsh", ["zsh", "-f", "-i"])
    os.write(fd, f"source {setup}\n".encode())
    wait_for(offered + ".ready", fd)
    os.write(fd, sys.argv[1].encode() + b"\x18")
    wait_for(offered + ".done", fd)
    os.write(fd, b"exit\n")
    os.close(fd)
    os.waitpid(pid, 0)
    if os.path.exists(offered):
        with open(offered, encoding="utf-8") as file:
            sys.stdout.write(file.read())


main()
