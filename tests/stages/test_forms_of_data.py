"""A training on each form of data that is no folder."""

import shutil

import pytest
from images import write_class_folders

from pipeline.__main__ import main


@pytest.fixture
def table(here):
    folder = write_class_folders(here / "photos")
    lines = [f"{path.relative_to(folder)},{path.parent.name},\n" for path in sorted(folder.rglob("*.png"))]
    (folder / "photos.csv").write_text("filename,colour,set\n" + "".join(lines))
    return folder / "photos.csv"


def archive_of(table):
    table.unlink()
    return shutil.make_archive("photos", "zip", table.parents[1], "photos")


def compressed(table):
    return shutil.make_archive("photos", "gztar", table.parent)


@pytest.mark.parametrize("make", [str, archive_of, compressed])
def test_train(table, capfd, make):
    data = str(make(table))
    typed = ["--data", data, "--label_column", "colour", "--model", "two-layer-numpy", "--epochs", "1"]
    assert main(["train", *typed, "--image_size", "16", "--val_fraction", "0.2"]) == 0
    assert "3 classes, 42 / 12 / 6 images for train / val / test" in capfd.readouterr().out


def test_a_refusal_is_one_sentence(table, capfd):
    assert main(["train", "--data", str(table), "--model", "two-layer-numpy"]) == 2
    said = capfd.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert said[0].startswith(f"error: {table} has no column with a usual name for the label, such as label: ")
