"""Which file names look like series, and the pattern that is offered for them."""

import re

import pandas as pd
import pytest

from pipeline.data.series import series_in


def table_of(*classes):
    """Images of several classes, dealt out to the splits in turn."""
    rows = [
        (path, label, ("train", "val", "test")[number % 3])
        for label, paths in enumerate(classes)
        for number, path in enumerate(paths)
    ]
    return pd.DataFrame(rows, columns=["path", "label", "split"])


def named(form, first=10, second=8, classes="ab"):
    return table_of(*([form.format(c=c, n=n, k=k) for n in range(first) for k in range(second)] for c in classes))


@pytest.mark.parametrize(
    ("form", "groups"),
    [
        ("{c}/IMG_{n:04d}_{k}.jpg", 10),
        ("{c}/IMG_{n:04d}-{k}", 10),
        ("{c}/IMG_{n} ({k}).jpg", 10),
        ("{c}/deep/20260131_1430{n:02d}_{k:03d}.jpg", 10),
        ("{c}/{n:05d}/clip3_FRAME{k:04d}.png", 1),
        ("all/{c}7_frame_{n}{k}.png", 2),
        ("{c}/clip{n}_frame0{k}00.png", 10),
        ("patient{n}.slice {k}.png", 10),
    ],
)
def test_series_are_found_with_a_pattern_that_groups_them(form, groups):
    table = named(form)
    found = series_in(table)
    assert found.images == len(table)
    assert found.example == min(table["path"])
    assert len({re.search(found.pattern, path)[1] for path in table["path"]}) == groups


@pytest.mark.parametrize(
    "form",
    [
        "{c}/IMG_00{n}{k}.jpg",
        "{c}/{n}{k}.png",
        "{c}/{c}_{n}{k}.png",
        "{c}/n0144076_10{n}{k}.JPEG",
        "{c}/n0144076_val_1{n}{k}.JPEG",
        "{c}/IMG_20260131_14{n:02d}3{k}.jpg",
        "{c}/Albatross_00{n}{k}_79{k}1{n}1.jpg",
        "train/{n}{k}",
        "{c}/COCO_val2014_0000000{n}{k}.jpg",
    ],
)
def test_ordinary_names_are_no_series(form):
    assert series_in(named(form)) is None


def test_the_name_of_a_class_is_no_series_beside_another_such_name():
    """As in Tiny ImageNet: each class has its number, alone and with a word behind it."""
    assert (
        series_in(table_of(*([f"n{c}_{k}" for k in range(90)] + [f"n{c}_val_{k}" for k in range(9)] for c in "12")))
        is None
    )


def test_numbers_far_apart_are_those_of_a_collection():
    assert series_in(table_of(*([f"n0{c}{n}_{k * 97}" for n in range(3) for k in range(30)] for c in "12"))) is None


def test_series_that_stand_in_one_split_are_no_matter():
    table = named("{c}/IMG_{n:04d}_{k}.jpg")
    assert series_in(table.assign(split=["val" if "_0003_" in path else "train" for path in table["path"]])) is None
