"""Lists of images as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.data.class_names import classes_of
from pipeline.data.lists import Names, read_list
from pipeline.errors import UserError

PATHS = ["café/1.png", "dog/1.png", "dog/a b.png", "e,f/1.png"]
LABELS = ["0", "1", "1", "2"]


@pytest.fixture
def written(tmp_path):
    def write(content, encoding="utf-8"):
        path = tmp_path / "train.txt"
        path.write_bytes(content.encode(encoding))
        return path

    return write


def read(path):
    names = Names(path.parent, PATHS)
    rows = read_list(path, names)
    return [names.find(name) for name in rows["written"]], rows["label"].tolist()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"])
@pytest.mark.parametrize("separator", [" ", "\t", ",", ";", "  "])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encodings_separators_and_line_ends(written, encoding, separator, end):
    lines = [f"{path}{separator}{label}" for path, label in zip(PATHS, LABELS, strict=True)]
    assert read(written(end.join(lines) + end, encoding)) == (PATHS, LABELS)


@pytest.mark.parametrize(
    "extra",
    ["# a comment\n", "\n\n", "path label\n", "filename,label\n", "Image\tClass\n"],
)
def test_what_says_nothing_is_passed_over(written, extra):
    separator = next((each for each in "\t," if each in extra), " ")
    lines = [f"{path}{separator}{label}" for path, label in zip(PATHS, LABELS, strict=True)]
    assert read(written(extra + "\n".join(lines))) == (PATHS, LABELS)


@pytest.mark.parametrize(
    "name",
    ["./dog/1.png", "dog//1.png", "dog\\1.png", '"dog/1.png"', "cafe\u0301/1.png", "café/1.png"],
)
def test_a_file_is_found_however_it_is_written(written, name):
    found, _ = read(written(f"{name} 0\ndog/a b.png 1"))
    assert found[0] in PATHS


def test_an_absolute_path_inside_is_inside_and_others_are_not(tmp_path):
    names = Names(tmp_path, PATHS)
    assert names.find(f"{tmp_path}/dog/1.png") == "dog/1.png"
    for outside in ("/etc/passwd", "../dog/1.png", "dog/../../x.png"):
        with pytest.raises(ValueError, match=r"outside|subpath"):
            names.find(outside)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_list_or_refused_in_a_sentence(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("list") / "train.txt"
    path.write_bytes(content)
    try:
        rows = read_list(path, Names(path.parent, PATHS))
    except UserError as refusal:
        assert "\n" not in str(refusal)
        return
    assert list(rows.columns) == ["line", "written", "label"]
    assert len(rows)


def classes(labels, names=None, tmp_path=None):
    import pandas as pd

    paths = [f"{number}.png" for number in range(len(labels))]
    rows = pd.DataFrame({"path": paths, "label": labels, "split": "train", "line": "train.txt line 1"})
    file = None
    if names is not None:
        file = tmp_path / "classes.txt"
        file.write_text(names, encoding="utf-8")
    class_names, numbers, warnings = classes_of(rows, file)
    return class_names, numbers.tolist(), warnings


def test_labels_are_numbers_from_0_or_from_1_or_names(tmp_path):
    assert classes(["0", "1", "0"])[:2] == (["0", "1"], [0, 1, 0])
    names, labels, warnings = classes(["1", "2", "1"], "cat\ndog\n", tmp_path)
    assert (names, labels) == (["cat", "dog"], [0, 1, 0])
    assert "labels begin at 1" in warnings[0]
    assert classes(["dog", "cat", "dog"])[:2] == (["cat", "dog"], [1, 0, 1])
    known = "n01\tgoldfish, Carassius auratus\nn02\tbrick\n"
    assert classes(["n02", "n01"], known, tmp_path)[:2] == (["goldfish", "brick"], [1, 0])


@pytest.mark.parametrize(
    ("labels", "names", "words"),
    [
        (["0", "1", "x", "0"], None, "label 'x' is no whole number"),
        (["0", "1", "--5"], None, "label '--5' is no whole number"),
        (["0", "1", "9" * 5000], None, "is no whole number"),
        (["0", "1", "7"], "cat\ndog\n", "label 7 is out of range, 0 to 1"),
        (["0", "1"], "crane\ncrane\n", "2 classes are called 'crane'"),
        (["0", "0"], None, "there is one class"),
        (["cat", "eel"], "cat\ndog\n", "'eel' is no class of classes.txt"),
    ],
)
def test_labels_that_mean_nothing_are_refused(tmp_path, labels, names, words):
    with pytest.raises(UserError, match=words) as refusal:
        classes(labels, names, tmp_path)
    assert len(str(refusal.value)) < 600
