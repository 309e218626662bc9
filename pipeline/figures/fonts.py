"""The fonts that have the characters of a text: DejaVu Sans, which comes with matplotlib, and what is installed."""

import contextlib
import functools
import logging
import sys
from collections.abc import Iterable

import matplotlib
from matplotlib import font_manager
from matplotlib.ft2font import FT2Font, LoadFlags

MEASURED_AT = 100
# It has a sign for every script, not its characters.
LAST_RESORT = "lastresort"
# That a font has no weight called normal is no news to whoever looks at a figure.
logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)

_reported: set[str] = set()


def lacking(characters: Iterable[str]) -> set[str]:
    """The characters that cannot be drawn; fonts that have the others are made known to matplotlib.

    Installed fonts are looked through where those in use do not suffice: once for the same characters. The first time
    that none has them, one sentence says so.
    """
    missing = _undrawn(characters)
    if missing:
        present = matplotlib.rcParams["font.family"]
        found = [family for family in _fallbacks(frozenset(missing)) if family not in present]
        matplotlib.rcParams["font.family"] = [*present, *found]
        missing = _undrawn(missing)
    if missing and not _reported:
        _report(missing)
    _reported.update(missing)
    return missing


def width(text: str) -> float:
    """How wide a line of text is, in ems: times the size of the font, in points, it is points."""
    return sum(map(_advance, text))


def _undrawn(characters: Iterable[str]) -> set[str]:
    families = matplotlib.rcParams["font.family"]
    return {each for each in characters if not any(ord(each) in _codes(family) for family in families)}


@functools.cache
def _codes(family: str) -> frozenset[int]:
    """The characters that matplotlib finds in a family, by their numbers."""
    return frozenset(_font(family).get_charmap())


def _font(family: str) -> FT2Font:
    return font_manager.get_font(font_manager.findfont(font_manager.FontProperties(family=[family])))


@functools.cache
def _advance(character: str) -> float:
    for family in matplotlib.rcParams["font.family"]:
        if ord(character) in _codes(family):
            font = _font(family)
            font.set_size(MEASURED_AT, 72)
            # In sixteen bits before and sixteen behind the point.
            return font.load_char(ord(character), LoadFlags.NO_HINTING).linearHoriAdvance / 2**16 / MEASURED_AT
    return 1.0


@functools.cache
def _fallbacks(characters: frozenset[str]) -> list[str]:
    """Installed families that have the characters, as few as will do, the one that has most of them first."""
    _take_in_new_fonts()
    missing = {ord(each) for each in characters}
    having = _having(missing)
    chosen = []
    while missing and having:
        best = min(having, key=lambda name: (-len(missing & having[name]), _is_fancy(name), name))
        missing -= having.pop(best)
        chosen.append(best)
        having = {name: codes for name, codes in having.items() if codes & missing}
    return chosen


def _having(codes: set[int]) -> dict[str, set[int]]:
    """Each upright family of usual weight that has any of the characters, and which."""
    having = {}
    for entry in font_manager.fontManager.ttflist:
        usual = entry.style == "normal" and 400 <= _weight(entry.weight) <= 500
        if not usual or LAST_RESORT in entry.name.lower().replace(" ", ""):
            continue
        # A listed font may be gone, or damaged.
        with contextlib.suppress(OSError, RuntimeError):
            if found := codes & FT2Font(entry.fname).get_charmap().keys():
                having[entry.name] = found
    return having


def _weight(weight: int | str) -> int:
    return font_manager.weight_dict.get(weight, 0) if isinstance(weight, str) else weight


def _is_fancy(family: str) -> bool:
    return any(word in family for word in ("Mono", "Serif"))


def _take_in_new_fonts() -> None:
    """Tell matplotlib of fonts installed since it made the list that it keeps between processes."""
    known = {entry.fname for entry in font_manager.fontManager.ttflist}
    for path in sorted(set(font_manager.findSystemFonts()) - known):
        # Whatever is wrong with the file, it is no font to draw with.
        with contextlib.suppress(Exception):
            font_manager.fontManager.addfont(path)


def _report(missing: set[str]) -> None:
    some = ", ".join(sorted(missing)[:3]) + (", …" if len(missing) > 3 else "")
    print(
        f"warning: no installed font has {some}: figures show escapes such as {escaped(min(missing))} instead; install "
        f"a font that has them, such as Noto Sans CJK (Debian: fonts-noto-cjk) or, for other scripts than Chinese, "
        f"Japanese and Korean, Noto Sans (fonts-noto-core)",
        file=sys.stderr,
    )


def escaped(character: str) -> str:
    """A character as Python writes it in ASCII: \\u4e2d."""
    return character.encode("unicode_escape").decode("ascii")
