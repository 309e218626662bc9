"""A table with one row per image, as people have it."""

import csv
import io
import string

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from images import COLOURS, write_image
from source_contract import check_source

from pipeline.config import PreprocessConfig
from pipeline.data.sources import open_source
from pipeline.errors import UserError

PATHS = [f"{name}/{number:03d}.png" for name in COLOURS for number in range(4)]
LABELS = [path.split("/")[0] for path in PATHS]
SPLITS = ["train", "train", "val", "test"] * len(COLOURS)


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    root = tmp_path_factory.mktemp("images")
    for seed, path in enumerate(PATHS):
        write_image(root / path, COLOURS[path.split("/")[0]], seed, size=8)
    return root


@pytest.fixture
def beside(images, tmp_path):
    """A folder with the images, to write tables and further files into."""
    root = tmp_path / "beside"
    root.mkdir()
    for name in COLOURS:
        (root / name).symlink_to(images / name)
    return root


def opened(path, content, **options):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return open_source(PreprocessConfig(data=str(path), workdir=path.parent / "workdir", **options))


def text(columns, *cells, separator=","):
    file = io.StringIO()
    csv.writer(file, delimiter=separator).writerows([columns, *zip(*cells, strict=True)])
    return file.getvalue()


def counts(source):
    return source.table["split"].value_counts().to_dict()


# what is read


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_csv_file_in_any_encoding_with_any_separator(beside, separator, encoding):
    (beside / "blue").rename(beside / "bleu, été; clair")
    paths = [path.replace("blue", "bleu, été; clair") for path in PATHS]
    labels = [label.replace("blue", "été") for label in LABELS]
    content = text(("filename", "class", "subset"), paths, labels, SPLITS, separator=separator)
    source = opened(beside / "t.csv", content.encode(encoding))
    assert source.class_names == sorted(set(labels))
    assert counts(source) == {"train": 6, "val": 3, "test": 3}
    assert source.splits == ("train", "val", "test")
    check_source(source)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_blank_rows_and_spaces_say_nothing(beside, end):
    lines = ["path , label", *(f" {path},  {label} " for path, label in zip(PATHS, LABELS, strict=True)), "", ",,", ""]
    assert len(opened(beside / "t.csv", end.join(lines)).table) == len(PATHS)


@pytest.mark.parametrize(
    "columns",
    [
        ("path", "label", "split"),
        ("File_Path", "CLASS", "Set"),
        ("image-id", "Category", "fold"),
        ("Image Name", "species", "Partition"),
        ("id", "y", "subset"),
    ],
)
def test_columns_are_known_by_the_names_people_use(beside, columns):
    number = [str(each) for each in range(len(PATHS))]
    source = opened(beside / "t.tsv", text(("", *columns), number, PATHS, LABELS, SPLITS, separator="\t"))
    assert counts(source) == {"train": 6, "val": 3, "test": 3}


def test_an_id_beside_a_filename_is_a_number(beside):
    content = text(("id", "filename", "class", "class_id"), range(len(PATHS)), PATHS, LABELS, range(len(PATHS)))
    assert opened(beside / "t.csv", content).class_names == sorted(COLOURS)


def test_other_columns_are_named_by_options(beside):
    content = text(("path", "dx", "where", "when", "split"), PATHS, LABELS, PATHS, SPLITS, ["x"] * len(PATHS))
    source = opened(beside / "t.csv", content, path_column="where", label_column="DX", split_column="when")
    assert source.class_names == sorted(COLOURS)
    assert counts(source) == {"train": 6, "val": 3, "test": 3}
    uncut = opened(beside / "t.csv", content, path_column="where", label_column="DX", split_column="none")
    assert uncut.splits == ("train",)


@pytest.mark.parametrize(
    "frame",
    [
        {"path": PATHS, "label": LABELS, "split": SPLITS},
        {"path": PATHS, "label": pd.Categorical(LABELS), "split": pd.Categorical(SPLITS)},
        {"path": PATHS, "label": [float(list(COLOURS).index(label)) for label in LABELS], "split": SPLITS},
        {"path": PATHS, "label": [list(COLOURS).index(label) + 1 for label in LABELS], "split": SPLITS},
    ],
)
def test_a_parquet_file_with_columns_of_any_type(beside, frame):
    pd.DataFrame(frame).to_parquet(beside / "t.parquet")
    source = open_source(PreprocessConfig(data=str(beside / "t.parquet"), workdir=beside / "workdir"))
    assert source.class_names == sorted(COLOURS)
    assert counts(source) == {"train": 6, "val": 3, "test": 3}
    check_source(source)


def test_numbers_are_labels_from_0_or_from_1_and_3_0_is_3(beside):
    labels = [f"{list(COLOURS).index(label) + 1}.0" for label in LABELS]
    source = opened(beside / "t.csv", text(("path", "label"), PATHS, labels))
    assert source.class_names == sorted(COLOURS)
    assert source.table["label"].tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert "labels begin at 1" in source.warnings[0]


