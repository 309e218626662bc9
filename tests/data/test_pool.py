"""Processes that share out work: what they do, and what it costs when one dies or hangs."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from processes import wait_for

from pipeline.data.pool import CHUNK, Lost, map_on_all_cores
from pipeline.errors import UserError

ROOT = Path(__file__).parents[2]


def square(number):
    return number * number


def act(word):
    if word == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if word == "exit":
        os._exit(3)
    if word == "hang":
        time.sleep(600)
    if word == "refuse":
        raise UserError("it is refused")
    if word == "shout":
        os.write(2, b"something raw\n")
        print("something printed")
    if word == "wait":
        time.sleep(1.2)
    return word.upper()


def loaded(_):
    return {name.split(".")[0] for name in sys.modules}


def mapped(work, items, seconds=60):
    return dict(map_on_all_cores(work, items, len(items), seconds))


def test_all_is_done_once():
    numbers = list(range(5 * CHUNK + 3))
    assert mapped(square, numbers) == {number: number * number for number in numbers}
    assert mapped(square, []) == {}


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("die", "the process that decoded it was killed (signal 9)"),
        ("exit", "the process that decoded it ended (exit code 3)"),
        ("hang", "decoding took longer than 2 s"),
    ],
)
def test_what_ends_its_process_costs_itself_alone(word, reason):
    words = [f"word {number}" for number in range(3 * CHUNK)]
    words[CHUNK + 5] = words[-1] = word
    results = list(map_on_all_cores(act, words, len(words), 2))
    assert sorted(item for item, _ in results) == sorted(words)
    assert all(result == (Lost(reason) if item == word else item.upper()) for item, result in results)


def test_many_slow_items_are_no_hang():
    assert mapped(act, ["wait", *"abc"], seconds=3)["wait"] == "WAIT"
    results = list(map_on_all_cores(act, ["wait"] * 4, 4, 3))
    assert results == [("wait", "WAIT")] * 4


def test_what_work_raises_is_raised_here():
    with pytest.raises(UserError, match="it is refused"):
        mapped(act, ["a", "refuse", "b"])
    assert not multiprocessing.active_children()


def test_no_process_is_left_when_the_rest_is_not_wanted():
    results = map_on_all_cores(square, range(10 * CHUNK), 10 * CHUNK, 60)
    next(results)
    assert multiprocessing.active_children()
    results.close()
    assert not multiprocessing.active_children()


def test_nothing_that_is_printed_reaches_the_terminal(capfd):
    assert mapped(act, ["shout"]) == {"shout": "SHOUT"}
    assert capfd.readouterr() == ("", "")


def test_nothing_heavy_is_loaded():
    assert not mapped(loaded, [1])[1] & {"tensorflow", "keras", "mlflow", "pandas", "matplotlib"}


PROGRAM = """
import sys, time
from pipeline import process
from pipeline.data.pool import map_on_all_cores

process.stop_on_signals()
print("working", flush=True)
for _ in map_on_all_cores(time.sleep, [600] * 200, 200, 900):
    pass
"""


@pytest.fixture
def hanging():
    """A program whose two workers hang, and all that it started."""
    started = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    program = psutil.Process(started.pid)
    # The resource tracker, the server that forks, and the workers that it has forked.
    wait_for(lambda: len(program.children(recursive=True)) >= 3)
    family = program.children(recursive=True)
    yield started, family
    for each in family:
        if each.is_running():
            each.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_program_that_is_stopped_leaves_no_process(hanging, number):
    program, family = hanging
    time.sleep(1)
    os.kill(program.pid, number)
    program.communicate(timeout=10)
    wait_for(lambda: not any(each.is_running() for each in family), seconds=10)


def test_ctrl_c_reaches_all_and_ends_at_once(hanging):
    program, family = hanging
    time.sleep(1)
    os.killpg(program.pid, signal.SIGINT)
    _, said = program.communicate(timeout=10)
    assert said.decode().strip().endswith("KeyboardInterrupt")
    wait_for(lambda: not any(each.is_running() for each in family), seconds=10)
