import dataclasses
import errno
import functools
import json
import os
import shutil
import signal
import time

import numpy as np
import pandas as pd
import pytest
from images import write_class_folders, write_image
from PIL import Image

from pipeline import half_written
from pipeline.config import PreprocessConfig
from pipeline.data.decoding import decode
from pipeline.data.decoding.limits import MAX_PIXELS
from pipeline.data.planning import plan
from pipeline.data.prepared import open_prepared
from pipeline.data.writing import open_or_write, write
from pipeline.errors import UserError


@pytest.fixture
def configured(tmp_path, image_folder):
    def make(**options):
        options = {"data": str(image_folder), "image_size": 16} | options
        return PreprocessConfig(workdir=tmp_path / "workdir", **options)

    return make


def prepare(config):
    return write(plan(config))


def test_arrays_hold_what_the_files_show(configured, image_folder):
    config = configured()
    data = prepare(config)
    manifest = data.manifest()
    assert len(manifest) == 60
    for split in ("train", "val", "test"):
        part = data[split]
        assert part.images.shape == (len(part.labels), 16, 16, 3)
        for image, label, path in zip(part.images, part.labels, part.paths, strict=True):
            assert path.startswith(data.facts.class_names[label])
            np.testing.assert_array_equal(image, decode((image_folder / path).read_bytes(), 16, "stretch"))


def test_facts_are_those_of_the_training_split(configured):
    data = prepare(configured())
    train = np.asarray(data["train"].images).reshape(-1, 3).astype(float)
    np.testing.assert_allclose(data.facts.channel_means, train.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(data.facts.channel_deviations, train.std(axis=0), rtol=1e-9)
    assert data.facts.counts == {"train": [16] * 3, "val": [2] * 3, "test": [2] * 3}
    assert data.facts.mirrorable


def test_the_same_files_and_options_give_the_same_digest(configured):
    assert plan(configured()).digest == plan(configured()).digest


@pytest.mark.parametrize(
    "options", [{"image_size": 17}, {"resize": "pad"}, {"data_seed": 1}, {"val_fraction": 0.2}, {"on_leak": "drop"}]
)
def test_another_option_gives_another_digest(configured, options):
    assert plan(configured(**options)).digest != plan(configured()).digest


def test_the_usual_limit_of_pixels_keeps_the_digest(configured):
    before = plan(configured()).digest
    assert configured().max_pixels == MAX_PIXELS
    assert plan(configured(max_pixels=MAX_PIXELS)).digest == before
    assert plan(configured(max_pixels=MAX_PIXELS - 1)).digest != before


def test_a_picture_beyond_the_limit_of_pixels_is_refused_or_left_out(configured, image_folder):
    write_image(image_folder / "red" / "large.png", (200, 30, 30), 5, size=100)
    with pytest.raises(UserError, match=r"large.png is no readable image \(100 x 100 pixels are more than the 5,000"):
        prepare(configured(max_pixels=5_000))
    assert len(prepare(configured(max_pixels=5_000, on_error="skip")).manifest()) == 60
    assert len(prepare(configured()).manifest()) == 61


def test_an_option_that_changes_nothing_keeps_the_digest(configured, image_folder):
    for split, numbers in {"train": range(12), "val": range(12, 16), "test": range(16, 20)}.items():
        lines = [f"{name}/{n:03d}.png {label}" for label, name in enumerate(("blue", "green", "red")) for n in numbers]
        (image_folder / f"{split}.txt").write_text("\n".join(lines))
    assert plan(configured(data_seed=1, val_fraction=0.3)).digest == plan(configured()).digest


def test_a_changed_file_of_the_same_size_gives_another_digest(configured, image_folder):
    path = image_folder / "red" / "003.png"
    before = plan(configured()).digest
    plan(configured())  # once more, so that an index is there to be wrong
    stat = path.stat()
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert path.stat().st_size == stat.st_size
    assert plan(configured()).digest != before


def test_unchanged_files_are_not_read_again(configured, image_folder, monkeypatch):
    monkeypatch.setattr("pipeline.data.contents.SETTLED_NANOSECONDS", 0)
    before = plan(configured()).digest
    monkeypatch.setattr("pipeline.data.contents._digest", lambda root, path: pytest.fail(f"{path} was read again"))
    assert plan(configured()).digest == before


def test_a_file_that_is_no_image_is_named(configured, image_folder, tmp_path):
    (image_folder / "red" / "bad.png").write_bytes(b"no image")
    with pytest.raises(UserError, match=f"{image_folder}/red/bad.png is no readable image"):
        prepare(configured())
    assert not [path for path in (tmp_path / "workdir" / "prepared").iterdir() if path.name != "index"]


def read_or_end(read, how, path):
    """The bytes of a file; that of one file ends the process that reads it, or takes for ever."""
    if path == "red/007.png" and how == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if path == "red/007.png" and how == "hangs":
        time.sleep(600)
    return read(path)


@pytest.fixture
def ending(configured, monkeypatch):
    """A plan of which one file ends the process that decodes it."""
    monkeypatch.setattr("pipeline.data.writing.SECONDS", 2)

    def make(how, **options):
        planned = plan(configured(**options))
        read = functools.partial(read_or_end, planned.source.read, how)
        return dataclasses.replace(planned, source=dataclasses.replace(planned.source, read=read))

    return make


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "reason"),
    [("killed", "the process that decoded it was killed (signal 9)"), ("hangs", "decoding took longer than 2 s")],
)
def test_a_file_that_ends_decoding_is_named_and_can_be_left_out(ending, image_folder, how, reason):
    with pytest.raises(UserError) as refused:
        write(ending(how))
    said = f"{image_folder}/red/007.png is no readable image ({reason}); --on_error skip leaves such files out"
    assert str(refused.value) == said
    data = write(ending(how, on_error="skip"))
    assert [(entry["path"], entry["reason"]) for entry in data.facts.skipped] == [("red/007.png", reason)]
    assert len(data.manifest()) == 59


