"""Parts of a prepared data set."""

import numpy as np
import pytest

from pipeline.config import PreprocessConfig
from pipeline.data.planning import plan
from pipeline.data.portions import portion
from pipeline.data.writing import open_or_write


@pytest.fixture
def data(tmp_path, image_folder):
    config = PreprocessConfig(data=str(image_folder), workdir=tmp_path / "workdir", image_size=16)
    return open_or_write(plan(config))


def test_a_fraction_has_that_part_of_each_class_and_lies_in_a_larger_one(data):
    half, quarter = portion(data, 0.5), portion(data, 0.25)
    assert half.facts.counts["train"] == [8, 8, 8]
    assert set(quarter["train"].paths) < set(half["train"].paths) < set(data["train"].paths)
    assert half["val"].paths == data["val"].paths
    assert portion(data, 0.001).facts.counts["train"] == [1, 1, 1]
    whole, taken = data["train"], half["train"]
    for image, path, label in zip(taken.images, taken.paths, taken.labels, strict=True):
        place = whole.paths.index(path)
        assert label == whole.labels[place]
        assert np.array_equal(image, whole.images[place])


def test_images_can_be_left_out_of_training(data):
    path = data["train"].paths[3]
    left = portion(data, without=[path])
    assert path not in left["train"].paths
    assert sum(left.facts.counts["train"]) == len(left["train"].paths) == len(data["train"].paths) - 1


def test_detail_is_taken_from_all_images(data):
    coarse = portion(data, detail=4)
    for split in ("train", "val"):
        images, whole = coarse[split].images, data[split].images
        assert images.shape == whole.shape
        assert images[:2].std() < whole[:2].std()
        assert np.array_equal(images[1], images[:2][1])
