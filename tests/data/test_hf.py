"""Data sets of Hugging Face, from small ones that the library itself writes. Nothing is downloaded."""

import io
import json
import sys

import numpy as np
import pytest
from images import write_class_folders
from PIL import Image
from source_contract import accepting, check_source

from pipeline import config as options
from pipeline.config import PreprocessConfig
from pipeline.data.planning import plan
from pipeline.data.sources import hf, open_source
from pipeline.data.writing import open_or_write
from pipeline.errors import UserError

datasets = pytest.importorskip("datasets", reason="the extra hf is not installed")
COLOURS = ["blue", "green", "red"]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """The library keeps what it loads in a folder of the test."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    return tmp_path / "cache"


@pytest.fixture
def configured(tmp_path):
    def make(data, **values):
        return PreprocessConfig(data=f"hf:{data}", workdir=tmp_path / "workdir", **values)

    return make


def png(number):
    content = io.BytesIO()
    pixels = np.random.default_rng(number).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(content, "png")
    return content.getvalue()


def stored(number):
    return {"bytes": png(number), "path": None}


def dataset(numbers, label=None, values=None, **columns):
    """A data set with the images of these numbers, an image column `image` and labels.

    label: the feature of the column label. values: number -> its value. columns: name -> (feature, number -> value).
    """
    columns = {
        "image": (datasets.Image(), stored),
        "label": (label or datasets.ClassLabel(names=COLOURS), values or (lambda number: number % 3)),
        **columns,
    }
    return datasets.Dataset.from_dict(
        {name: [value(number) for number in numbers] for name, (_, value) in columns.items()},
        features=datasets.Features({name: feature for name, (feature, _) in columns.items()}),
    )


def parquet(folder, **splits):
    """A folder with a Parquet file for each split."""
    folder.mkdir()
    for name, split in splits.items():
        split.to_parquet(folder / f"{name}-00000-of-00001.parquet")
    return folder


def test_a_folder_of_parquet_files_is_a_source(configured, tmp_path):
    folder = parquet(
        tmp_path / "p", train=dataset(range(30)), validation=dataset(range(30, 36)), test=dataset(range(36, 48))
    )
    source = open_source(configured(folder))
    assert accepting(f"hf:{folder}") == ["hf"]
    assert source.class_names == COLOURS
    assert source.table["split"].value_counts().to_dict() == {"train": 30, "test": 12, "val": 6}
    assert source.mirrorable
    check_source(source)


def test_images_are_the_bytes_that_are_stored(configured, tmp_path):
    source = open_source(configured(parquet(tmp_path / "p", train=dataset(range(9)))))
    assert [source.read(f"train/{row}") for row in range(9)] == [png(row) for row in range(9)]
    assert source.table["label"].tolist() == [0, 1, 2] * 3


@pytest.mark.parametrize("many", [True, False])
def test_what_save_to_disk_writes_is_a_source(configured, tmp_path, many):
    split = dataset(range(9))
    saved = datasets.DatasetDict(train=split, test=dataset(range(9, 12))) if many else split
    saved.save_to_disk(tmp_path / "saved")
    source = open_source(configured(tmp_path / "saved"))
    assert source.splits == (("train", "test") if many else ("train",))
    check_source(source)


def test_a_folder_of_arrow_files_is_a_source(configured, tmp_path):
    dataset(range(9)).save_to_disk(tmp_path / "saved")
    (tmp_path / "arrow").mkdir()
    (tmp_path / "saved" / "data-00000-of-00001.arrow").rename(tmp_path / "arrow" / "train.arrow")
    check_source(open_source(configured(tmp_path / "arrow")))


def test_a_folder_of_images_is_read_file_by_file(configured, tmp_path):
    folder = write_class_folders(tmp_path / "colours", 4)
    source = open_source(configured(folder))
    assert source.class_names == COLOURS
    check_source(source)
    before = source.content_digests(["train/0", "train/1"])
    file = folder / "blue" / "000.png"
    file.write_bytes(png(1))
    after = open_source(configured(folder)).content_digests(["train/0", "train/1"])
    assert after[0] != before[0]
    assert after[1] == before[1]


def test_several_files_of_a_split_are_one(configured, tmp_path):
    folder = parquet(tmp_path / "p", train=dataset(range(9)))
    dataset(range(9, 18)).to_parquet(folder / "train-00001-of-00002.parquet")
    source = open_source(configured(folder))
    assert len(source.table) == 18
    check_source(source)


def test_a_changed_file_has_other_digests(configured, tmp_path):
    folder = parquet(tmp_path / "p", train=dataset(range(9)))
    before = open_source(configured(folder)).content_digests(["train/0"])
    dataset(range(9, 18)).to_parquet(folder / "train-00000-of-00001.parquet")
    assert open_source(configured(folder)).content_digests(["train/0"]) != before


def test_a_folder_is_known_by_its_absolute_path(tmp_path, monkeypatch, configured):
    (tmp_path / "photos").mkdir()
    monkeypatch.chdir(tmp_path)
    resolved = options.resolve("preprocess", {"data": "hf:./photos"}, recipe_of=dict, config_of_run=dict)
    assert resolved.data == f"hf:{tmp_path / 'photos'}"
    assert options.data_name(resolved) == "photos"


def test_it_is_prepared_in_several_processes(configured, tmp_path):
    folder = parquet(tmp_path / "p", train=dataset(range(600)))
    data = open_or_write(plan(configured(folder, image_size=8)))
    assert [sum(counts) for counts in data.facts.counts.values()] == [480, 60, 60]


# labels


@pytest.mark.parametrize(
    ("kind", "value", "names"),
    [
        ("string", lambda number: COLOURS[number % 3], COLOURS),
        ("large_string", lambda number: COLOURS[number % 3], COLOURS),
        ("int64", lambda number: number % 3, ["0", "1", "2"]),
        ("uint8", lambda number: number % 3, ["0", "1", "2"]),
        ("bool", lambda number: number % 3 == 0, ["False", "True"]),
    ],
)
def test_labels_may_be_names_or_numbers(configured, tmp_path, kind, value, names):
    source = open_source(configured(parquet(tmp_path / "p", train=dataset(range(9), datasets.Value(kind), value))))
    assert source.class_names == names
    assert [names[label] for label in source.table["label"]] == [str(value(number)) for number in range(9)]


@pytest.mark.parametrize(
    ("label", "missing"), [(datasets.ClassLabel(names=COLOURS), -1), (None, None), (datasets.Value("int32"), None)]
)
def test_images_without_a_label_are_ignored(configured, tmp_path, label, missing):
    def value(number):
        return number % 3 if number < 9 else missing

    folder = parquet(tmp_path / "p", train=dataset(range(9), label), test=dataset(range(9, 12), label, value))
    source = open_source(configured(folder))
    assert source.splits == ("train",)
    assert source.ignored["path"].tolist() == ["test/0", "test/1", "test/2"]
    assert set(source.ignored["kind"]) == {"no label"}
    check_source(source)


def test_an_image_that_is_missing_cannot_be_read(configured, tmp_path):
    split = dataset(range(9), image=(datasets.Image(), lambda number: stored(number) if number else None))
    source = open_source(configured(parquet(tmp_path / "p", train=split)))
    assert source.read("train/0") == b""
    assert len(source.content_digests(["train/0", "train/1"])) == 2


# columns


def test_columns_that_are_called_image_and_label_are_taken_among_others(configured, tmp_path):
    others = {
        "mask": (datasets.Image(), lambda number: stored(0)),
        "label_coarse": (datasets.ClassLabel(names=["a", "b"]), lambda number: number % 2),
        "id": (datasets.Value("int64"), lambda number: number),
    }
    source = open_source(configured(parquet(tmp_path / "p", train=dataset(range(9), **others))))
    assert source.class_names == COLOURS
    assert source.read("train/3") == png(3)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (["photo", "fine", "coarse"], "has 2 columns that may hold the label: coarse, fine; --label_column names"),
        (["photo", "mask", "fine"], "has 2 columns that may hold the image: mask, photo; --path_column names"),
        (["fine"], "has no column that may hold the image among its columns fine"),
        (["photo"], "has no column that may hold the label among its columns photo"),
    ],
)
def test_a_data_set_without_clear_columns_is_named(configured, tmp_path, columns, words):
    label, picture = (datasets.ClassLabel(names=COLOURS), lambda number: number % 3), (datasets.Image(), stored)
    split = dataset(range(9), photo=picture, mask=picture, fine=label, coarse=label).select_columns(columns)
    with pytest.raises(UserError, match=words):
        open_source(configured(parquet(tmp_path / "p", train=split)))


def test_the_only_columns_that_fit_are_taken_whatever_they_are_called(configured, tmp_path):
    split = dataset(range(9)).rename_columns({"image": "photo", "label": "fine"})
    assert open_source(configured(parquet(tmp_path / "p", train=split))).class_names == COLOURS


def test_the_column_that_is_asked_for_is_taken():
    class Asked:
        label_column = "coarse"

    features = datasets.Features(
        {"image": datasets.Image(), "fine": datasets.ClassLabel(2), "coarse": datasets.Value("string")}
    )
    assert hf._columns(features, Asked, "--data x") == ("image", "coarse")
    Asked.label_column = "none"
    with pytest.raises(UserError, match="--label_column none is none of the columns that may hold the label: co"):
        hf._columns(features, Asked, "--data x")


# what cannot be loaded


@pytest.fixture
def no_network(monkeypatch):
    import huggingface_hub

    def refuse(*_, **__):
        raise ConnectionError("there is no network")

    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", refuse)


@pytest.mark.parametrize("name", ["cifar10", "somebody/photos", "somebody/photos:small"])
def test_without_a_network_it_is_said_at_once_what_to_do(configured, no_network, name):
    assert accepting(f"hf:{name}") == ["hf"]
    with pytest.raises(UserError, match=f"hf:{name}: the hub cannot be reached.* hf:FOLDER"):
        open_source(configured(name))
    assert not datasets.config.HF_HUB_OFFLINE


def test_a_folder_that_cannot_be_loaded_is_named(configured, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "train.parquet").write_bytes(b"x" * 100)
    (tmp_path / "broken").mkdir()  # as if it were cut off
    (tmp_path / "broken" / "state.json").write_text(json.dumps({}))
    for name in ("empty", "odd", "broken"):
        with pytest.raises(UserError, match=f"{name}: datasets cannot load it: .") as refusal:
            open_source(configured(tmp_path / name))
        assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("name", ["", " ", "a/b/c/d", "nowhere at all!"])
def test_what_can_be_no_name_is_refused(configured, no_network, name):
    with pytest.raises(UserError, match="--data hf:"):
        open_source(configured(name))


def test_a_missing_library_is_named_with_its_extra(configured, monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(UserError, match=r'pip install "past-the-ceiling\[hf\]"'):
        open_source(configured("cifar10"))
