"""The table of answers, whatever the order in which they come."""

import itertools

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from pipeline.tracked import answers_file
from pipeline.tracked.answers_file import AnswersFile

KINDS = {"path": str, "probability": float, "unsure": bool, "error": str}


@given(st.permutations(range(30)), st.sets(st.integers(1, 29)), st.sampled_from([".csv", ".parquet"]))
def test_rows_stand_in_the_order_of_the_images(tmp_path_factory, order, cuts, ending):
    path = tmp_path_factory.mktemp("answers") / f"table{ending}"
    ends = [0, *sorted(cuts), 30]
    at_once, answers_file.ROWS_AT_ONCE = answers_file.ROWS_AT_ONCE, 7
    try:
        with AnswersFile(path, KINDS) as file:
            for start, end in itertools.pairwise(ends):
                file.add(_rows(order[start:end]))
    finally:
        answers_file.ROWS_AT_ONCE = at_once
    table = pd.read_csv(path) if ending == ".csv" else pd.read_parquet(path)
    assert list(table.columns) == list(KINDS)
    assert table["path"].tolist() == [f"{row}.png" for row in range(30)]
    assert table["probability"].dropna().tolist() == [row / 100 for row in range(30) if row % 3]
    assert table["error"].dropna().tolist() == ["cannot be read"] * 10
    assert list(path.parent.iterdir()) == [path]


def _rows(numbers):
    """Every third cannot be read: it has an error, and no other column."""
    rows = [
        {"path": f"{row}.png", "probability": row / 100, "unsure": row < 50}
        if row % 3
        else {"path": f"{row}.png", "error": "cannot be read"}
        for row in numbers
    ]
    return pd.DataFrame(rows, index=list(numbers))