def test_a_full_disk_is_an_error_in_a_sentence(configured, monkeypatch):
    def no_room(descriptor, start, size):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", no_room)
    with pytest.raises(UserError, match="has no room for the prepared data: No space left on device"):
        prepare(configured())


def test_skipped_files_are_listed_and_the_others_keep_their_labels(configured, image_folder):
    (image_folder / "green" / "bad.png").write_bytes(b"no image")
    (image_folder / "blue" / "bad.png").write_bytes(b"no image")
    data = prepare(configured(on_error="skip"))
    assert sorted(entry["path"] for entry in data.facts.skipped) == ["blue/bad.png", "green/bad.png"]
    assert all(entry["reason"] for entry in data.facts.skipped)
    assert len(data.manifest()) == 60
    for split in ("train", "val", "test"):
        for image, path in zip(data[split].images, data[split].paths, strict=True):
            np.testing.assert_array_equal(image, decode((image_folder / path).read_bytes(), 16, "stretch"))


def test_a_class_without_a_readable_image_is_refused(configured, image_folder):
    for path in (image_folder / "green").iterdir():
        path.write_bytes(b"no image")
    with pytest.raises(UserError, match="'green' has no readable training image"):
        prepare(configured(on_error="skip", on_leak="warn"))


@pytest.fixture
def leaking(image_folder):
    """Lists with one image of train that stands in test too, and one that stands in val."""
    for split, numbers in {"train": range(12), "val": range(12, 16), "test": range(16, 20)}.items():
        lines = [f"{name}/{n:03d}.png {label}" for label, name in enumerate(("blue", "green", "red")) for n in numbers]
        (image_folder / f"{split}.txt").write_text("\n".join(lines))
    shutil.copy(image_folder / "red" / "016.png", image_folder / "red" / "000.png")
    shutil.copy(image_folder / "blue" / "012.png", image_folder / "blue" / "001.png")
    return image_folder


def test_equal_files_in_two_splits_are_counted_and_listed(configured, leaking):
    facts = prepare(configured()).facts
    assert {entry["path"] for entry in facts.leaking} == {"red/000.png", "red/016.png", "blue/001.png", "blue/012.png"}
    assert sum(facts.counts["train"]) == 36


