import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from pipeline.figures.fonts import width
from pipeline.figures.names import label, labels

NASTY = [
    "$x^$",
    "$",
    r"\frac",
    r"\$",
    "a_b",
    " ",
    "a ",
    "\t",
    "\n",
    "\x1b[31mred",
    "x" * 300,
    "日本",
    "👩\u200d🔬",
    "हिन्दी",
]


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(NASTY) | st.text(min_size=1))
def test_any_name_is_drawn_on_one_line_and_says_something(name):
    said = label(name)
    assert "\n" not in said
    assert said.strip()
    figure = Figure()
    text = figure.text(0, 0, said)
    figure.draw_without_rendering()
    assert text.get_window_extent().width > 0


def test_a_name_without_anything_odd_is_left_alone():
    assert labels(["a_b", "Señor", r"\frac", "N. 1"]) == ["a_b", "Señor", r"\frac", "N. 1"]


def test_a_dollar_sign_starts_no_mathematics():
    figure = Figure()
    text = figure.text(0, 0, label("$x^$"))
    assert text._preprocess_math(text.get_text()) == ("$x^$", False)


def test_spaces_at_an_end_are_seen():
    assert labels(["a", "a ", " "]) == ["a", "'a '", "' '"]


def test_long_names_keep_both_ends_and_are_told_apart():
    ends = labels([f"{number} {'x' * 300} {number}" for number in range(3)])
    assert all(end.startswith(f"{number} x") and end.endswith(f"x {number}") for number, end in enumerate(ends))
    middles = labels([f"{'x' * 100}{number}{'x' * 100}" for number in range(200)], ems=12)
    assert len(set(middles)) == 200
    assert middles[7].endswith(" #7")
    assert max(map(width, ends)) <= 22
    assert max(map(width, middles)) <= 12


@pytest.mark.parametrize("name", ["עברית", "العربية"])
def test_what_stands_behind_a_name_read_from_the_right_stays_there(name):
    mark = "\u200e"
    assert label(name) == f"{mark}{name}{mark}"
