"""A report of real runs, as its reader gets it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from images import write_image
from mlflow.tracking import MlflowClient
from own_place import settle_in

from pipeline.__main__ import run
from pipeline.errors import UserError

NAMES = ("<script>alert(1)", "blue & green", "red")
TRAINING = {"model": "two-layer-numpy", "image_size": "16", "width": "8", "batch_size": "8"}


@pytest.fixture(scope="module")
def store(tmp_path_factory, empty_store):
    """(folder, ids of two trainings, the better of which was evaluated) of classes with odd names."""
    folder = tmp_path_factory.mktemp("reported")
    for label, name in enumerate(NAMES):
        for number in range(20):
            colour = tuple(200 if label == channel else 40 for channel in range(3))
            write_image(folder / "images" / name / f"{number:02d}.png", colour, 100 * label + number)
    with pytest.MonkeyPatch.context() as patch:
        settle_in(folder, patch, empty_store)
        from pipeline import tracking

        ids = []
        for epochs, rate in (("1", "1e-6"), ("8", "0.02")):
            run("train", TRAINING | {"data": str(folder / "images"), "epochs": epochs, "learning_rate": rate})
            ids.append(tracking.newest_run("train"))
        run("evaluate", {"run_id": ids[1]})
        yield folder, ids


def test_a_report_says_what_was_found_and_what_is_missing(store, capsys):
    folder, ids = store
    run("report", {"output": str(folder)})
    html = (folder / "report.html").read_text(encoding="utf-8")
    assert "&lt;script&gt;alert(1)" in html
    assert "<script" not in html
    assert "20" in html
    assert "The best of 2 finished trainings" in html
    assert f"-P config={ids[1]}" in html
    for title in ("Data", "Trainings", "Curves", "Evaluation", "Model card", "Repeat it"):
        assert f"<h2>{title}</h2>" in html
    assert "<h2>Search</h2>" not in html
    assert "Search: there is none; mlflow run . -e search" in html
    columns = re.findall(r'<th scope="col"[^>]*>([^<]*)', html.split("<h2>Trainings</h2>")[1].split("</table>")[0])
    assert columns[-2:] == ["epochs", "learning_rate"]
    for image in re.findall(r"<img [^>]*>", html):
        assert re.search(r'alt="[^"]{20,}"', image)
    assert "parts are not on it" in capsys.readouterr().out
    newest = MlflowClient().search_runs(["0"], "tags.stage = 'report'", order_by=["attributes.start_time DESC"])[0]
    assert "report.html" in [entry.path for entry in MlflowClient().list_artifacts(newest.info.run_id)]


def test_chosen_runs_come_with_what_is_nested_in_them(store):
    folder, ids = store
    run("report", {"runs": ids[0], "output": str(folder / "one.html")})
    html = (folder / "one.html").read_text(encoding="utf-8")
    assert "There is one training" in html
    assert ids[1] not in html
    assert "Evaluation on the test images: mlflow run . -e evaluate" in html


def test_what_cannot_be_reported_or_written_is_refused(store):
    folder, _ = store
    (folder / "mine.html").write_text("mine")
    for typed, words in (
        ({"output": str(folder / "mine.html")}, "is no earlier report"),
        ({"output": str(folder / "page.txt")}, "ends in .html"),
        ({"runs": "feedbeef"}, "'feedbeef' is not to be found"),
    ):
        with pytest.raises(UserError, match=re.escape(words)):
            run("report", typed)
    assert (folder / "mine.html").read_text() == "mine"


def test_a_report_loads_neither_keras_nor_matplotlib(store):
    code = (
        "import sys; from pipeline.__main__ import main; done = main(['report', '--output', 'fast.html']);"
        "print(done, {'tensorflow', 'keras', 'matplotlib'} & set(sys.modules))"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 set()"
