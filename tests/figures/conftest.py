import warnings

import matplotlib
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager

from pipeline.figures import fonts


@pytest.fixture(autouse=True)
def warnings_are_errors():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.fixture
def installed(monkeypatch):
    """The files of the fonts that are installed beside matplotlib's own, a list to add to: none to begin with."""
    files = []
    own = [entry for entry in font_manager.fontManager.ttflist if entry.fname.startswith(matplotlib.get_data_path())]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", own)
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: list(map(str, files)))
    with matplotlib.rc_context({"font.family": ["sans-serif"]}):
        forget()
        yield files
    monkeypatch.undo()
    forget()


def forget():
    for cached in (fonts._fallbacks, fonts._codes, fonts._advance, font_manager.fontManager._findfont_cached):
        cached.cache_clear()
    fonts._reported.clear()


@pytest.fixture
def font_with(tmp_path):
    """Writes a font that has some characters, each a square."""

    def write(family, characters):
        pen = TTGlyphPen(None)
        for place, point in enumerate([(0, 0), (0, 800), (800, 800), (800, 0)]):
            (pen.lineTo if place else pen.moveTo)(point)
        pen.closePath()
        square = pen.glyph()
        builder = FontBuilder(1000)
        builder.setupGlyphOrder([".notdef", "square"])
        builder.setupCharacterMap({ord(character): "square" for character in characters})
        builder.setupGlyf({".notdef": square, "square": square})
        builder.setupHorizontalMetrics({".notdef": (1000, 0), "square": (1000, 0)})
        builder.setupHorizontalHeader(ascent=900, descent=-200)
        builder.setupNameTable({"familyName": family, "styleName": "Regular"})
        builder.setupOS2()
        builder.setupPost()
        path = tmp_path / f"{family}.ttf"
        builder.save(path)
        return path

    return write
