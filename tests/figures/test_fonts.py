import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pipeline import figures
from pipeline.figures.fonts import width
from pipeline.figures.names import labels

BIRD, FISH = "鸟", "鱼"


def draw(names, tmp_path):
    figures.confusion_matrix(np.eye(len(names), dtype=int), names, "t").savefig(tmp_path / "figure.png")


def test_without_a_font_names_are_escapes_and_one_sentence_says_so(installed, tmp_path, capsys):
    names = [BIRD, BIRD + FISH, "cat"]
    assert labels(names) == [r"\u9e1f", r"\u9e1f\u9c7c", "cat"]
    draw(names, tmp_path)
    labels(["狗"])
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "Noto Sans CJK" in said.err


def test_a_font_that_was_installed_after_matplotlib_made_its_list_is_used(installed, font_with, tmp_path, capsys):
    installed.append(font_with("Birds", BIRD + FISH))
    names = [BIRD, BIRD + FISH, "cat"]
    assert labels(names) == names
    assert width(BIRD) == pytest.approx(1)
    draw(names, tmp_path)
    assert capsys.readouterr().err == ""


def test_fonts_are_joined_where_none_has_all(installed, font_with, tmp_path, capsys):
    installed += [font_with("Birds", BIRD), font_with("Fish", FISH)]
    assert labels([BIRD, FISH, "狗"]) == [BIRD, FISH, r"\u72d7"]
    draw([BIRD, FISH, "狗"], tmp_path)
    assert "has 狗:" in capsys.readouterr().err


def test_a_file_that_is_no_font_is_passed_over(installed, font_with, tmp_path):
    (tmp_path / "a.ttf").write_bytes(b"no font")
    installed += [tmp_path / "a.ttf", tmp_path / "gone.ttf", font_with("Birds", BIRD)]
    assert labels([BIRD]) == [BIRD]


def test_a_line_is_measured_as_it_is_drawn(installed):
    figure = Figure(dpi=72)
    renderer = FigureCanvasAgg(figure).get_renderer()
    text = figure.text(0, 0, "Wood pigeon, No. 1", fontsize=100)
    assert width(text.get_text()) * 100 == pytest.approx(text.get_window_extent(renderer).width, rel=0.03)
