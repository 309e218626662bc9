"""What folders say: which are splits, which are classes."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.data.class_folders import arrange
from pipeline.data.trees import EMPTY
from pipeline.errors import UserError

NOTHING = pd.DataFrame(columns=["path", "kind"])


def paths(*folders, images=2):
    return [f"{folder}/{number}.png" for folder in folders for number in range(images)]


def test_classes_called_like_splits_among_others_are_classes():
    arranged = arrange(paths("bus", "train", "tram"), "photos", NOTHING)
    assert arranged.class_names == ["bus", "train", "tram"]
    assert arranged.splits == ("train",)


@pytest.mark.parametrize(
    ("folders", "words"),
    [
        (["bus", "car", "train/freight", "train/passenger"], "holds train/, which look like splits, beside bus/, car/"),
        (["train", "test"], "holds test/, train/ with images directly in them"),
        (["train/cat", "train/dog", "val/cat", "valid/cat"], "holds val/, valid/, two names for the val split"),
        (["val/cat", "val/dog"], "holds val/, but no train folder"),
        (["cat"], "holds one class, 'cat'"),
        ([], "holds no folders of images"),
        (["train/cat", "train/dog", "test/eel"], "the test split has a class 'eel', the train split has none"),
        (["cafe\u0301", "café", "dog"], "two folders called 'café', in two Unicode forms"),
    ],
)
def test_what_cannot_be_told_is_refused(folders, words):
    with pytest.raises(UserError, match=f"photos.*{words}"):
        arrange(paths(*folders), "photos", NOTHING)


def test_a_test_folder_without_labels_is_named_and_left_out():
    arranged = arrange([*paths("train/cat", "train/dog"), "test/1.png", "test/2.png"], "photos", NOTHING)
    assert arranged.splits == ("train",)
    assert arranged.warnings == [
        "test/ holds 2 image(s) but no class folders: without labels they are no test split, and are left out; the "
        "stage predict answers for the images of such a folder"
    ]
    assert arranged.ignored["path"].tolist() == ["test/1.png", "test/2.png"]


def test_images_beside_the_class_folders_are_listed():
    arranged = arrange([*paths("cat", "dog"), "cover.png"], "photos", NOTHING)
    assert arranged.ignored.to_dict("records") == [{"path": "cover.png", "kind": "in no class folder"}]


def test_folders_without_images_and_lists_that_are_not_used_are_named():
    passed_over = pd.DataFrame({"path": ["docs", "valid.txt", "cat/notes.txt"], "kind": [EMPTY, "x", "x"]})
    first, second = arrange(paths("cat", "dog"), "photos", passed_over).warnings
    assert "valid.txt looks like the list of a split" in first
    assert "docs/ hold" in second


def test_names_are_in_one_unicode_form():
    assert arrange(paths("cafe\u0301", "dog"), "photos", NOTHING).class_names == ["café", "dog"]


NAMES = st.sampled_from(["cat", "dog", "Train", "val", "TEST", "testing", "x y", "émeu"])


@given(st.lists(st.lists(NAMES, min_size=0, max_size=3), max_size=20))
def test_every_image_is_in_one_place_or_the_folder_is_refused(folders):
    images = sorted({"/".join([*folder, f"{number}.png"]) for number, folder in enumerate(folders)})
    try:
        arranged = arrange(images, "photos", NOTHING)
    except UserError as refusal:
        assert str(refusal).startswith("photos")
        return
    assert sorted([*arranged.table["path"], *arranged.ignored["path"]]) == images
    assert set(arranged.table["split"]) == set(arranged.splits)
    for row in arranged.table.itertuples():
        assert arranged.class_names[row.label] in row.path.split("/")