def test_dropping_leaks_leaves_test_whole(configured, leaking):
    facts = prepare(configured(on_leak="drop")).facts
    assert facts.counts == {"train": [11, 12, 11], "val": [4, 4, 4], "test": [4, 4, 4]}
    assert len(facts.leaking) == 4


def test_leaks_can_be_refused(configured, leaking):
    with pytest.raises(UserError, match=r"2 image\(s\) stand in more than one split.*--on_leak"):
        plan(configured(on_leak="fail"))


@pytest.fixture
def nearly_leaking(leaking):
    """As `leaking`, and one image of train that stands in val too, a bit larger."""
    Image.open(leaking / "green" / "013.png").resize((40, 40)).save(leaking / "green" / "002.png")
    return leaking


def test_near_duplicates_are_known_of_each_image_and_change_nothing_unless_asked(configured, nearly_leaking):
    config = configured()
    data = prepare(config)
    looked = data.quality().set_index("path")
    assert looked.loc["green/002.png", ["near", "near_split", "equal", "width"]].tolist() == [
        *("green/013.png", "val", False, 40),
    ]
    assert looked.loc["red/000.png", ["near", "near_split", "equal"]].tolist() == ["red/016.png", "test", True]
    assert not looked["dropped"].any()
    assert len(data.manifest()) == len(looked) == 60
    dropping = configured(on_leak="drop")
    assert plan(dropping).digest != plan(dataclasses.replace(dropping, near_duplicates="yes")).digest


def test_near_duplicates_can_be_dropped_or_refused(configured, nearly_leaking):
    data = prepare(configured(near_duplicates="yes", on_leak="drop"))
    assert data.facts.counts == {"train": [11, 11, 11], "val": [4, 4, 4], "test": [4, 4, 4]}
    assert data.quality().query("dropped")["path"].tolist() == ["green/002.png"]
    for split in ("train", "val", "test"):
        assert len(data[split].images) == len(data[split].paths)
        for image, path in zip(data[split].images, data[split].paths, strict=True):
            np.testing.assert_array_equal(image, decode((nearly_leaking / path).read_bytes(), 16, "stretch"))
    for path in ("red/000.png", "blue/001.png"):
        write_image(nearly_leaking / path, (90, 90, 90), 77 + len(path))
    with pytest.raises(UserError, match="2 images have a near-duplicate in another split"):
        prepare(configured(near_duplicates="yes", on_leak="fail"))


def test_a_killed_process_leaves_nothing_that_looks_whole(configured, tmp_path):
    folder = tmp_path / "workdir" / "prepared"
    dead = 2**22 + 1  # above the kernel's largest process id
    busy = half_written.beside(folder / "abc")
    abandoned = busy.with_name(busy.name.replace(f".{os.getpid()}-", f".{dead}-"))
    for part in (abandoned, busy):
        part.mkdir(parents=True)
    prepare(configured())
    assert not abandoned.exists()
    assert busy.exists()


def test_two_that_prepare_the_same_data_both_get_it(configured):
    config = configured()
    planned = plan(config)
    first = write(planned)
    second = write(planned)
    assert first.folder == second.folder
    pd.testing.assert_frame_equal(first.manifest(), second.manifest())


def test_opening_one_split_does_not_need_the_others(configured):
    data = prepare(configured())
    (data.folder / "test.npy").unlink()
    again = open_prepared(data.folder, data.name)
    assert len(again["train"].images) == 48


def test_a_grey_png_of_16_bits_goes_through(configured, image_folder):
    Image.fromarray(np.full((20, 20), 40_000, np.uint16)).save(image_folder / "red" / "deep.png")
    write_image(image_folder / "red" / "wide.jpg", (200, 30, 30), 5, size=40)
    assert len(prepare(configured()).manifest()) == 62


def cut(path):
    path.write_bytes(path.read_bytes()[:-30])


def rewritten(change):
    def rewrite(path):
        frame = change(pd.read_parquet(path))
        frame.to_parquet(path, index=False)

    return rewrite


def with_facts(**values):
    def write_facts(path):
        path.write_text(json.dumps(json.loads(path.read_text()) | values))

    return write_facts


