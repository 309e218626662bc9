"""What a page is made of: plain data, which page.html.j2 draws."""

from dataclasses import dataclass, field
from typing import ClassVar

PARAGRAPH, FACTS, TABLE, FIGURE, COMMAND, HEADING = "paragraph", "facts", "table", "figure", "command", "heading"


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of text."""

    text: str
    kind: ClassVar[str] = PARAGRAPH


@dataclass(frozen=True)
class Heading:
    """A heading within a section."""

    text: str
    kind: ClassVar[str] = HEADING


@dataclass(frozen=True)
class Facts:
    """Names, each with what is said of it."""

    rows: list[tuple[str, str]]
    kind: ClassVar[str] = FACTS


@dataclass(frozen=True)
class Table:
    """A table. rows: texts, as many as there are columns. numeric: the columns that are set flush right."""

    caption: str
    columns: list[str]
    rows: list[list[str]]
    numeric: frozenset[str] = frozenset()
    kind: ClassVar[str] = TABLE


@dataclass(frozen=True)
class Figure:
    """A PNG picture. alt: what it shows, for whoever does not see it."""

    caption: str
    alt: str
    png: bytes
    kind: ClassVar[str] = FIGURE


@dataclass(frozen=True)
class Command:
    """A command line to copy. of: what it does."""

    of: str
    line: str
    kind: ClassVar[str] = COMMAND


Block = Paragraph | Heading | Facts | Table | Figure | Command


@dataclass
class Section:
    """A part of the page. missing: sentences, each naming something that it would show too, and why it does not.

    A section without blocks is left out of the page; what it lacks is named all the same.
    """

    id: str
    title: str
    blocks: list[Block] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
