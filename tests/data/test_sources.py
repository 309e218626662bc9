import importlib
import io
from pathlib import Path

import numpy as np
import pytest
from images import write_class_folders, write_image
from PIL import Image
from source_contract import check_source

from pipeline import docstrings
from pipeline.config import PreprocessConfig
from pipeline.data import sources
from pipeline.data.sources import NAMES, glyphs, open_source
from pipeline.errors import UserError


@pytest.fixture
def configured(tmp_path):
    def make(data, **options):
        return PreprocessConfig(data=str(data), workdir=tmp_path / "workdir", **options)

    return make


def counts(source):
    return source.table.groupby("split")["label"].value_counts().unstack("split", fill_value=0)


# glyphs


def test_glyphs_has_50_classes_and_enough_images(configured):
    source = open_source(configured("glyphs"))
    assert len(source.class_names) == len(set(source.class_names)) == 50
    sizes = source.table["split"].value_counts()
    assert sizes["train"] >= 12_000
    assert sizes["val"] >= 2_500
    assert sizes["test"] >= 2_500
    assert (counts(source).nunique() == 1).all()
    assert not source.mirrorable


def test_glyphs_leaves_out_what_can_be_taken_for_another():
    for pair in ("O0", "lI", "l1", "cC", "sS", "xX", "uU", "vV", "wW", "zZ", "kK", "pP", "5S"[:1] + "s"):
        assert not set(pair) <= set(glyphs.CHARACTERS), pair


def test_a_glyph_depends_on_its_seed_and_path_alone():
    first = glyphs.draw_png(0, "train/0041-003")
    assert glyphs.draw_png(0, "train/0041-003") == first
    assert glyphs.draw_png(1, "train/0041-003") != first
    assert glyphs.draw_png(0, "train/0041-004") != first
    assert glyphs.draw_png(0, "val/0041-003") != first
    assert Image.open(io.BytesIO(first)).size == (64, 64)


def test_every_glyph_shows_ink_in_every_font():
    for character in glyphs.CHARACTERS:
        for font in glyphs.FONTS:
            assert np.asarray(glyphs._rendered(character, font)).max() > 200, (character, font)


def test_the_digests_of_glyphs_differ_by_seed(configured):
    paths = ["train/0041-003", "train/0041-004"]
    zero = open_source(configured("glyphs")).content_digests(paths)
    assert len(set(zero)) == 2
    assert not set(zero) & set(open_source(configured("glyphs", data_seed=1)).content_digests(paths))


# a folder with a folder a class


def test_a_folder_is_split_evenly_by_its_seed(configured, image_folder):
    source = open_source(configured(image_folder, val_fraction=0.2, test_fraction=0.1))
    assert source.class_names == ["blue", "green", "red"]
    table = counts(source)
    assert (table["train"] == 14).all()
    assert (table["val"] == 4).all()
    assert (table["test"] == 2).all()
    again = open_source(configured(image_folder, val_fraction=0.2, test_fraction=0.1))
    assert source.table.equals(again.table)
    other = open_source(configured(image_folder, val_fraction=0.2, test_fraction=0.1, data_seed=1))
    assert not source.table.equals(other.table)
    assert source.read(source.table["path"][0])[:4] == b"\x89PNG"


def test_splits_that_are_there_are_kept_and_missing_ones_taken_from_train(configured, tmp_path):
    root = tmp_path / "split"
    write_class_folders(root / "train", 20)
    write_class_folders(root / "test", 3, first_seed=500)
    table = counts(open_source(configured(root)))
    assert (table["test"] == 3).all()
    assert (table["val"] == 2).all()
    assert (table["train"] == 18).all()


