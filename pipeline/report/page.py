"""The page: a title and sections, as one HTML file that needs no other."""

import base64
import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipeline.report import (
    ablations,
    comparisons,
    curves,
    data,
    diagnoses,
    evaluation,
    model_card,
    reference,
    repeating,
    searches,
    summary,
    trainings,
)
from pipeline.report.contents import Section
from pipeline.report.material import Material

HERE = Path(__file__).parent
# In the order of the page.
SECTIONS = (
    summary.section,
    data.section,
    trainings.section,
    curves.section,
    searches.section,
    ablations.section,
    diagnoses.section,
    comparisons.section,
    evaluation.section,
    reference.section,
    model_card.section,
    repeating.section,
)


def sections_of(material: Material) -> list[Section]:
    """All sections, those without contents too."""
    return [section(material) for section in SECTIONS]


def page_of(title: str, sections: list[Section], made: datetime.datetime) -> str:
    """The page as HTML. Whatever stands in `title` and `sections` is text: none of it is taken for HTML.

    made: when, for the reader.
    """
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["base64"] = lambda png: base64.b64encode(png).decode()
    return environment.get_template("page.html.j2").render(
        title=title,
        sections=[section for section in sections if section.blocks],
        missing=[sentence for section in sections for sentence in section.missing],
        made=made.strftime("%Y-%m-%d %H:%M UTC"),
    )
