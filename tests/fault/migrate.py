#!/usr/bin/env python3
"""Kills muster, or makes a call fail, at every call that it makes while it brings a store of an earlier
version up to date: the store is the old one or the new one, whole, and the next start goes on.

    MUSTER=... SHIM=... tests/fault/migrate.py [all]

Every day the calls that write are tried; with "all" those that open and read and ask for memory, too.
"""
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile

from steady import MUSTER, START, ask, names

SHIM = os.path.abspath(os.environ["SHIM"])
EVERY_DAY = {"write": ["kill", "ENOSPC"], "sync": ["kill"], "name": ["kill"]}
ALL = {"write": ["kill", "EIO", "ENOSPC", "short"], "sync": ["kill", "EIO"], "name": ["kill", "EIO"],
       "open": ["kill", "EIO"], "read": ["kill", "EIO"], "memory": ["kill", "ENOMEM"]}
MISSED = "is not reached"  # some calls are made now and then only
COPY = "store.db.version-1"


def store(folder, name="store.db"):
    return sqlite3.connect(os.path.join(folder, ".muster", name))


def make_old(folder):
    """What version 1 had not is taken away."""
    database = store(folder)
    database.execute("DROP TABLE requests")
    for table in ("items", "texts"):
        database.execute(f"ALTER TABLE {table} DROP COLUMN event")
    database.execute("PRAGMA user_version=1")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.commit()
    database.close()


def tables(folder, name):
    database = store(folder, name)
    (version,), = database.execute("PRAGMA user_version")
    (sound,), = database.execute("PRAGMA integrity_check")
    if sound != "ok":
        sys.exit(f"{name}: {sound}")
    rows = {table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table, in database.execute("SELECT name FROM sqlite_schema WHERE type='table'"
                                           " AND name NOT LIKE 'sqlite_%'").fetchall()}
    database.close()
    return version, rows


def play(folder, **environment):
    return subprocess.run([MUSTER, "list", "--names"], cwd=folder, capture_output=True, text=True,
                          env=dict(os.environ, LD_PRELOAD=SHIM, **environment), timeout=60, check=False)


def count_calls(old, folder):
    shutil.copytree(old, folder)
    counts = os.path.join(folder, "counts")
    done = play(folder, MUSTER_FAULT_COUNT=counts)
    if done.returncode != 0 or tables(folder, "store.db")[0] == 1:
        sys.exit(f"without a fault: exit status {done.returncode}: {done.stderr}")
    with open(counts, encoding="ascii") as file:
        return {name: int(number) for name, number in map(str.split, file)}


def attempt(old, folder, fault, before):
    """What is wrong after it, or None."""
    shutil.copytree(old, folder)
    done = play(folder, MUSTER_FAULT=fault)
    if fault.endswith(":kill") and done.returncode >= 0:
        return MISSED
    if done.returncode > 0 and not done.stderr.startswith("muster: "):
        return f"exit status {done.returncode} without a message: {done.stderr}"
    version, rows = tables(folder, "store.db")
    kept = {table: rows.get(table) for table in before}
    if kept != before or (version == 1) != ("requests" not in rows):
        return f"a store of version {version} with {rows}"
    if version != 1 and tables(folder, COPY) != (1, before):
        return "the copy is not what the store was"
    runs = names(folder)
    if len(runs) != before["runs"]:
        return f"{len(runs)} runs afterwards"
    if tables(folder, "store.db")[0] == 1:
        return "the next start did not bring it up to date"
    for name in os.listdir(os.path.join(folder, ".muster")):  # what is new may be another process's work
        if name.startswith(f"{COPY}."):
            os.utime(os.path.join(folder, ".muster", name), (0, 0))
    ask(folder, "fsck", "--repair")
    ask(folder, "fsck")
    left = sorted(os.listdir(os.path.join(folder, ".muster")))
    return f"{left} are left" if any(name.startswith(f"{COPY}.") for name in left) else None


def main():
    groups = ALL if sys.argv[1:] == ["all"] else EVERY_DAY
    tried = missed = broken = 0
    with tempfile.TemporaryDirectory(prefix="muster-migrate-") as base:
        old = os.path.join(base, "old")
        os.mkdir(old)
        subprocess.run(START, cwd=old, check=True)
        make_old(old)
        before = tables(old, "store.db")[1]
        calls = count_calls(old, os.path.join(base, "counted"))
        for group, what in groups.items():
            for number in range(1, calls[group] + 1):
                for kind in what:
                    folder = os.path.join(base, "case")
                    problem = attempt(old, folder, f"{group}:{number}:{kind}", before)
                    shutil.rmtree(folder)
                    tried += 1
                    missed += problem == MISSED
                    if problem and problem != MISSED:
                        broken += 1
                        print(f"MUSTER_FAULT={group}:{number}:{kind}: {problem}", flush=True)
    print(f"{tried} faults, {missed} not reached, {broken} broke something")
    sys.exit(1 if broken or missed > tried // 100 else 0)


main()