def test_any_text_is_a_name(beside):
    names = {"blue": "NA", "green": "None", "red": "-1"}
    source = opened(beside / "t.csv", text(("path", "label"), PATHS, [names[label] for label in LABELS]))
    assert source.class_names == ["-1", "NA", "None"]
    names = {"blue": "null", "green": "=cmd|' /C calc'!A0", "red": "nan"}
    source = opened(beside / "t.csv", text(("path", "label"), PATHS, [names[label] for label in LABELS]))
    assert source.class_names == sorted(names.values())


def test_names_of_splits_in_any_case_and_none_is_train(beside):
    splits = ["Training", "", "VALID", "testing"] * len(COLOURS)
    source = opened(beside / "t.csv", text(("path", "label", "split"), PATHS, LABELS, splits))
    assert counts(source) == {"train": 6, "val": 3, "test": 3}
    assert source.warnings == ("3 rows of the table say no split and are taken for train",)
    unsaid = opened(beside / "t.csv", text(("path", "label", "split"), PATHS, LABELS, [""] * len(PATHS)))
    assert (unsaid.splits, unsaid.warnings) == (("train",), ())


# which files are meant


def test_files_lie_below_the_table_or_anywhere_on_the_disk(images, tmp_path):
    root = tmp_path / "tables"
    root.mkdir()
    (tmp_path / "link").symlink_to(images)
    places = [f"{images}/", "../link/", f"{tmp_path}//link/./"]
    paths = [places[number % 3] + path for number, path in enumerate(PATHS)]
    source = opened(root / "t.csv", text(("path", "label"), paths, LABELS))
    assert source.where(source.table["path"][0]) == f"{images}/{PATHS[0]}"
    check_source(source)


def test_what_lies_below_the_table_is_known_by_its_place_there(beside):
    written = [f"{beside}/{path}" if number % 2 else f"./{path}" for number, path in enumerate(PATHS)]
    source = opened(beside / "t.csv", text(("path", "label"), written, LABELS))
    assert source.table["path"].tolist() == PATHS


@pytest.mark.parametrize("below", ["", "train_images"])
def test_the_ending_of_an_image_and_the_folder_of_all_may_be_missing(tmp_path, below):
    for seed in range(8):
        write_image(tmp_path / below / f"a.{seed}.png", COLOURS["red"], seed, size=8)
        (tmp_path / below / f"a.{seed}.json").write_text("{}")
    (tmp_path / "other").mkdir()
    ids = [f"a.{seed}" for seed in range(8)]
    source = opened(tmp_path / "t.csv", text(("image_id", "label"), ids, ["x", "y"] * 4))
    assert source.table["path"][0] == f"{below}/a.0.png".lstrip("/")
    assert "side file (.json)" in set(source.ignored["kind"])
    check_source(source)


@pytest.mark.parametrize("name", ["caf\u00e9", "cafe\u0301"])
def test_a_name_is_found_in_either_unicode_form_and_with_either_slash(beside, name):
    write_image(beside / "blue2" / f"{name}.png", COLOURS["blue"], 99)
    source = opened(beside / "t.csv", text(("path", "label"), [*PATHS, "blue2\\caf\u00e9.png"], [*LABELS, "blue"]))
    assert source.read(source.table["path"].iloc[-1])[:4] == b"\x89PNG"


def test_images_that_no_row_names_are_counted(beside):
    (beside / ".hidden.png").write_bytes(b"x")
    write_image(beside / "0.png", COLOURS["red"], 0)
    paths, labels = ["0.png", *PATHS[1:]], ["red", *LABELS[1:]]
    ignored = opened(beside / "t.csv", text(("path", "label"), paths, labels)).ignored
    assert dict(zip(ignored["path"], ignored["kind"], strict=True)) == {
        PATHS[0]: "in no row",
        ".hidden.png": "hidden",
        "t.csv": "side file (.csv)",
    }


def test_rows_that_say_the_same_are_one(beside):
    source = opened(beside / "t.csv", text(("path", "label"), [*PATHS, f"./{PATHS[0]}"], [*LABELS, LABELS[0]]))
    assert len(source.table) == len(PATHS)
    assert source.warnings == ("1 rows of the table repeat another one, and are left out",)


# what is refused

