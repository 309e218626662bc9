import csv
import io
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.evaluation.measures.confusion import confusion_table
from pipeline.evaluation.measures.per_class import per_class
from pipeline.tracking.tables import write_csv

NASTY = [
    *("true_class", "true_class_", "class", "NA", "nan", "None", "-1", "01", "1e5", "=cmd", "'=cmd", "''=cmd", "+1"),
    *("@x", "＝1", "$x^$", r"\frac", "a_b", " ", "\t", "\r", "\n", "a\nb", "a\rb", "a\r\nb", "a,b", 'say "x"', '"'),
    *("\x1b[31mred", "x" * 300, "日本", "עברית", "'", "#", ";", "|"),
]
# No class is called nothing, and a file's name holds no NUL.
LETTERS = st.characters(exclude_categories=["Cs"], min_codepoint=1)
class_lists = st.lists(st.sampled_from(NASTY) | st.text(LETTERS, min_size=1), min_size=2, max_size=8, unique=True)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("tables") / "table.csv"


def text_of(cell):
    """What a cell says, without the apostrophe that keeps a spreadsheet from computing it."""
    return cell[1:] if re.match(r"'+[=+\-@\t\r\n＝＋－＠]", cell) else cell


def rows_by_csv(path):
    return list(csv.reader(io.StringIO(path.read_bytes().decode("utf-8"), newline="")))


def rows_by_pandas(path):
    return pd.read_csv(path, header=None, dtype=str, keep_default_na=False).to_numpy().tolist()


def read_back(path):
    rows = rows_by_csv(path)
    assert rows_by_pandas(path) == rows
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for row in rows for cell in row)
    return [[text_of(cell) for cell in row] for row in rows]


@settings(max_examples=150, deadline=None)
@given(class_lists)
def test_a_confusion_table_is_square_and_reads_back_whatever_its_classes_are_called(path, names):
    counts = np.arange(len(names) ** 2).reshape(len(names), -1)
    write_csv(confusion_table(counts, names), path, 6)
    (first, *columns), *rows = read_back(path)
    assert first.startswith("true_class")
    assert first not in names
    assert columns == names
    assert [row[0] for row in rows] == names
    assert np.array_equal(np.array([row[1:] for row in rows], int), counts)


@settings(max_examples=50, deadline=None)
@given(class_lists)
def test_the_table_of_classes_reads_back_whatever_they_are_called(path, names):
    labels = np.arange(len(names))
    taken_for = np.eye(len(names))[np.roll(labels, 1)]
    write_csv(per_class(labels, taken_for, names), path, 6)
    header, *rows = read_back(path)
    assert [row[0] for row in rows] == names
    assert [row[header.index("most_often_taken_for")] for row in rows] == list(np.roll(np.array(names, object), 1))


def test_numbers_stay_numbers(path):
    write_csv(pd.DataFrame({"effect": [-0.5, 1.0, None], "images": [-1, 2, 3], "class": ["-1", "2", "x"]}), path, 6)
    table = pd.read_csv(path)
    assert table["effect"].tolist()[:2] == [-0.5, 1.0]
    assert np.isnan(table["effect"].iloc[2])
    assert table["images"].tolist() == [-1, 2, 3]
    assert table["class"].tolist() == ["'-1", "2", "x"]


def test_fractions_have_six_digits_or_all(path):
    table = pd.DataFrame({"loss": [1 / 3, 2 / 3e9], "images": [123456789, 1]})
    write_csv(table, path, 6)
    assert rows_by_csv(path)[1:] == [["0.333333", "123456789"], ["6.66667e-10", "1"]]
    write_csv(table, path, None)
    assert pd.read_csv(path).equals(table)


def test_a_table_without_rows_or_with_no_text_keeps_its_columns(path):
    write_csv(pd.DataFrame({"=a": [], "b": []}), path, 6)
    assert rows_by_csv(path) == [["'=a", "b"]]
