"""Which interrupted training is gone on with, and what is kept of it."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pipeline import process
from pipeline.training import checkpoints, history, run_folder
from pipeline.training.checkpoints import Checkpoint
from pipeline.training.fit import EpochResult

ROOT = Path(__file__).parents[2]
OPTIONS = {"model": "resnet", "epochs": 9}
DEAD = process.myself() | {"started": 0.0}


def begun(workdir, run_id, owner=DEAD, epochs=0, **changes):
    """The folder of a training of `epochs` epochs that its process has left."""
    folder = run_folder.begin(workdir, run_id, OPTIONS).of_data("digest")
    folder = dataclasses.replace(folder, owner=owner, **changes)
    folder.save()
    if owner != process.myself():
        run_folder.let_go(folder.path)
    for epoch in range(1, epochs + 1):
        history.append(folder.path / "history.jsonl", EpochResult(epoch, 1, 0.5, 1, 0.5, 0.1, 1, 1, 1, 0, 0))
    return folder


def checkpoint(epoch):
    return Checkpoint(epoch, {"weight": np.ones(2)}, {"weight": np.ones(2)}, np.zeros(epoch))


def test_the_one_that_came_farthest_is_first(tmp_path):
    begun(tmp_path, "near", epochs=1)
    begun(tmp_path, "far", epochs=3)
    found, others = run_folder.find_same(begun(tmp_path, "new", owner=process.myself()))
    assert others == []
    assert [folder.path.name for folder in found] == ["far", "near"]


@pytest.mark.parametrize(
    "changes",
    [
        {"options": OPTIONS | {"epochs": 10}},
        {"data_digest": "another"},
        {"is_over": True},
    ],
)
def test_what_is_trained_elsewhere_or_is_another_training_is_left_alone(tmp_path, changes):
    begun(tmp_path, "other", epochs=3, **changes)
    assert run_folder.find_same(begun(tmp_path, "new", owner=process.myself())) == ([], [])


def test_the_epochs_that_were_found_to_fit_into_minutes_are_kept_when_it_is_gone_on_with(tmp_path):
    begun(tmp_path, "old", epochs=3).of_epochs(40)
    new = begun(tmp_path, "new", owner=process.myself())
    (found,), _ = run_folder.find_same(new)
    assert run_folder.take_over(found, new).chosen_epochs == 40
    assert run_folder.read(tmp_path / "runs" / "new").chosen_epochs == 40


WAITING = OPTIONS | {"epochs": run_folder.UNDECIDED}


def test_one_that_ended_before_its_data_decided_an_option_is_the_same_whatever_that_comes_to(tmp_path):
    begun(tmp_path, "old", options=WAITING, data_digest=None)
    new = begun(tmp_path, "new", owner=process.myself())
    assert [folder.path.name for folder in run_folder.find_same(new)[0]] == ["old"]


def test_one_whose_data_decided_an_option_is_the_same_if_that_came_to_the_same(tmp_path):
    begun(tmp_path, "old", epochs=3, options=WAITING).of_data("digest", {"epochs": 9})
    begun(tmp_path, "other", epochs=3, options=WAITING).of_data("digest", {"epochs": 8})
    new = begun(tmp_path, "new", owner=process.myself())
    assert [folder.path.name for folder in run_folder.find_same(new)[0]] == ["old"]


ELSEWHERE = DEAD | {"host": "a container before it was restarted", "namespace": "another"}


def test_one_whose_lock_is_free_is_gone_on_with_whatever_its_host_was_called(tmp_path):
    begun(tmp_path, "old", owner=ELSEWHERE, epochs=3)
    abandoned, others = run_folder.find_same(begun(tmp_path, "new", owner=process.myself()))
    assert ([folder.path.name for folder in abandoned], others) == (["old"], [])


def test_on_a_disk_of_other_machines_a_free_lock_tells_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.locks.LOCAL", set())
    begun(tmp_path, "old", owner=ELSEWHERE, epochs=3)
    abandoned, others = run_folder.find_same(begun(tmp_path, "new", owner=process.myself()))
    assert (abandoned, [folder.path.name for folder in others]) == ([], ["old"])


def test_one_that_has_no_lock_is_left_alone_while_its_process_may_live(tmp_path):
    for name, owner in {"elsewhere": ELSEWHERE, "here": process.myself(), "dead": DEAD}.items():
        folder = begun(tmp_path, name, owner=owner, epochs=3)
        run_folder.let_go(folder.path)
        (folder.path / "lock").unlink()
    for name in ("first", "second"):  # looking leaves no lock behind
        abandoned, others = run_folder.find_same(begun(tmp_path, name, owner=process.myself()))
        assert [folder.path.name for folder in abandoned] == ["dead"]
        assert {"elsewhere", "here"} <= {folder.path.name for folder in others}
        run_folder.let_go(abandoned[0].path)
        run_folder.let_go(run_folder.path_of(tmp_path, name))
        run_folder.remove(run_folder.find(tmp_path, name))
        (abandoned[0].path / "lock").unlink()


CLAIM = """
import sys, pathlib
from pipeline.training import run_folder
folder = run_folder.find(pathlib.Path(sys.argv[1]), "old")
print(run_folder.claim(folder), flush=True)
sys.stdin.read()
"""


def test_two_processes_do_not_go_on_with_the_same_one_and_the_lock_ends_with_its_process(tmp_path):
    begun(tmp_path, "old", owner=ELSEWHERE, epochs=3)
    command = [sys.executable, "-c", CLAIM, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, **pipes) as first, subprocess.Popen(command, cwd=ROOT, **pipes) as second:
        claimed = {first: first.stdout.readline().strip(), second: second.stdout.readline().strip()}
        assert sorted(claimed.values()) == [b"False", b"True"]
        new = begun(tmp_path, "new", owner=process.myself())
        assert run_folder.find_same(new)[0] == []
        for each in claimed:
            each.kill()
            each.wait()
        assert [folder.path.name for folder in run_folder.find_same(new)[0]] == ["old"]


def test_it_moves_to_the_run_that_goes_on_with_it_and_knows_all_its_runs(tmp_path):
    old = begun(tmp_path, "old", epochs=2)
    checkpoints.write(old.path, checkpoint(2))
    new = begun(tmp_path, "new", owner=process.myself())
    taken = run_folder.take_over(old, new)
    assert taken.runs == ["old", "new"]
    assert taken.path == new.path
    assert not old.path.exists()
    assert [epoch.epoch for epoch in taken.interrupted().epochs] == [1, 2]
    assert run_folder.find(tmp_path, "new").runs == ["old", "new"]
    assert run_folder.find(tmp_path, "old") is None


def test_only_one_with_nothing_to_go_on_from_ends_where_something_stands_in_its_way(tmp_path):
    for run_id, epoch in (("empty", 0), ("trained", 2)):
        folder = begun(tmp_path, run_id, epochs=epoch)
        if epoch:
            checkpoints.write(folder.path, checkpoint(epoch))
        run_folder.end_unless_begun(tmp_path, run_id)
    assert run_folder.find(tmp_path, "empty") is None
    assert run_folder.find(tmp_path, "trained").interrupted().checkpoint.epoch == 2


def test_the_end_leaves_no_checkpoint_whole_or_not(tmp_path):
    folder = begun(tmp_path, "done", epochs=1)
    checkpoints.write(folder.path, checkpoint(1))
    (folder.path / "checkpoint-000002.part").touch()
    run_folder.end(tmp_path, "done")
    assert not list(folder.path.glob("checkpoint-*"))
    assert [epoch.epoch for epoch in folder.epochs()] == [1]


def test_a_truncated_checkpoint_costs_its_epochs_and_no_more(tmp_path):
    folder = begun(tmp_path, "cut", epochs=3)
    checkpoints.write(folder.path, checkpoint(1))
    newest = checkpoints.write(folder.path, checkpoint(3))
    newest.write_bytes(newest.read_bytes()[:-20])
    interrupted = folder.interrupted()
    assert interrupted.checkpoint.epoch == 1
    assert [epoch.epoch for epoch in interrupted.epochs] == [1]


def kept(directory, text):
    """A run.json with its usual content, but for what `text` replaces."""
    path = directory / "run.json"
    path.write_text(text(path.read_text()) if callable(text) else text)


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "[" * 100_000, lambda text: text[:40], lambda text: text.replace('"old"', "3")]
    + [lambda text, key=key: text.replace(f'"{key}"', '"other"') for key in ("options", "runs", "owner", "host")],
)
def test_a_damaged_run_json_is_no_training_of_ours(tmp_path, text):
    kept(begun(tmp_path, "old", epochs=2).path, text)
    assert run_folder.find_same(begun(tmp_path, "new", owner=process.myself())) == ([], [])


@pytest.mark.parametrize("line", ["{", "[]", "3", '{"epoch": 2}', "[" * 100_000, "\0", '{"epoch": "x"}'])
def test_a_damaged_line_of_a_history_costs_its_epochs_and_no_more(tmp_path, line):
    folder = begun(tmp_path, "old", epochs=3)
    for epoch in (1, 3):
        checkpoints.write(folder.path, checkpoint(epoch))
    path = folder.path / "history.jsonl"
    first, _, third = path.read_text().splitlines()
    path.write_text(f"{first}\n{line}\n{third}\n")
    assert [epoch.epoch for epoch in folder.interrupted().epochs] == [1]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x93NUMPY\x01\x00", b"\x80\x04N."])
def test_a_checkpoint_that_is_none_is_passed_over(tmp_path, content):
    folder = begun(tmp_path, "old", epochs=3)
    checkpoints.write(folder.path, checkpoint(1))
    checkpoints.write(folder.path, checkpoint(3)).write_bytes(content)
    assert folder.interrupted().checkpoint.epoch == 1
