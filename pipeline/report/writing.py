"""A report as MLflow sees it: a run that holds the page, which is also written where it was asked for."""

import datetime
import os
import tempfile
from pathlib import Path

from pipeline import tracking
from pipeline.config import ReportConfig
from pipeline.errors import UserError, shown
from pipeline.paths import path_of
from pipeline.report.material import collect
from pipeline.report.page import page_of, sections_of
from pipeline.tracked.descriptions import page

NAME = "report.html"
ENDING = ".html"
GENERATOR = b'<meta name="generator" content="past-the-ceiling report">'
# The mark stands at the beginning of a page.
HEAD_BYTES = 1000


def report_tracked(config: ReportConfig) -> str:
    """Write the page and log it. Returns the id of its run.

    Raises UserError if a run is not there, if there is none at all, or if the page cannot be written there.
    """
    with tracking.run("report", "report") as run:
        named = [name.strip() for name in (config.runs or "").split(",") if name.strip()]
        run.log_params({"runs": ",".join(named)})
        place = _place_of(config.output)
        material = collect(named)
        sections = sections_of(material)
        _write(page_of(material.title, sections, datetime.datetime.now(datetime.UTC)), place)
        run.log_file(place)
        run.describe(page(f"Report over {len(material.runs)} runs.", f"The page is the artifact **{place.name}**."))
    missing = sum(len(section.missing) for section in sections)
    print(f"run {run.id}: {shown(str(place))}, {place.stat().st_size:,} bytes, {len(material.runs)} runs")
    if missing:
        print(f"  {missing} parts are not on it; its last section names each, and the command that adds it")
    print(f"  {tracking.run_address(run)}")
    return run.id


def _place_of(output: str | None) -> Path:
    """The absolute path of the page. Raises UserError if it cannot be written there, or something else is there."""
    path = path_of(output or ".")
    if path.is_dir():
        path /= NAME
    where = f"--output {shown(str(path))}"
    if path.suffix != ENDING:
        raise UserError(f"{where}: a name that ends in {ENDING} is expected, or a folder")
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise UserError(f"{where}: {shown(str(path.parent))} is no folder that can be written to")
    if path.exists() and not _is_report(path):
        raise UserError(f"{where} is there already and is no earlier report; name another one")
    return path


def _is_report(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return GENERATOR in file.read(HEAD_BYTES)


def _write(page: str, place: Path) -> None:
    """Write the page, whole or not at all."""
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".report-") as folder:
        path = Path(folder) / place.name
        path.write_text(page, encoding="utf-8")
        path.replace(place)
