"""Which image is a near-duplicate of which, and what becomes of those in two splits."""

import time

import numpy as np
import pandas as pd
import pytest

from pipeline.config import PreprocessConfig
from pipeline.data.quality.near import across, handle_near, with_nearest
from pipeline.errors import UserError

FAR_APART = 0xFFFF_0000_FFFF_0000


def table_of(*rows):
    """rows: path, split, hash, and the content where it is another's."""
    table = pd.DataFrame([(row[0], row[1], row[2], (*row, row[0])[3]) for row in rows])
    table.columns = ["path", "split", "hash", "content"]
    return table.assign(hash=table["hash"].astype(np.uint64), one_colour=False, red=9.0, green=9.0, blue=9.0)


def test_the_same_shape_in_another_colour_is_another_picture():
    table = table_of(("a", "train", 0), ("b", "val", 0))
    assert across(with_nearest(table)).all()
    assert not across(with_nearest(table.assign(blue=[9.0, 200.0]))).any()


def test_the_nearest_in_another_split_comes_before_one_in_the_own():
    table = with_nearest(
        table_of(
            ("a", "train", 0b0000),
            ("b", "train", 0b0000),
            ("c", "val", 0b0011),
            ("d", "test", 0b1111),
            ("e", "train", FAR_APART),
            ("f", "train", FAR_APART + 1),
            ("g", "val", 2**63),
        ).assign(one_colour=[False] * 6 + [True])
    )
    assert table["near"].tolist() == ["d", "d", "d", "c", "f", "e", ""]
    assert table["near_split"].tolist() == ["test", "test", "test", "val", "train", "train", ""]
    assert table["distance"].tolist() == [4, 4, 2, 2, 1, 1, 0]
    assert across(table).tolist() == [True] * 4 + [False] * 3


def test_images_of_one_hash_in_one_split_find_each_other():
    table = with_nearest(table_of(*((str(number), "train", number // 2 << 8) for number in range(20))))
    assert table["near"].tolist() == [str(number ^ 1) for number in range(20)]


def test_equal_files_are_said_to_be_equal_and_are_no_leak_of_this_kind():
    table = with_nearest(table_of(("a", "train", 0, "same"), ("b", "val", 0, "same"), ("c", "train", FAR_APART)))
    assert table["equal"].tolist() == [True, True, False]
    assert not across(table).any()


@pytest.fixture
def leaking():
    return with_nearest(
        table_of(("a", "train", 0), ("b", "test", 1), ("c", "val", FAR_APART), ("d", "train", FAR_APART + 3))
    )


@pytest.mark.parametrize(
    ("near_duplicates", "on_leak", "kept"),
    [("no", "drop", "abcd"), ("no", "fail", "abcd"), ("yes", "warn", "abcd"), ("yes", "drop", "bc")],
)
def test_on_leak_acts_on_them_where_it_is_asked_to(leaking, near_duplicates, on_leak, kept):
    left = handle_near(leaking, PreprocessConfig(near_duplicates=near_duplicates, on_leak=on_leak))
    assert "".join(left["path"]) == kept


def test_they_can_be_refused(leaking):
    said = "4 images have a near-duplicate in another split, the first a in train, of b in test; --on_leak"
    with pytest.raises(UserError, match=said):
        handle_near(leaking, PreprocessConfig(near_duplicates="yes", on_leak="fail"))


@pytest.mark.parametrize("different", [1, 2])
def test_ten_thousand_equal_images_take_no_time(different):
    rows = [(str(number), ("train", "val")[number % 2], number % different) for number in range(10_000)]
    began = time.process_time()
    table = with_nearest(table_of(*rows))
    assert time.process_time() - began < 2
    assert across(table).all()


def test_every_image_finds_what_a_comparison_of_all_with_all_finds():
    rng = np.random.default_rng(0)
    bases = rng.integers(0, 2**63, 40).astype(np.uint64)
    flips = np.array([(1 << int(one)) | (1 << int(two)) for one, two in rng.integers(0, 64, (300, 2))], np.uint64)
    hashes = bases[rng.integers(0, 40, 300)] ^ np.where(rng.random(300) < 0.5, flips, np.uint64(0))
    splits = np.array(["train", "val", "test"])[rng.integers(0, 3, 300)]
    table = with_nearest(table_of(*((f"{n:03d}", splits[n], hashes[n]) for n in range(300))))
    bits = np.bitwise_count(hashes[:, None] ^ hashes[None]).astype(int) + 65 * np.eye(300, dtype=int)
    rank = {"test": 0, "val": 1, "train": 2}
    for number, row in enumerate(table.itertuples()):
        near = [other for other in range(300) if bits[number, other] <= 4]
        assert bool(near) == bool(row.near)
        if near:
            best = min(near, key=lambda n: (splits[n] == row.split, rank[splits[n]], bits[number, n]))
            assert (row.near_split, row.distance) == (splits[best], bits[number, best])
            assert bits[number, int(row.near)] == row.distance
