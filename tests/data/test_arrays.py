"""Arrays of images in .npz and .npy files."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image
from source_contract import accepting, check_source

from pipeline.config import PreprocessConfig
from pipeline.data.decoding import decode
from pipeline.data.planning import plan
from pipeline.data.sources import open_source
from pipeline.data.writing import open_or_write
from pipeline.errors import UserError

CLASSES = 3


@pytest.fixture
def opened(tmp_path):
    def open_it(data, **options):
        return open_source(PreprocessConfig(data=str(data), workdir=tmp_path / "workdir", **options))

    return open_it


def images(count, shape=(8, 8, 3), seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), dtype=np.uint8)


def labels(count):
    return np.arange(count) % CLASSES


def saved(folder, **arrays):
    """An .npz file."""
    path = folder / "set.npz"
    np.savez(path, **arrays)
    return path


def pixels(source, path):
    return np.asarray(Image.open(io.BytesIO(source.read(path))))


def refusal_of(opened, data):
    with pytest.raises(UserError) as refusal:
        opened(data)
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


# which arrays are taken


@pytest.mark.parametrize(
    ("train", "val", "test"),
    [
        ("x_train y_train", "x_val y_val", "x_test y_test"),
        ("X_train Y_train", "X_valid Y_valid", "X_test Y_test"),
        ("train_images train_labels", "val_images val_labels", "test_images test_labels"),
        ("images labels", "images_dev labels_dev", "images-testing labels-testing"),
        ("data target", "dev-img dev-targets", "imgs_test label_test"),
    ],
)
def test_an_archive_is_known_by_the_names_that_people_use(opened, tmp_path, train, val, test):
    arrays = {}
    for names, count in ((train, 9), (val, 3), (test, 6)):
        image_name, label_name = names.split()
        arrays |= {image_name: images(count, seed=count), label_name: labels(count)}
    path = saved(tmp_path, **arrays)
    source = opened(path)
    assert source.table["split"].value_counts().to_dict() == {"train": 9, "test": 6, "val": 3}
    assert set(source.splits) == {"train", "val", "test"}
    assert accepting(str(path)) == ["arrays"]
    check_source(source)


def test_an_archive_of_two_arrays_without_names_is_images_and_labels(opened, tmp_path):
    np.savez_compressed(tmp_path / "set.NPZ.npz", images(6), labels(6))
    source = opened(tmp_path / "set.NPZ.npz")
    assert source.table["label"].tolist() == [0, 1, 2, 0, 1, 2]
    assert source.splits == ("train",)


def test_an_archive_of_one_split_says_no_splits(opened, tmp_path):
    source = opened(saved(tmp_path, x_test=images(6), y_test=labels(6)))
    assert source.splits == ("train",)


def test_a_file_of_images_has_its_labels_beside_it(opened, tmp_path):
    np.save(tmp_path / "photos.npy", images(6))
    np.save(tmp_path / "labels.npy", labels(6))
    source = opened(tmp_path / "photos.npy")
    assert source.table["label"].tolist() == [0, 1, 2, 0, 1, 2]
    assert accepting(str(tmp_path / "photos.npy")) == ["arrays"]
    check_source(source)
    np.save(tmp_path / "photos_labels.npy", labels(6)[::-1])
    assert opened(tmp_path / "photos.npy").table["label"].tolist() == [2, 1, 0, 2, 1, 0]


def test_a_file_of_training_images_is_taken_with_its_siblings(opened, tmp_path):
    for split, count in {"train": 9, "val": 3, "test": 6}.items():
        np.save(tmp_path / f"X_{split}.npy", images(count, seed=count))
        np.save(tmp_path / f"y_{split}.npy", labels(count))
    np.save(tmp_path / "images.npy", images(2))
    source = opened(tmp_path / "X_train.npy")
    assert source.table["split"].value_counts().to_dict() == {"train": 9, "test": 6, "val": 3}
    assert opened(tmp_path / "X_test.npy").table["split"].value_counts().to_dict() == {"train": 6}


def test_what_else_an_archive_holds_is_listed(opened, tmp_path):
    source = opened(saved(tmp_path, images=images(6), labels=labels(6), weights=np.ones(6)))
    assert source.ignored.to_dict("records") == [{"path": "weights", "kind": "array of no known name"}]


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"a": images(3), "b": labels(3)}, "holds a, b; x_train and y_train"),
        ({}, "holds no arrays"),
        ({"x_train": images(3), "y_train": labels(3), "x_test": images(3)}, "holds x_test, but not its labels, y_test"),
        ({"train_images": images(3)}, "but not its labels, train_labels"),
        ({"x_train": images(3), "images": images(3), "y_train": labels(3)}, "images and x_train.*of train"),
        ({"x_val": images(3), "y_val": labels(3), "x_test": images(3), "y_test": labels(3)}, "one called train"),
    ],
)
def test_an_archive_without_images_and_labels_is_named(opened, tmp_path, arrays, words):
    with pytest.raises(UserError, match=words) as refusal:
        opened(saved(tmp_path, **arrays))
    assert "set.npz" in str(refusal.value)


def test_a_file_of_images_without_labels_or_with_two_is_named(opened, tmp_path):
    np.save(tmp_path / "photos.npy", images(3))
    assert "photos_labels.npy" in refusal_of(opened, tmp_path / "photos.npy")
    np.save(tmp_path / "labels.npy", labels(3))
    np.save(tmp_path / "y.npy", labels(3))
    assert "labels and y" in refusal_of(opened, tmp_path / "photos.npy")


# images


@pytest.mark.parametrize(
    ("shape", "seen"),
    [
        ((8, 6), (8, 6)),
        ((8, 6, 1), (8, 6)),
        ((8, 6, 3), (8, 6, 3)),
        ((1, 8, 6), (8, 6)),
        ((3, 8, 6), (8, 6, 3)),
        ((3, 3, 3), (3, 3, 3)),
    ],
)
def test_pixels_arrive_as_they_are_in_any_layout(opened, tmp_path, shape, seen):
    array = images(6, shape)
    source = opened(saved(tmp_path, images=array, labels=labels(6)))
    expected = np.moveaxis(array[4], 0, -1) if shape[0] in (1, 3) and shape[2] != 3 else array[4]
    assert np.array_equal(pixels(source, "train/4"), expected.reshape(seen))
    check_source(source)


def test_arrays_in_fortran_order_are_read(opened, tmp_path):
    array = np.asfortranarray(images(6))
    source = opened(saved(tmp_path, images=array, labels=labels(6)))
    assert np.array_equal(pixels(source, "train/4"), array[4])


def test_grey_images_become_rgb(opened, tmp_path):
    source = opened(saved(tmp_path, images=images(6, (8, 8)), labels=labels(6)))
    decoded = decode(source.read("train/0"), 8, "stretch")
    assert decoded.shape == (8, 8, 3)
    assert (decoded == decoded[..., :1]).all()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", ">f4"])
@pytest.mark.parametrize("white", [1, 255])
def test_floating_point_numbers_are_scaled_by_one_rule_for_all_images(opened, tmp_path, dtype, white):
    array = images(6)
    array[0] //= 2  # no white in it
    floats = (array / (255 / white)).astype(dtype)
    source = opened(saved(tmp_path, x_train=floats[:3], y_train=labels(3), x_test=floats[3:], y_test=labels(3)))
    assert np.array_equal(pixels(source, "train/0"), array[0])
    assert np.array_equal(pixels(source, "test/2"), array[5])


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (images(3).astype(np.int64), "has the dtype int64; images are uint8"),
        (images(3).astype(np.uint16), "has the dtype uint16"),
        (images(3) > 99, "has the dtype bool"),
        (images(3) / 100 - 1, "numbers from -1 to 1.55"),
        (images(3) / 100, "numbers from 0 to 2.55"),
        (images(3) * 2.0, "numbers from 0 to 510"),
        (np.full((3, 8, 8), np.nan), "numbers from nan to nan"),
        (np.full((3, 8, 8), np.inf), "numbers from inf to inf"),
        (images(3, (8, 8, 4)), r"has the shape \(3, 8, 8, 4\); images are \(n, h, w\)"),
        (images(3, (192,)), r"has the shape \(3, 192\)"),
        (images(0), r"has the shape \(0, 8, 8, 3\)"),
        (np.uint8(1), r"has the shape \(\)"),
        (np.array(list("abc")), "has the dtype <U1"),
        (np.array([{}, 1, 2], dtype=object), "holds Python objects"),
    ],
)
def test_arrays_that_are_no_images_are_named(opened, tmp_path, array, words):
    with pytest.raises(UserError, match=words) as refusal:
        opened(saved(tmp_path, images=array, labels=labels(3)))
    assert "set.npz images" in str(refusal.value)


# labels


@pytest.mark.parametrize(
    "array",
    [
        labels(6).astype(np.uint8),
        labels(6)[:, None],
        labels(6).astype(np.float32),
        np.eye(CLASSES)[labels(6)],
        np.eye(CLASSES, dtype=bool)[labels(6)],
    ],
)
def test_labels_are_whole_numbers_however_they_are_written(opened, tmp_path, array):
    source = opened(saved(tmp_path, images=images(6), labels=array))
    assert source.table["label"].tolist() == [0, 1, 2, 0, 1, 2]
    assert source.class_names == ["0", "1", "2"]


@pytest.mark.parametrize("kind", ["U", "S"])
def test_labels_may_be_names(opened, tmp_path, kind):
    names = np.array(["dog", "cat", "été"] * 2)
    array = np.char.encode(names, "utf-8") if kind == "S" else names
    source = opened(saved(tmp_path, images=images(6), labels=array))
    assert source.class_names == ["cat", "dog", "été"]
    assert source.table["label"].tolist() == [1, 0, 2] * 2


def test_an_array_may_name_the_classes(opened, tmp_path):
    names = np.array(["cat", "dog", "eel", "fox"])
    source = opened(saved(tmp_path, images=images(6), labels=labels(6), class_names=names))
    assert source.class_names == ["cat", "dog", "eel"]
    assert source.warnings == ("1 class(es) without an image are left out: fox",)


def test_labels_from_one_are_counted_from_zero_with_a_warning(opened, tmp_path):
    source = opened(saved(tmp_path, images=images(6), labels=labels(6) + 1))
    assert source.table["label"].tolist() == [0, 1, 2, 0, 1, 2]
    assert len(source.warnings) == 1


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"labels": labels(5)}, "images holds 6 images, .*labels 5 labels"),
        ({"labels": np.zeros(6, int)}, "there is one class"),
        ({"labels": np.zeros(6, int), "classes": np.array(["a", "b"])}, "there is one class, 'a'"),
        ({"labels": labels(6) * 2}, r"labels\[2\]: label 4 is out of range, 0 to 2"),
        ({"labels": labels(6) - 1}, "label -1 is out of range"),
        ({"labels": labels(6), "classes": np.array(["a", "b"])}, "label 2 is out of range, 0 to 1"),
        ({"labels": labels(6), "classes": np.array(["a", "b", "a"])}, "2 classes are called 'a'"),
        ({"labels": np.array(list("abcabc")), "classes": np.array(list("abc"))}, "these are text"),
        ({"labels": labels(6), "classes": np.arange(3)}, "classes has the dtype int64"),
        ({"labels": labels(6), "classes": np.array(["a", None, 1], dtype=object)}, "classes holds Python objects"),
        ({"labels": labels(6) + 0.5}, "holds the label 0.5"),
        ({"labels": np.full(6, np.nan)}, "holds the label nan"),
        ({"labels": labels(6).astype(object)}, "labels holds Python objects, which are not loaded"),
        ({"labels": np.ones((6, 3))}, r"labels has the shape \(6, 3\)"),
        ({"labels": labels(6).astype("datetime64[D]")}, "has the dtype datetime64"),
    ],
)
def test_labels_that_cannot_be_used_are_named(opened, tmp_path, arrays, words):
    with pytest.raises(UserError, match=words) as refusal:
        opened(saved(tmp_path, images=images(6), **arrays))
    assert "set.npz" in str(refusal.value)


# files


@pytest.mark.parametrize("content", [b"", b"x" * 100, b"PK\3\4" + b"x" * 100, b"\x93NUMPY\1\0"])
@pytest.mark.parametrize("name", ["set.npz", "set.npy"])
def test_a_damaged_file_is_named(opened, tmp_path, content, name):
    np.save(tmp_path / "labels.npy", labels(3))
    (tmp_path / name).write_bytes(content)
    assert name in refusal_of(opened, tmp_path / name)


def test_an_archive_that_is_cut_off_or_changed_inside_is_named(opened, tmp_path):
    path = saved(tmp_path, images=images(60), labels=labels(60))
    whole = bytearray(path.read_bytes())
    whole[5000] ^= 255
    path.write_bytes(whole)
    assert "set.npz cannot be unpacked: Bad CRC-32" in refusal_of(opened, path)
    path.write_bytes(whole[:9000])
    assert "set.npz is no .npz archive, or a damaged one" in refusal_of(opened, path)


def test_what_an_archive_calls_its_arrays_leads_nowhere_else(opened, tmp_path):
    path = saved(tmp_path, images=images(3), labels=labels(3))
    content = io.BytesIO()
    np.save(content, images(3))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../images_test.npy", content.getvalue())
    assert opened(path).ignored["path"].tolist() == ["../images_test"]
    assert not list(tmp_path.rglob("images_test*"))


def test_an_archive_is_unpacked_once_and_anew_where_it_has_changed(opened, tmp_path):
    path = saved(tmp_path, images=images(6), labels=labels(6))
    first = opened(path)
    unpacked = list((tmp_path / "workdir" / "unpacked").iterdir())
    assert np.array_equal(opened(path).table, first.table)
    assert list((tmp_path / "workdir" / "unpacked").iterdir()) == unpacked
    saved(tmp_path, images=images(6, seed=1), labels=labels(6))
    second = opened(path)
    assert np.array_equal(pixels(second, "train/0"), images(6, seed=1)[0])
    now = list((tmp_path / "workdir" / "unpacked").iterdir())
    assert len(now) == 1
    assert now != unpacked


def test_a_changed_array_has_other_digests(opened, tmp_path):
    np.save(tmp_path / "labels.npy", labels(6))
    np.save(tmp_path / "images.npy", images(6))
    paths = [f"train/{row}" for row in range(6)]
    before = opened(tmp_path / "images.npy").content_digests(paths)
    assert opened(tmp_path / "images.npy").content_digests(paths) == before
    np.save(tmp_path / "images.npy", images(6, seed=1))
    assert not set(opened(tmp_path / "images.npy").content_digests(paths)) & set(before)


def test_equal_images_are_found(opened, tmp_path):
    array = images(9)
    array[7] = array[1]
    path = saved(tmp_path, x_train=array[:6], y_train=labels(6), x_test=array[6:], y_test=labels(3))
    planned = plan(PreprocessConfig(data=str(path), workdir=tmp_path / "workdir", val_fraction=0.3))
    assert sorted(planned.leaking["path"]) == ["test/1", "train/1"]


def test_arrays_are_prepared_in_several_processes(tmp_path):
    array = images(1200, (8, 8, 3))
    path = saved(tmp_path, x_train=array[:900], y_train=labels(900), x_test=array[900:], y_test=labels(300))
    config = PreprocessConfig(data=str(path), workdir=tmp_path / "workdir", image_size=8)
    data = open_or_write(plan(config))
    assert data.name == "set.npz"
    assert sorted(data["test"].images[:, 0, 0, 0]) == sorted(array[900:, 0, 0, 0])