DAMAGES = {
    "cut facts": ("dataset.json", cut),
    "empty facts": ("dataset.json", lambda path: path.write_text("")),
    "no facts": ("dataset.json", lambda path: path.unlink()),
    "facts that are a list": ("dataset.json", lambda path: path.write_text("[]")),
    "nested facts": ("dataset.json", lambda path: path.write_text("[" * 100_000)),
    "facts of other data": ("dataset.json", with_facts(digest="another")),
    "class names that are none": ("dataset.json", with_facts(class_names=[1, 2, 3])),
    "counts of two classes": ("dataset.json", with_facts(counts={"train": [1, 2]})),
    "counts of nothing": ("dataset.json", with_facts(counts=3)),
    "no mean": ("dataset.json", with_facts(channel_means=["a", "b", "c"])),
    "cut manifest": ("manifest.parquet", cut),
    "no manifest": ("manifest.parquet", lambda path: path.unlink()),
    "manifest of text": ("manifest.parquet", lambda path: path.write_text("path,label")),
    "a column less": ("manifest.parquet", rewritten(lambda rows: rows.drop(columns="label"))),
    "a row less": (
        "manifest.parquet",
        rewritten(lambda rows: rows[(rows["split"] != "train") | (rows["position"] < 47)]),
    ),
    "a label too high": ("manifest.parquet", rewritten(lambda rows: rows.assign(label=7))),
    "a label below zero": ("manifest.parquet", rewritten(lambda rows: rows.assign(label=-1))),
    "labels of text": ("manifest.parquet", rewritten(lambda rows: rows.assign(label="red"))),
    "one position": ("manifest.parquet", rewritten(lambda rows: rows.assign(position=0))),
    "cut array": ("train.npy", cut),
    "no array": ("train.npy", lambda path: path.unlink()),
    "empty array": ("train.npy", lambda path: path.write_bytes(b"")),
    "array of objects": ("train.npy", lambda path: np.save(path, np.array([None] * 48), allow_pickle=True)),
    "array of another size": ("train.npy", lambda path: np.save(path, np.zeros((48, 8, 8, 3), np.uint8))),
    "array of another type": ("train.npy", lambda path: np.save(path, np.zeros((48, 16, 16, 3), np.float32))),
}


@pytest.fixture(scope="module")
def whole_data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    return prepare(
        PreprocessConfig(data=str(write_class_folders(folder / "colours")), image_size=16, workdir=folder / "workdir")
    )


@pytest.mark.parametrize(("name", "damage"), DAMAGES.values(), ids=DAMAGES.keys())
def test_damaged_data_is_said_with_the_way_to_mend_it(whole_data, tmp_path, name, damage):
    folder = shutil.copytree(whole_data.folder, tmp_path / whole_data.folder.name)
    damage(folder / name)
    said = rf"the prepared data in {folder} is damaged \(.+\); remove that folder and give the command again"
    with pytest.raises(UserError, match=said) as refused:
        open_prepared(folder, "colours")["train"]
    assert "\n" not in str(refused.value)


def test_what_was_damaged_is_prepared_anew_once_it_is_removed(configured):
    planned = plan(configured())
    folder = write(planned).folder
    cut(folder / "train.npy")
    shutil.rmtree(folder)
    assert len(open_or_write(planned)["train"].images) == 48


@pytest.mark.parametrize("content", [b"", b"PAR1", b"no table"])
def test_a_damaged_index_costs_a_second_look_and_no_more(configured, tmp_path, monkeypatch, content):
    monkeypatch.setattr("pipeline.data.contents.SETTLED_NANOSECONDS", 0)
    before = plan(configured()).digest
    (index,) = (tmp_path / "workdir" / "prepared" / "index").iterdir()
    index.write_bytes(content)
    assert plan(configured()).digest == before
    assert len(pd.read_parquet(index)) == 60


def test_nothing_readable_at_all_is_refused_in_a_sentence(configured, image_folder):
    for path in image_folder.rglob("*.png"):
        path.write_bytes(path.name.encode() + path.parent.name.encode())
    with pytest.raises(UserError, match=r"too few|no readable"):
        prepare(configured(on_error="skip"))