ROW = len(PATHS) + 2


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("blue/none.png,blue,train", f"row {ROW}: there is no file .*blue/none.png"),
        ("nowhere/x.png,blue,train", f"row {ROW}: there is no file .*nowhere/x.png"),
        ("blue,blue,train", f"row {ROW}: there is no file"),
        ("x" * 5000 + ",blue,train", f"row {ROW}: there is no file"),
        ("http://a.b/c.png,blue,train", f"row {ROW}: there is no file"),
        (",blue,train", f"row {ROW} has no path: its 'path' is empty"),
        ("blue/more.png,,train", f"row {ROW} has no label: its 'label' is empty"),
        ("blue/more.png", f"row {ROW} has no label: its 'label' is empty"),
        ("blue/more.png,blue,holdout", f"row {ROW}: the split 'holdout' is none of train, training, val"),
        ("blue/more.png,pink,val", f"row {ROW}: 'pink' is no class of the training images"),
        ("blue/more.png,blue,train,x", f"row {ROW} has 4 cells, and the header names 3 columns"),
        ("blue/000.png,red,train", f"row {ROW}: blue/000.png has the label 'red', and 'blue' in row 2"),
        ("blue/000.png,blue,test", f"row {ROW}: blue/000.png has the split 'test', and 'train' in row 2"),
        ("blue/twice,blue,train", f"row {ROW}: twice may be twice.jpg or twice.png"),
        ('"blue/more.png,blue,train' + "x" * 140_000, "field larger than field limit"),
    ],
)
def test_a_bad_row_is_named(tmp_path, row, words):
    for seed, path in enumerate([*PATHS, "blue/more.png", "blue/twice.png", "blue/twice.jpg"]):
        write_image(tmp_path / path, COLOURS[path.split("/")[0]], seed, size=8)
    with pytest.raises(UserError, match=words) as refusal:
        opened(tmp_path / "t.csv", text(("path", "label", "split"), PATHS, LABELS, SPLITS) + row + "\n")
    assert str(tmp_path / "t.csv") in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 900


def test_all_rows_without_a_file_are_counted(beside):
    with pytest.raises(UserError, match=r"row 14: there is no file .*; 2 more rows name what cannot be found"):
        opened(beside / "t.csv", text(("path", "label"), [*PATHS, "a", "b", "c"], [*LABELS, "a", "b", "c"]))


@pytest.mark.parametrize(
    ("columns", "options", "words"),
    [
        (
            ("a", "b"),
            {},
            "has no column with a usual name for the path.* --path_column .* one of its columns, 'a', 'b'",
        ),
        (("path", "b"), {}, "no column with a usual name for the label, such as label: --label_column .*'path', 'b'"),
        (("path", "label"), {"label_column": "dx"}, "has no column 'dx': --label_column .*'path', 'label'"),
        (("path", "label"), {"split_column": "dx"}, "has no column 'dx': --split_column .*'path', 'label'"),
        (("path", "label", "class"), {}, "has 2 columns that may hold the label: 'label', 'class'; --label_column"),
        (("path", "path", "class"), {}, "has 2 columns that may hold the path: 'path', 'path'"),
    ],
)
def test_a_column_that_is_missing_or_not_the_only_one_is_named(beside, columns, options, words):
    with pytest.raises(UserError, match=words):
        opened(beside / "t.csv", text(columns, *[PATHS for _ in columns]), **options)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("t.csv", b"", "has no rows"),
        ("t.csv", b"path,label\n", "has no rows"),
        ("t.csv", b"\0" * 1000, "no text file"),
        ("t.parquet", b"PAR1 and more", "is no Parquet file"),
        ("t.csv", b"path,label,split\nblue/000.png,blue,test\n", "has no row of train, but of test alone"),
        ("t.csv", b"path,label\nblue/000.png,blue\nblue/001.png,blue\n", "there is one class, 'blue'"),
    ],
)
def test_what_is_no_table_of_images_is_refused(beside, name, content, words):
    with pytest.raises(UserError, match=words):
        opened(beside / name, content)


@pytest.mark.parametrize("column", [[{"a": 1}] * 2, [[1, 2]] * 2, [b"\xff", b"\xfe"]])
def test_a_parquet_column_that_is_no_text_is_named(beside, column):
    pd.DataFrame({"path": column, "label": ["a", "b"]}).to_parquet(beside / "t.parquet")
    with pytest.raises(UserError, match=r"the column 'path' of .* cannot be read as text"):
        open_source(PreprocessConfig(data=str(beside / "t.parquet"), workdir=beside / "workdir"))


def source_or_refusal(path, content, **options):
    try:
        source = opened(path, content, **options)
    except UserError as refusal:
        assert str(refusal).isprintable()
        return
    check_source(source)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300), st.sampled_from(["csv", "tsv", "parquet"]))
def test_any_bytes_are_a_table_or_refused_in_a_sentence(images, content, ending):
    source_or_refusal(images / f"any.{ending}", content)
    source_or_refusal(images / f"any.{ending}", b"path,label\n" + content)


CELLS = st.one_of(
    st.sampled_from([*PATHS, *COLOURS, "train", "val", "", "1", "2.0"]), st.text(string.printable, max_size=9)
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(PATHS) | CELLS, CELLS, st.sampled_from(["train", "val", ""]) | CELLS)))
def test_any_rows_are_a_source_or_refused_in_a_sentence(images, rows):
    labelled = [(path, label, "train") for path, label in zip(PATHS, LABELS, strict=True)]
    for before in ([], labelled):
        content = text(("path", "label", "split"), *zip(*[*before, *rows], strict=True)) if before or rows else ""
        source_or_refusal(images / "any.csv", content)
