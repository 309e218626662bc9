import dataclasses

import pytest
from resolved import resolve

from pipeline.cluster.code import code
from pipeline.errors import UserError
from pipeline.search.executors.ray_worker import Errand, refusal
from pipeline.search.storage import sqlite_address
from pipeline.search.trial import StudyPlace
from pipeline.search.trial_data import StudyData, data_config


@pytest.fixture
def errand(here):
    data = StudyData(data_config(resolve("search")), "0123456789abcdef", "glyphs")
    place = StudyPlace(sqlite_address(here / "optuna.db"), "a study", "none", 1, 0.0, "val_accuracy", "run", {}, data)
    return Errand(place, code(), {}, here, here / "workdir", here / "mark", 1.0, "none")


def test_a_node_that_has_all_it_needs_is_taken(errand):
    assert refusal(errand, "this node") is None
    assert refusal(dataclasses.replace(errand, only_node="this node"), "this node") is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"code": dataclasses.replace(code(), digest="another")}, "another version of this project"),
        ({"only_node": "another node"}, "an SQLite file, which other machines cannot write to"),
        ({"weights": "/nowhere/weights.keras"}, "no file /nowhere/weights.keras, which --weights names"),
    ],
)
def test_a_node_that_cannot_train_says_why(errand, change, words):
    assert words in refusal(dataclasses.replace(errand, **change), "this node")


def test_a_node_that_reaches_no_study_says_so(errand):
    place = dataclasses.replace(errand.place, storage="postgresql://127.0.0.1:1/none")
    with pytest.raises(UserError, match=r"--storage postgresql://127\.0\.0\.1:1/none cannot be opened"):
        refusal(dataclasses.replace(errand, place=place), "this node")
