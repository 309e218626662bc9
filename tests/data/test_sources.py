import importlib
import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from images import write_class_folders, write_image
from PIL import Image
from source_contract import accepting, check_source

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


# a folder with one folder per class


def test_a_folder_says_its_classes_and_no_splits(configured, image_folder):
    source = open_source(configured(image_folder))
    assert source.class_names == ["blue", "green", "red"]
    assert source.splits == ("train",)
    assert (counts(source)["train"] == 20).all()
    assert source.read(source.table["path"][0])[:4] == b"\x89PNG"
    assert source.where("red/000.png") == str(image_folder / "red" / "000.png")


@pytest.mark.parametrize(
    ("train", "val", "test"),
    [
        ("train", "val", "test"),
        ("Training", "VALID", "Testing"),
        ("train", "validation", "test"),
        ("TRAIN", "dev", "Test"),
    ],
)
def test_split_folders_are_known_by_the_names_people_use(configured, tmp_path, train, val, test):
    root = tmp_path / "split"
    for name, images in ((train, 5), (val, 2), (test, 3)):
        write_class_folders(root / name, images, first_seed=100 * images)
    source = open_source(configured(root))
    assert set(source.splits) == {"train", "val", "test"}
    assert counts(source).iloc[0].to_dict() == {"train": 5, "val": 2, "test": 3}


def test_hidden_files_are_no_images_and_images_may_lie_deeper(configured, image_folder):
    (image_folder / "red" / ".DS_Store").write_bytes(b"x")
    write_image(image_folder / "red" / "more" / "x.png", (200, 0, 0), 1)
    source = open_source(configured(image_folder))
    assert "red/more/x.png" in set(source.table["path"])
    assert source.ignored.to_dict("records") == [{"path": "red/.DS_Store", "kind": "hidden"}]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda root: None, "no such file or folder"),
        (lambda root: root.mkdir(), "holds no folders of images"),
        (lambda root: root.write_text("x"), "is none of these"),
        (lambda root: write_image(root / "only" / "0.png", (1, 2, 3), 0), "one class, 'only'"),
        (
            lambda root: (
                write_class_folders(root / "train"),
                write_image(root / "val" / "pink" / "0.png", (1, 2, 3), 0),
            ),
            "the val split has a class 'pink', the train split has none",
        ),
    ],
)
def test_a_folder_that_cannot_be_used_is_named(configured, tmp_path, make, words):
    root = tmp_path / "odd name"
    make(root)
    with pytest.raises(UserError, match=words) as refusal:
        open_source(configured(root))
    assert "odd name" in str(refusal.value)


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


def test_lists_are_known_by_the_names_people_use(configured, listed):
    (listed / "val.txt").rename(listed / "Valid.TXT")
    assert counts(open_source(configured(listed)))["val"].sum() == 12
    (listed / "dev.txt").write_text("red/000.png 2")
    with pytest.raises(UserError, match=r"Valid\.TXT and dev\.txt, two lists of the val split"):
        open_source(configured(listed))


def test_images_that_no_list_names_are_counted(configured, listed):
    (listed / "train.txt").write_text((listed / "train.txt").read_text().replace("red/000.png 2\n", ""))
    ignored = open_source(configured(listed)).ignored
    assert {"path": "red/000.png", "kind": "in no list"} in ignored.to_dict("records")


def test_a_file_that_a_list_names_is_taken_whatever_it_is_called(configured, listed):
    write_image(listed / ".hidden" / "x.png", (200, 0, 0), 1)
    with (listed / "train.txt").open("a") as file:
        file.write(".hidden/x.png 2\n")
    source = open_source(configured(listed))
    assert ".hidden/x.png" in set(source.table["path"])
    assert source.read(".hidden/x.png")[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("blue/none.png 0", "there is no file .*blue/none.png"),
        ("../secret.png 0", "lies outside"),
        ("/etc/passwd 0", "/etc/passwd lies outside"),
        ("blue/013.png 3", "label 3 is out of range, 0 to 2"),
        ("blue/013.png -1", "label -1 is out of range"),
        ("blue/013.png", "'blue/013.png' is not a path, a space and a label"),
        ("blue/013.png x", "label 'x' is no whole number, as most labels are"),
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
    plain = write_class_folders(tmp_path / "plain")
    (plain / "table.csv").write_text("path,label\n" + "".join(f"{each},{each[0]}\n" for each in paths_below(plain)))
    archive = shutil.make_archive(str(tmp_path / "plain"), "zip", plain)
    return ["glyphs", str(plain), str(listed), str(plain / "table.csv"), archive]


def paths_below(root):
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*.png"))


def test_every_source_keeps_its_promises(configured, tmp_path, listed):
    for data in examples(tmp_path, listed):
        check_source(open_source(configured(data)))


@pytest.mark.parametrize(
    "data",
    ["", "glyph", "nowhere/at/all", "x" * 300, "a:b", "~", "/", "hf:", "keras:" + "x" * 300, "tfds:\0", "hf:~", ".npz"],
)
def test_every_source_answers_at_once_whatever_is_asked(data):
    for name in NAMES:
        accepts = importlib.import_module(f"pipeline.data.sources.{name}").accepts
        assert isinstance(accepts(data), bool), name


def test_no_two_sources_accept_the_same_data(tmp_path, listed):
    for data in examples(tmp_path, listed):
        assert len(accepting(data)) == 1


def test_what_data_may_be_is_said_in_the_words_of_the_sources(configured):
    lines = docstrings.first_lines(Path(sources.__file__).parent)
    with pytest.raises(UserError) as refusal:
        open_source(configured("nowhere"))
    readme = (Path(sources.__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    for line in lines:
        assert line in str(refusal.value)
        assert line[1:] in readme  # whose list begins in small letters
