"""Folds of small prepared data sets: what each holds out, and what it knows of its own training part."""

import numpy as np
import pytest
from images import COLOURS, write_class_folders, write_image

from pipeline.config import PreprocessConfig
from pipeline.data.folds import folds_of
from pipeline.data.planning import plan
from pipeline.data.writing import open_or_write
from pipeline.errors import UserError

PER_CLASS = {"blue": 20, "green": 10, "red": 5}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Makes the prepared data of the images in a folder."""
    workdir = tmp_path_factory.mktemp("workdir")

    def make(folder, **options):
        return open_or_write(plan(PreprocessConfig(data=str(folder), image_size=16, workdir=workdir, **options)))

    return make


@pytest.fixture(scope="module")
def data(prepared, tmp_path_factory):
    """35 images of three classes, four of them in test."""
    folder = tmp_path_factory.mktemp("uneven")
    for label, (name, count) in enumerate(PER_CLASS.items()):
        for number in range(count):
            write_image(folder / name / f"{number:03d}.png", COLOURS[name], 1000 * label + number)
    return prepared(folder)


def pixels(split):
    return dict(zip(split.paths, split.images[:], strict=True))


def test_each_image_of_train_and_val_is_held_out_once_and_none_of_test(data):
    held_out = [fold["val"] for fold in folds_of(data, 5, 0)]
    paths = [path for val in held_out for path in val.paths]
    assert sorted(paths) == sorted(data["train"].paths + data["val"].paths)
    stored = pixels(data["train"]) | pixels(data["val"])
    labels = dict(zip(data["train"].paths, data["train"].labels, strict=True))
    labels |= dict(zip(data["val"].paths, data["val"].labels, strict=True))
    for fold in folds_of(data, 5, 0):
        train, val = fold["train"], fold["val"]
        assert not set(train.paths) & set(val.paths)
        for split in (train, val):
            assert all((image == stored[path]).all() for path, image in pixels(split).items())
            assert split.labels.tolist() == [labels[path] for path in split.paths]
        with pytest.raises(KeyError):
            fold["test"]


def test_folds_have_as_many_of_each_class(data):
    counts = np.array([fold.facts.counts["val"] for fold in folds_of(data, 4, 0)])
    assert (counts.max(axis=0) - counts.min(axis=0) <= 1).all()
    assert (counts.sum(axis=0) == np.array(data.facts.counts["train"]) + data.facts.counts["val"]).all()


def test_the_facts_of_a_fold_are_of_its_own_training_images(data):
    for fold in folds_of(data, 3, 0):
        images = fold["train"].images[:].astype(float)
        assert fold.facts.channel_means == pytest.approx(images.mean(axis=(0, 1, 2)))
        assert fold.facts.channel_deviations == pytest.approx(images.std(axis=(0, 1, 2)))
        assert fold.facts.counts["train"] == np.bincount(fold["train"].labels, minlength=3).tolist()
        assert fold.facts.digest == data.facts.digest


def test_images_of_a_fold_are_read_like_an_array(data):
    images = folds_of(data, 3, 0)[0]["train"].images
    whole = images[:]
    assert images.shape == whole.shape == (len(images), 16, 16, 3)
    assert (images[4] == whole[4]).all()
    assert (images[::5] == whole[::5]).all()
    assert images[3:3].shape == (0, 16, 16, 3)


def held_out_paths(data, seed):
    return [fold["val"].paths for fold in folds_of(data, 4, seed)]


def test_the_seed_alone_divides_the_images_wherever_val_was_cut(data, prepared, tmp_path):
    assert held_out_paths(data, 1) == held_out_paths(data, 1) != held_out_paths(data, 2)
    write_class_folders(tmp_path / "colours" / "train", images=10)
    write_class_folders(tmp_path / "colours" / "test", images=2, first_seed=100)
    first, second = (prepared(tmp_path / "colours", val_fraction=fraction) for fraction in (0.1, 0.3))
    assert first.facts.digest != second.facts.digest
    assert held_out_paths(first, 0) == held_out_paths(second, 0)


def test_no_group_and_no_equal_files_are_parted(prepared, tmp_path):
    for name, colour in COLOURS.items():
        for number in range(12):
            # The last two images of a class are equal, though each has a group of its own.
            write_image(tmp_path / "groups" / name / f"clip{number // 2}_{number % 2}.png", colour, min(number, 10))
            write_image(tmp_path / "alone" / name / f"{number}.png", colour, min(number, 10))
    grouped = prepared(tmp_path / "groups", group_pattern="([^/]+/clip[0-9]+)_")
    for fold in folds_of(grouped, 3, 0):
        clips = [{path.rpartition("_")[0] for path in fold[split].paths} for split in ("train", "val")]
        assert not clips[0] & clips[1]
    for fold in folds_of(prepared(tmp_path / "alone"), 3, 0):
        assert not set(fold["train"].contents) & set(fold["val"].contents)


@pytest.mark.parametrize(("count", "words"), [(19, "no class has more than 18 images"), (100, "give fewer folds")])
def test_more_folds_than_images_are_refused(data, count, words):
    with pytest.raises(UserError, match=words):
        folds_of(data, count, 0)


def test_a_class_that_would_be_held_out_as_a_whole_is_refused(prepared, tmp_path):
    folder = write_class_folders(tmp_path / "colours", images=6)
    for number in range(6):
        write_image(folder / "grey" / f"one_{number}.png", (128, 128, 128), number)
    data = prepared(folder, group_pattern="(one|[0-9]+)")
    with pytest.raises(UserError, match=r"all \d image\(s\) of class grey .* held out at once"):
        folds_of(data, 2, 0)
