"""Classes of 200, 20 and 5 images between which nothing differs: no command may call that a success."""

import pytest
from images import SMALL_SEARCH, write_image
from own_place import settle_in

from pipeline import tracking
from pipeline.__main__ import run

COUNTS = {"cat": 200, "dog": 20, "fox": 5}


@pytest.fixture(scope="module")
def options(tmp_path_factory, empty_store):
    folder = tmp_path_factory.mktemp("uneven")
    for label, (name, count) in enumerate(COUNTS.items()):
        for number in range(count):
            write_image(folder / "animals" / name / f"{number:03d}.png", (128, 128, 128), 1000 * label + number, 16)
    with pytest.MonkeyPatch.context() as patch:
        settle_in(folder, patch, empty_store)
        yield {
            "model": "two-layer-numpy",
            "image_size": "16",
            "width": "16",
            "data": str(folder / "animals"),
            "epochs": "2",
            "batch_size": "64",
        }


@pytest.mark.parametrize("stage", ["train", "evaluate", "search"])
def test_the_end_says_that_naming_the_largest_class_would_do_as_well(options, stage, capfd):
    if stage == "evaluate":
        run("evaluate", {})
    else:
        run(stage, options | (SMALL_SEARCH | {"trials": "1"} if stage == "search" else {}))
    said = capfd.readouterr().err
    assert "is not shown to be better than always naming cat" in said
    assert "fox (3), dog (16)" in said


def test_the_best_epoch_is_chosen_by_balanced_accuracy(options):
    run("train", options | {"epochs": "3"})
    metrics = tracking.metrics_of(tracking.newest_run("train"))
    assert metrics["best_val_balanced_accuracy"] < 0.7