def test_hidden_files_are_no_images_and_images_may_lie_deeper(configured, image_folder):
    (image_folder / "red" / ".DS_Store").write_bytes(b"x")
    write_image(image_folder / "red" / "more" / "x.png", (200, 0, 0), 1)
    paths = set(open_source(configured(image_folder)).table["path"])
    assert "red/more/x.png" in paths
    assert "red/.DS_Store" not in paths


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda root: None, "no such file or folder"),
        (lambda root: root.mkdir(), "holds no folders"),
        (lambda root: root.write_text("x"), "is none of these"),
        (lambda root: write_image(root / "only" / "0.png", (1, 2, 3), 0), "one class, 'only'"),
        (lambda root: (write_class_folders(root), (root / "empty").mkdir()), "empty holds no files"),
        (lambda root: write_class_folders(root, 2), "'blue' has 2 image"),
        (
            lambda root: (
                write_class_folders(root / "train"),
                write_image(root / "val" / "pink" / "0.png", (1, 2, 3), 0),
            ),
            "pink: train/ has no class of that name",
        ),
    ],
)
def test_a_folder_that_cannot_be_used_is_named(configured, tmp_path, make, words):
    root = tmp_path / "odd name"
    make(root)
    with pytest.raises(UserError, match=words) as refusal:
        open_source(configured(root))
    assert "odd name" in str(refusal.value) or "class 'blue'" in str(refusal.value)


# a folder with lists


@pytest.fixture
def listed(image_folder):
    """The lists of image_folder: 12, 4 and 4 images a class."""
    for split, numbers in {"train": range(12), "val": range(12, 16), "test": range(16, 20)}.items():
        lines = [f"{name}/{n:03d}.png {label}" for label, name in enumerate(("blue", "green", "red")) for n in numbers]
        (image_folder / f"{split}.txt").write_text("\n".join(lines) + "\n")
    return image_folder


def test_lists_say_label_and_split(configured, listed):
    source = open_source(configured(listed))
    assert source.class_names == ["blue", "green", "red"]
    table = counts(source)
    assert (table["train"] == 12).all()
    assert (table["val"] == 4).all()
    assert (table["test"] == 4).all()


def test_classes_txt_names_the_labels(configured, listed):
    (listed / "classes.txt").write_text("n01\tsea, ocean\nn02\tmeadow\nn03\tbrick, clay\n")
    assert open_source(configured(listed)).class_names == ["sea", "meadow", "brick"]


def test_a_missing_list_is_taken_from_train(configured, listed):
    (listed / "val.txt").unlink()
    table = counts(open_source(configured(listed, val_fraction=0.25)))
    assert (table["val"] == 3).all()
    assert (table["train"] == 9).all()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("blue/none.png 0", "there is no file .*blue/none.png"),
        ("../secret.png 0", "lies outside"),
        ("/etc/passwd 0", "/etc/passwd lies outside"),
        ("blue/013.png 3", "label 3 is out of range, 0 to 2"),
        ("blue/013.png -1", "label -1 is out of range"),
        ("blue/013.png", "'blue/013.png' is not a path, a space and a whole number"),
        ("blue/013.png x", "is not a path, a space and a whole number"),
        ("blue/012.png 0", "listed a second time"),
    ],
)
def test_a_bad_line_is_named_with_its_list_and_number(configured, listed, line, words):
    (listed / "classes.txt").write_text("blue\ngreen\nred\n")
    with (listed / "val.txt").open("a") as file:
        file.write(line + "\n")
    with pytest.raises(UserError, match=words) as refusal:
        open_source(configured(listed))
    assert f"{listed / 'val.txt'} line 13" in str(refusal.value)


# every source


def examples(tmp_path, listed):
    return ["glyphs", str(write_class_folders(tmp_path / "plain")), str(listed)]


def test_every_source_keeps_its_promises(configured, tmp_path, listed):
    for data in examples(tmp_path, listed):
        check_source(open_source(configured(data)))


@pytest.mark.parametrize("data", ["", "glyph", "nowhere/at/all", "x" * 300, "a:b", "~", "/"])
def test_every_source_answers_at_once_whatever_is_asked(data):
    for name in NAMES:
        accepts = importlib.import_module(f"pipeline.data.sources.{name}").accepts
        assert isinstance(accepts(data), bool), name


def test_no_two_sources_accept_the_same_data(tmp_path, listed):
    for data in examples(tmp_path, listed):
        modules = [importlib.import_module(f"pipeline.data.sources.{name}") for name in NAMES]
        assert sum(module.accepts(data) for module in modules) == 1


def test_what_data_may_be_is_said_in_the_words_of_the_sources(configured):
    lines = docstrings.first_lines(Path(sources.__file__).parent)
    with pytest.raises(UserError) as refusal:
        open_source(configured("nowhere"))
    readme = (Path(sources.__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    for line in lines:
        assert line in str(refusal.value)
        assert line[1:] in readme  # whose list begins in small letters
