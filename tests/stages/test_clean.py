"""What `clean` lists, removes and leaves alone."""

import dataclasses
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import optuna
import pytest
from images import write_class_folders

from pipeline import half_written, process
from pipeline.__main__ import main, run
from pipeline.data.prepared import open_prepared
from pipeline.search.study import IDENTITY
from pipeline.training import checkpoints, history, run_folder
from pipeline.training.checkpoints import Checkpoint
from pipeline.training.fit import EpochResult

ROOT = Path(__file__).parents[2]
DEAD = process.myself() | {"started": 0.0}
NO_PROCESS = 2**22 + 1  # above the kernel's largest process id
SMALL = {"model": "two-layer-numpy", "image_size": "16", "epochs": "1"}


def training(workdir, name, digest, epochs=0, is_over=False, owner=DEAD):
    """The folder of a training that its process has left."""
    folder = run_folder.begin(workdir, name, {"model": name}).of_data(digest)
    dataclasses.replace(folder, is_over=is_over, owner=owner).save()
    run_folder.let_go(folder.path)
    for epoch in range(1, epochs + 1):
        history.append(folder.path / "history.jsonl", EpochResult(epoch, 1, 0.5, 1, 0.5, 0.1, 1, 1, 1, 0, 0))
        state = {"weight": np.ones(2)}
        checkpoints.write(folder.path, Checkpoint(epoch, state, state, np.zeros(epoch)))
    return folder.path


def data(workdir, digest):
    folder = workdir / "prepared" / digest
    folder.mkdir(parents=True)
    (folder / "train.npy").write_bytes(b"x" * 10_000)
    return folder


@pytest.fixture
def workdir(here):
    """A work folder with one of everything."""
    folder = here / "workdir"
    for digest in ("needed", "free", "studied"):
        data(folder, digest)
    (folder / "prepared" / "index").mkdir()
    abandoned = f"a.{process.place_name()}.{NO_PROCESS}-1_0.part"
    for name in (abandoned, half_written.beside(Path("b")).name, f"c.elsewhere.{NO_PROCESS}-1_0.part"):
        (folder / "prepared" / name).mkdir()
    (folder / "unpacked" / "archive-state").mkdir(parents=True)
    (folder / "features" / "digest").mkdir(parents=True)
    training(folder, "over", "free", epochs=1, is_over=True)
    training(folder, "interrupted", "needed", epochs=2)
    training(folder, "not-begun", "free")
    training(folder, "elsewhere", "free-too", owner=DEAD | {"host": "another", "namespace": "another"})
    undelivered = training(folder, "undelivered", "free", is_over=True)
    (undelivered / "network.npz").touch()
    trial = run_folder.path_of(folder, "trial")
    trial.mkdir()
    (trial / "history.jsonl").touch()
    study = optuna.create_study(storage=f"sqlite:///{folder / 'optuna.db'}", study_name="mine")
    study.set_user_attr(IDENTITY, {"data_digest": "studied"})
    study.ask()
    return folder


def left(workdir):
    return {
        str(path.relative_to(workdir))
        for part in ("prepared", "features", "unpacked", "runs")
        for path in workdir.glob(f"{part}/*")
    }


STAYS = {"prepared/needed", "prepared/studied", "runs/interrupted", "runs/elsewhere", "runs/undelivered"}
GOES = {"prepared/free", "prepared/index", "features/digest", "unpacked/archive-state"}
GOES |= {"runs/over", "runs/not-begun", "runs/trial"}


def test_what_can_be_made_again_goes_and_what_is_needed_stays(workdir, capsys):
    parts = {path.name: f"prepared/{path.name}" for path in (workdir / "prepared").glob("*.part")}
    busy = {name for key, name in parts.items() if key[0] in "bc"}
    assert left(workdir) == STAYS | GOES | set(parts.values())
    database = (workdir / "optuna.db").read_bytes()
    assert main(["clean", "--yes"]) == 0
    assert left(workdir) == STAYS | busy
    assert (workdir / "optuna.db").read_bytes() == database
    said = capsys.readouterr().out
    assert "removed 8" in said
    assert "prepared data, prepared/needed  (stays: interrupted needs it)" in said
    assert "training, runs/interrupted  (stays: unfinished, 2 epochs trained)" in said
    assert "(stays: it holds network.npz, which MLflow may not have)" in said
    assert "(stays: an unfinished study needs it)" in said
    assert main(["clean", "--yes"]) == 0
    assert "nothing of it can go" in capsys.readouterr().out


def test_without_a_terminal_it_lists_only(workdir, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    before = left(workdir)
    assert main(["clean"]) == 0
    assert left(workdir) == before
    assert "can go: --yes removes them" in capsys.readouterr().out


@pytest.mark.parametrize(("answer", "goes"), [("y", True), ("yes", True), ("", False), ("n", False)])
def test_in_a_terminal_it_asks(workdir, answer, goes, monkeypatch, capsys):
    controlling, terminal = os.openpty()
    with os.fdopen(terminal) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        os.write(controlling, f"{answer}\n".encode())
        assert main(["clean", "--workdir", str(workdir)]) == 0
    os.close(controlling)
    assert "[y/N]" in capsys.readouterr().out
    assert ("runs/over" not in left(workdir)) == goes


AT_WORK = """
import sys, pathlib
from pipeline import locks
with locks.at_work(pathlib.Path(sys.argv[1])):
    print("at work", flush=True)
    sys.stdin.read()
"""


def test_nothing_goes_while_a_process_is_at_work(workdir, capsys):
    before = left(workdir)
    command = [sys.executable, "-c", AT_WORK, str(workdir)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as working:
        working.stdout.readline()
        assert main(["clean", "--yes"]) == 2
        assert "a process is at work in" in capsys.readouterr().err
        assert left(workdir) == before
        working.kill()
    assert main(["clean", "--yes"]) == 0
    assert left(workdir) < before


def test_a_finished_study_needs_no_data_and_a_broken_database_stops_it(workdir, capsys):
    study = optuna.load_study(storage=f"sqlite:///{workdir / 'optuna.db'}", study_name="mine")
    study.tell(0, 1.0)
    assert main(["clean", "--yes"]) == 0
    assert "prepared/studied" not in left(workdir)
    (workdir / "optuna.db").write_bytes(b"no database" * 100)
    assert main(["clean", "--yes"]) == 2
    assert "cannot be read, so nothing is cleaned" in capsys.readouterr().err


def test_an_empty_or_missing_work_folder_holds_nothing(here, capsys):
    assert main(["clean", "--workdir", str(here / "nowhere")]) == 0
    assert "nothing of it can go" in capsys.readouterr().out
    assert not (here / "nowhere").exists()


def test_after_it_the_same_training_prepares_its_data_again_and_mlflow_has_all_it_had(here, capsys):
    images = write_class_folders(here / "colours", images=10)
    odd = here / "what? 100%"
    run("train", SMALL | {"data": str(images), "workdir": str(odd)})
    assert {path.name for path in here.glob("mlruns*")}
    before = {path: path.stat().st_mtime_ns for path in [here / "mlflow.db", *here.glob("mlruns/**/*")]}
    assert main(["clean", "--yes", "--workdir", str(odd)]) == 0
    assert not left(odd)
    assert {path: path.stat().st_mtime_ns for path in [here / "mlflow.db", *here.glob("mlruns/**/*")]} == before
    run("evaluate", {"workdir": str(odd)})
    (again,) = (path for path in (odd / "prepared").iterdir() if path.name != "index")
    assert sum(map(sum, open_prepared(again, "colours").facts.counts.values())) == 30
