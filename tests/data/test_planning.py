"""Which images are in which split, and what is made of equal files."""

import shutil

import pytest
from images import write_class_folders, write_image

from pipeline.config import PreprocessConfig
from pipeline.data.planning import plan
from pipeline.errors import UserError


@pytest.fixture
def planned(tmp_path):
    def make(data, whole=None, **options):
        return plan(PreprocessConfig(data=str(data), workdir=tmp_path / "workdir", image_size=16, **options), whole)

    return make


def counts(table):
    return table.groupby("split")["label"].value_counts().unstack("split", fill_value=0)


def test_a_folder_is_split_evenly_by_its_seed(planned, image_folder):
    def table(seed):
        return planned(image_folder, val_fraction=0.2, test_fraction=0.1, data_seed=seed).table

    assert counts(table(0)).to_dict("list") == {"test": [2] * 3, "train": [14] * 3, "val": [4] * 3}
    assert table(0).equals(table(0))
    assert not table(0).equals(table(1))


def test_splits_that_are_there_are_kept_and_missing_ones_taken_from_train(planned, tmp_path):
    root = tmp_path / "split"
    write_class_folders(root / "train", 20)
    write_class_folders(root / "test", 3, first_seed=500)
    assert counts(planned(root).table).to_dict("list") == {"test": [3] * 3, "train": [18] * 3, "val": [2] * 3}


def test_a_missing_list_is_taken_from_train(planned, image_folder):
    for split, numbers in {"train": range(12), "test": range(16, 20)}.items():
        lines = [f"{name}/{n:03d}.png {label}" for label, name in enumerate(("blue", "green", "red")) for n in numbers]
        (image_folder / f"{split}.txt").write_text("\n".join(lines) + "\n")
    table = counts(planned(image_folder, val_fraction=0.25).table)
    assert table.to_dict("list") == {"test": [4] * 3, "train": [9] * 3, "val": [3] * 3}


def test_a_class_too_small_to_split_is_named(planned, tmp_path):
    with pytest.raises(UserError, match="'blue' has 2 image"):
        planned(write_class_folders(tmp_path / "few", 2))


def test_data_without_splits_can_be_taken_whole(planned, image_folder, tmp_path):
    whole = planned(image_folder, whole="test")
    assert set(whole.table["split"]) == {"test"}
    assert whole.splits == ("test",)
    assert whole.digest != planned(image_folder).digest
    write_class_folders(tmp_path / "split" / "train", 20)
    write_class_folders(tmp_path / "split" / "test", 3, first_seed=500)
    assert counts(planned(tmp_path / "split", whole="test").table)["test"].tolist() == [3] * 3


@pytest.fixture
def contradictory(image_folder):
    shutil.copy(image_folder / "red" / "016.png", image_folder / "blue" / "copy.png")
    return image_folder


def test_equal_images_in_two_classes_are_listed(planned, contradictory):
    found = planned(contradictory)
    assert set(found.conflicting["path"]) == {"red/016.png", "blue/copy.png"}
    assert len(found.table) == 61


def test_equal_images_in_two_classes_can_be_dropped_or_refused(planned, contradictory):
    dropped = planned(contradictory, on_conflict="drop")
    assert len(dropped.table) == 59
    assert len(dropped.conflicting) == 2
    with pytest.raises(UserError, match=r"1 image\(s\) stand in more than one class.*blue/copy.png and red/016.png"):
        planned(contradictory, on_conflict="fail")


def test_files_that_are_no_images_change_nothing(planned, image_folder):
    before = planned(image_folder).digest
    (image_folder / "red" / "000.txt").write_text("a photo of red")
    write_image(image_folder / "red" / ".ipynb_checkpoints" / "000.png", (200, 0, 0), 1)
    assert planned(image_folder).digest == before
