"""Images that belong together stay together, in splits that are cut and in splits that the data give."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from images import COLOURS, write_class_folders, write_image

from pipeline.config import PreprocessConfig
from pipeline.data.grouping import stratified_by_groups
from pipeline.data.planning import plan
from pipeline.data.writing import write
from pipeline.errors import UserError

SPLITS = {"train", "val", "test"}


@pytest.fixture
def planned(tmp_path):
    def make(data, whole=None, **options):
        return plan(PreprocessConfig(data=str(data), workdir=tmp_path / "workdir", image_size=16, **options), whole)

    return make


@pytest.fixture
def bursts(tmp_path):
    """Three classes of 20 bursts of 3 images: red/04_2.png is the third of the fifth burst of red."""
    root = tmp_path / "bursts"
    for label, (name, colour) in enumerate(COLOURS.items()):
        for number in range(60):
            write_image(root / name / f"{number // 3:02d}_{number % 3}.png", colour, 100 * label + number, size=8)
    return root


PATTERN = r"([^/]+/\d+)_\d+\.png$"


def splits_of_groups(table):
    return table[table["group"] != ""].groupby("group")["split"].nunique()


def test_no_group_stands_in_two_splits_and_each_class_in_all(planned, bursts):
    def table(**options):
        return planned(bursts, group_pattern=PATTERN, val_fraction=0.2, test_fraction=0.1, **options).table

    cut = table()
    assert (splits_of_groups(cut) == 1).all()
    counts = cut.groupby("split")["label"].value_counts().unstack("split")
    assert counts.to_dict("list") == {"test": [6] * 3, "train": [42] * 3, "val": [12] * 3}
    assert table().equals(cut)
    assert not table(data_seed=1)["split"].equals(cut["split"])


tables = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), min_size=12, max_size=60).map(
    lambda rows: pd.DataFrame(
        [(f"{number:03d}", label, "train", str(group) if group else "") for number, (label, group) in enumerate(rows)],
        columns=["path", "label", "split", "group"],
    )
)


@settings(max_examples=30)
@given(tables, st.floats(0.05, 0.5), st.integers(0, 3), st.randoms())
def test_whatever_the_groups_they_stay_whole_and_each_class_keeps_one_to_train_on(table, fraction, seed, random):
    try:
        cut = stratified_by_groups(table, {"val": fraction, "test": 0.1}, seed, list("abcd"))
    except UserError as error:
        assert "too few" in str(error)
        return
    assert set(cut) == SPLITS
    assert (splits_of_groups(table.assign(split=cut)) <= 1).all()
    assert set(table["label"][cut == "train"]) == set(table["label"])
    rows = list(table.index)
    random.shuffle(rows)
    again = stratified_by_groups(table.loc[rows], {"val": fraction, "test": 0.1}, seed, list("abcd"))
    pd.testing.assert_series_equal(again.sort_index(), cut)


def test_patients_with_several_classes_are_parted_by_no_split():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"path": [f"{n:04d}" for n in range(600)], "label": rng.integers(0, 3, 600), "split": "train"})
    table["group"] = rng.integers(0, 40, 600).astype(str)
    cut = stratified_by_groups(table, {"val": 0.2, "test": 0.1}, 0, list("abc"))
    assert (splits_of_groups(table.assign(split=cut)) == 1).all()
    shares = cut.value_counts(normalize=True)
    assert shares["val"] == pytest.approx(0.2, abs=0.05)
    assert shares["test"] == pytest.approx(0.1, abs=0.05)
    assert table["label"].groupby(cut).nunique().tolist() == [3, 3, 3]


def test_too_few_groups_are_refused_with_the_split_that_lacks_one(planned, image_folder):
    with pytest.raises(
        UserError, match=r"too few to give one to test: no class has more than the 2 group\(s\).* 3 are"
    ):
        planned(image_folder, group_pattern=r"([^/]+/\d\d)\d\.png$")


def test_a_class_of_one_group_is_trained_on_alone(planned, bursts):
    (bursts / "red").rename(bursts / "before")
    for path in sorted((bursts / "before").iterdir())[:3]:
        (bursts / "red").mkdir(exist_ok=True)
        path.rename(bursts / "red" / path.name)
    for path in (bursts / "before").iterdir():
        path.unlink()
    (bursts / "before").rmdir()
    table = planned(bursts, group_pattern=PATTERN).table
    assert set(table["split"][table["label"] == 2]) == {"train"}
    assert set(table["split"][table["label"] == 1]) == SPLITS


@pytest.fixture
def given_splits(tmp_path):
    """Splits that the data give, of which train and test share the bursts 00 and 01 of each class."""
    root = tmp_path / "given"
    for number, (split, images) in enumerate({"train": 40, "val": 5, "test": 20}.items()):
        write_class_folders(root / split, images, first_seed=100 * number)
    for path in (root / "val").rglob("*.png"):
        path.rename(path.with_name(f"9{path.name}"))
    return root


def test_a_group_in_two_given_splits_is_a_leak(planned, given_splits):
    options = {"group_pattern": r"([^/]+/\d\d)\d\.png$"}
    kept = planned(given_splits, **options)
    assert (len(kept.table), kept.leaking_groups["group"].nunique(), len(kept.leaking_groups)) == (195, 6, 120)
    dropped = planned(given_splits, on_leak="drop", **options)
    assert dropped.table["split"].value_counts().to_dict() == {"train": 60, "test": 60, "val": 15}
    assert len(dropped.leaking_groups) == 120
    refused = r"6 group\(s\) stand in more than one split, the first, 'blue/00', with .* in test and .* in train"
    with pytest.raises(UserError, match=refused):
        planned(given_splits, on_leak="fail", **options)


def test_groups_by_a_column_of_a_table(planned, bursts):
    rows = [(path.relative_to(bursts).as_posix(), path.parent.name) for path in sorted(bursts.rglob("*.png"))]
    table = pd.DataFrame(rows, columns=["path", "label"]).assign(patient=[path.split("_")[0] for path, _ in rows])
    table.to_csv(bursts / "t.csv", index=False)
    cut = planned(bursts / "t.csv", group_column="patient")
    assert (splits_of_groups(cut.table) == 1).all()
    assert cut.digest == planned(bursts / "t.csv", group_pattern=r"(.*/\d+)_").digest
    assert cut.digest != planned(bursts / "t.csv").digest
    with pytest.raises(UserError, match="has no column 'burst': --group_column has to name"):
        planned(bursts / "t.csv", group_column="burst")
    with pytest.raises(UserError, match="give one of them"):
        planned(bursts / "t.csv", group_column="patient", group_pattern="(.)")


def test_groups_that_are_not_there_are_refused(planned, image_folder):
    with pytest.raises(UserError, match=r"--group_column patient: this data is no table.*--group_pattern"):
        planned(image_folder, group_column="patient")
    with pytest.raises(UserError, match=r"--group_pattern burst\(\\d\) finds no group.*blue/000.png"):
        planned(image_folder, group_pattern=r"burst(\d)")


def test_other_data_that_a_model_is_scored_on_need_not_have_the_groups(planned, image_folder, given_splits):
    for data in (image_folder, given_splits):
        for options in ({"group_column": "patient"}, {"group_pattern": r"burst(\d)"}):
            assert planned(data, whole="test", **options).digest == planned(data, whole="test").digest


def test_splits_are_cut_again_by_groups_among_the_readable_images(planned, bursts):
    (bursts / "red" / "00_0.png").write_bytes(b"no image")
    (bursts / "red" / "01_1.png").write_bytes(b"no image either")
    data = write(planned(bursts, group_pattern=PATTERN, on_error="skip"))
    assert len(data.manifest()) == 178
    assert (splits_of_groups(data.manifest()) == 1).all()
