import tempfile
from pathlib import Path

from resolved import resolve

from pipeline import config
from pipeline.config import places


def test_the_work_folder_lies_beside_the_code_or_where_it_is_said(monkeypatch, tmp_path):
    monkeypatch.delenv("PIPELINE_WORKDIR", raising=False)
    monkeypatch.delenv("MLFLOW_RUN_ID", raising=False)
    assert resolve().workdir == config.PROJECT_WORKDIR
    monkeypatch.setenv("PIPELINE_WORKDIR", str(tmp_path))
    assert resolve().workdir == tmp_path
    assert resolve(typed={"workdir": "elsewhere"}).workdir == Path.cwd() / "elsewhere"


def test_a_clone_that_mlflow_made_for_one_run_keeps_nothing(monkeypatch):
    monkeypatch.delenv("PIPELINE_WORKDIR", raising=False)
    monkeypatch.setenv("MLFLOW_RUN_ID", "1")
    clone = Path(tempfile.gettempdir()).resolve() / "tmpabc123"
    monkeypatch.setattr(places, "PACKAGE", clone / "pipeline")
    assert resolve().workdir == config.USER_WORKDIR
    # A clone of the user's own is no temporary one, wherever it lies.
    for own in (clone.parent / "mine", clone / "clone"):
        monkeypatch.setattr(places, "PACKAGE", own / "pipeline")
        assert resolve().workdir == config.PROJECT_WORKDIR
