"""Names that users and files gave, as they are drawn: whole characters on one line, no mathematics, not too long."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

from pipeline.errors import shown
from pipeline.figures.fonts import escaped, lacking, width
from pipeline.figures.style import NAME_SIZE

LONGEST = 22.0
LEFT_TO_RIGHT = "\u200e"
# They join or part letters, or ask for a picture in colour; few fonts have anything to draw for them.
INVISIBLE = dict.fromkeys(map(ord, "\u200c\u200d\ufe0e\ufe0f"))


def labels(names: Sequence[str], ems: float = LONGEST) -> list[str]:
    """Class names as they are drawn; those that look alike once they are cut have the class's number behind them.

    ems: how wide each may be, in sizes of its font.
    """
    lines = _lines(names)
    cut = [_cut(line, ems) for line in lines]
    alike = Counter(cut)
    return [
        _plain(each if alike[each] == 1 else f"{_cut(line, ems - width(f' #{number}'))} #{number}")
        for number, (line, each) in enumerate(zip(lines, cut, strict=True))
    ]


def label(text: str, ems: float = LONGEST) -> str:
    """One name, as it is drawn."""
    return _plain(_cut(_lines([text])[0], ems))


def inches(drawn: Iterable[str], size: float = NAME_SIZE) -> float:
    """How wide the widest of some labels is. size: of their font, in points."""
    return max(map(width, drawn), default=0) * size / 72


def _lines(texts: Sequence[str]) -> list[str]:
    """The texts on one line each, with escapes for what no font has; between quotes where a space is at an end."""
    lines = [shown(text.translate(INVISIBLE) if text and text == text.strip() else repr(text)) for text in texts]
    instead = {ord(character): escaped(character) for character in lacking(set().union(*lines))}
    return [line.translate(instead) for line in lines]


def _cut(line: str, ems: float) -> str:
    """The line, without its middle where it is wider: long names often differ at their end alone."""
    if width(line) <= ems:
        return line
    left = ems - width("…")
    front, back = _fitting(line, left * 0.6), _fitting(line[::-1], left * 0.4)
    return f"{front.rstrip()}…{back[::-1].lstrip()}"


def _fitting(line: str, ems: float) -> str:
    """As much of the beginning of a line as is not wider."""
    taken = 0.0
    for count, character in enumerate(line):
        taken += width(character)
        if taken > ems:
            return line[:count]
    return line


def _plain(line: str) -> str:
    # A dollar sign would start mathematics.
    text = line.replace("$", r"\$")
    # What stands before and behind a name that is read from the right keeps its place.
    from_the_right = any(unicodedata.bidirectional(character) in ("R", "AL") for character in line)
    return f"{LEFT_TO_RIGHT}{text}{LEFT_TO_RIGHT}" if from_the_right else text
