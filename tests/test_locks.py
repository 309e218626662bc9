"""Locks that end with the process that holds them."""

import subprocess
import sys
from pathlib import Path

from pipeline import locks

ROOT = Path(__file__).parents[1]
ALONE = """
import sys, time, pathlib
from pipeline import locks
folder = pathlib.Path(sys.argv[1])
for _ in range(5):
    with locks.alone(folder / "one.lock"):
        with (folder / "log").open("a") as log:
            print("in", file=log, flush=True)
            time.sleep(0.02)
            print("out", file=log, flush=True)
"""


def test_one_process_at_a_time_is_alone_and_leaves_nothing(tmp_path):
    command = [sys.executable, "-c", ALONE, str(tmp_path)]
    together = [subprocess.Popen(command, cwd=ROOT) for _ in range(4)]
    assert [process.wait(timeout=120) for process in together] == [0] * 4
    assert (tmp_path / "log").read_text().split() == ["in", "out"] * 20
    assert [path.name for path in tmp_path.iterdir()] == ["log"]


def test_a_lock_is_one_process_s_unless_it_is_shared(tmp_path):
    first = locks.take(tmp_path / "lock", shared=True)
    second = locks.take(tmp_path / "lock", shared=True)
    assert None not in (first, second)
    assert locks.take(tmp_path / "lock") is None
    for held in (first, second):
        locks.let_go(held)
    third = locks.take(tmp_path / "lock")
    assert third is not None
    locks.let_go(third)
